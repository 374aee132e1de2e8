/* GEOS behind a door: its context, its messages, and geometries read from EWKB. */
#ifndef ROOFTALLY_GEOMETRY_GEOS_H
#define ROOFTALLY_GEOMETRY_GEOS_H

#include <stdint.h>

#include <geos_c.h>

#include "rooftally/base/error.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/zone.h"

struct geos {
    GEOSContextHandle_t context;
    GEOSWKBReader *reader;
    uint8_t *scratch; /* plain WKB on its way to the reader; on the heap, as GEOS is */
    int64_t scratch_bytes;
    char text[REASON_BYTES]; /* what GEOS last complained of, on one line */
};

/* The geometry, or NULL with geos->text. */
GEOSGeometry *geos_read(struct geos *geos, const uint8_t *ewkb, int64_t n_bytes);

/* Copy to one line without control characters, cut at REASON_BYTES. */
void geos_clean(char out[REASON_BYTES], const char *text);

#endif
