/*
 * A list of equal items that grows inside a memory stack, in chunks that double up to
 * 64 KiB, so that several lists may grow at once and none ever moves.
 */
#ifndef ROOFTALLY_BASE_CHAIN_H
#define ROOFTALLY_BASE_CHAIN_H

#include <stdint.h>

#include "rooftally/base/memory.h"

struct chain_chunk {
    struct chain_chunk *next;
    int64_t n;        /* items in use */
    int64_t capacity; /* items that fit */
    /* the items follow, aligned to 16 */
};

struct chain {
    struct chain_chunk *first, *last; /* NULL while empty */
    int64_t n;                        /* items in all */
    int64_t item_bytes;
    enum memory_owner owner;
};

void chain_init(struct chain *chain, int64_t item_bytes, enum memory_owner owner);

/* Append n items. Returns 0, or -1 with ERROR_BUDGET (what fitted is in the chain). */
int chain_add(struct chain *chain,
              struct memory *memory,
              const void *items,
              int64_t n,
              struct error *err);

/*
 * Room for up to n more items in one piece, for the caller to fill; they count as added.
 *
 * Returns  how many, 1 to n, with *items, or -1 with ERROR_BUDGET; n is at least 1
 */
int64_t chain_extend(struct chain *chain,
                     struct memory *memory,
                     int64_t n,
                     void **items,
                     struct error *err);

/* Copy all items, in the order they were added, to out[n * item_bytes]. */
void chain_copy(const struct chain *chain, void *out);

/* The items of one chunk. */
void *chain_items(const struct chain_chunk *chunk);

#endif
