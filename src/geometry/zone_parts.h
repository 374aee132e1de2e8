#ifndef ROOFTALLY_GEOMETRY_ZONE_PARTS_H
#define ROOFTALLY_GEOMETRY_ZONE_PARTS_H

#include "rooftally/geometry/zone.h"

#include "geos.h"
#include "grid.h"

struct zone {
    struct geos *geos;
    const uint8_t *wkb; /* borrowed */
    int64_t n_bytes;
    int64_t n_expected;
    enum predicate predicate;
    enum invalid_rule invalid;
    struct box box;
    bool empty, valid, has_grid;
    struct grid grid;
    GEOSGeometry *geometry;               /* NULL until something asks GEOS */
    const GEOSPreparedGeometry *prepared; /* NULL until the first refine */
};

/* zone->geometry, read once; NULL with zone->geos->text. */
const GEOSGeometry *zone_geometry(struct zone *zone);

#endif
