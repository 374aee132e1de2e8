/*
 * What statistics are made of: states that observe one field each and can be shared, so
 * that mean, stddev and cv of one field add it up once.
 *
 * A part kind is a row of functions; a part is a kind with its field and numbers; a
 * state is the bytes that a part has in one zone.
 */
#ifndef ROOFTALLY_STATISTICS_PART_H
#define ROOFTALLY_STATISTICS_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/chain.h"
#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"

#include "exact.h"

/* Some rows of a batch, as a part sees them: at most PART_ROWS. */
enum { PART_ROWS = 512 };

struct part_rows {
    const struct column *columns; /* by slot */
    const struct column *id;
    int32_t n;           /* rows where the part's field is not null */
    const int32_t *rows; /* [n] in the batch */
    union {              /* [n] the field there, by its type */
        const int64_t *integers;
        const double *reals;
        const struct text *texts;
    };
};

struct part {
    const struct part_kind *kind;
    int slots[2]; /* the field, and a second one (product) or -1 */
    enum value_type types[2];
    enum value_type id_type;
    double low, high; /* of bins */
    int64_t n;        /* bins; top */
};

struct part_kind {
    /* Bytes of a state, and what it may take besides for n observations. */
    int64_t (*size)(const struct part *part);
    int64_t (*growth)(const struct part *part, int64_t n); /* NULL: nothing */

    /* States start as zeros; NULL where that is all. */
    void (*init)(const struct part *part, void *state);
    int (*add)(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err);
    int (*merge)(const struct part *part,
                 void *state,
                 const void *from,
                 struct memory *memory,
                 struct error *err);
};

/* total.c: the exact sum and the count of the values. */
struct total {
    int64_t n;
    struct exact sum;
};
extern const struct part_kind part_total;
extern const struct part_kind part_squares; /* of their squares */
extern const struct part_kind part_product; /* of the products of two fields */
extern const struct part_kind part_weights; /* of the second where neither is null */

/* present.c: how many values there are. */
struct present {
    int64_t n;
};
extern const struct part_kind part_present;

/* extremes.c: the least and the greatest key; order.h says what a key is. */
struct extremes {
    int64_t n, least, greatest;
};
extern const struct part_kind part_extremes;

/* bins.c: int64_t[part->n] counts between low and high. */
extern const struct part_kind part_bins;

/* sample.c: every value, as keys. */
struct sample {
    struct chain kept;
    int64_t *keys; /* NULL until asked for */
    int sorted;
};
extern const struct part_kind part_sample;

/* All values in an array of sample->kept.n keys; sample_sorted in order. */
int sample_keys(struct sample *sample, struct memory *memory, struct error *err);
int sample_sorted(struct sample *sample, struct memory *memory, struct error *err);

/* words.c: every different text once, with its count. */
struct word {
    struct text text;
    uint64_t hash;
    int64_t n;
};
struct words {
    struct chain kept; /* of struct word; they never move */
    struct word **table;
    int64_t capacity; /* of the table: 0 or a power of two */
    char *bytes;      /* room for copies */
    int64_t n_bytes, next_bytes;
    struct word **sorted; /* NULL until asked for */
};
extern const struct part_kind part_words;

/* words->sorted: words->kept.n words, bytewise. */
int words_sorted(struct words *words, struct memory *memory, struct error *err);

/* leaders.c: the part->n greatest values and the ids of their buildings. */
struct leader {
    int64_t key;
    int64_t id;       /* where ids are integers */
    struct text text; /* where ids are texts: a copy */
    int64_t capacity; /* of the copy */
};
struct leaders {
    int64_t n;
    bool sorted;            /* the first of them first: nothing may be added any more */
    struct leader places[]; /* [part->n], a heap with the last of them first */
};
extern const struct part_kind part_leaders;

/* Put the heap in order, the first of them first; once is enough. */
void leaders_sort(struct leaders *leaders);

#endif
