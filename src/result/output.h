/* The file that becomes the result, and what runs that were killed have left beside it. */
#ifndef ROOFTALLY_RESULT_OUTPUT_H
#define ROOFTALLY_RESULT_OUTPUT_H

#include <stdbool.h>

#include "rooftally/base/error.h"

/* Remove what killed runs of this output left: their results, and copies of tables. */
void output_clear(const char *path);

/*
 * Take the disk space that the laid out file will fill, so that a full disk is found
 * here, on one rank, and not in a collective write. Returns 0, or -1 with ERROR_IO.
 */
int output_reserve(const char *partial, struct error *err);

/* Put the partial file on disk, and file_publish it, with `force` to replace. */
int output_commit(const char *partial, const char *path, bool force, struct error *err);

#endif
