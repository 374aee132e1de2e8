#include "rooftally/geometry/borders.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "rooftally/geometry/ewkb.h"

#include "walk.h"

/* Cells that everything is kept apart by; roundings are a thousand million times less. */
static const double margin = 1e-3;

void borders_init(struct borders *borders,
                  const struct box *extent,
                  uint64_t *bits,
                  int64_t n_words)
{
    double width = extent->xmax - extent->xmin, height = extent->ymax - extent->ymin;
    double n = floor(sqrt(
        64.0 * (double)(n_words < BORDERS_MOST_WORDS ? n_words : BORDERS_MOST_WORDS)));
    *borders = (struct borders){ .extent = *extent, .bits = bits, .n_words = n_words };
    memset(bits, 0, (size_t)n_words * sizeof *bits);
    bool is_usable =
        width > 1e-280 && width < 1e280 && height > 1e-280 && height < 1e280 && n >= 1;
    if (!is_usable) /* NaN included */
        return;
    borders->n = (int32_t)n;
    borders->per_x = n / width;
    borders->per_y = n / height;
}

/* The cell of a position, at the edge of the raster that of the edge. */
static int32_t index_of(const struct borders *borders, double at)
{
    int32_t n = borders->n;
    return at >= n ? n - 1 : at > 0 ? (int32_t)at : 0;
}

/* The part of word `i` that lies in the bits from first to last. */
static uint64_t mask_of(int64_t i, int64_t first, int64_t last)
{
    uint64_t from = i == first / 64 ? ~UINT64_C(0) << first % 64 : ~UINT64_C(0);
    uint64_t to = i == last / 64 ? ~UINT64_C(0) >> (63 - last % 64) : ~UINT64_C(0);
    return from & to;
}

/* Columns of a row, from the position u0 to u1. */
static void set_columns(struct borders *borders, int32_t row, double u0, double u1)
{
    int64_t start = (int64_t)row * borders->n;
    int64_t first = start + index_of(borders, u0 - margin);
    int64_t last = start + index_of(borders, u1 + margin);
    for (int64_t i = first / 64; i <= last / 64; i++)
        borders->bits[i] |= mask_of(i, first, last);
}

static double u_of(const struct borders *borders, double x)
{
    return (x - borders->extent.xmin) * borders->per_x;
}

static double v_of(const struct borders *borders, double y)
{
    return (y - borders->extent.ymin) * borders->per_y;
}

static void set_box(struct borders *borders, const struct box *box)
{
    int32_t end = index_of(borders, v_of(borders, box->ymax) + margin);
    for (int32_t row = index_of(borders, v_of(borders, box->ymin) - margin); row <= end;
         row++)
        set_columns(borders, row, u_of(borders, box->xmin), u_of(borders, box->xmax));
}

struct place {
    double u, v;
};

/* How far along u the edge from a to b is where it has the height v, or its nearest end. */
static double u_at(const struct place *a, const struct place *b, double v)
{
    if (v <= a->v)
        return a->u;
    if (v >= b->v)
        return b->u;
    return a->u + (v - a->v) / (b->v - a->v) * (b->u - a->u);
}

static void set_edge(struct borders *borders, struct place a, struct place b)
{
    if (a.v > b.v) {
        struct place kept = a;
        a = b;
        b = kept;
    }
    int32_t end = index_of(borders, b.v + margin);
    for (int32_t row = index_of(borders, a.v - margin); row <= end; row++) {
        double from = u_at(&a, &b, row - margin), to = u_at(&a, &b, row + 1 + margin);
        set_columns(borders, row, fmin(from, to), fmax(from, to));
    }
}

static struct place
place_of(const struct borders *borders, const struct sequence *ring, int64_t i)
{
    double x, y;
    sequence_point(ring, i, &x, &y);
    return (struct place){ u_of(borders, x), v_of(borders, y) };
}

static void set_ring(struct borders *borders, const struct sequence *ring)
{
    if (ring->n == 0)
        return;
    struct place last = place_of(borders, ring, ring->n - 1);
    for (int64_t i = 0; i < ring->n; i++) {
        struct place next = place_of(borders, ring, i);
        set_edge(borders, last, next);
        last = next;
    }
}

void borders_add(struct borders *borders,
                 const uint8_t *wkb,
                 int64_t n_bytes,
                 bool is_valid)
{
    struct walk walk;
    struct sequence ring;
    struct ewkb head;
    if (borders->n == 0)
        return;
    if (ewkb_read(wkb, n_bytes, &head) != EWKB_FINE) {
        borders->n = 0;
        return;
    }
    if (head.empty)
        return;
    if (!is_valid) {
        set_box(borders, &head.box);
        return;
    }
    int more = walk_open(&walk, wkb, n_bytes) ? -1 : 1;
    while (more == 1 && (more = walk_next(&walk, &ring)) == 1)
        set_ring(borders, &ring);
    if (more < 0)
        borders->n = 0;
}

/* More than a side moves when it is rounded outwards to a float; beyond the floats that may
 * be any distance. */
static double slack(double side)
{
    return fabs(side) < FLT_MAX ? fabs(side) * 0x1p-22 + 0x1p-148 : INFINITY;
}

bool borders_are_far(const struct borders *borders, const struct box *box)
{
    double u0 = u_of(borders, box->xmin - slack(box->xmin));
    double v0 = v_of(borders, box->ymin - slack(box->ymin));
    double u1 = u_of(borders, box->xmax + slack(box->xmax));
    double v1 = v_of(borders, box->ymax + slack(box->ymax));
    /* so that NaN, and what leaves the raster, is false */
    if (!(u0 > margin && v0 > margin && u1 < borders->n - margin
          && v1 < borders->n - margin && u0 <= u1 && v0 <= v1))
        return false;
    for (int32_t row = (int32_t)(v0 - margin); row <= (int32_t)(v1 + margin); row++) {
        int64_t start = (int64_t)row * borders->n;
        int64_t first = start + (int32_t)(u0 - margin);
        int64_t last = start + (int32_t)(u1 + margin);
        for (int64_t i = first / 64; i <= last / 64; i++)
            if (borders->bits[i] & mask_of(i, first, last))
                return false;
    }
    return true;
}
