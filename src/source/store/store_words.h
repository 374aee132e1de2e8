/*
 * The different texts of one field, as long as they are few: a hash table of fixed size
 * that says so when there are too many, which depends on the texts alone.
 */
#ifndef ROOFTALLY_SOURCE_STORE_WORDS_H
#define ROOFTALLY_SOURCE_STORE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/source/store.h"
#include "rooftally/source/team.h"

enum { WORDS_SLOTS = 2 * STORE_MOST_WORDS, WORDS_NULL = 0xffff };

struct words {
    int32_t n;
    bool too_many;                         /* nothing else counts then */
    uint16_t slots[WORDS_SLOTS];           /* word + 1; 0: empty */
    uint16_t ranks[STORE_MOST_WORDS];      /* of each word, once they are sorted */
    uint16_t order[STORE_MOST_WORDS];      /* words by rank */
    int32_t offsets[STORE_MOST_WORDS + 1]; /* into bytes, as they came */
    char bytes[STORE_WORDS_BYTES];
};

void words_init(struct words *words);
void words_add(struct words *words, struct text text);

/* Unite the words of all ranks on every rank. Collective; `room` is for those of another.
 * Returns 0, or -1 with ERROR_COMM. */
int words_unite(struct words *words,
                struct words *room,
                const struct team *team,
                struct error *err);

/* Give every word its rank, bytewise. */
void words_sort(struct words *words);

/* The rank of a word that was added, after words_sort. */
uint16_t words_rank(const struct words *words, struct text text);

/* The word of a rank. */
struct text words_at(const struct words *words, int32_t rank);

#endif
