/* Which store it is: by what it holds, not by where it lies or when it was copied. */
#include <inttypes.h>
#include <stdio.h>

#include "rooftally/base/crc32c.h"

#include "store_format.h"

enum { CHUNK = 64 * 1024, MOST_CHUNKS = 256 };

static int add_bytes(const struct store *store,
                     int64_t at,
                     int64_t n,
                     uint32_t *crc,
                     struct error *err)
{
    uint8_t bytes[CHUNK];
    for (int64_t done = 0; done < n; done += CHUNK) {
        int64_t n_bytes = n - done < CHUNK ? n - done : CHUNK;
        if (store_read(store, at + done, bytes, n_bytes, err))
            return -1;
        *crc = crc32c(*crc, bytes, (size_t)n_bytes);
    }
    return 0;
}

/* The whole of a file up to 16 MiB; of a larger one as much, evenly spread, end included. */
static int add_chunks(const struct store *store, uint32_t *crc, struct error *err)
{
    int64_t n = (store->n_bytes + CHUNK - 1) / CHUNK;
    int64_t n_taken = n < MOST_CHUNKS ? n : MOST_CHUNKS;
    for (int64_t i = 0; i < n_taken; i++) {
        int64_t at = (n_taken == n ? i : i * (n - 1) / (n_taken - 1)) * CHUNK;
        int64_t left = store->n_bytes - at;
        if (add_bytes(store, at, left < CHUNK ? left : CHUNK, crc, err))
            return -1;
    }
    return 0;
}

/* What the blocks tell of every row: boxes, faults, and the ranges of all fields. */
static int add_blocks(const struct store *store, uint32_t *crc, struct error *err)
{
    int64_t n = 8 * store->n_blocks;
    for (int side = 0; side < 4; side++)
        if (add_bytes(store, store->block_box_at[side], n, crc, err))
            return -1;
    if (add_bytes(store, store->faults_at, n, crc, err))
        return -1;
    for (int i = 0; i < store->buildings.n_columns; i++) {
        const struct store_column *column = &store->buildings.columns[i];
        const int64_t places[] = { column->nulls_at, column->min_at, column->max_at };
        for (int j = 0; j < 3; j++)
            if (places[j] >= 0 && add_bytes(store, places[j], n, crc, err))
                return -1;
    }
    return 0;
}

int store_identify(const struct store *store, char *text, int n_text, struct error *err)
{
    uint32_t crc = 0;
    if (store->content_at >= 0 && add_bytes(store, store->content_at, 16, &crc, err))
        return -1;
    if (add_chunks(store, &crc, err) || add_blocks(store, &crc, err))
        return -1;
    snprintf(text,
             (size_t)n_text,
             "store %08" PRIx32 " of %" PRId64 " bytes",
             crc,
             store->n_bytes);
    return 0;
}
