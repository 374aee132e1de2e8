/*
 * Sorted rows become the columns of a table, zones also their shapes; a part of the rows by
 * each thread.
 */
#include <string.h>

#include "store_parts.h"
#include "store_writer.h"
#include "zone_list.h"

double store_writer_share(double filled)
{
    return store_collected_share + (1 - store_collected_share) * filled;
}

/* Two zones of one id come one after the other, on one rank. */
struct last_id {
    char bytes[STORE_ID_BYTES];
    int64_t n;
};

static int check_ids(struct last_id *last,
                     const struct store_shape *shape,
                     const uint8_t *const *records,
                     int32_t n,
                     struct error *err)
{
    for (int32_t i = 0; i < n; i++) {
        struct text id = store_row_id_text(shape, records[i]);
        if (id.n == last->n && memcmp(id.bytes, last->bytes, (size_t)last->n) == 0)
            return zone_again(id, err);
        last->n = id.n;
        memcpy(last->bytes, id.bytes, (size_t)id.n);
    }
    return 0;
}

/* What is known already of n zones of the range. */
static const uint8_t *
known_valid(const struct store_writer *writer, int64_t first, int32_t n)
{
    return first + n <= writer->n_valid ? writer->valid + first : NULL;
}

int store_writer_parts(const struct collected *c)
{
    return c->buckets ? buckets_parts(c->buckets) : 1;
}

/* At most STORE_FILL_ROWS. */
static int next_rows(struct collected *c,
                     int part,
                     const uint8_t **records,
                     int32_t *n,
                     struct error *err)
{
    return c->buckets ? buckets_next(c->buckets, part, STORE_FILL_ROWS, records, n, err)
                      : sorter_next(c->sorter, STORE_FILL_ROWS, records, n, err);
}

/* What zones have besides their columns: ids that differ, and shapes. */
struct shaping {
    struct store_writer *writer;
    struct last_id last;
    const struct crs *crs;
    struct memory room;
};

static int shape_zones(struct shaping *shaping,
                       int64_t row,
                       const uint8_t *const *records,
                       int32_t n,
                       struct error *err)
{
    const struct store_writer *writer = shaping->writer;
    const struct collected *zones = &writer->zones;
    if (check_ids(&shaping->last, &zones->shape, records, n, err))
        return -1;
    return store_fill_shapes(writer->store,
                             &zones->shape,
                             zones->ranges[0].first + row,
                             records,
                             n,
                             known_valid(writer, row, n),
                             shaping->crs,
                             &shaping->room,
                             err);
}

/* Rows of a table on their way from where they are sorted. */
struct table_filling {
    struct store_writer *writer;
    struct collected *collected;
    struct store_parts parts;
    struct shaping *shaping; /* NULL: these are buildings */
    struct store_fill *fills[BUCKETS_MOST_PARTS];
};

/* What a table takes to be filled, about: its bytes. */
static double weight(const struct collected *c)
{
    enum { ROW_BYTES = 100 };
    return (double)c->size.n_wkb + ROW_BYTES * (double)c->size.n;
}

/* Every few thousand rows. */
static int may_go_on(struct table_filling *f, int part, int64_t row, struct error *err)
{
    const struct store_writer *writer = f->writer;
    const struct collected *c = f->collected;
    double done = c->ranges[part].n > 0 ? (double)row / (double)c->ranges[part].n : 1;
    double all = weight(&writer->zones) + weight(&writer->buildings);
    double share = all > 0 ? (writer->filled + done * weight(c)) / all : 1;
    return store_parts_go_on(&f->parts, store_writer_share(share), err);
}

static int fill_part(void *context, int part, struct error *err)
{
    struct table_filling *f = context;
    const uint8_t *records[STORE_FILL_ROWS];
    int64_t row = 0;
    int32_t n = 0;
    for (int64_t turn = 0;; turn++) {
        if (next_rows(f->collected, part, records, &n, err))
            return -1;
        if (n == 0)
            return store_fill_end(f->fills[part], err);
        if ((f->shaping && shape_zones(f->shaping, row, records, n, err))
            || store_fill_add(f->fills[part], records, n, err)
            || (turn % 32 == 0 && may_go_on(f, part, row, err)))
            return -1;
        row += n;
    }
}

static int start_part(struct table_filling *f, int part, struct error *err)
{
    struct collected *c = f->collected;
    struct store_writer *writer = f->writer;
    return c->buckets ? buckets_start(c->buckets,
                                      part,
                                      buckets_part_bytes(c->buckets),
                                      store_parts_stop,
                                      &f->parts,
                                      writer->memory,
                                      err)
                      : sorter_start(c->sorter, writer->n_merge, writer->memory, err);
}

/* The memory of every part, from this thread. */
static int open_parts(struct table_filling *f,
                      const struct store_table *table,
                      int n,
                      struct error *err)
{
    struct store_writer *writer = f->writer;
    struct collected *c = f->collected;
    for (int part = 0; part < n; part++)
        if (store_fill_open(&f->fills[part],
                            writer->store,
                            table,
                            &c->shape,
                            &c->size,
                            &c->ranges[part],
                            writer->syncer,
                            writer->n_fill / n,
                            writer->memory,
                            err)
            || start_part(f, part, err))
            return -1;
    return 0;
}

int store_writer_fill_table(struct store_writer *writer,
                            struct collected *collected,
                            const struct store_table *table,
                            const struct crs *crs,
                            struct error *err)
{
    struct memory_mark mark = memory_mark(writer->memory);
    struct shaping shaping = { .writer = writer, .last = { .n = -1 }, .crs = crs };
    struct table_filling f = { .writer = writer, .collected = collected };
    int n = store_writer_parts(collected);
    store_parts_init(&f.parts, &writer->options);
    int status = open_parts(&f, table, n, err);
    if (status == 0 && collected == &writer->zones) {
        f.shaping = &shaping;
        shaping.room.budget_bytes = STORE_SHAPES_ROOM;
        shaping.room.base =
            memory_take(writer->memory, MEMORY_GRID, STORE_SHAPES_ROOM, err);
        status = shaping.room.base ? 0 : -1;
    }
    if (status == 0)
        status = store_parts_run(&f.parts, n, fill_part, &f, err);
    writer->filled += weight(collected);
    memory_rewind(writer->memory, &mark);
    return status;
}

int store_writer_each_zone(struct store_writer *writer,
                           store_zone_seen *seen,
                           void *context,
                           struct error *err)
{
    struct collected *zones = &writer->zones;
    struct memory all = { .base = writer->bytes, .budget_bytes = writer->n_bytes };
    struct memory room = { .budget_bytes = STORE_SHAPES_ROOM };
    const uint8_t *records[STORE_FILL_ROWS];
    int64_t row = 0;
    int32_t n = 0;
    room.base = memory_take(&all, MEMORY_GRID, room.budget_bytes, err);
    if (!room.base || sorter_start(zones->sorter, writer->n_merge, &all, err))
        return -1;
    do {
        if (sorter_next(zones->sorter, STORE_FILL_ROWS, records, &n, err)
            || store_report(&writer->options, -1, err))
            return -1;
        for (int32_t i = 0; i < n; i++, row++) {
            const uint8_t *body = store_row_body(&zones->shape, records[i]);
            const char *wkb = (const char *)body + zones->shape.wkb;
            int64_t n_wkb = store_row_length(body + zones->shape.n_wkb);
            if (n_wkb > 0)
                seen(context, row, (struct text){ wkb, n_wkb }, &room);
        }
    } while (n > 0);
    return 0;
}
