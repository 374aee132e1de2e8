#include "rooftally/geometry/zone.h"

#include "zones.h"

static void covers_hold_every_point_of_the_zone(void **state)
{
    (void)state;
    static struct shape shape;
    uint64_t seed = 77;
    for (int i = 0; i < 400; i++) {
        struct memory_mark mark = memory_mark(&memory);
        int kind = random_below(&seed, N_KINDS), n_max = 1 + random_below(&seed, 20);
        int64_t n_expected =
            random_below(&seed, 2) ? 4000 : random_below(&seed, 100000);
        struct box boxes[20];
        shape_init(&shape);
        set_place(&shape, &seed);
        put_zone(&shape, &seed, kind);
        struct zone *zone =
            open_zone(&shape, n_expected, PREDICATE_INTERSECTS, INVALID_TRUST);
        int n = zone_cover(zone, boxes, n_max, 20);
        assert_in_range(n, 1, n_max);
        struct box all = zone_box(zone);
        for (int k = 0; k < n; k++) {
            assert_true(boxes[k].xmin >= all.xmin && boxes[k].xmax <= all.xmax);
            assert_true(boxes[k].ymin >= all.ymin && boxes[k].ymax <= all.ymax);
        }
        enum { N_POINTS = 2000 };
        for (int k = 0; k < N_POINTS + shape.n_points; k++) {
            struct point p = { all.xmin + random_unit(&seed) * (all.xmax - all.xmin),
                               all.ymin + random_unit(&seed) * (all.ymax - all.ymin) };
            if (k >= N_POINTS)
                p = shape.points[k - N_POINTS];
            enum decision decision = decided(zone, (struct box){ p.x, p.y, p.x, p.y });
            if (decision == DECISION_OUTSIDE)
                continue;
            bool held = false;
            for (int b = 0; b < n && !held; b++)
                held = p.x >= boxes[b].xmin && p.x <= boxes[b].xmax
                       && p.y >= boxes[b].ymin && p.y <= boxes[b].ymax;
            if (!held)
                fail_msg("zone %d of kind %d: (%.17g, %.17g) is in no box",
                         i,
                         kind,
                         p.x,
                         p.y);
        }
        zone_close(zone);
        memory_rewind(&memory, &mark);
    }
}

static double area_of(const struct box *box)
{
    return (box->xmax - box->xmin) * (box->ymax - box->ymin);
}

/* A zone like a zip code: bays and headlands of three sizes, and a crinkled border.
 * Returns its area. */
static double put_zip_code(struct shape *shape, uint64_t *seed)
{
    enum { N = 610 };
    struct point points[N];
    double phase[3], twice = 0;
    for (int k = 0; k < 3; k++)
        phase[k] = 2 * M_PI * random_unit(seed);
    for (int i = 0; i < N; i++) {
        double angle = 2 * M_PI * i / N;
        double r = 1 + 0.15 * sin(3 * angle + phase[0])
                   + 0.1 * sin(7 * angle + phase[1]) + 0.03 * sin(23 * angle + phase[2])
                   + 0.02 * random_unit(seed);
        points[i] = (struct point){ r * cos(angle), r * sin(angle) };
    }
    shape_init(shape);
    put_type(shape, POLYGON, 0);
    put_count(shape, 1);
    put_ring(shape, points, N);
    for (int i = 0, k = N - 1; i < N; k = i++)
        twice += points[k].x * points[i].y - points[i].x * points[k].y;
    return twice / 2;
}

/* Over-fetching is the enemy: the one box of such a zone has 1.7 times its area. */
static void a_cover_has_little_more_area_than_its_zone(void **state)
{
    (void)state;
    static struct shape shape;
    uint64_t seed = 5;
    double area = 0, one = 0, sums[2] = { 0, 0 };
    const int n_most[2] = { 8, 16 };
    for (int i = 0; i < 100; i++) {
        struct memory_mark mark = memory_mark(&memory);
        struct box boxes[16];
        area += put_zip_code(&shape, &seed);
        struct zone *zone = open_zone(&shape, 7000, PREDICATE_WITHIN, INVALID_TRUST);
        struct box all = zone_box(zone);
        one += area_of(&all);
        for (int m = 0; m < 2; m++) {
            int n = zone_cover(zone, boxes, n_most[m], 20);
            for (int k = 0; k < n; k++)
                sums[m] += area_of(&boxes[k]);
        }
        assert_int_equal(zone_cover(zone, boxes, 16, 1e9), 1); /* boxes cost too much */
        assert_memory_equal(&boxes[0], &all, sizeof all);
        zone_close(zone);
        memory_rewind(&memory, &mark);
    }
    print_message("of a zone's area: one box %.3f, a cover of at most 8 boxes %.3f, 16 "
                  "boxes %.3f\n",
                  one / area,
                  sums[0] / area,
                  sums[1] / area);
    assert_true(sums[0] < 1.25 * area);
    assert_true(sums[1] < 1.2 * area);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers_hold_every_point_of_the_zone),
        cmocka_unit_test(a_cover_has_little_more_area_than_its_zone),
    };
    return cmocka_run_group_tests(tests, open_things, close_things);
}
