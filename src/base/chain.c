#include "rooftally/base/chain.h"

#include <string.h>

enum { HEAD_BYTES = 32, FIRST_BYTES = 512, MOST_BYTES = 64 * 1024 };

void chain_init(struct chain *chain, int64_t item_bytes, enum memory_owner owner)
{
    *chain = (struct chain){ .item_bytes = item_bytes, .owner = owner };
}

void *chain_items(const struct chain_chunk *chunk)
{
    return (uint8_t *)(uintptr_t)chunk + HEAD_BYTES;
}

/* Chunks double, so that a short list is small and a long one has few. */
static struct chain_chunk *
new_chunk(const struct chain *chain, struct memory *memory, struct error *err)
{
    int64_t n_bytes = FIRST_BYTES;
    if (chain->last)
        n_bytes = 2 * (HEAD_BYTES + chain->last->capacity * chain->item_bytes);
    if (n_bytes > MOST_BYTES)
        n_bytes = MOST_BYTES;
    if (n_bytes < HEAD_BYTES + chain->item_bytes)
        n_bytes = HEAD_BYTES + chain->item_bytes;
    struct chain_chunk *chunk = memory_take(memory, chain->owner, n_bytes, err);
    if (chunk)
        *chunk = (struct chain_chunk){ .capacity =
                                           (n_bytes - HEAD_BYTES) / chain->item_bytes };
    return chunk;
}

int64_t chain_extend(struct chain *chain,
                     struct memory *memory,
                     int64_t n,
                     void **items,
                     struct error *err)
{
    struct chain_chunk *last = chain->last;
    if (!last || last->n == last->capacity) {
        last = new_chunk(chain, memory, err);
        if (!last)
            return -1;
        if (chain->last)
            chain->last->next = last;
        else
            chain->first = last;
        chain->last = last;
    }
    int64_t fits = last->capacity - last->n < n ? last->capacity - last->n : n;
    *items = (uint8_t *)chain_items(last) + last->n * chain->item_bytes;
    last->n += fits;
    chain->n += fits;
    return fits;
}

int chain_add(struct chain *chain,
              struct memory *memory,
              const void *items,
              int64_t n,
              struct error *err)
{
    const uint8_t *from = items;
    while (n > 0) {
        void *to;
        int64_t fits = chain_extend(chain, memory, n, &to, err);
        if (fits < 0)
            return -1;
        memcpy(to, from, (size_t)(fits * chain->item_bytes));
        from += fits * chain->item_bytes;
        n -= fits;
    }
    return 0;
}

void chain_copy(const struct chain *chain, void *out)
{
    uint8_t *to = out;
    for (const struct chain_chunk *c = chain->first; c; c = c->next) {
        memcpy(to, chain_items(c), (size_t)(c->n * chain->item_bytes));
        to += c->n * chain->item_bytes;
    }
}
