#include "synthetic_footprint.h"

#include <math.h>
#include <string.h>

/* Level 0 to 3 along length and depth: 0, about 0.3, about 0.7, 1. */
struct level {
    uint8_t x, y;
};

/*
 *   3 +--+--+--+      Footprints on the lines of a 3 x 3 board whose inner lines move.
 *   2 +--+--+--+      `core` is a block of the board that the footprint fills: its
 *   1 +--+--+--+      middle goes on the border when the building is to straddle it.
 *   0 +--+--+--+
 *     0  1  2  3
 */
struct shape {
    double share; /* of all buildings */
    struct {
        struct level low, high;
    } core;
    int n;
    struct level ring[SYNTHETIC_MOST_VERTICES];
};

static const struct shape shapes[] = {
    /* rectangle */
    { .58, { { 0, 0 }, { 3, 3 } }, 4, { { 0, 0 }, { 3, 0 }, { 3, 3 }, { 0, 3 } } },
    /* L */
    { .18,
      { { 0, 0 }, { 1, 1 } },
      6,
      { { 0, 0 }, { 3, 0 }, { 3, 1 }, { 1, 1 }, { 1, 3 }, { 0, 3 } } },
    /* T */
    { .06,
      { { 1, 2 }, { 2, 3 } },
      8,
      { { 1, 0 },
        { 2, 0 },
        { 2, 2 },
        { 3, 2 },
        { 3, 3 },
        { 0, 3 },
        { 0, 2 },
        { 1, 2 } } },
    /* U */
    { .05,
      { { 1, 0 }, { 2, 1 } },
      8,
      { { 0, 0 },
        { 3, 0 },
        { 3, 3 },
        { 2, 3 },
        { 2, 1 },
        { 1, 1 },
        { 1, 3 },
        { 0, 3 } } },
    /* rectangle with a corner cut off */
    { .04,
      { { 0, 0 }, { 2, 2 } },
      5,
      { { 0, 0 }, { 3, 0 }, { 3, 2 }, { 2, 3 }, { 0, 3 } } },
    /* Z */
    { .03,
      { { 1, 1 }, { 2, 2 } },
      8,
      { { 0, 0 },
        { 2, 0 },
        { 2, 2 },
        { 3, 2 },
        { 3, 3 },
        { 1, 3 },
        { 1, 1 },
        { 0, 1 } } },
    /* cross */
    { .02,
      { { 1, 1 }, { 2, 2 } },
      12,
      { { 1, 0 },
        { 2, 0 },
        { 2, 1 },
        { 3, 1 },
        { 3, 2 },
        { 2, 2 },
        { 2, 3 },
        { 1, 3 },
        { 1, 2 },
        { 0, 2 },
        { 0, 1 },
        { 1, 1 } } },
    /* cross with one notch filled */
    { .02,
      { { 1, 1 }, { 2, 2 } },
      10,
      { { 0, 0 },
        { 2, 0 },
        { 2, 1 },
        { 3, 1 },
        { 3, 2 },
        { 2, 2 },
        { 2, 3 },
        { 1, 3 },
        { 1, 2 },
        { 0, 2 } } },
    /* H */
    { .01,
      { { 1, 1 }, { 2, 2 } },
      12,
      { { 0, 0 },
        { 1, 0 },
        { 1, 1 },
        { 2, 1 },
        { 2, 0 },
        { 3, 0 },
        { 3, 3 },
        { 2, 3 },
        { 2, 2 },
        { 1, 2 },
        { 1, 3 },
        { 0, 3 } } },
    /* octagon */
    { .01,
      { { 1, 1 }, { 2, 2 } },
      8,
      { { 1, 0 },
        { 2, 0 },
        { 3, 1 },
        { 3, 2 },
        { 2, 3 },
        { 1, 3 },
        { 0, 2 },
        { 0, 1 } } },
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static const struct shape *pick_shape(struct random_stream *random)
{
    double share = random_unit(random);
    for (int i = 0; i < N_SHAPES; i++)
        if ((share -= shapes[i].share) < 0)
            return &shapes[i];
    return &shapes[0];
}

static void set_levels(struct random_stream *random, double width_m, double levels[4])
{
    levels[0] = -0.5 * width_m;
    levels[1] = width_m * (-0.3 + 0.2 * random_unit(random));
    levels[2] = width_m * (0.1 + 0.2 * random_unit(random));
    levels[3] = 0.5 * width_m;
}

void footprint_make(struct footprint *footprint,
                    struct random_stream *random,
                    double least_m,
                    double most_m)
{
    const struct shape *shape = pick_shape(random);
    double u = random_unit(random);
    footprint->length_m = least_m + (most_m - least_m) * u * u;
    footprint->depth_m = footprint->length_m * (0.5 + 0.4 * random_unit(random));
    footprint->shape = footprint->length_m < 10 ? &shapes[0] : shape;
    set_levels(random, footprint->length_m, footprint->x);
    set_levels(random, footprint->depth_m, footprint->y);
}

/* By the shoelace formula, to 0.1 m2. */
double footprint_area(const struct footprint *footprint)
{
    const struct shape *shape = footprint->shape;
    double sum = 0;
    for (int i = 0; i < shape->n; i++) {
        struct level a = shape->ring[i], b = shape->ring[(i + 1) % shape->n];
        sum += footprint->x[a.x] * footprint->y[b.y];
        sum -= footprint->x[b.x] * footprint->y[a.y];
    }
    return (double)(int64_t)(5 * sum + 0.5) / 10;
}

double footprint_radius(const struct footprint *footprint)
{
    double length = footprint->length_m, depth = footprint->depth_m;
    return 0.5 * sqrt(length * length + depth * depth) + 0.05;
}

static int32_t to_units(double m, double m_per_unit)
{
    double units = m / m_per_unit;
    return (int32_t)(units < 0 ? units - 0.5 : units + 0.5);
}

static void put_vertex(const struct synthetic_place *place,
                       double x,
                       double y,
                       struct synthetic_building *building)
{
    double xy[2] = {
        (double)(place->origin.lon + to_units(x, place->m_per_lon)) / 1e7,
        (double)(place->origin.lat + to_units(y, place->m_per_lat)) / 1e7,
    };
    memcpy(building->wkb + building->n_wkb, xy, sizeof xy);
    building->n_wkb += (int)sizeof xy;
}

/* Polygon with SRID, of one ring. */
void footprint_encode(const struct footprint *footprint,
                      const struct synthetic_place *place,
                      const double at[2],
                      double turn,
                      struct synthetic_building *building)
{
    const struct shape *shape = footprint->shape;
    uint32_t head[] = {
        UINT32_C(0x20000003), SYNTHETIC_SRID, 1, (uint32_t)shape->n + 1
    };
    double t = turn, c = (1 - t * t) / (1 + t * t), s = 2 * t / (1 + t * t);
    double anchor[2] = { 0, 0 };
    if (building->straddles) {
        anchor[0] =
            0.5 * (footprint->x[shape->core.low.x] + footprint->x[shape->core.high.x]);
        anchor[1] =
            0.5 * (footprint->y[shape->core.low.y] + footprint->y[shape->core.high.y]);
    }
    building->wkb[0] = 1;
    memcpy(building->wkb + 1, head, sizeof head);
    building->n_wkb = 1 + (int)sizeof head;
    building->n_vertices = shape->n;
    for (int i = 0; i <= shape->n; i++) {
        struct level level = shape->ring[i % shape->n];
        double x = footprint->x[level.x] - anchor[0];
        double y = footprint->y[level.y] - anchor[1];
        put_vertex(place, at[0] + c * x - s * y, at[1] + s * x + c * y, building);
    }
}
