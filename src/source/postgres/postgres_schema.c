#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/job/spelling.h"

#include "postgres.h"
#include "postgres_probe.h"

int postgres_read_versions(struct postgres *postgres, struct error *err)
{
    static const char *const statement =
        "SELECT e.extversion, n.nspname, pg_catalog.current_setting('server_version'),"
        " pg_catalog.current_database()"
        " FROM pg_catalog.pg_extension e"
        " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'postgis'";
    PGresult *result = session_run(&postgres->session, statement, 0, NULL, false, err);
    if (!result)
        return -1;
    if (PQntuples(result) == 0) {
        PQclear(result);
        return error_set(err,
                         ERROR_USAGE,
                         "the database has no PostGIS: CREATE EXTENSION postgis");
    }
    struct sql schema = { 0 };
    sql_identifier(&schema, PQgetvalue(result, 0, 1));
    snprintf(postgres->postgis,
             sizeof postgres->postgis,
             "%s.",
             schema.text ? schema.text : "");
    sql_release(&schema);
    snprintf(postgres->base.schema.description,
             sizeof postgres->base.schema.description,
             "postgresql %.40s, PostGIS %.40s, database %.64s",
             PQgetvalue(result, 0, 2),
             PQgetvalue(result, 0, 0),
             PQgetvalue(result, 0, 3));
    PQclear(result);
    return 0;
}

/* A cluster has an identifier that its standbys share and its restored dumps do not. */
int postgres_read_identity(struct postgres *postgres, struct error *err)
{
    static const char *const statements[] = {
        "SELECT pg_catalog.current_database(),"
        " pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', "
        "'execute')",
        "SELECT system_identifier FROM pg_catalog.pg_control_system()",
    };
    char *identity = postgres->base.schema.identity;
    size_t n = sizeof postgres->base.schema.identity;
    PGresult *result =
        session_run(&postgres->session, statements[0], 0, NULL, false, err);
    if (!result)
        return -1;
    snprintf(identity, n, "database %.64s", PQgetvalue(result, 0, 0));
    bool may_ask = PQgetvalue(result, 0, 1)[0] == 't';
    PQclear(result);
    for (char *at = identity; *at; at++)
        *at = (unsigned char)*at < ' ' ? '?' : *at; /* a name may hold anything */
    if (!may_ask)
        return 0;
    result = session_run(&postgres->session, statements[1], 0, NULL, false, err);
    if (!result)
        return -1;
    size_t at = strlen(identity);
    snprintf(identity + at, n - at, " of system %.24s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return 0;
}

/* What an expression sees of a type, and the cast that makes it so. */
static enum value_type type_of(const char *name, bool is_enum, const char **cast)
{
    static const struct {
        const char *name;
        enum value_type type;
        const char *cast;
    } table[] = {
        { "int2", TYPE_INTEGER, "::bigint" },
        { "int4", TYPE_INTEGER, "::bigint" },
        { "int8", TYPE_INTEGER, "::bigint" },
        { "float4", TYPE_REAL, "::double precision" },
        { "float8", TYPE_REAL, "::double precision" },
        { "numeric", TYPE_REAL, "::double precision" },
        { "bool", TYPE_BOOLEAN, "" },
        { "text", TYPE_TEXT, "::pg_catalog.text" },
        { "varchar", TYPE_TEXT, "::pg_catalog.text" },
        { "bpchar", TYPE_TEXT, "::pg_catalog.text" },
        { "name", TYPE_TEXT, "::pg_catalog.text" },
        { "uuid", TYPE_TEXT, "::pg_catalog.text" },
        { "citext", TYPE_TEXT, "::pg_catalog.text" },
        { "date", TYPE_DATE, "::pg_catalog.date" },
        { "timestamp", TYPE_TIMESTAMP, "::timestamp" },
        { "timestamptz", TYPE_TIMESTAMP, " AT TIME ZONE 'UTC'" },
    };
    *cast = "::pg_catalog.text";
    if (is_enum)
        return TYPE_TEXT;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(name, table[i].name) == 0) {
            *cast = table[i].cast;
            return table[i].type;
        }
    return TYPE_NULL;
}

enum { NAME, SHOWN, TYPE, TYPE_KIND, PERMITTED, SRID, GEOMETRY };

static int add_column(const struct postgres_table *table,
                      struct source_columns *columns,
                      const PGresult *result,
                      int row,
                      struct error *err)
{
    const char *name = PQgetvalue(result, row, NAME), *cast;
    bool permitted = PQgetvalue(result, row, PERMITTED)[0] == 't';
    enum value_type type = type_of(PQgetvalue(result, row, TYPE),
                                   PQgetvalue(result, row, TYPE_KIND)[0] == 'e',
                                   &cast);
    const char *shown = permitted ? PQgetvalue(result, row, SHOWN) : "";
    if (!permitted)
        type = TYPE_NULL;
    struct sql sql = { 0 };
    sql_add(&sql, "%s%s.", cast[0] == ' ' ? "(" : "", table->alias);
    sql_identifier(&sql, name);
    sql_add(&sql, "%s%s", cast, cast[0] == ' ' ? ")" : "");
    int status = sql_end(&sql, err)
                     ? source_columns_add(columns,
                                          name,
                                          type,
                                          shown,
                                          type == TYPE_NULL ? NULL : sql.text,
                                          err)
                     : -1;
    sql_release(&sql);
    return status;
}

static int check_id(const struct postgres_table *table,
                    const PGresult *result,
                    int row,
                    enum value_type *type,
                    struct error *err)
{
    static const char *const texts[] = { "text", "varchar", "bpchar", "name", "uuid" };
    const char *name = PQgetvalue(result, row, TYPE);
    if (strncmp(name, "int", 3) == 0 && strlen(name) == 4) {
        *type = TYPE_INTEGER;
        return 0;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i]) == 0) {
            *type = TYPE_TEXT;
            return 0;
        }
    return error_set(err,
                     ERROR_USAGE,
                     "[%s] id: column '%s' is of type %s: an id is an integer or a "
                     "text%s",
                     table->section,
                     table->id,
                     PQgetvalue(result, row, SHOWN),
                     strcmp(name, "numeric") == 0 ? " (a view can cast it to bigint)"
                                                  : "");
}

static int check_geometry(struct postgres_table *table,
                          const PGresult *result,
                          int row,
                          struct error *err)
{
    const char *type = PQgetvalue(result, row, TYPE);
    const char *shape = PQgetvalue(result, row, GEOMETRY);
    if (strcmp(type, "geometry") != 0)
        return error_set(err,
                         ERROR_USAGE,
                         "[%s] geometry: column '%s' is of type %s, not geometry%s",
                         table->section,
                         table->geometry,
                         PQgetvalue(result, row, SHOWN),
                         strcmp(type, "geography") == 0
                             ? " (a view can cast it to geometry)"
                             : "");
    if (table->alias[0] == 'z' && *shape && !strstr(shape, "Polygon")
        && strncmp(shape, "Geometry", 8) != 0)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] geometry: column '%s' holds %s: zones are polygons",
                         table->geometry,
                         shape);
    table->srid = atoi(PQgetvalue(result, row, SRID));
    table->has_rows = table->srid != 0;
    return 0;
}

/* Columns with their base types, and what the geometry's modifier says. */
static PGresult *list_columns(struct postgres *postgres,
                              const struct postgres_table *table,
                              struct error *err)
{
    struct sql sql = { 0 };
    PGresult *result = NULL;
    const char *params[] = { table->oid };
    sql_add(&sql,
            "WITH RECURSIVE v(num, name, shown, oid, typmod) AS ("
            "SELECT attnum, attname, pg_catalog.format_type(atttypid, atttypmod),"
            " atttypid, atttypmod FROM pg_catalog.pg_attribute"
            " WHERE attrelid = $1::pg_catalog.oid AND attnum > 0 AND NOT attisdropped"
            " UNION ALL SELECT num, name, shown, typbasetype, typtypmod"
            " FROM v JOIN pg_catalog.pg_type t ON t.oid = v.oid WHERE typtype = 'd')"
            " SELECT v.name, shown, CASE WHEN n.nspname = 'pg_catalog'"
            " OR typname IN ('geometry', 'geography', 'citext')"
            " THEN typname ELSE '' END, typtype,"
            " pg_catalog.has_column_privilege($1::pg_catalog.oid, num, 'select'),"
            " CASE WHEN typname = 'geometry' AND typmod >= 0"
            " THEN %spostgis_typmod_srid(typmod) ELSE 0 END,"
            " CASE WHEN typname = 'geometry' AND typmod >= 0"
            " THEN %spostgis_typmod_type(typmod) ELSE '' END"
            " FROM v JOIN pg_catalog.pg_type t ON t.oid = v.oid"
            " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
            " WHERE typtype <> 'd' ORDER BY num",
            postgres->postgis,
            postgres->postgis);
    if (sql_end(&sql, err))
        result = session_run(&postgres->session, sql.text, 1, params, false, err);
    sql_release(&sql);
    return result;
}

/* The row of a column that the job names and that may be read, or -1. */
static int find_column(const struct postgres_table *table,
                       const struct source_columns *columns,
                       const PGresult *result,
                       const char *key,
                       const char *name,
                       struct error *err)
{
    char place[96];
    snprintf(place, sizeof place, "[%s] %s: %.60s", table->section, key, table->name);
    const struct source_column *column;
    if (spelling_column(columns, name, &column, err))
        return error_prefix(err, "%s", place);
    if (!column)
        return source_columns_missing(columns, place, name, err);
    int row = (int)(column - columns->columns);
    if (PQgetvalue(result, row, PERMITTED)[0] != 't')
        return error_set(err,
                         ERROR_USAGE,
                         "%s: no permission to select column '%s'",
                         place,
                         column->name);
    return row;
}

static int read_columns(struct postgres *postgres,
                        struct postgres_table *table,
                        struct source_columns *columns,
                        const char *id,
                        const char *geometry,
                        enum value_type *id_type,
                        struct error *err)
{
    int status = -1, row;
    PGresult *result = list_columns(postgres, table, err);
    if (!result)
        return -1;
    for (int i = 0; i < PQntuples(result); i++)
        if (add_column(table, columns, result, i, err))
            goto out;
    row = find_column(table, columns, result, "id", id, err);
    if (row < 0)
        goto out;
    table->id = columns->columns[row].name;
    if (check_id(table, result, row, id_type, err))
        goto out;
    row = find_column(table, columns, result, "geometry", geometry, err);
    if (row < 0)
        goto out;
    table->geometry = columns->columns[row].name;
    status = check_geometry(table, result, row, err);
out:
    PQclear(result);
    return status;
}

static int check_srids(struct postgres *postgres, struct error *err)
{
    struct postgres_table *zones = &postgres->zones, *buildings = &postgres->buildings;
    if (postgres_probe_srid(postgres, zones, err)
        || postgres_probe_srid(postgres, buildings, err))
        return -1;
    if (!zones->has_rows)
        zones->srid = buildings->srid;
    if (!buildings->has_rows)
        buildings->srid = zones->srid;
    if (zones->srid != buildings->srid)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] geometry is in SRID %d, [buildings] geometry in SRID "
                         "%d: transform one of them (ST_Transform)",
                         zones->srid,
                         buildings->srid);
    postgres->base.schema.srid = zones->srid;
    return 0;
}

void postgres_name_tables(struct postgres *postgres)
{
    const struct job *job = postgres->job;
    postgres->zones = (struct postgres_table){ .section = "zones",
                                               .alias = "z",
                                               .name = job->zone_table };
    postgres->buildings = (struct postgres_table){ .section = "buildings",
                                                   .alias = "b",
                                                   .name = job->building_table };
}

int postgres_read_schema(struct postgres *postgres, struct error *err)
{
    const struct job *job = postgres->job;
    struct source_schema *schema = &postgres->base.schema;
    postgres_name_tables(postgres);
    if (postgres_read_versions(postgres, err) || postgres_read_identity(postgres, err)
        || postgres_find_table(postgres, &postgres->zones, err)
        || postgres_find_table(postgres, &postgres->buildings, err))
        return -1;
    if (read_columns(postgres,
                     &postgres->zones,
                     &schema->zones,
                     job->zone_id,
                     job->zone_geometry,
                     &schema->zone_id_type,
                     err)
        || read_columns(postgres,
                        &postgres->buildings,
                        &schema->buildings,
                        job->building_id,
                        job->building_geometry,
                        &schema->building_id_type,
                        err))
        return -1;
    schema->zone_id_column = postgres->zones.id;
    schema->building_geometry_column = postgres->buildings.geometry;
    schema->zone_table = postgres->zones.sql;
    schema->building_table = postgres->buildings.sql;
    if (check_srids(postgres, err))
        return -1;
    schema->zone_view = strchr("vf", postgres->zones.kind) != NULL;
    schema->building_view = strchr("vf", postgres->buildings.kind) != NULL;
    return postgres_probe(postgres, err);
}
