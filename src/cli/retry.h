/* Beginning anew, all ranks together, after the source has failed. */
#ifndef ROOFTALLY_CLI_RETRY_H
#define ROOFTALLY_CLI_RETRY_H

#include <stdbool.h>

#include "rooftally/base/error.h"
#include "rooftally/comm/comm.h"

/*
 * Whether to try again after try n, from 0, has failed on all ranks with *err: where that
 * is ERROR_SOURCE, and n_most retries are not used up. Then it says so, once, and waits,
 * longer each time, until it is time to try. Collective and agreed.
 *
 * Returns  true, or false with *err, which says how many there were, or ERROR_STOPPED
 *          where a wish to stop ended the wait
 */
bool retry_begins(struct comm *comm, int n, int n_most, struct error *err);

/* "after 3 retries: " in front of what the last has failed with, unless there was none. Returns
 * -1. */
int retry_prefix(int n, struct error *err);

#endif
