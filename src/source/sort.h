/*
 * Sorting more byte strings than fit into memory: runs sorted in memory go to one
 * scratch file without a name, then are merged.
 *
 * Order    as memcmp over whole records, a prefix first; so equal sets of records come
 *          out as equal sequences, whatever the memory and the order they came in
 * Memory   what sorter_open is given, in one piece; no other
 */
#ifndef ROOFTALLY_SOURCE_SORT_H
#define ROOFTALLY_SOURCE_SORT_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"

struct sorter;

/*
 * folder    where the scratch file lies; it is made when the memory does not suffice
 * n_bytes   of memory, at least SORTER_LEAST_BYTES
 * Returns   0, or -1 with ERROR_BUDGET
 */
enum { SORTER_LEAST_BYTES = 1 << 20 };
int sorter_open(struct sorter **sorter,
                const char *folder,
                int64_t n_bytes,
                struct memory *memory,
                struct error *err);
void sorter_close(struct sorter *sorter); /* NULL is silent; the file is gone */

/* The longest record that it takes: about a fifth of its memory. */
int64_t sorter_most_bytes(const struct sorter *sorter);

/* Add a record. Returns 0, or -1 with ERROR_BUDGET (too long) or ERROR_IO (the disk). */
int sorter_add(struct sorter *sorter,
               const uint8_t *record,
               int64_t n_bytes,
               struct error *err);

/* No more will be added. */
int sorter_end(struct sorter *sorter, struct error *err);

/* The next record: 1 with *record, borrowed until the next call; 0 at the end, -1. */
int sorter_next(struct sorter *sorter,
                const uint8_t **record,
                int64_t *n_bytes,
                struct error *err);

/* Bytes written to the scratch file so far. */
int64_t sorter_scratch_bytes(const struct sorter *sorter);

#endif
