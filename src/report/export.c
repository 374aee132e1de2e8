#include "rooftally/report/export.h"

#include <errno.h>
#include <string.h>

#include "rooftally/base/file.h"

#include "write.h"

int write_failed(struct error *err)
{
    return error_set(err, ERROR_IO, "cannot be written: %s", file_reason(errno));
}

int export_result(const char *path,
                  const struct export_options *options,
                  FILE *out,
                  enum export_crs *crs,
                  char crs_name[128],
                  struct error *err)
{
    struct table *table;
    if (table_open(&table, path, err) < 0)
        return -1;
    int status = options->format == EXPORT_CSV
                     ? csv_write(table, options, out, err)
                     : geojson_write(table, out, crs, crs_name, err);
    table_close(table);
    if (status == 0 && (fflush(out) != 0 || ferror(out)))
        status = write_failed(err);
    return status < 0 && !ferror(out) ? error_prefix(err, "%s", path) : status;
}
