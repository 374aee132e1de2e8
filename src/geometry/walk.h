/*
 * Step through the point sequences of a WKB geometry: a point, a line, or a ring at a
 * time, in the order of the bytes. Every count is checked against the bytes left before
 * it is used.
 *
 *     COLLECTION ─ POINT
 *                └ MULTIPOLYGON ─ POLYGON ─ ring, ring
 *                               └ POLYGON ─ ring   walk_next: 4 times 1, then 0
 */
#ifndef ROOFTALLY_GEOMETRY_WALK_H
#define ROOFTALLY_GEOMETRY_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/geometry/ewkb.h"

/* Multis and collections in each other: as many as PostGIS's own reader of WKB takes. */
enum { WALK_LEVELS = 198 };

/* A multi or collection that the walk is in. */
struct level {
    enum ewkb_type type;
    int64_t n_left;       /* members yet to come */
    const uint8_t *start; /* its first byte: no other has the same */
};

struct walk {
    const uint8_t *at, *end;
    enum ewkb_type type; /* of the whole; 0 where not even that could be read */
    int32_t srid;
    enum ewkb_fault fault; /* why walk_open or walk_next failed */
    /* the part (point, line or polygon) that the walk is in */
    enum ewkb_type part;
    int64_t n_rings_left; /* sequences of this part yet to come */
    int64_t i_ring;
    int64_t stride; /* bytes from point to point: 16, 24 or 32 */
    bool swap;      /* the byte order is not this machine's */
    /* what the part lies in, outermost first; none for a plain one */
    int n_levels;
    struct level levels[WALK_LEVELS]; /* those beyond n_levels are not set */
};

struct sequence {
    enum ewkb_type part; /* POINT, LINESTRING or POLYGON */
    int64_t i_ring;      /* 0 the shell (and points and lines), then holes */
    int64_t n;           /* points; 0 for an empty one */
    const uint8_t *points;
    int64_t stride;
    bool swap;
};

/* Read the head. Returns 0, or -1 with walk->fault. */
int walk_open(struct walk *walk, const uint8_t *bytes, int64_t n_bytes);

/* Returns 1 with the next sequence, 0 at the end, -1 with walk->fault. Points are not
 * looked at, but for the NaN NaN that stands for an empty point. */
int walk_next(struct walk *walk, struct sequence *sequence);

/* Point i of the sequence. */
static inline void
sequence_point(const struct sequence *sequence, int64_t i, double *x, double *y)
{
    uint64_t bits[2];
    __builtin_memcpy(bits, sequence->points + i * sequence->stride, 16);
    if (sequence->swap) {
        bits[0] = __builtin_bswap64(bits[0]);
        bits[1] = __builtin_bswap64(bits[1]);
    }
    __builtin_memcpy(x, &bits[0], 8);
    __builtin_memcpy(y, &bits[1], 8);
}

#endif
