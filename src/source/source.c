#include "rooftally/source/source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/nearest.h"

#include "postgres.h"
#include "source_calls.h"
#include "store_source.h"
#include "vector.h"

int source_reach(struct source **source,
                 const struct job *job,
                 int rank,
                 bool (*stop)(void *context),
                 void *stop_context,
                 struct error *err)
{
    if (job->kind == SOURCE_POSTGRES)
        return postgres_reach(source, job, rank, stop, stop_context, err);
    if (job->kind == SOURCE_STORE)
        return store_source_reach(source, job, err);
    return vector_open(source, job, err);
}

int source_enter(struct source *source, const char *snapshot, struct error *err)
{
    return source->calls->enter ? source->calls->enter(source, snapshot, err) : 0;
}

int source_encode(struct source *source,
                  uint8_t **bytes,
                  int64_t *n_bytes,
                  struct error *err)
{
    if (source->calls->encode)
        return source->calls->encode(source, bytes, n_bytes, err);
    *bytes = NULL;
    *n_bytes = 0;
    return 0;
}

int source_follow(struct source *source,
                  const uint8_t *bytes,
                  int64_t n_bytes,
                  struct error *err)
{
    if (source->calls->follow)
        return source->calls->follow(source, bytes, n_bytes, err);
    return 0;
}

void source_close(struct source *source)
{
    if (source)
        source->calls->close(source);
}

bool source_reads_file(const struct source *source, const char *path)
{
    return source->calls->reads_file && source->calls->reads_file(source, path);
}

const char *source_warned(struct source *source, int64_t *n)
{
    *n = 0;
    return source->calls->warned ? source->calls->warned(source, n) : "";
}

int source_reopen(struct source *source, struct error *err)
{
    return source->calls->reopen ? source->calls->reopen(source, err) : 0;
}

int source_check(struct source *source, struct error *err)
{
    return source->calls->check ? source->calls->check(source, err) : 0;
}

int source_connections(struct source *source, int64_t *n_free, struct error *err)
{
    if (source->calls->connections)
        return source->calls->connections(source, n_free, err);
    *n_free = -1;
    return 0;
}

const char *source_snapshot(const struct source *source)
{
    return source->snapshot;
}

const struct source_schema *source_schema(const struct source *source)
{
    return &source->schema;
}

int source_bind(struct source *source, const struct binding *binding, struct error *err)
{
    return source->calls->bind(source, binding, err);
}

static int must_be_staged(struct error *err)
{
    return error_set(err, ERROR_USAGE, "[source] kind: it has to be staged first");
}

int source_prepare(struct source *source, struct memory *memory, struct error *err)
{
    return source->calls->prepare ? source->calls->prepare(source, memory, err) : 0;
}

int64_t source_prepared_bytes(struct source *source, int64_t budget_bytes)
{
    return source->calls->prepared_bytes
               ? source->calls->prepared_bytes(source, budget_bytes)
               : 0;
}

int source_zones(struct source *source,
                 struct zone_list *zones,
                 struct memory *memory,
                 struct error *err)
{
    return source->calls->zones ? source->calls->zones(source, zones, memory, err)
                                : must_be_staged(err);
}

int source_no_zones(const struct job *job, struct error *err)
{
    char *path = job_redact_path(job->zone_path);
    bool is_store = job->kind == SOURCE_STORE, is_file = job->kind == SOURCE_VECTOR;
    const char *name = is_store ? job->store_path : is_file ? path : job->zone_table;
    if (job->zone_where)
        error_set(err,
                  ERROR_USAGE,
                  "[zones] where: leaves no zones of %s: correct or remove it",
                  name ? name : "");
    else
        error_set(err,
                  ERROR_USAGE,
                  is_store  ? "[source] path: the store %s has no zones: stage it anew"
                  : is_file ? "[zones] path: %s is empty: fill it, or name another"
                            : "[zones] table: %s is empty: fill it, or name another",
                  name ? name : "");
    free(path);
    return -1;
}

int source_zone(struct source *source,
                const char *id,
                int32_t n_id,
                struct text *wkb,
                struct memory *memory,
                struct error *err)
{
    return source->calls->zones
               ? source->calls->zone(source, id, n_id, wkb, memory, err)
               : must_be_staged(err);
}

struct zone_shape source_zone_shape(const struct source *source)
{
    return source->calls->zone_shape ? source->calls->zone_shape(source)
                                     : (struct zone_shape){ .area_m2 = NAN };
}

int source_buildings(struct source *source, const struct zone *zone, struct error *err)
{
    return source->calls->zones ? source->calls->buildings(source, zone, err)
                                : must_be_staged(err);
}

int source_next(struct source *source, struct batch *batch, struct error *err)
{
    return source->calls->next(source, batch, err);
}

int32_t source_geometry(struct source *source,
                        struct batch *batch,
                        const int32_t *rows,
                        int32_t n_rows,
                        struct error *err)
{
    if (!source->calls->geometry) /* it came with the rows */
        return n_rows;
    return source->calls->geometry(source, batch, rows, n_rows, err);
}

void source_cancel(struct source *source)
{
    source->calls->cancel(source);
}

int source_scan(struct source *source,
                enum source_table table,
                const struct binding *binding,
                int part,
                int n_parts,
                struct error *err)
{
    if (!source->calls->scan)
        return error_set(err, ERROR_USAGE, "[source] kind: it cannot be staged");
    return source->calls->scan(source, table, binding, part, n_parts, err);
}

int source_count(struct source *source,
                 struct zone_list *zones,
                 struct geos *geos,
                 double most_s,
                 struct source_work *work,
                 struct memory *memory,
                 struct error *err)
{
    if (source->calls->count)
        return source->calls->count(source, zones, geos, most_s, work, memory, err);
    *work = (struct source_work){ 0 };
    return 0;
}

int source_costs(struct source *source,
                 int64_t n_zones,
                 double n_candidates,
                 struct source_costs *costs,
                 struct error *err)
{
    if (!source->calls->costs)
        return 0;
    return source->calls->costs(source, n_zones, n_candidates, costs, err);
}

void source_rest(struct source *source)
{
    if (source->calls->rest)
        source->calls->rest(source);
}

int source_explain(struct source *source,
                   const struct source_scans *scans,
                   FILE *out,
                   int n_ranks,
                   int64_t *n_free,
                   struct error *err)
{
    if (!source->calls->explain)
        return must_be_staged(err);
    return source->calls->explain(source, scans, out, n_ranks, n_free, err);
}

int source_columns_add(struct source_columns *columns,
                       const char *name,
                       enum value_type type,
                       const char *type_name,
                       const char *sql,
                       struct error *err)
{
    struct source_column *grown =
        realloc(columns->columns, (size_t)(columns->n + 1) * sizeof *grown);
    if (!grown)
        return error_set(err, ERROR_BUDGET, "no memory for the list of columns");
    columns->columns = grown;
    struct source_column *column = &grown[columns->n];
    *column = (struct source_column){ .name = strdup(name),
                                      .type = type,
                                      .type_name = strdup(type_name),
                                      .sql = sql ? strdup(sql) : NULL };
    columns->n++;
    if (!column->name || !column->type_name || (sql && !column->sql))
        return error_set(err, ERROR_BUDGET, "no memory for the list of columns");
    return 0;
}

void source_columns_release(struct source_columns *columns)
{
    for (int i = 0; i < columns->n; i++) {
        free(columns->columns[i].name);
        free(columns->columns[i].type_name);
        free(columns->columns[i].sql);
    }
    free(columns->columns);
    *columns = (struct source_columns){ 0 };
}

const struct source_column *source_columns_find(const struct source_columns *columns,
                                                const char *name)
{
    for (int i = 0; i < columns->n; i++)
        if (strcmp(columns->columns[i].name, name) == 0)
            return &columns->columns[i];
    return NULL;
}

int source_columns_missing(const struct source_columns *columns,
                           const char *table,
                           const char *name,
                           struct error *err)
{
    const char *nearest = NULL;
    const char **names = calloc((size_t)columns->n + 1, sizeof *names);
    for (int i = 0; names && i < columns->n; i++)
        names[i] = columns->columns[i].name;
    if (names)
        nearest = nearest_word(name, names, columns->n);
    free(names);
    if (!nearest)
        return error_set(err, ERROR_USAGE, "%s: no column '%s'", table, name);
    return error_set(err,
                     ERROR_USAGE,
                     "%s: no column '%s': did you mean '%s'?",
                     table,
                     name,
                     nearest);
}
