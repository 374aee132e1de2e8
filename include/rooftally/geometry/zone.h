/*
 * Deciding which buildings belong to a zone: the core of the project.
 *
 * A grid lies over the zone's box. A cell that no edge of the zone touches is inside or
 * outside; a boundary cell lists the edges that cross it.
 *
 *     . . / # # # \ .      . outside    # inside    / \ boundary
 *     . / # # # # # \
 *     . \ # # # # / .      box in # only:            within, nothing built
 *     . . \ # # / . .      box in . only:            disjoint
 *                          no edge meets the box:    one point of it decides
 *                          an edge meets the box:    its own segments, then GEOS
 *
 * GEOS is the authority. The grid answers only where it is certain: wherever rounding
 * could matter (an ordinate near an edge, a corner on a crossing) the answer is REFINE.
 * A zone that GEOS calls invalid has no grid: every building in its box is refined. A building
 * that is EWKB_COLLECTED and whose box meets the zone's is the caller's to refine, whatever is
 * decided of its box or outline: what ST_Within and ST_Intersects say of members that overlap,
 * or of holes that are not in their shell, is GEOS's business.
 */
#ifndef ROOFTALLY_GEOMETRY_ZONE_H
#define ROOFTALLY_GEOMETRY_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"

enum decision {
    DECISION_OUTSIDE,
    DECISION_INSIDE,
    DECISION_REFINE,   /* never from zone_refine */
    DECISION_REJECTED, /* only from zone_refine: GEOS could not evaluate */
};

enum { REASON_BYTES = 120 };

struct zone; /* in the caller's memory and, for GEOS's part, on the heap */

/* GEOS's reentrant context; one per rank. */
struct geos;
int geos_open(struct geos **geos, struct error *err);
void geos_close(struct geos *geos);
const char *geos_version(void);

/*
 * Open a zone for deciding.
 *
 * wkb          EWKB of a polygon or multipolygon (may be empty); borrowed while open
 * n_expected   candidates expected; sizes the grid at about sqrt(n) cells a side
 * known_valid  nobody looks whether the zone is valid
 * memory       takes grid and edges (MEMORY_GRID); rewind it after zone_close
 * Returns      0, or -1 with
 *                ERROR_DATA    not a polygon, or malformed
 *                ERROR_BUDGET  the grid does not fit even at its smallest
 *                ERROR_GEOMETRY  GEOS cannot read it
 */
int zone_open(struct zone **zone,
              struct geos *geos,
              const uint8_t *wkb,
              int64_t n_bytes,
              int64_t n_expected,
              enum predicate predicate,
              enum invalid_rule invalid,
              bool known_valid,
              struct memory *memory,
              struct error *err);
void zone_close(struct zone *zone);

/* About how much of the memory that takes, for `plan`. */
int64_t zone_bytes(int64_t n_expected, int64_t n_vertices);

/* Whether EWKB of a polygon or multipolygon is certainly valid, without asking GEOS; false
 * where that is not certain, or takes more than `memory` has free, rewound at the end. The
 * answer depends on nothing else. */
bool zone_is_surely_valid(const uint8_t *wkb, int64_t n_bytes, struct memory *memory);

bool zone_is_valid(const struct zone *zone); /* GEOSisValid of the zone */
bool zone_is_empty(const struct zone *zone);
struct box zone_box(const struct zone *zone);

/*
 * Few boxes that together cover the zone, tighter than its one box: each is worth its
 * price of `box_cost` (in the area that one candidate takes; about 20 is an index
 * descent).
 *
 * Shape    boxes[n_max]; every point of the zone is in at least one. For PREDICATE_CENTROID
 *          its one box: a centroid may lie outside the box of its building
 * Returns  how many, 0 for an empty zone
 */
int zone_cover(const struct zone *zone, struct box *boxes, int n_max, double box_cost);

/* Decide n boxes of buildings: decisions[i] is OUTSIDE, INSIDE or REFINE. A box may be
 * larger than the building, by the rounding of its sides to floats. An empty box is
 * OUTSIDE. Under the rule TRUST and the predicate CENTROID, boxes[i] is to be that of the
 * centroid, ewkb_centroid_box. Under a rule other than TRUST every box that meets the
 * zone's box is REFINE. */
void zone_decide(const struct zone *zone,
                 const struct box *boxes,
                 int32_t n,
                 uint8_t *decisions);

/*
 * Decide one building that zone_decide has left, a polygon or multipolygon, by its own
 * segments.
 *
 * box      the building's own
 * ewkb     that ewkb_read called fine
 * Returns  OUTSIDE or INSIDE as zone_refine would say; REFINE where that is not certain
 */
enum decision zone_decide_outline(const struct zone *zone,
                                  const struct box *box,
                                  const uint8_t *ewkb,
                                  int64_t n_bytes);

/* Whether the closed box lies in inside cells only: for blocks of rows without a
 * fault. */
bool zone_contains_box(const struct zone *zone, const struct box *box);
/* Whether the closed box lies in outside cells only or beyond the zone's box. */
bool zone_excludes_box(const struct zone *zone, const struct box *box);

/* Whether the closed box meets the zone itself, by GEOS: a rejected building counts in the
 * zones that its box meets, whatever cover it was found by. True where GEOS cannot tell. */
bool zone_meets_box(struct zone *zone, const struct box *box);

/*
 * Ask GEOS about one building: the zone's invalid rule, then its predicate. Points and
 * centroids lie where PostGIS's own winding number puts them, as in its ST_Within.
 *
 * ewkb     that ewkb_read called fine; an empty geometry is OUTSIDE
 * Returns  0 with *decision INSIDE, OUTSIDE or REJECTED (reason filled: one line, no
 *          control characters), or -1 with
 *            ERROR_DATA    rule FAIL and the building is invalid: text is the reason
 */
int zone_refine(struct zone *zone,
                const uint8_t *ewkb,
                int64_t n_bytes,
                enum decision *decision,
                char reason[REASON_BYTES],
                struct error *err);

#endif
