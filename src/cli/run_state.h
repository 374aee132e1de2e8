/*
 * One rank's run, from start to end, and what several files do for it: run.c opens, plans and
 * works, run_result.c writes the result, run_words.c says how it went.
 */
#ifndef ROOFTALLY_CLI_RUN_STATE_H
#define ROOFTALLY_CLI_RUN_STATE_H

#include "rooftally/base/error.h"
#include "rooftally/comm/comm.h"
#include "rooftally/result/result.h"

#include "checkpoint.h"
#include "cli.h"
#include "drive.h"
#include "job_session.h"
#include "options.h"
#include "progress.h"
#include "sampler.h"

struct run {
    struct options options;
    struct comm *comm;
    struct job_session session;
    struct zone_list zones; /* rank 0 */
    struct units units;     /* rank 0 */
    struct coordinator coordinator;
    struct worker worker;
    struct analysis analysis;
    struct drive drive;
    struct progress_line progress;
    struct sampler sampler;
    int64_t n_zones;
    bool scans; /* the table is read once, and not by zones */
    struct checkpoint checkpoint;
    double start_s, worked_s, written_s;
    char started[21];
};

/* The first rank speaks. */
static inline bool run_is_first(const struct run *run)
{
    return comm_rank(run->comm) == 0;
}

/* Every rank knows the outcome of every rank, and whether one is wished to stop; one line
 * is printed, on rank 0. */
int run_agree(const struct run *run, int status, struct error *err);

/* How what the source holds can change while it is read. */
enum result_reading run_reading(const struct run *run);

/* The result of all that is in the spools. Collective; as result_write. */
int run_write_result(struct run *run, struct error *err);

/* What is worth knowing before the work starts. On the first rank. */
void run_tell_start(const struct run *run);
/* Once the job is known: what this process says of it if it cannot say more at its end. */
void run_advise_how_to_resume(const struct run *run);
/* That the job has been done before. On any rank; the first speaks. */
void run_tell_complete(const struct run *run);
/* Likewise of one that is done now. 0, or -1 where the result cannot be read. */
int run_print_summary(struct run *run, struct error *err);

/* Zones that are finished, by this attempt or another. On the first rank. */
int64_t run_n_kept(const struct run *run);
/* The place in the job file, what has stopped it, and how to go on. */
void run_complete_error(const struct run *run,
                        char advice[CLI_ADVICE_BYTES],
                        struct error *err);

#endif
