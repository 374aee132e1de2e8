/* The part of the zone filter that is computed here: it sees area_m2 of a zone and,
 * where the source gives them, its fields. */
#ifndef ROOFTALLY_SOURCE_ZONE_FILTER_H
#define ROOFTALLY_SOURCE_ZONE_FILTER_H

#include "rooftally/base/memory.h"
#include "rooftally/geometry/measure.h"
#include "rooftally/job/expression.h"

/*
 * Whether a zone passes; `local` NULL lets all pass. A null or unreadable geometry has
 * a null area.
 *
 * columns  [1 + n] of one row each: 0 is set here, the others are the zone's; NULL where
 *          the filter reads the area only
 * Returns  1, 0, or -1 with ERROR_DATA (overflow) or ERROR_BUDGET
 */
int zone_filter(const struct expression *local,
                const struct crs *crs,
                struct text wkb,
                struct column *columns,
                struct memory *memory,
                struct error *err);

#endif
