#include "grid.h"

#include <math.h>
#include <string.h>

#include "walk.h"

static double width_of(const struct box *box)
{
    return box->xmax - box->xmin;
}

static double height_of(const struct box *box)
{
    return box->ymax - box->ymin;
}

static bool can_have_grid(const struct box *box)
{
    double width = width_of(box), height = height_of(box);
    return width > 1e-280 && width < 1e280 && height > 1e-280 && height < 1e280;
}

static int32_t clamp_side(double side)
{
    if (!(side > GRID_LEAST))
        return GRID_LEAST;
    return side < GRID_MOST ? (int32_t)side : GRID_MOST;
}

/* About n cells, as nearly square as the limits allow: with more of them, laying them out
 * costs more than the boxes save that meet an edge. */
static void set_size(struct grid *grid, const struct box *box, int64_t n_expected)
{
    double side = sqrt(n_expected > 0 ? (double)n_expected : 0);
    double stretch = sqrt(width_of(box) / height_of(box));
    grid->n_columns = clamp_side(side * stretch);
    grid->n_rows = clamp_side(side / stretch);
}

static int64_t count_cells(const struct grid *grid)
{
    return (int64_t)grid->n_columns * grid->n_rows;
}

static void
add_ring(struct grid *grid, const struct sequence *sequence, uint32_t i_polygon)
{
    uint32_t first = (uint32_t)grid->n_edges;
    double x0, y0, x, y;
    sequence_point(sequence, 0, &x0, &y0);
    for (int64_t i = 1; i < sequence->n; i++, x0 = x, y0 = y) {
        sequence_point(sequence, i, &x, &y);
        if (x == x0 && y == y0)
            continue;
        grid->edges[grid->n_edges++] = (struct edge){
            grid_u(grid, x0), grid_v(grid, y0), grid_u(grid, x), grid_v(grid, y)
        };
    }
    grid->rings[grid->n_rings++] = (struct ring){ .first = first,
                                                  .n = (uint32_t)grid->n_edges - first,
                                                  .i_polygon = i_polygon,
                                                  .hole = sequence->i_ring > 0 };
}

static void map_edges(struct grid *grid, const uint8_t *wkb, int64_t n_bytes)
{
    struct walk walk;
    struct sequence sequence;
    uint32_t n_polygons = 0;
    grid->per_x = grid->n_columns / width_of(&grid->box);
    grid->per_y = grid->n_rows / height_of(&grid->box);
    grid->n_edges = 0;
    grid->n_rings = 0;
    if (walk_open(&walk, wkb, n_bytes))
        return;
    while (walk_next(&walk, &sequence) > 0) {
        if (sequence.n == 0)
            continue;
        if (sequence.i_ring == 0)
            n_polygons++;
        add_ring(grid, &sequence, n_polygons);
    }
}

struct range {
    int32_t first, last; /* both in it */
};

/* The cells that a stretch comes near, of n. */
static struct range range_near(double least, double most, int32_t n)
{
    double from = least - GRID_MARGIN, to = most + GRID_MARGIN;
    return (struct range){ grid_index(from > 0 ? from : 0, n),
                           grid_index(to > 0 ? to : 0, n) };
}

/* The columns that the edge comes near in one row: it is cut to the row, widened by the
 * margin, and what is left is widened by the margin. */
static inline struct range
columns_in_row(const struct edge *edge, struct range rows, int32_t row, int32_t n)
{
    double ua = edge->u0, ub = edge->u1;
    if (rows.first != rows.last && edge->v0 != edge->v1) {
        bool rising = edge->v0 < edge->v1;
        double low = rising ? edge->v0 : edge->v1, high = rising ? edge->v1 : edge->v0;
        double from = row - GRID_MARGIN, to = row + 1 + GRID_MARGIN;
        double u_low = rising ? edge->u0 : edge->u1;
        double u_high = rising ? edge->u1 : edge->u0;
        ua = from > low ? edge_u_at(edge, from < high ? from : high) : u_low;
        ub = to < high ? edge_u_at(edge, to > low ? to : low) : u_high;
    }
    return range_near(ua < ub ? ua : ub, ua < ub ? ub : ua, n);
}

static struct range rows_of(const struct grid *grid, const struct edge *edge)
{
    bool rising = edge->v0 < edge->v1;
    return range_near(rising ? edge->v0 : edge->v1,
                      rising ? edge->v1 : edge->v0,
                      grid->n_rows);
}

/* The cells of an edge that comes near one row only, as most do; n 0: of any other. */
struct span {
    int32_t first, n;
};

/* How many edges each cell has, and the spans of all; returns the sum. */
static int64_t count_edges_in(struct grid *grid, struct span *spans)
{
    int64_t n = 0;
    for (int64_t i = 0; i < grid->n_edges; i++) {
        const struct edge *edge = &grid->edges[i];
        struct range rows = rows_of(grid, edge);
        spans[i].n = 0;
        for (int32_t row = rows.first; row <= rows.last; row++) {
            struct range columns = columns_in_row(edge, rows, row, grid->n_columns);
            int64_t at = (int64_t)row * grid->n_columns;
            int32_t n_columns = columns.last - columns.first + 1;
            n += n_columns;
            if (rows.first == rows.last)
                spans[i] = (struct span){ (int32_t)at + columns.first, n_columns };
            for (int32_t c = columns.first; c <= columns.last; c++) {
                grid->first[at + c]++;
                grid->cells[at + c] = CELL_BOUNDARY;
            }
        }
    }
    return n;
}

/* Counts become ends; filling from the last edge to the first turns them into
 * beginnings, each list in ascending order. */
static void list_edges_in(struct grid *grid, const struct span *spans)
{
    int64_t n_cells = count_cells(grid);
    uint32_t sum = 0;
    for (int64_t i = 0; i <= n_cells; i++)
        grid->first[i] = sum += grid->first[i];
    for (int64_t i = grid->n_edges - 1; i >= 0; i--) {
        for (int32_t c = 0; c < spans[i].n; c++)
            grid->edges_in[--grid->first[spans[i].first + c]] = (uint32_t)i;
        if (spans[i].n > 0)
            continue;
        const struct edge *edge = &grid->edges[i];
        struct range rows = rows_of(grid, edge);
        for (int32_t row = rows.first; row <= rows.last; row++) {
            struct range columns = columns_in_row(edge, rows, row, grid->n_columns);
            int64_t at = (int64_t)row * grid->n_columns;
            for (int32_t c = columns.first; c <= columns.last; c++)
                grid->edges_in[--grid->first[at + c]] = (uint32_t)i;
        }
    }
}

/* One attempt at the size that is set. Returns 1, or 0 where it takes more than
 * most_bytes, or -1 where the memory has no more. */
static int try_size(struct grid *grid,
                    struct span *spans,
                    int64_t most_bytes,
                    struct memory *memory,
                    struct error *err)
{
    int64_t n_cells = count_cells(grid);
    int64_t n_bytes = n_cells * 5 + 4;
    if (n_bytes > most_bytes)
        return 0;
    grid->cells = memory_take(memory, MEMORY_GRID, n_cells, err);
    if (!grid->cells)
        return -1;
    grid->first = memory_take(memory, MEMORY_GRID, 4 * (n_cells + 1), err);
    if (!grid->first)
        return -1;
    memset(grid->cells, 0, (size_t)n_cells);
    memset(grid->first, 0, 4 * (size_t)(n_cells + 1));
    int64_t n = count_edges_in(grid, spans);
    if (n_bytes + 4 * n > most_bytes || n > UINT32_MAX)
        return 0;
    grid->edges_in = memory_take(memory, MEMORY_GRID, 4 * n, err);
    if (!grid->edges_in)
        return -1;
    list_edges_in(grid, spans);
    return 1;
}

int64_t grid_bytes(int64_t n_expected, int64_t n_vertices)
{
    int64_t side = clamp_side(sqrt(n_expected > 0 ? (double)n_expected : 0));
    int64_t cell = 1 + (int64_t)sizeof(uint32_t); /* its status, and its first edge */
    int64_t edge =
        (int64_t)(sizeof(struct edge) + sizeof(struct span) + sizeof(struct ring) / 4);
    return cell * side * side + (int64_t)sizeof(uint32_t) * (n_vertices + 4 * side)
           + edge * n_vertices;
}

static bool is_smallest(const struct grid *grid)
{
    return grid->n_columns == GRID_LEAST && grid->n_rows == GRID_LEAST;
}

int grid_build(struct grid *grid,
               const uint8_t *wkb,
               int64_t n_bytes,
               const struct box *box,
               int64_t n_vertices,
               int64_t n_expected,
               struct memory *memory,
               struct error *err)
{
    struct memory_mark before = memory_mark(memory);
    int64_t most_bytes = memory_free_bytes(memory) / 4;
    *grid = (struct grid){ .box = *box };
    if (!can_have_grid(box) || n_vertices > UINT32_MAX)
        return 0;
    set_size(grid, box, n_expected);
    grid->edges = memory_take(memory,
                              MEMORY_GRID,
                              n_vertices * (int64_t)sizeof *grid->edges,
                              err);
    /* a ring that counts has 4 points or more */
    grid->rings = memory_take(memory,
                              MEMORY_GRID,
                              n_vertices / 4 * (int64_t)sizeof *grid->rings,
                              err);
    struct span *spans =
        memory_take(memory, MEMORY_GRID, n_vertices * (int64_t)sizeof *spans, err);
    int status = grid->edges && grid->rings && spans ? 0 : -1;
    struct memory_mark edges_only = memory_mark(memory);
    while (status == 0) {
        map_edges(grid, wkb, n_bytes);
        status = try_size(grid,
                          spans,
                          is_smallest(grid) ? INT64_MAX : most_bytes,
                          memory,
                          err);
        if (status == 1)
            break;
        memory_rewind(memory, &edges_only);
        if (is_smallest(grid))
            break;
        status = 0;
        grid->n_columns = clamp_side(grid->n_columns / 2);
        grid->n_rows = clamp_side(grid->n_rows / 2);
    }
    if (status < 0)
        memory_rewind(memory, &before);
    return status;
}
