/* What plan says of a store: candidates counted, bytes to be read. */
#ifndef ROOFTALLY_CLI_PLAN_WORK_H
#define ROOFTALLY_CLI_PLAN_WORK_H

#include "job_session.h"

/* Count for a few seconds at most; where the source can count, estimates of `zones` become
 * what was counted. Returns 0, or -1 as source_count. */
int plan_count(struct job_session *session,
               struct zone_list *zones,
               struct source_work *work,
               struct error *err);

/* How well the number of candidates is known: "", or "about ". */
const char *plan_about(const struct zone_list *zones, const struct source_work *work);

/* The lines of a source that was counted; all_s: of one worker, n_ranks: that pay off. */
void plan_print_work(const struct zone_list *zones,
                     const struct source_work *work,
                     double all_s,
                     int64_t n_ranks);

#endif
