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
    free(postgres->zones.sql);
    free(postgres->buildings.sql);
    free(postgres);
}

static const struct source_calls calls = {
    .close = close_postgres,
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
    .explain = postgres_explain,
};

int postgres_open(struct source **source,
                  const struct job *job,
                  const char *snapshot,
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

    if (postgres_connect(postgres, err) || postgres_begin(postgres, snapshot, err)
        || postgres_read_schema(postgres, err)) {
        close_postgres(&postgres->base);
        return -1;
    }
    *source = &postgres->base;
    return 0;
}
