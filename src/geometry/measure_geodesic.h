/* Area of a ring and length of a line on an ellipsoid; private to measuring. */
#ifndef ROOFTALLY_GEOMETRY_MEASURE_GEODESIC_H
#define ROOFTALLY_GEOMETRY_MEASURE_GEODESIC_H

#include <stdbool.h>

#include <geodesic.h>

#include "rooftally/geometry/measure.h"

#include "walk.h"

struct ellipsoid {
    double semimajor_m, flattening;
    double degrees, radians; /* per unit of the CRS */
    double a2, b2;           /* squares of the axes */
    double e2;               /* eccentricity squared */
    bool has_geod; /* geod_init costs as much as a building: only when needed */
    struct geod_geodesic geod;
};

void ellipsoid_init(struct ellipsoid *ellipsoid, const struct crs *crs);

/* What the closed ring encloses, in m2, of any direction; NaN where a latitude is beyond
 * a pole. Of a ring that parts the globe, the smaller side. */
double ellipsoid_ring_area(struct ellipsoid *ellipsoid, const struct sequence *ring);

/* From the first point to the last, in m. */
double ellipsoid_length(struct ellipsoid *ellipsoid, const struct sequence *points);

#endif
