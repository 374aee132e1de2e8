#include "walk.h"

#include <math.h>
#include <string.h>

static const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

static int fail(struct walk *walk, enum ewkb_fault fault)
{
    walk->fault = fault;
    return -1;
}

static int read_u32(struct walk *walk, uint32_t *value)
{
    if (walk->end - walk->at < 4)
        return fail(walk, EWKB_MALFORMED);
    memcpy(value, walk->at, 4);
    if (walk->swap)
        *value = __builtin_bswap32(*value);
    walk->at += 4;
    return 0;
}

/* A count of things that take at least n_bytes_each. */
static int read_count(struct walk *walk, int64_t n_bytes_each, int64_t *n)
{
    uint32_t count;
    if (read_u32(walk, &count))
        return -1;
    if (count > (walk->end - walk->at) / n_bytes_each)
        return fail(walk, EWKB_MALFORMED);
    *n = count;
    return 0;
}

/*
 * Byte order, type, SRID. The type tells of Z and M twice over: EWKB in its top bits,
 * ISO in its thousands (1000 Z, 2000 M, 3000 ZM).
 */
static int read_head(struct walk *walk, enum ewkb_type *type, int32_t *srid)
{
    enum { HAS_SRID = 0x20000000, ISO_MOST = 4000 };
    const uint32_t has_z = 0x80000000u, has_m = 0x40000000u;
    uint32_t code, number = 0;

    if (walk->at == walk->end || *walk->at > 1)
        return fail(walk, EWKB_MALFORMED);
    walk->swap = (*walk->at++ == 0) != big_endian;
    if (read_u32(walk, &code) || ((code & HAS_SRID) && read_u32(walk, &number)))
        return -1;
    uint32_t base = code & ~(has_z | has_m | HAS_SRID);
    if (base >= ISO_MOST)
        return fail(walk, EWKB_MALFORMED);
    uint32_t iso = base / 1000;
    bool z = (code & has_z) || iso == 1 || iso == 3;
    bool m = (code & has_m) || iso >= 2;
    walk->stride = 16 + (z ? 8 : 0) + (m ? 8 : 0);
    base %= 1000;
    if (base == 0 || base > 17) /* 17 is TRIANGLE, the last that is defined */
        return fail(walk, EWKB_MALFORMED);
    *type = (enum ewkb_type)base;
    if (srid)
        memcpy(srid, &number, sizeof number);
    if (base > EWKB_MULTIPOLYGON)
        return fail(walk, EWKB_UNSUPPORTED);
    return 0;
}

static int start_part(struct walk *walk, enum ewkb_type part)
{
    walk->part = part;
    walk->i_ring = 0;
    walk->n_rings_left = 1;
    if (part == EWKB_POLYGON)
        return read_count(walk, 4, &walk->n_rings_left);
    return 0;
}

int walk_open(struct walk *walk, const uint8_t *bytes, int64_t n_bytes)
{
    *walk = (struct walk){ .at = bytes, .end = bytes + (n_bytes > 0 ? n_bytes : 0) };
    if (read_head(walk, &walk->type, &walk->srid))
        return -1;
    if (walk->type <= EWKB_POLYGON)
        return start_part(walk, walk->type);
    return read_count(walk, 9, &walk->n_parts_left);
}

static int next_part(struct walk *walk)
{
    enum ewkb_type part;
    if (read_head(walk, &part, NULL))
        return -1;
    if ((int)part + EWKB_POLYGON != (int)walk->type)
        return fail(walk, EWKB_MALFORMED);
    walk->n_parts_left--;
    return start_part(walk, part);
}

static void skip_empty_point(struct sequence *sequence)
{
    double x, y;
    sequence_point(sequence, 0, &x, &y);
    if (isnan(x) && isnan(y))
        sequence->n = 0;
}

int walk_next(struct walk *walk, struct sequence *sequence)
{
    int64_t n = 1;
    while (walk->n_rings_left == 0) {
        if (walk->n_parts_left == 0)
            return walk->at == walk->end ? 0 : fail(walk, EWKB_MALFORMED);
        if (next_part(walk))
            return -1;
    }
    if (walk->part != EWKB_POINT) {
        if (read_count(walk, walk->stride, &n))
            return -1;
    } else if (walk->end - walk->at < walk->stride) {
        return fail(walk, EWKB_MALFORMED);
    }
    *sequence = (struct sequence){ .part = walk->part,
                                   .i_ring = walk->i_ring++,
                                   .n = n,
                                   .points = walk->at,
                                   .stride = walk->stride,
                                   .swap = walk->swap };
    if (walk->part == EWKB_POINT)
        skip_empty_point(sequence);
    walk->n_rings_left--;
    walk->at += n * walk->stride;
    return 1;
}
