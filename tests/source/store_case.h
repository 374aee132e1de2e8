/* A store of a small synthetic state, and everything that can be read from it. */
#ifndef ROOFTALLY_TESTS_SOURCE_STORE_CASE_H
#define ROOFTALLY_TESTS_SOURCE_STORE_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/source/source.h"
#include "rooftally/source/store.h"
#include "rooftally/source/synthetic.h"

#include "check.h"
#include "source_open.h"

static char store_path[] = "/tmp/rooftally-store-XXXXXX";
static char job_path[] = "/tmp/rooftally-store-job-XXXXXX";

static struct job *make_job(const char *where)
{
    struct job *job;
    struct error err;
    FILE *file = fopen(job_path, "wb");
    assert_non_null(file);
    fprintf(file,
            "[job]\noutput = unused.h5\n[source]\nkind = store\npath = %s\n"
            "[zones]\nid = zip\n"
            "[buildings]\nid = id\nfields = height, size, year_built, use, notes\n"
            "keep = id, height, size, year_built, use, notes\n%s\n"
            "[statistics]\nbuildings = count\n",
            store_path,
            where);
    fclose(file);
    assert_fine(job_open(&job, job_path, NULL, 0, &err), &err);
    return job;
}

/* Bytes of a file; *n of them, on the heap. */
static uint8_t *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

/* What reading a whole store adds up to. */
struct totals {
    int64_t n_zones, n_rows, n_inside, n_filtered, n_geometry_bytes;
};

static int read_zone(struct source *source,
                     const struct zone_list *zones,
                     int64_t row,
                     struct geos *geos,
                     struct batch *batch,
                     int32_t *rows,
                     struct totals *totals,
                     struct memory *memory,
                     struct error *err)
{
    const char *id = zones->ids + row * zones->id_bytes;
    struct text wkb;
    struct zone *zone = NULL;
    int status = -1, more = -1;
    if (source_zone(source,
                    id,
                    (int32_t)strnlen(id, (size_t)zones->id_bytes),
                    &wkb,
                    memory,
                    err)
        || zone_open(&zone,
                     geos,
                     (const uint8_t *)wkb.bytes,
                     wkb.n,
                     1000,
                     PREDICATE_WITHIN,
                     INVALID_TRUST,
                     false,
                     memory,
                     err)
        || source_buildings(source, zone, err))
        goto out;
    while ((more = source_next(source, batch, err)) == 1) {
        for (int32_t i = 0; i < batch->n_rows; i++) {
            rows[i] = i;
            totals->n_inside += batch->inside[i];
        }
        for (int32_t i = 0, n; i < batch->n_rows; i += n) {
            n = source_geometry(source, batch, rows + i, batch->n_rows - i, err);
            if (n < 0)
                goto out;
            for (int32_t j = i; j < i + n; j++)
                totals->n_geometry_bytes += batch->geometry[j].n;
        }
        totals->n_rows += batch->n_rows;
        totals->n_filtered += batch->n_filtered;
    }
    status = more;
out:
    if (zone)
        zone_close(zone);
    return status;
}

/* Open the store and read every zone and building of it. */
static int read_store(const struct job *job, struct totals *totals, struct error *err)
{
    struct source *source = NULL;
    struct binding binding = { 0 };
    struct memory memory;
    struct geos *geos = NULL;
    struct zone_list zones;
    struct batch batch;
    enum { ROWS = 700 };
    static int32_t rows[ROWS];
    int status = -1;
    *totals = (struct totals){ 0 };
    assert_fine(memory_init(&memory, 32 << 20, err), err);
    assert_fine(geos_open(&geos, err), err);
    if (source_open(&source, job, NULL, 0, NULL, NULL, err)
        || binding_init(&binding, job, &source_schema(source)->buildings, err)
        || source_bind(source, &binding, err)
        || source_zones(source, &zones, &memory, err)
        || batch_init(&batch, &binding, ROWS, 300 * 1024, &memory, err)
        || source_prepare(source, &memory, err))
        goto out;
    status = 0;
    totals->n_zones = zones.n;
    for (int64_t row = 0; row < zones.n && status == 0; row++) {
        struct memory_mark mark = memory_mark(&memory);
        status =
            read_zone(source, &zones, row, geos, &batch, rows, totals, &memory, err);
        memory_rewind(&memory, &mark);
    }
out:
    binding_release(&binding);
    source_close(source);
    geos_close(geos);
    memory_release(&memory);
    return status;
}

/* The ranks that generate; NULL: one. */
static const struct team *store_team;

static int generate(const char *path,
                    int64_t n_zones,
                    int64_t n_buildings,
                    bool force,
                    int64_t memory_bytes,
                    struct error *err)
{
    struct memory memory;
    struct synthetic_state state;
    struct store_counts counts;
    const struct store_options options = { .team = store_team, .force = force };
    assert_fine(memory_init(&memory, memory_bytes, err), err);
    assert_fine(synthetic_init(&state, n_zones, n_buildings, 7, &memory, err), err);
    int status = store_generate(&state, path, &options, &counts, &memory, err);
    memory_release(&memory);
    return status;
}

#endif
