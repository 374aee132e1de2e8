#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/count.h"
#include "rooftally/base/log.h"
#include "rooftally/geometry/zone.h"
#include "rooftally/result/result.h"
#include "rooftally/schedule/analyse.h"
#include "rooftally/schedule/units.h"

#include "cli.h"
#include "fetch.h"
#include "hint.h"
#include "job_session.h"
#include "options.h"
#include "plan_work.h"
#include "progress.h"
#include "stop.h"

static const char usage[] =
    "usage: rooftally plan JOB [-o FILE] [--set section.key=value]... [--values]\n"
    "\n"
    "What a run would do: zones, candidates (estimated; of a store counted), the\n"
    "statements it sends or the bytes it reads, memory per owner, connections, time,\n"
    "and how many ranks pay off. Nothing is written.\n"
    "\n"
    "      --values   instead, for scripts, lines NAME = VALUE; names may be added:\n"
    "                   zones, candidates\n"
    "                   ranks        as many as pay off\n"
    "                   rank_mib     memory to ask a batch system for, for each rank\n"
    "                   seconds      roughly what the run takes with so many ranks\n"
    "                   limit_s      [limits] time; 0: none\n";

/* What a rank needs beside the buffers that [limits] memory bounds: the program, its
 * libraries and what MPI and HDF5 take for a collective write. */
static const int64_t beside_mib = 128;
/* A worker's seconds for a candidate, to be on the safe side, and for a zone. */
static const double server_candidate_s = 5e-6, store_candidate_s = 5e-7, zone_s = 2e-3;
static const double start_s = 5,
                    least_worker_s = 0.25; /* less is not worth its start */

struct largest {
    int64_t row;
    double n; /* candidates expected in it */
};

static struct largest find_largest(const struct zone_list *zones)
{
    struct largest largest = { 0, 0 };
    for (int64_t i = 0; i < zones->n; i++)
        if (zones->estimates[i] > largest.n)
            largest = (struct largest){ i, zones->estimates[i] };
    return largest;
}

static void print_zones(const struct job_session *session,
                        const struct zone_list *zones,
                        const struct source_work *work,
                        double n_candidates)
{
    const struct job *job = session->job;
    const struct source_schema *schema = source_schema(session->source);
    bool is_store = job->kind == SOURCE_STORE;
    struct largest largest = find_largest(zones);
    char count[32], id[80], title[200];
    const char *largest_id = zones->ids + largest.row * zones->id_bytes;
    log_clean(id,
              sizeof id,
              largest_id,
              (int)strnlen(largest_id,
                           zones->id_bytes < 79 ? (size_t)zones->id_bytes : 79));
    printf("%s\n", log_clean(title, sizeof title, job->title, (int)strlen(job->title)));
    printf("  source      %s\n", schema->description);
    printf("  crs         %s (SRID %d)\n", schema->crs.name, (int)schema->srid);
    printf("  zones       %s of %s",
           count_text(count, zones->n),
           is_store ? "the store" : job->zone_table);
    if (zones->n_no_geometry > 0)
        printf(", %" PRId64 " without geometry", zones->n_no_geometry);
    printf("\n  candidates  %s%s",
           plan_about(zones, work),
           count_text(count, llround(n_candidates)));
    printf(" of %s, at most %s in one zone (%s)\n",
           is_store ? "the store's buildings" : job->building_table,
           count_text(count, llround(largest.n)),
           id);
}

/* What the memory of one worker goes to, for its largest zone. */
static void print_memory(const struct job_session *session,
                         const struct zone_list *zones)
{
    const struct job *job = session->job;
    int64_t n = llround(find_largest(zones).n), limit = job->memory_bytes,
            n_vertices = 0;
    for (int64_t i = 0; i < zones->n; i++)
        if (zones->n_vertices[i] > n_vertices)
            n_vertices = zones->n_vertices[i];
    int32_t rows = analyse_batch_rows(limit);
    char text[24];
    struct {
        enum memory_owner owner;
        int64_t n_bytes;
        const char *why;
    } lines[] = {
        { MEMORY_BATCH,
          batch_size(&session->binding, rows) + analyse_batch_bytes(limit),
          "rows in flight" },
        { MEMORY_BATCH,
          source_prepared_bytes(session->source, limit),
          "columns and words of the source" },
        { MEMORY_GEOMETRY, 2 * 16 * n_vertices, "the zone with the most vertices" },
        { MEMORY_GRID,
          zone_bytes(n, n_vertices),
          "cells and edges of the largest zone" },
        { MEMORY_STATISTICS,
          statistics_size(session->statistics, n),
          "if all are selected" },
        { MEMORY_SELECTION,
          analyse_selection_bytes(&session->binding, n),
          "if all are selected" },
    };
    int64_t sum = 0;
    printf("  memory      %s a rank, of which a worker needs about\n",
           memory_size_text(text, limit));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        sum += lines[i].n_bytes;
        if (lines[i].owner == MEMORY_BATCH && lines[i].n_bytes == 0)
            continue; /* a source that keeps nothing */
        printf("    %-12s %10s  %s\n",
               memory_owner_name(lines[i].owner),
               memory_size_text(text, lines[i].n_bytes),
               lines[i].why);
    }
    printf("    %-12s %10s%s\n",
           "in all",
           memory_size_text(text, sum),
           sum > limit ? "  more than the limit: raise [limits] memory" : "");
}

static double work_s(const struct job *job, double n_zones, double n_candidates)
{
    return n_zones * zone_s
           + n_candidates
                 * (job->kind == SOURCE_STORE ? store_candidate_s : server_candidate_s);
}

/* A worker pays while it has enough to do, and while the largest zone, which one worker
 * takes alone, is not what all wait for. Returns the ranks, and why not more. */
static int64_t find_ranks(const struct job *job,
                          const struct zone_list *zones,
                          double n_candidates,
                          int64_t n_free,
                          const char **why)
{
    double cost = 0, largest = 0;
    for (int64_t i = 0; i < zones->n; i++) {
        double c = unit_zone_cost(zones, i);
        cost += c;
        largest = c > largest ? c : largest;
    }
    double all_s = work_s(job, (double)zones->n, n_candidates);
    int64_t by_work = 1 + (int64_t)(all_s / least_worker_s);
    int64_t by_largest = largest > 0 ? (int64_t)ceil(cost / largest) : 1;
    int64_t workers = by_work < by_largest ? by_work : by_largest;
    *why = by_work < by_largest ? "more would have too little to do"
                                : "the largest zone takes one worker that long";
    if (workers > zones->n)
        workers = zones->n;
    if (n_free >= 0 && workers + 1 > n_free) {
        workers = n_free - 1;
        *why = "the server has no more connections free";
    }
    return workers > 1 ? workers + 1 : 1;
}

static void print_ranks(const struct job *job,
                        const struct zone_list *zones,
                        const struct source_work *work,
                        double n_candidates,
                        int64_t n_free)
{
    const char *why;
    int64_t n_ranks = find_ranks(job, zones, n_candidates, n_free, &why);
    double all_s = work_s(job, (double)zones->n, n_candidates);
    plan_print_work(zones, work, all_s, n_ranks);
    if (n_ranks == 1)
        printf("  ranks       1: %s\n", why);
    else
        printf("  ranks       up to %" PRId64 " (a coordinator and %" PRId64
               " workers): %s\n",
               n_ranks,
               n_ranks - 1,
               why);
}

static int print_values(struct job_session *session,
                        const struct zone_list *zones,
                        double n_candidates,
                        struct error *err)
{
    const struct job *job = session->job;
    const char *why;
    int64_t n_free, mib = 1 << 20;
    if (source_connections(session->source, &n_free, err) < 0)
        return -1;
    int64_t n_ranks = find_ranks(job, zones, n_candidates, n_free, &why);
    double all_s = work_s(job, (double)zones->n, n_candidates);
    printf("zones = %" PRId64 "\n"
           "candidates = %lld\n"
           "ranks = %" PRId64 "\n"
           "rank_mib = %" PRId64 "\n"
           "seconds = %.0f\n"
           "limit_s = %.0f\n",
           zones->n,
           llround(n_candidates),
           n_ranks,
           (job->memory_bytes + mib - 1) / mib + beside_mib,
           ceil(start_s + all_s / (double)(n_ranks > 1 ? n_ranks - 1 : 1)),
           ceil(job->time_s));
    return 0;
}

/* Ranks that a launcher or a batch system has for us; 0 when nobody has said. */
static int ranks_asked(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "SLURM_NTASKS" };
    for (int i = 0; i < 2; i++) {
        const char *value = getenv(names[i]);
        int n = value ? atoi(value) : 0;
        if (n > 0)
            return n;
    }
    return 0;
}

/* What makes a run slow that asks zone by zone. */
static void print_missing_indexes(const struct job_session *session, int64_t n_zones)
{
    const struct job *job = session->job;
    const struct source_schema *schema = source_schema(session->source);
    char hint[HINT_BYTES];
    if (hint_building_index(hint, job, schema))
        printf("  warning     no spatial index on %s: every zone reads the whole "
               "table; %s\n",
               hint_bare_table(job, schema),
               hint);
    if (hint_zone_index(hint, job, schema, n_zones))
        printf("  warning     no index on the id of %s: every zone is searched for; "
               "%s\n",
               job->zone_table,
               hint);
}

static int print_plan(struct job_session *session, bool is_brief, struct error *err)
{
    struct zone_list zones;
    struct source_work work;
    int64_t n_free = -1;
    double n_candidates = 0;
    bool scans = false;
    char why[FETCH_WHY_BYTES];
    if (source_zones(session->source, &zones, &session->memory, err) < 0)
        return -1;
    if (zones.n == 0)
        return source_no_zones(session->job, err);
    if (plan_count(session, &zones, &work, err) < 0)
        return -1;
    for (int64_t i = 0; i < zones.n; i++)
        n_candidates += zones.estimates[i];
    if (is_brief)
        return print_values(session, &zones, n_candidates, err);
    print_zones(session, &zones, &work, n_candidates);
    print_memory(session, &zones);
    int n_ranks = ranks_asked();
    if (fetch_choose(session,
                     zones.n,
                     n_candidates,
                     n_ranks ? n_ranks : 1,
                     stop_time_left_s(session->job->time_s, 0),
                     &scans,
                     why,
                     err)
            < 0
        || fetch_explain(session, scans, stdout, n_ranks ? n_ranks : 2, &n_free, err)
               < 0
        || job_session_check_ranks(n_ranks, n_free, err) < 0)
        return -1;
    if (session->job->kind == SOURCE_POSTGRES)
        printf("  fetch       %s\n", why);
    print_ranks(session->job, &zones, &work, n_candidates, n_free);
    if (!scans)
        print_missing_indexes(session, zones.n);
    const char *where = job_session_other_where(session);
    if (where)
        printf("  warning     the store holds what its own [buildings] where has left, "
               "and the job's filter is another\n");
    return 0;
}

int cli_plan(int argc, char **argv, struct error *err)
{
    struct options options;
    struct job_session session = { 0 };
    int status = -1;
    if (options_read(&options, argc, argv, "ov", err) < 0)
        goto out;
    if (options.help) {
        fputs(usage, stdout);
        status = 0;
        goto out;
    }
    if (job_session_read(&session, &options, err) < 0
        || job_session_check_source(&session, &options, "plan", err) < 0
        || job_session_open(&session, err) < 0
        || result_check_keep(&session.binding, err) < 0
        || print_plan(&session, options.values, err) < 0) {
        err->code = ERROR_USAGE; /* nothing was started */
        if (session.job)
            job_locate(session.job, err);
        goto out;
    }
    status = 0;
out:
    job_session_close(&session);
    options_release(&options);
    return status;
}
