/*
 * Work units: runs of zones that are neighbours along the Hilbert curve, with an
 * estimated cost, largest first.
 *
 * Cost is in candidates: a zone costs its expected candidates, what its vertices cost
 * to lay out, and a constant for opening it, so that 33,000 empty zones are not free.
 */
#ifndef ROOFTALLY_SCHEDULE_UNITS_H
#define ROOFTALLY_SCHEDULE_UNITS_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/source/source.h"

enum {
    UNIT_MAX_BYTES = 32 * 1024, /* of the message that carries one unit */
    UNIT_MAX_ZONES = 256,
};

struct unit {
    int64_t first; /* index into order */
    int32_t n;     /* zones, at least 1 */
    double cost;
};

struct units {
    const struct zone_list *zones; /* borrowed */
    int64_t *order;                /* [n_zones] rows, along the curve */
    int64_t n_zones;               /* in units: not done yet */
    struct unit *units;            /* [n], largest first; equal ones in curve order */
    int32_t n;
    double cost; /* of all */
};

double unit_zone_cost(const struct zone_list *zones, int64_t row);

/* Cut the zones into units for n_workers, but for those whose done[row] is not 0 (NULL:
 * none is done); memory as MEMORY_SCHEDULE. Returns 0, or -1 with ERROR_BUDGET. */
int units_init(struct units *units,
               const struct zone_list *zones,
               const int64_t *done,
               int n_workers,
               struct memory *memory,
               struct error *err);

#endif
