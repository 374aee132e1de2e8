#include "order.h"
#include "part.h"

static int64_t size(const struct part *part)
{
    (void)part;
    return sizeof(struct sample);
}

/* The chain, whose chunks double up to 64 KiB, and its copy in one piece. */
static int64_t growth(const struct part *part, int64_t n)
{
    int64_t n_bytes = n * (int64_t)sizeof(int64_t);
    (void)part;
    return 2 * n_bytes
           + (n_bytes < 60000 ? n_bytes + 1024 : 128 * 1024 + n_bytes / 512);
}

static void init(const struct part *part, void *state)
{
    struct sample *sample = state;
    (void)part;
    *sample = (struct sample){ 0 };
    chain_init(&sample->kept, sizeof(int64_t), MEMORY_STATISTICS);
}

static int add(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err)
{
    struct sample *sample = state;
    int64_t keys[PART_ROWS];
    if (part->types[0] != TYPE_REAL)
        return chain_add(&sample->kept, memory, rows->integers, rows->n, err);
    for (int32_t i = 0; i < rows->n; i++)
        keys[i] = order_key(rows->reals[i]);
    return chain_add(&sample->kept, memory, keys, rows->n, err);
}

static int merge(const struct part *part,
                 void *state,
                 const void *from,
                 struct memory *memory,
                 struct error *err)
{
    struct sample *sample = state;
    const struct sample *other = from;
    (void)part;
    for (const struct chain_chunk *c = other->kept.first; c; c = c->next)
        if (chain_add(&sample->kept, memory, chain_items(c), c->n, err) < 0)
            return -1;
    return 0;
}

const struct part_kind part_sample = { .size = size,
                                       .growth = growth,
                                       .init = init,
                                       .add = add,
                                       .merge = merge };

int sample_keys(struct sample *sample, struct memory *memory, struct error *err)
{
    if (sample->keys)
        return 0;
    int64_t *keys = memory_take(memory,
                                MEMORY_STATISTICS,
                                sample->kept.n * (int64_t)sizeof *keys,
                                err);
    if (!keys)
        return -1;
    chain_copy(&sample->kept, keys);
    sample->keys = keys;
    return 0;
}

int sample_sorted(struct sample *sample, struct memory *memory, struct error *err)
{
    if (sample_keys(sample, memory, err) < 0)
        return -1;
    if (!sample->sorted)
        order_sort(sample->keys, sample->kept.n);
    sample->sorted = 1;
    return 0;
}
