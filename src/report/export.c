#include "rooftally/report/export.h"

#include "write.h"

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
    if (status < 0)
        return error_prefix(err, "%s", path);
    return fflush(out) != 0 || ferror(out)
               ? error_set(err,
                           ERROR_IO,
                           "the output cannot be written: is the disk full?")
               : 0;
}
