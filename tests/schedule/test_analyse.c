/* One zone from the twin of a source to its record, against a plain recount. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/schedule/analyse.h"
#include "rooftally/source/memory.h"

#include "check.h"

enum { MOST = 4000, RECTANGLE_BYTES = 93 };

/* A rectangle as EWKB. */
static void put_rectangle(uint8_t *out, double x0, double y0, double x1, double y1)
{
    const double corners[5][2] = {
        { x0, y0 }, { x1, y0 }, { x1, y1 }, { x0, y1 }, { x0, y0 }
    };
    const uint32_t head[] = { 3, 1, 5 };
    out[0] = 1;
    memcpy(out + 1, head, sizeof head);
    memcpy(out + 13, corners, sizeof corners);
}

/* The world of a test: one zone, a square of side 100 at the origin, and buildings. */
struct town {
    uint8_t zone_wkb[RECTANGLE_BYTES];
    uint8_t wkb[MOST][RECTANGLE_BYTES];
    struct box boxes[MOST];
    double heights[MOST];
    int64_t ids[MOST];
    char texts[MOST][2][32]; /* id, height */
    const char *values[MOST][1];
    struct memory_row rows[MOST], zone_row;
    int64_t n;
};

static struct town town;
static char job_path[] = "/tmp/rooftally-analyse-XXXXXX";

static double random_below(double limit)
{
    return limit * (rand() / (RAND_MAX + 1.0));
}

static void make_town(int64_t n, unsigned seed)
{
    srand(seed);
    town.n = n;
    put_rectangle(town.zone_wkb, 0, 0, 100, 100);
    town.zone_row =
        (struct memory_row){ "02139", town.zone_wkb, RECTANGLE_BYTES, NULL };
    for (int64_t i = 0; i < n; i++) {
        /* Some lie on the border exactly, some across it, some beyond. */
        double x = floor(random_below(130)) - 15, y = floor(random_below(130)) - 15;
        double w = 1 + floor(random_below(8)), h = 1 + floor(random_below(8));
        town.boxes[i] = (struct box){ x, y, x + w, y + h };
        put_rectangle(town.wkb[i], x, y, x + w, y + h);
        town.ids[i] = (i * 7919) % 100003; /* unique, in no order */
        town.heights[i] = floor(random_below(40));
        snprintf(town.texts[i][0], 32, "%lld", (long long)town.ids[i]);
        snprintf(town.texts[i][1], 32, "%.17g", town.heights[i]);
        town.values[i][0] = i % 11 == 0 ? NULL : town.texts[i][1];
        town.rows[i] = (struct memory_row){
            town.texts[i][0], town.wkb[i], RECTANGLE_BYTES, town.values[i]
        };
    }
}

/* Everything that analyse_zone needs, opened and closed. */
struct bench {
    struct job *job;
    struct memory memory;
    struct source *source;
    struct binding binding;
    struct statistics *statistics;
    struct geos *geos;
    struct analysis analysis;
    struct memory_tables tables;
    struct zone_list zones;
    int n_records;
};

/* The record is gone after the sink, so the sink does the checking. */
static int check_record(void *context, const struct zone_record *r, struct error *err)
{
    struct bench *bench = context;
    (void)err;
    int64_t n_selected = 0, n_filtered = 0, n_candidates = 0;
    double sum = 0;
    for (int64_t i = 0; i < town.n; i++) {
        struct box b = town.boxes[i];
        bool meets = b.xmin <= 100 && b.ymin <= 100 && b.xmax >= 0 && b.ymax >= 0;
        bool within = b.xmin >= 0 && b.ymin >= 0 && b.xmax <= 100 && b.ymax <= 100;
        double cx = 0.5 * (b.xmin + b.xmax), cy = 0.5 * (b.ymin + b.ymax);
        bool inside = bench->job->predicate == PREDICATE_WITHIN ? within
                      : bench->job->predicate == PREDICATE_INTERSECTS
                          ? meets
                          : cx > 0 && cy > 0 && cx < 100 && cy < 100;
        bool pass = town.values[i][0] && town.heights[i] > 10;
        n_candidates += meets;
        if (inside && pass) {
            n_selected++;
            sum += town.heights[i];
        }
        n_filtered += inside && !pass;
    }
    assert_int_equal(r->n_selected, n_selected);
    assert_int_equal(r->n_candidates,
                     r->n_selected + r->n_outside + r->n_filtered + r->n_rejected);
    assert_true(r->n_candidates >= n_candidates - (town.n - n_candidates));
    assert_true(r->n_candidates <= town.n);
    assert_true(r->n_filtered >= n_filtered);
    assert_int_equal(r->n_rejected, 0);
    assert_int_equal(r->outputs[0].integers[0], n_selected);
    if (n_selected > 0)
        assert_true(r->outputs[1].reals[0] == sum);
    assert_int_equal(r->n_keep, 2);
    for (int64_t i = 1; i < n_selected; i++)
        assert_true(r->keep[0].integers[i - 1] < r->keep[0].integers[i]);
    for (int64_t i = 0; i < n_selected; i++) {
        bool found = false;
        for (int64_t k = 0; k < town.n && !found; k++)
            found = town.ids[k] == r->keep[0].integers[i]
                    && town.heights[k] == r->keep[1].reals[i];
        assert_true(found);
    }
    assert_true(r->area_m2 == 100.0 * 100.0);
    bench->n_records++;
    return 0;
}

static void open_bench(struct bench *bench, const char *predicate, const char *memory)
{
    static const char *const names[] = { "height" };
    static const enum value_type types[] = { TYPE_REAL };
    struct error err;
    *bench = (struct bench){ 0 };
    FILE *file = fopen(job_path, "w");
    assert_non_null(file);
    fprintf(file,
            "[job]\noutput = x.h5\n[source]\nkind = postgres\n[zones]\ntable = "
            "zone\nid = id\n"
            "geometry = geometry\n[buildings]\ntable = building\nid = id\ngeometry = "
            "geometry\n"
            "fields = height\nwhere = height > 10\nkeep = id, height\npredicate = %s\n"
            "[statistics]\nn = count\ntotal = sum(height)\np = median(height)\n"
            "[limits]\nmemory = %s\n",
            predicate,
            memory);
    fclose(file);
    assert_fine(job_open(&bench->job, job_path, NULL, 0, &err), &err);
    assert_fine(memory_init(&bench->memory, bench->job->memory_bytes, &err), &err);
    bench->tables = (struct memory_tables){
        .zones = { .id_type = TYPE_TEXT, .rows = &town.zone_row, .n_rows = 1 },
        .buildings = { .id_type = TYPE_INTEGER,
                       .names = names,
                       .types = types,
                       .n_columns = 1,
                       .rows = town.rows,
                       .n_rows = town.n },
    };
    assert_fine(source_memory_open(&bench->source, bench->job, &bench->tables, &err),
                &err);
    const struct source_schema *schema = source_schema(bench->source);
    assert_fine(binding_init(&bench->binding, bench->job, &schema->buildings, &err),
                &err);
    bench->binding.id_type = schema->building_id_type;
    assert_fine(statistics_bind(&bench->statistics, bench->job, &bench->binding, &err),
                &err);
    assert_fine(source_bind(bench->source, &bench->binding, &err), &err);
    assert_fine(geos_open(&bench->geos, &err), &err);
    assert_fine(source_zones(bench->source, &bench->zones, &bench->memory, &err), &err);
    bench->analysis = (struct analysis){ .source = bench->source,
                                         .binding = &bench->binding,
                                         .statistics = bench->statistics,
                                         .geos = bench->geos,
                                         .memory = &bench->memory,
                                         .start_s = clock_wall_s(),
                                         .sink = check_record,
                                         .sink_context = bench };
    assert_fine(analyse_init(&bench->analysis, &err), &err);
}

static void close_bench(struct bench *bench)
{
    source_close(bench->source);
    statistics_free(bench->statistics);
    binding_release(&bench->binding);
    geos_close(bench->geos);
    memory_release(&bench->memory);
    job_close(bench->job);
}

static int analyse(struct bench *bench, struct message *counts, struct error *err)
{
    struct message_zone zone = {
        .row = 0, .estimate = (double)town.n, .n_id = 5, .id = bench->zones.ids
    };
    return analyse_zone(&bench->analysis, &zone, counts, err);
}

static void a_zone_is_what_a_recount_says(void **state)
{
    (void)state;
    static const char *const predicates[] = { "within", "intersects", "centroid" };
    static const char *const limits[] = { "8 MiB", "64 MiB" };
    static const int64_t sizes[] = { 0, 1, 255, 256, 257, 2048, MOST };
    for (int p = 0; p < 3; p++)
        for (int m = 0; m < 2; m++)
            for (int s = 0; s < 7; s++) {
                struct bench bench;
                struct error err;
                struct message counts;
                make_town(sizes[s], (unsigned)(s + 10 * p));
                open_bench(&bench, predicates[p], limits[m]);
                int64_t used = bench.memory.used_bytes;
                for (int again = 0; again < 2; again++) {
                    assert_fine(analyse(&bench, &counts, &err), &err);
                    assert_int_equal(bench.memory.used_bytes, used);
                }
                assert_int_equal(bench.n_records, 2);
                close_bench(&bench);
            }
}

static int check_rejected(void *context, const struct zone_record *r, struct error *err)
{
    struct bench *bench = context;
    (void)err;
    assert_int_equal(r->n_rejected, 3);
    assert_int_equal(r->n_candidates,
                     r->n_selected + r->n_outside + r->n_filtered + r->n_rejected);
    for (int64_t i = 1; i < 3; i++)
        assert_true(r->rejected_id.integers[i - 1] < r->rejected_id.integers[i]);
    for (int64_t i = 0; i < 3; i++)
        assert_true(r->rejected_reason[i].n > 5);
    bench->n_records++;
    return 0;
}

static void what_geos_cannot_take_is_rejected_with_its_reason(void **state)
{
    (void)state;
    struct bench bench;
    struct error err;
    struct message counts;
    make_town(50, 5);
    double nan = NAN;
    memcpy(town.wkb[3] + 13 + 24, &nan, 8); /* not finite */
    town.wkb[20][1] = 7;                    /* a collection, and malformed at that */
    town.rows[31].n_wkb = 40;               /* cut */
    open_bench(&bench, "within", "8 MiB");
    bench.analysis.sink = check_rejected;
    assert_fine(analyse(&bench, &counts, &err), &err);
    assert_int_equal(bench.n_records, 1);
    close_bench(&bench);
}

static void a_broken_source_leaves_nothing_behind(void **state)
{
    (void)state;
    struct bench bench;
    struct error err;
    struct message counts;
    struct memory_fault fault = { "02139", true, ERROR_SOURCE, 1 };
    make_town(MOST, 6);
    open_bench(&bench, "within", "8 MiB");
    int64_t used = bench.memory.used_bytes;
    bench.tables.fault = &fault;
    assert_refused(analyse(&bench, &counts, &err), &err, ERROR_SOURCE, "zone 02139");
    assert_int_equal(bench.memory.used_bytes, used);
    assert_int_equal(bench.n_records, 0);
    assert_fine(analyse(&bench, &counts, &err), &err); /* and the next try is whole */
    assert_int_equal(bench.n_records, 1);
    close_bench(&bench);
}

static void a_zone_that_does_not_fit_says_what_it_needs(void **state)
{
    (void)state;
    struct bench bench;
    struct error err;
    struct message counts;
    make_town(MOST, 7);
    open_bench(&bench, "within", "8 MiB");
    int64_t used = bench.memory.used_bytes;
    bench.memory.budget_bytes = used + 60000; /* too little for 4000 buildings */
    assert_refused(analyse(&bench, &counts, &err), &err, ERROR_BUDGET, "zone 02139: ");
    assert_non_null(strstr(err.text, "needs"));
    assert_int_equal(bench.memory.used_bytes, used);
    bench.memory.budget_bytes = 8 << 20;
    assert_fine(analyse(&bench, &counts, &err), &err);
    close_bench(&bench);
}

static int set_up(void **state)
{
    (void)state;
    int file = mkstemp(job_path);
    return file < 0 ? -1 : close(file);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(job_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_what_a_recount_says),
        cmocka_unit_test(what_geos_cannot_take_is_rejected_with_its_reason),
        cmocka_unit_test(a_broken_source_leaves_nothing_behind),
        cmocka_unit_test(a_zone_that_does_not_fit_says_what_it_needs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
