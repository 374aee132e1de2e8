#include <float.h>
#include <math.h>
#include <string.h>

#include "rooftally/geometry/ewkb.h"

#include "walk.h"

enum { DEEPEST = WALK_LEVELS + 1 }; /* of what ewkb_read takes apart, the last */

/* A geometry is a list of points (a line, a curve), of lists of points (a polygon, a
 * triangle), or of geometries (all others). */
enum shape { POINT, POINTS, RINGS, GEOMETRIES, UNKNOWN };

struct reader {
    const uint8_t *at, *end;
};

/* Far away in every CRS. */
static const double far = DBL_MAX;

static int get(struct reader *reader, bool swap, uint32_t *word)
{
    if (reader->end - reader->at < 4)
        return -1;
    memcpy(word, reader->at, 4);
    reader->at += 4;
    if (swap)
        *word = __builtin_bswap32(*word);
    return 0;
}

static double ordinate(const uint8_t *bytes, bool swap)
{
    uint64_t bits;
    double value;
    memcpy(&bits, bytes, 8);
    if (swap)
        bits = __builtin_bswap64(bits);
    memcpy(&value, &bits, 8);
    return value;
}

/*
 * The box of a list of points as PostGIS computes it: what is compared with NaN gives way to
 * the point that is added, so that a NaN is forgotten with the next point, and what came
 * before it as well.
 */
static int read_points(struct reader *reader,
                       bool swap,
                       int64_t n,
                       int64_t stride,
                       struct box *box)
{
    if (n > (reader->end - reader->at) / stride)
        return -1;
    for (int64_t i = 0; i < n; i++, reader->at += stride) {
        double x = ordinate(reader->at, swap), y = ordinate(reader->at + 8, swap);
        if (i == 0)
            *box = (struct box){ x, y, x, y };
        box->xmin = box->xmin <= x ? box->xmin : x;
        box->ymin = box->ymin <= y ? box->ymin : y;
        box->xmax = box->xmax >= x ? box->xmax : x;
        box->ymax = box->ymax >= y ? box->ymax : y;
    }
    return 0;
}

/* The box of two members as PostGIS computes it: of the first a NaN stays. */
static void unite(struct box *box, const struct box *next)
{
    if (box_is_empty(next))
        return; /* it is empty */
    if (box_is_empty(box)) {
        *box = *next;
        return;
    }
    box->xmin = next->xmin <= box->xmin ? next->xmin : box->xmin;
    box->ymin = next->ymin <= box->ymin ? next->ymin : box->ymin;
    box->xmax = next->xmax >= box->xmax ? next->xmax : box->xmax;
    box->ymax = next->ymax >= box->ymax ? next->ymax : box->ymax;
}

static enum shape shape_of(uint32_t type)
{
    static const enum shape shapes[] = {
        UNKNOWN,    POINT,      POINTS,  RINGS,      GEOMETRIES, GEOMETRIES,
        GEOMETRIES, GEOMETRIES, POINTS,  GEOMETRIES, GEOMETRIES, GEOMETRIES,
        GEOMETRIES, UNKNOWN,    UNKNOWN, GEOMETRIES, GEOMETRIES, RINGS,
    };
    return type < sizeof shapes / sizeof *shapes ? shapes[type] : UNKNOWN;
}

static int read_geometry(struct reader *reader, int depth, struct box *box);

/* The members of a geometry; the rings of a polygon, of which the first holds the others. */
static int read_members(struct reader *reader,
                        bool swap,
                        uint32_t n,
                        int64_t ring_stride,
                        int depth,
                        struct box *box)
{
    uint32_t n_points;
    for (uint32_t i = 0; i < n; i++) {
        struct box member = box_none();
        if (ring_stride > 0
                ? get(reader, swap, &n_points)
                      || read_points(reader, swap, n_points, ring_stride, &member)
                : read_geometry(reader, depth + 1, &member))
            return -1;
        if (ring_stride == 0 || i == 0)
            unite(box, &member);
    }
    return 0;
}

static int read_geometry(struct reader *reader, int depth, struct box *box)
{
    const uint32_t has_z = 0x80000000u, has_m = 0x40000000u, has_srid = 0x20000000u;
    uint32_t code, n = 1, srid;
    *box = box_none();
    if (depth == DEEPEST || reader->at == reader->end || *reader->at > 1)
        return -1;
    bool swap = (*reader->at++ == 1) != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    if (get(reader, swap, &code) || (code & has_srid && get(reader, swap, &srid)))
        return -1;
    uint32_t type = code & 0x0fffffffu, iso = type / 1000;
    int64_t stride = 16;
    stride += code & has_z || iso == 1 || iso == 3 ? 8 : 0;
    stride += code & has_m || iso == 2 || iso == 3 ? 8 : 0;
    enum shape shape = iso > 3 ? UNKNOWN : shape_of(type % 1000);
    if (shape == UNKNOWN || (shape != POINT && get(reader, swap, &n)))
        return -1;
    if (shape == RINGS || shape == GEOMETRIES)
        return read_members(reader, swap, n, shape == RINGS ? stride : 0, depth, box);
    if (read_points(reader, swap, n, stride, box))
        return -1;
    if (shape == POINT && isnan(box->xmin) && isnan(box->ymin))
        *box = box_none(); /* an empty point */
    return 0;
}

/* PostGIS's && takes a box for empty where x is NaN, and compares y with NaN as if it met
 * everything. */
static struct box meant_box(const struct box *box)
{
    if (isnan(box->xmin) || box_is_empty(box))
        return box_none();
    bool any_y = isnan(box->ymin);
    return (struct box){ fmax(-far, fmin(box->xmin, far)),
                         any_y ? -far : fmax(-far, fmin(box->ymin, far)),
                         fmax(-far, fmin(box->xmax, far)),
                         any_y ? far : fmax(-far, fmin(box->ymax, far)) };
}

int ewkb_bounds(const uint8_t *bytes, int64_t n_bytes, struct box *box)
{
    struct reader reader = { .at = bytes, .end = bytes + n_bytes };
    struct box read;
    if (read_geometry(&reader, 0, &read) || reader.at != reader.end)
        return -1;
    *box = meant_box(&read);
    return 0;
}
