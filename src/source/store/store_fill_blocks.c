#include <math.h>
#include <string.h>

#include "store_fill.h"

/* Blocks are looked at by the piece, and what is known of a piece is written at once. */
enum { AT_ONCE = 16 };

struct piece {
    int64_t block, n_blocks; /* of the store */
    int64_t first, n;        /* rows */
    int64_t block_rows;
    void *columns[4]; /* [n] each, of 8 bytes or less a value */
    uint8_t *bytes;   /* [n] */
};

/* Rows [*from, *from + n) of the piece are its i-th block's. */
static int64_t rows_of(const struct piece *piece, int64_t i, int64_t *from)
{
    *from = i * piece->block_rows;
    int64_t left = piece->n - *from;
    return left < piece->block_rows ? left : piece->block_rows;
}

/* One value of 8 bytes for each block. */
static int write_all(const struct store *store,
                     int64_t at,
                     const struct piece *piece,
                     const void *values,
                     struct error *err)
{
    return store_write(store, at + 8 * piece->block, values, 8 * piece->n_blocks, err);
}

static struct box box_of(const struct piece *piece, int64_t from, int64_t n)
{
    struct box all = { INFINITY, INFINITY, -INFINITY, -INFINITY };
    const float *xmin = piece->columns[0], *ymin = piece->columns[1];
    const float *xmax = piece->columns[2], *ymax = piece->columns[3];
    for (int64_t i = from; i < from + n; i++) {
        if (xmin[i] > xmax[i])
            continue;
        all.xmin = xmin[i] < all.xmin ? xmin[i] : all.xmin;
        all.ymin = ymin[i] < all.ymin ? ymin[i] : all.ymin;
        all.xmax = xmax[i] > all.xmax ? xmax[i] : all.xmax;
        all.ymax = ymax[i] > all.ymax ? ymax[i] : all.ymax;
    }
    return all;
}

static int
fill_boxes(const struct store *store, const struct piece *piece, struct error *err)
{
    const struct store_table *table = &store->buildings;
    double sides[4][AT_ONCE];
    for (int side = 0; side < 4; side++)
        if (store_read(store,
                       table->box_at[side] + 4 * piece->first,
                       piece->columns[side],
                       4 * piece->n,
                       err))
            return -1;
    for (int64_t i = 0; i < piece->n_blocks; i++) {
        int64_t from, n = rows_of(piece, i, &from);
        struct box box = box_of(piece, from, n);
        sides[0][i] = box.xmin;
        sides[1][i] = box.ymin;
        sides[2][i] = box.xmax;
        sides[3][i] = box.ymax;
    }
    for (int side = 0; side < 4; side++)
        if (write_all(store, store->block_box_at[side], piece, sides[side], err))
            return -1;
    return 0;
}

static int
fill_counts(const struct store *store, const struct piece *piece, struct error *err)
{
    int64_t firsts[AT_ONCE], counts[AT_ONCE], faults[AT_ONCE];
    if (store_read(store,
                   store->buildings.fault_at + piece->first,
                   piece->bytes,
                   piece->n,
                   err))
        return -1;
    for (int64_t i = 0; i < piece->n_blocks; i++) {
        int64_t from, n = rows_of(piece, i, &from);
        firsts[i] = piece->first + from;
        counts[i] = n;
        faults[i] = 0;
        for (int64_t row = from; row < from + n; row++)
            faults[i] += piece->bytes[row] != 0;
    }
    return write_all(store, store->first_at, piece, firsts, err)
                   || write_all(store, store->count_at, piece, counts, err)
                   || write_all(store, store->faults_at, piece, faults, err)
               ? -1
               : 0;
}

/* Which rows have a value, into piece->bytes, and how many of each block have none. */
static int fill_nulls(const struct store *store,
                      const struct store_column *column,
                      const struct piece *piece,
                      struct error *err)
{
    int64_t nulls[AT_ONCE] = { 0 };
    if (column->valid_at < 0)
        memset(piece->bytes, 1, (size_t)piece->n);
    else if (store_read(store,
                        column->valid_at + piece->first,
                        piece->bytes,
                        piece->n,
                        err))
        return -1;
    for (int64_t i = 0; i < piece->n_blocks; i++) {
        int64_t from, n = rows_of(piece, i, &from);
        for (int64_t row = from; row < from + n; row++)
            nulls[i] += !piece->bytes[row];
    }
    return write_all(store, column->nulls_at, piece, nulls, err);
}

/* NaN is the greatest of all numbers, and an empty range is the wrong way round. */
static void real_range(const double *values,
                       const uint8_t *valid,
                       int64_t n,
                       double *least,
                       double *greatest)
{
    bool first = true;
    *least = INFINITY;
    *greatest = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double value = values[i];
        if (!valid[i])
            continue;
        if (first || value < *least || (isnan(*least) && !isnan(value)))
            *least = value;
        if (first || value > *greatest || isnan(value))
            *greatest = isnan(*greatest) && !first ? *greatest : value;
        first = false;
    }
}

static void integer_range(const int64_t *values,
                          const uint8_t *valid,
                          int64_t n,
                          int64_t *least,
                          int64_t *greatest)
{
    *least = INT64_MAX;
    *greatest = INT64_MIN;
    for (int64_t i = 0; i < n; i++) {
        if (!valid[i])
            continue;
        *least = values[i] < *least ? values[i] : *least;
        *greatest = values[i] > *greatest ? values[i] : *greatest;
    }
}

static int fill_ranges(const struct store *store,
                       const struct store_column *column,
                       const struct piece *piece,
                       struct error *err)
{
    double *values = piece->columns[0];
    union {
        double real;
        int64_t integer;
    } least[AT_ONCE], greatest[AT_ONCE];
    if (fill_nulls(store, column, piece, err))
        return -1;
    if (column->type == TYPE_TEXT)
        return 0;
    if (store_read(store, column->at + 8 * piece->first, values, 8 * piece->n, err))
        return -1;
    for (int64_t i = 0; i < piece->n_blocks; i++) {
        int64_t from, n = rows_of(piece, i, &from);
        const uint8_t *valid = piece->bytes + from;
        if (column->type == TYPE_REAL)
            real_range(values + from, valid, n, &least[i].real, &greatest[i].real);
        else
            integer_range((const int64_t *)(const void *)(values + from),
                          valid,
                          n,
                          &least[i].integer,
                          &greatest[i].integer);
    }
    return write_all(store, column->min_at, piece, least, err)
                   || write_all(store, column->max_at, piece, greatest, err)
               ? -1
               : 0;
}

static int
fill_piece(const struct store *store, const struct piece *piece, struct error *err)
{
    if (fill_boxes(store, piece, err) || fill_counts(store, piece, err))
        return -1;
    for (int i = 0; i < store->buildings.n_columns; i++)
        if (fill_ranges(store, &store->buildings.columns[i], piece, err))
            return -1;
    return 0;
}

int64_t store_fill_blocks_bytes(const struct store *store)
{
    enum { OF_ROW = 4 * 8 + 1, SLACK = 5 * 64 };
    return OF_ROW * AT_ONCE * store->block_rows + SLACK;
}

int store_fill_blocks(const struct store *store,
                      int64_t first,
                      int64_t n,
                      struct memory *memory,
                      struct error *err)
{
    struct memory_mark mark = memory_mark(memory);
    struct piece piece = { .block_rows = store->block_rows };
    int64_t n_rows = AT_ONCE * store->block_rows, end = first + n;
    int status = 0;
    piece.bytes = memory_take(memory, MEMORY_BATCH, n_rows, err);
    if (!piece.bytes)
        status = -1;
    for (int i = 0; i < 4 && status == 0; i++) {
        piece.columns[i] = memory_take(memory, MEMORY_BATCH, 8 * n_rows, err);
        status = piece.columns[i] ? 0 : -1;
    }
    for (piece.block = first; piece.block < end && status == 0;
         piece.block += piece.n_blocks) {
        piece.n_blocks = end - piece.block < AT_ONCE ? end - piece.block : AT_ONCE;
        piece.first = piece.block * piece.block_rows;
        int64_t left = store->buildings.n - piece.first;
        int64_t most = piece.n_blocks * piece.block_rows;
        piece.n = left < most ? left : most;
        status = fill_piece(store, &piece, err);
    }
    memory_rewind(memory, &mark);
    return status;
}
