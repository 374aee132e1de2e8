/*
 * Areas on an ellipsoid, for short edges without a geodesic problem solved.
 *
 * The cylindrical equal-area map takes longitude l and latitude f to (l, F), where
 *
 *     F(f) = b^2 [ sin f / (1 - e^2 sin^2 f) + atanh(e sin f) / e ] / 2
 *
 * is the area between equator and parallel per radian (Snyder, Map Projections, USGS
 * PP 1395, eq. 3-12; dF = M N cos f df, M and N the radii of curvature). Areas are exact
 * there, so a ring's is the sum over its edges of the area under the geodesic's image:
 * the trapezoid under the chord, and what lies between chord and curve.
 *
 *     F |      .-'''-.         geodesic of length s, azimuth z, radius of the
 *       |   .-'_______'-.      parallel r = N cos f:
 *       |   |  chord    |        l' = sin z / r           l'' = 2 sin z cos z sin f / r^2
 *       |___|___________|__ l    F' = r cos z             F'' = -sin f
 *
 * (f' = cos z / M, z' = sin z sin f / r, r' = -sin f cos z: Clairaut, r sin z constant.)
 * A curve's area over its chord is s^3 (F' l'' - l' F'') / 12 + O(s^5) with the
 * derivatives at its middle, so with u = dl, v = dF / r^2 and x = sin f of the edge
 *
 *     area = u (F1 + F2) / 2 + x r^2 u [ (u^2 + 3 v^2) / 12
 *            + u^4 (cos^2 f / 80 - 1 / 240) + u^2 v^2 (1 / 48 - x^2 / 16) + v^4 / 16 ]
 *
 * The first line holds on any ellipsoid. The second, of fifth order, is the sphere's, from
 * its exact tan(E / 2) = tan(dl / 2) sin fm / cos(df / 2) with fm the mean latitude and x
 * the mean sine. So the flattening's share of the fifth order is left out: with s = r w,
 * w^2 = u^2 + v^2, it is at most 0.025 e^2 w^3 s^2 (found against geodesics integrated in
 * long double, over all latitudes and azimuths). An edge with w <= 1/500 is short, 9 km at
 * 45 degrees, 2 km at 80, nothing at a pole: its area is off by less than 1.4e-12 s^2 on
 * the earth. Of every longer edge geodesic.h is asked.
 *
 * F is counted from the ring's first latitude: as the steps in longitude of a ring add up
 * to 0, that changes nothing but the rounding, which then is relative to the ring's own
 * size. geodesic.h takes differences of figures of the size of e^2 a^2, and so is off by
 * up to 1e-4 m2 an edge however short: for a building this file is nearer to the truth by
 * several digits, for a zone of 10 km both agree to 12.
 */
#include "measure_geodesic.h"

#include <math.h>
#include <stddef.h>

enum { N_TERMS = 6 };
static const double reach = 1.0 / 64;              /* radians from a series' latitude */
static const double short_most2 = 1.0 / 500 / 500; /* square of w */
static const double e2_most = 0.02;                /* where the series may be cut */

/* F about a latitude, as a series in the step t of its sine. */
struct series {
    double latitude, sine, cosine;
    double base; /* F there, from the ring's first latitude */
    double terms[N_TERMS];
};

struct vertex {
    double longitude, latitude, sine;
    double area; /* F in m2 per radian, from the ring's first latitude */
};

void ellipsoid_init(struct ellipsoid *ellipsoid, const struct crs *crs)
{
    double a = crs->semimajor_m, f = crs->flattening;
    ellipsoid->semimajor_m = a;
    ellipsoid->flattening = f;
    ellipsoid->degrees = crs->unit;
    ellipsoid->radians = crs->unit * (M_PI / 180);
    ellipsoid->a2 = a * a;
    ellipsoid->b2 = a * a * (1 - f) * (1 - f);
    ellipsoid->e2 = f * (2 - f);
    ellipsoid->has_geod = false;
}

static const struct geod_geodesic *geod(struct ellipsoid *ellipsoid)
{
    if (!ellipsoid->has_geod)
        geod_init(&ellipsoid->geod, ellipsoid->semimajor_m, ellipsoid->flattening);
    ellipsoid->has_geod = true;
    return &ellipsoid->geod;
}

static void add_points(struct ellipsoid *ellipsoid,
                       struct geod_polygon *polygon,
                       const struct sequence *points,
                       int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double x, y;
        sequence_point(points, i, &x, &y);
        geod_polygon_addpoint(geod(ellipsoid),
                              polygon,
                              y * ellipsoid->degrees,
                              x * ellipsoid->degrees);
    }
}

double ellipsoid_length(struct ellipsoid *ellipsoid, const struct sequence *points)
{
    double length = 0;
    struct geod_polygon polygon;
    geod_polygon_init(&polygon, true);
    add_points(ellipsoid, &polygon, points, points->n);
    geod_polygon_compute(geod(ellipsoid), &polygon, 0, 1, NULL, &length);
    return length;
}

/* The whole ring by geodesic.h, which closes it by itself and knows about the poles. */
static double whole_area(struct ellipsoid *ellipsoid, const struct sequence *ring)
{
    double area = 0;
    struct geod_polygon polygon;
    geod_polygon_init(&polygon, false);
    add_points(ellipsoid, &polygon, ring, ring->n - 1);
    geod_polygon_compute(geod(ellipsoid), &polygon, 0, 1, &area, NULL);
    return fabs(area);
}

static double authalic(const struct ellipsoid *ellipsoid, double sine)
{
    double e = sqrt(ellipsoid->e2);
    double arc = e > 0 ? atanh(e * sine) / e : sine;
    return ellipsoid->b2 / 2 * (sine / (1 - ellipsoid->e2 * sine * sine) + arc);
}

/*
 * dF / d(sin f) = b^2 (1 - e^2 sin^2 f)^-2 = c0 (1 - p t - q t^2)^-2 = sum c_n t^n, where
 * (n + 1) c_{n+1} = (n + 2) p c_n + (n + 3) q c_{n-1}; terms[n] is c_n / (n + 1). What
 * follows the last is below 1e-14 of F.
 */
static void
series_init(struct series *series, const struct ellipsoid *ellipsoid, double latitude)
{
    double sine = sin(latitude * ellipsoid->radians);
    double rest = 1 - ellipsoid->e2 * sine * sine;
    double p = 2 * ellipsoid->e2 * sine / rest, q = ellipsoid->e2 / rest;
    double before = 0, c = ellipsoid->b2 / (rest * rest);
    for (int n = 0; n < N_TERMS; n++) {
        double after = ((n + 2) * p * c + (n + 3) * q * before) / (n + 1);
        series->terms[n] = c / (n + 1);
        before = c;
        c = after;
    }
    series->latitude = latitude;
    series->sine = sine;
    series->cosine = cos(latitude * ellipsoid->radians);
    series->base = 0;
}

/* Carry the series to a latitude beyond its reach. */
static void
series_move(struct series *series, const struct ellipsoid *ellipsoid, double latitude)
{
    double base = series->base - authalic(ellipsoid, series->sine);
    series_init(series, ellipsoid, latitude);
    series->base = base + authalic(ellipsoid, series->sine);
}

/* The sine by the angle's step d, from sin d and 1 - cos d to 1e-15 within the reach. */
static struct vertex vertex_at(const struct ellipsoid *ellipsoid,
                               struct series *series,
                               const struct sequence *ring,
                               int64_t i)
{
    struct vertex vertex;
    sequence_point(ring, i, &vertex.longitude, &vertex.latitude);
    double d = (vertex.latitude - series->latitude) * ellipsoid->radians;
    if (fabs(d) > reach) {
        series_move(series, ellipsoid, vertex.latitude);
        d = 0;
    }
    double d2 = d * d;
    double sine = d * (1 - d2 * (1.0 / 6 - d2 * (1.0 / 120)));
    double versine = d2 * (1.0 / 2 - d2 * (1.0 / 24 - d2 * (1.0 / 720)));
    double t = series->cosine * sine - series->sine * versine;
    const double *c = series->terms;
    double sum = c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5]))));
    vertex.sine = series->sine + t;
    vertex.area = series->base + t * sum;
    if (fabs(vertex.latitude) * ellipsoid->degrees > 90)
        vertex.area = NAN; /* so that its edges are nobody's but geodesic.h's */
    return vertex;
}

/* geodesic.h counts from the equator, `origin` is F of the ring's first latitude. */
static double long_edge(struct ellipsoid *ellipsoid,
                        double origin,
                        const struct vertex *from,
                        const struct vertex *to)
{
    double area, step = (to->longitude - from->longitude) * ellipsoid->radians;
    geod_geninverse(geod(ellipsoid),
                    from->latitude * ellipsoid->degrees,
                    from->longitude * ellipsoid->degrees,
                    to->latitude * ellipsoid->degrees,
                    to->longitude * ellipsoid->degrees,
                    NULL,
                    NULL,
                    NULL,
                    NULL,
                    NULL,
                    NULL,
                    &area);
    return area - origin * step;
}

/* What geodesic and chord enclose, in units of x r^2 u; of the squares. */
static double bulge(double x2, double u2, double v2)
{
    double third = (u2 + 3 * v2) * (1.0 / 12);
    double fifth = u2 * u2 * ((1 - x2) * (1.0 / 80) - 1.0 / 240)
                   + u2 * v2 * (1.0 / 48 - x2 * (1.0 / 16)) + v2 * v2 * (1.0 / 16);
    return third + fifth;
}

static double edge_area(struct ellipsoid *ellipsoid,
                        const struct vertex *first,
                        const struct vertex *from,
                        const struct vertex *to)
{
    double u = (to->longitude - from->longitude) * ellipsoid->radians;
    double x = (from->sine + to->sine) / 2;
    double r2 = ellipsoid->a2 * (1 - x * x) / (1 - ellipsoid->e2 * x * x);
    double v = (to->area - from->area) / r2;
    if (u * u + v * v <= short_most2) /* not so with the NaN of 0 / 0 at a pole */
        return u * ((from->area + to->area) / 2 + x * r2 * bulge(x * x, u * u, v * v));
    return long_edge(ellipsoid, authalic(ellipsoid, first->sine), from, to);
}

/* A step of 180 degrees or more means the other way round, over the antimeridian, and an
 * area like half of the globe's is a question of which side: geodesic.h's rings. */
double ellipsoid_ring_area(struct ellipsoid *ellipsoid, const struct sequence *ring)
{
    struct series series;
    struct vertex first, from;
    double x, y, sum = 0;

    if (ellipsoid->flattening < 0 || ellipsoid->e2 > e2_most)
        return whole_area(ellipsoid, ring);
    sequence_point(ring, 0, &x, &y);
    series_init(&series, ellipsoid, y);
    first = from = vertex_at(ellipsoid, &series, ring, 0);
    for (int64_t i = 1; i < ring->n; i++) {
        struct vertex to = vertex_at(ellipsoid, &series, ring, i);
        if (!(fabs(to.longitude - from.longitude) * ellipsoid->degrees < 180))
            return whole_area(ellipsoid, ring);
        sum += edge_area(ellipsoid, &first, &from, &to);
        from = to;
    }
    if (fabs(sum) > 2 * M_PI * ellipsoid->b2)
        return whole_area(ellipsoid, ring);
    return fabs(sum);
}
