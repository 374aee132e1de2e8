/* The few lines at the end of a run. */
#ifndef ROOFTALLY_CLI_SUMMARY_H
#define ROOFTALLY_CLI_SUMMARY_H

#include <stdio.h>

#include "rooftally/job/job.h"
#include "rooftally/result/result.h"
#include "rooftally/schedule/coordinator.h"

struct summary {
    const struct coordinator *coordinator; /* what this attempt did */
    const struct result_totals *totals;    /* what all attempts together found */
    const struct job *job;
    int n_ranks;
    int64_t n_resumed; /* zones of earlier attempts */
    double work_s, write_s;
};

void summary_print(const struct summary *summary, FILE *out);

#endif
