/*
 * Sorting more byte strings than fit into memory, over all ranks: each rank sorts what it
 * adds into runs in scratch space; the ranks agree on keys that part the whole into as
 * many ranges as there are ranks; each merges its range out of the runs of all.
 *
 *     rank 0   add ─► run run run ─┐       ┌─► range 0 ─► next
 *     rank 1   add ─► run run     ─┼ merge ┼─► range 1 ─► next
 *     rank 2   add ─► run run run ─┘       └─► range 2 ─► next
 *
 * Order    as memcmp over whole records, a prefix first; so equal sets of records come
 *          out as equal sequences of all ranks' ranges together, whatever the memory, the
 *          number of ranks, and who added what
 * Memory   what it is given, in one piece while adding and one while merging; besides, less
 *          than 64 KiB of its own for the list of its runs
 */
#ifndef ROOFTALLY_SOURCE_SORT_H
#define ROOFTALLY_SOURCE_SORT_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/source/team.h"

#include "scratch.h"

enum {
    SORTER_LEAST_BYTES = 1 << 20,
    SORTER_MOST_WEIGHTS = 66,
};

/* What a record adds to sums that are asked of ranges, besides 1 to the number of
 * records: fills weights[n_weights]. */
struct sort_weights {
    int n_weights;
    void (*weigh)(const void *context, const uint8_t *record, int64_t *weights);
    const void *context;
};

struct sorter;

/*
 * bytes    [n_bytes], the caller's, used until sorter_end; at least SORTER_LEAST_BYTES
 * scratch, weights, team   borrowed until sorter_close
 * Calls    local
 * Returns  0, or -1 with ERROR_BUDGET
 */
int sorter_open(struct sorter **sorter,
                struct scratch *scratch,
                const struct sort_weights *weights,
                const struct team *team,
                uint8_t *bytes,
                int64_t n_bytes,
                struct error *err);
void sorter_close(struct sorter *sorter); /* NULL is silent */

/* The longest record that it takes: about a fifth of its memory. */
int64_t sorter_most_bytes(const struct sorter *sorter);

/*
 * Room for the next record, to be filled before sorter_add takes it. Local.
 *
 * Returns  n_bytes of room, or NULL with ERROR_BUDGET (too long), ERROR_IO (the disk) or
 *          ERROR_STOPPED
 */
uint8_t *sorter_room(struct sorter *sorter, int64_t n_bytes, struct error *err);
void sorter_add(struct sorter *sorter);

/*
 * No more will be added: part all records. Collective and agreed.
 *
 * status   of this rank so far; no rank goes on unless it is 0 on all
 * n_bytes  of memory that merging will have, on every rank
 * Returns  0, or -1 with what a rank failed with, or ERROR_BUDGET (n_bytes holds too few
 *          of the longest record)
 */
int sorter_end(struct sorter *sorter, int status, int64_t n_bytes, struct error *err);

/* Records, and sums of weights, that precede this rank's range, that are in it, and of
 * all ranges; after sorter_end. sums[1 + n_weights], the number first. */
void sorter_sums(const struct sorter *sorter,
                 int64_t *before,
                 int64_t *own,
                 int64_t *all);

/* Start to merge this rank's range, in n_bytes taken from memory. Local. */
int sorter_start(struct sorter *sorter,
                 int64_t n_bytes,
                 struct memory *memory,
                 struct error *err);

/*
 * The next records, at most `most`; *n is how many these are, 0 only at the end. A record's
 * length is in the 4 bytes before it. Borrowed until the next call. Returns 0 or -1.
 */
int sorter_next(struct sorter *sorter,
                int32_t most,
                const uint8_t **records,
                int32_t *n,
                struct error *err);

#endif
