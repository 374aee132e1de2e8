#include <inttypes.h>
#include <stdlib.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"
#include "rooftally/h5/h5.h"

#include "fetch.h"
#include "run_state.h"
#include "stop.h"
#include "team.h"

static const char usage[] =
    "usage: rooftally run JOB [-o FILE] [--set section.key=value]... [--force]\n"
    "                     [--resume] [--quiet]\n"
    "\n"
    "Select the buildings of every zone, compute the statistics, write one HDF5 file.\n"
    "Run it alone, under mpirun or under srun; with several ranks the first\n"
    "coordinates.\n"
    "Before an mpirun over several hosts, so that one that is cut off does not hang\n"
    "it:\n"
    "  export OMPI_MCA_oob_tcp_keepalive_time=5 OMPI_MCA_oob_tcp_keepalive_intvl=2 \\\n"
    "         OMPI_MCA_oob_tcp_keepalive_probes=3\n"
    "\n"
    "  -o, --output FILE        write here instead of [job] output\n"
    "      --set SECTION.KEY=V  override one key of the job file; may be repeated\n"
    "  -f, --force              replace an existing result; start anew where finished\n"
    "                           zones of a run that failed are there\n"
    "      --resume             go on from the finished zones of a run that failed or\n"
    "                           was stopped, if there are any; with any number of\n"
    "                           ranks\n"
    "  -q, --quiet              no progress and no summary\n";

static bool is_worker(const struct run *run)
{
    return comm_size(run->comm) == 1 || !run_is_first(run);
}

int run_agree(const struct run *run, int status, struct error *err)
{
    if (status == 0 && stop_is_own())
        status = error_set(err, ERROR_STOPPED, "%s", stop_reason());
    return comm_agree(run->comm, status, err);
}

/* Asked by the source while it waits: until the ranks exchange messages, each works on
 * its own. */
static bool should_stop(void *context)
{
    struct run *run = context;
    return run->drive.comm ? drive_should_stop(&run->drive)
                           : team_should_stop(run->comm);
}

/* On the first rank. */
static int read_zones(void *context, struct error *err)
{
    struct run *run = context;
    struct job_session *session = &run->session;
    if (result_check_keep(&session->binding, err) < 0
        || source_zones(session->source, &run->zones, &session->memory, err) < 0)
        return -1;
    run->n_zones = run->zones.n;
    return run->n_zones > 0 ? 0 : source_no_zones(session->job, err);
}

static int open_sessions(struct run *run, struct error *err)
{
    struct job_session *session = &run->session;
    int status = job_session_read(session, &run->options, err);
    if (status == 0)
        status = job_session_check_source(session, &run->options, "run", err);
    if (status == 0 && run_is_first(run) && !*session->job->output)
        status = error_set(err,
                           ERROR_USAGE,
                           "%s: [job] output: not given; set it, or type -o FILE",
                           session->job->path);
    if (status == 0 && run_is_first(run))
        status = job_session_check_output(session, session->job->output, err);
    if (status == 0 && run_is_first(run))
        status = result_check(session->job->output,
                              run->options.force || run->options.resume,
                              err);
    if (status == 0 && run_is_first(run))
        status = result_check_names(session->job->output, err);
    if (status == 0 && run_is_first(run))
        stop_limit(session->job->time_s, run->start_s);
    if (run_agree(run, status, err) < 0)
        return -1;

    const struct opening opening = { .stop = should_stop,
                                     .stop_context = run,
                                     .meanwhile = read_zones,
                                     .meanwhile_context = run };
    if (run_agree(run, job_session_open_all(session, run->comm, &opening, err), err)
        < 0)
        return -1;
    return comm_broadcast(run->comm, &run->n_zones, sizeof run->n_zones, err);
}

/* Units of the zones that earlier attempts have not finished. */
static int plan_zones(struct run *run, struct error *err)
{
    struct memory *memory = &run->session.memory;
    int n_workers = comm_size(run->comm) > 1 ? comm_size(run->comm) - 1 : 1, status = 0;
    const int64_t *done;
    if (checkpoint_open(&run->checkpoint,
                        run->comm,
                        &run->options,
                        &run->session,
                        &run->zones,
                        run->n_zones,
                        &done,
                        err)
        < 0)
        return -1;
    if (run_is_first(run) && !run->checkpoint.is_complete
        && (units_init(&run->units, &run->zones, done, n_workers, memory, err) < 0
            || coordinator_init(&run->coordinator, &run->units, n_workers, memory, err)
                   < 0))
        status = -1;
    return run_agree(run, status, err);
}

static int
append_record(void *context, const struct zone_record *record, struct error *err)
{
    struct run *run = context;
    run->drive.n_bytes += record->n_bytes;
    return checkpoint_append(&run->checkpoint, record, run->session.statistics, err);
}

/* Bytes of one selected building in the result, for the ETA. */
static int64_t row_bytes(const struct binding *binding)
{
    return 8 * (int64_t)binding->n_keep;
}

static int prepare_work(struct run *run, struct error *err)
{
    struct job_session *session = &run->session;
    run->drive.comm = run->comm;
    run->drive.sampler = &run->sampler;
    run->drive.checkpoint = &run->checkpoint;
    run->drive.retries = session->job->retries;
    run->drive.chance = (unsigned)comm_rank(run->comm) + (unsigned)clock_epoch_s();
    if (run_is_first(run) && !is_worker(run) && !session->copy)
        run->drive.source = session->source;
    if (run_is_first(run)) {
        progress_init(&run->progress,
                      &run->coordinator,
                      row_bytes(&session->binding),
                      run->options.quiet);
        run->drive.coordinator = &run->coordinator;
        run->drive.progress = &run->progress;
    }
    if (is_worker(run)) {
        if (worker_init(&run->worker, &session->memory, err) < 0)
            return -1;
        run->analysis = (struct analysis){ .source = session->reader,
                                           .binding = &session->binding,
                                           .statistics = session->statistics,
                                           .geos = session->geos,
                                           .memory = &session->memory,
                                           .rank = comm_rank(run->comm),
                                           .start_s = run->start_s,
                                           .sink = append_record,
                                           .sink_context = run,
                                           .stop = drive_should_stop,
                                           .stop_context = &run->drive };
        if (analyse_init(&run->analysis, err) < 0)
            return -1;
        run->drive.worker = &run->worker;
        run->drive.analysis = &run->analysis;
    }
    return drive_init(&run->drive, &session->memory, err);
}

/* Zone by zone, or the table at once: by what the zones that are left will cost. */
static int choose_fetch(struct run *run, struct error *err)
{
    const struct checkpoint *checkpoint = &run->checkpoint;
    char why[FETCH_WHY_BYTES];
    int status = 0;
    if (run->session.job->kind != SOURCE_POSTGRES)
        return 0;
    if (run_is_first(run)) {
        double n_candidates = 0;
        int64_t n_left = checkpoint->n_zones - checkpoint->n_resumed;
        for (int64_t row = 0; row < run->zones.n; row++)
            n_candidates += run->zones.estimates[row];
        n_candidates *= (double)n_left / (double)checkpoint->n_zones;
        status = fetch_choose(&run->session,
                              n_left,
                              n_candidates,
                              comm_size(run->comm),
                              stop_time_left_s(run->session.job->time_s,
                                               clock_wall_s() - run->start_s),
                              &run->scans,
                              why,
                              err);
    }
    if (run_agree(run, status, err) < 0)
        return -1;
    return comm_broadcast(run->comm, &run->scans, sizeof run->scans, err);
}

/* Everything that can be found wrong before the work starts. */
static int prepare(struct run *run, struct error *err)
{
    if (open_sessions(run, err) < 0)
        return -1;
    run_advise_how_to_resume(run);
    if (plan_zones(run, err) < 0)
        return -1;
    if (run->checkpoint.is_complete)
        return 0;
    sampler_init(&run->sampler, &run->session.memory, run->start_s);
    if (choose_fetch(run, err) < 0)
        return -1;
    if (run_is_first(run))
        run_tell_start(run);
    return run->scans ? 0 : run_agree(run, prepare_work(run, err), err);
}

static int read_table(struct run *run, struct error *err)
{
    if (fetch_scan(&run->session, run->comm, run->options.quiet, err) < 0) {
        if (!fetch_goes_on(&run->session, run->comm, err))
            return -1;
        run->scans = false;
    }
    return run_agree(run, prepare_work(run, err), err);
}

/* What is finished is on disk when a run ends early; where all is well the result takes
 * its place soon, and the interval says what may be lost until then. */
static int work_and_write(struct run *run, struct error *err)
{
    if (run->scans && read_table(run, err) < 0) {
        if (err->code == ERROR_USAGE && run->checkpoint.attempt > 1)
            err->code = ERROR_SOURCE; /* it was read before */
        return -1;
    }
    int status = drive_run(&run->drive, err);
    if (status == 0)
        status = checkpoint_settle(&run->checkpoint, err);
    else
        checkpoint_leave(&run->checkpoint);
    run->worked_s = clock_wall_s();
    if (status < 0 && err->code == ERROR_COMM)
        return -1; /* there is nobody to agree with */
    if (status < 0 && err->code == ERROR_USAGE && run_is_first(run)
        && run_n_kept(run) > 0)
        err->code = ERROR_SOURCE; /* a table was there, and has gone */
    if (run_agree(run, status, err) < 0 || run_write_result(run, err) < 0) {
        checkpoint_leave(&run->checkpoint);
        return -1;
    }
    stop_disarm();
    run->written_s = clock_wall_s();
    return 0;
}

/* From the arguments to the result. Sets *keep when the spool is of use afterwards. */
static int run_job(struct run *run, bool *keep, struct error *err)
{
    *keep = true;
    if (prepare(run, err) < 0) {
        *keep = run->checkpoint.attempt != 1; /* it was begun in vain, or is not ours */
        if (err->code != ERROR_STOPPED && !comm_is_broken(run->comm))
            err->code = ERROR_USAGE; /* nothing was started */
        return -1;
    }
    if (run->checkpoint.is_complete) {
        run_tell_complete(run);
        *keep = false;
        return 0;
    }
    if (work_and_write(run, err) < 0) {
        *keep = run_n_kept(run) > 0 || err->code == ERROR_COMM;
        return -1;
    }
    *keep = false;
    progress_end(&run->progress);
    return run_print_summary(run, err);
}

int cli_run(int argc,
            char **argv,
            struct comm *comm,
            char advice[CLI_ADVICE_BYTES],
            struct error *err)
{
    static struct run only; /* one without memory for it could tell nobody yet */
    struct run *run = &only;
    int status = -1;
    bool keep = true;
    run->comm = comm;
    run->checkpoint.lock = -1;
    comm_bound(comm, stop_until_s);
    if (run_is_first(run))
        stop_speak();
    run->start_s = clock_wall_s();
    clock_utc(run->started);
    log_open(comm_rank(comm));
    h5_silence();
    int read = options_read(&run->options, argc, argv, "ofrq", err);
    if (run_agree(run, read, err) < 0)
        goto out;
    if (run->options.help) {
        if (run_is_first(run))
            fputs(usage, stdout);
        status = 0;
        goto out;
    }
    status = run_job(run, &keep, err);
out:
    progress_end(&run->progress);
    if (status < 0)
        run_complete_error(run, advice, err);
    checkpoint_close(&run->checkpoint, keep);
    job_session_close(&run->session);
    options_release(&run->options);
    return status;
}
