#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/zone.h"

#include "geos.h"
#include "zones.h"

static void put_square(struct shape *shape, double x0, double y0, double x1, double y1)
{
    shape_init(shape);
    put_type(shape, POLYGON, 0);
    put_count(shape, 1);
    put_rectangle(shape, x0, y0, x1, y1);
}

static void boxes_are_decided_as_the_drawing_says(void **state)
{
    (void)state;
    enum { OUT = DECISION_OUTSIDE, IN = DECISION_INSIDE, ASK = DECISION_REFINE };
    static const struct {
        struct box box;
        int within, intersects, centroid;
    } cases[] = {
        { { 2, 2, 3, 3 }, IN, IN, IN },
        { { 2.5, 2.5, 2.5, 2.5 }, IN, IN, IN }, /* a point */
        { { -3, 2, -2, 3 }, OUT, OUT, OUT },    /* beyond */
        { { 5.5, 5.5, 6, 6 }, OUT, OUT, OUT },  /* in the lake */
        { { -1, 2, 1, 3 }, OUT, ASK, ASK },     /* across the shore */
        { { 2, 2, 2, 8 }, IN, IN, IN },         /* a line */
        { { 4, 4, 8, 8 }, ASK, ASK, ASK },      /* around the lake */
        { { 0, 2, 1, 3 }, ASK, ASK, ASK },      /* on the shore */
        { { 10, 10, 11, 11 }, OUT, ASK, ASK },  /* touches the corner */
        { { 10.001, 10, 11, 11 }, OUT, OUT, OUT },
        { { 1, 0, -1, 1 }, OUT, OUT, OUT }, /* empty */
        { { INFINITY, INFINITY, -INFINITY, -INFINITY }, OUT, OUT, OUT },
        { { -1e300, -1e300, 1e300, 1e300 }, OUT, ASK, ASK },
        { { -INFINITY, -INFINITY, INFINITY, INFINITY }, OUT, ASK, ASK },
    };
    static struct shape shape;
    shape_init(&shape);
    put_type(&shape, POLYGON, 0);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 10, 10);
    put_rectangle(&shape, 5, 5, 7, 7);
    struct memory_mark mark = memory_mark(&memory);
    for (int p = PREDICATE_WITHIN; p <= PREDICATE_CENTROID; p++)
        for (int64_t n = 0; n <= 100000; n = 10 * n + 1) {
            struct zone *zone = open_zone(&shape, n, (enum predicate)p, INVALID_TRUST);
            assert_true(zone_is_valid(zone) && !zone_is_empty(zone));
            for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                int wanted = p == PREDICATE_WITHIN       ? cases[i].within
                             : p == PREDICATE_INTERSECTS ? cases[i].intersects
                                                         : cases[i].centroid;
                int decision = (int)decided(zone, cases[i].box);
                if (decision != wanted)
                    fail_msg("case %zu, predicate %d, %lld expected: %d, not %d",
                             i,
                             p,
                             (long long)n,
                             decision,
                             wanted);
            }
            zone_close(zone);
            memory_rewind(&memory, &mark);
        }
}

/* What is sure needs no GEOS; nor does the zone that is opened as such. */
static void what_is_surely_valid_needs_no_second_look(void **state)
{
    (void)state;
    static const struct point bow[] = { { 0, 0 }, { 4, 4 }, { 4, 0 }, { 0, 4 } };
    static struct shape square, bowtie;
    struct memory_mark mark = memory_mark(&memory);
    struct zone *zone = NULL;
    shape_init(&square);
    put_type(&square, POLYGON, 0);
    put_count(&square, 1);
    put_rectangle(&square, 0, 0, 10, 10);
    shape_init(&bowtie);
    put_type(&bowtie, POLYGON, 0);
    put_count(&bowtie, 1);
    put_ring(&bowtie, bow, 4);
    assert_true(zone_is_surely_valid(square.bytes, square.n, &memory));
    assert_false(zone_is_surely_valid(bowtie.bytes, bowtie.n, &memory));
    assert_false(zone_is_surely_valid(square.bytes, 5, &memory));
    assert_int_equal(memory.used_bytes, mark.used_bytes);
    struct memory none = { .base = memory.base, .budget_bytes = 64 };
    assert_false(zone_is_surely_valid(square.bytes, square.n, &none));
    assert_fine(zone_open(&zone,
                          geos,
                          square.bytes,
                          square.n,
                          9,
                          PREDICATE_WITHIN,
                          INVALID_TRUST,
                          true,
                          &memory,
                          &err),
                &err);
    assert_true(zone_is_valid(zone));
    assert_int_equal(decided(zone, (struct box){ 4, 4, 6, 6 }), DECISION_INSIDE);
    zone_close(zone);
    memory_rewind(&memory, &mark);
}

static int try_open(struct zone **zone, const uint8_t *wkb, int64_t n_bytes)
{
    return zone_open(zone, geos, wkb, n_bytes, 9, 0, 0, false, &memory, &err);
}

static void zones_that_are_no_polygon_are_refused(void **state)
{
    (void)state;
    static struct shape shape;
    struct zone *zone = NULL;
    int64_t used = memory.used_bytes;
    for (uint32_t type = 1; type <= 7; type++) {
        if (type == POLYGON || type == MULTIPOLYGON)
            continue;
        shape_init(&shape);
        put_type(&shape, type, 0);
        if (type == 1)
            put_raw(&shape, 0, 0);
        else
            put_count(&shape, 0);
        assert_refused(try_open(&zone, shape.bytes, shape.n),
                       &err,
                       ERROR_DATA,
                       "polygon");
    }
    put_square(&shape, 0, 0, 1, 1);
    for (int64_t n = 0; n < shape.n; n++)
        assert_refused(try_open(&zone, shape.bytes, n), &err, ERROR_DATA, "malformed");
    put_square(&shape, 0, NAN, 1, 1);
    assert_refused(try_open(&zone, shape.bytes, shape.n), &err, ERROR_DATA, "NaN");
    assert_null(zone);
    assert_int_equal(memory.used_bytes, used);
    zone_close(NULL);
}

static void an_empty_zone_holds_nothing(void **state)
{
    (void)state;
    static struct shape shape, building;
    struct box boxes[4];
    enum decision decision = DECISION_REJECTED;
    char reason[REASON_BYTES];
    struct memory_mark mark = memory_mark(&memory);
    put_square(&building, 0, 0, 1, 1);
    for (uint32_t type = POLYGON; type <= MULTIPOLYGON; type += 3) {
        shape_init(&shape);
        put_type(&shape, type, 0);
        put_count(&shape, 0);
        struct zone *zone = open_zone(&shape, 10, PREDICATE_INTERSECTS, INVALID_TRUST);
        assert_true(zone_is_empty(zone) && zone_is_valid(zone));
        assert_int_equal(zone_cover(zone, boxes, 4, 20), 0);
        assert_int_equal(decided(zone, (struct box){ -1e9, -1e9, 1e9, 1e9 }),
                         DECISION_OUTSIDE);
        assert_true(zone_excludes_box(zone, &(struct box){ 0, 0, 1, 1 }));
        assert_false(zone_contains_box(zone, &(struct box){ 0, 0, 1, 1 }));
        assert_fine(zone_refine(zone,
                                building.bytes,
                                building.n,
                                &decision,
                                reason,
                                &err),
                    &err);
        assert_int_equal(decision, DECISION_OUTSIDE);
        zone_close(zone);
        memory_rewind(&memory, &mark);
    }
}

/* Buildings by name, in and about the square from 0 to 10. */
static void put_case(struct shape *shape, const char *name)
{
    put_square(shape, 1, 1, 2, 2);
    if (!strcmp(name, "outside"))
        put_square(shape, 20, 1, 22, 2);
    else if (!strcmp(name, "across"))
        put_square(shape, 9, 1, 12, 2);
    else if (!strcmp(name, "mostly in"))
        put_square(shape, 5, 1, 12, 2);
    else if (!strcmp(name, "touches"))
        put_square(shape, 10, 1, 12, 2);
    else if (!strcmp(name, "empty point") || !strcmp(name, "border point")) {
        shape_init(shape);
        put_type(shape, 1, 0);
        put_raw(shape, *name == 'e' ? (double)NAN : 10, *name == 'e' ? (double)NAN : 5);
    } else if (!strcmp(name, "bowtie") || !strcmp(name, "spike")) {
        shape_init(shape);
        put_type(shape, POLYGON, 0);
        put_count(shape, 1);
        if (*name == 'b')
            put_ring(shape,
                     (struct point[]){ { 1, 1 }, { 3, 3 }, { 3, 1 }, { 1, 3 } },
                     4);
        else
            put_ring(shape,
                     (struct point[]){
                         { 1, 1 }, { 3, 1 }, { 3, 3 }, { 3, 5 }, { 3, 3 } },
                     5);
    } else if (!strcmp(name, "one-point line")) {
        shape_init(shape);
        put_type(shape, 2, 0);
        put_count(shape, 1);
        put_raw(shape, 1, 1);
    } else if (!strcmp(name, "empty parts")) {
        shape_init(shape);
        put_type(shape, 4, 0);
        put_count(shape, 3);
        put_part(shape, 1);
        put_raw(shape, NAN, NAN);
        put_part(shape, 1);
        put_raw(shape, 5, 5);
        put_part(shape, 1);
        put_raw(shape, NAN, NAN);
    } else {
        assert_string_equal(name, "inside");
    }
}

static void geos_answers_by_rule_and_predicate(void **state)
{
    (void)state;
    enum {
        OUT = DECISION_OUTSIDE,
        IN = DECISION_INSIDE,
        NO = DECISION_REJECTED,
        W = PREDICATE_WITHIN,
        X = PREDICATE_INTERSECTS,
        C = PREDICATE_CENTROID
    };
    static const struct {
        const char *name;
        int predicate, rule, answer; /* answer -1: ERROR_DATA */
        const char *text;
    } cases[] = {
        { "inside", W, INVALID_TRUST, IN, "" },
        { "inside", W, INVALID_FAIL, IN, "" },
        { "inside", X, INVALID_SKIP, IN, "" },
        { "inside", C, INVALID_REPAIR, IN, "" },
        { "outside", W, INVALID_TRUST, OUT, "" },
        { "outside", X, INVALID_TRUST, OUT, "" },
        { "outside", C, INVALID_TRUST, OUT, "" },
        { "across", W, INVALID_TRUST, OUT, "" },
        { "across", X, INVALID_TRUST, IN, "" },
        { "across", C, INVALID_TRUST, OUT, "" },
        { "mostly in", C, INVALID_TRUST, IN, "" },
        { "touches", W, INVALID_TRUST, OUT, "" },
        { "touches", X, INVALID_TRUST, IN, "" },
        { "border point", W, INVALID_TRUST, OUT, "" },
        { "border point", X, INVALID_TRUST, IN, "" },
        { "border point", C, INVALID_TRUST, OUT, "" },
        { "empty point", X, INVALID_TRUST, OUT, "" },
        { "empty point", W, INVALID_FAIL, OUT, "" },
        { "empty parts", W, INVALID_TRUST, IN, "" },
        { "empty parts", X, INVALID_SKIP, IN, "" },
        { "empty parts", C, INVALID_REPAIR, IN, "" },
        { "bowtie", W, INVALID_TRUST, IN, "" },
        { "bowtie", W, INVALID_SKIP, NO, "Self-intersection[2 2]" },
        { "bowtie", W, INVALID_FAIL, -1, "Self-intersection[2 2]" },
        { "bowtie", W, INVALID_REPAIR, IN, "" },
        { "spike", W, INVALID_SKIP, NO, "Self-intersection" },
        { "spike", W, INVALID_REPAIR, IN, "" },
        { "one-point line", W, INVALID_TRUST, NO, "IllegalArgumentException" },
        { "one-point line", W, INVALID_SKIP, NO, "IllegalArgumentException" },
        { "one-point line", W, INVALID_REPAIR, NO, "IllegalArgumentException" },
        { "one-point line", W, INVALID_FAIL, -1, "IllegalArgumentException" },
    };
    static struct shape shape, building;
    struct memory_mark mark = memory_mark(&memory);
    put_square(&shape, 0, 0, 10, 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum decision decision = DECISION_REFINE;
        char reason[REASON_BYTES] = "untouched";
        struct zone *zone = open_zone(&shape,
                                      100,
                                      (enum predicate)cases[i].predicate,
                                      (enum invalid_rule)cases[i].rule);
        put_case(&building, cases[i].name);
        int status =
            zone_refine(zone, building.bytes, building.n, &decision, reason, &err);
        if (status != (cases[i].answer < 0 ? -1 : 0)
            || (status == 0 && (int)decision != cases[i].answer))
            fail_msg("case %zu, %s: status %d, decision %d, reason %s",
                     i,
                     cases[i].name,
                     status,
                     decision,
                     reason);
        if (status < 0) {
            assert_int_equal(err.code, ERROR_DATA);
            assert_int_equal(decision, DECISION_REFINE);
            assert_non_null(strstr(err.text, cases[i].text));
        } else if (decision == DECISION_REJECTED) {
            assert_non_null(strstr(reason, cases[i].text));
            assert_null(strpbrk(reason, "\n\r\t"));
        } else {
            assert_string_equal(reason, "untouched");
        }
        if (cases[i].rule != INVALID_TRUST) { /* a rule looks at every one */
            assert_int_equal(decided(zone, (struct box){ 1, 1, 2, 2 }),
                             DECISION_REFINE);
            assert_int_equal(decided(zone, (struct box){ 10, 9, 99, 99 }),
                             DECISION_REFINE);
            assert_int_equal(decided(zone, (struct box){ 11, 9, 99, 99 }),
                             DECISION_OUTSIDE);
            assert_false(zone_contains_box(zone, &(struct box){ 1, 1, 2, 2 }));
            assert_true(zone_excludes_box(zone, &(struct box){ 11, 9, 99, 99 }));
        }
        zone_close(zone);
        memory_rewind(&memory, &mark);
    }
}

/* One letter a point: inside, on the border, outside. */
static void points_are_within_when_one_is_inside_and_none_outside(void **state)
{
    (void)state;
    static const struct {
        const char *points;
        bool within, intersects;
    } cases[] = {
        { "i", true, true },   { "b", false, true },   { "o", false, false },
        { "ii", true, true },  { "ib", true, true },   { "bb", false, true },
        { "io", false, true }, { "bo", false, true },  { "oo", false, false },
        { "bib", true, true }, { "ibo", false, true },
    };
    static struct shape shape, building;
    struct memory_mark mark = memory_mark(&memory);
    put_square(&shape, 0, 0, 10, 10);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        enum predicate predicate = i % 2 ? PREDICATE_WITHIN : PREDICATE_INTERSECTS;
        bool wanted = i % 2 ? cases[i / 2].within : cases[i / 2].intersects;
        struct zone *zone = open_zone(&shape, 10, predicate, INVALID_TRUST);
        enum decision decision;
        char reason[REASON_BYTES];
        shape_init(&building);
        put_type(&building, 4, 0);
        put_count(&building, (uint32_t)strlen(cases[i / 2].points));
        for (const char *c = cases[i / 2].points; *c; c++) {
            put_part(&building, 1);
            put_raw(&building, *c == 'i' ? 5 : *c == 'b' ? 10 : 11, 5);
        }
        assert_fine(zone_refine(zone,
                                building.bytes,
                                building.n,
                                &decision,
                                reason,
                                &err),
                    &err);
        assert_int_equal(decision, wanted ? DECISION_INSIDE : DECISION_OUTSIDE);
        zone_close(zone);
        memory_rewind(&memory, &mark);
    }
}

/* A rounding off a slanted edge, where PostGIS 3.3 says "on the border": its ST_Within
 * and ST_Intersects of these are false and true. */
static void a_point_a_rounding_off_an_edge_lies_where_postgis_says(void **state)
{
    (void)state;
    static struct shape shape, building;
    struct memory_mark mark = memory_mark(&memory);
    int n_apart = 0;
    shape_init(&shape);
    put_type(&shape, POLYGON, 0);
    put_count(&shape, 1);
    put_ring(&shape, (struct point[]){ { 0, 0 }, { 10, 0.3 }, { 9.7, 10.1 } }, 3);
    struct zone *within = open_zone(&shape, 10, PREDICATE_WITHIN, INVALID_TRUST);
    struct zone *meets = open_zone(&shape, 10, PREDICATE_INTERSECTS, INVALID_TRUST);
    for (int i = 1; i < 1000; i++) {
        struct point p = { i / 1000.0 * 10, i / 1000.0 * 0.3 };
        double side = 10 * p.y - p.x * 0.3; /* as PostGIS computes it, from (0, 0) */
        enum decision a, b;
        char reason[REASON_BYTES];
        shape_init(&building);
        put_type(&building, 1, 0);
        put_raw(&building, p.x, p.y);
        assert_fine(zone_refine(within, building.bytes, building.n, &a, reason, &err),
                    &err);
        assert_fine(zone_refine(meets, building.bytes, building.n, &b, reason, &err),
                    &err);
        assert_int_equal(a, side > 0 ? DECISION_INSIDE : DECISION_OUTSIDE);
        assert_int_equal(b, side >= 0 ? DECISION_INSIDE : DECISION_OUTSIDE);
        GEOSGeometry *point = geos_read(geos, building.bytes, building.n);
        GEOSGeometry *zone = geos_read(geos, shape.bytes, shape.n);
        n_apart +=
            GEOSIntersects_r(geos->context, zone, point) != (b == DECISION_INSIDE);
        GEOSGeom_destroy_r(geos->context, point);
        GEOSGeom_destroy_r(geos->context, zone);
    }
    assert_true(n_apart > 0); /* GEOS alone would give other answers */
    zone_close(within);
    zone_close(meets);
    memory_rewind(&memory, &mark);
}

/* A collection of two members: p a point, l a line and s a square that the zone holds, P a
 * point on its border, o and c squares outside and across; e an empty point; Q and R cross
 * each other and touch the border, which GEOS throws on. */
static void put_pair(struct shape *shape, const char *members, uint32_t iso, bool big)
{
    shape_init(shape);
    shape->iso = iso;
    shape->big = big;
    put_type(shape, 7, 0);
    put_count(shape, 2);
    for (const char *c = members; *c; c++) {
        if (*c == 'p' || *c == 'P' || *c == 'e') {
            double x = *c == 'p' ? 2 : 10, none = NAN;
            put_part(shape, 1);
            put_raw(shape, *c == 'e' ? none : x, *c == 'e' ? none : 2);
            continue;
        }
        put_part(shape, *c == 'l' ? 2 : POLYGON);
        if (*c == 'l') {
            put_count(shape, 2);
            put_raw(shape, 1, 1);
            put_raw(shape, 3, 1);
            continue;
        }
        put_count(shape, 1);
        if (*c == 's')
            put_rectangle(shape, 1, 1, 3, 3);
        if (*c == 'o')
            put_rectangle(shape, 11, 1, 12, 4);
        if (*c == 'c')
            put_rectangle(shape, 9, 1, 12, 4);
        if (*c == 'Q')
            put_rectangle(shape, 7, 0, 9, 9);
        if (*c == 'R')
            put_rectangle(shape, 8, 0, 10, 7);
    }
}

/* The zone's four sides, which are those of its box, its corners, and its hole's. */
static void a_point_on_any_border_intersects_and_is_not_within(void **state)
{
    (void)state;
    static const struct {
        double x, y;
        bool intersects, within;
    } cases[] = {
        { 0, 5, true, false },     { 10, 5, true, false }, { 5, 0, true, false },
        { 5, 10, true, false },    { 0, 0, true, false },  { 10, 10, true, false },
        { 0, 10, true, false },    { 10, 0, true, false }, { 4, 5, true, false },
        { 6, 5, true, false },     { 5, 4, true, false },  { 5, 6, true, false },
        { 4, 4, true, false },     { 6, 6, true, false },  { 5, 5, false, false },
        { 3, 5, true, true },      { 7, 7, true, true },   { -1, 5, false, false },
        { 10.5, 4, false, false },
    };
    static const enum predicate predicates[] = { PREDICATE_WITHIN,
                                                 PREDICATE_INTERSECTS,
                                                 PREDICATE_CENTROID };
    static struct shape shape, point;
    shape_init(&shape);
    put_type(&shape, POLYGON, 0);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 10, 10);
    put_rectangle(&shape, 4, 4, 6, 6);
    for (int p = 0; p < 3; p++) {
        struct memory_mark mark = memory_mark(&memory);
        struct zone *zone = open_zone(&shape, 100, predicates[p], INVALID_TRUST);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            enum decision decision = DECISION_REFINE;
            char reason[REASON_BYTES];
            shape_init(&point);
            put_type(&point, 1, 0);
            put_raw(&point, cases[i].x, cases[i].y);
            assert_fine(zone_refine(zone,
                                    point.bytes,
                                    point.n,
                                    &decision,
                                    reason,
                                    &err),
                        &err);
            bool wanted = p == 1 ? cases[i].intersects : cases[i].within;
            if (decision != (wanted ? DECISION_INSIDE : DECISION_OUTSIDE))
                fail_msg("point %g %g, predicate %d", cases[i].x, cases[i].y, p);
        }
        zone_close(zone);
        memory_rewind(&memory, &mark);
    }
}

static void a_collection_is_geoss_whatever_its_box(void **state)
{
    (void)state;
    enum { OUT = DECISION_OUTSIDE, IN = DECISION_INSIDE, NO = DECISION_REJECTED };
    static const struct {
        const char *members;
        int within, intersects, centroid; /* as PostGIS 3.3.2 says */
    } cases[] = {
        { "ps", IN, IN, IN },   { "pp", IN, IN, IN },    { "pl", IN, IN, IN },
        { "pP", IN, IN, IN },   { "PP", OUT, IN, OUT },  { "lP", IN, IN, IN },
        { "po", OUT, IN, OUT }, { "so", OUT, IN, IN },   { "oo", OUT, OUT, OUT },
        { "oP", OUT, IN, OUT }, { "sc", OUT, IN, IN },   { "ep", IN, IN, IN },
        { "es", IN, IN, IN },   { "ee", OUT, OUT, OUT }, { "QR", NO, IN, IN },
    };
    static struct shape shape, building;
    struct memory_mark mark = memory_mark(&memory);
    shape_init(&shape);
    put_type(&shape, POLYGON, 0);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 10, 10);
    put_rectangle(&shape, 4, 4, 6, 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int p = PREDICATE_WITHIN; p <= PREDICATE_CENTROID; p++) {
            int wanted = p == PREDICATE_WITHIN       ? cases[i].within
                         : p == PREDICATE_INTERSECTS ? cases[i].intersects
                                                     : cases[i].centroid;
            struct zone *zone = open_zone(&shape, 9, (enum predicate)p, INVALID_TRUST);
            for (uint32_t dress = 0; dress < 8; dress++) {
                enum decision decision;
                char reason[REASON_BYTES] = "";
                struct ewkb head;
                put_pair(&building, cases[i].members, 1000 * (dress / 2), dress % 2);
                assert_int_equal(ewkb_read(building.bytes, building.n, &head),
                                 EWKB_FINE);
                assert_int_equal(ewkb_fault_of(EWKB_FINE, &head), EWKB_COLLECTED);
                assert_fine(zone_refine(zone,
                                        building.bytes,
                                        building.n,
                                        &decision,
                                        reason,
                                        &err),
                            &err);
                if ((int)decision != wanted)
                    fail_msg("%s, predicate %d: %d, not %d: %s",
                             cases[i].members,
                             p,
                             decision,
                             wanted,
                             reason);
                assert_true(decision != DECISION_REJECTED
                            || strstr(reason, "TopologyException"));
            }
            zone_close(zone);
            memory_rewind(&memory, &mark);
        }
}

static void an_invalid_zone_leaves_everything_in_its_box_to_geos(void **state)
{
    (void)state;
    static struct shape shape, building;
    struct box boxes[4];
    enum decision decision;
    char reason[REASON_BYTES];
    uint64_t seed = 1;
    struct memory_mark mark = memory_mark(&memory);
    shape_init(&shape);
    put_zone(&shape, &seed, BOWTIE);
    struct zone *zone = open_zone(&shape, 1000, PREDICATE_INTERSECTS, INVALID_TRUST);
    assert_false(zone_is_valid(zone));
    assert_true(memory.used_bytes
                < mark.used_bytes + 4096); /* the grid is given back */
    assert_int_equal(decided(zone, (struct box){ 3.8, 1, 3.9, 1.1 }), DECISION_REFINE);
    assert_int_equal(decided(zone, (struct box){ 4.1, 1, 4.2, 1.1 }), DECISION_OUTSIDE);
    assert_int_equal(zone_cover(zone, boxes, 4, 1e-9), 1);
    struct box box = zone_box(zone);
    assert_memory_equal(boxes, &box, sizeof box);
    put_square(&building, 3.5, 1, 3.9, 1.1);
    assert_fine(zone_refine(zone, building.bytes, building.n, &decision, reason, &err),
                &err);
    assert_int_equal(decision, DECISION_INSIDE);
    zone_close(zone);
    memory_rewind(&memory, &mark);
}

static void a_zone_whose_hole_is_not_in_it_has_no_grid(void **state)
{
    (void)state;
    static struct shape shape;
    struct memory_mark mark = memory_mark(&memory);
    shape_init(&shape);
    put_type(&shape, POLYGON, 0);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 10, 10);
    put_rectangle(&shape, 1e9, -1e9, 2e9, 1e9);
    assert_false(zone_is_surely_valid(shape.bytes, shape.n, &memory));
    struct zone *zone = open_zone(&shape, 1000, PREDICATE_INTERSECTS, INVALID_TRUST);
    assert_false(zone_is_valid(zone));
    assert_true(zone_box(zone).xmax < 11);
    assert_int_equal(decided(zone, (struct box){ 1, 1, 2, 2 }), DECISION_REFINE);
    assert_int_equal(decided(zone, (struct box){ 1e9, 1, 2e9, 2 }), DECISION_OUTSIDE);
    zone_close(zone);
    memory_rewind(&memory, &mark);
}

/* A store rounds a box outwards to floats: beyond the largest a side can be anything. */
static void a_box_beyond_all_floats_is_not_taken_for_what_it_was(void **state)
{
    (void)state;
    static struct shape shape;
    struct memory_mark mark = memory_mark(&memory);
    put_square(&shape, 1e40, -5e40, 5e40, -1e40);
    struct zone *zone = open_zone(&shape, 9, PREDICATE_WITHIN, INVALID_TRUST);
    struct box rounded = { FLT_MAX, -INFINITY, INFINITY, -FLT_MAX };
    assert_int_equal(decided(zone, (struct box){ 2e40, -3e40, 3e40, -2e40 }),
                     DECISION_INSIDE);
    assert_int_equal(decided(zone, rounded), DECISION_REFINE);
    zone_close(zone);
    memory_rewind(&memory, &mark);
}

static void a_grid_takes_what_memory_there_is(void **state)
{
    (void)state;
    static struct shape shape;
    uint64_t seed = 4;
    struct memory small;
    shape_init(&shape);
    put_type(&shape, POLYGON, 0);
    put_count(&shape, 1);
    put_star(&shape, &seed, 0, 0, 1, 0.3, 2000);
    assert_fine(memory_init(&small, 1 << 20, &err), &err);
    int64_t least = 0;
    for (int64_t n_taken = 0; n_taken < 1 << 20; n_taken += 4096) {
        struct memory_mark mark = memory_mark(&small);
        struct zone *zone = NULL;
        assert_non_null(memory_take(&small, MEMORY_ZONES, n_taken, &err));
        int64_t before = small.used_bytes, left = memory_free_bytes(&small);
        err = (struct error){ ERROR_NONE, "" };
        int status = zone_open(&zone,
                               geos,
                               shape.bytes,
                               shape.n,
                               1000000,
                               PREDICATE_WITHIN,
                               INVALID_TRUST,
                               false,
                               &small,
                               &err);
        if (status == 0) {
            assert_int_equal(least,
                             0); /* what fitted once fits whenever more is free */
            assert_int_equal(decided(zone, (struct box){ 0, 0, 0.01, 0.01 }),
                             DECISION_INSIDE);
            zone_close(zone);
        } else {
            least = least ? least : left;
            assert_int_equal(err.code, ERROR_BUDGET);
            assert_int_equal(small.used_bytes, before);
            assert_null(zone);
        }
        memory_rewind(&small, &mark);
    }
    /* edges of 32 bytes, and the lists of 16 cells */
    assert_in_range(least, 64000, 100000);
    memory_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_decided_as_the_drawing_says),
        cmocka_unit_test(what_is_surely_valid_needs_no_second_look),
        cmocka_unit_test(zones_that_are_no_polygon_are_refused),
        cmocka_unit_test(an_empty_zone_holds_nothing),
        cmocka_unit_test(geos_answers_by_rule_and_predicate),
        cmocka_unit_test(points_are_within_when_one_is_inside_and_none_outside),
        cmocka_unit_test(a_point_a_rounding_off_an_edge_lies_where_postgis_says),
        cmocka_unit_test(a_point_on_any_border_intersects_and_is_not_within),
        cmocka_unit_test(a_collection_is_geoss_whatever_its_box),
        cmocka_unit_test(an_invalid_zone_leaves_everything_in_its_box_to_geos),
        cmocka_unit_test(a_zone_whose_hole_is_not_in_it_has_no_grid),
        cmocka_unit_test(a_box_beyond_all_floats_is_not_taken_for_what_it_was),
        cmocka_unit_test(a_grid_takes_what_memory_there_is),
    };
    return cmocka_run_group_tests(tests, open_things, close_things);
}
