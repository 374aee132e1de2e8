#include "synthetic_rings.h"

#include "synthetic_random.h"

/*
 * Why borders never cross, in lattice units (affine maps keep this true):
 *
 *   - A corner is moved by at most JITTER = 0.12 on each axis. A side then runs at most
 *     atan(0.24 / 0.76) = 17.6 degrees off its axis and is at most 1.27 long; two sides
 *     that meet in a corner are at least 90 - 2 * 17.6 = 54.8 degrees apart.
 *   - The crinkle is the graph of a function over the straight side, no farther from it
 *     than SLOPE * the distance to the nearer end, so it cannot meet itself, and it stays
 *     in a diamond with half angle atan(0.34) = 18.8 degrees. Diamonds that meet in a
 *     corner share that alone, as 2 * 18.8 < 54.8.
 *   - A diamond is at most 0.34 * 1.27 / 2 = 0.216 high, so sides with no corner in
 *     common stay apart: 0.12 + 0.216 < 0.5. A square of 2 * 0.164 around the middle of
 *     the cell stays free. A lake reaches at most 0.03 + 0.11 = 0.14 from the middle.
 *   - Lakes and islands are star-shaped around their middle, an island smaller than the
 *     least radius of its lake.
 *
 * The spacing of points along a side is at least 0.76 / 256 cells, hundreds of units
 * in the smallest cell, so that rounding to whole units changes none of this.
 */
static const double JITTER = 0.12, SLOPE = 0.34;
static const double LAKE_JITTER = 0.03, LAKE_LEAST = 0.06, LAKE_MOST = 0.11;
static const double ISLAND_LEAST = 0.02, ISLAND_MOST = 0.05;

enum lake { LAKE_NONE, LAKE_WATER, LAKE_ISLAND, LAKE_EXCLAVE };

struct lattice_point {
    double u, v;
};

struct place_point rings_point(const struct synthetic_state *state, double u, double v)
{
    return (struct place_point){
        .lon = state->west + (int32_t)((u + RINGS_MARGIN) * state->lon_scale + 0.5),
        .lat = state->south + (int32_t)((v + RINGS_MARGIN) * state->lat_scale + 0.5),
    };
}

static struct lattice_point
corner(const struct synthetic_state *state, int64_t column, int64_t line)
{
    struct random_stream random = random_open(state->seed, RANDOM_CORNER, column, line);
    double u = (double)column + JITTER * random_signed(&random);
    double v = (double)line + JITTER * random_signed(&random);
    return (struct lattice_point){ u, v };
}

/* Midpoint displacement: noise[0..n], n a power of two, within [-1, 1], 0 at the ends.
 * The steps 0.4, 0.4 * 0.6, 0.4 * 0.6^2, ... add up to 1 at most. */
static void make_noise(struct random_stream *random, int n, double *noise)
{
    double most = 0.4;
    noise[0] = noise[n] = 0;
    for (int step = n; step > 1; step /= 2, most *= 0.6)
        for (int at = 0; at < n; at += step)
            noise[at + step / 2] =
                0.5 * (noise[at] + noise[at + step]) + most * random_signed(random);
}

/* Write the side that begins in corner (column, line) without its last point, or, when
 * reversed, without its first. Returns the number of points. */
static int make_side(const struct synthetic_state *state,
                     enum random_kind kind,
                     int64_t column,
                     int64_t line,
                     bool reversed,
                     struct place_point *points)
{
    bool north = kind == RANDOM_EDGE_NORTH;
    struct lattice_point a = corner(state, column, line);
    struct lattice_point b = corner(state, column + !north, line + north);
    struct random_stream random = random_open(state->seed, kind, column, line);
    int n = random_next(&random) & 1 ? SIDE_POINTS : SIDE_POINTS / 2;
    double noise[SIDE_POINTS + 1];
    make_noise(&random, n, noise);

    double du = b.u - a.u, dv = b.v - a.v;
    for (int i = 0; i < n; i++) {
        int at = reversed ? n - i : i;
        double t = (double)at / n;
        double off = SLOPE * (t < 0.5 ? t : 1 - t) * noise[at];
        points[i] =
            rings_point(state, a.u + t * du - off * dv, a.v + t * dv + off * du);
    }
    return n;
}

/* Write a ring of n points, a power of two, around `middle`. Directions are the rational
 * points of the circle, ((1 - t^2) / (1 + t^2), 2 t / (1 + t^2)), quarter by quarter. */
static int make_loop(const struct synthetic_state *state,
                     struct random_stream random,
                     struct lattice_point middle,
                     double least,
                     double most,
                     int n,
                     struct place_point *points)
{
    double noise[SHORE_POINTS + 1];
    make_noise(&random, n, noise);
    for (int i = 0; i < n; i++) {
        double t = (double)(i % (n / 4)) / (n / 4);
        double c = (1 - t * t) / (1 + t * t), s = 2 * t / (1 + t * t);
        double radius = least + (most - least) * (0.5 + 0.5 * noise[i]);
        const double turned[4][2] = { { c, s }, { -s, c }, { -c, -s }, { s, -c } };
        const double *way = turned[i / (n / 4)];
        points[i] =
            rings_point(state, middle.u + radius * way[0], middle.v + radius * way[1]);
    }
    return n;
}

/* The lake of a zone: 55 % have none, 25 % water, 10 % an island, 10 % an exclave of the
 * eastern neighbour, or water where there is none. */
static enum lake
lake_of(const struct synthetic_state *state, int64_t row, struct lattice_point *middle)
{
    struct random_stream random = random_open(state->seed, RANDOM_LAKE, row, 0);
    double kind = random_unit(&random);
    middle->u = (double)(row % state->n_columns) + 0.5;
    middle->v = (double)(row / state->n_columns) + 0.5;
    middle->u += LAKE_JITTER * random_signed(&random);
    middle->v += LAKE_JITTER * random_signed(&random);
    if (kind < 0.55)
        return LAKE_NONE;
    if (kind < 0.80)
        return LAKE_WATER;
    if (kind < 0.90)
        return LAKE_ISLAND;
    bool has_east = (row + 1) % state->n_columns != 0 && row + 1 < state->n_zones;
    return has_east ? LAKE_EXCLAVE : LAKE_WATER;
}

static void end_ring(struct rings *rings, int n_points, int part)
{
    int ring = rings->n_rings++;
    rings->first[ring + 1] = rings->first[ring] + n_points;
    rings->part[ring] = part;
    rings->n_parts = part + 1;
}

static void add_shore(const struct synthetic_state *state,
                      int64_t row,
                      int part,
                      struct rings *rings)
{
    struct lattice_point middle;
    lake_of(state, row, &middle);
    struct place_point *points = rings->points + rings->first[rings->n_rings];
    struct random_stream random = random_open(state->seed, RANDOM_SHORE, row, 0);
    int n =
        make_loop(state, random, middle, LAKE_LEAST, LAKE_MOST, SHORE_POINTS, points);
    end_ring(rings, n, part);
}

void rings_make(const struct synthetic_state *state, int64_t row, struct rings *rings)
{
    int64_t c = row % state->n_columns, r = row / state->n_columns;
    struct place_point *points = rings->points;
    rings->n_rings = 0;
    rings->first[0] = 0;

    int n = make_side(state, RANDOM_EDGE_EAST, c, r, false, points);
    n += make_side(state, RANDOM_EDGE_NORTH, c + 1, r, false, points + n);
    n += make_side(state, RANDOM_EDGE_EAST, c, r + 1, true, points + n);
    n += make_side(state, RANDOM_EDGE_NORTH, c, r, true, points + n);
    end_ring(rings, n, 0);

    struct lattice_point middle;
    enum lake lake = lake_of(state, row, &middle);
    if (lake != LAKE_NONE)
        add_shore(state, row, 0, rings);
    if (lake == LAKE_ISLAND) {
        struct random_stream random = random_open(state->seed, RANDOM_ISLAND, row, 0);
        points = rings->points + rings->first[rings->n_rings];
        n = make_loop(state,
                      random,
                      middle,
                      ISLAND_LEAST,
                      ISLAND_MOST,
                      ISLAND_POINTS,
                      points);
        end_ring(rings, n, rings->n_parts);
    }
    if (c > 0 && lake_of(state, row - 1, &middle) == LAKE_EXCLAVE)
        add_shore(state, row - 1, rings->n_parts, rings);
}
