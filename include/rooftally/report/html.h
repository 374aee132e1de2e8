/*
 * A result as one page for a reader: what became of the candidates, a map of the zones
 * coloured by a statistic, the statistics and their distributions, what was rejected and
 * why, how the ranks spent their time and memory, the slowest zones, provenance.
 *
 * The page is whole by itself: HTML 5 with drawings in SVG, no script, nothing loaded from
 * elsewhere. All text from the result is escaped; controls, marks that turn the direction
 * of text, and bytes that are not UTF-8 become U+FFFD.
 *
 * Bounded: a map of at most 50,000 zones, of rings rounded to a grid of 2,000 columns; 12
 * statistics on it; 1,000 zones in the table; 64 ranks, of which 12 are drawn. What is left
 * out is said.
 */
#ifndef ROOFTALLY_REPORT_HTML_H
#define ROOFTALLY_REPORT_HTML_H

#include <stdio.h>

#include "rooftally/base/error.h"

/*
 * Memory   on the heap: what the ids and eight numbers of all zones take, and 8 MiB or one
 *          zone, whichever is more
 * Returns  0, or -1 with
 *            ERROR_IO      the result cannot be read; or, where ferror(out), "cannot be
 *                          written: " and why, without a name
 *            ERROR_FORMAT  it is no result, or damaged
 *            ERROR_BUDGET  a column or a zone takes more than 256 MiB
 */
int report_html(const char *path, FILE *out, struct error *err);

#endif
