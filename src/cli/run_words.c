/* What a run says: before its work, after it, and when it has failed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/log.h"

#include "hint.h"
#include "run_state.h"
#include "stop.h"
#include "summary.h"

static void tell_resumed(const struct run *run)
{
    const struct checkpoint *checkpoint = &run->checkpoint;
    bool is_part =
        checkpoint->n_resumed > 0 && checkpoint->n_resumed < checkpoint->n_zones;
    if (is_part && run_reading(run) == RESULT_SNAPSHOT)
        log_warn("new_snapshot",
                 "zones=%" PRId64 " they were read under an earlier snapshot, the "
                 "others will be under a new one: the result has consistent = 0",
                 checkpoint->n_resumed);
    if (comm_may_hang())
        log_warn("no_keepalive",
                 "a host that is cut off would end the run, and hang mpirun: start it "
                 "with OMPI_MCA_oob_tcp_keepalive_time=5 in its environment, "
                 "..._intvl=2 and ..._probes=3");
    if (comm_n_unwatched(run->comm) > 0)
        log_warn("unwatched",
                 "ranks=%d no TCP connection between them and rank 0: that their host "
                 "is cut off is for the launcher to notice",
                 comm_n_unwatched(run->comm));
    if (checkpoint->attempt > 1 && !run->options.quiet) {
        printf("resuming attempt %d: %" PRId64 " of %" PRId64 " zones are finished\n",
               checkpoint->attempt,
               checkpoint->n_resumed,
               checkpoint->n_zones);
        fflush(stdout);
    }
}

static void tell_missing_indexes(const struct run *run)
{
    const struct job *job = run->session.job;
    const struct source_schema *schema = source_schema(run->session.source);
    char hint[HINT_BYTES];
    if (hint_building_index(hint, job, schema))
        log_warn("no_spatial_index",
                 "table=%s every zone reads the whole table: %s",
                 hint_bare_table(job, schema),
                 hint);
    if (hint_zone_index(hint, job, schema, run->n_zones))
        log_warn("no_zone_id_index",
                 "table=%s every zone is searched for: %s",
                 job->zone_table,
                 hint);
}

/* Whether anything that the job asks for depends on what coordinates are. */
static bool measures_metres(const struct run *run)
{
    const struct binding *binding = &run->session.binding;
    for (int i = 0; i < binding->n_slots; i++)
        if (binding->slots[i].origin == SLOT_MEASURE
            && binding->slots[i].measure != MEASURE_VERTICES)
            return true;
    return statistics_by_zone_area(run->session.statistics);
}

void run_tell_start(const struct run *run)
{
    if (!run->scans)
        tell_missing_indexes(run);
    if (measures_metres(run))
        job_session_tell_crs(&run->session);
    const char *where = job_session_other_where(&run->session);
    if (where)
        log_warn("store_filter",
                 "path=%s was staged with [buildings] where = %.300s: what that "
                 "leaves "
                 "out is not in it, and the job's filter is another",
                 run->session.job->store_path,
                 where);
    tell_resumed(run);
}

int run_print_summary(struct run *run, struct error *err)
{
    struct result_totals *totals = NULL;
    int status = 0;
    if (!run_is_first(run) || run->options.quiet)
        return 0;
    totals = calloc(1, sizeof *totals);
    if (!totals)
        return error_set(err, ERROR_INTERNAL, "no memory");
    status = result_total(run->session.job->output, totals, err);
    struct summary summary = {
        .coordinator = &run->coordinator,
        .totals = totals,
        .job = run->session.job,
        .n_ranks = comm_size(run->comm),
        .n_resumed = run->checkpoint.n_resumed,
        .work_s = run->worked_s - run->start_s,
        .write_s = run->written_s - run->worked_s,
    };
    if (status == 0)
        summary_print(&summary, stdout);
    free(totals);
    return status;
}

/* The result of this very job is in place; the data may have changed since. */
void run_tell_complete(const struct run *run)
{
    const char *output = run->session.job->output;
    char clean[64];
    if (!run_is_first(run) || run->options.quiet)
        return;
    char *end = result_provenance(output, "end");
    const char *made = end ? end : "at an unknown time";
    printf("%s: is complete already, made %s; --force makes a new one\n",
           output,
           log_clean(clean, sizeof clean, made, (int)strlen(made)));
    free(end);
}

/* Zones that the next attempt will find; a failure of comm leaves some unheard of. */
int64_t run_n_kept(const struct run *run)
{
    return run->checkpoint.n_resumed + run->coordinator.n_zones;
}

/* What a run ends with again while the data stay as they are. */
static bool lies_in_data(const struct error *err)
{
    return err->code == ERROR_DATA || err->code == ERROR_GEOMETRY;
}

/* What stands in the result's place was not there, or is being replaced. */
static const char *how_to_resume(const struct run *run)
{
    const struct job *job = run->session.job;
    return job && access(job->output, F_OK) == 0 ? "--resume --force" : "--resume";
}

void run_advise_how_to_resume(const struct run *run)
{
    char advice[CLI_ADVICE_BYTES];
    snprintf(advice,
             sizeof advice,
             "; what is finished is kept: rooftally run %s goes on",
             how_to_resume(run));
    stop_advise(advice);
}

/* A rank that has lost the others knows of no zones but its own. */
static void
advise(const struct run *run, const struct error *err, char advice[CLI_ADVICE_BYTES])
{
    if (run_is_first(run) && run->n_zones > 0 && run_n_kept(run) == run->n_zones)
        snprintf(advice,
                 CLI_ADVICE_BYTES,
                 "all %" PRId64
                 " zones are finished: rooftally run %s writes the result",
                 run->n_zones,
                 how_to_resume(run));
    else if (run_is_first(run) && run_n_kept(run) > 0)
        snprintf(advice,
                 CLI_ADVICE_BYTES,
                 "%" PRId64 " of %" PRId64
                 " zones are finished: %srooftally run %s goes on%s",
                 run_n_kept(run),
                 run->n_zones,
                 lies_in_data(err) ? "once that is repaired, " : "",
                 how_to_resume(run),
                 lies_in_data(err)
                     ? ", but a job that is changed starts anew, with --force"
                     : "");
    else if (!run_is_first(run) && run->checkpoint.spool)
        snprintf(advice,
                 CLI_ADVICE_BYTES,
                 "what is finished is kept: rooftally run %s goes on",
                 how_to_resume(run));
    else if (err->code == ERROR_STOPPED && run->options.resume)
        snprintf(advice, /* earlier attempts' may be there, not looked at yet */
                 CLI_ADVICE_BYTES,
                 "no further zone is finished: rooftally run %s goes on",
                 how_to_resume(run));
    else if (err->code == ERROR_STOPPED)
        snprintf(advice, CLI_ADVICE_BYTES, "no zone is finished: start it again");
}

/* Nothing can be repaired in a store: going on from it would fail again. */
static bool fails_again(const struct run *run, const struct error *err)
{
    return (lies_in_data(err) || err->code == ERROR_FORMAT) && run->session.job
           && run->session.job->kind == SOURCE_STORE && run_n_kept(run) < run->n_zones;
}

void run_complete_error(const struct run *run,
                        char advice[CLI_ADVICE_BYTES],
                        struct error *err)
{
    if (run->session.job)
        job_locate(run->session.job, err);
    stop_name(err);
    if (!fails_again(run, err))
        advise(run, err, advice);
}
