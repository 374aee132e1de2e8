#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rooftally/source/memory.h"

/* A square polygon, little-endian. */
struct square {
    uint8_t wkb[93];
};

static struct square square(double x, double y, double side)
{
    const double ring[10] = {
        x, y, x + side, y, x + side, y + side, x, y + side, x, y
    };
    const uint32_t head[3] = { 3, 1, 5 };
    struct square out = { { 1 } };
    memcpy(out.wkb + 1, head, 12);
    memcpy(out.wkb + 13, ring, 80);
    return out;
}

enum { N_BUILDINGS = 40 };

struct fixture {
    struct square zones[3], buildings[N_BUILDINGS];
    struct memory_row zone_rows[4], building_rows[N_BUILDINGS + 2];
    struct memory_tables tables;
    struct memory_fault fault;
    struct job job;
    struct source *source;
    struct binding binding;
    struct memory memory;
    struct geos *geos;
    struct zone *zone;
    struct batch batch;
};

static const char *const names[] = { "height", "use" };
static const enum value_type types[] = { TYPE_REAL, TYPE_TEXT };
static const char *const ids[] = { "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",
                                   "10", "11", "12", "13", "14", "15", "16", "17", "18",
                                   "19", "20", "21", "22", "23", "24", "25", "26", "27",
                                   "28", "29", "30", "31", "32", "33", "34", "35", "36",
                                   "37", "38", "39", "40", "41", "42" };
static const char *const tall[] = { "12.5", "house" }, *const unknown[] = { NULL,
                                                                            NULL };

/* Buildings stand at x = 0, 1, ... 39; zones are 0 to 10, 10 to 20, 20 to 30. */
static void set_up(struct fixture *f)
{
    static const char *const zone_ids[] = { "b", "a", "c", "none" };
    memset(f, 0, sizeof *f);
    for (int i = 0; i < 3; i++) {
        f->zones[i] = square(10 * i, 0, 10);
        f->zone_rows[i] = (struct memory_row){
            zone_ids[i], f->zones[i].wkb, sizeof f->zones[i].wkb, NULL
        };
    }
    f->zone_rows[3] = (struct memory_row){ zone_ids[3], NULL, 0, NULL };
    for (int i = 0; i < N_BUILDINGS; i++) {
        f->buildings[i] = square(i + 0.25, 5, 0.5);
        f->building_rows[i] = (struct memory_row){ ids[i],
                                                   f->buildings[i].wkb,
                                                   sizeof f->buildings[i].wkb,
                                                   i % 2 ? tall : unknown };
    }
    f->building_rows[N_BUILDINGS] =
        (struct memory_row){ ids[N_BUILDINGS], NULL, 0, unknown };
    f->tables = (struct memory_tables){
        .zones = { .id_type = TYPE_TEXT, .rows = f->zone_rows, .n_rows = 4 },
        .buildings = { .id_type = TYPE_INTEGER,
                       .names = names,
                       .types = types,
                       .n_columns = 2,
                       .rows = f->building_rows,
                       .n_rows = N_BUILDINGS + 1 },
        .fault = &f->fault,
    };
    f->job.kind = SOURCE_MEMORY;
    f->binding = (struct binding){ .id_type = TYPE_INTEGER, .n_slots = 3 };
    f->binding.slots[0] =
        (struct slot){ .type = TYPE_REAL, .origin = SLOT_SOURCE, .column = "height" };
    f->binding.slots[1] = (struct slot){ .type = TYPE_REAL, .origin = SLOT_MEASURE };
    f->binding.slots[2] =
        (struct slot){ .type = TYPE_TEXT, .origin = SLOT_SOURCE, .column = "use" };
    assert_int_equal(memory_init(&f->memory, 4 << 20, NULL), 0);
    assert_int_equal(geos_open(&f->geos, NULL), 0);
    assert_int_equal(source_memory_open(&f->source, &f->job, &f->tables, NULL), 0);
    assert_int_equal(source_bind(f->source, &f->binding, NULL), 0);
}

static void tear_down(struct fixture *f)
{
    zone_close(f->zone);
    geos_close(f->geos);
    source_close(f->source);
    memory_release(&f->memory);
}

static int open_zone(struct fixture *f,
                     const char *id,
                     int32_t capacity,
                     int64_t bytes,
                     struct error *err)
{
    struct text wkb;
    zone_close(f->zone);
    f->zone = NULL;
    if (source_zone(f->source, id, (int32_t)strlen(id), &wkb, &f->memory, err)
        || zone_open(&f->zone,
                     f->geos,
                     (const uint8_t *)wkb.bytes,
                     wkb.n,
                     10,
                     PREDICATE_WITHIN,
                     INVALID_TRUST,
                     false,
                     &f->memory,
                     err)
        || batch_init(&f->batch, &f->binding, capacity, bytes, &f->memory, err))
        return -1;
    return source_buildings(f->source, f->zone, err);
}

static void zones_are_sorted_and_sized(void **state)
{
    (void)state;
    struct fixture f;
    struct zone_list zones;
    set_up(&f);
    assert_int_equal(source_zones(f.source, &zones, &f.memory, NULL), 0);
    assert_int_equal(zones.n, 4);
    assert_int_equal(zones.id_bytes, 4);
    assert_memory_equal(zones.ids, "a\0\0\0b\0\0\0c\0\0\0none", 16);
    assert_true(zones.boxes[0].xmin == 10 && zones.boxes[1].xmin == 0);
    assert_true(zones.estimates[0] == 10 && zones.estimates[3] == 0);
    assert_int_equal(zones.n_vertices[0], 5);
    assert_int_equal(zones.n_no_geometry, 1);
    tear_down(&f);
}

static void bad_zones_are_refused(void **state)
{
    (void)state;
    static const uint8_t point[21] = { 1, 1 };
    struct zone_list zones;
    struct error err = { 0 };
    const struct {
        const char *id, *says;
        bool is_point;
    } cases[] = { { NULL, "null", false },
                  { "", "empty", false },
                  { "a", "two zones have the id 'a'", false },
                  { "p", "zone 'p' is not a polygon", true } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        set_up(&f);
        f.zone_rows[2].id = cases[i].id;
        if (cases[i].is_point)
            f.zone_rows[2] = (struct memory_row){ cases[i].id, point, 21, NULL };
        assert_int_equal(source_zones(f.source, &zones, &f.memory, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_non_null(strstr(err.text, cases[i].says));
        tear_down(&f);
    }
}

static void candidates_come_once_in_batches_of_any_size(void **state)
{
    (void)state;
    for (int32_t capacity = 1; capacity <= 12; capacity++)
        for (int64_t bytes = 98; bytes < 1200; bytes += 93) {
            struct fixture f;
            struct error err = { 0 };
            int64_t n = 0, sum = 0;
            int status;
            set_up(&f);
            assert_int_equal(open_zone(&f, "a", capacity, bytes, &err), 0);
            while ((status = source_next(f.source, &f.batch, &err)) == 1)
                for (int32_t i = 0; i < f.batch.n_rows; i++, n++) {
                    int64_t id = f.batch.id.integers[i];
                    sum += id;
                    assert_int_equal(f.batch.columns[0].valid[i], id % 2 == 0);
                    if (id % 2 == 0) {
                        assert_true(f.batch.columns[0].reals[i] == 12.5);
                        assert_memory_equal(f.batch.columns[2].texts[i].bytes,
                                            "house",
                                            5);
                    }
                    assert_int_equal(f.batch.geometry[i].n, 93);
                    assert_true(f.batch.boxes[i].xmin == (double)id - 0.75);
                    assert_int_equal(f.batch.n_filtered, 0);
                }
            assert_int_equal(status, 0);
            assert_int_equal(n, 10);
            assert_int_equal(sum, 155);
            assert_int_equal(source_next(f.source, &f.batch, &err), 0);
            tear_down(&f);
        }
}

static void a_row_too_large_is_named(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = { 0 };
    set_up(&f);
    assert_int_equal(open_zone(&f, "a", 5, 92, &err), 0);
    assert_int_equal(source_next(f.source, &f.batch, &err), -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.text, "building 11 needs 93 bytes"));
    tear_down(&f);
}

static void cancel_ends_a_stream_and_the_next_zone_works(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = { 0 };
    set_up(&f);
    source_cancel(f.source);
    assert_int_equal(open_zone(&f, "a", 2, 1000, &err), 0);
    assert_int_equal(source_next(f.source, &f.batch, &err), 1);
    source_cancel(f.source);
    assert_int_equal(source_next(f.source, &f.batch, &err), 0);
    assert_int_equal(open_zone(&f, "b", 100, 10000, &err), 0);
    assert_int_equal(source_next(f.source, &f.batch, &err), 1);
    assert_int_equal(f.batch.n_rows, 10);
    tear_down(&f);
}

static void zones_without_geometry_or_gone_are_told(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = { 0 };
    struct text wkb = { "x", 1 };
    set_up(&f);
    assert_int_equal(source_zone(f.source, "none", 4, &wkb, &f.memory, &err), 0);
    assert_int_equal(wkb.n, 0);
    assert_int_equal(source_zone(f.source, "nobody", 6, &wkb, &f.memory, &err), -1);
    assert_int_equal(err.code, ERROR_DATA);
    tear_down(&f);
}

static void faults_happen_as_often_as_asked(void **state)
{
    (void)state;
    struct fixture f;
    struct error err = { 0 };
    set_up(&f);
    f.fault = (struct memory_fault){ "a", false, ERROR_SOURCE, 2 };
    assert_int_equal(open_zone(&f, "b", 4, 1000, &err), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_zone(&f, "a", 4, 1000, &err), -1);
        assert_int_equal(err.code, ERROR_SOURCE);
    }
    assert_int_equal(open_zone(&f, "a", 4, 1000, &err), 0);
    f.fault = (struct memory_fault){ "a", true, ERROR_DATA, 1 };
    assert_int_equal(source_next(f.source, &f.batch, &err), 1);
    assert_int_equal(source_next(f.source, &f.batch, &err), -1);
    assert_int_equal(err.code, ERROR_DATA);
    assert_int_equal(source_next(f.source, &f.batch, &err), 1);
    tear_down(&f);
}

static void the_schema_names_what_the_tables_have(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct source_schema *schema = source_schema(f.source);
    assert_int_equal(schema->buildings.n, 4);
    assert_string_equal(schema->buildings.columns[2].name, "height");
    assert_int_equal(schema->buildings.columns[2].type, TYPE_REAL);
    assert_null(schema->buildings.columns[2].sql);
    assert_int_equal(schema->zone_id_type, TYPE_TEXT);
    assert_false(schema->crs.geographic);
    assert_string_equal(source_snapshot(f.source), "");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_are_sorted_and_sized),
        cmocka_unit_test(bad_zones_are_refused),
        cmocka_unit_test(candidates_come_once_in_batches_of_any_size),
        cmocka_unit_test(a_row_too_large_is_named),
        cmocka_unit_test(cancel_ends_a_stream_and_the_next_zone_works),
        cmocka_unit_test(zones_without_geometry_or_gone_are_told),
        cmocka_unit_test(faults_happen_as_often_as_asked),
        cmocka_unit_test(the_schema_names_what_the_tables_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
