/*
 * The grid over a valid zone: what it knows of a box for certain.
 *
 * Everything happens in cells: u = (x - xmin) * cells per unit, v alike, from 0 to at
 * most 2048. The mapping is monotone in floating point, so that a box of doubles meets
 * exactly the columns from that of its xmin to that of its xmax. A computed u is off by
 * three roundings, relative to itself and whatever the magnitude of x: at most
 * 2048 * 3 * 2^-53 < 1e-12. All comparisons keep GRID_MARGIN, a million times that, and
 * what comes nearer is not answered. So an edge is listed in every cell that it meets or
 * nearly meets, and a box that comes near no listed edge of its cells meets no edge.
 *
 * Only differences underflow or overflow; a zone whose box is under 1e-280 or over 1e280
 * wide or high has no grid.
 */
#ifndef ROOFTALLY_GEOMETRY_GRID_H
#define ROOFTALLY_GEOMETRY_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"
#include "rooftally/geometry/zone.h"

#define GRID_MARGIN 1e-6 /* cells */

enum { GRID_LEAST = 4, GRID_MOST = 2048 }; /* cells a side */

enum {
    CELL_INSIDE = 1,   /* the cell; of a boundary cell its centre */
    CELL_BOUNDARY = 2, /* an edge comes within GRID_MARGIN of it */
};

/* From one vertex of a ring to the next, in cells. */
struct edge {
    double u0, v0, u1, v1;
};

struct ring {
    uint32_t first, n;  /* its edges; those of no length are left out */
    uint32_t i_polygon; /* the polygon it belongs to */
    bool hole;
};

struct grid {
    struct box box;      /* the zone's */
    double per_x, per_y; /* cells per unit */
    int32_t n_columns, n_rows;
    uint8_t *cells;     /* [n_rows * n_columns] */
    uint32_t *first;    /* [n_rows * n_columns + 1]: where a cell's edges begin */
    uint32_t *edges_in; /* the edges of cell 0, of cell 1, ... */
    struct edge *edges;
    struct ring *rings;
    int64_t n_edges, n_rings;
};

/*
 * Build the grid of a polygon or multipolygon that ewkb_read called fine.
 *
 * Returns  1, 0 where the zone is too small or too large for one, or -1 with
 *            ERROR_BUDGET  it does not fit even at its smallest; memory is as before
 */
int grid_build(struct grid *grid,
               const uint8_t *wkb,
               int64_t n_bytes,
               const struct box *box,
               int64_t n_vertices,
               int64_t n_expected,
               struct memory *memory,
               struct error *err);

/* About how much of the memory that takes of a zone as wide as high, each edge of which is
 * in one cell, besides those that cross four times a side more. */
int64_t grid_bytes(int64_t n_expected, int64_t n_vertices);

/* The status of all cells, once edges are listed in them. */
void grid_fill(struct grid *grid);

/* True where the zone is certainly valid (OGC 06-103r4, 6.1.11.1); false: ask GEOS. */
bool grid_is_simple(const struct grid *grid);

/* The closed box, which must lie within the zone's, not be empty, and not be NaN. */
enum decision grid_decide(const struct grid *grid, const struct box *box);

/* Whether all cells that the box meets are plain and have this status. */
bool grid_is_all(const struct grid *grid, const struct box *box, uint8_t status);

/* The status of a point that is given in cells and near no edge: 1 inside, 0 outside, -1
 * where that is not certain. */
int grid_status(const struct grid *grid, double u, double v);

/* outline.c: decide a polygon or multipolygon, not empty, by its own segments; REFINE
 * where that is not certain. `box` is its box. */
enum decision grid_decide_outline(const struct grid *grid,
                                  enum predicate predicate,
                                  const struct box *box,
                                  const uint8_t *ewkb,
                                  int64_t n_bytes);

int grid_cover(const struct grid *grid,
               struct box *boxes,
               int n_max,
               double box_cost,
               int64_t n_expected);

static inline double grid_u(const struct grid *grid, double x)
{
    return (x - grid->box.xmin) * grid->per_x;
}

static inline double grid_v(const struct grid *grid, double y)
{
    return (y - grid->box.ymin) * grid->per_y;
}

/* The column or row of a position that is not negative. */
static inline int32_t grid_index(double at, int32_t n)
{
    int32_t i = (int32_t)at;
    return i < n ? i : n - 1;
}

/* Where a line through the ends of the edge crosses the height v; v0 != v1. Within its
 * ends, so a crossing never leaves the cells that list the edge. */
static inline double edge_u_at(const struct edge *edge, double v)
{
    double u =
        edge->u0 + (v - edge->v0) / (edge->v1 - edge->v0) * (edge->u1 - edge->u0);
    double least = edge->u0 < edge->u1 ? edge->u0 : edge->u1;
    double most = edge->u0 < edge->u1 ? edge->u1 : edge->u0;
    return u < least ? least : u > most ? most : u;
}

#endif
