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
/* "9.1.1": PROJ's. */
const char *crs_library(void);

struct measures {
    double area_m2;     /* holes subtracted; 0 for points and lines; never negative; of
                         * the polygons of a collection the sum */
    double perimeter_m; /* of all rings; length of lines, but for those in a collection
                         * (of which ST_Perimeter takes the rings alone) */
    int64_t n_vertices; /* as ST_NPoints: closing points included */
};

/*
 * Measure an EWKB geometry that ewkb_read called fine.
 *
 * On a geographic CRS edges are geodesics. The area under a short one (up to 1/500 of the
 * radius of its parallel: 9 km at 45 degrees, 2 km at 80) is computed directly, to 1.4e-12
 * of its length squared and the rounding of a double; geodesic.h does the longer ones, and
 * whole rings that cross the antimeridian between -180 and 180, go around a pole or lie on
 * an ellipsoid flatter than 1/100. Areas are true to 1e-11 for footprints of 5 m and up as
 * for zones without long edges; geodesic.h itself, and so a long edge, is off by up to
 * 1e-4 m2 an edge.
 *
 * want_length  false leaves perimeter_m 0 and costs nothing; true asks geodesic.h of every
 *              edge on a geographic CRS, which takes thirty times as long as the area
 * Returns      0 (area_m2 NaN where a latitude is beyond a pole), or -1 with ERROR_FORMAT
 */
int measure(const struct crs *crs,
            const uint8_t *bytes,
            int64_t n_bytes,
            bool want_length,
            struct measures *out,
            struct error *err);

#endif
