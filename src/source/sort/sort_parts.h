/* What sorter_open's sorter is made of, and how ranks part what they have sorted. */
#ifndef ROOFTALLY_SOURCE_SORT_PARTS_H
#define ROOFTALLY_SOURCE_SORT_PARTS_H

#include <stdbool.h>

#include "sort.h"
#include "sort_runs.h"

enum { SORTER_MOST_RUNS = 1024 };

/* Where a rank's table of cuts lies: for each of its runs size + 1 places in its scratch
 * space, of which range r reaches from place r to place r + 1. */
struct sort_table {
    int64_t n_runs, at;
};

/*
 *   bytes  | piece | records ─►            ◄─ entries |     while adding
 *          | readings | tree | window of run 0 | …    |     while merging
 */
struct sorter {
    struct scratch *scratch;
    const struct sort_weights *weights;
    const struct team *team;
    uint8_t *bytes;
    int64_t n_bytes, used;
    int64_t n_run;     /* bytes of which this run may use all: the entries end there */
    int64_t n_spilled; /* bytes of all runs so far */
    int64_t n_entries;
    int64_t longest; /* record so far; of all ranks after sorter_end */
    struct run runs[SORTER_MOST_RUNS]; /* the longest first */
    int n_runs;
    struct run_writer writer;

    struct sort_table *tables; /* [size] after sorter_end */
    int64_t before[1 + SORTER_MOST_WEIGHTS];
    int64_t own[1 + SORTER_MOST_WEIGHTS];
    int64_t all[1 + SORTER_MOST_WEIGHTS];
    struct merge merge;
};

/* Choose the keys, cut the runs at them, and tell the others: fills tables and sums.
 * Collective and agreed; `bytes` is free to use. */
int sort_deal(struct sorter *sorter, int status, struct error *err);

#endif
