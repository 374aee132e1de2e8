/*
 * Where buildings may stand in a synthetic zone: a point far enough from every border,
 * or one on it. In metres east and north of the zone's south-western corner.
 */
#ifndef ROOFTALLY_SOURCE_SYNTHETIC_PLACE_H
#define ROOFTALLY_SOURCE_SYNTHETIC_PLACE_H

#include "synthetic_random.h"
#include "synthetic_rings.h"

enum { MOST_TOWNS = 6 };
#define PLACE_MOST_RADIUS_M 36.0 /* around the middle of a building */

struct place_edge {
    double x0, y0, x1, y1;
};

struct town {
    double x, y, radius_m;
    double turn; /* of its streets: t of a rational rotation */
};

struct synthetic_place {
    struct place_point origin;
    double m_per_lon, m_per_lat; /* metres per 1e-7 degree, in the middle of the zone */
    double width_m, height_m;
    int n_edges;
    struct place_edge *edges; /* of all rings; one of them is even-odd */
    int n_bands;              /* horizontal, of equal height, from y = 0 */
    double band_m;
    int32_t *band_first; /* [n_bands + 1] into band_edges */
    int32_t *band_edges; /* edges within PLACE_MOST_RADIUS_M above or below the band */
    double safe_x, safe_y;
    int n_towns;
    struct town towns[MOST_TOWNS];
};

/* Memory as MEMORY_GRID. Returns 0, or -1 with ERROR_BUDGET. */
int place_init(struct synthetic_place *place,
               const struct synthetic_state *state,
               int64_t row,
               const struct rings *rings,
               struct memory *memory,
               struct error *err);

/* Whether a circle lies within the zone; radius_m up to PLACE_MOST_RADIUS_M. */
bool place_is_clear(const struct synthetic_place *place,
                    double x,
                    double y,
                    double radius_m);

/* A point around which place_is_clear holds, mostly in a town; *turn is its streets'. */
void place_inside(const struct synthetic_place *place,
                  struct random_stream *random,
                  double radius_m,
                  double *x,
                  double *y,
                  double *turn);

/* A point of the border. */
void place_on_border(const struct synthetic_place *place,
                     struct random_stream *random,
                     double *x,
                     double *y);

#endif
