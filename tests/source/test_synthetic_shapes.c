/* The geometry of synthetic states, by exact tests in whole numbers. */
#include <math.h>
#include <stdlib.h>

#include "synthetic_state.h"

enum { MOST_RING_POINTS = 4096, MOST_EDGES = 2048 };

/* Whole ten-millionths of a degree, so that every test here is exact. */
struct point {
    int64_t x, y;
};

struct edge {
    struct point a, b;
};

struct shape {
    int n_edges, n_rings, n_parts;
    struct edge edges[MOST_EDGES];
};

/* Reading WKB, each step checked. */
static uint32_t take_count(const uint8_t **at)
{
    uint32_t n;
    memcpy(&n, *at, 4);
    *at += 4;
    return n;
}

static uint32_t take_head(const uint8_t **at)
{
    assert_int_equal(*(*at)++, 1);
    return take_count(at);
}

static struct point take_point(const uint8_t **at)
{
    double xy[2];
    memcpy(xy, *at, 16);
    *at += 16;
    struct point p = { llround(xy[0] * 1e7), llround(xy[1] * 1e7) };
    assert_true((double)p.x / 1e7 == xy[0] && (double)p.y / 1e7 == xy[1]);
    return p;
}

static bool same(struct point a, struct point b)
{
    return a.x == b.x && a.y == b.y;
}

static void take_ring(const uint8_t **at, struct shape *shape)
{
    uint32_t n = take_count(at);
    assert_in_range(n, 5, MOST_RING_POINTS);
    struct point first = take_point(at), last = first;
    for (uint32_t i = 1; i < n; i++) {
        struct point p = take_point(at);
        assert_false(same(last, p));
        assert_true(shape->n_edges < MOST_EDGES);
        shape->edges[shape->n_edges++] = (struct edge){ last, p };
        last = p;
    }
    assert_true(same(first, last));
    shape->n_rings++;
}

static void read_zone(const struct synthetic_zone *zone, struct shape *shape)
{
    const uint8_t *at = (const uint8_t *)zone->wkb.bytes;
    *shape = (struct shape){ 0 };
    assert_int_equal(take_head(&at), 0x20000006);
    assert_int_equal(take_count(&at), 4326);
    shape->n_parts = (int)take_count(&at);
    assert_in_range(shape->n_parts, 1, 3);
    for (int part = 0; part < shape->n_parts; part++) {
        assert_int_equal(take_head(&at), 3);
        for (uint32_t n = take_count(&at); n > 0; n--)
            take_ring(&at, shape);
    }
    assert_ptr_equal(at, zone->wkb.bytes + zone->wkb.n);
    assert_int_equal(zone->n_vertices, shape->n_edges + shape->n_rings);
}

static void read_building(const struct synthetic_building *building,
                          struct shape *shape)
{
    const uint8_t *at = building->wkb;
    *shape = (struct shape){ .n_parts = 1 };
    assert_int_equal(take_head(&at), 0x20000003);
    assert_int_equal(take_count(&at), 4326);
    assert_int_equal(take_count(&at), 1);
    take_ring(&at, shape);
    assert_ptr_equal(at, building->wkb + building->n_wkb);
    assert_int_equal(building->n_vertices, shape->n_edges);
    assert_in_range(building->n_vertices, 4, 12);
}

static int side(struct point a, struct point b, struct point p)
{
    int64_t cross = (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
    return (cross > 0) - (cross < 0);
}

static bool in_box(struct point a, struct point b, struct point p)
{
    return (a.x < b.x ? a.x : b.x) <= p.x && p.x <= (a.x < b.x ? b.x : a.x)
           && (a.y < b.y ? a.y : b.y) <= p.y && p.y <= (a.y < b.y ? b.y : a.y);
}

/* Whether two closed segments have a point in common. */
static bool meet(struct edge e, struct edge f)
{
    int ea = side(f.a, f.b, e.a), eb = side(f.a, f.b, e.b);
    int fa = side(e.a, e.b, f.a), fb = side(e.a, e.b, f.b);
    if (ea * eb < 0 && fa * fb < 0)
        return true;
    return (ea == 0 && in_box(f.a, f.b, e.a)) || (eb == 0 && in_box(f.a, f.b, e.b))
           || (fa == 0 && in_box(e.a, e.b, f.a)) || (fb == 0 && in_box(e.a, e.b, f.b));
}

static bool meets_border(const struct shape *zone, struct edge edge)
{
    for (int i = 0; i < zone->n_edges; i++)
        if (meet(zone->edges[i], edge))
            return true;
    return false;
}

/* Even-odd; only for points that are not on the border. */
static bool is_inside(const struct shape *zone, struct point p)
{
    bool inside = false;
    for (int i = 0; i < zone->n_edges; i++) {
        struct point a = zone->edges[i].a, b = zone->edges[i].b;
        if ((a.y > p.y) != (b.y > p.y))
            inside ^= side(a, b, p) == (b.y > a.y ? 1 : -1);
    }
    return inside;
}

static bool is_within(const struct shape *zone, const struct shape *building)
{
    for (int i = 0; i < building->n_edges; i++)
        if (meets_border(zone, building->edges[i]))
            return false;
    return is_inside(zone, building->edges[0].a);
}

/* Edges of a simple shape meet in common ends alone, and just two in each. */
static void assert_simple(const struct shape *shape)
{
    for (int i = 0; i < shape->n_edges; i++) {
        int n_met = 0;
        for (int j = 0; j < shape->n_edges; j++) {
            struct edge e = shape->edges[i], f = shape->edges[j];
            if (i == j || !meet(e, f))
                continue;
            n_met++;
            assert_true(same(e.a, f.b) || same(e.b, f.a));
            assert_true(side(e.a, e.b, same(e.a, f.b) ? f.a : f.b) != 0
                        || !in_box(e.a, e.b, same(e.a, f.b) ? f.a : f.b));
        }
        assert_int_equal(n_met, 2);
    }
}

struct owned_edge {
    struct edge edge;
    int zone;
};

static int compare_points(struct point a, struct point b)
{
    return a.x != b.x ? (a.x > b.x) - (a.x < b.x) : (a.y > b.y) - (a.y < b.y);
}

static int compare_edges(const void *a, const void *b)
{
    const struct owned_edge *e = a, *f = b;
    int order = compare_points(e->edge.a, f->edge.a);
    return order ? order : compare_points(e->edge.b, f->edge.b);
}

/* All edges of all zones, each from its lesser point to its greater, sorted. */
static int collect_edges(const struct synthetic_state *state, struct owned_edge *all)
{
    static struct shape shape;
    int n = 0;
    for (int row = 0; row < (int)state->n_zones; row++) {
        struct memory_mark mark = memory_mark(&memory);
        struct synthetic_zone zone = new_zone(state, row);
        read_zone(&zone, &shape);
        memory_rewind(&memory, &mark);
        for (int i = 0; i < shape.n_edges; i++) {
            struct edge e = shape.edges[i];
            bool turned = compare_points(e.a, e.b) > 0;
            all[n++] =
                (struct owned_edge){ turned ? (struct edge){ e.b, e.a } : e, row };
        }
    }
    qsort(all, (size_t)n, sizeof *all, compare_edges);
    return n;
}

static void neighbours_share_their_border_vertex_by_vertex(void **context)
{
    (void)context;
    enum { N = 61 };
    static int shared[N][N];
    struct synthetic_state state = new_state(N, 0, 5);
    struct owned_edge *all = malloc(N * (size_t)MOST_EDGES * sizeof *all);
    assert_non_null(all);
    int n = collect_edges(&state, all), n_columns = (int)state.n_columns,
        n_exclaves = 0;
    memset(shared, 0, sizeof shared);
    for (int i = 1; i < n; i++) {
        if (compare_edges(&all[i - 1], &all[i]) != 0)
            continue;
        shared[all[i - 1].zone][all[i].zone]++;
        shared[all[i].zone][all[i - 1].zone]++;
        assert_true(i + 1 == n || compare_edges(&all[i], &all[i + 1]) != 0);
    }
    for (int a = 0; a < N; a++)
        for (int b = a; b < N; b++) {
            int common = shared[a][b];
            if (b == a + 1 && b % n_columns != 0) {
                bool exclave = common == 256 + 128 || common == 128 + 128;
                n_exclaves += common > 256;
                assert_true(common == 128 || common == 256 || exclave);
            } else if (b == a + n_columns)
                assert_true(common == 128 || common == 256);
            else
                assert_int_equal(common, 0);
        }
    assert_true(n_exclaves > 0);
    free(all);
}

static void borders_neither_cross_nor_touch(void **context)
{
    (void)context;
    static const struct {
        int64_t n_zones, rows[3];
        uint64_t seed;
    } cases[] = {
        { 1, { 0, 0, 0 }, 1 },
        { 400, { 0, 1, 2 }, 1 },
        { 400, { 20, 210, 399 }, 2 },
        { SYNTHETIC_MOST_ZONES, { 0, 500000, 999999 }, 3 },
    };
    static struct shape shape;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int k = 0; k < 3; k++) {
            struct memory_mark mark = memory_mark(&memory);
            struct synthetic_state state =
                new_state(cases[i].n_zones, 0, cases[i].seed);
            struct synthetic_zone zone = new_zone(&state, cases[i].rows[k]);
            read_zone(&zone, &shape);
            assert_simple(&shape);
            memory_rewind(&memory, &mark);
        }
}

/* With edges that cross nowhere, zones overlap nowhere. */
static void zones_do_not_cross_their_neighbours(void **context)
{
    (void)context;
    static struct shape zone_shape, other_shape;
    struct synthetic_state state = new_state(24, 0, 11);
    int64_t steps[] = { 1, state.n_columns - 1, state.n_columns, state.n_columns + 1 };
    for (int64_t row = 0; row < 10; row++) {
        struct synthetic_zone zone = new_zone(&state, row);
        read_zone(&zone, &zone_shape);
        for (int k = 0; k < 4; k++) {
            struct synthetic_zone other = new_zone(&state, row + steps[k]);
            read_zone(&other, &other_shape);
            for (int i = 0; i < zone_shape.n_edges; i++)
                for (int j = 0; j < other_shape.n_edges; j++) {
                    struct edge e = zone_shape.edges[i], f = other_shape.edges[j];
                    if (meet(e, f))
                        assert_true(same(e.a, f.a) || same(e.a, f.b) || same(e.b, f.a)
                                    || same(e.b, f.b));
                }
        }
    }
}

static void zones_have_lakes_islands_and_exclaves(void **context)
{
    (void)context;
    static struct shape shape;
    struct synthetic_state state = new_state(400, 0, 1);
    int n_holes = 0, n_multi = 0;
    double n_vertices = 0;
    for (int64_t row = 0; row < 400; row++) {
        struct memory_mark mark = memory_mark(&memory);
        struct synthetic_zone zone = new_zone(&state, row);
        read_zone(&zone, &shape);
        n_holes += shape.n_rings > shape.n_parts;
        n_multi += shape.n_parts > 1;
        n_vertices += (double)zone.n_vertices;
        assert_in_range(zone.n_vertices, 4 * 128 + 1, 1348);
        memory_rewind(&memory, &mark);
    }
    assert_in_range(n_holes, 140, 220); /* 45 %, five sigmas and more */
    assert_in_range(n_multi, 45, 115);  /* about 20 % */
    assert_true(n_vertices / 400 > 750 && n_vertices / 400 < 950);
}

static double area_m2(const struct shape *shape)
{
    struct point o = shape->edges[0].a;
    double sum = 0, lat = (double)o.y / 1e7 * (3.14159265358979323846 / 180);
    for (int i = 0; i < shape->n_edges; i++) {
        struct point a = shape->edges[i].a, b = shape->edges[i].b;
        sum += (double)((a.x - o.x) * (b.y - o.y) - (b.x - o.x) * (a.y - o.y));
    }
    return fabs(sum) / 2 * 0.0111195 * 0.0111195 * cos(lat);
}

/* Every building of a state, by tests of our own: simple, and within its zone exactly
 * when it does not straddle the border. */
static void assert_buildings_stand_where_they_say(int64_t n_zones,
                                                  int64_t n_buildings,
                                                  uint64_t seed)
{
    static struct shape border, footprint;
    struct synthetic_state state = new_state(n_zones, n_buildings, seed);
    int64_t n_straddling = 0, n = 0;
    for (int64_t row = 0; row < n_zones; row++) {
        if (synthetic_n_buildings(&state, row) == 0)
            continue;
        struct memory_mark mark = memory_mark(&memory);
        struct synthetic_zone zone = new_zone(&state, row);
        read_zone(&zone, &border);
        for (int64_t i = 0; i < zone.n_buildings; i++, n++) {
            struct synthetic_building building;
            synthetic_building(&zone, i, &building);
            read_building(&building, &footprint);
            assert_simple(&footprint);
            assert_int_equal(is_within(&border, &footprint), !building.straddles);
            n_straddling += building.straddles;
            /* A sphere, the latitude of the zone for all of it, vertices to a
             * centimetre. */
            double area = area_m2(&footprint);
            assert_true(fabs(area - building.size) < 0.3 + 0.03 * area);
        }
        memory_rewind(&memory, &mark);
    }
    assert_int_equal(n, n_buildings);
    double share = (double)n_straddling / (double)n;
    assert_true(share > 0.012 && share < 0.028); /* four sigmas of 2 % in 2500 */
}

static void two_per_cent_straddle_and_the_rest_lie_within(void **context)
{
    (void)context;
    assert_buildings_stand_where_they_say(40, 4000, 1);
    assert_buildings_stand_where_they_say(2, 2500, 2);
}

/* The smallest cells are 1.5 km high: footprints and borders are close together. */
static void buildings_fit_into_the_smallest_zones(void **context)
{
    (void)context;
    static struct shape border, footprint;
    struct synthetic_state state = new_state(SYNTHETIC_MOST_ZONES, 100000000, 4);
    for (int64_t row = 0; row < state.n_zones; row += 49999) {
        struct synthetic_zone zone = new_zone(&state, row);
        read_zone(&zone, &border);
        for (int64_t i = 0; i < zone.n_buildings && i < 100; i++) {
            struct synthetic_building building;
            synthetic_building(&zone, i, &building);
            read_building(&building, &footprint);
            assert_int_equal(is_within(&border, &footprint), !building.straddles);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(neighbours_share_their_border_vertex_by_vertex),
        TEST(borders_neither_cross_nor_touch),
        TEST(zones_do_not_cross_their_neighbours),
        TEST(zones_have_lakes_islands_and_exclaves),
        TEST(two_per_cent_straddle_and_the_rest_lie_within),
        TEST(buildings_fit_into_the_smallest_zones),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
