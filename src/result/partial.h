/* The file that becomes the result: "<path>.partial-<host>-<pid>" until it is whole. */
#ifndef ROOFTALLY_RESULT_PARTIAL_H
#define ROOFTALLY_RESULT_PARTIAL_H

#include "rooftally/base/error.h"

/* On the heap; NULL without memory. */
char *partial_name(const char *path);

/* Remove what crashed runs of this output left: of processes of this host that are
 * gone, or a day old. */
void partial_clear(const char *path);

/*
 * Take the disk space that the laid out file will fill, so that a full disk is found
 * here, on one rank, and not in a collective write. Returns 0, or -1 with ERROR_IO.
 */
int partial_reserve(const char *partial, struct error *err);

/* Put the partial file on disk, and file_publish it, with `force` to replace. */
int partial_commit(const char *partial, const char *path, int force, struct error *err);

#endif
