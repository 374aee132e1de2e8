#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "postgres.h"

static void print(FILE *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void print(FILE *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vfprintf(out, fmt, args);
    va_end(args);
}

/* A statement as it would be written by hand: what our statements find in pg_catalog,
 * whatever the search_path, any usual one finds as well. */
static void print_statement(FILE *out, const char *what, const char *statement)
{
    static const char operator[] = "OPERATOR(pg_catalog.", schema[] = "pg_catalog.";
    bool in_operator = false;
    print(out, "%s:\n  ", what);
    for (const char *at = statement; *at;) {
        if (strncmp(at, operator, strlen(operator)) == 0) {
            in_operator = true;
            at += strlen(operator);
        } else if (strncmp(at, schema, strlen(schema)) == 0) {
            at += strlen(schema);
        } else {
            if (!in_operator || *at != ')')
                fputc(*at, out);
            in_operator &= *at++ != ')';
        }
    }
    fputc('\n', out);
}

/* One box of a zone of the table, so that the statement shown is one that runs. */
static int sample_box(struct postgres *postgres, struct box *box, struct error *err)
{
    const char *gis = postgres->postgis;
    struct sql sql = { 0 };
    PGresult *result = NULL;
    sql_add(&sql,
            "SELECT %sST_XMin(g), %sST_YMin(g), %sST_XMax(g), %sST_YMax(g)"
            " FROM (SELECT z.",
            gis,
            gis,
            gis,
            gis);
    sql_identifier(&sql, postgres->zones.geometry);
    sql_add(&sql, " AS g FROM %s z LIMIT 1) s", postgres->zones.sql);
    if (sql_end(&sql, err))
        result = session_run(&postgres->session, sql.text, 0, NULL, false, err);
    sql_release(&sql);
    if (!result)
        return -1;
    *box = (struct box){ 0, 0, 1, 1 };
    if (PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
        *box = (struct box){ atof(PQgetvalue(result, 0, 0)),
                             atof(PQgetvalue(result, 0, 1)),
                             atof(PQgetvalue(result, 0, 2)),
                             atof(PQgetvalue(result, 0, 3)) };
    PQclear(result);
    return 0;
}

static int
explain_zones(struct postgres *postgres, FILE *out, struct sql *sql, struct error *err)
{
    char *filter = NULL;
    struct expression *local = NULL;
    if (binding_zones(postgres->job,
                      &postgres->base.schema.zones,
                      &filter,
                      &local,
                      err))
        return -1;
    int status = postgres_zones_sql(postgres, filter, local != NULL, sql, err);
    if (status == 0)
        print_statement(out, "list of zones", sql->text);
    expression_free(local);
    free(filter);
    return status;
}

/* Connections free for this role in this database, ours given back. */
int postgres_connections(struct source *source, int64_t *n_free, struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    static const char *const statement =
        "WITH used AS (SELECT pg_catalog.count(*) AS n, pg_catalog.count(*)"
        " FILTER (WHERE datname = pg_catalog.current_database()) AS here,"
        " pg_catalog.count(*) FILTER (WHERE usename = current_user) AS mine"
        " FROM pg_catalog.pg_stat_activity WHERE backend_type"
        " OPERATOR(pg_catalog.=) 'client backend' AND pid <> "
        "pg_catalog.pg_backend_pid())"
        " SELECT greatest(0, least("
        "pg_catalog.current_setting('max_connections')::bigint"
        " OPERATOR(pg_catalog.-) n OPERATOR(pg_catalog.-)"
        " CASE WHEN r.rolsuper THEN 0 ELSE"
        " pg_catalog.current_setting('superuser_reserved_connections')::bigint"
        " OPERATOR(pg_catalog.+)"
        " coalesce(pg_catalog.current_setting('reserved_connections', true), "
        "'0')::bigint"
        " END, CASE WHEN r.rolsuper OR d.datconnlimit < 0 THEN NULL"
        " ELSE d.datconnlimit OPERATOR(pg_catalog.-) here END,"
        " CASE WHEN r.rolsuper OR r.rolconnlimit < 0 THEN NULL"
        " ELSE r.rolconnlimit OPERATOR(pg_catalog.-) mine END))"
        " FROM used, pg_catalog.pg_database d, pg_catalog.pg_roles r"
        " WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user";
    PGresult *result = session_run(&postgres->session, statement, 0, NULL, false, err);
    if (!result)
        return -1;
    *n_free = PQntuples(result) == 1 ? atoll(PQgetvalue(result, 0, 0)) : -1;
    PQclear(result);
    return 0;
}

/* What is sent for each zone. */
static int
explain_zone(struct postgres *postgres, FILE *out, struct sql *sql, struct error *err)
{
    struct box box;
    if (sample_box(postgres, &box, err))
        return -1;
    if (postgres_zone_sql(postgres, sql, err))
        return -1;
    print_statement(out, "one zone ($1: its id, $2: bytes of memory left)", sql->text);
    const char *buildings = postgres_buildings_sql(postgres, &box, 1, err);
    if (!buildings)
        return -1;
    char what[64];
    snprintf(what, sizeof what, "its buildings (up to %d boxes; here one)", COVER_MAX);
    print_statement(out, what, buildings);
    return 0;
}

/* What is sent once, in parts where that pays. */
static int explain_scans(struct postgres *postgres,
                         const struct source_scans *scans,
                         FILE *out,
                         struct sql *sql,
                         struct error *err)
{
    sql_reset(sql);
    if (postgres_scan_sql(postgres, &postgres->zones, scans->zones, 0, 1, sql, err))
        return -1;
    print_statement(out, "all zones", sql->text);
    sql_reset(sql);
    if (postgres_scan_sql(postgres,
                          &postgres->buildings,
                          scans->buildings,
                          0,
                          1,
                          sql,
                          err))
        return -1;
    print_statement(out,
                    postgres->buildings.n_blocks > 0
                        ? "all buildings (of several ranks each asks for ranges of "
                          "ctid)"
                        : "all buildings (by one rank)",
                    sql->text);
    return 0;
}

int postgres_explain(struct source *source,
                     const struct source_scans *scans,
                     FILE *out,
                     int n_ranks,
                     int64_t *n_free,
                     struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    struct sql sql = { 0 };
    int64_t n = -1;
    int status = explain_zones(postgres, out, &sql, err);
    if (status == 0)
        status = scans ? explain_scans(postgres, scans, out, &sql, err)
                       : explain_zone(postgres, out, &sql, err);
    if (status == 0)
        status = postgres_connections(source, &n, err);
    if (status == 0 && n >= 0)
        print(out, "connections: %d needed, %lld free\n", n_ranks, (long long)n);
    *n_free = n;
    sql_release(&sql);
    return status;
}
