/*
 * The distinct keys of a frequency over all zones of all ranks: sorted, one column of
 * the result each. Text bytewise, numbers ascending, NaN last.
 */
#ifndef ROOFTALLY_RESULT_CATEGORY_H
#define ROOFTALLY_RESULT_CATEGORY_H

#include "rooftally/base/memory.h"
#include "rooftally/comm/comm.h"
#include "rooftally/statistics/statistics.h"

union key {
    int64_t integer;
    double real;
    struct text text; /* points into the categories' bytes */
};

struct categories {
    const struct output *output;
    union key *keys;
    int64_t n; /* keys, sorted and distinct */
    int64_t capacity;
    char *bytes; /* of text keys */
    int64_t n_bytes, bytes_capacity;
};

/* Take n_bytes for keys and their text (MEMORY_GATHER). */
int categories_init(struct categories *categories,
                    const struct output *output,
                    int64_t n_bytes,
                    struct memory *memory,
                    struct error *err);

/* Add the keys of one zone; ERROR_BUDGET when there is no room for another one. */
int categories_add(struct categories *categories,
                   const struct output_values *values,
                   struct error *err);

/* Make every rank's categories the union of all ranks'. Collective; agreed. */
int categories_merge(struct categories *categories,
                     struct comm *comm,
                     struct memory *memory,
                     struct error *err);

/* Column of the i-th key of a zone; -1 when it was never added. */
int64_t categories_find(const struct categories *categories,
                        const struct output_values *values,
                        int64_t i);

/* Longest text key, 0 for none. */
int64_t categories_longest(const struct categories *categories);

#endif
