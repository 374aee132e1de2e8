/* What a run will look at, counted from the index of the blocks. */
#include <string.h>

#include "rooftally/base/clock.h"

#include "store_source.h"

/* What it costs to look at rows. */
struct row_bytes {
    int columns[STORE_MOST_CACHED]; /* that the job uses, of the cache */
    int n_columns;
    int64_t texts; /* bytes of a row that the cache does not keep */
    double geometry;
    bool is_measured; /* the geometry of whatever is selected is asked for */
};

static void add_column(struct row_bytes *bytes, int column)
{
    if (column >= 0)
        bytes->columns[bytes->n_columns++] = column;
}

static void add_slot(struct row_bytes *bytes, const struct store_source *s, int slot)
{
    const struct store_table *table = &s->store->buildings;
    int c = s->columns[slot];
    add_column(bytes, s->value_of[slot]);
    add_column(bytes, s->valid_of[slot]);
    if (c == -1 && table->id_type == TYPE_TEXT)
        bytes->texts += table->id_bytes;
    if (c < 0 || table->columns[c].layout != STORE_OFFSETS)
        return;
    if (table->n > 0)
        bytes->texts += table->columns[c].n_text / table->n;
}

static struct row_bytes find_row_bytes(const struct store_source *s)
{
    const struct store_table *table = &s->store->buildings;
    struct row_bytes bytes = { 0 };
    if (table->id_type == TYPE_TEXT)
        bytes.texts = table->id_bytes;
    add_column(&bytes, s->id_of);
    for (int i = 0; i < s->binding->n_slots; i++) {
        add_slot(&bytes, s, i);
        bytes.is_measured |= s->binding->slots[i].origin == SLOT_MEASURE;
    }
    if (table->n > 0)
        bytes.geometry = 8 + (double)table->n_wkb / (double)table->n;
    return bytes;
}

/* Rows of a run whose box meets the zone's. */
static int count_boxes(struct store_source *s,
                       const struct store_run *run,
                       int64_t *n,
                       struct error *err)
{
    struct box boxes[STORE_BLOCK_ROWS];
    float sides[4 * STORE_BLOCK_ROWS];
    *n = 0;
    for (int64_t at = 0; at < run->n; at += STORE_BLOCK_ROWS) {
        int64_t some = run->n - at < STORE_BLOCK_ROWS ? run->n - at : STORE_BLOCK_ROWS;
        if (store_read_row_boxes(s->store, run->first + at, some, sides, boxes, err))
            return -1;
        for (int64_t i = 0; i < some; i++)
            *n += boxes_meet(&s->box, &boxes[i]);
    }
    return 0;
}

static int64_t count_columns(struct store_source *s,
                             const struct store_run *run,
                             const struct row_bytes *bytes)
{
    int64_t n = bytes->texts * run->n;
    if (run->faulty)
        n += store_cache_misses(s, s->fault_of, run);
    for (int i = 0; i < bytes->n_columns; i++)
        n += store_cache_misses(s, bytes->columns[i], run);
    return n;
}

static int count_zone(struct store_source *s,
                      const struct zone *zone,
                      const struct row_bytes *bytes,
                      struct source_work *work,
                      int64_t *n_candidates,
                      struct error *err)
{
    struct store_run run;
    int more;
    *n_candidates = 0;
    if (store_buildings(&s->base, zone, err))
        return -1;
    while ((more = store_next_run(s, &run, err)) == 1) {
        bool needs_boxes = run.kind == BLOCK_READ || !run.covered;
        int64_t n = run.n;
        if (!run.covered && count_boxes(s, &run, &n, err))
            return -1;
        *n_candidates += n;
        for (int side = 0; side < 4 && needs_boxes; side++)
            work->n_bytes += store_cache_misses(s, s->side_of[side], &run);
        if (run.kind != BLOCK_COUNT && n > 0)
            work->n_bytes += count_columns(s, &run, bytes);
        /* once to decide, and once more to measure what was selected */
        int times =
            (run.kind == BLOCK_READ) + (run.kind != BLOCK_COUNT && bytes->is_measured);
        work->n_geometry += (int64_t)(bytes->geometry * (double)run.n) * times;
        work->n_whole += run.kind == BLOCK_INSIDE ? run.n : 0;
        work->n_left_out += run.kind == BLOCK_COUNT ? n : 0;
    }
    work->n_bytes += s->n_read; /* of the index */
    s->n_read = 0;
    store_cancel(&s->base);
    return more;
}

static int open_zone(struct store_source *s,
                     const struct zone_list *zones,
                     int64_t row,
                     struct geos *geos,
                     struct zone **zone,
                     int64_t *n_bytes,
                     struct memory *memory,
                     struct error *err)
{
    const char *id = zones->ids + row * zones->id_bytes;
    int32_t n_id = (int32_t)strnlen(id, (size_t)zones->id_bytes);
    struct text wkb;
    if (store_zone(&s->base, id, n_id, &wkb, memory, err))
        return -1;
    uint8_t *flat = memory_take(memory, MEMORY_GEOMETRY, wkb.n, err);
    int64_t n =
        flat ? ewkb_flatten((const uint8_t *)wkb.bytes, wkb.n, flat, wkb.n, err) : -1;
    *n_bytes += wkb.n;
    return n < 0 ? -1
                 : zone_open(zone,
                             geos,
                             flat,
                             n,
                             (int64_t)zones->estimates[row],
                             s->job->predicate,
                             s->job->invalid,
                             s->shape.valid,
                             memory,
                             err);
}

static int count_zones(struct store_source *s,
                       struct zone_list *zones,
                       struct geos *geos,
                       double most_s,
                       struct source_work *work,
                       struct memory *memory,
                       struct error *err)
{
    struct row_bytes bytes = find_row_bytes(s);
    double end_s = clock_wall_s() + most_s;
    *work = (struct source_work){ 0 };
    for (int64_t row = 0; row < zones->n && clock_wall_s() < end_s; row++) {
        struct memory_mark mark = memory_mark(memory);
        struct zone *zone = NULL;
        int64_t n = 0;
        int status = 0;
        if (zones->boxes[row].xmin <= zones->boxes[row].xmax)
            status = open_zone(s, zones, row, geos, &zone, &work->n_bytes, memory, err);
        if (zone)
            status = count_zone(s, zone, &bytes, work, &n, err);
        zone_close(zone);
        memory_rewind(memory, &mark);
        if (status)
            return error_prefix(err,
                                "zone %.*s",
                                (int)strnlen(zones->ids + row * zones->id_bytes,
                                             (size_t)zones->id_bytes),
                                zones->ids + row * zones->id_bytes);
        zones->estimates[row] = (double)n;
        work->n_candidates += n;
        work->n_zones++;
    }
    return 0;
}

int store_count(struct source *source,
                struct zone_list *zones,
                struct geos *geos,
                double most_s,
                struct source_work *work,
                struct memory *memory,
                struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    struct store_slot slots[STORE_MOST_CHUNKS];
    store_cache_plan(s, memory, slots);
    int status = count_zones(s, zones, geos, most_s, work, memory, err);
    s->cache = (struct store_cache){ 0 };
    return status;
}
