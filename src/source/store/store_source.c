#include "store_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/job/spelling.h"

static void close_store(struct source *source)
{
    struct store_source *s = (struct store_source *)source;
    free(s->zone_ids);
    free(s->groups);
    store_close(s->store);
    source_columns_release(&source->schema.zones);
    source_columns_release(&source->schema.buildings);
    free(source->schema.crs_definition);
    free(s);
}

static int find_column(const struct store_table *table, const char *name)
{
    for (int i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return strcmp(table->id_name, name) == 0 ? -1 : -2;
}

static int bind(struct source *source, const struct binding *binding, struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    s->binding = binding;
    store_forget_groups(s);
    memset(s->in_filter, 0, sizeof s->in_filter);
    for (int i = 0; i < binding->n_slots; i++) {
        const struct slot *slot = &binding->slots[i];
        s->columns[i] = -2;
        if (slot->origin != SLOT_SOURCE)
            continue;
        s->columns[i] =
            slot->column ? find_column(&s->store->buildings, slot->column) : -2;
        if (s->columns[i] == -2)
            return error_set(err, ERROR_INTERNAL, "no column for '%s'", slot->name);
        if (s->columns[i] >= 0 && store_check_nulls(s, s->columns[i], err))
            return -1;
    }
    s->filters = binding->row_filter != NULL;
    s->n_bounds = 0;
    if (s->filters) {
        expression_slots(binding->row_filter, s->in_filter, binding->n_slots);
        s->n_bounds =
            expression_bounds(binding->row_filter, s->bounds, BINDING_MAX_SLOTS);
    }
    return 0;
}

static void explain_where(const struct store_table *table, const char *where, FILE *out)
{
    char clean[300], text[360];
    if (!where)
        return;
    log_clean(clean, sizeof clean, where, (int)strlen(where));
    snprintf(text, sizeof text, "  staged      [%s] where = %s\n", table->name, clean);
    fputs(text, out);
}

static int explain(struct source *source,
                   const struct source_scans *scans,
                   FILE *out,
                   int n_ranks,
                   int64_t *n_free,
                   struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    const struct store *store = s->store;
    char size[24];
    (void)scans, (void)n_ranks, (void)err;
    char text[256];
    snprintf(text,
             sizeof text,
             "  store       %lld buildings in %lld blocks, %s, from %.120s\n",
             (long long)store->buildings.n,
             (long long)store->n_blocks,
             memory_size_text(size, store->n_bytes),
             store->origin);
    fputs(text, out);
    explain_where(&store->zones, store->zones_where, out);
    explain_where(&store->buildings, store->buildings_where, out);
    *n_free = -1;
    return 0;
}

static const struct source_calls calls = {
    .close = close_store,
    .bind = bind,
    .prepare = store_prepare,
    .prepared_bytes = store_prepared_bytes,
    .zones = store_zones,
    .zone = store_zone,
    .zone_shape = store_zone_shape,
    .buildings = store_buildings,
    .next = store_next,
    .geometry = store_geometry,
    .cancel = store_cancel,
    .count = store_count,
    .explain = explain,
};

/* The id's column goes by the name that it had where the store was made from. */
static int add_columns(struct source_columns *columns,
                       const struct store_table *table,
                       struct error *err)
{
    if (source_columns_add(columns,
                           table->id_name,
                           table->id_type,
                           value_type_word(table->id_type),
                           NULL,
                           err))
        return -1;
    for (int i = 0; i < table->n_columns; i++) {
        const struct store_column *column = &table->columns[i];
        if (strcmp(column->name, table->id_name) == 0)
            continue;
        if (source_columns_add(columns,
                               column->name,
                               column->type,
                               value_type_word(column->type),
                               NULL,
                               err))
            return -1;
        columns->n_computed += column->computed;
    }
    return 0;
}

static int check_id(const struct store_table *table,
                    const struct source_columns *columns,
                    const char *id,
                    bool any,
                    struct error *err)
{
    const struct source_column *column;
    if (any)
        return 0;
    if (spelling_column(columns, id, &column, err))
        return error_prefix(err, "[%s] id", table->name);
    if (column && strcmp(table->id_name, column->name) == 0)
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "[%s] id: the store's id is '%s', not '%s': write id = %s",
                     table->name,
                     table->id_name,
                     id,
                     table->id_name);
}

static int
read_schema(struct store_source *s, const struct crs *known, struct error *err)
{
    struct source_schema *schema = &s->base.schema;
    const struct store *store = s->store;
    schema->zone_id_type = store->zones.id_type;
    schema->building_id_type = store->buildings.id_type;
    schema->zone_id = store->zones.id_name;
    schema->building_id = store->buildings.id_name;
    schema->building_where = store->buildings_where;
    schema->srid = store->srid;
    schema->spatial_index = schema->zone_id_index = true;
    schema->n_buildings = (double)store->buildings.n;
    snprintf(schema->description,
             sizeof schema->description,
             "store, from %.200s",
             store->origin);
    const struct job *job = s->job;
    schema->crs_definition = strdup(store->crs);
    if (!schema->crs_definition)
        return error_set(err, ERROR_BUDGET, "no memory for a source");
    if (known)
        schema->crs = *known;
    return (!known && crs_read(&schema->crs, store->crs, err))
                   || add_columns(&schema->zones, &store->zones, err)
                   || add_columns(&schema->buildings, &store->buildings, err)
                   || check_id(&store->zones,
                               &schema->zones,
                               job->zone_id,
                               job->any_zone_id,
                               err)
                   || check_id(&store->buildings,
                               &schema->buildings,
                               job->building_id,
                               job->any_building_id,
                               err)
               ? -1
               : 0;
}

int store_source_open(struct source **source,
                      const struct job *job,
                      const char *path,
                      const struct crs *crs,
                      struct error *err)
{
    struct store_source *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, ERROR_BUDGET, "no memory for a source");
    s->base.calls = &calls;
    s->job = job;
    memset(s->all_valid, 1, sizeof s->all_valid);
    if (store_open(&s->store, path, false, err) || read_schema(s, crs, err)
        || store_load_zone_ids(s, err) || store_load_groups(s, err)) {
        close_store(&s->base);
        return -1;
    }
    *source = &s->base;
    return 0;
}

/* A copy that a job has made for itself goes by no identity. */
int store_source_reach(struct source **source, const struct job *job, struct error *err)
{
    struct source *made;
    if (store_source_open(&made, job, job->store_path, NULL, err))
        return -1;
    struct source_schema *schema = &made->schema;
    if (store_identify(((struct store_source *)made)->store,
                       schema->identity,
                       sizeof schema->identity,
                       err)) {
        source_close(made);
        return -1;
    }
    *source = made;
    return 0;
}

int store_fetch(struct store_source *source,
                int64_t at,
                void *bytes,
                int64_t n_bytes,
                struct error *err)
{
    source->n_read += n_bytes;
    return store_read(source->store, at, bytes, n_bytes, err);
}
