/* A copy of a table, in which buildings far from all borders have left their shape behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/geometry/ewkb.h"
#include "rooftally/source/source.h"
#include "rooftally/source/store.h"

#include "check.h"
#include "store_source.h"

enum { SIDE = 20, N_BUILDINGS = SIDE * SIDE, SQUARE_BYTES = 93 };

/* EWKB of the square of this width with a corner at (x, y), as little endian has it. */
static void write_square(uint8_t bytes[SQUARE_BYTES], double x, double y, double width)
{
    const uint8_t head[13] = { 1, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0 };
    double points[10];
    for (int i = 0; i < 5; i++) {
        points[2 * i] = x + (i == 1 || i == 2 ? width : 0);
        points[2 * i + 1] = y + (i == 2 || i == 3 ? width : 0);
    }
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, points, sizeof points);
}

static char store_path[] = "/tmp/rooftally-shapeless-XXXXXX";
static char job_path[] = "/tmp/rooftally-shapeless-job-XXXXXX";

static bool has_shape(int64_t id)
{
    return id % 3 == 0;
}

/* Not a float, so that boxes are larger than buildings. */
static double place_of(int64_t i)
{
    return (double)i + 0.1;
}

static void write_store(void)
{
    struct store_plan plan = { .origin = "a test", .crs = "" };
    const struct store_options options = { .force = true, .any_order = true };
    struct store_writer *writer;
    struct store_counts counts;
    struct memory memory;
    struct error err;
    uint8_t bytes[SQUARE_BYTES], valid = 1;
    const struct text wkb = { (const char *)bytes, SQUARE_BYTES };
    plan.zones.id_type = TYPE_TEXT;
    plan.buildings.id_type = TYPE_INTEGER;
    strcpy(plan.zones.id_name, "zip");
    strcpy(plan.buildings.id_name, "id");
    assert_fine(memory_init(&memory, 16 << 20, &err), &err);
    assert_fine(store_writer_open(&writer, store_path, &plan, &options, &memory, &err),
                &err);
    write_square(bytes, 0, 0, SIDE);
    assert_fine(store_writer_zone(writer,
                                  (struct text){ "one", 3 },
                                  wkb,
                                  NULL,
                                  0,
                                  &err),
                &err);
    assert_fine(store_writer_zones_end(writer, 0, &err), &err);
    for (int64_t i = 0; i < N_BUILDINGS; i++) {
        const struct column id = { .type = TYPE_INTEGER,
                                   .valid = &valid,
                                   .integers = &i };
        double x = place_of(i % SIDE), y = place_of(i / SIDE);
        const struct box box = { x, y, x + 0.5, y + 0.5 };
        struct text shape = wkb;
        write_square(bytes, x, y, 0.5);
        shape.n = has_shape(i) ? shape.n : 0;
        assert_fine(store_writer_building(writer, &id, shape, &box, NULL, 0, &err),
                    &err);
    }
    assert_fine(store_writer_commit(writer, 0, &counts, &err), &err);
    assert_int_equal(counts.n_buildings, N_BUILDINGS);
    assert_int_equal(counts.n_no_geometry, 0);
    store_writer_close(writer);
    memory_release(&memory);
}

static struct job *open_job(void)
{
    struct job *job;
    struct error err;
    FILE *file = fopen(job_path, "wb");
    assert_non_null(file);
    fprintf(file,
            "[job]\noutput = unused.h5\n[source]\nkind = store\npath = %s\n"
            "[zones]\nid = zip\n[buildings]\nid = id\nkeep = id\n"
            "[statistics]\nbuildings = count\n",
            store_path);
    fclose(file);
    assert_fine(job_open(&job, job_path, NULL, 0, &err), &err);
    return job;
}

static void check_shape(const struct batch *batch, int32_t row)
{
    int64_t id = batch->id.integers[row];
    double x = place_of(id % SIDE), y = place_of(id / SIDE);
    const struct text wkb = batch->geometry[row];
    const struct box *box = &batch->boxes[row];
    uint8_t bytes[SQUARE_BYTES];
    struct ewkb head;
    assert_int_equal(ewkb_read((const uint8_t *)wkb.bytes, wkb.n, &head), EWKB_FINE);
    if (has_shape(id)) {
        write_square(bytes, x, y, 0.5);
        assert_int_equal(wkb.n, SQUARE_BYTES);
        assert_memory_equal(wkb.bytes, bytes, SQUARE_BYTES);
        return;
    }
    assert_int_equal(head.type, EWKB_POLYGON);
    assert_int_equal(head.n_vertices, 5);
    assert_memory_equal(&head.box, box, sizeof *box);
    assert_true(box->xmin <= x && box->xmax >= x + 0.5 && box->ymin <= y
                && box->ymax >= y + 0.5 && box->xmax - box->xmin < 0.50001);
}

/* All shapes, in a batch that has room for a few; how many came, or -1. */
static int64_t read_shapes(struct source *source,
                           const struct binding *binding,
                           struct memory *memory,
                           struct geos *geos,
                           struct error *err)
{
    enum { ROWS = 64, BYTES = 2000 };
    struct batch batch;
    struct zone *zone;
    struct text wkb;
    int32_t rows[ROWS], n;
    int64_t n_seen = 0;
    assert_fine(batch_init(&batch, binding, ROWS, BYTES, memory, err), err);
    assert_fine(source_prepare(source, memory, err), err);
    assert_fine(source_zone(source, "one", 3, &wkb, memory, err), err);
    assert_fine(zone_open(&zone,
                          geos,
                          (const uint8_t *)wkb.bytes,
                          wkb.n,
                          4, /* few cells, so that no block lies inside */
                          PREDICATE_WITHIN,
                          INVALID_TRUST,
                          false,
                          memory,
                          err),
                err);
    assert_fine(source_buildings(source, zone, err), err);
    while (source_next(source, &batch, err) == 1 && n_seen >= 0)
        for (int32_t i = 0; i < batch.n_rows && n_seen >= 0; i += n) {
            for (int32_t row = i; row < batch.n_rows; row++)
                rows[row - i] = row;
            n = source_geometry(source, &batch, rows, batch.n_rows - i, err);
            if (n < 0)
                n_seen = -1;
            for (int32_t row = i; row < i + n; row++, n_seen++)
                check_shape(&batch, row);
        }
    zone_close(zone);
    return n_seen;
}

static void a_box_stands_in_for_a_shape(void **unused)
{
    struct source *source;
    struct memory memory;
    struct geos *geos;
    struct error err;
    (void)unused;
    close(mkstemp(store_path));
    close(mkstemp(job_path));
    write_store();
    struct job *job = open_job();
    assert_fine(geos_open(&geos, &err), &err);
    for (int leaves = 1; leaves >= 0; leaves--) {
        struct binding binding = { 0 };
        assert_fine(memory_init(&memory, 16 << 20, &err), &err);
        assert_fine(store_source_open(&source, job, store_path, NULL, &err), &err);
        ((struct store_source *)source)->leaves_shapes = leaves;
        assert_fine(binding_init(&binding,
                                 job,
                                 &source_schema(source)->buildings,
                                 &err),
                    &err);
        assert_fine(source_bind(source, &binding, &err), &err);
        int64_t n = read_shapes(source, &binding, &memory, geos, &err);
        if (leaves)
            assert_int_equal(n, N_BUILDINGS);
        else /* in a store of its own it is damage */
            assert_true(n == -1 && err.code == ERROR_FORMAT);
        binding_release(&binding);
        source_close(source);
        memory_release(&memory);
    }
    geos_close(geos);
    job_close(job);
    unlink(store_path);
    unlink(job_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_stands_in_for_a_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
