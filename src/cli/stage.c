#include <inttypes.h>
#include <stdio.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/count.h"
#include "rooftally/base/log.h"
#include "rooftally/source/source.h"
#include "rooftally/source/store.h"

#include "cli.h"
#include "job_session.h"
#include "meter.h"
#include "options.h"
#include "progress.h"
#include "retry.h"
#include "stop.h"
#include "team.h"

static const char usage[] =
    "usage: rooftally stage JOB -o STORE [--set section.key=value]... [--force]\n"
    "                       [--quiet]\n"
    "\n"
    "Copy the zones and buildings that a job reads, from PostgreSQL or from vector\n"
    "files, into a store: its fields, what they are computed from, and the rows that\n"
    "its filters leave. Then run the job with [source] kind = store and path = STORE,\n"
    "as often as wanted, without them.\n"
    "Alone, under mpirun or under srun: each rank reads and writes a share, and the\n"
    "store is the same on any number of them.\n"
    "\n"
    "  -o, --output STORE       the store to write\n"
    "      --set SECTION.KEY=V  override one key of the job file; may be repeated\n"
    "  -f, --force              replace an existing store\n"
    "  -q, --quiet              no progress and no summary\n";

static void
print_summary(const struct store_counts *counts, double wall_s, int64_t peak_bytes)
{
    char buildings[32], zones[32], bare[48] = "", size[24], peak[24];
    if (counts->n_bare_zones > 0)
        snprintf(bare,
                 sizeof bare,
                 " (%" PRId64 " without geometry)",
                 counts->n_bare_zones);
    printf("%s zones%s and %s buildings, %s: staged in %.1f s (%.0f rows/s) in %s of "
           "[limits] memory\n",
           count_text(zones, counts->n_zones),
           bare,
           count_text(buildings, counts->n_buildings),
           memory_size_text(size, counts->n_bytes),
           wall_s,
           (double)counts->n_buildings / wall_s,
           memory_size_text(peak, peak_bytes));
    if (counts->n_no_geometry > 0)
        printf("  %s building%s without geometry, or without a place, left out\n",
               count_text(buildings, counts->n_no_geometry),
               counts->n_no_geometry == 1 ? "" : "s");
}

/* What GDAL has to say, of every rank's part. */
static void tell_warnings(struct source *source)
{
    int64_t n;
    const char *first = source_warned(source, &n);
    if (n > 0)
        log_warn("vector_file", "n=%lld first=\"%s\"", (long long)n, first);
}

/* One try, which leaves nothing behind where it fails. */
static int copy(struct job_session *session,
                const struct options *options,
                struct comm *comm,
                struct store_counts *counts,
                struct error *err)
{
    struct meter meter;
    const struct team team = team_of(comm);
    const struct store_options store = { .team = &team,
                                         .force = options->force,
                                         .progress = meter_show,
                                         .context = &meter };
    meter_init(&meter, comm, "stage", comm_rank(comm) > 0 || options->quiet);
    int status = store_stage(session->source,
                             session->job,
                             options->output,
                             &store,
                             counts,
                             &session->memory,
                             err);
    meter_end(&meter);
    return status;
}

static int open_source(struct job_session *session,
                       struct comm *comm,
                       bool again,
                       struct error *err)
{
    const struct opening opening = { .again = again,
                                     .stop = team_should_stop,
                                     .stop_context = comm };
    return job_session_open_all(session, comm, &opening, err);
}

/* The tables are read in one pass, on one snapshot: a retry begins with another. */
static int copy_with_retries(struct job_session *session,
                             const struct options *options,
                             struct comm *comm,
                             struct store_counts *counts,
                             struct error *err)
{
    int status = copy(session, options, comm, counts, err);
    for (int n = 0; status < 0; n++) {
        job_session_leave(session); /* nobody holds a connection while he waits */
        if (!retry_begins(comm, n, session->job->retries, err))
            break;
        status = open_source(session, comm, true, err);
        if (status == 0)
            status = copy(session, options, comm, counts, err);
    }
    return status;
}

static int stage(struct job_session *session,
                 const struct options *options,
                 struct comm *comm,
                 double start_s,
                 struct error *err)
{
    struct store_counts counts;
    int64_t n_ignored;
    if (comm_rank(comm) > 0) /* opening was odd on all alike */
        (void)source_warned(session->source, &n_ignored);
    int status = copy_with_retries(session, options, comm, &counts, err);
    if (status == 0)
        tell_warnings(session->source);
    double wall_s = clock_wall_s() - start_s;
    int64_t peak_bytes = session->memory.peak_bytes;
    if (status < 0 || comm_max(comm, &peak_bytes, 1, err) < 0)
        return -1;
    if (comm_rank(comm) == 0 && !options->quiet)
        print_summary(&counts, wall_s, peak_bytes);
    else if (comm_rank(comm) == 0 && counts.n_no_geometry > 0)
        log_warn("left_out",
                 "n=%" PRId64 " why=\"buildings without geometry, or without a place\"",
                 counts.n_no_geometry);
    return 0;
}

/* Everything that can be found wrong before the work starts. */
static int prepare(struct job_session *session,
                   const struct options *options,
                   struct comm *comm,
                   double start_s,
                   struct error *err)
{
    int status = 0;
    if (!options->output)
        status = error_set(err, ERROR_USAGE, "stage: no store given; type -o STORE");
    if (status == 0)
        status = job_session_read(session, options, err);
    if (status == 0 && comm_rank(comm) == 0)
        status = job_session_check_output(session, options->output, err);
    if (status == 0 && session->job->kind == SOURCE_STORE)
        status = error_set(err,
                           ERROR_USAGE,
                           "[source] kind = store: it is staged already: run the job "
                           "as it is");
    if (status == 0)
        status = job_check_files(session->job, err);
    if (status == 0 && comm_rank(comm) == 0)
        stop_limit(session->job->time_s, start_s);
    if (comm_agree(comm, status, err) < 0
        || open_source(session, comm, false, err) < 0) {
        if (err->code != ERROR_STOPPED && !comm_is_broken(comm))
            err->code = ERROR_USAGE;
        return -1;
    }
    if (comm_rank(comm) == 0)
        job_session_tell_crs(session);
    if (comm_rank(comm) == 0 && source_reads_file(session->source, options->output))
        status = error_set(err,
                           ERROR_USAGE,
                           "output %s is one of the files that the job reads: choose "
                           "another output",
                           options->output);
    return comm_agree(comm, status, err);
}

int cli_stage(int argc, char **argv, struct comm *comm, struct error *err)
{
    struct options options;
    struct job_session session = { 0 };
    double start_s = clock_wall_s();
    int status = -1;
    comm_bound(comm, stop_until_s);
    log_open(comm_rank(comm));
    if (comm_rank(comm) == 0)
        stop_speak();
    int read = options_read(&options, argc, argv, "ofq", err);
    if (comm_agree(comm, read, err) < 0)
        goto out;
    if (options.help) {
        if (comm_rank(comm) == 0)
            fputs(usage, stdout);
        status = 0;
        goto out;
    }
    if (prepare(&session, &options, comm, start_s, err) == 0)
        status = stage(&session, &options, comm, start_s, err);
    if (status == 0)
        stop_disarm();
    else if (session.job)
        job_locate(session.job, err);
out:
    job_session_close(&session);
    options_release(&options);
    return status;
}
