/*
 * A synthetic state: zones that share their borders exactly, and buildings in them.
 *
 * Everything is a function of (seed, n_zones, n_buildings, row of the zone, index of
 * the building): any part can be made alone, in any order, by any number of ranks, and
 * has the same bits on every machine (integers, + - * / and sqrt; nothing of libm whose
 * last bit may differ). Coordinates are whole ten-millionths of a degree, EPSG:4326.
 *
 * Zones      cells of a jittered lattice, 512 to 1024 vertices around, with crinkled
 *            borders. Some have a lake (a hole), some an island in it (a second
 *            polygon), some a hole that a part of their eastern neighbour fills
 *            exactly. They are valid, and overlap nowhere.
 * Buildings  log-normal over zones, gathered in towns within a zone. About 2 % straddle
 *            a border of their zone and so lie within no zone; every other one lies
 *            within its own zone, clear of the border. Buildings may overlap each other.
 *
 * Order of calls: synthetic_init; for any zone synthetic_zone, then any building of it.
 */
#ifndef ROOFTALLY_SOURCE_SYNTHETIC_H
#define ROOFTALLY_SOURCE_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"

enum {
    SYNTHETIC_SRID = 4326,
    SYNTHETIC_MOST_ZONES = 1000000,
    SYNTHETIC_MOST_VERTICES = 12, /* of a building, closing point not counted */
    SYNTHETIC_WKB_BYTES = 17 + 16 * (SYNTHETIC_MOST_VERTICES + 1),
};
#define SYNTHETIC_MOST_BUILDINGS INT64_C(100000000000)

/* Invariants  first_id[0] == 1; first_id never falls; first_id[n_zones] == n_buildings + 1 */
struct synthetic_state {
    uint64_t seed;
    int64_t n_zones, n_buildings;
    int64_t n_columns;           /* cells of a full row; the last row may be short */
    int32_t west, south;         /* corner of the extent, 1e-7 degree */
    double lon_scale, lat_scale; /* 1e-7 degree per cell */
    int64_t *first_id;           /* [n_zones + 1]: ids of zone i from first_id[i] */
};

struct synthetic_place; /* private: what it takes to set buildings */

struct synthetic_zone {
    const struct synthetic_state *state;
    int64_t row; /* 0 to n_zones - 1, row by row from the south-west */
    int64_t first_id, n_buildings; /* its buildings have ids first_id and up */
    char zip[24];                  /* 5 digits or more, unique: "01001" */
    char name[32];                 /* "North Ashfield"; not unique */
    char code[3];                  /* of the state: "MA" for the first 32 x 32 cells */
    int64_t n_vertices;            /* closing points included */
    struct text wkb;               /* EWKB with SRID, MultiPolygon, little-endian */
    struct synthetic_place *place;
};

struct synthetic_building {
    int64_t id;                          /* 1 to n_buildings, unique in the state */
    bool straddles;                      /* the border of its zone */
    bool has_height, has_size, has_year; /* false: null */
    double height; /* metres, to 0.1; over 10 for about 40 % of all buildings */
    double size;   /* area of the footprint in m2, to 0.1 */
    int32_t year_built;
    struct text use;   /* n == 0: null; static */
    struct text notes; /* UTF-8; n == 0: null, as it is mostly; static */
    int n_vertices;    /* 4 to 12, closing point not counted */
    int n_wkb;
    uint8_t wkb[SYNTHETIC_WKB_BYTES]; /* EWKB with SRID, Polygon, little-endian */
};

/*
 * Fix how many buildings every zone has: log-normal, most / mean about 12 in 400 zones.
 *
 * Memory   8 bytes a zone, as MEMORY_ZONES
 * Returns  0, or -1 with
 *            ERROR_USAGE   n_zones not in 1 to SYNTHETIC_MOST_ZONES, n_buildings not in
 *                          0 to SYNTHETIC_MOST_BUILDINGS
 *            ERROR_BUDGET
 */
int synthetic_init(struct synthetic_state *state,
                   int64_t n_zones,
                   int64_t n_buildings,
                   uint64_t seed,
                   struct memory *memory,
                   struct error *err);

int64_t synthetic_n_buildings(const struct synthetic_state *state, int64_t row);

/*
 * Make one zone.
 *
 * Memory   at most 1 MiB, as MEMORY_GEOMETRY and MEMORY_GRID, whatever the zone; rewind
 *          to a mark taken before to make the next. The state is borrowed.
 * Returns  0, or -1 with ERROR_BUDGET
 */
int synthetic_zone(struct synthetic_zone *zone,
                   const struct synthetic_state *state,
                   int64_t row,
                   struct memory *memory,
                   struct error *err);

/* Make building `index`, 0 to zone->n_buildings - 1, of an open zone. */
void synthetic_building(const struct synthetic_zone *zone,
                        int64_t index,
                        struct synthetic_building *building);

#endif
