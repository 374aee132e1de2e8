#include "rooftally/geometry/measure.h"

#include <math.h>

#include "measure_geodesic.h"
#include "walk.h"

struct size {
    double area, length; /* in m2 and m */
};

/*
 * Shoelace formula, A = 1/2 sum (x_i y_{i+1} - x_{i+1} y_i), from the first vertex: the
 * terms then have the size of the ring, not of its distance from the origin.
 */
static struct size
measure_plane(double unit, const struct sequence *points, bool want_length)
{
    double x0, y0, x = 0, y = 0, twice = 0, length = 0;
    sequence_point(points, 0, &x0, &y0);
    for (int64_t i = 1; i < points->n; i++) {
        double x1, y1;
        sequence_point(points, i, &x1, &y1);
        x1 -= x0;
        y1 -= y0;
        twice += x * y1 - x1 * y;
        if (want_length)
            length += hypot(x1 - x, y1 - y);
        x = x1;
        y = y1;
    }
    return (struct size){ fabs(twice) / 2 * unit * unit, length * unit };
}

static struct size measure_ellipsoid(struct ellipsoid *ellipsoid,
                                     const struct sequence *points,
                                     bool want_length)
{
    struct size size = { 0 };
    if (points->part == EWKB_POLYGON)
        size.area = ellipsoid_ring_area(ellipsoid, points);
    if (want_length)
        size.length = ellipsoid_length(ellipsoid, points);
    return size;
}

int measure(const struct crs *crs,
            const uint8_t *bytes,
            int64_t n_bytes,
            bool want_length,
            struct measures *out,
            struct error *err)
{
    struct walk walk;
    struct sequence sequence;
    struct ellipsoid ellipsoid;
    struct measures sum = { 0 };
    double part = 0; /* the area of the polygon at hand, so far */
    int more = -1;

    if (crs->geographic)
        ellipsoid_init(&ellipsoid, crs);
    if (walk_open(&walk, bytes, n_bytes) == 0)
        while ((more = walk_next(&walk, &sequence)) > 0) {
            sum.n_vertices += sequence.n;
            if (sequence.n == 0 || sequence.part == EWKB_POINT)
                continue;
            struct size size =
                crs->geographic ? measure_ellipsoid(&ellipsoid, &sequence, want_length)
                                : measure_plane(crs->unit, &sequence, want_length);
            if (want_length)
                sum.perimeter_m += size.length;
            if (sequence.part != EWKB_POLYGON)
                continue;
            if (sequence.i_ring == 0) {
                sum.area_m2 += part;
                part = size.area;
            } else {
                part = part > size.area ? part - size.area : 0;
            }
        }
    if (more < 0)
        return error_set(err, ERROR_FORMAT, "%s", ewkb_fault_text(walk.fault));
    sum.area_m2 += part;
    *out = sum;
    return 0;
}
