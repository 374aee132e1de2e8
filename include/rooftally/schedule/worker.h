/*
 * The worker: which zone is next, and what to tell the coordinator. A function from
 * (state, message) to (state, messages), as the coordinator is.
 */
#ifndef ROOFTALLY_SCHEDULE_WORKER_H
#define ROOFTALLY_SCHEDULE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/schedule/coordinator.h"
#include "rooftally/schedule/message.h"

struct worker_unit {
    struct message message; /* zones point into bytes */
    int64_t at;             /* of the next zone */
    int32_t n_left;
    uint8_t *bytes; /* [UNIT_MAX_BYTES] */
};

struct worker {
    struct worker_unit units[COORDINATOR_AHEAD]; /* a ring; the first is in work */
    int first, n;
    bool stopping;             /* STOP has come */
    enum error_code stop_code; /* and why; ERROR_NONE: all is done */
    bool failed;               /* nothing is next any more */
    bool stopped;              /* STOPPED has been said */
};

/* Memory is taken as MEMORY_SCHEDULE. Returns 0, or -1 with ERROR_BUDGET. */
int worker_init(struct worker *worker, struct memory *memory, struct error *err);

/* Take one message's bytes. Returns 0, or -1 with ERROR_FORMAT or ERROR_INTERNAL. */
int worker_receive(struct worker *worker,
                   const uint8_t *bytes,
                   int64_t n_bytes,
                   struct error *err);

/* The next zone to analyse: 1, or 0 when there is none now. Ids are borrowed until the
 * zone is finished. */
int worker_next(struct worker *worker, struct message_zone *zone);

/* The zone is finished (its record is in the spool): fills out[2], returns how many:
 * ZONE, and DONE after the last zone of its unit. `zone` carries row and counts. */
int worker_finished(struct worker *worker,
                    const struct message *zone,
                    struct message out[2]);

/* The zone failed: FAILED. All units are dropped; nothing is next until STOP. */
int worker_failed(struct worker *worker,
                  int64_t row,
                  const struct error *err,
                  struct message out[2]);

/* This rank was told to stop early: SIGNAL, once; nothing is next, and the zone in work
 * may be dropped or finished. 1, or 0 when all stop already. */
int worker_signalled(struct worker *worker, const char *why, struct message *out);

/* STOPPED, once, when STOP has come and no zone is in work: 1 or 0. */
int worker_stopped(struct worker *worker, struct message *out);

#endif
