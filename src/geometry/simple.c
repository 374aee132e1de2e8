/*
 * Validity for the price of a look at each cell: GEOSisValid takes longer than all else
 * that opening a zone does.
 *
 * Two edges that meet share a cell. Where in no cell two edges come near each other,
 * but for neighbours in a ring, who only share their vertex, all rings are simple and
 * apart. What is left of validity is which ring lies in which.
 */
#include <math.h>
#include <string.h>

#include "patch.h"

/* What costs more is left to GEOS. */
enum { MOST_PAIRS_PER_EDGE = 64, MOST_NESTING = 1 << 17 };

/* Whether f lies on one side of e's line, and farther than the margin from it. */
static bool is_beside(const struct edge *e, const struct edge *f)
{
    return side_of(e, f->u0, f->v0) * side_of(e, f->u1, f->v1) > 0;
}

static bool edges_are_apart(const struct edge *e, const struct edge *f)
{
    return are_apart(e->u0, e->u1, f->u0, f->u1)
           || are_apart(e->v0, e->v1, f->v0, f->v1) || is_beside(e, f)
           || is_beside(f, e);
}

/* e ends where f begins. They share more than that where f runs back over e: the angle
 * between them is 0. Vertices are right to 1e-12, so 1e-9 is far more than is needed. */
static bool turns_back(const struct edge *e, const struct edge *f)
{
    double eu = e->u1 - e->u0, ev = e->v1 - e->v0;
    double fu = f->u1 - f->u0, fv = f->v1 - f->v0;
    double least = 1e-9 * (fabs(eu) + fabs(ev) + fabs(fu) + fabs(fv));
    return fabs(eu * fv - ev * fu) <= least && eu * fu + ev * fv <= least;
}

static bool ring_turns_back(const struct grid *grid, const struct ring *ring)
{
    const struct edge *edges = grid->edges + ring->first;
    for (uint32_t i = 0; i < ring->n; i++)
        if (turns_back(&edges[i], &edges[i + 1 < ring->n ? i + 1 : 0]))
            return true;
    return ring->n < 3;
}

/* Whether edges a < b follow each other in a ring, b last, where it closes. */
static bool are_ends(const struct grid *grid, uint32_t a, uint32_t b)
{
    for (int64_t i = 0; i < grid->n_rings; i++)
        if (grid->rings[i].first == a)
            return b == a + grid->rings[i].n - 1;
    return false;
}

/* Lists are in ascending order, so that most neighbours stand next to each other. */
static bool edges_of_cell_are_apart(const struct grid *grid, int64_t cell)
{
    const uint32_t *ids = grid->edges_in + grid->first[cell];
    uint32_t n = grid->first[cell + 1] - grid->first[cell];
    for (uint32_t i = 0; i < n; i++) {
        const struct edge *e = &grid->edges[ids[i]];
        for (uint32_t j = i + 1; j < n; j++) {
            const struct edge *f = &grid->edges[ids[j]];
            bool follows = ids[j] == ids[i] + 1 && e->u1 == f->u0 && e->v1 == f->v0;
            if (!follows && !edges_are_apart(e, f) && !are_ends(grid, ids[i], ids[j]))
                return false;
        }
    }
    return true;
}

static bool
ring_holds(const struct grid *grid, const struct ring *ring, double u, double v)
{
    bool inside = false;
    for (uint32_t i = 0; i < ring->n; i++) {
        const struct edge *edge = &grid->edges[ring->first + i];
        if ((edge->v0 <= v) != (edge->v1 <= v))
            inside ^= edge_u_at(edge, v) < u;
    }
    return inside;
}

/* A hole lies in its shell and in no other hole of it; a shell in no other polygon,
 * where it may lie in a hole. Rings are apart, so one vertex speaks for a ring. */
static bool ring_is_in_place(const struct grid *grid, const struct ring *ring)
{
    const struct edge *vertex = &grid->edges[ring->first];
    bool inside = false, in_shell = false, in_hole = false;
    for (int64_t i = 0; i < grid->n_rings; i++) {
        const struct ring *other = &grid->rings[i];
        if (i > 0 && other->i_polygon != other[-1].i_polygon) {
            if (inside)
                return false;
        }
        if (other == ring || (other->i_polygon == ring->i_polygon && !ring->hole))
            continue;
        bool held = ring_holds(grid, other, vertex->u0, vertex->v0);
        if (other->i_polygon != ring->i_polygon)
            inside ^= held;
        else if (other->hole)
            in_hole |= held;
        else
            in_shell |= held;
    }
    return !inside && !in_hole && (in_shell || !ring->hole);
}

bool grid_is_simple(const struct grid *grid)
{
    int64_t n_cells = (int64_t)grid->n_columns * grid->n_rows;
    int64_t n_pairs = 0;
    for (int64_t cell = 0; cell < n_cells; cell++) {
        uint64_t eight;
        while (cell + 8 <= n_cells
               && (memcpy(&eight, grid->cells + cell, 8), eight == 0))
            cell += 8;
        if (cell == n_cells)
            break;
        int64_t n = grid->first[cell + 1] - grid->first[cell];
        n_pairs += n * (n - 1) / 2;
        if (n < 2)
            continue;
        if (n_pairs > MOST_PAIRS_PER_EDGE * grid->n_edges
            || !edges_of_cell_are_apart(grid, cell))
            return false;
    }
    if (grid->n_rings > 1 && grid->n_rings * grid->n_edges > MOST_NESTING)
        return false;
    for (int64_t i = 0; i < grid->n_rings; i++)
        if (ring_turns_back(grid, &grid->rings[i])
            || (grid->n_rings > 1 && !ring_is_in_place(grid, &grid->rings[i])))
            return false;
    return grid->n_rings > 0;
}
