/*
 * The spool of a run: begun, or taken over from earlier attempts; synced at intervals;
 * removed with the result in place, kept for the next attempt after a failure.
 */
#ifndef ROOFTALLY_CLI_CHECKPOINT_H
#define ROOFTALLY_CLI_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/comm/comm.h"
#include "rooftally/result/spool.h"
#include "rooftally/source/source.h"

#include "job_session.h"
#include "options.h"

enum { CHECKPOINT_IDENTITY_BYTES = 256 };

struct checkpoint {
    char *folder;
    struct spool *spool; /* this rank's, open; NULL before checkpoint_open */
    int lock;            /* rank 0 only; -1: not held */
    int attempt;         /* from 1 */
    char run[SPOOL_RUN_BYTES];
    char
        identity[CHECKPOINT_IDENTITY_BYTES]; /* rank 0 only: of source, zones and job */
    int64_t n_zones, n_resumed;              /* in all; finished by earlier attempts */
    bool is_complete; /* the result of this very job is in place */

    double interval_s, synced_s;
    bool is_dirty;        /* appended since the last sync */
    struct error failure; /* of a sync: what it has lost is not known */
};

/*
 * Open the spool of the job's output. Collective and agreed.
 *
 * zones    rank 0's list; not looked at elsewhere
 * done     [n_zones] on rank 0: not 0 where a zone is finished; NULL when none is
 * Memory   MEMORY_GATHER, on rank 0
 * Returns  0, or -1 with
 *            ERROR_USAGE  finished zones are there and neither --resume nor --force was
 *                         given; they are of another job or source, or, without a
 *                         manifest, of nobody knows whom; another run is at work on
 *                         them; the result is there already
 *            ERROR_IO, ERROR_BUDGET
 */
int checkpoint_open(struct checkpoint *checkpoint,
                    struct comm *comm,
                    const struct options *options,
                    struct job_session *session,
                    const struct zone_list *zones,
                    int64_t n_zones,
                    const int64_t **done,
                    struct error *err);

/* Append a record; sync when that is due. Returns 0, or -1 with ERROR_IO, also when an
 * earlier sync has failed: a disk that loses zones is not worth the work on more. */
int checkpoint_append(struct checkpoint *checkpoint,
                      const struct zone_record *record,
                      const struct statistics *statistics,
                      struct error *err);
/* Sync if that is due. A failure is told by the others. */
void checkpoint_tick(struct checkpoint *checkpoint);
/* As checkpoint_tick; 0, or -1 with ERROR_IO when any sync has failed. */
int checkpoint_settle(struct checkpoint *checkpoint, struct error *err);
/* At the end of a run that has failed: sync now, unless the job wants none, and warn where that
 * fails: what is finished then outlives this process, and not the machine. */
void checkpoint_leave(struct checkpoint *checkpoint);

/* Close this rank's file; on rank 0 remove the folder, unless it is to be kept. Accepts
 * one in any state. */
void checkpoint_close(struct checkpoint *checkpoint, bool keep);

#endif
