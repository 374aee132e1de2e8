#include "plan_work.h"

#include <inttypes.h>
#include <stdio.h>

#include "rooftally/base/count.h"

#include "progress.h"

static const double most_s = 10;

int plan_count(struct job_session *session,
               struct zone_list *zones,
               struct source_work *work,
               struct error *err)
{
    return source_count(session->source,
                        zones,
                        session->geos,
                        most_s,
                        work,
                        &session->memory,
                        err);
}

const char *plan_about(const struct zone_list *zones, const struct source_work *work)
{
    return work->n_zones < zones->n ? "about " : "";
}

void plan_print_work(const struct zone_list *zones,
                     const struct source_work *work,
                     double all_s,
                     int64_t n_ranks)
{
    char size[24], n[32];
    if (work->n_zones > 0) {
        double share = (double)zones->n / (double)work->n_zones;
        printf("  reads       at most %s%s", /* neighbours share blocks */
               plan_about(zones, work),
               memory_size_text(size, (int64_t)((double)work->n_bytes * share)));
        printf(", and at most %s of geometry, as borders and measures need it\n",
               memory_size_text(size, (int64_t)((double)work->n_geometry * share)));
        printf("    whole     %s candidates lie in blocks inside their zone: no box is "
               "looked at\n",
               count_text(n, work->n_whole));
        if (work->n_left_out > 0)
            printf("    left out  %s candidates lie in blocks that the filter leaves "
                   "nothing of\n",
                   count_text(n, work->n_left_out));
        if (work->n_zones < zones->n)
            printf("    counted   %s of the zones, for %.0f s\n",
                   count_text(n, work->n_zones),
                   most_s);
    }
    int64_t n_workers = n_ranks > 1 ? n_ranks - 1 : 1;
    printf("  time        at most about %.1f s of work", all_s);
    if (n_workers > 1)
        printf(", %.1f s for each of %" PRId64 " workers",
               all_s / (double)n_workers,
               n_workers);
    printf("\n");
}
