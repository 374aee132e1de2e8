/* Progress of work on a store or a whole table: one live line on a terminal, a line every 10 s
 * elsewhere, nothing when quiet. */
#ifndef ROOFTALLY_CLI_METER_H
#define ROOFTALLY_CLI_METER_H

#include <stdbool.h>

#include "rooftally/comm/comm.h"

struct meter {
    const char *what; /* is done: "stage" */
    struct comm *comm;
    bool quiet, terminal, shown;
    double start_s, next_s;
};

/* quiet on all ranks but one. */
void meter_init(struct meter *meter, struct comm *comm, const char *what, bool quiet);
/* Show the share of the work that is done, when that is due; below 0 it is not known.
 * Whether this rank, or another, is wished to stop; void * for store_options. */
bool meter_show(void *meter, double share);
/* Clear the live line. */
void meter_end(struct meter *meter);

#endif
