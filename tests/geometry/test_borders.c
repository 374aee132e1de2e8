/* A building far from all borders: whatever its shape, its box answers for it. */
#include <float.h>
#include <stdlib.h>

#include "rooftally/geometry/borders.h"
#include "rooftally/geometry/ewkb.h"

#include "zones.h"

enum { MOST_ZONES = 4, N_WORDS = 1024 };

static struct shape zones[MOST_ZONES];
static int n_zones;

struct tally {
    int64_t n_far, n_inside, n_near;
};

static float float_below(double x)
{
    float f = (float)x;
    return (double)f > x ? nextafterf(f, -INFINITY) : f;
}

static float float_above(double x)
{
    return -float_below(-x);
}

static enum decision
asked(struct zone *zone, const struct shape *building, char reason[REASON_BYTES])
{
    enum decision decision;
    assert_fine(zone_refine(zone,
                            building->bytes,
                            building->n,
                            &decision,
                            reason,
                            &err),
                &err);
    return decision;
}

/* The box with its sides rounded outwards, as a store has it. */
static void put_around(struct shape *shape, const struct box *box)
{
    shape_init(shape);
    put_type(shape, POLYGON, 0);
    put_count(shape, 1);
    put_rectangle(shape,
                  float_below(box->xmin),
                  float_below(box->ymin),
                  float_above(box->xmax),
                  float_above(box->ymax));
}

static void
check_far(const struct shape *building, const struct box *box, struct tally *tally)
{
    static struct shape around;
    char reason[REASON_BYTES];
    put_around(&around, box);
    for (int i = 0; i < n_zones; i++)
        for (int p = 0; p < 2; p++) {
            struct memory_mark mark = memory_mark(&memory);
            enum predicate predicate = p ? PREDICATE_INTERSECTS : PREDICATE_WITHIN;
            struct zone *zone = open_zone(&zones[i], 64, predicate, INVALID_TRUST);
            enum decision shape = asked(zone, building, reason);
            assert_int_not_equal(shape, DECISION_REJECTED);
            assert_int_equal(asked(zone, &around, reason), shape);
            tally->n_inside += shape == DECISION_INSIDE;
            zone_close(zone);
            memory_rewind(&memory, &mark);
        }
    tally->n_far++;
}

static struct box put_zones(uint64_t *seed)
{
    struct box all = { 1, 1, 0, 0 };
    static struct shape place;
    struct ewkb head;
    shape_init(&place);
    set_place(&place, seed);
    n_zones = 0;
    for (int i = 0, n = 1 + random_below(seed, MOST_ZONES); i < n; i++) {
        struct shape *zone = &zones[n_zones];
        shape_init(zone);
        zone->scale = place.scale;
        zone->x = place.x + i * 1.5 * place.scale;
        zone->y = place.y;
        put_zone(zone, seed, random_below(seed, N_KINDS));
        if (ewkb_read(zone->bytes, zone->n, &head) != EWKB_FINE)
            continue;
        if (n_zones++ == 0)
            all = head.box;
        all.xmin = fmin(all.xmin, head.box.xmin);
        all.ymin = fmin(all.ymin, head.box.ymin);
        all.xmax = fmax(all.xmax, head.box.xmax);
        all.ymax = fmax(all.ymax, head.box.ymax);
    }
    return all;
}

static void check_state(uint64_t seed, struct tally *tally)
{
    static uint64_t bits[N_WORDS];
    static struct shape building;
    struct borders borders;
    struct box all = put_zones(&seed);
    struct ewkb head;
    if (n_zones == 0)
        return;
    borders_init(&borders, &all, bits, 1 + random_below(&seed, N_WORDS));
    for (int i = 0; i < n_zones; i++)
        borders_add(&borders,
                    zones[i].bytes,
                    zones[i].n,
                    zone_is_surely_valid(zones[i].bytes, zones[i].n, &memory));
    for (int i = 0; i < 60; i++) {
        double size = pow(10, -4 * random_unit(&seed));
        double x = all.xmin + (1.1 * random_unit(&seed) - 0.05) * (all.xmax - all.xmin);
        double y = all.ymin + (1.1 * random_unit(&seed) - 0.05) * (all.ymax - all.ymin);
        shape_init(&building);
        building.scale = size * (all.xmax - all.xmin);
        building.x = x;
        building.y = y;
        put_type(&building, POLYGON, 0);
        put_count(&building, 1);
        put_star(&building, &seed, 0, 0, 0.5, 0.9, 4 + random_below(&seed, 9));
        if (ewkb_read(building.bytes, building.n, &head) != EWKB_FINE || head.empty)
            continue;
        if (borders_are_far(&borders, &head.box))
            check_far(&building, &head.box, tally);
        else
            tally->n_near++;
    }
}

static void a_box_far_from_borders_answers_for_its_shape(void **unused)
{
    struct tally tally = { 0 };
    (void)unused;
    for (int i = 0; i < few(3000); i++)
        check_state(UINT64_C(7919) * (uint64_t)i + 3, &tally);
    print_message("%lld far, of their questions %lld inside; %lld near\n",
                  (long long)tally.n_far,
                  (long long)tally.n_inside,
                  (long long)tally.n_near);
    assert_true(tally.n_far > few(10000) && tally.n_inside > few(5000)
                && tally.n_near > few(10000));
}

/* The square from 0 to 100, in 64 by 64 cells. */
static void set_up_square(struct borders *borders, uint64_t bits[64])
{
    shape_init(&zones[0]);
    put_type(&zones[0], POLYGON, 0);
    put_count(&zones[0], 1);
    put_rectangle(&zones[0], 0, 0, 100, 100);
    borders_init(borders, &(struct box){ 0, 0, 100, 100 }, bits, 64);
    borders_add(borders, zones[0].bytes, zones[0].n, true);
}

static void near_is_what_meets_a_cell_of_an_edge(void **unused)
{
    uint64_t bits[64];
    struct borders borders;
    (void)unused;
    set_up_square(&borders, bits);
    assert_true(borders_are_far(&borders, &(struct box){ 50, 50, 50, 50 }));
    assert_true(borders_are_far(&borders, &(struct box){ 2, 2, 98, 98 }));
    static const struct box near[] = {
        { 1, 50, 2, 51 },      { 50, 50, 99, 51 },    { 50, 0, 51, 2 },
        { 50, 98, 50.1, 100 }, { -5, 50, -4, 51 },    { 50, 50, 150, 51 },
        { NAN, 50, 51, 51 },   { 50, 50, 51, NAN },   { -INFINITY, 50, 51, 51 },
        { 51, 51, 50, 50 },    { 50, 50, 51, 1e300 },
    };
    for (size_t i = 0; i < sizeof near / sizeof *near; i++)
        assert_false(borders_are_far(&borders, &near[i]));
}

/* What cannot be a raster has no building that is far. */
static void no_extent_no_raster(void **unused)
{
    static const struct box extents[] = {
        { 1, 1, 0, 0 },   { 0, 0, 0, 1 },           { 0, 0, 1, 0 },
        { 0, 0, NAN, 1 }, { 0, 0, 1, DBL_MIN / 4 }, { -DBL_MAX, 0, DBL_MAX, 1 },
    };
    uint64_t bits[64];
    struct borders borders;
    (void)unused;
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
        borders_init(&borders, &extents[i], bits, 64);
        borders_add(&borders, zones[0].bytes, zones[0].n, true);
        assert_false(borders_are_far(&borders, &(struct box){ 0.5, 0.5, 0.5, 0.5 }));
    }
    set_up_square(&borders, bits);
    static const uint8_t damaged[] = { 1, 3, 0, 0, 0, 1, 0, 0 };
    borders_add(&borders, damaged, sizeof damaged, true);
    assert_false(borders_are_far(&borders, &(struct box){ 50, 50, 50, 50 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_far_from_borders_answers_for_its_shape),
        cmocka_unit_test(near_is_what_meets_a_cell_of_an_edge),
        cmocka_unit_test(no_extent_no_raster),
    };
    return cmocka_run_group_tests(tests, open_things, close_things);
}
