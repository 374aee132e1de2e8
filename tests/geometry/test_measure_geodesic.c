/*
 * Geodesic areas against two authorities: PROJ's geodesic.h, and, where the noise of its
 * doubles is larger than what is to be seen, geodesics integrated in long double.
 */
#include <stdlib.h>

#include <geodesic.h>

#include "rooftally/geometry/measure.h"

#include "check.h"
#include "shapes.h"

static const struct crs ellipsoids[] = {
    { true, 6378137, 1 / 298.257223563, 1, "WGS 84" },
    { true, 6378137, 1 / 298.257222101, 1, "GRS 1980" },
    { true, 6378206.4, 1 / 294.9786982138982, 1, "Clarke 1866" },
    { true, 6371000, 0, 1, "sphere" },
};
enum { N_ELLIPSOIDS = sizeof ellipsoids / sizeof *ellipsoids, RING_MOST = 1024 };

/* A ring without its closing point. */
struct ring {
    struct point points[RING_MOST];
    int n;
};

static struct shape shape;

static double measured(const struct crs *crs, const struct ring *rings, int n)
{
    struct measures measures;
    struct error err;
    shape_init(&shape);
    put_type(&shape, 3, 0);
    put_count(&shape, (uint32_t)n);
    for (int i = 0; i < n; i++)
        put_ring(&shape, rings[i].points, rings[i].n);
    assert_fine(measure(crs, shape.bytes, shape.n, false, &measures, &err), &err);
    return measures.area_m2;
}

static double geodesic_h(const struct crs *crs, const struct ring *ring, double *length)
{
    struct geod_geodesic ellipsoid;
    struct geod_polygon polygon;
    double area;
    geod_init(&ellipsoid, crs->semimajor_m, crs->flattening);
    geod_polygon_init(&polygon, 0);
    for (int i = 0; i < ring->n; i++)
        geod_polygon_addpoint(&ellipsoid,
                              &polygon,
                              ring->points[i].y,
                              ring->points[i].x);
    geod_polygon_compute(&ellipsoid, &polygon, 0, 1, &area, length);
    return fabs(area);
}

/* A geodesic at distance s: longitude, latitude, azimuth, and the area under it. */
struct state {
    long double l, f, z, area;
};

/* Area between equator and parallel per radian, Snyder eq. 3-12. */
static long double authalic(const struct crs *crs, long double f)
{
    long double n = crs->flattening, b = crs->semimajor_m * (1 - n);
    long double e = sqrtl(n * (2 - n)), x = sinl(f), ex = e * x;
    return b * b / 2 * (x / (1 - ex * ex) + (e > 0 ? atanhl(ex) / e : x));
}

static struct state slope(const struct crs *crs, long double origin, struct state at)
{
    long double n = crs->flattening, e2 = n * (2 - n), x = sinl(at.f);
    long double rest = 1 - e2 * x * x;
    long double r = crs->semimajor_m / sqrtl(rest) * cosl(at.f);
    long double m = crs->semimajor_m * (1 - e2) / (rest * sqrtl(rest));
    long double turn = sinl(at.z) / r;
    return (struct state){
        turn, cosl(at.z) / m, turn * x, turn * (authalic(crs, at.f) - origin)
    };
}

static struct state step(struct state at, struct state d, long double h)
{
    return (struct state){
        at.l + h * d.l, at.f + h * d.f, at.z + h * d.z, at.area + h * d.area
    };
}

/* Runge and Kutta's classic rule: 8 steps are good for 1e-17 s^2 of area. */
static struct state
shoot(const struct crs *crs, long double origin, struct state at, long double s)
{
    enum { N_STEPS = 8 };
    long double h = s / N_STEPS;
    for (int i = 0; i < N_STEPS; i++) {
        struct state k1 = slope(crs, origin, at);
        struct state k2 = slope(crs, origin, step(at, k1, h / 2));
        struct state k3 = slope(crs, origin, step(at, k2, h / 2));
        struct state k4 = slope(crs, origin, step(at, k3, h));
        at = step(step(step(step(at, k1, h / 6), k2, h / 3), k3, h / 3), k4, h / 6);
    }
    return at;
}

/* The area under the edge: aim, see where the shot lands, aim again. */
static long double
edge_area(const struct crs *crs, long double origin, struct point from, struct point to)
{
    const long double radian = acosl(-1) / 180;
    struct state start = { .f = from.y * radian }, end = start;
    long double l = ((long double)to.x - from.x) * radian, f = to.y * radian;
    long double east = 0, north = 0, a = crs->semimajor_m;
    for (int i = 0; i < 8; i++) {
        east += (l - end.l) * a * cosl(f);
        north += (f - end.f) * a;
        start.z = atan2l(east, north);
        end = shoot(crs, origin, start, hypotl(east, north));
    }
    assert_true(fabsl(end.l - l) * cosl(f) + fabsl(end.f - f) < 1e-17L);
    return end.area;
}

static double true_area(const struct crs *crs, const struct ring *ring)
{
    long double sum = 0;
    long double origin = authalic(crs, ring->points[0].y * (acosl(-1) / 180));
    for (int i = 0; i < ring->n; i++)
        sum += edge_area(crs, origin, ring->points[i], ring->points[(i + 1) % ring->n]);
    return (double)fabsl(sum);
}

/* A crinkled ring about (x, y); clockwise where n is negative. */
static struct ring make_ring(uint64_t *seed, double x, double y, double radius_m, int n)
{
    struct ring ring = { .n = abs(n) };
    double degree_m = 6371000 * M_PI / 180;
    for (int i = 0; i < ring.n; i++) {
        double angle = 2 * M_PI * (i + 0.9 * random_unit(seed)) / n;
        double r = radius_m * (1 - 0.4 * random_unit(seed)) / degree_m;
        ring.points[i].y = y + r * sin(angle);
        ring.points[i].x = x + r * cos(angle) / cos(y * M_PI / 180);
    }
    return ring;
}

static void assert_about(double value, double wanted, double relative)
{
    if (!(fabs(value - wanted) <= relative * wanted))
        fail_msg("%.17g is not %.17g: %.1e", value, wanted, value / wanted - 1);
}

static const struct point places[] = {
    { -71, -80 }, { 0, -65 }, { 139, -42 },     { -0.00001, -13 }, { 0, 0 },
    { 30, 0.01 }, { 0, 27 },  { -179.9, 42.3 }, { 179, 60 },       { 5, 80 },
};
enum { N_PLACES = sizeof places / sizeof *places };

/* 5 to 100 m across. A double's last bit of a longitude is 1e-9 of 5 m, but the areas are
 * of the points as they are; geodesic.h is off by up to 5e-6 here. */
static void buildings_are_true_to_many_digits(void **state)
{
    (void)state;
    static const double radii_m[] = { 2.5, 5, 15, 50 };
    uint64_t seed = 1;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int i = 0; i < N_PLACES; i++)
            for (int j = 0; j < 8; j++) {
                int n = (4 + random_below(&seed, 8)) * (j % 2 ? 1 : -1);
                double x = places[i].x, y = places[i].y;
                struct ring ring = make_ring(&seed, x, y, radii_m[j / 2], n);
                assert_about(measured(&ellipsoids[e], &ring, 1),
                             true_area(&ellipsoids[e], &ring),
                             1e-11);
            }
}

/* 1 to 100 km across, with edges of 10 m to 5 km (and the spikes between them longer). */
static void zones_are_true_and_agree_with_geodesic_h(void **state)
{
    (void)state;
    static const struct {
        double radius_m, edge_m;
    } cases[] = { { 500, 10 },    { 500, 600 },    { 3000, 300 },
                  { 3000, 2500 }, { 12000, 5000 }, { 50000, 5000 } };
    uint64_t seed = 2;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int i = 0; i < N_PLACES; i++)
            for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
                double radius_m = cases[j].radius_m;
                int n = 4 + (int)(4 * radius_m / cases[j].edge_m);
                struct ring ring = make_ring(&seed,
                                             places[i].x,
                                             places[i].y,
                                             radius_m,
                                             (i + (int)j) % 2 ? n : -n);
                double area = measured(&ellipsoids[e], &ring, 1);
                /* at 80 degrees 5 km is long, and geodesic.h's noise is in it */
                double noise = 5e-4 / (radius_m * radius_m);
                assert_about(area, true_area(&ellipsoids[e], &ring), 1e-11 + noise);
                assert_about(area,
                             geodesic_h(&ellipsoids[e], &ring, NULL),
                             1e-11 + noise);
            }
}

static void a_zone_of_many_vertices_agrees_with_geodesic_h(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int i = 0; i < N_PLACES; i++) {
            double x = places[i].x, y = places[i].y;
            struct ring ring = make_ring(&seed, x, y, 10000, i % 2 ? 850 : -850);
            assert_about(measured(&ellipsoids[e], &ring, 1),
                         geodesic_h(&ellipsoids[e], &ring, NULL),
                         1e-11); /* the noise of 850 edges */
        }
}

/* Edges just within what counts as short, about it, and well beyond, in every direction:
 * one formula takes over from the other, and a ring may have both kinds. */
static void short_and_long_edges_make_one_sum(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int i = 0; i < N_PLACES; i++)
            for (int j = 0; j < 16; j++) {
                bool all_short = j % 3 == 0;
                double part = 0.97;
                if (!all_short)
                    part = j % 3 == 1 ? 0.97 + 0.06 * random_unit(&seed) : 5;
                double side = 180 / M_PI / 500 * part;
                double angle = 2 * M_PI * j / 16, y = places[i].y;
                struct ring ring = { .n = 3 };
                for (int k = 0; k < 3; k++) {
                    double to = angle + 2 * M_PI / 3 * k;
                    ring.points[k].x = places[i].x + side / sqrt(3) * cos(to);
                    ring.points[k].y =
                        y + side / sqrt(3) * cos(y * M_PI / 180) * sin(to);
                }
                double wanted = true_area(&ellipsoids[e], &ring);
                double noise = all_short ? 0 : 2e-4 / wanted; /* of geodesic.h */
                assert_about(measured(&ellipsoids[e], &ring, 1), wanted, 5e-12 + noise);
            }
}

/* A coast of short edges, closed by long ones, as far as 30 degrees from its start. */
static void a_coast_and_straight_borders_make_one_sum(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int y = -75; y <= 45; y += 15) {
            struct ring ring = { .n = 1002 };
            for (int i = 0; i < 1000; i++)
                ring.points[i] =
                    (struct point){ -10 + 0.03 * random_unit(&seed), y + 0.03 * i };
            ring.points[1000] = (struct point){ 25, y + 29 };
            ring.points[1001] = (struct point){ 12, y - 2 };
            assert_about(measured(&ellipsoids[e], &ring, 1),
                         geodesic_h(&ellipsoids[e], &ring, NULL),
                         1e-13);
        }
}

/* A slanted band, 20 degrees high and 1 km wide: F is carried from series to series, and
 * must be good to the end of each. */
static void a_long_narrow_band_keeps_its_area(void **state)
{
    (void)state;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int y = -70; y <= 50; y += 20) {
            struct ring ring = { .n = 1000 };
            for (int i = 0; i < 500; i++) {
                ring.points[i] = (struct point){ 3 + 0.02 * i, y + 0.04 * i };
                ring.points[999 - i] = (struct point){ 3.01 + 0.02 * i, y + 0.04 * i };
            }
            assert_about(measured(&ellipsoids[e], &ring, 1),
                         geodesic_h(&ellipsoids[e], &ring, NULL),
                         1e-11); /* its noise in 2000 km2 */
        }
}

static void holes_are_taken_off(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int i = 0; i < N_PLACES; i++) {
            double x = places[i].x, y = places[i].y;
            struct ring rings[3];
            rings[0] = make_ring(&seed, x, y, 4000, 100);
            rings[1] = make_ring(&seed, x, y + 0.01, 700, -30);
            rings[2] = make_ring(&seed, x, y - 0.01, 500, 30);
            double wanted = true_area(&ellipsoids[e], &rings[0])
                            - true_area(&ellipsoids[e], &rings[1])
                            - true_area(&ellipsoids[e], &rings[2]);
            assert_about(measured(&ellipsoids[e], rings, 3), wanted, 1e-11);
        }
}

/* Poles, the antimeridian, half the globe, bodies unlike the earth. */
static void what_is_not_short_is_geodesic_hs(void **state)
{
    (void)state;
    static const struct crs others[] = {
        { true, 6378137, 1 / 298.257223563, 1, "WGS 84" },
        { true, 6378137, 1 / 60., 1, "too flat" },
        { true, 6378137, -1 / 300., 1, "prolate" },
    };
    static const struct ring rings[] = {
        { { { 179.9999, 42 }, { -179.9999, 42 }, { -179.9999, 42.0002 } }, 3 },
        { { { -120, 89.99 }, { 0, 89.99 }, { 120, 89.99 } }, 3 },
        { { { -120, -60 }, { 0, -60 }, { 120, -60 } }, 3 },
        { { { 20, 90 }, { 20, 89.9999 }, { 40, 89.9999 } }, 3 },
        { { { 20, 90 }, { 30, 90 }, { 40, 89.9 }, { 20, 89.9 } }, 4 },
        { { { 350, 10 }, { 370, 10 }, { 370, 20 }, { 350, 20 } }, 4 },
        { { { -60, -80 },
            { 60, -80 },
            { 179, -80 },
            { 179, 80 },
            { 60, 80 },
            { -60, 80 },
            { -179, 80 },
            { -179, -80 } },
          8 },
        { { { 0, 0 }, { 90, 0 }, { 180, 0 }, { -90, 0 } }, 4 },
        { { { 5, 45 }, { 5.05, 45 }, { 5.1, 45.05 }, { 5, 45.05 } }, 4 },
    };
    for (size_t e = 0; e < sizeof others / sizeof *others; e++)
        for (size_t i = 0; i < sizeof rings / sizeof *rings; i++)
            assert_about(measured(&others[e], &rings[i], 1),
                         geodesic_h(&others[e], &rings[i], NULL),
                         i < 3 || e ? 0 : 1e-11);
}

static void a_latitude_beyond_a_pole_has_no_area(void **state)
{
    (void)state;
    static const struct ring rings[] = {
        { { { 0, 89.99 }, { 1, 90.0000001 }, { 0, 90 } }, 3 },
        { { { 0, 100 }, { 0.0001, 100 }, { 0.0001, 100.0001 } }, 3 },
        { { { 0, -100 }, { 0.0001, -100 }, { 0.0001, -100.0001 } }, 3 },
    };
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        assert_true(isnan(geodesic_h(&ellipsoids[0], &rings[i], NULL)));
        assert_true(isnan(measured(&ellipsoids[0], &rings[i], 1)));
    }
}

static void a_ring_without_extent_has_no_area(void **state)
{
    (void)state;
    struct ring ring = { .n = 3 };
    for (int i = 0; i < N_PLACES; i++) {
        ring.points[0] = ring.points[1] = ring.points[2] = places[i];
        assert_true(measured(&ellipsoids[0], &ring, 1) == 0);
        ring.points[2].x += 1e-5;
        assert_true(measured(&ellipsoids[0], &ring, 1) < 1e-15);
    }
}

static void a_perimeter_is_geodesic_hs(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int e = 0; e < N_ELLIPSOIDS; e++)
        for (int i = 0; i < N_PLACES; i++) {
            struct measures with, without;
            struct error err;
            double length;
            struct ring ring = make_ring(&seed, places[i].x, places[i].y, 30, 9);
            const struct crs *crs = &ellipsoids[e];
            double area = measured(crs, &ring, 1);
            geodesic_h(crs, &ring, &length);
            assert_fine(measure(crs, shape.bytes, shape.n, true, &with, &err), &err);
            assert_fine(measure(crs, shape.bytes, shape.n, false, &without, &err),
                        &err);
            assert_true(with.perimeter_m == length && without.perimeter_m == 0);
            assert_true(with.area_m2 == area && without.area_m2 == area);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buildings_are_true_to_many_digits),
        cmocka_unit_test(zones_are_true_and_agree_with_geodesic_h),
        cmocka_unit_test(a_zone_of_many_vertices_agrees_with_geodesic_h),
        cmocka_unit_test(short_and_long_edges_make_one_sum),
        cmocka_unit_test(a_coast_and_straight_borders_make_one_sum),
        cmocka_unit_test(a_long_narrow_band_keeps_its_area),
        cmocka_unit_test(holes_are_taken_off),
        cmocka_unit_test(what_is_not_short_is_geodesic_hs),
        cmocka_unit_test(a_latitude_beyond_a_pole_has_no_area),
        cmocka_unit_test(a_ring_without_extent_has_no_area),
        cmocka_unit_test(a_perimeter_is_geodesic_hs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
