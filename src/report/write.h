/* The writers of export_result; each writes one table to a stream. */
#ifndef ROOFTALLY_REPORT_WRITE_H
#define ROOFTALLY_REPORT_WRITE_H

#include <stdio.h>

#include "rooftally/report/export.h"

#include "table.h"

/* ERROR_FORMAT as table_load, ERROR_IO when `out` is full. */
int csv_write(struct table *table,
              const struct export_options *options,
              FILE *out,
              struct error *err);
int geojson_write(struct table *table,
                  FILE *out,
                  enum export_crs *crs,
                  char crs_name[128],
                  struct error *err);

/* "cannot be written: " and why the last write to a stream failed: ERROR_IO. Returns -1. */
int write_failed(struct error *err);

/* One text as a quoted cell of CSV. */
void csv_put_text(struct text text, const struct export_options *options, FILE *out);
/* One text as a string of JSON, with nothing in it that a terminal obeys. */
void json_put_text(struct text text, FILE *out);
/* The same without its quotes. */
void json_put_inside(struct text text, FILE *out);

/*
 * The WKB of a zone, as ewkb_flatten makes it, as a geometry of GeoJSON; "null" where it
 * is empty. Outer rings are turned counterclockwise, holes clockwise.
 *
 * Returns  0, or -1 with ERROR_FORMAT (no polygon, cut off, not finite)
 */
int geojson_put_geometry(const uint8_t *wkb,
                         int64_t n_bytes,
                         FILE *out,
                         struct error *err);

#endif
