#include <stdio.h>

#include "rooftally/geometry/measure.h"
#include "rooftally/geometry/zone.h"
#include "rooftally/h5/h5.h"
#include "rooftally/source/source.h"

#include "cli.h"

static const char usage[] =
    "usage: rooftally COMMAND ...\n"
    "\n"
    "For every zone, select the buildings inside it that satisfy a filter, compute\n"
    "statistics over them, and write one parallel HDF5 file.\n"
    "\n"
    "  run JOB          do it; alone, under mpirun or under srun\n"
    "  plan JOB         what a run would do: zones, candidates, SQL, memory, ranks\n"
    "  stage JOB        copy zones and buildings into a store, to run from it\n"
    "  generate         a synthetic state, to try things on\n"
    "  info FILE        what a result or a store holds\n"
    "  export RESULT    a result as CSV or GeoJSON\n"
    "  report RESULT    a result as a page to look at, with a map\n"
    "\n"
    "rooftally COMMAND --help tells more; --version names the libraries in use.\n"
    "Exit status: 0 done, 1 failed, 2 not usable (nothing was started), 75 stopped\n"
    "early on request.\n";

int cli_help(int argc, char **argv, struct error *err)
{
    (void)argc, (void)argv, (void)err;
    fputs(usage, stdout);
    return 0;
}

int cli_version(int argc, char **argv, struct error *err)
{
    (void)argc, (void)argv, (void)err;
    printf("rooftally %s\n", ROOFTALLY_VERSION);
    printf("  %s\n", comm_library());
    printf("  HDF5 %s\n", h5_version());
    printf("  GEOS %s\n", geos_version());
    printf("  PROJ %s\n", crs_library());
    printf("  libpq %s\n", source_library());
    const char *gdal = source_vector_library();
    printf("  %s\n", gdal ? gdal : "no GDAL: vector files cannot be staged");
    return 0;
}
