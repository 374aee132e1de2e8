/* What a rank holds of a job: run, plan and stage open it alike. */
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

struct job_session {
    struct job *job;
    struct memory memory;
    struct source *source; /* knows the schema and the snapshot */
    struct source *reader; /* gives zones and buildings: the source, or its copy */
    struct source *copy;   /* of fetch_scan; NULL: none */
    struct job copy_job;   /* by which the copy answers; the job's own lists */
    struct source_columns columns; /* of the copy; names are the source's */
    struct binding binding;
    bool bound;
    struct statistics *statistics;
    struct geos *geos;
};

/* Read the job and reserve its memory. Everything before a source is touched. */
int job_session_read(struct job_session *session,
                     const struct options *options,
                     struct error *err);

/* That the job can be run as it is. Returns 0, or -1 with ERROR_USAGE and the commands
 * that stage it first, and then do what `command`, "run" or "plan", is to do. */
int job_session_check_source(const struct job_session *session,
                             const struct options *options,
                             const char *command,
                             struct error *err);

/* That the output is none of the files which the job reads. Returns 0, or -1 with
 * ERROR_USAGE. */
int job_session_check_output(const struct job_session *session,
                             const char *output,
                             struct error *err);

/* Open the source and bind fields and statistics to it, on one rank alone. */
int job_session_open(struct job_session *session, struct error *err);

/* The building filter that the open store was staged with, where the job's is another
 * text; NULL otherwise. */
const char *job_session_other_where(const struct job_session *session);

/* Warn where nobody knows the CRS of the open source: what is measured then is right in a plane
 * of metres alone. */
void job_session_tell_crs(const struct job_session *session);

/* Close all but the job and its memory: it can be opened anew. */
void job_session_leave(struct job_session *session);

struct opening {
    bool again; /* after a failure: the server may count connections that it has lost */
    bool (*stop)(void *context); /* as in source_reach */
    void *stop_context;
    /* What the first rank does with its open source while the others connect, or NULL. */
    int (*meanwhile)(void *context, struct error *err);
    void *meanwhile_context;
};

/*
 * Open it on all ranks, side by side: when the first has counted the connections, the
 * others connect while it takes the snapshot and reads the schema. One that has been left is
 * opened anew, with another snapshot. Collective and agreed.
 *
 * Returns   0, or -1; ERROR_USAGE where the server has fewer connections free than there
 *           are ranks, or a rank has another job or store than the first
 */
int job_session_open_all(struct job_session *session,
                         struct comm *comm,
                         const struct opening *opening,
                         struct error *err);

/* That n_free connections are enough (negative: none are needed). Returns 0, or -1 with
 * ERROR_USAGE. */
int job_session_check_ranks(int n_ranks, int64_t n_free, struct error *err);

/* Accepts a session in any state. */
void job_session_close(struct job_session *session);

#endif
