/*
 * A few boxes over the cells that are not outside. The one box of all of them is cut in
 * two wherever the boxes of both sides save most; then the best cut of the boxes there
 * are, and so on until a cut saves less than a box costs.
 *
 * The grid is seen at no more than 128 x 128 cells, as rows and columns of bits, so that
 * the extent of a row within a box is two instructions.
 */
#include <math.h>
#include <string.h>

#include "grid.h"

enum { SIDE = 128, MOST_BOXES = 64 };

struct bits {
    uint64_t low, high;
};

struct view {
    struct bits rows[SIDE], columns[SIDE];
    int32_t n_columns, n_rows;
};

/* Columns [c0, c1) and rows [r0, r1) of the view; empty where c0 >= c1. */
struct block {
    int32_t c0, r0, c1, r1;
};

struct cut {
    struct block a, b;
    int64_t saved; /* cells of the view; 0 where no cut saves any */
};

static void set_bit(struct bits *bits, int32_t i)
{
    if (i < 64)
        bits->low |= UINT64_C(1) << i;
    else
        bits->high |= UINT64_C(1) << (i - 64);
}

/* The bits of [first, last), as a range that is empty where none is set. */
static void extent_of(struct bits bits, int32_t *first, int32_t *last)
{
    uint64_t low = bits.low, high = bits.high;
    low = *first >= 64 ? 0 : low >> *first << *first;
    high = *first <= 64 ? high : high >> (*first - 64) << (*first - 64);
    if (*last < 64)
        low &= (UINT64_C(1) << *last) - 1;
    if (*last <= 64)
        high = 0;
    else if (*last < 128)
        high &= (UINT64_C(1) << (*last - 64)) - 1;
    *first = low ? __builtin_ctzll(low) : high ? 64 + __builtin_ctzll(high) : SIDE;
    *last = high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
}

static int64_t area_of(const struct block *block)
{
    if (block->c0 >= block->c1 || block->r0 >= block->r1)
        return 0;
    return (int64_t)(block->c1 - block->c0) * (block->r1 - block->r0);
}

/* The block, grown to hold cells [c0, c1) of one row. */
static void grow(struct block *block, int32_t row, int32_t c0, int32_t c1)
{
    if (c0 >= c1)
        return;
    if (block->c0 >= block->c1) {
        *block = (struct block){ c0, row, c1, row + 1 };
        return;
    }
    block->c0 = c0 < block->c0 ? c0 : block->c0;
    block->c1 = c1 > block->c1 ? c1 : block->c1;
    block->r0 = row < block->r0 ? row : block->r0;
    block->r1 = row + 1 > block->r1 ? row + 1 : block->r1;
}

/* The best cut between two rows of the block. */
static struct cut cut_rows(const struct bits *rows, const struct block *block)
{
    struct block above[SIDE]; /* the extent of rows [r, r1) */
    struct block sum = { 0, 0, 0, 0 };
    struct cut best = { .saved = 0 };
    for (int32_t row = block->r1 - 1; row >= block->r0; row--) {
        int32_t c0 = block->c0, c1 = block->c1;
        extent_of(rows[row], &c0, &c1);
        grow(&sum, row, c0, c1);
        above[row] = sum;
    }
    sum = (struct block){ 0, 0, 0, 0 };
    for (int32_t row = block->r0; row + 1 < block->r1; row++) {
        int32_t c0 = block->c0, c1 = block->c1;
        extent_of(rows[row], &c0, &c1);
        grow(&sum, row, c0, c1);
        int64_t saved = area_of(block) - area_of(&sum) - area_of(&above[row + 1]);
        if (saved > best.saved)
            best = (struct cut){ sum, above[row + 1], saved };
    }
    return best;
}

static struct block turned(const struct block *block)
{
    return (struct block){ block->r0, block->c0, block->r1, block->c1 };
}

static struct cut best_cut(const struct view *view, const struct block *block)
{
    struct block side = turned(block);
    struct cut rows = cut_rows(view->rows, block);
    struct cut columns = cut_rows(view->columns, &side);
    if (columns.saved <= rows.saved)
        return rows;
    return (struct cut){ turned(&columns.a), turned(&columns.b), columns.saved };
}

static int32_t cell_of(int32_t i, int32_t n_view, int32_t n)
{
    return (int32_t)((int64_t)i * n / n_view);
}

/* any[c] of the view's columns, over the grid's rows [from, to). */
static void look_at_rows(const struct grid *grid,
                         int32_t n_view,
                         int32_t from,
                         int32_t to,
                         uint8_t *any)
{
    memset(any, 0, SIDE);
    for (int32_t row = from; row < to; row++) {
        const uint8_t *cells = grid->cells + (int64_t)row * grid->n_columns;
        if (n_view == grid->n_columns) {
            for (int32_t c = 0; c < n_view; c++)
                any[c] |= cells[c];
            continue;
        }
        for (int32_t c = 0, column = 0; c < n_view; c++)
            for (int32_t end = cell_of(c + 1, n_view, grid->n_columns); column < end;
                 column++)
                any[c] |= cells[column];
    }
}

static void look_at(struct view *view, const struct grid *grid)
{
    uint8_t any[SIDE];
    memset(view, 0, sizeof *view);
    view->n_columns = grid->n_columns < SIDE ? grid->n_columns : SIDE;
    view->n_rows = grid->n_rows < SIDE ? grid->n_rows : SIDE;
    for (int32_t r = 0; r < view->n_rows; r++) {
        look_at_rows(grid,
                     view->n_columns,
                     cell_of(r, view->n_rows, grid->n_rows),
                     cell_of(r + 1, view->n_rows, grid->n_rows),
                     any);
        for (int32_t c = 0; c < view->n_columns; c++)
            if (any[c]) {
                set_bit(&view->rows[r], c);
                set_bit(&view->columns[c], r);
            }
    }
}

/* Where cell line i lies, moved outward by the margin and one rounding more, but not
 * out of the zone's box. */
static double line_at(double origin, double per_unit, double i, double outward)
{
    double at = origin + (i + outward * 2 * GRID_MARGIN) / per_unit;
    return nextafter(at, outward * HUGE_VAL);
}

static struct box
box_of(const struct view *view, const struct grid *grid, const struct block *block)
{
    int32_t c0 = cell_of(block->c0, view->n_columns, grid->n_columns);
    int32_t c1 = cell_of(block->c1, view->n_columns, grid->n_columns);
    int32_t r0 = cell_of(block->r0, view->n_rows, grid->n_rows);
    int32_t r1 = cell_of(block->r1, view->n_rows, grid->n_rows);
    const struct box *all = &grid->box;
    return (struct box){
        .xmin = fmax(line_at(all->xmin, grid->per_x, c0, -1), all->xmin),
        .ymin = fmax(line_at(all->ymin, grid->per_y, r0, -1), all->ymin),
        .xmax = c1 == grid->n_columns
                    ? all->xmax
                    : fmin(line_at(all->xmin, grid->per_x, c1, 1), all->xmax),
        .ymax = r1 == grid->n_rows
                    ? all->ymax
                    : fmin(line_at(all->ymin, grid->per_y, r1, 1), all->ymax),
    };
}

int grid_cover(const struct grid *grid,
               struct box *boxes,
               int n_max,
               double box_cost,
               int64_t n_expected)
{
    struct view view;
    struct block blocks[MOST_BOXES];
    struct cut cuts[MOST_BOXES];
    look_at(&view, grid);
    double per_cell =
        (double)n_expected / ((double)view.n_columns * (double)view.n_rows);
    int n = 1, best = 0;
    blocks[0] = (struct block){ 0, 0, view.n_columns, view.n_rows };
    cuts[0] = best_cut(&view, &blocks[0]);
    if (n_max > MOST_BOXES)
        n_max = MOST_BOXES;
    while (n < n_max && (double)cuts[best].saved * per_cell > box_cost) {
        struct cut cut = cuts[best];
        blocks[best] = cut.a;
        blocks[n] = cut.b;
        cuts[best] = best_cut(&view, &blocks[best]);
        cuts[n] = best_cut(&view, &blocks[n]);
        n++;
        best = 0;
        for (int i = 1; i < n; i++)
            if (cuts[i].saved > cuts[best].saved)
                best = i;
    }
    for (int i = 0; i < n; i++)
        boxes[i] = box_of(&view, grid, &blocks[i]);
    return n;
}
