/*
 * A result as text that other programs read: the zones in the order of the result, each
 * with its statistics. A statistic of several values has a column for each, named
 * <statistic>=<key>: uses=house, heights=0..5, tallest=1.
 *
 *   csv      RFC 4180: a header, texts in quotes, lines end in CR LF; missing is empty
 *   geojson  RFC 7946: a FeatureCollection, polygons with rings turned as it wants; missing
 *            and infinite are null; bytes that are not UTF-8 become U+FFFD
 *
 * Integers and reals come back as the same bits, but for infinity in GeoJSON. Dates and
 * timestamps are written as ISO 8601.
 */
#ifndef ROOFTALLY_REPORT_EXPORT_H
#define ROOFTALLY_REPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "rooftally/base/error.h"

enum export_format { EXPORT_CSV, EXPORT_GEOJSON };

struct export_options {
    enum export_format format;
    /* CSV: leave texts as they are that a spreadsheet would take for a formula; else such
     * a text, which begins with = + - @ tab or a line break and is no number, gets a ' in
     * front. */
    bool raw;
    /* For a terminal: control characters of texts become '?'. */
    bool clean;
};

/* What the coordinates of a GeoJSON are, which should be longitude and latitude on WGS 84. */
enum export_crs {
    EXPORT_WGS84,       /* they are */
    EXPORT_OTHER_DATUM, /* longitude and latitude on another datum, written as they are */
    EXPORT_PLANE, /* x and y, written as they are; a member "crs" says so, as in GeoJSON of
                     2008, where the CRS has a number */
};

/*
 * Write a result to `out`, a block of zones at a time.
 *
 * crs      filled for GeoJSON; crs_name, of 128 bytes, says which: "EPSG:26986", "" for an
 *          unknown one
 * Memory   on the heap: 8 MiB or one zone, whichever is more, and the names of the columns
 * Returns  0, or -1 with
 *            ERROR_IO      the result cannot be read; or, where ferror(out), "cannot be
 *                          written: " and why, without a name
 *            ERROR_FORMAT  it is no result, or damaged
 *            ERROR_BUDGET  a zone takes more than 256 MiB
 */
int export_result(const char *path,
                  const struct export_options *options,
                  FILE *out,
                  enum export_crs *crs,
                  char crs_name[128],
                  struct error *err);

#endif
