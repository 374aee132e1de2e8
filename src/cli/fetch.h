/*
 * How buildings are fetched from a server: zone by zone through its index, or by reading
 * the table once into a store without a name, which then takes the server's place.
 */
#ifndef ROOFTALLY_CLI_FETCH_H
#define ROOFTALLY_CLI_FETCH_H

#include <stdbool.h>
#include <stdio.h>

#include "rooftally/comm/comm.h"

#include "job_session.h"

enum { FETCH_WHY_BYTES = 240 };

/*
 * Choose, on one rank, for n_zones of n_candidates in all.
 *
 * n_ranks  that share the work
 * left_s   until the run has to stop: a scan that lasts longer leaves nothing to go on
 *          from, the zones do; < 0: no limit
 * scans    out: the table is read once
 * why      out: for `plan`: "scan: 1,200,000 candidates of 1,200,000 rows ..."
 * Returns  0, or -1 as source_costs
 */
int fetch_choose(struct job_session *session,
                 int64_t n_zones,
                 double n_candidates,
                 int n_ranks,
                 double left_s,
                 bool *scans,
                 char why[FETCH_WHY_BYTES],
                 struct error *err);

/* What `plan` prints of the source: source_explain, of the way that was chosen. */
int fetch_explain(struct job_session *session,
                  bool scans,
                  FILE *out,
                  int n_ranks,
                  int64_t *n_free,
                  struct error *err);

/*
 * After fetch_scan has failed, on all ranks: whether the zones may be read by the index
 * instead, where it was not the job that asked for a scan. Says why, once, and makes the
 * sessions ready. Collective and agreed.
 */
bool fetch_goes_on(struct job_session *session, struct comm *comm, struct error *err);

/*
 * Read the table: session->reader is then the copy, and the session's binding and
 * statistics are bound to it. A lost connection is tried again, as often as the job says.
 * Collective and agreed.
 *
 * Returns  0, or -1 as store_copy
 */
int fetch_scan(struct job_session *session,
               struct comm *comm,
               bool quiet,
               struct error *err);

#endif
