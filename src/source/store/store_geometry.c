#include <string.h>

#include "store_source.h"

/* Bytes between two geometries that are cheaper to read than to leave out. */
enum { NEAR_BYTES = 6144 };

/* The geometry of one row of the store. */
struct extent {
    int64_t first, n;
};

/* Where a row's geometry lies. */
static int
locate(struct store_source *s, int64_t row, struct extent *extent, struct error *err)
{
    const int64_t *offset = store_cached(s, s->offset_of, row, err);
    if (!offset)
        return -1;
    bool starts = offset[0] >= 0 && offset[0] <= s->store->buildings.n_wkb;
    if (!starts || offset[1] < offset[0] || offset[1] > s->store->buildings.n_wkb)
        return store_damaged(err,
                             "geometry: offset %lld of row %lld",
                             (long long)offset[starts],
                             (long long)(row + starts));
    *extent = (struct extent){ offset[0], offset[1] - offset[0] };
    return 0;
}

static int
too_big(struct store_source *s, struct batch *batch, int32_t row, struct error *err)
{
    char name[96], needs[24], has[24];
    struct extent extent = { 0, 0 };
    if (locate(s, batch->origins[row], &extent, err)
        || store_row_name(s, batch->origins[row], name, err))
        return -1;
    batch->bytes_needed = s->first_geometry + extent.n; /* behind the texts */
    return error_set(err,
                     ERROR_BUDGET,
                     "%s has %s of geometry, a batch holds %s",
                     name,
                     memory_size_text(needs, extent.n),
                     memory_size_text(has, batch->bytes_capacity));
}

/* Rows [0, n) of the list whose geometry is near each other and fits: how many, with the
 * bytes from the first to the last of them. */
static int32_t gather(struct store_source *s,
                      const struct batch *batch,
                      const int32_t *rows,
                      int32_t n_rows,
                      struct extent *all,
                      struct error *err)
{
    int64_t room = batch->bytes_capacity - batch->bytes_used;
    struct extent extent = { 0, 0 };
    int32_t n = 0;
    for (; n < n_rows; n++) {
        if (locate(s, batch->origins[rows[n]], &extent, err))
            return -1;
        if (extent.n == 0 && s->leaves_shapes)
            break;
        if (n == 0)
            *all = (struct extent){ extent.first, 0 };
        int64_t gap = extent.first - (all->first + all->n);
        int64_t end = extent.first + extent.n - all->first;
        if (gap < 0 || gap > NEAR_BYTES || end > room)
            break;
        all->n = end;
    }
    return n;
}

/* What was written as fine has to be so still: GEOS relies on it. From now on the row's
 * box is its own, not the float one around it. */
static int check(struct batch *batch, int32_t row, struct error *err)
{
    struct text wkb = batch->geometry[row];
    uint8_t fault = batch->faults[row];
    struct ewkb head;
    if (fault != EWKB_FINE && fault != EWKB_COLLECTED)
        return 0;
    if (ewkb_read((const uint8_t *)wkb.bytes, wkb.n, &head) != EWKB_FINE)
        return store_damaged(err,
                             "geometry of row %lld",
                             (long long)batch->origins[row]);
    batch->boxes[row] = head.box;
    return 0;
}

static int read_near(struct store_source *s,
                     struct batch *batch,
                     const int32_t *rows,
                     int32_t n,
                     const struct extent *all,
                     struct error *err)
{
    uint8_t *bytes = batch->bytes + batch->bytes_used;
    if (store_fetch(s, s->store->buildings.wkb_at + all->first, bytes, all->n, err))
        return -1;
    for (int32_t i = 0; i < n; i++) {
        struct extent extent = { 0, 0 };
        if (locate(s, batch->origins[rows[i]], &extent, err))
            return -1;
        batch->geometry[rows[i]] =
            (struct text){ (const char *)bytes + (extent.first - all->first),
                           extent.n };
        if (check(batch, rows[i], err))
            return -1;
    }
    batch->bytes_used += all->n;
    return 0;
}

/* A row that has been copied without its shape gets that of its box: 1, 0 where it has
 * one of its own, or where the batch is full, -1. */
static int
stand_in(struct store_source *s, struct batch *batch, int32_t row, struct error *err)
{
    struct extent extent = { 0, 0 };
    if (!s->leaves_shapes)
        return 0;
    if (locate(s, batch->origins[row], &extent, err))
        return -1;
    if (extent.n > 0 || batch->bytes_capacity - batch->bytes_used < EWKB_BOX_BYTES)
        return 0;
    uint8_t *bytes = batch->bytes + batch->bytes_used;
    int64_t n = ewkb_put_box(bytes, &batch->boxes[row], 0);
    batch->geometry[row] = (struct text){ (const char *)bytes, n };
    batch->bytes_used += n;
    return 1;
}

int32_t store_geometry(struct source *source,
                       struct batch *batch,
                       const int32_t *rows,
                       int32_t n_rows,
                       struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    int32_t done = 0;
    if (s->first_geometry < 0)
        s->first_geometry = batch->bytes_used;
    batch->bytes_used = s->first_geometry;
    while (done < n_rows) {
        struct extent all = { 0, 0 };
        int stands_in = stand_in(s, batch, rows[done], err);
        if (stands_in < 0)
            return -1;
        done += stands_in;
        if (stands_in > 0)
            continue;
        int32_t n = gather(s, batch, rows + done, n_rows - done, &all, err);
        if (n < 0)
            return -1;
        if (n == 0 && done > 0)
            break; /* the next one waits for the room of these */
        if (n == 0)
            return too_big(s, batch, rows[0], err);
        if (read_near(s, batch, rows + done, n, &all, err))
            return -1;
        done += n;
    }
    batch->n_read += s->n_read;
    s->n_read = 0;
    return done;
}
