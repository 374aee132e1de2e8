/*
 * Area, perimeter and vertices of a geometry: geodesic on a geographic CRS (PROJ's
 * geodesic.h), planar in metres otherwise.
 */
#ifndef ROOFTALLY_GEOMETRY_MEASURE_H
#define ROOFTALLY_GEOMETRY_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"

struct crs {
    bool geographic;
    double semimajor_m, flattening; /* of the ellipsoid, where geographic */
    double unit;                    /* metres, or degrees where geographic, per unit */
    char name[128];                 /* "WGS 84"; "unknown" */
};

/*
 * What measuring needs to know of a CRS.
 *
 * definition  anything proj_create reads: WKT, PROJJSON, "EPSG:4326"; "" or NULL gives
 *             a plane in metres
 * Returns     0, or -1 with ERROR_USAGE (PROJ cannot read it)
 */
int crs_read(struct crs *crs, const char *definition, struct error *err);

struct measures {
    double area_m2;     /* holes subtracted; 0 for points and lines; never negative */
    double perimeter_m; /* of all rings; length of lines */
    int64_t n_vertices; /* as ST_NPoints: closing points included */
};

/* Measure an EWKB geometry that ewkb_read called fine. `want_length` false leaves
 * perimeter_m 0. Returns 0 or -1 with ERROR_FORMAT. */
int measure(const struct crs *crs,
            const uint8_t *bytes,
            int64_t n_bytes,
            bool want_length,
            struct measures *out,
            struct error *err);

#endif
