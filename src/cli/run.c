#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"
#include "rooftally/geometry/measure.h"
#include "rooftally/h5/h5.h"
#include "rooftally/result/result.h"

#include "checkpoint.h"
#include "cli.h"
#include "drive.h"
#include "fetch.h"
#include "hint.h"
#include "job_session.h"
#include "options.h"
#include "progress.h"
#include "sampler.h"
#include "stop.h"
#include "summary.h"
#include "team.h"

static const char usage[] =
    "usage: rooftally run JOB [-o FILE] [--set section.key=value]... [--force] "
    "[--resume] [--quiet]\n"
    "\n"
    "Select the buildings of every zone, compute the statistics, write one HDF5 file.\n"
    "Run it alone, under mpirun or under srun; with several ranks the first "
    "coordinates.\n"
    "Before an mpirun over several hosts, so that one that is cut off does not hang "
    "it:\n"
    "  export OMPI_MCA_oob_tcp_keepalive_time=5 OMPI_MCA_oob_tcp_keepalive_intvl=2 \\\n"
    "         OMPI_MCA_oob_tcp_keepalive_probes=3\n"
    "\n"
    "  -o, --output FILE        write here instead of [job] output\n"
    "      --set SECTION.KEY=V  override one key of the job file; may be repeated\n"
    "  -f, --force              replace an existing result; start anew where finished "
    "zones\n"
    "                           of a run that failed are there\n"
    "      --resume             go on from the finished zones of a run that failed or "
    "was\n"
    "                           stopped, if there are any; with any number of ranks\n"
    "  -q, --quiet              no progress and no summary\n";

/* One rank's run, from start to end. */
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

static bool is_first(const struct run *run)
{
    return comm_rank(run->comm) == 0;
}

static bool is_worker(const struct run *run)
{
    return comm_size(run->comm) == 1 || !is_first(run);
}

/* Every rank knows the outcome of every rank, and whether one is wished to stop; one line
 * is printed, on rank 0. */
static int agree(const struct run *run, int status, struct error *err)
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
    if (status == 0 && is_first(run) && !*session->job->output)
        status = error_set(err,
                           ERROR_USAGE,
                           "%s: [job] output: not given; set it, or type -o FILE",
                           session->job->path);
    if (status == 0 && is_first(run))
        status = job_session_check_output(session, session->job->output, err);
    if (status == 0 && is_first(run))
        status = result_check(session->job->output,
                              run->options.force || run->options.resume,
                              err);
    if (status == 0 && is_first(run))
        status = result_check_names(session->job->output, err);
    if (status == 0 && is_first(run))
        stop_limit(session->job->time_s, run->start_s);
    if (agree(run, status, err) < 0)
        return -1;

    const struct opening opening = { .stop = should_stop,
                                     .stop_context = run,
                                     .meanwhile = read_zones,
                                     .meanwhile_context = run };
    if (agree(run, job_session_open_all(session, run->comm, &opening, err), err) < 0)
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
    if (is_first(run) && !run->checkpoint.is_complete
        && (units_init(&run->units, &run->zones, done, n_workers, memory, err) < 0
            || coordinator_init(&run->coordinator, &run->units, n_workers, memory, err)
                   < 0))
        status = -1;
    return agree(run, status, err);
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
    if (is_first(run) && !is_worker(run) && !session->copy)
        run->drive.source = session->source;
    if (is_first(run)) {
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

static enum result_reading reading(const struct run *run)
{
    const struct job *job = run->session.job;
    return job->kind == SOURCE_STORE          ? RESULT_FIXED
           : job->snapshot == SNAPSHOT_SHARED ? RESULT_SNAPSHOT
                                              : RESULT_LIVE;
}

static void tell_resumed(const struct run *run)
{
    const struct checkpoint *checkpoint = &run->checkpoint;
    bool is_part =
        checkpoint->n_resumed > 0 && checkpoint->n_resumed < checkpoint->n_zones;
    if (is_part && reading(run) == RESULT_SNAPSHOT)
        log_event(LOG_WARN,
                  "new_snapshot",
                  "zones=%" PRId64 " they were read under an earlier snapshot, the "
                  "others will be under a new one: the result has consistent = 0",
                  checkpoint->n_resumed);
    if (comm_may_hang())
        log_event(LOG_WARN,
                  "no_keepalive",
                  "a host that is cut off would end the run, and hang mpirun: start it "
                  "with OMPI_MCA_oob_tcp_keepalive_time=5 in its environment, "
                  "..._intvl=2 and ..._probes=3");
    if (comm_n_unwatched(run->comm) > 0)
        log_event(LOG_WARN,
                  "unwatched",
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
        log_event(LOG_WARN,
                  "no_spatial_index",
                  "table=%s every zone reads the whole table: %s",
                  hint_bare_table(job, schema),
                  hint);
    if (hint_zone_index(hint, job, schema, run->n_zones))
        log_event(LOG_WARN,
                  "no_zone_id_index",
                  "table=%s every zone is searched for: %s",
                  job->zone_table,
                  hint);
}

static void tell_start(const struct run *run)
{
    if (!run->scans)
        tell_missing_indexes(run);
    job_session_tell_crs(&run->session);
    const char *where = job_session_other_where(&run->session);
    if (where)
        log_event(LOG_WARN,
                  "store_filter",
                  "path=%s was staged with [buildings] where = %.300s: what that "
                  "leaves "
                  "out is not in it, and the job's filter is another",
                  run->session.job->store_path,
                  where);
    tell_resumed(run);
}

/* Zone by zone, or the table at once: by what the zones that are left will cost. */
static int choose_fetch(struct run *run, struct error *err)
{
    const struct checkpoint *checkpoint = &run->checkpoint;
    char why[FETCH_WHY_BYTES];
    int status = 0;
    if (run->session.job->kind != SOURCE_POSTGRES)
        return 0;
    if (is_first(run)) {
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
    if (agree(run, status, err) < 0)
        return -1;
    return comm_broadcast(run->comm, &run->scans, sizeof run->scans, err);
}

/* Everything that can be found wrong before the work starts. */
static int prepare(struct run *run, struct error *err)
{
    if (open_sessions(run, err) < 0 || plan_zones(run, err) < 0)
        return -1;
    if (run->checkpoint.is_complete)
        return 0;
    sampler_init(&run->sampler, &run->session.memory, run->start_s);
    if (choose_fetch(run, err) < 0)
        return -1;
    if (is_first(run))
        tell_start(run);
    return run->scans ? 0 : agree(run, prepare_work(run, err), err);
}

enum { N_PROVENANCE = 20, PROVENANCE_TEXT = 320 };

struct provenance {
    struct result_attribute attributes[N_PROVENANCE];
    char texts[N_PROVENANCE][PROVENANCE_TEXT];
    int n;
};

static void remember(struct provenance *p, const char *name, const char *value)
{
    snprintf(p->texts[p->n], PROVENANCE_TEXT, "%s", value);
    p->attributes[p->n] = (struct result_attribute){ name, p->texts[p->n], 0 };
    p->n++;
}

static void remember_number(struct provenance *p, const char *name, int64_t number)
{
    p->attributes[p->n++] = (struct result_attribute){ name, NULL, number };
}

static void fill_provenance(const struct run *run, struct provenance *p)
{
    char text[64];
    const struct source_schema *schema = source_schema(run->session.source);
    p->n = 0;
    remember(p, "program", "rooftally " ROOFTALLY_VERSION);
    remember(p, "mpi", comm_library());
    remember(p, "hdf5", h5_version());
    remember(p, "geos", geos_version());
    remember(p, "proj", crs_library());
    remember(p, "libpq", source_library());
    remember(p, "source", schema->description);
    remember(p, "snapshot", source_snapshot(run->session.source));
    if (run->session.job->kind == SOURCE_POSTGRES)
        remember(p, "fetch", run->scans ? "scan" : "index");
    remember(p, "run", run->checkpoint.run);
    remember(p, "identity", run->checkpoint.identity);
    remember_number(p, "attempt", run->checkpoint.attempt);
    remember(p, "start", run->started);
    clock_utc(text);
    remember(p, "end", text);
    remember_number(p, "ranks", comm_size(run->comm));
    remember(p, "crs", schema->crs.name);
    remember(p, "job_file", run->session.job->path);
    p->attributes[p->n++] =
        (struct result_attribute){ "job", run->session.job->text, 0 };
}

static void fill_telemetry(struct run *run, struct rank_telemetry *telemetry)
{
    const struct memory *memory = &run->session.memory;
    sampler_take(&run->sampler);
    *telemetry = (struct rank_telemetry){ .n_zones = run->drive.n_zones,
                                          .busy_s = run->drive.busy_s,
                                          .waiting_s = run->drive.waiting_s,
                                          .busy_cpu_s = run->drive.busy_cpu_s,
                                          .cpu_s = clock_cpu_s(),
                                          .peak_rss_bytes = memory_peak_rss_bytes(),
                                          .peak_live_bytes = memory->peak_bytes,
                                          .n_messages = run->drive.n_messages,
                                          .n_candidates = run->drive.n_candidates,
                                          .n_bytes = run->drive.n_bytes,
                                          .n_samples = run->sampler.n,
                                          .samples = run->sampler.samples };
    snprintf(telemetry->host, sizeof telemetry->host, "%s", comm_host(run->comm));
    memcpy(telemetry->owner_peak_bytes,
           memory->owner_peak_bytes,
           sizeof telemetry->owner_peak_bytes);
}

/* Asked while the result is written, when the spool may come to be synced as well. */
static bool should_stop_writing(void *context)
{
    struct run *run = context;
    checkpoint_tick(&run->checkpoint);
    return stop_is_wished();
}

static int write_result(struct run *run, struct error *err)
{
    struct job_session *session = &run->session;
    struct provenance *provenance = malloc(sizeof *provenance);
    struct rank_telemetry telemetry;
    char crs[32] = "";
    int status = provenance ? 0 : error_set(err, ERROR_INTERNAL, "no memory");
    if (agree(run, status, err) < 0)
        goto out;
    fill_provenance(run, provenance);
    fill_telemetry(run, &telemetry);
    if (source_schema(session->source)->srid > 0)
        snprintf(crs, sizeof crs, "EPSG:%d", (int)source_schema(session->source)->srid);
    struct result_input input = {
        .path = session->job->output,
        .title = session->job->title,
        .force = run->options.force,
        .statistics = session->statistics,
        .binding = &session->binding,
        .n_zones = run->n_zones,
        .zone_id_bytes = run->zones.id_bytes,
        .zone_ids = is_first(run) ? run->zones.ids : NULL,
        .crs = crs,
        .crs_kind =
            source_schema(session->source)->crs.geographic ? "geographic" : "plane",
        .reading = reading(run),
        .provenance = provenance->attributes,
        .n_provenance = provenance->n,
        .telemetry = &telemetry,
        .stop = should_stop_writing,
        .stop_context = run,
        .progress = is_first(run) ? progress_write : NULL,
        .progress_context = &run->progress,
    };
    status =
        result_write(run->comm, &input, run->checkpoint.spool, &session->memory, err);
out:
    free(provenance);
    return status;
}

static int read_table(struct run *run, struct error *err)
{
    if (fetch_scan(&run->session, run->comm, run->options.quiet, err) < 0) {
        if (!fetch_goes_on(&run->session, run->comm, err))
            return -1;
        run->scans = false;
    }
    return agree(run, prepare_work(run, err), err);
}

/* What is finished is on disk when a run ends early; where all is well the result takes
 * its place soon, and the interval says what may be lost until then. */
static int work_and_write(struct run *run, struct error *err)
{
    if (run->scans && read_table(run, err) < 0)
        return -1;
    int status = drive_run(&run->drive, err);
    if (status == 0)
        status = checkpoint_settle(&run->checkpoint, err);
    else
        checkpoint_leave(&run->checkpoint);
    run->worked_s = clock_wall_s();
    if (status < 0 && err->code == ERROR_COMM)
        return -1; /* there is nobody to agree with */
    if (agree(run, status, err) < 0 || write_result(run, err) < 0) {
        checkpoint_leave(&run->checkpoint);
        return -1;
    }
    stop_disarm();
    run->written_s = clock_wall_s();
    return 0;
}

static int print_summary(struct run *run, struct error *err)
{
    struct result_totals *totals = NULL;
    int status = 0;
    if (!is_first(run) || run->options.quiet)
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
static void tell_complete(const struct run *run)
{
    const char *output = run->session.job->output;
    char clean[64];
    if (!is_first(run) || run->options.quiet)
        return;
    char *end = result_provenance(output, "end");
    const char *made = end ? end : "at an unknown time";
    printf("%s: is complete already, made %s; --force makes a new one\n",
           output,
           log_clean(clean, sizeof clean, made, (int)strlen(made)));
    free(end);
}

/* Zones that the next attempt will find; a failure of comm leaves some unheard of. */
static int64_t n_kept(const struct run *run)
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
    return access(run->session.job->output, F_OK) == 0 ? "--resume --force"
                                                       : "--resume";
}

/* A rank that has lost the others knows of no zones but its own. */
static void
advise(const struct run *run, const struct error *err, char advice[CLI_ADVICE_BYTES])
{
    if (is_first(run) && run->n_zones > 0 && n_kept(run) == run->n_zones)
        snprintf(advice,
                 CLI_ADVICE_BYTES,
                 "all %" PRId64
                 " zones are finished: rooftally run %s writes the result",
                 run->n_zones,
                 how_to_resume(run));
    else if (is_first(run) && n_kept(run) > 0)
        snprintf(advice,
                 CLI_ADVICE_BYTES,
                 "%" PRId64 " of %" PRId64
                 " zones are finished: %srooftally run %s goes on",
                 n_kept(run),
                 run->n_zones,
                 lies_in_data(err) ? "once that is repaired, " : "",
                 how_to_resume(run));
    else if (!is_first(run) && run->checkpoint.spool)
        snprintf(advice,
                 CLI_ADVICE_BYTES,
                 "what is finished is kept: rooftally run --resume goes on");
    else if (err->code == ERROR_STOPPED && run->options.resume)
        snprintf(advice, /* earlier attempts' may be there, not looked at yet */
                 CLI_ADVICE_BYTES,
                 "no further zone is finished: rooftally run --resume goes on");
    else if (err->code == ERROR_STOPPED)
        snprintf(advice, CLI_ADVICE_BYTES, "no zone is finished: start it again");
}

/* Nothing can be repaired in a store: going on from it would fail again. */
static bool fails_again(const struct run *run, const struct error *err)
{
    return (lies_in_data(err) || err->code == ERROR_FORMAT) && run->session.job
           && run->session.job->kind == SOURCE_STORE && n_kept(run) < run->n_zones;
}

/* The place in the job file, what has stopped it, and how to go on. */
static void
complete_error(const struct run *run, char advice[CLI_ADVICE_BYTES], struct error *err)
{
    if (run->session.job)
        job_locate(run->session.job, err);
    stop_name(err);
    if (!fails_again(run, err))
        advise(run, err, advice);
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
        tell_complete(run);
        *keep = false;
        return 0;
    }
    if (work_and_write(run, err) < 0) {
        *keep = n_kept(run) > 0 || err->code == ERROR_COMM;
        return -1;
    }
    *keep = false;
    progress_end(&run->progress);
    return print_summary(run, err);
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
    if (is_first(run))
        stop_speak("; rooftally run --resume goes on");
    run->start_s = clock_wall_s();
    clock_utc(run->started);
    log_open(LOG_WARN, comm_rank(comm));
    h5_silence();
    int read = options_read(&run->options, argc, argv, "ofrq", err);
    if (agree(run, read, err) < 0)
        goto out;
    if (run->options.help) {
        if (is_first(run))
            fputs(usage, stdout);
        status = 0;
        goto out;
    }
    status = run_job(run, &keep, err);
out:
    progress_end(&run->progress);
    if (status < 0)
        complete_error(run, advice, err);
    checkpoint_close(&run->checkpoint, keep);
    job_session_close(&run->session);
    options_release(&run->options);
    return status;
}
