/* Footprints of synthetic buildings: rectangles, L, T, U and more, 4 to 12 vertices. */
#ifndef ROOFTALLY_SOURCE_SYNTHETIC_FOOTPRINT_H
#define ROOFTALLY_SOURCE_SYNTHETIC_FOOTPRINT_H

#include "rooftally/source/synthetic.h"

#include "synthetic_place.h"
#include "synthetic_random.h"

struct shape; /* a row of a table */

/* In metres, around the middle of its box. */
struct footprint {
    const struct shape *shape;
    double length_m, depth_m;
    double x[4], y[4]; /* of the lines its vertices lie on */
};

/* The larger, the rarer. A length under 10 m makes a rectangle. */
void footprint_make(struct footprint *footprint,
                    struct random_stream *random,
                    double least_m,
                    double most_m);

/* m2, to 0.1 */
double footprint_area(const struct footprint *footprint);

/* Of the circle around the box, with room for rounding the vertices. */
double footprint_radius(const struct footprint *footprint);

/*
 * Write building->wkb, n_wkb and n_vertices: turned by the rational rotation of `turn`,
 * 0 to 1, and moved to `at`, with its middle there, or, when the building straddles the
 * border, a point that is inside of it whatever the shape.
 */
void footprint_encode(const struct footprint *footprint,
                      const struct synthetic_place *place,
                      const double at[2],
                      double turn,
                      struct synthetic_building *building);

#endif
