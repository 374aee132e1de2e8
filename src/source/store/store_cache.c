/*
 * Columns in chunks that stay in memory from zone to zone. A zone shares its outer blocks
 * with its neighbours, which come next; a call of pread costs as much as copying 6 KiB.
 *
 *   slot 0: chunk 17   height |valid|xmin|…      each column of a chunk is read when it
 *   slot 1: chunk  3   height |valid|  - |…      is asked for; the slot that was asked
 *   …                                            for longest ago makes room
 */
#include <string.h>

#include "store_source.h"

enum { MOST_CHUNK_ROWS = 4096, LEAST_CHUNK_ROWS = 512, SHARE = 8, FEW_CHUNKS = 4 };

static int add(struct store_cache *cache, int64_t at, int64_t width)
{
    int i = cache->n_columns++;
    cache->columns[i] = (struct store_cached){ at, width, cache->chunk_bytes, 0 };
    cache->chunk_bytes += (width * (cache->chunk_rows + 1) + 63) & ~INT64_C(63);
    return i;
}

/* Offsets, with the end of the last row. */
static int add_offsets(struct store_cache *cache, int64_t at)
{
    int i = add(cache, at, 8);
    cache->columns[i].n_more = 1;
    return i;
}

static void add_slot(struct store_source *s, int slot)
{
    const struct store_table *table = &s->store->buildings;
    int c = s->columns[slot];
    s->value_of[slot] = s->valid_of[slot] = -1;
    if (c == -1 && table->id_type == TYPE_INTEGER)
        s->value_of[slot] = s->id_of;
    if (c < 0)
        return;
    const struct store_column *column = &table->columns[c];
    s->value_of[slot] =
        column->layout == STORE_OFFSETS
            ? add_offsets(&s->cache, column->at)
            : add(&s->cache, column->at, column->layout == STORE_WORDS ? 2 : 8);
    if (column->layout != STORE_WORDS && column->valid_at >= 0)
        s->valid_of[slot] = add(&s->cache, column->valid_at, 1);
}

/* Whole blocks a chunk; of large blocks, as many rows as are read at once. */
static int64_t whole_blocks(const struct store *store, int64_t n_rows)
{
    int64_t n = store->block_rows;
    if (n > STORE_READ_ROWS)
        return STORE_READ_ROWS;
    return n < n_rows ? n_rows / n * n : n;
}

static void add_columns(struct store_source *s, int64_t n_rows)
{
    const struct store_table *table = &s->store->buildings;
    s->cache = (struct store_cache){ .chunk_rows = whole_blocks(s->store, n_rows) };
    s->id_of = table->id_type == TYPE_INTEGER ? add(&s->cache, table->id_at, 8) : -1;
    for (int side = 0; side < 4; side++)
        s->side_of[side] = add(&s->cache, table->box_at[side], sizeof(float));
    s->fault_of = add(&s->cache, table->fault_at, 1);
    s->offset_of = add_offsets(&s->cache, table->offset_at);
    for (int i = 0; i < s->binding->n_slots; i++)
        add_slot(s, i);
}

static void forget_chunks(struct store_cache *cache)
{
    for (int i = 0; i < cache->n_slots; i++)
        cache->slots[i] = (struct store_slot){ .chunk = -1 };
}

void store_cache_plan(struct store_source *s,
                      const struct memory *memory,
                      struct store_slot slots[STORE_MOST_CHUNKS])
{
    struct store_cache *cache = &s->cache;
    int64_t room = memory->budget_bytes / SHARE, n_rows = MOST_CHUNK_ROWS;
    for (add_columns(s, n_rows);
         n_rows > LEAST_CHUNK_ROWS && FEW_CHUNKS * cache->chunk_bytes > room;
         add_columns(s, n_rows))
        n_rows /= 2;
    int64_t n = room / cache->chunk_bytes;
    cache->n_slots = (int)(n < 1 ? 1 : n > STORE_MOST_CHUNKS ? STORE_MOST_CHUNKS : n);
    cache->slots = slots;
    if (slots)
        forget_chunks(cache);
}

int store_prepare(struct source *source, struct memory *memory, struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    struct store_cache *cache = &s->cache;
    if (store_load_dictionaries(s, memory, err))
        return -1;
    store_cache_plan(s, memory, NULL);
    cache->slots = memory_take(memory,
                               MEMORY_BATCH,
                               cache->n_slots * (int64_t)sizeof *cache->slots,
                               err);
    cache->bytes = cache->slots ? memory_take(memory,
                                              MEMORY_BATCH,
                                              cache->n_slots * cache->chunk_bytes,
                                              err)
                                : NULL;
    if (!cache->bytes)
        return error_prefix(err, "columns of the store");
    forget_chunks(cache);
    return 0;
}

int64_t store_prepared_bytes(struct source *source, int64_t budget_bytes)
{
    struct store_source *s = (struct store_source *)source;
    const struct memory memory = { .budget_bytes = budget_bytes };
    const struct store_cache kept = s->cache;
    store_cache_plan(s, &memory, NULL);
    int64_t chunk_bytes = s->cache.chunk_bytes + (int64_t)sizeof *s->cache.slots;
    int64_t n_bytes = s->cache.n_slots * chunk_bytes;
    s->cache = kept;
    return n_bytes + store_dictionary_bytes(s);
}

static int slot_of(struct store_cache *cache, int64_t chunk)
{
    int oldest = 0;
    if (cache->slots[cache->last].chunk == chunk)
        return cache->last;
    cache->now++;
    for (int i = 0; i < cache->n_slots; i++) {
        if (cache->slots[i].chunk == chunk) {
            cache->slots[i].used = cache->now;
            return cache->last = i;
        }
        if (cache->slots[i].used < cache->slots[oldest].used)
            oldest = i;
    }
    cache->slots[oldest] = (struct store_slot){ .chunk = chunk, .used = cache->now };
    return cache->last = oldest;
}

/* Bytes of a column in the chunk that begins with row `first`. */
static int64_t column_bytes(const struct store_source *s, int column, int64_t first)
{
    int64_t left = s->store->buildings.n - first;
    int64_t n = left < s->cache.chunk_rows ? left : s->cache.chunk_rows;
    const struct store_cached *from = &s->cache.columns[column];
    return (n + from->n_more) * from->width;
}

const void *
store_cached(struct store_source *s, int column, int64_t row, struct error *err)
{
    struct store_cache *cache = &s->cache;
    const struct store_cached *from = &cache->columns[column];
    int64_t chunk = row / cache->chunk_rows, first = chunk * cache->chunk_rows;
    int i = slot_of(cache, chunk);
    uint8_t *bytes = cache->bytes + i * cache->chunk_bytes + from->offset;
    if (!cache->slots[i].has[column]) {
        int64_t at = from->at + first * from->width;
        if (store_fetch(s, at, bytes, column_bytes(s, column, first), err))
            return NULL;
        cache->slots[i].has[column] = 1;
    }
    return bytes + (row - first) * from->width;
}

int64_t store_chunk_left(const struct store_source *s, int64_t row)
{
    return s->cache.chunk_rows - row % s->cache.chunk_rows;
}

int64_t
store_cache_misses(struct store_source *s, int column, const struct store_run *run)
{
    struct store_cache *cache = &s->cache;
    int64_t n_bytes = 0, end = run->first + run->n;
    for (int64_t row = run->first; row < end; row += store_chunk_left(s, row)) {
        int64_t chunk = row / cache->chunk_rows;
        struct store_slot *slot = &cache->slots[slot_of(cache, chunk)];
        if (!slot->has[column])
            n_bytes += column_bytes(s, column, chunk * cache->chunk_rows);
        slot->has[column] = 1;
    }
    return n_bytes;
}
