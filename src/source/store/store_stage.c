#include "store_stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_writer.h"

enum { ROWS = 1024, LEAST_BYTES = 512 * 1024, SHARE = 32 };

static bool has_field(const struct store_table_plan *plan, const char *name)
{
    if (strcmp(plan->id_name, name) == 0)
        return true;
    for (int i = 0; i < plan->n_fields; i++)
        if (strcmp(plan->fields[i].name, name) == 0)
            return true;
    return false;
}

/* What the source fills, or what is computed from that alone. */
static bool is_known(const struct binding *binding, const struct slot *slot)
{
    uint8_t used[BINDING_MAX_SLOTS] = { 0 };
    if (slot->origin != SLOT_LOCAL)
        return slot->origin == SLOT_SOURCE;
    expression_slots(slot->expression, used, binding->n_slots);
    for (int i = 0; i < binding->n_slots; i++)
        if (used[i] && binding->slots[i].origin != SLOT_SOURCE)
            return false;
    return true;
}

int staging_plan(struct store_table_plan *plan,
                 const struct binding *binding,
                 const char *id_name,
                 enum value_type id_type,
                 int *slots,
                 struct error *err)
{
    snprintf(plan->id_name, sizeof plan->id_name, "%s", id_name);
    plan->id_type = id_type;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < binding->n_slots; i++) {
            const struct slot *slot = &binding->slots[i];
            const char *name = slot->column ? slot->column : slot->name;
            if ((slot->column == NULL) != pass || !is_known(binding, slot)
                || has_field(plan, name))
                continue;
            if (plan->n_fields == STORE_MOST_FIELDS || strlen(name) >= NAME_BYTES)
                return error_set(err, ERROR_USAGE, "field '%.80s' does not fit", name);
            strcpy(plan->fields[plan->n_fields].name, name);
            plan->fields[plan->n_fields].type = slot->type;
            plan->n_computed += pass;
            slots[plan->n_fields++] = i;
        }
    return 0;
}

int staging_bind_zones(struct staging *s,
                       const struct job *job,
                       bool fields,
                       struct error *err)
{
    const struct source_schema *schema = source_schema(s->source);
    char *filter = NULL;
    struct expression *local = NULL;
    if (binding_zones(job, &schema->zones, &filter, &local, err))
        return -1;
    free(filter);
    expression_free(local);
    s->zone_job = *job;
    s->zone_job.building_id = job->zone_id;
    s->zone_job.any_building_id = job->any_zone_id;
    s->zone_job.fields = job->zone_fields;
    s->zone_job.n_fields = job->n_zone_fields;
    s->zone_job.where = job->zone_where;
    s->zone_job.n_keep = 0;
    if (binding_init(&s->zones, &s->zone_job, &schema->zones, err))
        return -1;
    s->zones.id_type = schema->zone_id_type;
    return (fields && binding_everything(&s->zones, err))
                   || staging_plan(&s->plan.zones,
                                   &s->zones,
                                   s->zones.id,
                                   schema->zone_id_type,
                                   s->zone_slots,
                                   err)
               ? -1
               : 0;
}

static int bind_buildings(struct staging *s, const struct job *job, struct error *err)
{
    const struct source_schema *schema = source_schema(s->source);
    if (binding_init(&s->buildings, job, &schema->buildings, err))
        return -1;
    s->buildings.id_type = schema->building_id_type;
    return binding_everything(&s->buildings, err)
                   || staging_plan(&s->plan.buildings,
                                   &s->buildings,
                                   s->buildings.id,
                                   schema->building_id_type,
                                   s->building_slots,
                                   err)
               ? -1
               : 0;
}

static int add_zone(struct staging *s,
                    const struct batch *batch,
                    int32_t row,
                    const struct column *columns,
                    struct error *err)
{
    char digits[24];
    struct text id;
    if (batch->id.type == TYPE_TEXT) {
        id = batch->id.texts[row];
    } else {
        id.n = snprintf(digits, sizeof digits, "%" PRId64, batch->id.integers[row]);
        id.bytes = digits;
    }
    if (id.n == 0)
        id.bytes = "";
    return store_writer_zone(s->writer, id, batch->geometry[row], columns, row, err);
}

static int add_building(struct staging *s,
                        const struct batch *batch,
                        int32_t row,
                        const struct column *columns,
                        struct error *err)
{
    struct text wkb = batch->geometry[row];
    const struct box *box = &batch->boxes[row];
    bool known = batch->faults[row] == EWKB_FINE
                 && ewkb_is_polygon((const uint8_t *)wkb.bytes, wkb.n);
    if (known && s->leaves_shapes && borders_are_far(&s->borders, box))
        wkb.n = 0;
    return store_writer_building(s->writer,
                                 &batch->id,
                                 wkb,
                                 known ? box : NULL,
                                 columns,
                                 row,
                                 err);
}

/* Fields that the source has not computed. */
static int compute(struct staging *s,
                   enum source_table table,
                   int n_fields,
                   const int *slots,
                   const struct batch *batch,
                   struct error *err)
{
    bool is_zone = table == SOURCE_ZONES;
    const struct binding *binding = is_zone ? &s->zones : &s->buildings;
    int32_t rows[ROWS];
    for (int32_t row = 0; row < batch->n_rows; row++)
        rows[row] = row;
    for (int i = 0; i < n_fields; i++) {
        const struct slot *slot = &binding->slots[slots[i]];
        if (slot->origin == SLOT_LOCAL
            && expression_evaluate(slot->expression,
                                   batch->columns,
                                   rows,
                                   batch->n_rows,
                                   batch->capacity,
                                   &batch->columns[slots[i]],
                                   s->memory,
                                   err))
            return error_prefix(err,
                                "[%s] field %s",
                                is_zone ? "zones" : "buildings",
                                slot->name);
    }
    return 0;
}

static int add_batch(struct staging *s,
                     enum source_table table,
                     const struct batch *batch,
                     struct error *err)
{
    bool is_zone = table == SOURCE_ZONES;
    const struct store_table_plan *plan = is_zone ? &s->plan.zones : &s->plan.buildings;
    const int *slots = is_zone ? s->zone_slots : s->building_slots;
    struct column columns[STORE_MOST_FIELDS];
    if (compute(s, table, plan->n_fields, slots, batch, err))
        return -1;
    for (int i = 0; i < plan->n_fields; i++)
        columns[i] = batch->columns[slots[i]];
    for (int32_t row = 0; row < batch->n_rows; row++)
        if (is_zone ? add_zone(s, batch, row, columns, err)
                    : add_building(s, batch, row, columns, err))
            return -1;
    return 0;
}

/* Pieces of a table that a rank reads in turn, of which every size-th is its own: where
 * rows are dense, or a filter leaves more of them, varies over a table. */
enum { PIECES_OF_RANK = 8, LEAST_PIECE_ROWS = 10000 };

static int n_pieces(const struct staging *s, enum source_table table)
{
    double n_rows = source_schema(s->source)->n_buildings;
    double most = n_rows / (LEAST_PIECE_ROWS * (double)s->team->size);
    if (s->team->size == 1 || table == SOURCE_ZONES)
        return 1;
    return most > PIECES_OF_RANK ? PIECES_OF_RANK : most < 1 ? 1 : (int)most;
}

/* How far reading is, of what sorting and writing leave of the way. */
static int report(const struct staging *s, struct error *err)
{
    double n = source_schema(s->source)->n_buildings / s->team->size;
    double share = n > 0 ? (double)s->n_rows / n : 0;
    return store_report(s->options,
                        store_collected_share * (share < 1 ? share : 1),
                        err);
}

static int copy_piece(struct staging *s,
                      enum source_table table,
                      const struct binding *binding,
                      struct batch *batch,
                      int piece,
                      int n,
                      struct error *err)
{
    int more;
    if (source_scan(s->source, table, binding, piece, n, err))
        return -1;
    while ((more = source_next(s->source, batch, err)) == 1) {
        s->n_rows += batch->n_rows;
        s->n_no_geometry += batch->n_filtered;
        if (add_batch(s, table, batch, err) || report(s, err))
            return -1; /* what is left of the stream goes with its session */
    }
    return more < 0 ? batch_advise(batch, SHARE, INT64_MAX, err) : more;
}

static int copy_table(struct staging *s,
                      enum source_table table,
                      const struct binding *binding,
                      struct batch *batch,
                      struct error *err)
{
    int rank = s->team->rank, size = s->team->size, n = n_pieces(s, table);
    for (int i = 0; i < n; i++)
        if (copy_piece(s, table, binding, batch, i * size + rank, n * size, err))
            return -1;
    return 0;
}

static int take_batches(struct staging *s,
                        struct batch *zones,
                        struct batch *buildings,
                        struct error *err)
{
    int64_t n = s->memory->budget_bytes / SHARE;
    n = n < LEAST_BYTES ? LEAST_BYTES : n;
    return batch_init(zones, &s->zones, ROWS, n, s->memory, err)
                   || batch_init(buildings, &s->buildings, ROWS, n, s->memory, err)
               ? -1
               : 0;
}

void staging_init(struct staging *s,
                  struct source *source,
                  const struct store_options *options,
                  struct memory *memory)
{
    const struct source_schema *schema = source_schema(source);
    *s = (struct staging){ .source = source,
                           .options = options,
                           .team = options->team ? options->team : &team_alone,
                           .memory = memory,
                           .mark = memory_mark(memory) };
    s->plan.origin = schema->description;
    s->plan.srid = schema->srid;
    s->plan.n_buildings = schema->n_buildings > 0 ? schema->n_buildings : 0;
    s->plan.crs = schema->crs_definition ? schema->crs_definition : "";
    s->plan.measured_in = &schema->crs;
}

void staging_release(struct staging *s)
{
    store_writer_close(s->writer);
    binding_release(&s->zones);
    binding_release(&s->buildings);
    memory_rewind(s->memory, &s->mark);
}

int staging_read(struct staging *s, int status, const char *path, struct error *err)
{
    struct batch zones, buildings;
    if (status == 0)
        status = take_batches(s, &zones, &buildings, err);
    if (status == 0 && s->leaves_shapes)
        staging_take_borders(s);
    if (team_agree(s->team, status, err)
        || store_writer_open(&s->writer, path, &s->plan, s->options, s->memory, err))
        return -1;
    status = copy_table(s, SOURCE_ZONES, &s->zones, &zones, err);
    int64_t n_zones = s->n_rows;
    if (store_writer_zones_end(s->writer, status, err)
        || team_sum(s->team, &n_zones, 1, err))
        return -1;
    if (n_zones == 0)
        return source_no_zones(&s->zone_job, err);
    if (s->leaves_shapes && staging_mark_borders(s, err))
        return -1;
    s->n_rows = s->n_no_geometry = 0;
    status = copy_table(s, SOURCE_BUILDINGS, &s->buildings, &buildings, err);
    return team_agree(s->team, status, err);
}

int store_stage(struct source *source,
                const struct job *job,
                const char *path,
                const struct store_options *options,
                struct store_counts *counts,
                struct memory *memory,
                struct error *err)
{
    struct staging s;
    staging_init(&s, source, options, memory);
    s.plan.zones_where = job->zone_where_text;
    s.plan.buildings_where = job->where_text;
    int status =
        staging_bind_zones(&s, job, true, err) || bind_buildings(&s, job, err) ? -1 : 0;
    status = staging_read(&s, status, path, err)
                     || store_writer_commit(s.writer, 0, counts, err)
                     || team_sum(s.team, &s.n_no_geometry, 1, err)
                 ? -1
                 : 0;
    if (status == 0)
        counts->n_no_geometry += s.n_no_geometry;
    staging_release(&s);
    return status;
}
