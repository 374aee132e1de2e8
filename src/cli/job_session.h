/* What a rank holds of a job: run and plan open it alike. */
#ifndef ROOFTALLY_CLI_JOB_SESSION_H
#define ROOFTALLY_CLI_JOB_SESSION_H

#include <stdbool.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/comm/comm.h"
#include "rooftally/geometry/zone.h"
#include "rooftally/job/binding.h"
#include "rooftally/job/job.h"
#include "rooftally/source/source.h"
#include "rooftally/statistics/statistics.h"

#include "options.h"

enum { SNAPSHOT_BYTES = 64 };

struct job_session {
    struct job *job;
    struct memory memory;
    struct source *source;
    struct binding binding;
    bool bound;
    struct statistics *statistics;
    struct geos *geos;
};

/* Read the job and reserve its memory. Everything before a source is touched. */
int job_session_read(struct job_session *session,
                     const struct options *options,
                     struct error *err);

/* That the job can be run as it is. Returns 0, or -1 with ERROR_USAGE that says how to
 * stage it first. */
int job_session_check_source(const struct job_session *session, struct error *err);

/* Open the source (snapshot as in source_open), bind fields and statistics to it. */
int job_session_open(struct job_session *session,
                     const char *snapshot,
                     int rank,
                     bool (*stop)(void *context),
                     void *stop_context,
                     struct error *err);

/*
 * Open it on all ranks: the first takes the snapshot, the others follow. Collective and
 * agreed.
 *
 * snapshot  out: the name of the snapshot, "" for none
 * Returns   0, or -1; ERROR_USAGE where the server has fewer connections free than there
 *           are ranks
 */
int job_session_open_all(struct job_session *session,
                         struct comm *comm,
                         char snapshot[SNAPSHOT_BYTES],
                         bool (*stop)(void *context),
                         void *stop_context,
                         struct error *err);

/* Accepts a session in any state. */
void job_session_close(struct job_session *session);

#endif
