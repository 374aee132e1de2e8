/* The cells that a box meets, and which edges come near it. */
#ifndef ROOFTALLY_GEOMETRY_PATCH_H
#define ROOFTALLY_GEOMETRY_PATCH_H

#include <math.h>

#include "grid.h"

/* A box in cells, and the cells that it meets. */
struct patch {
    double u0, v0, u1, v1;
    int32_t column0, row0, column1, row1; /* both ends in it */
};

static inline double least(double a, double b)
{
    return a < b ? a : b;
}

static inline double most(double a, double b)
{
    return a < b ? b : a;
}

static inline bool are_apart(double a0, double a1, double b0, double b1)
{
    return most(a0, a1) + GRID_MARGIN < least(b0, b1)
           || most(b0, b1) + GRID_MARGIN < least(a0, a1);
}

/* Which side of e's line a point lies on: 1, -1, or 0 within the margin of it. */
static inline int side_of(const struct edge *e, double u, double v)
{
    double du = e->u1 - e->u0, dv = e->v1 - e->v0;
    double cross = du * (v - e->v0) - dv * (u - e->u0);
    double margin = (fabs(du) + fabs(dv)) * GRID_MARGIN;
    return (cross > margin) - (cross < -margin);
}

/* grid_index of any position, without a branch. */
static inline int32_t nearest_index(double at, int32_t n)
{
    return (int32_t)least(most(at, 0), n - 1);
}

/* The box may stick out of the zone's: where it does there are no cells and no edges. */
static inline struct patch patch_of(const struct grid *grid, const struct box *box)
{
    struct patch patch = { .u0 = grid_u(grid, box->xmin),
                           .v0 = grid_v(grid, box->ymin),
                           .u1 = grid_u(grid, box->xmax),
                           .v1 = grid_v(grid, box->ymax) };
    patch.column0 = nearest_index(patch.u0, grid->n_columns);
    patch.column1 = nearest_index(patch.u1, grid->n_columns);
    patch.row0 = nearest_index(patch.v0, grid->n_rows);
    patch.row1 = nearest_index(patch.v1, grid->n_rows);
    return patch;
}

static inline int64_t patch_cells(const struct patch *patch)
{
    return (int64_t)(patch->column1 - patch->column0 + 1)
           * (patch->row1 - patch->row0 + 1);
}

/*
 * Whether the edge meets the patch or comes within the margin of it. They are apart
 * where their extents are, or where the edge's line passes the widened patch: a point of
 * the patch is off its middle by at most half its width and height, which changes the
 * cross product with the edge by at most |du| * height/2 + |dv| * width/2.
 */
static inline bool edge_is_near(const struct edge *edge, const struct patch *patch)
{
    if (most(edge->u0, edge->u1) < patch->u0 - GRID_MARGIN
        || least(edge->u0, edge->u1) > patch->u1 + GRID_MARGIN
        || most(edge->v0, edge->v1) < patch->v0 - GRID_MARGIN
        || least(edge->v0, edge->v1) > patch->v1 + GRID_MARGIN)
        return false;
    double du = edge->u1 - edge->u0, dv = edge->v1 - edge->v0;
    double u = (patch->u0 + patch->u1) / 2 - edge->u0;
    double v = (patch->v0 + patch->v1) / 2 - edge->v0;
    double half_width = (patch->u1 - patch->u0) / 2 + GRID_MARGIN;
    double half_height = (patch->v1 - patch->v0) / 2 + GRID_MARGIN;
    return fabs(du * v - dv * u) <= fabs(du) * half_height + fabs(dv) * half_width;
}

#endif
