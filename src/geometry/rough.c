/* The box of what can be read of a geometry that is otherwise past deciding. */
#include <math.h>
#include <string.h>

#include "rooftally/geometry/ewkb.h"

enum { DEEPEST = 64 };

/* Types that the plain reader refuses, as in ISO/IEC 13249-3. */
enum { CIRCULARSTRING = 8, TRIANGLE = 17 };

struct cursor {
    const uint8_t *at, *end;
    struct box box;
};

static uint32_t read_u32(struct cursor *cursor, bool swap)
{
    uint32_t value = 0;
    if (cursor->end - cursor->at < 4) {
        cursor->at = cursor->end;
        return 0;
    }
    memcpy(&value, cursor->at, 4);
    cursor->at += 4;
    return swap ? __builtin_bswap32(value) : value;
}

static double read_real(const uint8_t *at, bool swap)
{
    uint64_t bits;
    double value;
    memcpy(&bits, at, 8);
    if (swap)
        bits = __builtin_bswap64(bits);
    memcpy(&value, &bits, 8);
    return value;
}

/* NaN is no place; infinity is one. fmin and fmax pass NaN over. */
static void add_points(struct cursor *cursor, uint32_t n, int64_t stride, bool swap)
{
    for (; n > 0 && cursor->end - cursor->at >= stride; n--, cursor->at += stride) {
        double x = read_real(cursor->at, swap), y = read_real(cursor->at + 8, swap);
        cursor->box.xmin = fmin(cursor->box.xmin, x);
        cursor->box.xmax = fmax(cursor->box.xmax, x);
        cursor->box.ymin = fmin(cursor->box.ymin, y);
        cursor->box.ymax = fmax(cursor->box.ymax, y);
    }
    if (n > 0)
        cursor->at = cursor->end;
}

static void add_geometry(struct cursor *cursor, int depth)
{
    static const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (cursor->at == cursor->end || depth > DEEPEST) {
        cursor->at = cursor->end;
        return;
    }
    bool swap = (*cursor->at++ == 0) != big_endian;
    uint32_t code = read_u32(cursor, swap);
    if (code & 0x20000000)
        read_u32(cursor, swap); /* the SRID */
    uint32_t base = code & 0x1fffffff, iso = base / 1000 % 4;
    int64_t stride = 16 + ((code & 0x80000000) || iso == 1 || iso == 3 ? 8 : 0)
                     + ((code & 0x40000000) || iso >= 2 ? 8 : 0);
    base %= 1000;
    if (base == EWKB_POINT) {
        add_points(cursor, 1, stride, swap);
        return;
    }
    uint32_t n = read_u32(cursor, swap);
    if (base == EWKB_LINESTRING || base == CIRCULARSTRING) {
        add_points(cursor, n, stride, swap);
        return;
    }
    for (; n > 0 && cursor->at < cursor->end; n--) {
        if (base == EWKB_POLYGON || base == TRIANGLE)
            add_points(cursor, read_u32(cursor, swap), stride, swap);
        else
            add_geometry(cursor, depth + 1);
    }
}

struct box ewkb_rough_box(const uint8_t *bytes, int64_t n_bytes)
{
    struct cursor cursor = { bytes,
                             bytes + (n_bytes > 0 ? n_bytes : 0),
                             { INFINITY, INFINITY, -INFINITY, -INFINITY } };
    add_geometry(&cursor, 0);
    return cursor.box;
}
