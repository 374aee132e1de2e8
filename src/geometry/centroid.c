#include <math.h>

#include "walk.h"

static const struct box anywhere = { -HUGE_VAL, -HUGE_VAL, HUGE_VAL, HUGE_VAL };

/* The only sequence with points in it; false where there are several. */
static bool only_sequence(const uint8_t *bytes, int64_t n_bytes, struct sequence *only)
{
    struct walk walk;
    struct sequence sequence;
    int n = 0;
    if (walk_open(&walk, bytes, n_bytes))
        return false;
    while (walk_next(&walk, &sequence) > 0)
        if (sequence.n > 0 && n++ == 0)
            *only = sequence;
    return n == 1;
}

/*
 * GEOS sums, over the triangles (p_0, p_i, p_i+1) of the ring, twice the area a_i and
 * a_i times the sum of the three corners. Here corners count from p_0:
 *
 *     a_i = x_i y_{i+1} - x_{i+1} y_i        c = p_0 + sum a_i (p_i + p_{i+1}) / (3 sum a_i)
 *
 * `terms` sums the products that a_i are the differences of. Each term of either sum is
 * right to a few roundings of its size, and each of n additions rounds once more, so that
 * with m the largest ordinate both centroids are within
 *
 *     8 (n + 16) 2^-52 m terms / |sum a_i|
 *
 * of the true one. Where areas cancel, or products leave the range of doubles, that says
 * nothing.
 */
static struct box ring_centroid(const struct sequence *ring, const struct box *box)
{
    double x0, y0, x = 0, y = 0, area = 0, terms = 0, sum_x = 0, sum_y = 0;
    sequence_point(ring, 0, &x0, &y0);
    for (int64_t i = 1; i < ring->n; i++) {
        double x1, y1;
        sequence_point(ring, i, &x1, &y1);
        x1 -= x0;
        y1 -= y0;
        double a = x * y1 - x1 * y;
        area += a;
        terms += fabs(x * y1) + fabs(x1 * y);
        sum_x += a * (x + x1);
        sum_y += a * (y + y1);
        x = x1;
        y = y1;
    }
    double m = fmax(fmax(fabs(box->xmin), fabs(box->xmax)),
                    fmax(fabs(box->ymin), fabs(box->ymax)));
    double rounding = 8 * ((double)ring->n + 16) * 0x1p-52;
    if (!(fabs(area) > 8 * rounding * terms) || !(terms > 1e-140 && terms < 1e140)
        || !(m < 1e140))
        return anywhere;
    double off = rounding * m * terms / fabs(area);
    double x_centre = x0 + sum_x / (3 * area), y_centre = y0 + sum_y / (3 * area);
    return (
        struct box){ x_centre - off, y_centre - off, x_centre + off, y_centre + off };
}

struct box
ewkb_centroid_box(const uint8_t *bytes, int64_t n_bytes, const struct ewkb *head)
{
    struct sequence only;
    if (head->empty || head->type == EWKB_POINT)
        return head->box;
    if (head->type == EWKB_COLLECTION || !only_sequence(bytes, n_bytes, &only)
        || only.part != EWKB_POLYGON)
        return anywhere;
    return ring_centroid(&only, &head->box);
}
