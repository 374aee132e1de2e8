/*
 * Well-known binary as PostGIS sends it: EWKB or ISO, either byte order, Z and M
 * skipped, nested. Nothing is built; one pass over the bytes. A collection may have members
 * of every plain type, collections among them.
 *
 * Origin   OGC 06-103r4 clause 8; PostGIS doc/ZMSgeoms.txt for the flag bits
 */
#ifndef ROOFTALLY_GEOMETRY_EWKB_H
#define ROOFTALLY_GEOMETRY_EWKB_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"

enum ewkb_type {
    EWKB_POINT = 1,
    EWKB_LINESTRING = 2,
    EWKB_POLYGON = 3,
    EWKB_MULTIPOINT = 4,
    EWKB_MULTILINESTRING = 5,
    EWKB_MULTIPOLYGON = 6,
    EWKB_COLLECTION = 7,
};

/* Why a geometry can be given no decision at all. */
enum ewkb_fault {
    EWKB_FINE,
    EWKB_MALFORMED,   /* truncated, counts past the end, unknown byte order */
    EWKB_UNSUPPORTED, /* a curve or surface, or nested deeper than 198 */
    EWKB_NOT_FINITE,  /* a NaN or infinite x or y */
    EWKB_OPEN_RING,   /* a ring with 1 to 3 points, or whose ends differ */
    EWKB_COLLECTED, /* no fault: what cells and outlines must not decide, a collection, or
                         holes out of their box; from ewkb_fault_of, never from ewkb_read */
    EWKB_NO_ID,     /* the building has no id, whatever its geometry: set by a source,
                         never by ewkb_read */
    EWKB_LAST = EWKB_NO_ID
};

struct ewkb {
    enum ewkb_type type;
    int32_t srid;       /* 0 when not given */
    int64_t n_vertices; /* closing points included */
    struct box box;     /* of x and y, as PostGIS and GEOS have it: of a polygon, its
                           shell's; xmin > xmax when empty */
    bool spills;        /* a hole reaches out of the box: it is not valid */
    bool empty;         /* no vertex at all */
};

/*
 * Read type, SRID, size and box, and check the structure to the last byte.
 *
 * Returns  EWKB_FINE with *out, or the first fault; *out then holds the type where that
 *          much could be read (0 where not)
 */
enum ewkb_fault ewkb_read(const uint8_t *bytes, int64_t n_bytes, struct ewkb *out);

/* What a row says of a geometry that ewkb_read has read: also that it is GEOS's alone. */
enum ewkb_fault ewkb_fault_of(enum ewkb_fault fault, const struct ewkb *read);

/* Whether it says to be a little-endian polygon of x and y: what nearly all are. */
bool ewkb_is_polygon(const uint8_t *bytes, int64_t n_bytes);

/*
 * The box of what ewkb_read gave a fault: collections, curves (their control points),
 * surfaces.
 *
 * What is not finite is as PostGIS's operator && has it, so that a building is a candidate
 * of the same zones whether an index finds it, a scan, or a store: infinity is far away
 * (DBL_MAX). NaN depends on the order of vertices: a later one in the list takes its place, and
 * that of all before it; where it stays, y reaches everywhere, and with x the box is empty.
 *
 * Returns  0 with *box, empty (xmin > xmax) where there is no vertex at all or x is NaN,
 *          or -1 where the bytes cannot be read to their end
 * Origin   ptarray_calculate_gbox_cartesian, gbox_merge and box2df_overlaps of PostGIS 3.3
 */
int ewkb_bounds(const uint8_t *bytes, int64_t n_bytes, struct box *box);

/*
 * A box that certainly holds GEOS's centroid of the geometry: what zone_decide is given in
 * place of head->box where the predicate is CENTROID and the rule TRUST. (A footprint that
 * crosses itself may have its centroid far outside its own box.) It has no bounds where
 * rounding could put the centroid anywhere, and for all but a point or a single ring, and
 * for a collection whatever it has: GEOS then decides.
 *
 * head   as ewkb_read filled it from the same bytes
 */
struct box
ewkb_centroid_box(const uint8_t *bytes, int64_t n_bytes, const struct ewkb *head);

/* "malformed WKB", "unsupported geometry type", ...: the reason in /rejected. */
const char *ewkb_fault_text(enum ewkb_fault fault);

/* A box, which is not empty, as a polygon, counterclockwise, in the bytes of this machine;
 * srid 0: without one. Returns the bytes written, at most EWKB_BOX_BYTES. */
enum { EWKB_BOX_BYTES = 1 + 4 + 4 + 4 + 4 + 5 * 16 };
int64_t
ewkb_put_box(uint8_t bytes[EWKB_BOX_BYTES], const struct box *box, int32_t srid);

/*
 * The same geometry as plain 2D little-endian WKB without SRID and empty parts.
 *
 * Shape    out[capacity]; n_bytes of input always suffice
 * Returns  bytes written, or -1 with ERROR_FORMAT or ERROR_BUDGET
 */
int64_t ewkb_flatten(const uint8_t *bytes,
                     int64_t n_bytes,
                     uint8_t *out,
                     int64_t capacity,
                     struct error *err);

#endif
