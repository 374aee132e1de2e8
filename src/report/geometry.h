/*
 * The polygons of a result's zones: their WKB, as ewkb_flatten makes it, one zone at a
 * time, and a walk over its rings.
 */
#ifndef ROOFTALLY_REPORT_GEOMETRY_H
#define ROOFTALLY_REPORT_GEOMETRY_H

#include "table.h"

enum { GEOMETRY_OFFSETS = 512 };

struct geometry {
    hid_t bytes, offsets;
    int64_t n_bytes;
    int64_t first, n; /* zones whose offsets are in memory */
    int64_t offset[GEOMETRY_OFFSETS + 1];
    uint8_t *wkb; /* of the zone that was loaded last */
    int64_t n_room;
};

/* Close it after a failure as well. ERROR_FORMAT: no geometry of these zones */
int geometry_open(struct geometry *geometry,
                  const struct table *table,
                  struct error *err);
void geometry_close(struct geometry *geometry);

/* Load a zone's WKB: geometry->wkb, *n bytes. Zones are loaded in their order.
 * ERROR_FORMAT, or ERROR_BUDGET: it takes more than 256 MiB */
int geometry_load(struct geometry *geometry,
                  const struct table *table,
                  int64_t zone,
                  int64_t *n,
                  struct error *err);

/* What a walk meets; -1 ends it. The first ring of a polygon is the outer one. */
struct geometry_walk {
    int (*polygon)(void *context, uint32_t i, bool begins);
    int (*ring)(void *context,
                uint32_t i,
                const uint8_t *points, /* x and y of 8 bytes, one after the other */
                uint32_t n_points,
                struct error *err);
    void *context;
};

/* Whether there is a polygon to walk over: WKB of no bytes, or without parts, has none. */
bool geometry_is_empty(const uint8_t *wkb, int64_t n_bytes);

/* The type of geometry is 3 or 6, polygon or multipolygon; 0 where it is cut off before. */
uint32_t geometry_type(const uint8_t *wkb, int64_t n_bytes);

/* Walk over all rings. Returns 0, or -1 with ERROR_FORMAT (no polygon, cut off, bytes
 * behind its end), or what a ring was refused with. */
int geometry_walk(const uint8_t *wkb,
                  int64_t n_bytes,
                  const struct geometry_walk *walk,
                  struct error *err);

static inline void geometry_point(const uint8_t *points, uint32_t i, double point[2])
{
    __builtin_memcpy(point, points + (size_t)i * 16, 16);
}

#endif
