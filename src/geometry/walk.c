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
    if (base > EWKB_COLLECTION)
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

/* What comes after the head of a multi or collection; its smallest member is an empty
 * one of 9 bytes. */
static int start_level(struct walk *walk, enum ewkb_type type, const uint8_t *start)
{
    if (walk->n_levels == WALK_LEVELS)
        return fail(walk, EWKB_UNSUPPORTED);
    struct level *level = &walk->levels[walk->n_levels];
    if (read_count(walk, 9, &level->n_left))
        return -1;
    level->type = type;
    level->start = start;
    walk->n_levels++;
    return 0;
}

static int start_any(struct walk *walk, enum ewkb_type type, const uint8_t *start)
{
    return type <= EWKB_POLYGON ? start_part(walk, type)
                                : start_level(walk, type, start);
}

/* The levels stay as they are: clearing them would take longer than a footprint. */
int walk_open(struct walk *walk, const uint8_t *bytes, int64_t n_bytes)
{
    walk->at = bytes;
    walk->end = bytes + (n_bytes > 0 ? n_bytes : 0);
    walk->type = walk->part = (enum ewkb_type)0;
    walk->srid = 0;
    walk->fault = EWKB_FINE;
    walk->n_rings_left = walk->i_ring = walk->stride = 0;
    walk->swap = false;
    walk->n_levels = 0;
    if (read_head(walk, &walk->type, &walk->srid))
        return -1;
    return start_any(walk, walk->type, bytes);
}

/* Go to the next head: 1, 0 at the end, -1 with the fault. */
static int next_head(struct walk *walk)
{
    while (walk->n_levels > 0) {
        struct level *level = &walk->levels[walk->n_levels - 1];
        const uint8_t *start = walk->at;
        enum ewkb_type type;
        if (level->n_left == 0) {
            walk->n_levels--;
            continue;
        }
        if (read_head(walk, &type, NULL))
            return -1;
        if (level->type != EWKB_COLLECTION
            && (int)type + EWKB_POLYGON != (int)level->type)
            return fail(walk, EWKB_MALFORMED);
        level->n_left--;
        return start_any(walk, type, start) ? -1 : 1;
    }
    return walk->at == walk->end ? 0 : fail(walk, EWKB_MALFORMED);
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
        int more = next_head(walk);
        if (more <= 0)
            return more;
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
