/*
 * The coordinator: a function from (state, message) to (state, messages). No MPI, no
 * clock, no files.
 *
 *   worker                      coordinator
 *     READY            ─────►     UNIT UNIT     (the next one is sent ahead)
 *     ZONE ZONE … DONE ─────►     UNIT          or, when none is left and none is
 *                                 STOP           outstanding with this worker
 *     FAILED           ─────►     STOP to all   (the first failure is the job's)
 *     SIGNAL           ─────►     STOP to all   (ERROR_STOPPED; from several ranks, or
 *     STOPPED          ─────►                    at any time, it counts once)
 */
#ifndef ROOFTALLY_SCHEDULE_COORDINATOR_H
#define ROOFTALLY_SCHEDULE_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/schedule/message.h"
#include "rooftally/schedule/units.h"

enum { COORDINATOR_AHEAD = 2 }; /* units with a worker: one in work, one sent ahead */

enum worker_phase { WORKER_EXPECTED, WORKER_WORKING, WORKER_STOPPING, WORKER_STOPPED };

struct coordinator_worker {
    enum worker_phase phase;
    int32_t n_units; /* outstanding */
};

struct coordinator {
    const struct units *units; /* borrowed */
    struct coordinator_worker *workers;
    int n_workers; /* numbered 0 .. n_workers - 1 */
    int32_t next;  /* first unit not yet dealt */
    int n_stopped;
    struct error failure; /* ERROR_NONE while all is well */

    /* for progress */
    int64_t n_zones;
    int64_t n_candidates, n_selected, n_outside, n_filtered, n_rejected, n_refined;
    double cost;            /* of finished zones */
    int64_t peak_rss_bytes; /* of any worker */
};

/* A message on its way to a worker. */
struct outgoing {
    int worker;
    struct message message;
    int32_t unit; /* of MESSAGE_UNIT: whose zones go along; -1 for none */
};

/* Memory is taken as MEMORY_SCHEDULE. Returns 0, or -1 with ERROR_BUDGET. */
int coordinator_init(struct coordinator *coordinator,
                     const struct units *units,
                     int n_workers,
                     struct memory *memory,
                     struct error *err);

/*
 * Take one message and answer.
 *
 * Shape    out[n_workers + COORDINATOR_AHEAD] is always enough
 * Returns  messages in out, or -1 with ERROR_INTERNAL: the message makes no sense now
 */
int coordinator_receive(struct coordinator *coordinator,
                        int worker,
                        const struct message *message,
                        struct outgoing *out,
                        struct error *err);

/* End the job early: STOP to every worker that has not been told yet. */
int coordinator_stop(struct coordinator *coordinator,
                     const struct error *why,
                     struct outgoing *out);

/* Every worker has stopped. */
bool coordinator_finished(const struct coordinator *coordinator);

/* Encode an outgoing message with its zones. */
int64_t coordinator_encode(const struct coordinator *coordinator,
                           const struct outgoing *outgoing,
                           uint8_t *out,
                           int64_t capacity,
                           struct error *err);

#endif
