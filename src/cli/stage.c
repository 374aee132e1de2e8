#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/source/source.h"
#include "rooftally/source/store.h"

#include "cli.h"
#include "job_session.h"
#include "options.h"
#include "progress.h"

static const char usage[] =
    "usage: rooftally stage JOB -o STORE [--set section.key=value]... [--force] "
    "[--quiet]\n"
    "\n"
    "Copy the zones and buildings that a job reads into a store: its fields, what "
    "they\n"
    "are computed from, and the rows that its filters leave. Then run the job with\n"
    "[source] kind = store and path = STORE, as often as wanted, without the server.\n"
    "\n"
    "  -o, --output STORE       the store to write\n"
    "      --set SECTION.KEY=V  override one key of the job file; may be repeated\n"
    "  -f, --force              replace an existing store\n"
    "  -q, --quiet              no progress and no summary\n";

static volatile sig_atomic_t is_stopped;

static void stop(int signal)
{
    (void)signal;
    is_stopped = 1;
}

static bool should_stop(void *context)
{
    (void)context;
    return is_stopped != 0;
}

/* One live line on a terminal, a line every 10 s elsewhere. */
struct meter {
    bool quiet, terminal, shown;
    double next_s;
};

static bool show_progress(void *context, double share)
{
    struct meter *meter = context;
    double now_s = clock_wall_s();
    if (!meter->quiet && now_s >= meter->next_s) {
        fprintf(stderr,
                meter->terminal ? "\rstage: %3.0f %%" : "stage: %.0f %%\n",
                100 * share);
        meter->next_s = now_s + (meter->terminal ? 0.2 : 10);
        meter->shown = true;
    }
    return is_stopped != 0;
}

static void print_summary(const struct store_counts *counts, double wall_s)
{
    char buildings[32], zones[32], size[24];
    printf("%s zones and %s buildings, %s: staged in %.1f s (%.0f rows/s)\n",
           progress_count(zones, counts->n_zones),
           progress_count(buildings, counts->n_buildings),
           memory_size_text(size, counts->n_bytes),
           wall_s,
           (double)counts->n_buildings / wall_s);
    if (counts->n_no_geometry > 0)
        printf("  %s buildings have no geometry and were left out\n",
               progress_count(buildings, counts->n_no_geometry));
}

static int stage(struct job_session *session,
                 const struct options *options,
                 struct meter *meter,
                 struct error *err)
{
    const struct store_options store = { .force = options->force,
                                         .progress = show_progress,
                                         .context = meter };
    struct store_counts counts;
    double start_s = clock_wall_s();
    int status = store_stage(session->source,
                             session->job,
                             options->output,
                             &store,
                             &counts,
                             &session->memory,
                             err);
    if (meter->shown && meter->terminal)
        fputs("\r\033[K", stderr);
    if (status == 0 && !options->quiet)
        print_summary(&counts, clock_wall_s() - start_s);
    return status;
}

/* Signals end the staging between rows; nothing of it remains. */
static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = stop,
                                .sa_flags = (int)(SA_RESETHAND | SA_RESTART) };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Several processes at once would write the same store. */
static bool is_alone(void)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    if (!size)
        size = getenv("SLURM_STEP_NUM_TASKS");
    return !size || atoi(size) <= 1;
}

int cli_stage(int argc, char **argv, struct error *err)
{
    struct options options;
    struct job_session session = { 0 };
    struct meter meter = { .terminal = isatty(STDERR_FILENO) };
    int status = -1;
    if (options_read(&options, argc, argv, "ofq", err) < 0)
        goto out;
    if (options.help) {
        fputs(usage, stdout);
        status = 0;
        goto out;
    }
    if (!options.output) {
        error_set(err, ERROR_USAGE, "stage: no store given; type -o STORE");
        goto out;
    }
    if (!is_alone()) {
        error_set(err,
                  ERROR_USAGE,
                  "stage: uses one rank: run it without mpirun or srun");
        goto out;
    }
    meter.quiet = options.quiet;
    meter.next_s = clock_wall_s() + (meter.terminal ? 0.2 : 10);
    catch_signals();
    if (job_session_read(&session, &options, err) < 0
        || job_session_open(&session, NULL, 0, should_stop, NULL, err) < 0) {
        err->code = err->code == ERROR_STOPPED ? ERROR_STOPPED : ERROR_USAGE;
        goto out;
    }
    status = stage(&session, &options, &meter, err);
out:
    job_session_close(&session);
    options_release(&options);
    return status;
}
