/* The same tables from memory and from a store: the same record, bit for bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/schedule/analyse.h"
#include "rooftally/source/memory.h"
#include "rooftally/source/store.h"

#include "check.h"
#include "source_open.h"

enum {
    N_BUILDINGS = 20000, /* more than a cache of 8 MiB, and than a group of blocks */
    N_ZONES = 3,
    N_FIELDS = 6,
    RING = 64, /* points of the middle zone */
    MOST_WKB = 13 + 16 * (RING + 1),
};

static const char *const names[N_FIELDS] = { "height", "floors", "flat",
                                             "built",  "use",    "notes" };
static const enum value_type types[N_FIELDS] = { TYPE_REAL, TYPE_INTEGER, TYPE_BOOLEAN,
                                                 TYPE_DATE, TYPE_TEXT,    TYPE_TEXT };

static int n_buildings;
static struct memory_row zones[N_ZONES], buildings[N_BUILDINGS];
static uint8_t zone_wkb[N_ZONES][MOST_WKB], building_wkb[N_BUILDINGS][MOST_WKB];
static char ids[N_BUILDINGS][24], texts[N_BUILDINGS][N_FIELDS][40];
static const char *values[N_BUILDINGS][N_FIELDS];
static char store_path[] = "/tmp/rooftally-both-XXXXXX";
static double scale = 1, shift; /* of all coordinates */
static char job_path[] = "/tmp/rooftally-both-job-XXXXXX";

static double random_below(double limit)
{
    return limit * (rand() / (RAND_MAX + 1.0));
}

static int64_t put_ring(uint8_t *out, const double (*points)[2], uint32_t n)
{
    const uint32_t head[] = { 3, 1, n };
    out[0] = 1;
    memcpy(out + 1, head, sizeof head);
    for (uint32_t i = 0; i < 2 * n; i++) {
        double at = points[i / 2][i % 2] * scale + shift;
        memcpy(out + 13 + 8 * i, &at, sizeof at);
    }
    return 13 + (int64_t)(n * sizeof *points);
}

static int64_t put_rectangle(uint8_t *out, double x0, double y0, double x1, double y1)
{
    const double points[5][2] = {
        { x0, y0 }, { x1, y0 }, { x1, y1 }, { x0, y1 }, { x0, y0 }
    };
    return put_ring(out, points, 5);
}

/* Two squares that share a border, and a star across both of them. */
static void make_zones(void)
{
    double star[RING + 1][2];
    for (int i = 0; i <= RING; i++) {
        double angle = 6.283185307179586 * (i % RING) / RING;
        double radius = i % 2 ? 330 : 470;
        star[i][0] = 500 + radius * cos(angle);
        star[i][1] = 500 + radius * sin(angle);
    }
    zones[0] = (struct memory_row){ "a", zone_wkb[0], 0, NULL };
    zones[0].n_wkb = put_rectangle(zone_wkb[0], 0, 0, 500, 1000);
    zones[1] = (struct memory_row){ "b", zone_wkb[1], 0, NULL };
    zones[1].n_wkb = put_rectangle(zone_wkb[1], 500, 0, 1000, 1000);
    zones[2] = (struct memory_row){ "star", zone_wkb[2], 0, NULL };
    zones[2].n_wkb = put_ring(zone_wkb[2], (const double(*)[2])star, RING + 1);
}

/* `built` grows from west to east, so that blocks differ in it. */
static void make_values(int i, double x)
{
    static const char *const uses[] = { "", "shed", "house", "office \xc3\xa9" };
    snprintf(texts[i][0], 40, "%.17g", floor(random_below(400)) / 7);
    snprintf(texts[i][1], 40, "%d", rand() % 9 - 2);
    snprintf(texts[i][2], 40, "%s", rand() % 2 ? "t" : "f");
    snprintf(texts[i][3], 40, "%d", 10 * (int)x + rand() % 30);
    snprintf(texts[i][4], 40, "%s", uses[rand() % 4]);
    snprintf(texts[i][5], 40, "note %d of a building", i);
    for (int f = 0; f < N_FIELDS; f++)
        values[i][f] = rand() % 10 == 0 ? NULL : texts[i][f];
}

static void make_buildings(bool with_text_id, bool with_faults)
{
    for (int i = 0; i < n_buildings; i++) {
        /* on the border, across it, beyond it; whole numbers touch */
        double x = floor(random_below(1040)) - 20, y = floor(random_below(1040)) - 20;
        double w = 1 + floor(random_below(9)), h = 1 + floor(random_below(9));
        snprintf(ids[i],
                 sizeof *ids,
                 with_text_id ? "b%d" : "%d",
                 (int)((int64_t)i * 7919 % 100003) - 40000);
        buildings[i] = (struct memory_row){ ids[i], building_wkb[i], 0, values[i] };
        buildings[i].n_wkb = put_rectangle(building_wkb[i], x, y, x + w, y + h);
        make_values(i, x);
    }
    if (!with_faults)
        return;
    /* across all zones, because memory does not know where what it cannot read lies */
    double nan = NAN;
    put_rectangle(building_wkb[3], 490, 490, 510, 510);
    memcpy(building_wkb[3] + 13 + 24, &nan, 8);
    building_wkb[20][1] = 7;
    buildings[31].n_wkb = 40;
    buildings[32].n_wkb = 0; /* null */
    double bow[5][2] = { { 10, 10 }, { 20, 20 }, { 20, 10 }, { 10, 20 }, { 10, 10 } };
    buildings[33].n_wkb = put_ring(building_wkb[33], (const double(*)[2])bow, 5);
}

/* The rows of the tables in an order of their own. */
static void write_store(bool with_text_id)
{
    struct store_plan plan = { .origin = "a test", .crs = "" };
    struct store_options options = { .force = true };
    struct store_counts counts;
    struct store_writer *writer;
    struct memory memory;
    struct error err;
    strcpy(plan.zones.id_name, "id");
    plan.zones.id_type = TYPE_TEXT;
    strcpy(plan.buildings.id_name, "id");
    plan.buildings.id_type = with_text_id ? TYPE_TEXT : TYPE_INTEGER;
    plan.buildings.n_fields = N_FIELDS;
    for (int f = 0; f < N_FIELDS; f++) {
        strcpy(plan.buildings.fields[f].name, names[f]);
        plan.buildings.fields[f].type = types[f];
    }
    assert_fine(memory_init(&memory, 16 << 20, &err), &err);
    assert_fine(store_writer_open(&writer, store_path, &plan, &options, &memory, &err),
                &err);
    for (int i = N_ZONES; i-- > 0;) {
        struct text id = { zones[i].id, (int64_t)strlen(zones[i].id) };
        struct text wkb = { (const char *)zones[i].wkb, zones[i].n_wkb };
        assert_fine(store_writer_zone(writer, id, wkb, NULL, 0, &err), &err);
    }
    assert_fine(store_writer_zones_end(writer, 0, &err), &err);
    for (int k = 0; k < n_buildings; k++) {
        int i = (int)((int64_t)k * 4001 % n_buildings);
        uint8_t valid[N_FIELDS + 1];
        int64_t integers[N_FIELDS + 1];
        double real = 0;
        struct text words[N_FIELDS + 1];
        struct column columns[N_FIELDS + 1];
        for (int f = 0; f <= N_FIELDS; f++) {
            const char *value = f == N_FIELDS ? ids[i] : values[i][f];
            enum value_type type = f < N_FIELDS ? types[f] : plan.buildings.id_type;
            columns[f] = (struct column){ .type = type, .valid = &valid[f] };
            valid[f] = value != NULL;
            if (type == TYPE_TEXT) {
                columns[f].texts = &words[f];
                words[f] = (struct text){ value, value ? (int64_t)strlen(value) : 0 };
            } else if (type == TYPE_REAL) {
                columns[f].reals = &real;
                real = value ? strtod(value, NULL) : 0;
            } else {
                columns[f].integers = &integers[f];
                integers[f] = !value ? 0 : *value == 't' ? 1 : strtoll(value, NULL, 10);
            }
        }
        struct text wkb = { (const char *)buildings[i].wkb, buildings[i].n_wkb };
        assert_fine(store_writer_building(writer,
                                          &columns[N_FIELDS],
                                          wkb,
                                          NULL,
                                          columns,
                                          0,
                                          &err),
                    &err);
    }
    assert_fine(store_writer_commit(writer, 0, &counts, &err), &err);
    assert_int_equal(counts.n_zones, N_ZONES);
    assert_int_equal(counts.n_buildings + counts.n_no_geometry, n_buildings);
    store_writer_close(writer);
    memory_release(&memory);
}

/* A record as bytes, without what telemetry alone is told. */
struct bytes {
    uint8_t *bytes;
    size_t n;
};

struct side {
    const struct statistics *statistics;
    struct bytes records[N_ZONES];
    int64_t n_selected, n_candidates, n_bytes, n_rejected[N_ZONES];
};

static int put(void *context, const void *bytes, size_t n, struct error *err)
{
    struct bytes *to = context;
    (void)err;
    to->bytes = realloc(to->bytes, to->n + n + 1);
    assert_non_null(to->bytes);
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
    return 0;
}

static int keep(void *context, const struct zone_record *record, struct error *err)
{
    struct side *side = context;
    struct zone_record plain = *record;
    assert_int_equal(record->n_candidates,
                     record->n_selected + record->n_outside + record->n_filtered
                         + record->n_rejected);
    side->n_selected += record->n_selected;
    side->n_candidates += record->n_candidates;
    side->n_bytes += record->n_bytes;
    side->n_rejected[record->row] = record->n_rejected;
    plain.n_candidates = plain.n_outside = plain.n_filtered = 0;
    plain.n_decided = plain.n_refined = plain.n_bytes = 0;
    plain.start_s = plain.wall_s = 0;
    return record_encode(&plain,
                         side->statistics,
                         put,
                         &side->records[record->row],
                         err);
}

static void
run(const struct job *job, bool from_store, bool with_text_id, struct side *side)
{
    struct error err;
    struct memory memory;
    struct source *source;
    struct binding binding;
    struct statistics *statistics;
    struct geos *geos;
    struct zone_list list;
    const struct memory_tables tables = {
        .zones = { .id_type = TYPE_TEXT, .rows = zones, .n_rows = N_ZONES },
        .buildings = { .id_type = with_text_id ? TYPE_TEXT : TYPE_INTEGER,
                       .names = names,
                       .types = types,
                       .n_columns = N_FIELDS,
                       .rows = buildings,
                       .n_rows = n_buildings },
    };
    *side = (struct side){ 0 };
    assert_fine(memory_init(&memory, job->memory_bytes, &err), &err);
    if (from_store)
        assert_fine(source_open(&source, job, NULL, 0, NULL, NULL, &err), &err);
    else
        assert_fine(source_memory_open(&source, job, &tables, &err), &err);
    const struct source_schema *schema = source_schema(source);
    assert_fine(binding_init(&binding, job, &schema->buildings, &err), &err);
    assert_fine(statistics_bind(&statistics, job, &binding, &err), &err);
    assert_fine(source_bind(source, &binding, &err), &err);
    assert_fine(geos_open(&geos, &err), &err);
    assert_fine(source_zones(source, &list, &memory, &err), &err);
    assert_int_equal(list.n, N_ZONES);
    side->statistics = statistics;
    struct analysis analysis = { .source = source,
                                 .binding = &binding,
                                 .statistics = statistics,
                                 .geos = geos,
                                 .memory = &memory,
                                 .start_s = clock_wall_s(),
                                 .sink = keep,
                                 .sink_context = side };
    assert_fine(analyse_init(&analysis, &err), &err);
    for (int64_t row = 0; row < list.n; row++) {
        struct message counts;
        const char *id = list.ids + row * list.id_bytes;
        struct message_zone zone = { .row = row,
                                     .estimate = 3000,
                                     .n_id =
                                         (int32_t)strnlen(id, (size_t)list.id_bytes),
                                     .id = id };
        assert_fine(analyse_zone(&analysis, &zone, &counts, &err), &err);
    }
    geos_close(geos);
    source_close(source);
    statistics_free(statistics);
    binding_release(&binding);
    memory_release(&memory);
}

static struct job *open_job(const char *buildings_keys, const char *memory)
{
    struct job *job;
    struct error err;
    FILE *file = fopen(job_path, "w");
    assert_non_null(file);
    fprintf(file,
            "[job]\noutput = x.h5\n[source]\nkind = store\npath = %s\n"
            "[zones]\nid = id\n[buildings]\nid = id\n"
            "fields = height, floors, flat, built, use, notes, volume = height * "
            "floors,"
            " size = area_m2\n"
            "keep = id, height, use, notes, volume\n%s\n"
            "[statistics]\nn = count\ntotal = sum(height)\np = median(height)\n"
            "most = max(built)\nkinds = frequency(use)\nvol = sum(volume)\n"
            "area = sum(size)\nhigh = top(floors, 5)\n"
            "[limits]\nmemory = %s\n",
            store_path,
            buildings_keys,
            memory);
    fclose(file);
    assert_fine(job_open(&job, job_path, NULL, 0, &err), &err);
    return job;
}

/* Pairs of a zone and a building whose boxes meet; a building without a box meets all. */
static int64_t count_pairs(void)
{
    int64_t n = 0;
    for (int i = 0; i < N_ZONES; i++) {
        struct box zone, box;
        assert_int_equal(ewkb_bounds(zones[i].wkb, zones[i].n_wkb, &zone), 0);
        for (int k = 0; k < n_buildings; k++)
            n += ewkb_bounds(buildings[k].wkb, buildings[k].n_wkb, &box) != 0
                 || (box.xmin <= zone.xmax && zone.xmin <= box.xmax
                     && box.ymin <= zone.ymax && zone.ymin <= box.ymax);
    }
    return n;
}

static void compare(const char *keys, const char *memory, bool with_text_id)
{
    struct side a, b;
    struct job *job = open_job(keys, memory);
    run(job, false, with_text_id, &a);
    run(job, true, with_text_id, &b);
    assert_true(a.n_selected > 0);
    assert_true(b.n_candidates <= count_pairs());
    for (int i = 0; i < N_ZONES; i++) {
        assert_int_equal(a.records[i].n, b.records[i].n);
        assert_memory_equal(a.records[i].bytes, b.records[i].bytes, a.records[i].n);
        free(a.records[i].bytes);
        free(b.records[i].bytes);
    }
    job_close(job);
}

static void compare_all(bool with_text_id)
{
    static const char *const keys[] = {
        "",
        "predicate = intersects",
        "predicate = centroid",
        "invalid = repair",
        "where = height > 20",
        "where = height > 1000 or use = 'house'\npredicate = intersects",
        "where = use <> 'shed' and (floors > 1 or notes like '%77%')",
        "where = not flat or built < '1990-05-17'\npredicate = centroid",
        "where = built between '1975-01-01' and '1978-06-01' and height > 5",
        "where = built < '1972-01-01' or built > '1990-01-01'",
        "where = floors > 1 and '1980-09-03' > built and built >= "
        "'1980-02-03'\npredicate = intersects",
        /* the most and the least of every block */
        "where = floors >= 6 and use <> 'shed'",
        "where = floors <= -2",
        "where = floors = 6 and height < 40",
        "where = floors between 6 and 60",
        "where = 6 <= floors",
        "where = floors in (6, 99)",
        "where = height >= 57",
        "where = area_m2 > 30 and height > 10",
        "where = size > 30 or floors is null\ninvalid = skip",
        "where = volume between -10 and 90 and id is not null",
        "where = notes >= 'note 5' and height <= 5",
    };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        compare(keys[k], k % 2 == with_text_id ? "8 MiB" : "64 MiB", with_text_id);
    }
}

static void a_store_answers_as_memory_does(void **unused)
{
    (void)unused;
    for (int text = 0; text < 2; text++) {
        srand(5 + (unsigned)text);
        make_buildings(text, false);
        write_store(text);
        compare_all(text);
    }
}

/* The store keeps boxes as floats: here none of their sides is one, nor of the zones', which
 * buildings touch. */
static void sides_that_are_no_floats_decide_alike(void **unused)
{
    (void)unused;
    scale = 0.1;
    shift = 1 / 3.0;
    make_zones();
    srand(7);
    make_buildings(false, false);
    write_store(false);
    compare("", "8 MiB", false);
    compare("predicate = intersects", "8 MiB", false);
    compare("predicate = centroid", "8 MiB", false);
    compare("invalid = repair", "8 MiB", false);
    scale = 1;
    shift = 0;
    make_zones();
}

static int64_t bytes_read(const char *keys)
{
    struct side side;
    struct job *job = open_job(keys, "8 MiB");
    run(job, true, false, &side);
    for (int i = 0; i < N_ZONES; i++)
        free(side.records[i].bytes);
    job_close(job);
    return side.n_bytes;
}

static void blocks_that_cannot_pass_are_not_read(void **unused)
{
    (void)unused;
    srand(5);
    make_buildings(false, false);
    write_store(false);
    int64_t all = bytes_read("where = built < '2030-01-01'");
    int64_t few = bytes_read("where = built < '1971-01-01'");
    /* what may overflow has to be asked of every row, if it comes first */
    int64_t asked = bytes_read("where = floors * 2 < 99 and built < '1971-01-01'");
    assert_true(few < all / 3);
    assert_true(few < asked * 9 / 10);
}

/* Without a filter, because memory decides before it filters. */
static void what_cannot_be_read_is_rejected_alike(void **unused)
{
    static const char *const keys[] = { "",
                                        "predicate = intersects",
                                        "predicate = centroid",
                                        "invalid = skip",
                                        "invalid = repair\npredicate = centroid" };
    (void)unused;
    srand(9);
    make_buildings(false, true);
    write_store(false);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        compare(keys[k], "8 MiB", false);
}

/* Two lobes whose areas are almost each other's opposite: the centroid lies far outside. */
static void centroids_outside_their_boxes_decide_alike(void **unused)
{
    (void)unused;
    srand(11);
    make_buildings(false, false);
    for (int i = 0; i < n_buildings; i += 20) {
        double x = random_below(1000), y = random_below(1000), d = 1 + random_below(3);
        const double bow[5][2] = {
            { x, y }, { x + 20, y + 20 }, { x + 20, y }, { x, y + 20 + d }, { x, y }
        };
        buildings[i].n_wkb = put_ring(building_wkb[i], bow, 5);
    }
    write_store(false);
    compare("predicate = centroid", "8 MiB", false);
    compare("predicate = centroid\nwhere = height > 20", "64 MiB", false);
}

/* NaN is greater than every number, and a block may have one among its smaller ones. */
static void blocks_with_numbers_that_are_none_decide_alike(void **unused)
{
    (void)unused;
    srand(13);
    make_buildings(false, false);
    for (int i = 0; i < n_buildings; i += 100)
        if (values[i][0])
            strcpy(texts[i][0], "nan");
    write_store(false);
    compare("where = height > 1000", "8 MiB", false);
    compare("where = height >= 57", "8 MiB", false);
    compare("where = height < 3", "8 MiB", false);
}

/* What cannot be read lies where its finite vertices do, though all about it is decided by
 * blocks. */
static void a_fault_inside_a_zone_is_rejected_there(void **unused)
{
    double nan = NAN;
    struct side side;
    (void)unused;
    srand(17);
    make_buildings(false, false);
    put_rectangle(building_wkb[7], 250, 500, 260, 510); /* in `a` and the star */
    memcpy(building_wkb[7] + 13 + 24, &nan, 8);
    put_rectangle(building_wkb[8], 900, 100, 910, 110); /* in `b` */
    memcpy(building_wkb[8] + 13 + 24, &nan, 8);
    write_store(false);
    struct job *job = open_job("", "8 MiB");
    run(job, true, false, &side);
    assert_int_equal(side.n_rejected[0], 1);
    assert_int_equal(side.n_rejected[1], 1);
    assert_int_equal(side.n_rejected[2], 1);
    for (int i = 0; i < N_ZONES; i++)
        free(side.records[i].bytes);
    job_close(job);
}

static int set_up(void **unused)
{
    (void)unused;
    close(mkstemp(store_path));
    close(mkstemp(job_path));
    make_zones();
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    unlink(store_path);
    return unlink(job_path);
}

int main(void)
{
    n_buildings = few(N_BUILDINGS);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_answers_as_memory_does),
        cmocka_unit_test(sides_that_are_no_floats_decide_alike),
        cmocka_unit_test(blocks_that_cannot_pass_are_not_read),
        cmocka_unit_test(centroids_outside_their_boxes_decide_alike),
        cmocka_unit_test(blocks_with_numbers_that_are_none_decide_alike),
        cmocka_unit_test(a_fault_inside_a_zone_is_rejected_there),
        cmocka_unit_test(what_cannot_be_read_is_rejected_alike),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
