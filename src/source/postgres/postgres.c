#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

static void close_postgres(struct source *source)
{
    struct postgres *postgres = (struct postgres *)source;
    session_close(&postgres->session);
    source_columns_release(&source->schema.zones);
    source_columns_release(&source->schema.buildings);
    free(source->schema.crs_definition);
    sql_release(&postgres->statement);
    free(postgres->zone_filter);
    free(postgres->zones.sql);
    free(postgres->buildings.sql);
    free(postgres);
}

static int enter(struct source *source, const char *snapshot, struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    if (postgres_begin(postgres, snapshot, err))
        return -1;
    return postgres_read_schema(postgres, err);
}

static const struct source_calls calls = {
    .close = close_postgres,
    .enter = enter,
    .encode = postgres_encode,
    .follow = postgres_follow,
    .bind = postgres_bind,
    .zones = postgres_zones,
    .zone = postgres_zone,
    .buildings = postgres_buildings,
    .next = postgres_next,
    .cancel = postgres_cancel,
    .scan = postgres_scan,
    .reopen = postgres_reopen,
    .check = postgres_check,
    .connections = postgres_connections,
    .costs = postgres_costs,
    .rest = postgres_rest,
    .explain = postgres_explain,
};

/*
 * A server process takes longer to load PostGIS than to read many a zone, so a rank that
 * waits for another one's snapshot lets it do so meanwhile. What fails here will fail
 * again where it is told.
 */
static void warm_up(struct postgres *postgres)
{
    struct sql sql = { 0 };
    if (postgres_read_versions(postgres, NULL) == 0) {
        sql_add(&sql, "SELECT %spostgis_lib_version()", postgres->postgis);
        if (sql_end(&sql, NULL))
            session_do(&postgres->session, sql.text, NULL);
    }
    sql_release(&sql);
}

int postgres_reach(struct source **source,
                   const struct job *job,
                   int rank,
                   bool (*stop)(void *context),
                   void *stop_context,
                   struct error *err)
{
    struct postgres *postgres = calloc(1, sizeof *postgres);
    if (!postgres)
        return error_set(err, ERROR_BUDGET, "no memory for a source");
    postgres->base.calls = &calls;
    postgres->job = job;
    postgres->rank = rank;
    postgres->session.stop = stop;
    postgres->session.stop_context = stop_context;

    if (postgres_connect(postgres, err)) {
        close_postgres(&postgres->base);
        return -1;
    }
    if (rank > 0)
        warm_up(postgres);
    *source = &postgres->base;
    return 0;
}
