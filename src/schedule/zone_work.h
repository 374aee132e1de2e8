/*
 * One zone in work: what its buildings add up to, and the two steps that each batch of them
 * takes before (analyse.h shows the way).
 */
#ifndef ROOFTALLY_SCHEDULE_ZONE_WORK_H
#define ROOFTALLY_SCHEDULE_ZONE_WORK_H

#include "rooftally/schedule/analyse.h"

#include "selection.h"

struct zone_work {
    struct zone_record record;
    struct zone *zone;
    struct fold *fold;
    struct selection selection;
    struct growing_column rejected_id, rejected_reason;
};

/*
 * Leave INSIDE, OUTSIDE or REJECTED in decisions[] for every row of the batch, and the
 * rejected ones in `work`.
 *
 * Returns  0, or -1 with ERROR_DATA (a building that invalid = fail ends at), ERROR_SOURCE,
 *          ERROR_BUDGET, ERROR_GEOMETRY
 */
int work_decide(struct analysis *analysis, struct zone_work *work, struct error *err);

/*
 * Of rows[*n_rows] keep those that pass the filter, and fill all their columns: measures of
 * geometry and fields that are computed here.
 *
 * Returns  0, or -1 with ERROR_DATA (overflow), ERROR_SOURCE, ERROR_BUDGET, ERROR_GEOMETRY
 */
int work_filter(struct analysis *analysis, int32_t *n_rows, struct error *err);

/* Put "building 17: " in front of the text. */
void work_name_building(struct error *err, const struct batch *batch, int32_t row);

#endif
