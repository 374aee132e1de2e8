#include "rooftally/geometry/ewkb.h"

#include <math.h>
#include <string.h>

#include "walk.h"

/* The box of points, and whether any ordinate is NaN or infinite: v - v is +0 for every
 * finite v and NaN otherwise, so the bits of all of them, or'ed, are 0. */
struct extent {
    double xmin, ymin, xmax, ymax;
    uint64_t odd;
};

static inline void extent_add(struct extent *extent, double x, double y)
{
    double zeros[2] = { x - x, y - y };
    uint64_t bits[2];
    memcpy(bits, zeros, sizeof bits);
    extent->odd |= bits[0] | bits[1];
    extent->xmin = x < extent->xmin ? x : extent->xmin;
    extent->xmax = x > extent->xmax ? x : extent->xmax;
    extent->ymin = y < extent->ymin ? y : extent->ymin;
    extent->ymax = y > extent->ymax ? y : extent->ymax;
}

static const struct extent empty_extent = { INFINITY,
                                            INFINITY,
                                            -INFINITY,
                                            -INFINITY,
                                            0 };

/* A closed ring has 4 points or more and ends where it begins; none at all is fine. */
static bool ring_is_open(const struct sequence *ring)
{
    double x0, y0, x1, y1;
    if (ring->n == 0)
        return false;
    if (ring->n < 4)
        return true;
    sequence_point(ring, 0, &x0, &y0);
    sequence_point(ring, ring->n - 1, &x1, &y1);
    return x0 != x1 || y0 != y1;
}

/* A hole goes into *holes, all else into *extent. */
static enum ewkb_fault add_sequence(const struct sequence *sequence,
                                    bool *shell_is_empty,
                                    struct extent *extent,
                                    struct extent *holes)
{
    bool is_hole = sequence->part == EWKB_POLYGON && sequence->i_ring > 0;
    struct extent *to = is_hole ? holes : extent;
    for (int64_t i = 0; i < sequence->n; i++) {
        double x, y;
        sequence_point(sequence, i, &x, &y);
        extent_add(to, x, y);
    }
    if (to->odd)
        return EWKB_NOT_FINITE;
    if (sequence->part != EWKB_POLYGON)
        return EWKB_FINE;
    if (ring_is_open(sequence))
        return EWKB_OPEN_RING;
    if (sequence->i_ring == 0)
        *shell_is_empty = sequence->n == 0;
    else if (*shell_is_empty && sequence->n > 0)
        return EWKB_MALFORMED; /* a hole in nothing */
    return EWKB_FINE;
}

static bool holds(const struct extent *extent, const struct extent *holes)
{
    return extent->xmin <= holes->xmin && extent->ymin <= holes->ymin
           && extent->xmax >= holes->xmax && extent->ymax >= holes->ymax;
}

/* Every type, dimension and byte order. Structure comes before content: what is cut
 * short is malformed whatever its points say. */
static enum ewkb_fault read_any(const uint8_t *bytes, int64_t n_bytes, struct ewkb *out)
{
    struct walk walk;
    struct sequence sequence;
    struct extent extent = empty_extent, holes = empty_extent;
    enum ewkb_fault fault = EWKB_FINE;
    bool shell_is_empty = false;
    int more;

    *out = (struct ewkb){ .empty = true };
    int status = walk_open(&walk, bytes, n_bytes);
    out->type = walk.type;
    out->srid = walk.srid;
    if (status)
        return walk.fault;
    while ((more = walk_next(&walk, &sequence)) > 0) {
        if (fault == EWKB_FINE)
            fault = add_sequence(&sequence, &shell_is_empty, &extent, &holes);
        out->n_vertices += sequence.n;
    }
    out->box = (struct box){ extent.xmin, extent.ymin, extent.xmax, extent.ymax };
    out->spills = !holds(&extent, &holes);
    out->empty = out->n_vertices == 0;
    return more < 0 ? walk.fault : fault;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Add a closed ring, and step behind it; false where it has a fault. */
static inline bool add_ring(const uint8_t **at,
                            const uint8_t *end,
                            struct extent *extent,
                            int64_t *n_vertices)
{
    uint32_t n;
    const uint8_t *from = *at + 4;
    if (end - *at < 4)
        return false;
    memcpy(&n, *at, 4);
    if (n < 4 || n > (uint64_t)(end - from) / 16
        || memcmp(from, from + 16 * (int64_t)(n - 1), 16) != 0)
        return false;
    struct extent grown = *extent; /* in registers */
    const uint8_t *stop = from + 16 * (int64_t)n;
    for (; from < stop; from += 16) {
        double point[2];
        memcpy(point, from, sizeof point);
        extent_add(&grown, point[0], point[1]);
    }
    *extent = grown;
    *n_vertices += n;
    *at = stop;
    return grown.odd == 0;
}

/*
 * The one kind that a footprint is: a little-endian polygon of x and y, whose shell comes
 * first and holds its holes.
 *
 * Returns false where it is anything else or has any fault; read_any then says what.
 */
static bool read_footprint(const uint8_t *bytes, int64_t n_bytes, struct ewkb *out)
{
    uint32_t code, n_rings;
    uint32_t srid = 0;
    const uint8_t *at = bytes + 9, *end = bytes + n_bytes;

    if (n_bytes < 13 || bytes[0] != 1)
        return false;
    memcpy(&code, bytes + 1, 4);
    if ((code & ~0x20000000u) != EWKB_POLYGON)
        return false;
    if (code & 0x20000000u) {
        memcpy(&srid, bytes + 5, 4);
        at += 4;
    }
    memcpy(&n_rings, at - 4, 4);
    struct extent extent = empty_extent, holes = empty_extent;
    int64_t n_vertices = 0;
    if (n_rings == 0 || !add_ring(&at, end, &extent, &n_vertices))
        return false;
    for (uint32_t i = 1; i < n_rings; i++)
        if (!add_ring(&at, end, &holes, &n_vertices))
            return false;
    if (at != end || (n_rings > 1 && !holds(&extent, &holes)))
        return false;
    out->type = EWKB_POLYGON;
    memcpy(&out->srid, &srid, sizeof srid);
    out->n_vertices = n_vertices;
    out->box = (struct box){ extent.xmin, extent.ymin, extent.xmax, extent.ymax };
    out->spills = out->empty = false;
    return true;
}
#else
static bool read_footprint(const uint8_t *bytes, int64_t n_bytes, struct ewkb *out)
{
    (void)bytes, (void)n_bytes, (void)out;
    return false;
}
#endif

bool ewkb_is_polygon(const uint8_t *bytes, int64_t n_bytes)
{
    return n_bytes >= 5 && bytes[0] == 1 && bytes[1] == EWKB_POLYGON && bytes[2] == 0
           && bytes[3] == 0 && (bytes[4] & ~0x20) == 0;
}

enum ewkb_fault ewkb_read(const uint8_t *bytes, int64_t n_bytes, struct ewkb *out)
{
    if (read_footprint(bytes, n_bytes, out))
        return EWKB_FINE;
    return read_any(bytes, n_bytes, out);
}

enum ewkb_fault ewkb_fault_of(enum ewkb_fault fault, const struct ewkb *read)
{
    bool is_geoss = read->type == EWKB_COLLECTION || read->spills;
    return fault == EWKB_FINE && is_geoss ? EWKB_COLLECTED : fault;
}

const char *ewkb_fault_text(enum ewkb_fault fault)
{
    switch (fault) {
    case EWKB_FINE:
        return "fine";
    case EWKB_MALFORMED:
        return "malformed WKB";
    case EWKB_UNSUPPORTED:
        return "unsupported geometry type";
    case EWKB_NOT_FINITE:
        return "a coordinate is NaN or infinite";
    case EWKB_COLLECTED:
        return "a collection";
    case EWKB_OPEN_RING:
        return "a ring is not closed";
    case EWKB_NO_ID:
        return "no id";
    }
    return "unknown fault";
}

int64_t ewkb_put_box(uint8_t bytes[EWKB_BOX_BYTES], const struct box *box, int32_t srid)
{
    const uint32_t type = EWKB_POLYGON | (srid ? 0x20000000u : 0);
    const uint32_t counts[] = { 1, 5 }; /* rings, points */
    const double points[] = { box->xmin, box->ymin, box->xmax, box->ymin, box->xmax,
                              box->ymax, box->xmin, box->ymax, box->xmin, box->ymin };
    uint8_t *at = bytes;
    *at++ = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    at = mempcpy(at, &type, sizeof type);
    if (srid)
        at = mempcpy(at, &srid, sizeof srid);
    at = mempcpy(at, counts, sizeof counts);
    at = mempcpy(at, points, sizeof points);
    return at - bytes;
}
