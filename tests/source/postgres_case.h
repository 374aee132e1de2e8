/* A schema of its own on the server that PG* names, and jobs that read from it. */
#ifndef ROOFTALLY_TESTS_SOURCE_POSTGRES_CASE_H
#define ROOFTALLY_TESTS_SOURCE_POSTGRES_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "rooftally/source/source.h"

#include "source_open.h"

enum { SKIPPED = 77 };

static PGconn *admin;

static void sql(const char *statement)
{
    PGresult *result = PQexec(admin, statement);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", statement, PQerrorMessage(admin));
    PQclear(result);
}

static bool try_sql(const char *statement)
{
    PGresult *result = PQexec(admin, statement);
    bool fine = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return fine;
}

/* Connect and make the schema, or say why not and leave with 77. */
static void open_schema(void)
{
    const char *why = "PGHOST is not set";
    if (getenv("PGHOST")) {
        admin = PQconnectdb("application_name='rooftally test'");
        why = PQerrorMessage(admin);
        if (PQstatus(admin) == CONNECTION_OK) {
            sql("SET client_min_messages = error");
            sql("SELECT pg_advisory_lock(7261)"); /* one program at a time */
            sql("SET lock_timeout = '20s'"); /* a failed test has its rows locked */
            why = "the database has no PostGIS";
            if (try_sql("CREATE EXTENSION IF NOT EXISTS postgis")) {
                sql("DROP SCHEMA IF EXISTS rooftally_source_test CASCADE");
                sql("CREATE SCHEMA rooftally_source_test");
                sql("SET search_path = rooftally_source_test, public");
                return;
            }
        }
    }
    fprintf(stderr, "skipped: %s\n", why);
    exit(SKIPPED);
}

static void close_schema(void)
{
    sql("DROP SCHEMA IF EXISTS rooftally_source_test CASCADE");
    PQfinish(admin);
}

static struct job *make_job(const char *const *overrides, int n, struct error *err)
{
    static const char text[] = "[job]\noutput = unused.h5\n"
                               "[source]\nkind = postgres\n"
                               "[zones]\ntable = rooftally_source_test.zone\n"
                               "id = zip\ngeometry = boundary\n"
                               "[buildings]\ntable = rooftally_source_test.building\n"
                               "id = id\ngeometry = boundary\n"
                               "[statistics]\nbuildings = count\n";
    char path[] = "/tmp/rooftally-test-XXXXXX";
    struct job *job = NULL;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_true(write(file, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(file);
    int status = job_open(&job, path, overrides, n, err);
    unlink(path);
    return status ? NULL : job;
}

/* One rank: a job, its source, and what it takes to read a zone. */
struct rank {
    struct job *job;
    struct source *source;
    struct binding binding;
    struct memory memory;
    struct geos *geos;
    struct zone *zone;
    struct batch batch;
};

static int make_rank(struct rank *rank,
                     const char *const *overrides,
                     int n_overrides,
                     struct error *err)
{
    *rank = (struct rank){ 0 };
    rank->job = make_job(overrides, n_overrides, err);
    if (!rank->job)
        return -1;
    assert_int_equal(geos_open(&rank->geos, err), 0);
    assert_int_equal(memory_init(&rank->memory, 16 << 20, err), 0);
    return 0;
}

/* Bind all fields to the open source. */
static int bind_rank(struct rank *rank, struct error *err)
{
    if (binding_init(&rank->binding,
                     rank->job,
                     &source_schema(rank->source)->buildings,
                     err))
        return -1;
    rank->binding.id_type = source_schema(rank->source)->building_id_type;
    int slot;
    for (int i = 0; i < rank->job->n_fields; i++)
        if (binding_slot(&rank->binding, rank->job->fields[i].name, 1, &slot, err))
            return -1;
    return source_bind(rank->source, &rank->binding, err);
}

static int open_rank(struct rank *rank,
                     const char *const *overrides,
                     int n_overrides,
                     const char *snapshot,
                     bool (*stop)(void *),
                     void *stop_context,
                     struct error *err)
{
    if (make_rank(rank, overrides, n_overrides, err)
        || source_open(&rank->source, rank->job, snapshot, 0, stop, stop_context, err))
        return -1;
    return bind_rank(rank, err);
}

static void close_rank(struct rank *rank)
{
    zone_close(rank->zone);
    geos_close(rank->geos);
    source_close(rank->source);
    binding_release(&rank->binding);
    memory_release(&rank->memory);
    job_close(rank->job);
}

/* Fetch and open a zone and start its stream. */
static int open_zone(struct rank *rank,
                     const char *id,
                     int32_t capacity,
                     int64_t bytes_capacity,
                     struct error *err)
{
    struct text wkb;
    zone_close(rank->zone);
    rank->zone = NULL;
    if (source_zone(rank->source, id, (int32_t)strlen(id), &wkb, &rank->memory, err)
        || zone_open(&rank->zone,
                     rank->geos,
                     (const uint8_t *)wkb.bytes,
                     wkb.n,
                     100,
                     PREDICATE_WITHIN,
                     INVALID_TRUST,
                     false,
                     &rank->memory,
                     err)
        || batch_init(&rank->batch,
                      &rank->binding,
                      capacity,
                      bytes_capacity,
                      &rank->memory,
                      err))
        return -1;
    return source_buildings(rank->source, rank->zone, err);
}

/* Read the open stream to its end. */
struct tally {
    int64_t n_rows, n_filtered, id_sum;
};

static inline int read_stream(struct rank *rank, struct tally *tally, struct error *err)
{
    int status;
    *tally = (struct tally){ 0 };
    while ((status = source_next(rank->source, &rank->batch, err)) == 1) {
        tally->n_rows += rank->batch.n_rows;
        tally->n_filtered += rank->batch.n_filtered;
        for (int32_t i = 0; i < rank->batch.n_rows; i++)
            if (rank->batch.id.type == TYPE_INTEGER)
                tally->id_sum += rank->batch.id.integers[i];
    }
    return status;
}

/* The failure of opening with these overrides. */
static inline struct error refusal(const char *const *overrides, int n)
{
    struct rank rank;
    struct error err = { 0 };
    if (open_rank(&rank, overrides, n, NULL, NULL, NULL, &err) == 0)
        fail_msg("opened with %s", overrides[0]);
    close_rank(&rank);
    return err;
}

#endif
