#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_source.h"
#include "store_words.h"
#include "zone_filter.h"
#include "zone_list.h"

/* One zone's fields as the filter reads them, and what they are read through. */
struct reading {
    struct store_source *source;
    struct expression *local;
    struct zone_list list;
    struct memory *memory;
    struct column *columns; /* [1 + n]: the area, then the schema's columns */
    uint8_t *used;          /* [1 + n] slots that the filter reads */
    uint8_t *valid;
    int64_t *values;
    struct text *texts;
};

static int take(struct reading *r, struct error *err)
{
    const struct source_columns *columns = &r->source->base.schema.zones;
    int64_t n = columns->n + 1;
    r->columns =
        memory_take(r->memory, MEMORY_ZONES, n * (int64_t)sizeof *r->columns, err);
    r->used = memory_take(r->memory, MEMORY_ZONES, n, err);
    r->valid = memory_take(r->memory, MEMORY_ZONES, n, err);
    r->values = memory_take(r->memory, MEMORY_ZONES, 8 * n, err);
    r->texts = memory_take(r->memory, MEMORY_ZONES, n * (int64_t)sizeof *r->texts, err);
    if (!r->columns || !r->used || !r->valid || !r->values || !r->texts)
        return -1;
    memset(r->used, 0, (size_t)n);
    if (r->local)
        expression_slots(r->local, r->used, (int)n);
    for (int i = 1; i < n; i++) {
        struct column *column = &r->columns[i];
        *column = (struct column){ .type = columns->columns[i - 1].type,
                                   .valid = &r->valid[i],
                                   .integers = &r->values[i] };
        r->valid[i] = 0;
        if (column->type == TYPE_TEXT)
            column->texts = &r->texts[i];
        else if (column->type == TYPE_REAL)
            column->reals = (double *)(void *)&r->values[i];
    }
    return 0;
}

/* A text that lies at [start, end) of a field's texts. */
static int read_text(struct reading *r,
                     const struct store_column *column,
                     int64_t offsets_at,
                     int64_t i,
                     struct text *text,
                     struct error *err)
{
    int64_t offsets[2];
    const struct store *store = r->source->store;
    if (store_read_offsets(store, offsets_at, i, 1, column->n_text, offsets, err))
        return error_prefix(err, "texts of %s", column->name);
    int64_t n = offsets[1] - offsets[0];
    char *bytes = memory_take(r->memory, MEMORY_ZONES, n, err);
    if (!bytes || store_read(store, column->text_at + offsets[0], bytes, n, err))
        return -1;
    *text = (struct text){ bytes, n };
    return 0;
}

static int read_field(struct reading *r,
                      const struct store_column *from,
                      int64_t row,
                      struct column *to,
                      struct error *err)
{
    const struct store *store = r->source->store;
    to->valid[0] = 1;
    if (from->valid_at >= 0
        && store_read(store, from->valid_at + row, to->valid, 1, err))
        return -1;
    if (from->layout == STORE_VALUES)
        return store_read(store, from->at + 8 * row, to->integers, 8, err);
    if (from->layout == STORE_OFFSETS)
        return read_text(r, from, from->at, row, to->texts, err);
    uint16_t rank;
    if (store_read(store, from->at + 2 * row, &rank, 2, err))
        return -1;
    to->valid[0] = rank != WORDS_NULL;
    if (!to->valid[0])
        return 0;
    if (rank >= from->n_words)
        return store_damaged(err, "words of %s", from->name);
    return read_text(r, from, from->words_at, rank, to->texts, err);
}

static int
read_id(const struct store *store, int64_t row, char *id, int32_t *n, struct error *err)
{
    const struct store_table *table = &store->zones;
    if (store_read(store,
                   table->id_at + row * table->id_bytes,
                   id,
                   table->id_bytes,
                   err))
        return -1;
    *n = (int32_t)strnlen(id, (size_t)table->id_bytes);
    return 0;
}

/* The id of a zone is a text in the list, and a field of its own type in the filter. */
static int
read_id_field(struct reading *r, const char *id, int32_t n, struct error *err)
{
    struct column *column = &r->columns[1];
    char digits[STORE_ID_BYTES + 1], *end;
    column->valid[0] = 1;
    if (column->type == TYPE_TEXT) {
        column->texts[0] = (struct text){ id, n };
        return 0;
    }
    memcpy(digits, id, (size_t)n);
    digits[n] = '\0';
    column->integers[0] = strtoll(digits, &end, 10);
    if (n == 0 || *end)
        return store_damaged(err, "zone id '%s'", digits);
    return 0;
}

static int read_fields(struct reading *r,
                       int64_t row,
                       const char *id,
                       int32_t n_id,
                       struct error *err)
{
    const struct source_columns *columns = &r->source->base.schema.zones;
    const struct store_table *table = &r->source->store->zones;
    if (r->used[1] && read_id_field(r, id, n_id, err))
        return -1;
    for (int c = 1; c < columns->n; c++) {
        if (!r->used[1 + c])
            continue;
        for (int i = 0; i < table->n_columns; i++)
            if (strcmp(table->columns[i].name, columns->columns[c].name) == 0
                && read_field(r, &table->columns[i], row, &r->columns[1 + c], err))
                return -1;
    }
    return 0;
}

/* A zone without geometry has no vertices either. */
static int check_bare(const struct store *store, int64_t row, struct error *err)
{
    int64_t n;
    if (store_read(store, store->zones.vertices_at + 8 * row, &n, 8, err))
        return -1;
    return n == 0 ? 0
                  : store_damaged(err,
                                  "a zone of %lld vertices without them",
                                  (long long)n);
}

static int read_wkb(const struct store *store,
                    int64_t row,
                    enum memory_owner owner,
                    struct text *wkb,
                    struct memory *memory,
                    struct error *err)
{
    const struct store_table *table = &store->zones;
    int64_t offsets[2];
    if (store_read_offsets(store, table->offset_at, row, 1, table->n_wkb, offsets, err))
        return error_prefix(err, "zones");
    int64_t n = offsets[1] - offsets[0];
    *wkb = (struct text){ NULL, 0 };
    if (n == 0)
        return check_bare(store, row, err);
    char *bytes = memory_take(memory, owner, n, err);
    if (!bytes || store_read(store, table->wkb_at + offsets[0], bytes, n, err))
        return -1;
    *wkb = (struct text){ bytes, n };
    return 0;
}

/* Whether a zone passes the filter: 1, 0, or -1. */
static int
passes(struct reading *r, int64_t row, const char *id, int32_t n_id, struct error *err)
{
    if (!r->local)
        return 1;
    struct memory_mark mark = memory_mark(r->memory);
    struct text wkb = { NULL, 0 };
    int status = -1;
    if (read_fields(r, row, id, n_id, err) == 0
        && (!r->used[0]
            || read_wkb(r->source->store, row, MEMORY_ZONES, &wkb, r->memory, err)
                   == 0))
        status = zone_filter(r->local,
                             &r->source->base.schema.crs,
                             wkb,
                             r->columns,
                             r->memory,
                             err);
    memory_rewind(r->memory, &mark);
    return status;
}

static int add_zone(struct reading *r, int64_t row, struct error *err)
{
    const struct store *store = r->source->store;
    const struct store_table *table = &store->zones;
    char id[STORE_ID_BYTES];
    int32_t n_id;
    double sides[4];
    struct zone_row zone = { 0 };
    if (read_id(store, row, id, &n_id, err))
        return -1;
    int status = passes(r, row, id, n_id, err);
    if (status <= 0)
        return status;
    if (store_read_boxes(store, table->box_at, row, 1, sides, &zone.box, err)
        || store_read(store, table->vertices_at + 8 * row, &zone.n_vertices, 8, err))
        return -1;
    for (int i = 0; i < 4; i++)
        if (isnan(sides[i]))
            return store_damaged(err, "the box of zone %.*s", (int)n_id, id);
    zone.id = (struct text){ id, n_id };
    if (zone.n_vertices < 0)
        return store_damaged(err, "vertices of a zone");
    if (zone.box.xmin <= zone.box.xmax
        && store_estimate(r->source, &zone.box, &zone.estimate, err))
        return -1;
    return zone_list_add(&r->list, table->n, &zone, err);
}

int store_zones(struct source *source,
                struct zone_list *zones,
                struct memory *memory,
                struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    const struct store_table *table = &s->store->zones;
    struct reading r = { .source = s, .memory = memory };
    char *filter = NULL;
    int status = -1;
    if (binding_zones(s->job, &source->schema.zones, &filter, &r.local, err))
        return -1;
    if (zone_list_init(&r.list, table->n, table->id_bytes, memory, err)
        || take(&r, err))
        goto out;
    status = 0;
    for (int64_t row = 0; row < table->n && status == 0; row++)
        status = add_zone(&r, row, err);
    if (status == 0) {
        zone_list_end(&r.list);
        *zones = r.list;
    }
out:
    expression_free(r.local);
    free(filter);
    return status;
}

static int compare_ids(const char *found, int32_t n_bytes, const char *id, int32_t n_id)
{
    int32_t n = (int32_t)strnlen(found, (size_t)n_bytes);
    int order = memcmp(found, id, (size_t)(n < n_id ? n : n_id));
    return order ? order : (n > n_id) - (n < n_id);
}

/* How many of n ids come before `id` or are it. */
static int64_t
count_up_to(const char *ids, int64_t n, int32_t n_bytes, const char *id, int32_t n_id)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (compare_ids(ids + middle * n_bytes, n_bytes, id, n_id) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int store_load_zone_ids(struct store_source *source, struct error *err)
{
    const struct store_table *table = &source->store->zones;
    int64_t n = (table->n + STORE_ID_STEP - 1) / STORE_ID_STEP;
    source->zone_ids = calloc((size_t)n + 1, (size_t)table->id_bytes);
    if (!source->zone_ids)
        return error_set(err, ERROR_BUDGET, "no memory for the index of the store");
    for (int64_t i = 0; i < n; i++)
        if (store_read(source->store,
                       table->id_at + i * STORE_ID_STEP * table->id_bytes,
                       source->zone_ids + i * table->id_bytes,
                       table->id_bytes,
                       err))
            return -1;
    source->n_zone_ids = n;
    return 0;
}

/* The row of a zone: ids are sorted bytewise, and every STORE_ID_STEPth is in memory. */
static int find_zone(const struct store_source *source,
                     const char *id,
                     int32_t n_id,
                     int64_t *row,
                     struct error *err)
{
    const struct store_table *table = &source->store->zones;
    int32_t size = table->id_bytes;
    char ids[STORE_ID_STEP * STORE_ID_BYTES];
    int64_t step =
        count_up_to(source->zone_ids, source->n_zone_ids, size, id, n_id) - 1;
    int64_t first = step * STORE_ID_STEP, left = table->n - first;
    int64_t n = left < STORE_ID_STEP ? left : STORE_ID_STEP;
    if (step >= 0) {
        if (store_read(source->store, table->id_at + first * size, ids, n * size, err))
            return -1;
        int64_t i = count_up_to(ids, n, size, id, n_id) - 1;
        *row = first + i;
        if (i >= 0 && compare_ids(ids + i * size, size, id, n_id) == 0)
            return 0;
    }
    return error_set(err, ERROR_DATA, "the zone is gone from the store");
}

static int read_shape(struct store_source *source, int64_t row, struct error *err)
{
    const struct store_table *table = &source->store->zones;
    uint8_t valid;
    double area_m2;
    if (store_read(source->store, table->area_at + 8 * row, &area_m2, 8, err)
        || store_read(source->store, table->valid_at + row, &valid, 1, err))
        return -1;
    bool can_be = area_m2 >= 0 && isfinite(area_m2);
    source->shape = (struct zone_shape){ can_be ? area_m2 : NAN, valid == 1 };
    return 0;
}

struct zone_shape store_zone_shape(const struct source *source)
{
    return ((const struct store_source *)source)->shape;
}

int store_zone(struct source *source,
               const char *id,
               int32_t n_id,
               struct text *wkb,
               struct memory *memory,
               struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    int64_t row;
    if (find_zone(s, id, n_id, &row, err) || read_shape(s, row, err))
        return -1;
    return read_wkb(s->store, row, MEMORY_GEOMETRY, wkb, memory, err);
}
