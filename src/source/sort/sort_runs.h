/*
 * Runs of sorted records in scratch space: writing one, and merging many.
 *
 * A run is its records, each with its length in front, and then its marks: at evenly
 * spread records the prefix, the place, and what precedes it in the run, so that a key
 * can be found without reading all of it. One more mark, at its end, has the sums of all.
 *
 * A run begins at a multiple of RUN_PIECE: a page cache takes what is written to whole pieces of
 * a file in two thirds of the time (ext4, whose folios are as large as their place is even).
 */
#ifndef ROOFTALLY_SOURCE_SORT_RUNS_H
#define ROOFTALLY_SOURCE_SORT_RUNS_H

#include <stdbool.h>

#include "rooftally/base/memory.h"

#include "scratch.h"
#include "sort.h"
#include "sort_entries.h"

enum {
    RUN_MARKS = 32,        /* at most, of a run */
    RUN_PIECE = 64 << 10,  /* what is written at once, at a multiple of it */
    RUN_WINDOW = 32 << 10, /* what is read at once, of records that are shorter */
    RUN_AHEAD = 256 << 10, /* what a disk reads at once */
};

struct run_mark {
    uint64_t prefix;                       /* of the record here */
    int64_t at;                            /* in the scratch space of its rank */
    int64_t sums[1 + SORTER_MOST_WEIGHTS]; /* of the records of the run before it */
};

struct run {
    int64_t at, n_bytes;
    int64_t marks_at;
    int n_marks; /* and the one at its end */
};

/* Bytes of a mark as it is written: only the sums that there are. */
int64_t run_mark_bytes(int n_weights);

struct run_writer {
    struct scratch *scratch;
    const struct sort_weights *weights;
    struct run run;
    int64_t interval, next_mark; /* bytes of records */
    int64_t written;             /* bytes of records */
    int64_t sums[1 + SORTER_MOST_WEIGHTS];
    uint8_t *piece; /* [RUN_PIECE] */
    int64_t used;
    struct run_mark marks[RUN_MARKS + 1];
};

/* n_bytes: what all records will be, lengths included; piece: [RUN_PIECE]. */
void run_begin(struct run_writer *writer,
               struct scratch *scratch,
               const struct sort_weights *weights,
               uint8_t *piece,
               int64_t n_bytes);
int run_put(struct run_writer *writer,
            const struct sort_entry *entry,
            struct error *err);
int run_end(struct run_writer *writer, struct run *run, struct error *err);

/* What is left of a run, and the window of it that is in memory while merging. */
struct reading {
    int rank;           /* whose */
    int64_t at, n_left; /* bytes not yet in memory */
    uint8_t *buffer;
    int64_t used, filled;
    struct sort_entry entry; /* its least record */
};

struct merge {
    const struct scratch *scratch;
    struct reading *readings;
    int n_readings;
    int64_t window;
    int *tree;     /* [n_readings] of losers; the first is the reading that won */
    bool is_given; /* the winner's record */
};

/*
 * Start to merge.
 *
 * readings  [n] with rank, at, n_left set; n of them have windows of equal size in
 *           bytes[n_bytes]
 * tree      [n]
 */
int merge_start(struct merge *merge,
                const struct scratch *scratch,
                struct reading *readings,
                int n,
                int *tree,
                uint8_t *bytes,
                int64_t n_bytes,
                struct error *err);
/* The next record of all; 1, 0 at the end, -1. With `keep`, records that were given since
 * the last call without it stay where they are, and 0 also means that this cannot be. */
int merge_next(struct merge *merge,
               bool keep,
               struct sort_entry *entry,
               struct error *err);

#endif
