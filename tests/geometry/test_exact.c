/* The promise of the room: the grid never disagrees with GEOS. */
#include <stdio.h>
#include <stdlib.h>

#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/zone.h"

#include "geos.h"
#include "zones.h"

/* A point that is likely to make trouble: on a vertex, an edge, a cell line, or just
 * beside one of these; else anywhere about the zone. */
static struct point
awkward_point(const struct shape *zone, struct box box, uint64_t *seed)
{
    int i = random_below(seed, zone->n_points - 1);
    struct point a = zone->points[i], b = zone->points[i + 1], p = a;
    double t = random_unit(seed);
    switch (random_below(seed, 8)) {
    case 0:
        break;
    case 1:
        p = (struct point){ a.x / 2 + b.x / 2, a.y / 2 + b.y / 2 };
        break;
    case 2:
        p = (struct point){ a.x + t * (b.x - a.x), a.y + t * (b.y - a.y) };
        break;
    case 3:
        p.x = box.xmin + random_below(seed, 17) / 16.0 * (box.xmax - box.xmin);
        p.y = box.ymin + random_below(seed, 17) / 16.0 * (box.ymax - box.ymin);
        break;
    default:
        p.x = box.xmin + (1.2 * random_unit(seed) - 0.1) * (box.xmax - box.xmin);
        p.y = box.ymin + (1.2 * random_unit(seed) - 0.1) * (box.ymax - box.ymin);
        break;
    }
    if (random_below(seed, 8) == 0)
        p.x = nextafter(p.x, random_below(seed, 2) ? HUGE_VAL : -HUGE_VAL);
    if (random_below(seed, 8) == 0)
        p.y = nextafter(p.y, random_below(seed, 2) ? HUGE_VAL : -HUGE_VAL);
    return p;
}

static void put_building(struct shape *shape,
                         const struct shape *zone,
                         struct box box,
                         uint64_t *seed)
{
    double size = pow(10, -3 * random_unit(seed));
    double width = size * (box.xmax - box.xmin) * random_unit(seed);
    double height = size * (box.ymax - box.ymin) * random_unit(seed);
    struct point p = awkward_point(zone, box, seed), q = awkward_point(zone, box, seed);
    int i = random_below(seed, zone->n_points - 1);
    struct point a = zone->points[i], b = zone->points[i + 1];

    shape_init(shape);
    switch (random_below(seed, 16)) {
    case 0:
        put_type(shape, 1, 0);
        put_raw(shape, p.x, p.y);
        break;
    case 1:
        put_type(shape, 2, 0);
        put_count(shape, 2);
        put_raw(shape, p.x, p.y);
        put_raw(shape, random_below(seed, 2) ? q.x : p.x, q.y);
        break;
    case 2: /* along an edge of the zone */
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_ring(shape, (struct point[]){ a, b, p }, 3);
        break;
    case 3: /* no area: a flat one, or all in one point */
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_rectangle(shape, p.x, p.y, random_below(seed, 2) ? p.x : q.x, p.y);
        break;
    case 4: /* from one awkward point to another */
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_rectangle(shape, p.x, p.y, q.x, q.y);
        break;
    case 5: /* crosses itself; its areas may cancel */
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_ring(shape,
                 (struct point[]){ p,
                                   { p.x + width, p.y + height },
                                   { p.x + width, p.y },
                                   { p.x, p.y + height * 2 * random_unit(seed) } },
                 4);
        break;
    case 6: /* turned, with a corner for every side; often astride an edge */
    case 7:
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_star(shape,
                 seed,
                 p.x,
                 p.y,
                 width < height ? width : height,
                 0.5 * random_unit(seed),
                 3 + random_below(seed, 10));
        break;
    case 8: /* round a courtyard, which may hold a lake of the zone */
        put_type(shape, POLYGON, 0);
        put_count(shape, 2);
        put_star(shape, seed, p.x, p.y, width, 0.1, 12);
        put_star(shape,
                 seed,
                 p.x,
                 p.y,
                 width * (0.2 + 0.6 * random_unit(seed)),
                 0.1,
                 8);
        break;
    case 9: /* two in one, the second at the first or elsewhere */
        put_type(shape, MULTIPOLYGON, 0);
        put_count(shape, 2);
        for (int k = 0; k < 2; k++, p = random_below(seed, 2) ? p : q) {
            put_part(shape, POLYGON);
            put_count(shape, 1);
            put_star(shape, seed, p.x, p.y, width * (1 + k), 0.3, 6);
        }
        break;
    case 10: /* a corner again and again, and on the zone's vertex or edge */
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_ring(shape,
                 (struct point[]){ p, p, { p.x + width, p.y }, q, q, { p.x, q.y } },
                 6);
        break;
    default: /* a footprint, its corner at the point */
        if (random_below(seed, 2))
            width = -width;
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        put_rectangle(shape, p.x, p.y, p.x + width, p.y + height);
        break;
    }
}

struct tally {
    int64_t decided[3], outlined[3], rejected, zones, invalid;
};

/* What the outline says, where the box does not. */
static uint8_t outlined(const struct zone *zone,
                        enum predicate predicate,
                        const struct shape *building,
                        const struct ewkb *head,
                        struct tally *tally)
{
    uint8_t decision =
        (uint8_t)zone_decide_outline(zone, &head->box, building->bytes, building->n);
    bool is_polygon = head->type == EWKB_POLYGON || head->type == EWKB_MULTIPOLYGON;
    if (predicate == PREDICATE_CENTROID || !is_polygon || !zone_is_valid(zone))
        assert_int_equal(decision, DECISION_REFINE);
    else if (!head->empty)
        tally->outlined[decision]++;
    return decision;
}

static void compare(struct zone *zone,
                    enum predicate predicate,
                    const struct shape *building,
                    struct tally *tally,
                    const char *what,
                    uint64_t seed)
{
    struct ewkb head;
    if (ewkb_read(building->bytes, building->n, &head) != EWKB_FINE)
        return; /* the place was too far out: an ordinate overflowed */
    struct box box = head.box;
    if (predicate == PREDICATE_CENTROID)
        box = ewkb_centroid_box(building->bytes, building->n, &head);
    uint8_t decision;
    enum decision answer;
    char reason[REASON_BYTES];
    zone_decide(zone, &box, 1, &decision);
    assert_in_range(decision, DECISION_OUTSIDE, DECISION_REFINE);
    tally->decided[decision]++;
    if (zone_contains_box(zone, &box))
        assert_int_not_equal(decision, DECISION_OUTSIDE);
    if (zone_excludes_box(zone, &box))
        assert_int_not_equal(decision, DECISION_INSIDE);
    if (decision == DECISION_REFINE && !head.empty)
        decision = outlined(zone, predicate, building, &head, tally);
    if (decision == DECISION_REFINE)
        return;
    assert_fine(zone_refine(zone, building->bytes, building->n, &answer, reason, &err),
                &err);
    if (answer == DECISION_REJECTED) { /* what GEOS cannot say, nobody contradicts */
        tally->rejected++;
        return;
    }
    if (answer != decision)
        fail_msg("%s, predicate %d, seed %llu: grid %d, GEOS %d; box %.17g %.17g %.17g "
                 "%.17g",
                 what,
                 predicate,
                 (unsigned long long)seed,
                 decision,
                 answer,
                 box.xmin,
                 box.ymin,
                 box.xmax,
                 box.ymax);
}

static void check_zone(uint64_t seed, int n_buildings, struct tally *tally)
{
    static struct shape shape, building;
    uint64_t start = seed;
    int kind = random_below(&seed, N_KINDS);
    enum predicate predicate = (enum predicate)random_below(&seed, 3);
    int64_t n_expected = random_below(&seed, 3) ? 64 : random_below(&seed, 3000);
    struct zone *zone;
    struct ewkb head;
    char what[32];

    shape_init(&shape);
    set_place(&shape, &seed);
    put_zone(&shape, &seed, kind);
    snprintf(what, sizeof what, "zone of kind %d", kind);
    if (ewkb_read(shape.bytes, shape.n, &head) != EWKB_FINE)
        return;
    struct memory_mark mark = memory_mark(&memory);
    assert_fine(zone_open(&zone,
                          geos,
                          shape.bytes,
                          shape.n,
                          n_expected,
                          predicate,
                          INVALID_TRUST,
                          false,
                          &memory,
                          &err),
                &err);
    GEOSGeometry *geometry = geos_read(geos, shape.bytes, shape.n);
    assert_non_null(geometry);
    assert_int_equal(zone_is_valid(zone), GEOSisValid_r(geos->context, geometry) == 1);
    GEOSGeom_destroy_r(geos->context, geometry);
    tally->zones++;
    tally->invalid += !zone_is_valid(zone);
    for (int i = 0; i < n_buildings; i++) {
        put_building(&building, &shape, head.box, &seed);
        compare(zone, predicate, &building, tally, what, start);
    }
    zone_close(zone);
    memory_rewind(&memory, &mark);
}

static void the_grid_never_disagrees_with_geos(void **state)
{
    (void)state;
    struct tally tally = { 0 };
    const char *more = getenv("ROOFTALLY_TEST_ZONES");
    int n_zones = more ? atoi(more) : 6000;
    for (int i = 0; i < n_zones; i++)
        check_zone(UINT64_C(1000003) * (uint64_t)i + 7, 150, &tally);
    print_message("%lld zones, %lld of them invalid; by box %lld outside, %lld inside, "
                  "%lld open; of these by outline %lld outside, %lld inside, %lld "
                  "open; "
                  "%lld that GEOS rejects\n",
                  (long long)tally.zones,
                  (long long)tally.invalid,
                  (long long)tally.decided[DECISION_OUTSIDE],
                  (long long)tally.decided[DECISION_INSIDE],
                  (long long)tally.decided[DECISION_REFINE],
                  (long long)tally.outlined[DECISION_OUTSIDE],
                  (long long)tally.outlined[DECISION_INSIDE],
                  (long long)tally.outlined[DECISION_REFINE],
                  (long long)tally.rejected);
    assert_true(tally.decided[DECISION_OUTSIDE] > 20 * n_zones);
    assert_true(tally.decided[DECISION_INSIDE] > 10 * n_zones);
    assert_true(tally.outlined[DECISION_OUTSIDE] > 2 * n_zones);
    assert_true(tally.outlined[DECISION_INSIDE] > n_zones);
    assert_true(tally.rejected * 100 < tally.decided[DECISION_INSIDE]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grid_never_disagrees_with_geos),
    };
    return cmocka_run_group_tests(tests, open_things, close_things);
}
