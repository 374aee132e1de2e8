#include "postgres_probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A statement without parameters that is made here: its result, NULL on failure. */
static PGresult *run(struct postgres *postgres, struct sql *sql, struct error *err)
{
    const char *statement = sql_end(sql, err);
    if (!statement)
        return NULL;
    return session_run(&postgres->session, statement, 0, NULL, false, err);
}

int postgres_probe_srid(struct postgres *postgres,
                        struct postgres_table *table,
                        struct error *err)
{
    if (table->has_rows)
        return 0;
    struct sql sql = { 0 };
    sql_add(&sql, "SELECT %sST_SRID(t.", postgres->postgis);
    sql_identifier(&sql, table->geometry);
    sql_add(&sql, ") FROM %s t WHERE t.", table->sql);
    sql_identifier(&sql, table->geometry);
    sql_add(&sql, " IS NOT NULL LIMIT 1");
    PGresult *result = run(postgres, &sql, err);
    sql_release(&sql);
    if (!result)
        return error_prefix(err, "[%s] table: %s", table->section, table->name);
    if (PQntuples(result) == 1) {
        table->has_rows = true;
        table->srid = atoi(PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    return 0;
}

/* srtext, or what PostGIS itself goes by where that is not given; "" where nothing is (heap;
 * NULL where there is no memory). */
static char *definition_of(PGresult *result)
{
    char *text = NULL;
    const char *values[4] = { "", "", "", "" };
    for (int i = 0; i < 4 && PQntuples(result) == 1; i++)
        values[i] = PQgetvalue(result, 0, i);
    bool has_code = *values[2] && *values[3];
    if (*values[0] || (!*values[1] && !has_code))
        return strdup(values[0]);
    int n = *values[1] ? asprintf(&text, "%s +type=crs", values[1])
                       : asprintf(&text, "%s:%s", values[2], values[3]);
    return n < 0 ? NULL : text;
}

static int read_crs(struct postgres *postgres, struct error *err)
{
    int status = -1;
    struct sql sql = { 0 };
    sql_add(&sql,
            "SELECT srtext, proj4text, auth_name, auth_srid FROM %sspatial_ref_sys"
            " WHERE srid OPERATOR(pg_catalog.=) %d",
            postgres->postgis,
            (int)postgres->base.schema.srid);
    PGresult *result = run(postgres, &sql, err);
    if (result) {
        struct source_schema *schema = &postgres->base.schema;
        char *text = definition_of(result);
        if (!text)
            error_set(err, ERROR_BUDGET, "no memory for a source");
        else
            status = crs_read(&schema->crs, text, err);
        if (status == 0 && *text) {
            schema->crs_definition = text;
            text = NULL;
        }
        free(text);
        if (status)
            error_prefix(err, "SRID %d", (int)schema->srid);
    }
    PQclear(result);
    sql_release(&sql);
    return status;
}

/*
 * Ask the planner about a statement.
 *
 * Returns  0 with *indexed (an index serves a condition of it) and *n_rows (expected)
 */
static int explain(struct postgres *postgres,
                   struct sql *sql,
                   bool *indexed,
                   double *n_rows,
                   struct error *err)
{
    PGresult *result = run(postgres, sql, err);
    if (!result)
        return -1;
    const char *plan = PQgetvalue(result, 0, 0);
    const char *rows = strstr(plan, "\"Plan Rows\": ");
    if (indexed)
        *indexed = strstr(plan, "\"Index Cond\": ") != NULL;
    if (n_rows)
        *n_rows = rows ? strtod(rows + strlen("\"Plan Rows\": "), NULL) : -1;
    PQclear(result);
    return 0;
}

static int probe_zone_id(struct postgres *postgres, struct error *err)
{
    struct sql sql = { 0 };
    sql_add(&sql,
            "EXPLAIN (FORMAT JSON) SELECT 1 FROM %s z WHERE z.",
            postgres->zones.sql);
    sql_identifier(&sql, postgres->zones.id);
    /* a null literal would be folded away, and '0' is no uuid */
    sql_add(&sql, " OPERATOR(pg_catalog.=) (SELECT z.");
    sql_identifier(&sql, postgres->zones.id);
    sql_add(&sql, " FROM %s z LIMIT 1)", postgres->zones.sql);
    int status =
        explain(postgres, &sql, &postgres->base.schema.zone_id_index, NULL, err);
    sql_release(&sql);
    return status;
}

static int probe_buildings(struct postgres *postgres, struct error *err)
{
    const struct box everywhere = { 0, 0, 1, 1 };
    struct source_schema *schema = &postgres->base.schema;
    struct sql sql = { 0 };
    char hex[BOX_HEX_BYTES];
    postgres_box_hex(hex, &everywhere, schema->srid);
    sql_add(&sql, "EXPLAIN (FORMAT JSON) SELECT 1 FROM %s b", postgres->buildings.sql);
    int status = explain(postgres, &sql, NULL, &schema->n_buildings, err);
    sql_add(&sql, " WHERE b.");
    sql_identifier(&sql, postgres->buildings.geometry);
    sql_add(&sql,
            " OPERATOR(%s&&) '%s'::%sgeometry",
            postgres->postgis,
            hex,
            postgres->postgis);
    if (status == 0)
        status = explain(postgres, &sql, &schema->spatial_index, NULL, err);
    sql_release(&sql);
    return status;
}

/* The planner's index may be that of a parent whose children, or partitions, have none. */
static int probe_parts(struct postgres *postgres, struct error *err)
{
    static const char *const statement =
        "WITH RECURSIVE part(oid) AS (SELECT $1::pg_catalog.oid UNION"
        " SELECT inhrelid FROM pg_catalog.pg_inherits JOIN part ON inhparent = "
        "part.oid)"
        " SELECT c.oid::pg_catalog.regclass FROM part"
        " JOIN pg_catalog.pg_class c ON c.oid = part.oid WHERE c.relkind IN ('r', 'm')"
        " AND pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.>) 0"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x"
        " JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_catalog.pg_am m ON m.oid = i.relam"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
        " AND a.attnum = ANY (x.indkey) WHERE x.indrelid = c.oid AND x.indisvalid"
        " AND m.amname NOT IN ('btree', 'hash') AND a.attname = $2)"
        " ORDER BY c.oid LIMIT 1";
    const char *params[] = { postgres->buildings.oid, postgres->buildings.geometry };
    struct source_schema *schema = &postgres->base.schema;
    PGresult *result =
        session_run(&postgres->session, statement, 2, params, false, err);
    if (!result)
        return -1;
    if (PQntuples(result) == 1)
        snprintf(schema->bare_part,
                 sizeof schema->bare_part,
                 "%s",
                 PQgetvalue(result, 0, 0));
    PQclear(result);
    return 0;
}

static int set_scans(struct postgres *postgres, bool on, struct error *err)
{
    const char *params[] = { on ? "on" : "off",
                             postgres->job->snapshot == SNAPSHOT_NONE ? "false"
                                                                      : "true" };
    PGresult *result =
        session_run(&postgres->session,
                    "SELECT pg_catalog.set_config('enable_seqscan', $1, $2::boolean)",
                    2,
                    params,
                    false,
                    err);
    PQclear(result);
    return result ? 0 : -1;
}

/* The estimate of a cover knows nothing of its boxes, so where there is an index the
 * planner is told to take it; what a view joins to is left to the planner. */
int postgres_use_index(struct postgres *postgres, bool only, struct error *err)
{
    postgres->index_only = only;
    postgres->scans = false;
    return set_scans(postgres, !only, err);
}

int postgres_use_scan(struct postgres *postgres, struct error *err)
{
    if (!postgres->index_only || postgres->scans)
        return 0;
    postgres->scans = true;
    return set_scans(postgres, true, err);
}

int postgres_probe(struct postgres *postgres, struct error *err)
{
    struct source_schema *schema = &postgres->base.schema;
    if (read_crs(postgres, err) || postgres_use_index(postgres, true, err)
        || probe_zone_id(postgres, err) || probe_buildings(postgres, err))
        return -1;
    bool is_plain = strchr("rmp", postgres->buildings.kind) != NULL;
    if (schema->spatial_index && is_plain && probe_parts(postgres, err))
        return -1;
    if (!schema->spatial_index || !is_plain)
        return postgres_use_index(postgres, false, err);
    return 0;
}

int postgres_probe_statistics(struct postgres *postgres, bool *there, struct error *err)
{
    static const char *const statement =
        "SELECT pg_catalog.to_regprocedure($3) IS NOT NULL AND EXISTS ("
        "SELECT 1 FROM pg_catalog.pg_stats s"
        " JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname"
        " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid"
        " AND c.relname = s.tablename WHERE c.oid = $1::pg_catalog.oid AND s.attname = "
        "$2"
        " AND s.null_frac < 1)";
    struct sql procedure = { 0 };
    sql_add(&procedure,
            "%s_postgis_selectivity(pg_catalog.regclass,pg_catalog.text,%sgeometry,"
            "pg_catalog.text)",
            postgres->postgis,
            postgres->postgis);
    const char *params[] = { postgres->buildings.oid,
                             postgres->buildings.geometry,
                             sql_end(&procedure, err) };
    PGresult *result =
        params[2] ? session_run(&postgres->session, statement, 3, params, false, err)
                  : NULL;
    sql_release(&procedure);
    if (!result)
        return -1;
    *there = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return 0;
}
