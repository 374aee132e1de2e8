#include <stdio.h>
#include <stdlib.h>

#include "rooftally/geometry/ewkb.h"

#include "check.h"
#include "shapes.h"

static const uint32_t has_srid = 0x20000000u;

/* What comes after the head: each sample has 2 rings and so on. */
static void put_body(struct shape *shape, int type)
{
    if (type >= 4)
        put_count(shape, 2);
    for (int part = 0; part < (type >= 4 ? 2 : 1); part++) {
        double x = 10 * part;
        if (type >= 4)
            put_part(shape, (uint32_t)type - 3);
        if (type % 3 == 1)
            put_moved(shape, (struct point){ x - 3, 7 });
        if (type % 3 == 2) {
            put_count(shape, 2);
            put_moved(shape, (struct point){ x - 3, 7 });
            put_moved(shape, (struct point){ x, -0.5 });
        }
        if (type % 3 == 0) {
            put_count(shape, 2);
            put_rectangle(shape, x - 3, -0.5, x + 5, 7);
            put_rectangle(shape, x + 1, 1, x + 2, 2);
        }
    }
}

static void put_member(struct shape *shape, int type)
{
    put_part(shape, (uint32_t)type);
    put_body(shape, type);
}

/* The same geometries in every dress. */
static void put_sample(struct shape *shape, int type)
{
    put_type(shape, (uint32_t)type, 26986);
    if (type <= 6) {
        put_body(shape, type);
        return;
    }
    put_count(shape, 4); /* POINT, (POLYGON, MULTIPOINT), LINESTRING, MULTIPOLYGON */
    put_member(shape, 1);
    put_part(shape, 7);
    put_count(shape, 2);
    put_member(shape, 3);
    put_member(shape, 4);
    put_member(shape, 2);
    put_member(shape, 6);
}

/* What every put_sample must read as. */
static void check_sample(const struct ewkb *head, int type)
{
    static const int64_t n_vertices[] = { 0, 1, 2, 10, 2, 4, 20, 35 };
    static const double xmax[] = { 0, -3, 0, 5, 7, 10, 15, 15 };
    assert_int_equal(head->type, type);
    assert_int_equal(head->n_vertices, n_vertices[type]);
    assert_false(head->empty);
    assert_true(head->box.xmin == -3);
    assert_true(head->box.ymax == 7);
    assert_true(head->box.xmax == xmax[type]);
    assert_true(head->box.ymin == (type == 1 || type == 4 ? 7 : -0.5));
}

static const struct {
    uint32_t flags, iso;
} dresses[] = {
    { 0, 0 },           { 0x20000000u, 0 },    { 0x80000000u, 0 }, { 0x40000000u, 0 },
    { 0xc0000000u, 0 }, { 0xe0000000u, 0 },    { 0, 1000 },        { 0, 2000 },
    { 0, 3000 },        { 0x20000000u, 3000 },
};
enum { N_DRESSES = sizeof dresses / sizeof *dresses };

static void dress(struct shape *shape, int i, bool big)
{
    shape_init(shape);
    shape->flags = dresses[i].flags;
    shape->iso = dresses[i].iso;
    shape->big = big;
}

static void every_type_reads_in_every_dress(void **state)
{
    (void)state;
    static struct shape shape, plain;
    static uint8_t flat[SHAPE_BYTES];
    struct ewkb head;
    struct error err;
    for (int type = 1; type <= 7; type++)
        for (int i = 0; i < 2 * N_DRESSES; i++) {
            shape_init(&plain);
            put_sample(&plain, type);
            dress(&shape, i / 2, i % 2);
            put_sample(&shape, type);
            assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
            check_sample(&head, type);
            assert_int_equal(head.srid, shape.flags & has_srid ? 26986 : 0);
            assert_int_equal(ewkb_flatten(shape.bytes, shape.n, flat, shape.n, &err),
                             plain.n);
            assert_memory_equal(flat, plain.bytes, (size_t)plain.n);
        }
}

/* The bytes lie at the end of a block of their own, so that the sanitizer sees one read
 * too far. */
static enum ewkb_fault read_exactly(const uint8_t *bytes, int64_t n, struct ewkb *head)
{
    static uint8_t flat[SHAPE_BYTES];
    uint8_t *copy = malloc((size_t)n + !n);
    memcpy(copy, bytes, (size_t)n);
    enum ewkb_fault fault = ewkb_read(copy, n, head);
    struct error err;
    int64_t n_flat = ewkb_flatten(copy, n, flat, n, &err);
    assert_true(n_flat <= n);
    if (fault == EWKB_FINE && n_flat < 0)
        fail_msg("what reads does not flatten: %s", err.text);
    if (fault == EWKB_FINE) {
        struct ewkb again;
        assert_int_equal(ewkb_read(flat, n_flat, &again), EWKB_FINE);
        assert_int_equal(again.n_vertices, head->n_vertices);
        assert_memory_equal(&again.box, &head->box, sizeof head->box);
        ewkb_centroid_box(copy, n, head);
    }
    free(copy);
    return fault;
}

static void cut_anywhere_is_malformed(void **state)
{
    (void)state;
    static struct shape shape;
    struct ewkb head;
    for (int type = 1; type <= 7; type++)
        for (int i = 0; i < 2 * N_DRESSES; i++) {
            dress(&shape, i / 2, i % 2);
            put_sample(&shape, type);
            for (int64_t n = 0; n < shape.n; n++) {
                assert_int_equal(read_exactly(shape.bytes, n, &head), EWKB_MALFORMED);
                assert_int_equal(head.type,
                                 n < 5 + (shape.flags & has_srid ? 4 : 0) ? 0 : type);
            }
            shape.bytes[shape.n] = 0;
            assert_int_equal(read_exactly(shape.bytes, shape.n + 1, &head),
                             EWKB_MALFORMED);
        }
}

static void changed_bytes_never_read_past_the_end(void **state)
{
    (void)state;
    static struct shape shape;
    static const uint8_t values[] = { 0, 1, 2, 3, 6, 7, 0x20, 0x7f, 0x80, 0xf0, 0xff };
    uint64_t seed = 11;
    struct ewkb head;
    int n_fine = 0, n_bad = 0;
    for (int round = 0; round < few(60000); round++) {
        int type = 1 + random_below(&seed, 7);
        dress(&shape, random_below(&seed, N_DRESSES), random_below(&seed, 2));
        put_sample(&shape, type);
        for (int k = random_below(&seed, 3); k >= 0; k--) {
            int64_t at =
                random_below(&seed, random_below(&seed, 2) ? 30 : (int)shape.n);
            if (at < shape.n)
                shape.bytes[at] = random_below(&seed, 2)
                                      ? values[random_below(&seed, sizeof values)]
                                      : (uint8_t)random_u64(&seed);
        }
        enum ewkb_fault fault = read_exactly(shape.bytes, shape.n, &head);
        assert_in_range(fault, EWKB_FINE, EWKB_OPEN_RING);
        fault == EWKB_FINE ? n_fine++ : n_bad++;
    }
    assert_true(n_fine > 1000 && n_bad > 1000);
}

static void the_specialised_reader_equals_the_general_one(void **state)
{
    (void)state;
    static struct shape little, big;
    uint64_t seed = 3;
    struct ewkb a, b;
    for (int round = 0; round < few(20000); round++) {
        int n = 3 + random_below(&seed, 12), n_rings = 1 + random_below(&seed, 3);
        shape_init(&little);
        little.flags = random_below(&seed, 2) ? has_srid : 0;
        little.scale = pow(10, random_below(&seed, 40) - 20);
        put_type(&little, 3, 4326);
        put_count(&little, (uint32_t)n_rings);
        for (int i = 0; i < n_rings; i++)
            put_star(&little, &seed, -3, 5, 1 + i, 0.5, n);
        shape_init(&big);
        big.big = true;
        big.flags = little.flags;
        put_type(&big, 3, 4326);
        put_count(&big, (uint32_t)n_rings);
        for (int i = 0; i < little.n_points; i++) {
            if (i % (n + 1) == 0)
                put_count(&big, (uint32_t)n + 1);
            put_raw(&big, little.points[i].x, little.points[i].y);
        }
        assert_int_equal(ewkb_read(little.bytes, little.n, &a), EWKB_FINE);
        assert_int_equal(ewkb_read(big.bytes, big.n, &b), EWKB_FINE);
        assert_memory_equal(&a.box, &b.box, sizeof a.box);
        assert_int_equal(a.n_vertices, b.n_vertices);
        assert_int_equal(a.srid, b.srid);
    }
}

static void what_is_not_finite_is_named_wherever_it_stands(void **state)
{
    (void)state;
    static struct shape shape;
    static const double odd[] = { NAN, -NAN, INFINITY, -INFINITY };
    struct ewkb head;
    for (int big = 0; big < 2; big++)
        for (int where = 0; where < 10; where++)
            for (int k = 0; k < 4; k++) {
                struct point points[4] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 } };
                double *ordinate =
                    where % 2 ? &points[where / 2 % 4].y : &points[where / 2 % 4].x;
                *ordinate = odd[k];
                shape_init(&shape);
                shape.big = big;
                put_type(&shape, 3, 0);
                put_count(&shape, 1);
                put_ring(&shape, points, 4);
                assert_int_equal(ewkb_read(shape.bytes, shape.n, &head),
                                 EWKB_NOT_FINITE);
                assert_int_equal(head.type, 3);
            }
    shape_init(&shape);
    put_type(&shape, 1, 0);
    put_raw(&shape, NAN, 3); /* half a point is not an empty one */
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_NOT_FINITE);
}

static void largest_and_smallest_doubles_are_finite(void **state)
{
    (void)state;
    static struct shape shape;
    struct ewkb head;
    shape_init(&shape);
    put_type(&shape, 3, 0);
    put_count(&shape, 1);
    put_rectangle(&shape,
                  -0x1.fffffffffffffp+1023,
                  -0x1p-1074,
                  0x1.fffffffffffffp+1023,
                  0x1p-1074);
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
    assert_true(head.box.xmax == 0x1.fffffffffffffp+1023
                && head.box.ymin == -0x1p-1074);
}

static void put_empty(struct shape *shape, int part)
{
    put_part(shape, (uint32_t)part);
    if (part == 1)
        put_raw(shape, NAN, NAN);
    else
        put_count(shape, 0);
}

static void empty_geometries_and_empty_parts_are_fine(void **state)
{
    (void)state;
    static struct shape shape;
    static uint8_t flat[256];
    struct ewkb head;
    struct error err;
    for (int type = 1; type <= 7; type++)
        for (int i = 0; i < 2 * N_DRESSES; i++) {
            dress(&shape, i / 2, i % 2);
            put_type(&shape, (uint32_t)type, 1);
            if (type == 1)
                put_raw(&shape, NAN, NAN);
            else
                put_count(&shape, 0);
            assert_int_equal(read_exactly(shape.bytes, shape.n, &head), EWKB_FINE);
            assert_true(head.empty && head.n_vertices == 0);
            assert_true(head.box.xmin > head.box.xmax);
        }
    for (int type = 4; type <= 6; type++) { /* empty, full, empty */
        shape_init(&shape);
        put_type(&shape, (uint32_t)type, 0);
        put_count(&shape, 3);
        put_empty(&shape, type - 3);
        put_part(&shape, (uint32_t)type - 3);
        if (type == 6)
            put_count(&shape, 1);
        if (type == 4)
            put_moved(&shape, (struct point){ 0, 0 });
        else
            put_rectangle(&shape, 0, 0, 1, 1);
        int64_t n_part = shape.n;
        put_empty(&shape, type - 3);
        assert_int_equal(read_exactly(shape.bytes, shape.n, &head), EWKB_FINE);
        assert_int_equal(head.n_vertices, type == 4 ? 1 : 5);
        int64_t n = ewkb_flatten(shape.bytes, shape.n, flat, sizeof flat, &err);
        assert_int_equal(flat[5], 1); /* one part is left */
        assert_int_equal(n, n_part - (type == 4 ? 21 : 9));
    }
}

static void what_cannot_be_decided_says_why(void **state)
{
    (void)state;
    static struct shape shape;
    struct ewkb head;
    for (uint32_t type = 8; type <= 17; type++) { /* curves, surfaces */
        shape_init(&shape);
        put_type(&shape, type, 0);
        put_count(&shape, 0);
        assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_UNSUPPORTED);
        assert_int_equal(head.type, type);
    }
    static const uint32_t unknown[] = { 0, 18, 999, 1000, 1018, 4003, 0x10000003 };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        shape_init(&shape);
        put_type(&shape, unknown[i], 0);
        put_count(&shape, 0);
        assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_MALFORMED);
        assert_int_equal(head.type, 0);
    }
    shape_init(&shape); /* a point among polygons */
    put_type(&shape, 6, 0);
    put_count(&shape, 1);
    put_part(&shape, 1);
    put_raw(&shape, 1, 1);
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_MALFORMED);
    shape.bytes[0] = 2; /* no such byte order */
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_MALFORMED);
    for (int fault = EWKB_FINE; fault <= EWKB_OPEN_RING; fault++)
        assert_true(strlen(ewkb_fault_text((enum ewkb_fault)fault)) > 3);
}

static void empty_members_of_a_collection_leave_no_trace(void **state)
{
    (void)state;
    static struct shape shape, plain;
    static uint8_t flat[SHAPE_BYTES];
    struct ewkb head;
    struct error err;
    for (int i = 0; i < 2 * N_DRESSES; i++)
        for (int full = 0; full < 2; full++) {
            dress(&shape, i / 2, i % 2);
            put_type(&shape, 7, 1);
            put_count(&shape, 6);
            put_empty(&shape, 1);
            put_empty(&shape, 7);
            put_part(&shape, 6);
            put_count(&shape, full ? 3 : 2);
            put_empty(&shape, 3);
            if (full)
                put_member(&shape, 3);
            put_empty(&shape, 3);
            put_part(&shape, 7); /* ((MULTIPOINT(EMPTY)), POINT, MULTIPOINT(EMPTY)) */
            put_count(&shape, full ? 3 : 2);
            put_part(&shape, 7);
            put_count(&shape, 1);
            put_part(&shape, 4);
            put_count(&shape, 1);
            put_empty(&shape, 1);
            if (full)
                put_member(&shape, 1);
            put_part(&shape, 4);
            put_count(&shape, 1);
            put_empty(&shape, 1);
            put_empty(&shape, 2);
            put_empty(&shape, 3);
            assert_int_equal(read_exactly(shape.bytes, shape.n, &head), EWKB_FINE);
            assert_int_equal(head.empty, !full);
            assert_int_equal(head.n_vertices, full ? 11 : 0);
            shape_init(&plain);
            put_type(&plain, 7, 0);
            put_count(&plain, full ? 2 : 0);
            if (full) {
                put_part(&plain, 6);
                put_count(&plain, 1);
                put_member(&plain, 3);
                put_part(&plain, 7);
                put_count(&plain, 1);
                put_member(&plain, 1);
            }
            assert_int_equal(ewkb_flatten(shape.bytes, shape.n, flat, shape.n, &err),
                             plain.n);
            assert_memory_equal(flat, plain.bytes, (size_t)plain.n);
        }
}

/* Collections in each other, and a point or a multipoint in the innermost. */
static void put_nested(struct shape *shape, int n_levels, bool multi)
{
    shape_init(shape);
    for (int i = 0; i < n_levels; i++) {
        put_part(shape, multi && i == n_levels - 1 ? 4 : 7);
        put_count(shape, 1);
    }
    put_member(shape, 1);
}

static void collections_nest_as_deep_as_postgis_reads(void **state)
{
    (void)state;
    static struct shape shape;
    static uint8_t flat[SHAPE_BYTES];
    struct ewkb head;
    struct error err;
    for (int multi = 0; multi < 2; multi++)
        for (int n = 1; n <= 2000; n += n < 197 || n > 200 ? 49 : 1) {
            put_nested(&shape, n, multi);
            enum ewkb_fault fault = read_exactly(shape.bytes, shape.n, &head);
            assert_int_equal(fault, n <= 198 ? EWKB_FINE : EWKB_UNSUPPORTED);
            assert_int_equal(head.type, multi && n == 1 ? 4 : 7);
            if (fault != EWKB_FINE)
                continue;
            assert_int_equal(head.n_vertices, 1);
            assert_int_equal(ewkb_flatten(shape.bytes, shape.n, flat, shape.n, &err),
                             shape.n);
            assert_memory_equal(flat, shape.bytes, (size_t)shape.n);
        }
}

static void what_is_wrong_in_a_collection_is_found_however_deep(void **state)
{
    (void)state;
    static struct shape shape;
    static const struct {
        const char *what;
        enum ewkb_fault fault;
    } cases[] = {
        { "curve", EWKB_UNSUPPORTED },
        { "unknown type", EWKB_MALFORMED },
        { "byte order", EWKB_MALFORMED },
        { "too many members", EWKB_MALFORMED },
        { "too few bytes", EWKB_MALFORMED },
        { "bytes to spare", EWKB_MALFORMED },
        { "point in a multipolygon", EWKB_MALFORMED },
        { "collection in a multipoint", EWKB_MALFORMED },
        { "hole in nothing", EWKB_MALFORMED },
        { "NaN", EWKB_NOT_FINITE },
        { "open ring", EWKB_OPEN_RING },
    };
    struct ewkb head;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int n_levels = 1; n_levels <= 3; n_levels++) {
            const char *what = cases[i].what;
            shape_init(&shape);
            for (int level = 0; level < n_levels; level++) {
                put_part(&shape, 7);
                put_count(&shape, 3);
                put_member(&shape, 3);
            }
            int64_t at = shape.n;
            if (!strcmp(what, "curve")) {
                put_empty(&shape, 8);
            } else if (!strcmp(what, "unknown type")) {
                put_empty(&shape, 18);
            } else if (!strcmp(what, "too many members")) {
                put_part(&shape, 7);
                put_count(&shape, 1u << 28);
            } else if (!strcmp(what, "point in a multipolygon")
                       || !strcmp(what, "collection in a multipoint")) {
                put_part(&shape, *what == 'p' ? 6 : 4);
                put_count(&shape, 1);
                *what == 'p' ? put_member(&shape, 1) : put_empty(&shape, 7);
            } else if (!strcmp(what, "hole in nothing")) {
                put_part(&shape, 3);
                put_count(&shape, 2);
                put_count(&shape, 0);
                put_rectangle(&shape, 0, 0, 1, 1);
            } else if (!strcmp(what, "NaN")) {
                put_part(&shape, 1);
                put_raw(&shape, 1, NAN);
            } else if (!strcmp(what, "open ring")) {
                put_member(&shape, 3);
                shape.bytes[at + 13 + 7] ^= 1; /* an exponent of the first x */
            } else {
                put_member(&shape, 1);
                if (!strcmp(what, "byte order"))
                    shape.bytes[at] = 2;
            }
            for (int level = 0; level < n_levels; level++)
                put_member(&shape, 2);
            shape.n += !strcmp(what, "bytes to spare");
            shape.n -= !strcmp(what, "too few bytes");
            enum ewkb_fault fault = read_exactly(shape.bytes, shape.n, &head);
            if (fault != cases[i].fault)
                fail_msg("%s, %d levels: %s", what, n_levels, ewkb_fault_text(fault));
            assert_int_equal(head.type, EWKB_COLLECTION);
        }
}

static void rings_close_and_have_four_points(void **state)
{
    (void)state;
    static struct shape shape;
    struct ewkb head;
    struct point ring[] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 0 }, { 0, 0 } };
    for (int n = 1; n <= 5; n++) {
        shape_init(&shape);
        put_type(&shape, 3, 0);
        put_count(&shape, 1);
        put_count(&shape, (uint32_t)n);
        for (int i = 0; i < n; i++)
            put_moved(&shape, ring[i]);
        assert_int_equal(ewkb_read(shape.bytes, shape.n, &head),
                         n < 4 ? EWKB_OPEN_RING : EWKB_FINE);
    }
    shape.bytes[shape.n - 1] = 0x40; /* the last y is 2 */
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_OPEN_RING);
    shape.bytes[shape.n - 1] = 0x80; /* -0 is 0 */
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
    shape_init(&shape); /* a hole in nothing */
    put_type(&shape, 3, 0);
    put_count(&shape, 2);
    put_count(&shape, 0);
    put_rectangle(&shape, 0, 0, 1, 1);
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_MALFORMED);
}

/* As PostGIS and GEOS have it; and whoever decides by boxes is told. */
static void a_hole_is_no_part_of_the_box(void **state)
{
    (void)state;
    static const struct {
        struct box hole;
        bool spills;
    } cases[] = {
        { { 1, 1, 2, 2 }, false },    { { 0, 0, 10, 10 }, false },
        { { 20, 20, 22, 22 }, true }, { { -1, 1, 2, 2 }, true },
        { { 1, -1, 2, 2 }, true },    { { 1, 1, 11, 2 }, true },
        { { 1, 1, 2, 11 }, true },
    };
    static const uint32_t flags[] = { 0, 0x20000000u, 0x80000000u, 0xe0000000u };
    static struct shape shape;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t dress = 0; dress < 16; dress++) {
            const struct box *hole = &cases[i].hole;
            struct ewkb head;
            struct box bounds;
            shape_init(&shape);
            shape.flags = flags[dress / 4];
            shape.big = dress % 2;
            put_type(&shape, dress % 4 < 2 ? 3 : 6, 0);
            if (dress % 4 >= 2) {
                put_count(&shape, 1);
                put_part(&shape, 3);
            }
            put_count(&shape, 2);
            put_rectangle(&shape, 0, 0, 10, 10);
            put_rectangle(&shape, hole->xmin, hole->ymin, hole->xmax, hole->ymax);
            assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
            assert_memory_equal(&head.box,
                                (&(struct box){ 0, 0, 10, 10 }),
                                sizeof head.box);
            assert_int_equal(head.spills, cases[i].spills);
            assert_int_equal(head.n_vertices, 10);
            assert_int_equal(ewkb_fault_of(EWKB_FINE, &head),
                             head.spills ? EWKB_COLLECTED : EWKB_FINE);
            assert_int_equal(ewkb_bounds(shape.bytes, shape.n, &bounds), 0);
            assert_memory_equal(&head.box, &bounds, sizeof bounds);
        }
}

static void flatten_refuses_what_does_not_fit(void **state)
{
    (void)state;
    static struct shape shape;
    uint8_t flat[512];
    struct error err;
    shape_init(&shape);
    put_sample(&shape, 6);
    for (int64_t room = 0; room < shape.n; room++) {
        memset(flat, 0xab, sizeof flat);
        assert_refused(ewkb_flatten(shape.bytes, shape.n, flat, room, &err),
                       &err,
                       ERROR_BUDGET,
                       "does not fit");
        assert_int_equal(flat[room], 0xab);
    }
    assert_int_equal(ewkb_flatten(shape.bytes, shape.n, flat, shape.n, &err), shape.n);
    assert_refused(ewkb_flatten(shape.bytes, shape.n - 1, flat, 512, &err),
                   &err,
                   ERROR_FORMAT,
                   "malformed");
    assert_int_equal(ewkb_flatten(shape.bytes, 0, flat, 512, NULL), -1);
}

static void the_centroid_of_a_footprint_is_in_its_box(void **state)
{
    (void)state;
    static struct shape shape;
    struct ewkb head;
    shape_init(&shape);
    shape.x = 236000;
    shape.y = 900000;
    put_type(&shape, 6, 0); /* a multipolygon of one ring counts as well */
    put_count(&shape, 1);
    put_part(&shape, 3);
    put_count(&shape, 1);
    put_ring(&shape, (struct point[]){ { 0, 0 }, { 3, 0 }, { 0, 6 } }, 3);
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
    struct box box = ewkb_centroid_box(shape.bytes, shape.n, &head);
    assert_true(box.xmin <= 236001 && box.xmax >= 236001);
    assert_true(box.ymin <= 900002 && box.ymax >= 900002);
    assert_true(box.xmax - box.xmin < 1e-6 && box.ymax - box.ymin < 1e-6);
    shape_init(&shape); /* its two halves cancel */
    put_type(&shape, 3, 0);
    put_count(&shape, 1);
    put_ring(&shape, (struct point[]){ { 0, 0 }, { 1, 1 }, { 1, 0 }, { 0, 1 } }, 4);
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
    box = ewkb_centroid_box(shape.bytes, shape.n, &head);
    assert_true(isinf(box.xmin) && isinf(box.ymax));
    shape_init(&shape); /* whatever it has */
    put_type(&shape, 7, 0);
    put_count(&shape, 1);
    put_member(&shape, 1);
    assert_int_equal(ewkb_read(shape.bytes, shape.n, &head), EWKB_FINE);
    box = ewkb_centroid_box(shape.bytes, shape.n, &head);
    assert_true(isinf(box.xmin) && isinf(box.ymax));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reads_in_every_dress),
        cmocka_unit_test(cut_anywhere_is_malformed),
        cmocka_unit_test(changed_bytes_never_read_past_the_end),
        cmocka_unit_test(the_specialised_reader_equals_the_general_one),
        cmocka_unit_test(what_is_not_finite_is_named_wherever_it_stands),
        cmocka_unit_test(largest_and_smallest_doubles_are_finite),
        cmocka_unit_test(empty_geometries_and_empty_parts_are_fine),
        cmocka_unit_test(what_cannot_be_decided_says_why),
        cmocka_unit_test(empty_members_of_a_collection_leave_no_trace),
        cmocka_unit_test(collections_nest_as_deep_as_postgis_reads),
        cmocka_unit_test(what_is_wrong_in_a_collection_is_found_however_deep),
        cmocka_unit_test(rings_close_and_have_four_points),
        cmocka_unit_test(a_hole_is_no_part_of_the_box),
        cmocka_unit_test(flatten_refuses_what_does_not_fit),
        cmocka_unit_test(the_centroid_of_a_footprint_is_in_its_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
