/* The result of a run: what is put into it besides zones, and the writing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/geometry/measure.h"
#include "rooftally/h5/h5.h"

#include "run_state.h"
#include "stop.h"

enum result_reading run_reading(const struct run *run)
{
    const struct job *job = run->session.job;
    return job->kind == SOURCE_STORE          ? RESULT_FIXED
           : job->snapshot == SNAPSHOT_SHARED ? RESULT_SNAPSHOT
                                              : RESULT_LIVE;
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

/* A text of any length that outlives the result's making. */
static void borrow(struct provenance *p, const char *name, const char *value)
{
    p->attributes[p->n++] = (struct result_attribute){ name, value, 0 };
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
    borrow(p, "job_file", run->session.job->path);
    borrow(p, "job", run->session.job->text);
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

int run_write_result(struct run *run, struct error *err)
{
    struct job_session *session = &run->session;
    struct provenance *provenance = malloc(sizeof *provenance);
    struct rank_telemetry telemetry;
    char crs[32] = "";
    int status = provenance ? 0 : error_set(err, ERROR_INTERNAL, "no memory");
    if (run_agree(run, status, err) < 0)
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
        .zone_ids = run_is_first(run) ? run->zones.ids : NULL,
        .crs = crs,
        .crs_kind =
            source_schema(session->source)->crs.geographic ? "geographic" : "plane",
        .reading = run_reading(run),
        .provenance = provenance->attributes,
        .n_provenance = provenance->n,
        .telemetry = &telemetry,
        .stop = should_stop_writing,
        .stop_context = run,
        .progress = run_is_first(run) ? progress_write : NULL,
        .progress_context = &run->progress,
    };
    status =
        result_write(run->comm, &input, run->checkpoint.spool, &session->memory, err);
out:
    free(provenance);
    return status;
}
