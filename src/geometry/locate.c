/*
 * Where a point lies, as PostGIS says: ST_Within and ST_Intersects of points and polygons
 * never reach GEOS there. They take the winding number (Sunday 2001) with the side of an
 * edge in plain doubles, so that a point within a rounding of a slanted edge may lie on it,
 * inside or outside other than GEOS's exact arithmetic has it.
 */
#include "locate.h"

#include "walk.h"

static bool is_in_extent(double v, double a, double b)
{
    return a < b ? a <= v && v <= b : b <= v && v <= a;
}

/* Twice the area of a, b and the point: positive where it lies to the left of a to b. */
static double side_of(double ax, double ay, double bx, double by, double x, double y)
{
    return (bx - ax) * (y - ay) - (x - ax) * (by - ay);
}

static enum location locate_in_ring(const struct sequence *ring, double x, double y)
{
    int64_t winding = 0;
    double ax, ay, bx, by;
    sequence_point(ring, 0, &ax, &ay);
    for (int64_t i = 1; i < ring->n; i++, ax = bx, ay = by) {
        sequence_point(ring, i, &bx, &by);
        if (!is_in_extent(y, ay, by) || (ax == bx && ay == by))
            continue;
        double side = side_of(ax, ay, bx, by, x, y);
        if (side == 0 && is_in_extent(x, ax, bx))
            return LOCATION_BORDER;
        if (ay <= y && y < by && side > 0)
            winding++;
        else if (by <= y && y < ay && side < 0)
            winding--;
    }
    return winding != 0 ? LOCATION_INSIDE : LOCATION_OUTSIDE;
}

/* A polygon is settled by its shell, or else by the first hole that the point is in; the
 * first polygon that the point is in or on settles it all. */
enum location locate(const uint8_t *wkb, int64_t n_bytes, double x, double y)
{
    struct walk walk;
    struct sequence ring;
    enum location shell = LOCATION_OUTSIDE;
    if (walk_open(&walk, wkb, n_bytes))
        return LOCATION_OUTSIDE;
    while (walk_next(&walk, &ring) > 0) {
        if (ring.i_ring == 0 && shell != LOCATION_OUTSIDE)
            return shell;
        if (ring.n == 0 || (ring.i_ring > 0 && shell != LOCATION_INSIDE))
            continue;
        enum location location = locate_in_ring(&ring, x, y);
        if (location == LOCATION_BORDER)
            return LOCATION_BORDER;
        if (ring.i_ring == 0)
            shell = location;
        else if (location == LOCATION_INSIDE)
            shell = LOCATION_OUTSIDE;
    }
    return shell;
}
