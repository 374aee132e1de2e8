#include <math.h>
#include <string.h>

#include "rooftally/geometry/ewkb.h"

enum { DEEPEST = 32 };

/* A geometry is a list of points (a line, a curve), of lists of points (a polygon, a
 * triangle), or of geometries (all others). */
enum shape { POINT, POINTS, RINGS, GEOMETRIES, UNKNOWN };

struct reader {
    const uint8_t *at, *end;
    struct box box;
    int64_t n_vertices, n_finite;
};

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

static int
read_points(struct reader *reader, bool swap, int64_t n, int64_t stride, bool one)
{
    struct box *box = &reader->box;
    if (n > (reader->end - reader->at) / stride)
        return -1;
    for (; n > 0; n--, reader->at += stride) {
        double x = ordinate(reader->at, swap), y = ordinate(reader->at + 8, swap);
        if (one && isnan(x) && isnan(y))
            continue; /* an empty point */
        reader->n_vertices++;
        if (!isfinite(x) || !isfinite(y))
            continue;
        reader->n_finite++;
        box->xmin = fmin(box->xmin, x);
        box->ymin = fmin(box->ymin, y);
        box->xmax = fmax(box->xmax, x);
        box->ymax = fmax(box->ymax, y);
    }
    return 0;
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

static int read_geometry(struct reader *reader, int depth)
{
    const uint32_t has_z = 0x80000000u, has_m = 0x40000000u, has_srid = 0x20000000u;
    uint32_t code, n = 1, n_points, srid;
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
    if (shape == POINT || shape == POINTS)
        return read_points(reader, swap, n, stride, shape == POINT);
    for (; n > 0; n--)
        if (shape == GEOMETRIES
                ? read_geometry(reader, depth + 1)
                : get(reader, swap, &n_points)
                      || read_points(reader, swap, n_points, stride, false))
            return -1;
    return 0;
}

int ewkb_bounds(const uint8_t *bytes, int64_t n_bytes, struct box *box)
{
    struct reader reader = { .at = bytes,
                             .end = bytes + n_bytes,
                             .box = { INFINITY, INFINITY, -INFINITY, -INFINITY } };
    if (read_geometry(&reader, 0) || reader.at != reader.end
        || (reader.n_finite == 0 && reader.n_vertices > 0))
        return -1;
    *box = reader.box;
    return 0;
}
