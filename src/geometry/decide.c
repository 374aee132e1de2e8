#include <math.h>

#include "patch.h"

/* A box with more cells or edges is a rare one, and GEOS's. */
enum { MOST_CELLS = 4096, MOST_EDGES = 512 };

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
static int status_from(const struct grid *grid,
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

int grid_status(const struct grid *grid, double u, double v)
{
    bool beyond = u < -GRID_MARGIN || v < -GRID_MARGIN
                  || u > grid->n_columns + GRID_MARGIN
                  || v > grid->n_rows + GRID_MARGIN;
    if (beyond)
        return 0;
    int32_t column = grid_index(most(u, 0), grid->n_columns);
    int32_t row = grid_index(most(v, 0), grid->n_rows);
    int64_t cell = (int64_t)row * grid->n_columns + column;
    if (!(grid->cells[cell] & CELL_BOUNDARY))
        return grid->cells[cell];
    return status_from(grid, cell, column + 0.5, row + 0.5, u, v);
}

/* No edge is near the patch: one point of it decides, the nearest one to the centre of
 * the cell in its middle. */
static enum decision decide_by_point(const struct grid *grid, const struct patch *patch)
{
    int32_t column = grid_index(patch->u0 / 2 + patch->u1 / 2, grid->n_columns);
    int32_t row = grid_index(patch->v0 / 2 + patch->v1 / 2, grid->n_rows);
    double u = column + 0.5, v = row + 0.5;
    int status = status_from(grid,
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

static enum decision decide_large(const struct grid *grid, const struct patch *patch)
{
    if (patch_cells(patch) > MOST_CELLS)
        return DECISION_REFINE;
    uint8_t any = 0;
    for (int32_t row = patch->row0; row <= patch->row1; row++) {
        const uint8_t *cells = grid->cells + (int64_t)row * grid->n_columns;
        for (int32_t column = patch->column0; column <= patch->column1; column++)
            any |= cells[column];
    }
    if (any & CELL_BOUNDARY)
        return decide_by_edges(grid, patch);
    return any ? DECISION_INSIDE : DECISION_OUTSIDE;
}

/* Most boxes meet no more than two columns and two rows: then their corners tell. */
enum decision grid_decide(const struct grid *grid, const struct box *box)
{
    const struct patch patch = patch_of(grid, box);
    const uint8_t *low = grid->cells + (int64_t)patch.row0 * grid->n_columns;
    const uint8_t *high = grid->cells + (int64_t)patch.row1 * grid->n_columns;
    uint8_t any = low[patch.column0] | low[patch.column1] | high[patch.column0]
                  | high[patch.column1];
    if (patch.column1 - patch.column0 > 1 || patch.row1 - patch.row0 > 1)
        return decide_large(grid, &patch);
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
