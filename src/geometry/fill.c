/*
 * The status of cells, row by row. A line through the centres of a row changes sides
 * wherever an edge crosses it:
 *
 *     edge      \        /
 *     row    . . X # # # X . .        X boundary: its centre counts the crossings to
 *     parity 0 0 0 1 1 1 1 0 0          the left of it
 *
 * Crossings lie in cells that list their edge, hence no plain cell has one, and its
 * parity is that of every point in it. An edge crosses where it has one end above the
 * line and the other on it or below: the ends are the same doubles in both edges of a
 * vertex, so no crossing is lost or counted twice.
 */
#include <string.h>

#include "grid.h"

enum {
    CROSSED_LEFT = 4,
    CROSSED_RIGHT = 8
}; /* of the centre; an odd number of times */

static void mark_crossings(struct grid *grid, const struct edge *edge)
{
    bool rising = edge->v0 < edge->v1;
    double low = rising ? edge->v0 : edge->v1, high = rising ? edge->v1 : edge->v0;
    int32_t row = grid_index(low, grid->n_rows);
    for (; row < grid->n_rows && row + 0.5 < high; row++) {
        if (row + 0.5 < low)
            continue;
        double u = edge_u_at(edge, row + 0.5);
        int32_t column = grid_index(u, grid->n_columns);
        grid->cells[(int64_t)row * grid->n_columns + column] ^=
            u < column + 0.5 ? CROSSED_LEFT : CROSSED_RIGHT;
    }
}

static void fill_row(uint8_t *cells, int32_t n)
{
    uint8_t parity = 0;
    for (int32_t i = 0; i < n;) {
        uint64_t eight;
        if (i + 8 <= n && (memcpy(&eight, cells + i, 8), eight == 0)) {
            memset(cells + i, parity, 8);
            i += 8;
            continue;
        }
        uint8_t cell = cells[i], left = (cell & CROSSED_LEFT) != 0;
        uint8_t right = (cell & CROSSED_RIGHT) != 0;
        cells[i++] = (uint8_t)((cell & CELL_BOUNDARY) | (parity ^ left));
        parity = (uint8_t)(parity ^ left ^ right);
    }
}

void grid_fill(struct grid *grid)
{
    for (int64_t i = 0; i < grid->n_edges; i++)
        mark_crossings(grid, &grid->edges[i]);
    for (int32_t row = 0; row < grid->n_rows; row++)
        fill_row(grid->cells + (int64_t)row * grid->n_columns, grid->n_columns);
}
