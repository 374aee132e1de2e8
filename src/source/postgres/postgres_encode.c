/*
 * What the first rank knows, for the others: they need not ask the server again, nor open
 * the database of PROJ.
 *
 *     struct head | SQL of the two tables | CRS definition |
 *     for each column of the zones, then of the buildings: type 1, has_sql 1, name, type
 *     name, SQL
 *
 * All ranks run one program, so the head is as it lies in memory; a text ends with a zero.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres.h"
#include "postgres_probe.h"

struct shared_table {
    char oid[16];
    char kind;
    int64_t n_blocks;
    int32_t srid;
    bool has_rows;
    int32_t id, geometry; /* numbers of columns */
    int32_t n_columns;
};

struct head {
    char snapshot[sizeof((struct source *)0)->snapshot];
    char postgis[sizeof((struct postgres *)0)->postgis];
    struct source_schema schema; /* its pointers mean nothing */
    struct shared_table zones, buildings;
    bool index_only, has_crs_definition;
};

static int32_t column_number(const struct source_columns *columns, const char *name)
{
    return (int32_t)(source_columns_find(columns, name) - columns->columns);
}

static struct shared_table share_table(const struct postgres_table *table,
                                       const struct source_columns *columns)
{
    struct shared_table shared = { .kind = table->kind,
                                   .n_blocks = table->n_blocks,
                                   .srid = table->srid,
                                   .has_rows = table->has_rows,
                                   .id = column_number(columns, table->id),
                                   .geometry = column_number(columns, table->geometry),
                                   .n_columns = columns->n };
    memcpy(shared.oid, table->oid, sizeof shared.oid);
    return shared;
}

static void put_text(FILE *out, const char *text)
{
    fwrite(text ? text : "", 1, text ? strlen(text) + 1 : 1, out);
}

static void put_columns(FILE *out, const struct source_columns *columns)
{
    for (int i = 0; i < columns->n; i++) {
        const struct source_column *column = &columns->columns[i];
        fputc(column->type, out);
        fputc(column->sql != NULL, out);
        put_text(out, column->name);
        put_text(out, column->type_name);
        put_text(out, column->sql);
    }
}

int postgres_encode(struct source *source,
                    uint8_t **bytes,
                    int64_t *n_bytes,
                    struct error *err)
{
    const struct postgres *postgres = (struct postgres *)source;
    const struct source_schema *schema = &source->schema;
    struct head head = { .schema = *schema,
                         .zones = share_table(&postgres->zones, &schema->zones),
                         .buildings =
                             share_table(&postgres->buildings, &schema->buildings),
                         .index_only = postgres->index_only,
                         .has_crs_definition = schema->crs_definition != NULL };
    memcpy(head.snapshot, source->snapshot, sizeof head.snapshot);
    memcpy(head.postgis, postgres->postgis, sizeof head.postgis);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return error_set(err, ERROR_BUDGET, "no memory for a schema");
    fwrite(&head, sizeof head, 1, out);
    put_text(out, postgres->zones.sql);
    put_text(out, postgres->buildings.sql);
    put_text(out, schema->crs_definition);
    put_columns(out, &schema->zones);
    put_columns(out, &schema->buildings);
    bool failed = ferror(out);
    if (fclose(out) || failed) {
        free(text);
        return error_set(err, ERROR_BUDGET, "no memory for a schema");
    }
    *bytes = (uint8_t *)text;
    *n_bytes = (int64_t)n;
    return 0;
}

/* What is left to read; `at` is NULL once it was cut off. */
struct rest {
    const uint8_t *at, *end;
};

static int get_byte(struct rest *rest)
{
    if (!rest->at || rest->at == rest->end) {
        rest->at = NULL;
        return 0;
    }
    return *rest->at++;
}

static const char *get_text(struct rest *rest)
{
    const char *text = (const char *)rest->at;
    const uint8_t *zero =
        rest->at ? memchr(rest->at, 0, (size_t)(rest->end - rest->at)) : NULL;
    rest->at = zero ? zero + 1 : NULL;
    return zero ? text : "";
}

static int
get_columns(struct rest *rest, int n, struct source_columns *columns, struct error *err)
{
    for (int i = 0; i < n && rest->at; i++) {
        int type = get_byte(rest);
        bool has_sql = get_byte(rest);
        const char *name = get_text(rest), *type_name = get_text(rest);
        const char *sql = get_text(rest);
        if (source_columns_add(columns,
                               name,
                               (enum value_type)type,
                               type_name,
                               has_sql ? sql : NULL,
                               err))
            return -1;
    }
    return 0;
}

static int follow_table(struct postgres_table *table,
                        const struct shared_table *shared,
                        const struct source_columns *columns,
                        struct error *err)
{
    if (shared->id < 0 || shared->id >= columns->n || shared->geometry < 0
        || shared->geometry >= columns->n)
        return error_set(err, ERROR_INTERNAL, "a shared schema has no such column");
    memcpy(table->oid, shared->oid, sizeof table->oid);
    table->kind = shared->kind;
    table->n_blocks = shared->n_blocks;
    table->srid = shared->srid;
    table->has_rows = shared->has_rows;
    table->id = columns->columns[shared->id].name;
    table->geometry = columns->columns[shared->geometry].name;
    return 0;
}

static int take_schema(struct postgres *postgres,
                       const struct head *head,
                       struct rest *rest,
                       struct error *err)
{
    struct source_schema *schema = &postgres->base.schema;
    *schema = head->schema;
    schema->zones = schema->buildings = (struct source_columns){ 0 };
    schema->zone_id_column = schema->building_geometry_column = NULL;
    schema->zone_table = schema->building_table = NULL;
    memcpy(postgres->postgis, head->postgis, sizeof postgres->postgis);
    postgres_name_tables(postgres);
    postgres->zones.sql = strdup(get_text(rest));
    postgres->buildings.sql = strdup(get_text(rest));
    schema->crs_definition = strdup(get_text(rest));
    if (!postgres->zones.sql || !postgres->buildings.sql || !schema->crs_definition)
        return error_set(err, ERROR_BUDGET, "no memory for a schema");
    if (!head->has_crs_definition) {
        free(schema->crs_definition);
        schema->crs_definition = NULL;
    }
    if (get_columns(rest, head->zones.n_columns, &schema->zones, err)
        || get_columns(rest, head->buildings.n_columns, &schema->buildings, err))
        return -1;
    if (rest->at != rest->end)
        return error_set(err, ERROR_INTERNAL, "a shared schema of another length");
    if (follow_table(&postgres->zones, &head->zones, &schema->zones, err))
        return -1;
    return follow_table(&postgres->buildings,
                        &head->buildings,
                        &schema->buildings,
                        err);
}

static int
check_identity(struct postgres *postgres, const char *first, struct error *err)
{
    const char *own = postgres->base.schema.identity;
    if (postgres_read_identity(postgres, err))
        return -1;
    if (strcmp(own, first) == 0)
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "[source] connection: rank %d is connected to %s, and rank 0 to "
                     "%s: "
                     "give all ranks the same",
                     postgres->rank,
                     own,
                     first);
}

int postgres_follow(struct source *source,
                    const uint8_t *bytes,
                    int64_t n_bytes,
                    struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    struct head head;
    if (n_bytes < (int64_t)sizeof head)
        return error_set(err, ERROR_INTERNAL, "a shared schema is cut off");
    memcpy(&head, bytes, sizeof head);
    struct rest rest = { bytes + sizeof head, bytes + n_bytes };
    if (take_schema(postgres, &head, &rest, err))
        return -1;
    if (postgres_begin(postgres, head.snapshot, err)) {
        if (err && err->code == ERROR_GONE) /* the first rank can export another */
            err->code = ERROR_SOURCE;
        return -1;
    }
    /* a shared snapshot is of one database; without one, nothing else has said so */
    if (!*head.snapshot && check_identity(postgres, head.schema.identity, err))
        return -1;
    return postgres_use_index(postgres, head.index_only, err);
}
