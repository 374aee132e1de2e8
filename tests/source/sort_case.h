/* Records to be sorted, on one rank or several: short ones of few or many different bytes. */
#ifndef ROOFTALLY_TESTS_SOURCE_SORT_CASE_H
#define ROOFTALLY_TESTS_SOURCE_SORT_CASE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "sort.h"
#include "sort_entries.h"
#include "team_forks.h"

enum { MEMORY = 16 << 20 };

static uint64_t state = 1;

static uint64_t draw(uint64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
}

struct record {
    int64_t n;
    uint8_t bytes[64];
};

static int compare(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, (size_t)(x->n < y->n ? x->n : y->n));
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Few different bytes, so that prefixes and whole records repeat. */
static void
make_records(struct record *records, int64_t n, uint64_t n_letters, int64_t least)
{
    for (int64_t i = 0; i < n; i++) {
        records[i].n =
            least + (int64_t)draw(sizeof records[i].bytes + 1 - (uint64_t)least);
        for (int64_t j = 0; j < records[i].n; j++)
            records[i].bytes[j] = (uint8_t)draw(n_letters);
    }
}

/* A weight that does not follow from the order: the last byte. */
static int64_t weight_of(const struct record *record)
{
    return record->n > 0 ? record->bytes[record->n - 1] : 1000;
}

static void weigh(const void *context, const uint8_t *record, int64_t *weights)
{
    uint32_t n;
    (void)context;
    memcpy(&n, record - SORT_LENGTH_BYTES, sizeof n);
    weights[0] = n > 0 ? record[n - 1] : 1000;
}

static const struct sort_weights weights = { .n_weights = 1, .weigh = weigh };

#endif
