/* What a store tells of shapes: boxes that hold their buildings and no more, zones' areas and
 * whether they are certainly valid. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/geometry/ewkb.h"
#include "rooftally/source/source.h"
#include "rooftally/source/store.h"

#include "check.h"
#include "geometry/shapes.h"
#include "source_open.h"
#include "store_fill.h"

enum { POLYGON = 3, MULTIPOLYGON = 6, N_BUILDINGS = 5000 };

static char store_path[] = "/tmp/rooftally-shapes-XXXXXX";
static char job_path[] = "/tmp/rooftally-shapes-job-XXXXXX";
static struct box boxes[N_BUILDINGS];
static uint64_t seed = 3;

static void put_square(struct shape *shape, double x, double y, double side)
{
    put_rectangle(shape, x, y, x + side, y + side);
}

static void put_bowtie(struct shape *shape)
{
    struct point points[4] = { { 0, 0 }, { 10, 8 }, { 10, 0 }, { 0, 10 } };
    put_count(shape, 1);
    put_ring(shape, points, 4);
}

static void put_hole_inside(struct shape *shape)
{
    put_count(shape, 2);
    put_square(shape, 0, 0, 10);
    put_square(shape, 4, 4, 2);
}

static void put_hole_outside(struct shape *shape)
{
    put_count(shape, 2);
    put_square(shape, 0, 0, 10);
    put_square(shape, 20, 4, 2);
}

static void put_two(struct shape *shape, double x)
{
    put_count(shape, 2);
    put_part(shape, POLYGON);
    put_count(shape, 1);
    put_square(shape, 0, 0, 10);
    put_part(shape, POLYGON);
    put_count(shape, 1);
    put_square(shape, x, 0, 5);
}

static void put_two_apart(struct shape *shape)
{
    put_two(shape, 20);
}

static void put_two_across(struct shape *shape)
{
    put_two(shape, 7);
}

static void put_plain(struct shape *shape)
{
    put_count(shape, 1);
    put_square(shape, 3, 4, 10);
}

static void put_none(struct shape *shape)
{
    put_count(shape, 0);
}

/* Sorted by id, as the store sorts them. */
static const struct {
    const char *id;
    uint32_t type;
    void (*put)(struct shape *shape);
    double area_m2;
    bool valid;
} zones[] = {
    { "a plain one", POLYGON, put_plain, 100, true },
    { "b bowtie", POLYGON, put_bowtie, -1, false },
    { "c hole", POLYGON, put_hole_inside, 96, true },
    { "d hole outside", POLYGON, put_hole_outside, 96, false },
    { "e two", MULTIPOLYGON, put_two_apart, 125, true },
    { "f two across", MULTIPOLYGON, put_two_across, 125, false },
    { "g empty", POLYGON, put_none, 0, false },
};
enum { N_ZONES = sizeof zones / sizeof zones[0] };

/* Every size of number; some that are floats, some that no float comes near. */
static double any_number(int i)
{
    static const double few[] = { 0, 1, -1, 0.1, -0.1, 1e-50, -1e-50, 1e38, -1e38 };
    if (i % 7 == 0)
        return few[random_below(&seed, sizeof few / sizeof few[0])];
    if (i % 7 == 1)
        return (float)(200 * random_unit(&seed) - 100);
    if (i % 7 == 2)
        return ldexp(random_unit(&seed) - 0.5, random_below(&seed, 250) - 125);
    return 360 * random_unit(&seed) - 180;
}

static void write_buildings(struct store_writer *writer)
{
    static struct shape shape;
    struct error err;
    for (int64_t i = 0; i < N_BUILDINGS; i++) {
        uint8_t valid = 1;
        struct column id = { .type = TYPE_INTEGER, .valid = &valid, .integers = &i };
        double x0 = any_number((int)i), x1 = any_number((int)i);
        double y0 = any_number((int)i), y1 = any_number((int)i);
        shape_init(&shape);
        put_type(&shape, POLYGON, 0);
        put_count(&shape, 1);
        put_rectangle(&shape, x0, y0, x1, y1);
        boxes[i] =
            (struct box){ fmin(x0, x1), fmin(y0, y1), fmax(x0, x1), fmax(y0, y1) };
        struct text wkb = { (const char *)shape.bytes, shape.n };
        assert_fine(store_writer_building(writer, &id, wkb, NULL, NULL, 0, &err), &err);
    }
}

static int set_up(void **unused)
{
    static struct shape shape;
    struct store_plan plan = { .origin = "a test", .crs = "" };
    struct store_options options = { .force = true };
    struct store_counts counts;
    struct store_writer *writer;
    struct memory memory;
    struct error err;
    (void)unused;
    close(mkstemp(store_path));
    close(mkstemp(job_path));
    strcpy(plan.zones.id_name, "id");
    plan.zones.id_type = TYPE_TEXT;
    strcpy(plan.buildings.id_name, "id");
    plan.buildings.id_type = TYPE_INTEGER;
    assert_fine(memory_init(&memory, 16 << 20, &err), &err);
    assert_fine(store_writer_open(&writer, store_path, &plan, &options, &memory, &err),
                &err);
    for (int i = N_ZONES; i-- > 0;) {
        shape_init(&shape);
        put_type(&shape, zones[i].type, 0);
        zones[i].put(&shape);
        struct text id = { zones[i].id, (int64_t)strlen(zones[i].id) };
        struct text wkb = { (const char *)shape.bytes, shape.n };
        assert_fine(store_writer_zone(writer, id, wkb, NULL, 0, &err), &err);
    }
    assert_fine(store_writer_zones_end(writer, 0, &err), &err);
    write_buildings(writer);
    assert_fine(store_writer_commit(writer, 0, &counts, &err), &err);
    store_writer_close(writer);
    memory_release(&memory);
    FILE *job = fopen(job_path, "w");
    fprintf(job,
            "[job]\noutput = x.h5\n[source]\nkind = store\npath = %s\n[zones]\nid = "
            "id\n"
            "[buildings]\nid = id\n[statistics]\nn = count\n",
            store_path);
    return fclose(job);
}

static int tear_down(void **unused)
{
    (void)unused;
    unlink(store_path);
    return unlink(job_path);
}

/* Whether `at` is the greatest float that is not above the value. */
static bool is_next_below(float at, double value)
{
    return at <= value && nextafterf(at, INFINITY) > value;
}

static void floats_are_next_to_their_numbers(void **unused)
{
    (void)unused;
    for (int i = 0; i < 100000; i++) {
        double value = any_number(i);
        assert_true(is_next_below(store_float_below(value), value));
        assert_true(is_next_below(-store_float_above(value), -value));
    }
    assert_true(store_float_below(1e300) == FLT_MAX);
    assert_true(store_float_above(1e300) == INFINITY);
    assert_true(store_float_below(-1e300) == -INFINITY);
    assert_true(store_float_above(-1e300) == -FLT_MAX);
    assert_true(store_float_below(INFINITY) == INFINITY);
    assert_true(store_float_above(-INFINITY) == -INFINITY);
}

static void boxes_hold_their_buildings_and_no_more(void **unused)
{
    enum { AT_ONCE = 500 };
    float scratch[4 * AT_ONCE];
    struct box read[AT_ONCE];
    int64_t ids[AT_ONCE];
    struct store *store;
    struct error err;
    (void)unused;
    assert_fine(store_open(&store, store_path, false, &err), &err);
    assert_int_equal(store->buildings.n, N_BUILDINGS);
    for (int64_t at = 0; at < N_BUILDINGS; at += AT_ONCE) {
        assert_fine(store_read_row_boxes(store, at, AT_ONCE, scratch, read, &err),
                    &err);
        assert_fine(store_read(store,
                               store->buildings.id_at + 8 * at,
                               ids,
                               sizeof ids,
                               &err),
                    &err);
        for (int i = 0; i < AT_ONCE; i++) {
            const struct box *box = &boxes[ids[i]];
            assert_true(is_next_below((float)read[i].xmin, box->xmin));
            assert_true(is_next_below((float)read[i].ymin, box->ymin));
            assert_true(is_next_below(-(float)read[i].xmax, -box->xmax));
            assert_true(is_next_below(-(float)read[i].ymax, -box->ymax));
        }
    }
    store_close(store);
}

/* What a source that is opened now knows of a zone. */
static struct zone_shape shape_of(const char *id)
{
    struct job *job;
    struct source *source = NULL;
    struct memory memory;
    struct text wkb;
    struct error err;
    assert_fine(job_open(&job, job_path, NULL, 0, &err), &err);
    assert_fine(memory_init(&memory, 8 << 20, &err), &err);
    assert_fine(source_open(&source, job, NULL, 0, NULL, NULL, &err), &err);
    assert_fine(source_zone(source, id, (int32_t)strlen(id), &wkb, &memory, &err),
                &err);
    struct zone_shape shape = source_zone_shape(source);
    source_close(source);
    memory_release(&memory);
    job_close(job);
    return shape;
}

static void areas_and_validity_are_the_zones_own(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_ZONES; i++) {
        struct zone_shape shape = shape_of(zones[i].id);
        assert_int_equal(shape.valid, zones[i].valid);
        if (zones[i].area_m2 >= 0)
            assert_true(shape.area_m2 == zones[i].area_m2);
    }
}

/* Before, between and after the ids that there are. */
static void a_zone_that_is_not_there_is_refused(void **unused)
{
    static const char *const ids[] = { "", "a", "a plain on", "a plain one more", "z" };
    struct job *job;
    struct source *source = NULL;
    struct memory memory;
    struct text wkb;
    struct error err;
    (void)unused;
    assert_fine(job_open(&job, job_path, NULL, 0, &err), &err);
    assert_fine(memory_init(&memory, 8 << 20, &err), &err);
    assert_fine(source_open(&source, job, NULL, 0, NULL, NULL, &err), &err);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_refused(source_zone(source,
                                   ids[i],
                                   (int32_t)strlen(ids[i]),
                                   &wkb,
                                   &memory,
                                   &err),
                       &err,
                       ERROR_DATA,
                       "gone");
    source_close(source);
    memory_release(&memory);
    job_close(job);
}

/* A file may have been written by anybody: what can be no area is not known, and a zone is
 * valid only where exactly that is said. */
static void what_can_be_no_shape_is_not_known(void **unused)
{
    static const double areas_m2[] = { NAN, -1, INFINITY, -INFINITY };
    struct store *store;
    struct error err;
    (void)unused;
    assert_fine(store_open(&store, store_path, true, &err), &err);
    for (size_t i = 0; i < sizeof areas_m2 / sizeof areas_m2[0]; i++) {
        assert_fine(store_write(store, store->zones.area_at, &areas_m2[i], 8, &err),
                    &err);
        assert_true(isnan(shape_of(zones[0].id).area_m2));
        assert_true(shape_of(zones[0].id).valid);
    }
    for (int flag = 0; flag < 256; flag++) {
        uint8_t byte = (uint8_t)flag;
        assert_fine(store_write(store, store->zones.valid_at, &byte, 1, &err), &err);
        assert_int_equal(shape_of(zones[0].id).valid, flag == 1);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_next_to_their_numbers),
        cmocka_unit_test(boxes_hold_their_buildings_and_no_more),
        cmocka_unit_test(areas_and_validity_are_the_zones_own),
        cmocka_unit_test(a_zone_that_is_not_there_is_refused),
        cmocka_unit_test(what_can_be_no_shape_is_not_known),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
