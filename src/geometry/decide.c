#include <math.h>

#include "grid.h"

/* A box with more cells or edges is a rare one, and GEOS's. */
enum { MOST_CELLS = 4096, MOST_EDGES = 512 };

/* The box in cells, and the cells that it meets. */
struct patch {
    double u0, v0, u1, v1;
    int32_t column0, row0, column1, row1; /* both ends in it */
};

static inline struct patch patch_of(const struct grid *grid, const struct box *box)
{
    struct patch patch = { .u0 = grid_u(grid, box->xmin),
                           .v0 = grid_v(grid, box->ymin),
                           .u1 = grid_u(grid, box->xmax),
                           .v1 = grid_v(grid, box->ymax) };
    patch.column0 = grid_index(patch.u0, grid->n_columns);
    patch.column1 = grid_index(patch.u1, grid->n_columns);
    patch.row0 = grid_index(patch.v0, grid->n_rows);
    patch.row1 = grid_index(patch.v1, grid->n_rows);
    return patch;
}

static inline double least(double a, double b)
{
    return a < b ? a : b;
}

static inline double most(double a, double b)
{
    return a < b ? b : a;
}

/*
 * Whether the edge meets the patch or comes within the margin of it. They are apart
 * where their extents are, or where the edge's line passes the widened patch: a point of
 * the patch is off its middle by at most half its width and height, which changes the
 * cross product with the edge by at most |du| * height/2 + |dv| * width/2.
 */
static bool edge_is_near(const struct edge *edge, const struct patch *patch)
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

static inline bool is_near(double a, double b)
{
    return fabs(a - b) < GRID_MARGIN;
}

static inline bool is_between(double at, double a, double b)
{
    return (at > a) != (at > b);
}

/*
 * The status of point (u, v) of a boundary cell, counting the edges crossed from its
 * centre: along its row first, then up or down. 1 inside, 0 outside, -1 where an edge
 * passes so near to an end of a leg that rounding could count it on both or on none.
 *
 *      centre ────X────┐ corner
 *                 edge │
 *                      + (u, v)
 */
static int status_at(const struct grid *grid,
                     int64_t cell,
                     double u_centre,
                     double v_centre,
                     double u,
                     double v)
{
    int inside = grid->cells[cell] & CELL_INSIDE;
    for (uint32_t i = grid->first[cell]; i < grid->first[cell + 1]; i++) {
        const struct edge *edge = &grid->edges[grid->edges_in[i]];
        if ((edge->v0 <= v_centre) != (edge->v1 <= v_centre)) {
            double at = edge_u_at(edge, v_centre);
            if (is_near(at, u_centre) || is_near(at, u))
                return -1;
            inside ^= is_between(at, u_centre, u);
        }
        if ((edge->u0 <= u) != (edge->u1 <= u)) {
            struct edge turned = { edge->v0, edge->u0, edge->v1, edge->u1 };
            double at = edge_u_at(&turned, u);
            if (is_near(at, v_centre) || is_near(at, v))
                return -1;
            inside ^= is_between(at, v_centre, v);
        }
    }
    return inside;
}

/* No edge is near the patch: one point of it decides, the nearest one to the centre of
 * the cell in its middle. */
static enum decision decide_by_point(const struct grid *grid, const struct patch *patch)
{
    int32_t column = grid_index(patch->u0 / 2 + patch->u1 / 2, grid->n_columns);
    int32_t row = grid_index(patch->v0 / 2 + patch->v1 / 2, grid->n_rows);
    double u = column + 0.5, v = row + 0.5;
    int status = status_at(grid,
                           (int64_t)row * grid->n_columns + column,
                           u,
                           v,
                           least(most(u, patch->u0), patch->u1),
                           least(most(v, patch->v0), patch->v1));
    if (status < 0)
        return DECISION_REFINE;
    return status ? DECISION_INSIDE : DECISION_OUTSIDE;
}

/* Some cell is a boundary cell. */
static enum decision decide_by_edges(const struct grid *grid, const struct patch *patch)
{
    int plain = -1;
    uint32_t n_edges = 0;
    for (int32_t row = patch->row0; row <= patch->row1; row++) {
        int64_t at = (int64_t)row * grid->n_columns;
        for (int64_t cell = at + patch->column0; cell <= at + patch->column1; cell++) {
            if (!(grid->cells[cell] & CELL_BOUNDARY)) {
                plain = grid->cells[cell];
                continue;
            }
            n_edges += grid->first[cell + 1] - grid->first[cell];
            if (n_edges > MOST_EDGES)
                return DECISION_REFINE;
            for (uint32_t i = grid->first[cell]; i < grid->first[cell + 1]; i++)
                if (edge_is_near(&grid->edges[grid->edges_in[i]], patch))
                    return DECISION_REFINE;
        }
    }
    if (plain < 0)
        return decide_by_point(grid, patch);
    return plain ? DECISION_INSIDE : DECISION_OUTSIDE;
}

enum decision grid_decide(const struct grid *grid, const struct box *box)
{
    struct patch patch = patch_of(grid, box);
    int64_t n_cells =
        (int64_t)(patch.column1 - patch.column0 + 1) * (patch.row1 - patch.row0 + 1);
    if (n_cells > MOST_CELLS)
        return DECISION_REFINE;
    uint8_t any = 0;
    for (int32_t row = patch.row0; row <= patch.row1; row++) {
        const uint8_t *cells = grid->cells + (int64_t)row * grid->n_columns;
        for (int32_t column = patch.column0; column <= patch.column1; column++)
            any |= cells[column];
    }
    if (any & CELL_BOUNDARY)
        return decide_by_edges(grid, &patch);
    return any ? DECISION_INSIDE : DECISION_OUTSIDE;
}

bool grid_is_all(const struct grid *grid, const struct box *box, uint8_t status)
{
    struct patch patch = patch_of(grid, box);
    for (int32_t row = patch.row0; row <= patch.row1; row++) {
        const uint8_t *cells = grid->cells + (int64_t)row * grid->n_columns;
        uint8_t other = 0;
        for (int32_t column = patch.column0; column <= patch.column1; column++)
            other |= cells[column] ^ status;
        if (other)
            return false;
    }
    return true;
}
