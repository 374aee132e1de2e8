/*
 * The borders of a synthetic zone, as rings of whole ten-millionths of a degree.
 *
 * Zones are the cells of a lattice. A zone's rings are its outer ring and, perhaps, one
 * lake, an island in it, and an exclave in its western neighbour's lake:
 *
 *     +-~~-+-~~-+
 *     | () | /\ |     () a lake: a hole of its zone
 *     |    | \/ |     an exclave: a hole of the western zone, a part of the eastern
 *     +-~~-+-~~-+
 */
#ifndef ROOFTALLY_SOURCE_SYNTHETIC_RINGS_H
#define ROOFTALLY_SOURCE_SYNTHETIC_RINGS_H

#include <stdint.h>

#include "rooftally/source/synthetic.h"

enum {
    SIDE_POINTS = 256, /* most of them, and half as many the least */
    SHORE_POINTS = 128,
    ISLAND_POINTS = 64,
    MOST_RINGS = 4,
    MOST_POINTS = 4 * SIDE_POINTS + 2 * SHORE_POINTS + ISLAND_POINTS,
};

struct place_point {
    int32_t lon, lat; /* 1e-7 degree */
};

/*
 * Ring i is points[first[i]] to points[first[i + 1] - 1]; the closing point is left out.
 * part[i] is the polygon it belongs to; of the rings of a part the first is the outer.
 */
struct rings {
    int n_rings, n_parts;
    int first[MOST_RINGS + 1];
    int part[MOST_RINGS];
    struct place_point points[MOST_POINTS];
};

void rings_make(const struct synthetic_state *state, int64_t row, struct rings *rings);

/* A point of the lattice: cell (c, r) reaches from (c, r) to (c + 1, r + 1). */
struct place_point rings_point(const struct synthetic_state *state, double u, double v);

/* From the middle of a cell, on both axes: a point that is in the zone, 0.03 cells or
 * more away from every border. */
#define RINGS_SAFE_SPOT 0.13

/* Cells beyond the lattice's corners that borders may reach. */
#define RINGS_MARGIN 0.35

#endif
