/*
 * Carries the messages of coordinator and workers: over comm with several ranks, by a
 * call alone, where the one rank is both in turn. Decides nothing.
 */
#ifndef ROOFTALLY_CLI_DRIVE_H
#define ROOFTALLY_CLI_DRIVE_H

#include <stdbool.h>

#include "rooftally/comm/comm.h"
#include "rooftally/schedule/analyse.h"
#include "rooftally/schedule/coordinator.h"
#include "rooftally/schedule/worker.h"

#include "checkpoint.h"
#include "progress.h"
#include "sampler.h"

struct drive {
    struct comm *comm;
    struct coordinator *coordinator; /* rank 0 only */
    struct worker *worker;           /* NULL on rank 0 of several */
    struct analysis *analysis;       /* with worker */
    struct progress_line *progress;  /* rank 0 only */
    struct sampler *sampler;
    struct source *source;         /* rank 0 of several: holds the shared snapshot */
    int retries;                   /* of a zone, before it fails */
    unsigned chance;               /* state of the jitter between retries */
    double check_s;                /* when to look after the source again */
    double look_s, rss_s;          /* when to look for messages, at the RSS, again */
    int64_t peak_rss_bytes;        /* as of the last look */
    struct checkpoint *checkpoint; /* synced when that is due */
    uint8_t *buffer;               /* [UNIT_MAX_BYTES] for what comes in and goes out */
    struct outgoing *outgoing;     /* rank 0 only: [workers + COORDINATOR_AHEAD] */

    double busy_s, waiting_s, busy_cpu_s;
    int64_t n_zones, n_messages, n_candidates, n_bytes;
    struct error failure; /* of this rank's own: comm */
};

/* Take the buffers. */
int drive_init(struct drive *drive, struct memory *memory, struct error *err);

/* Asked by the source while it waits, and between batches: whether to stop. context is a
 * struct drive. */
bool drive_should_stop(void *drive);

/*
 * Work until the coordinator has stopped every worker.
 *
 * Returns  0 when this rank did its part, or -1: on rank 0 the job's failure, elsewhere
 *          this rank's own
 *            ERROR_STOPPED  somebody wished to stop: see stop.h
 *            ERROR_COMM     this rank can neither tell nor hear the others: comm_abort
 */
int drive_run(struct drive *drive, struct error *err);

#endif
