#include <math.h>

#include "store_fill.h"

struct block_buffers {
    double *scratch;   /* [4 * block_rows] */
    struct box *boxes; /* [block_rows] */
    uint8_t *bytes;    /* [block_rows] */
};

static int write_integer(const struct store *store,
                         int64_t at,
                         int64_t block,
                         int64_t value,
                         struct error *err)
{
    return store_write(store, at + 8 * block, &value, 8, err);
}

static int write_real(const struct store *store,
                      int64_t at,
                      int64_t block,
                      double value,
                      struct error *err)
{
    return store_write(store, at + 8 * block, &value, 8, err);
}

static int fill_box(const struct store *store,
                    int64_t block,
                    int64_t first,
                    int64_t n,
                    const struct block_buffers *buffers,
                    struct error *err)
{
    struct box all = { INFINITY, INFINITY, -INFINITY, -INFINITY };
    const struct store_table *table = &store->buildings;
    int64_t n_faults = 0;
    if (store_read_boxes(store,
                         table->box_at,
                         first,
                         n,
                         buffers->scratch,
                         buffers->boxes,
                         err)
        || store_read(store, table->fault_at + first, buffers->bytes, n, err))
        return -1;
    for (int64_t i = 0; i < n; i++) {
        const struct box *box = &buffers->boxes[i];
        n_faults += buffers->bytes[i] != 0;
        if (box->xmin > box->xmax)
            continue;
        all.xmin = fmin(all.xmin, box->xmin);
        all.ymin = fmin(all.ymin, box->ymin);
        all.xmax = fmax(all.xmax, box->xmax);
        all.ymax = fmax(all.ymax, box->ymax);
    }
    const double sides[4] = { all.xmin, all.ymin, all.xmax, all.ymax };
    for (int side = 0; side < 4; side++)
        if (write_real(store, store->block_box_at[side], block, sides[side], err))
            return -1;
    return write_integer(store, store->first_at, block, first, err)
                   || write_integer(store, store->count_at, block, n, err)
                   || write_integer(store, store->faults_at, block, n_faults, err)
               ? -1
               : 0;
}

static int read_valid(const struct store *store,
                      const struct store_column *column,
                      int64_t first,
                      int64_t n,
                      uint8_t *valid,
                      int64_t *n_nulls,
                      struct error *err)
{
    *n_nulls = 0;
    if (column->valid_at < 0) {
        for (int64_t i = 0; i < n; i++)
            valid[i] = 1;
        return 0;
    }
    if (store_read(store, column->valid_at + first, valid, n, err))
        return -1;
    for (int64_t i = 0; i < n; i++)
        *n_nulls += !valid[i];
    return 0;
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

static int fill_range(const struct store *store,
                      const struct store_column *column,
                      int64_t block,
                      int64_t first,
                      int64_t n,
                      const struct block_buffers *buffers,
                      struct error *err)
{
    int64_t n_nulls;
    if (read_valid(store, column, first, n, buffers->bytes, &n_nulls, err)
        || write_integer(store, column->nulls_at, block, n_nulls, err))
        return -1;
    if (column->type == TYPE_TEXT)
        return 0;
    if (store_read(store, column->at + 8 * first, buffers->scratch, 8 * n, err))
        return -1;
    if (column->type == TYPE_REAL) {
        double least, greatest;
        real_range(buffers->scratch, buffers->bytes, n, &least, &greatest);
        return write_real(store, column->min_at, block, least, err)
                       || write_real(store, column->max_at, block, greatest, err)
                   ? -1
                   : 0;
    }
    int64_t least, greatest;
    integer_range((const int64_t *)(const void *)buffers->scratch,
                  buffers->bytes,
                  n,
                  &least,
                  &greatest);
    return write_integer(store, column->min_at, block, least, err)
                   || write_integer(store, column->max_at, block, greatest, err)
               ? -1
               : 0;
}

int store_fill_blocks(const struct store *store,
                      int64_t first,
                      int64_t n,
                      struct memory *memory,
                      struct error *err)
{
    int64_t rows = store->block_rows;
    struct memory_mark mark = memory_mark(memory);
    struct block_buffers buffers = { 0 };
    int status = -1;
    buffers.scratch = memory_take(memory, MEMORY_BATCH, 32 * rows, err);
    buffers.boxes = memory_take(memory, MEMORY_BATCH, 32 * rows, err);
    buffers.bytes = memory_take(memory, MEMORY_BATCH, rows, err);
    if (!buffers.scratch || !buffers.boxes || !buffers.bytes)
        goto out;
    for (int64_t block = first; block < first + n; block++) {
        int64_t row = block * rows, left = store->buildings.n - row;
        int64_t n_rows = left < rows ? left : rows;
        if (fill_box(store, block, row, n_rows, &buffers, err))
            goto out;
        for (int i = 0; i < store->buildings.n_columns; i++)
            if (fill_range(store,
                           &store->buildings.columns[i],
                           block,
                           row,
                           n_rows,
                           &buffers,
                           err))
                goto out;
    }
    status = 0;
out:
    memory_rewind(memory, &mark);
    return status;
}
