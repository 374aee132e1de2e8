#ifndef ROOFTALLY_GEOMETRY_LOCATE_H
#define ROOFTALLY_GEOMETRY_LOCATE_H

#include <stdint.h>

enum location { LOCATION_OUTSIDE, LOCATION_BORDER, LOCATION_INSIDE };

/* Where (x, y) lies of a polygon or multipolygon that ewkb_read called fine. */
enum location locate(const uint8_t *wkb, int64_t n_bytes, double x, double y);

#endif
