#include "fetch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rooftally/base/count.h"
#include "rooftally/base/log.h"
#include "rooftally/result/result.h"
#include "rooftally/source/store.h"

#include "meter.h"
#include "progress.h"
#include "retry.h"
#include "stop.h"
#include "team.h"

/* Work that both ways have in common is not counted, and what is counted is rough: less
 * than this is no reason to read a whole table. */
static const double least_gain = 1.15, least_gain_s = 0.25;

static void explain(const struct source_costs *costs,
                    double n_candidates,
                    bool scans,
                    bool in_time,
                    char why[FETCH_WHY_BYTES])
{
    char candidates[32], rows[32];
    const char *but = scans || costs->scan_s >= costs->index_s ? ""
                      : in_time ? ", which is too little to gain"
                                : ", for which too little time is left";
    snprintf(why,
             FETCH_WHY_BYTES,
             "%s: %s candidates of %s rows, of which %.0f %% pass the filter and %.0f "
             "%% "
             "lie out of order: %.1f s of work by index, %.1f s by a scan%s",
             scans ? "scan" : "index",
             count_text(candidates, llround(n_candidates)),
             count_text(rows, llround(costs->n_rows)),
             100 * costs->passing,
             100 * costs->disorder,
             costs->index_s,
             costs->scan_s,
             but);
}

int fetch_choose(struct job_session *session,
                 int64_t n_zones,
                 double n_candidates,
                 int n_ranks,
                 double left_s,
                 bool *scans,
                 char why[FETCH_WHY_BYTES],
                 struct error *err)
{
    const struct job *job = session->job;
    struct source_costs costs;
    *scans = job->kind == SOURCE_POSTGRES && job->fetch == FETCH_SCAN;
    snprintf(why, FETCH_WHY_BYTES, "%s: as the job says", *scans ? "scan" : "index");
    if (job->kind != SOURCE_POSTGRES || job->fetch != FETCH_AUTO)
        return 0;
    int known = source_costs(session->source, n_zones, n_candidates, &costs, err);
    if (known < 0)
        return -1;
    if (known == 0) {
        snprintf(why, FETCH_WHY_BYTES, "index: the table cannot be sampled");
        return 0;
    }
    bool in_time = left_s < 0 || costs.scan_s / n_ranks <= left_s;
    *scans = costs.scan_s * least_gain < costs.index_s
             && costs.scan_s + least_gain_s < costs.index_s && in_time;
    explain(&costs, n_candidates, *scans, in_time, why);
    return 0;
}

/* The columns as a store has them: no language, so that all else is computed here. */
static int list_columns(struct job_session *session, struct error *err)
{
    const struct source_columns *from = &source_schema(session->source)->buildings;
    struct source_columns *to = &session->columns;
    to->columns = calloc((size_t)from->n + 1, sizeof *to->columns);
    if (!to->columns)
        return error_set(err, ERROR_BUDGET, "no memory for the list of columns");
    for (to->n = 0; to->n < from->n; to->n++) {
        to->columns[to->n] = from->columns[to->n];
        to->columns[to->n].sql = NULL;
    }
    return 0;
}

/* What the copy has to answer. What the server's half of the filter leaves out is not in
 * the copy; only where there is another half is the filter asked again. */
static int bind_wanted(struct job_session *session,
                       struct binding *wanted,
                       struct statistics **statistics,
                       struct error *err)
{
    session->copy_job = *session->job;
    if (!session->binding.local_filter)
        session->copy_job.where = NULL;
    if (list_columns(session, err) < 0
        || binding_init(wanted, &session->copy_job, &session->columns, err) < 0)
        return -1;
    wanted->id_type = source_schema(session->source)->building_id_type;
    return statistics_bind(statistics, &session->copy_job, wanted, err);
}

static void free_wanted(struct binding *wanted, struct statistics *statistics)
{
    statistics_free(statistics);
    if (wanted && wanted->names)
        binding_release(wanted);
    free(wanted);
}

int fetch_explain(struct job_session *session,
                  bool scans,
                  FILE *out,
                  int n_ranks,
                  int64_t *n_free,
                  struct error *err)
{
    struct statistics *statistics = NULL;
    if (!scans)
        return source_explain(session->source, NULL, out, n_ranks, n_free, err);
    struct binding *wanted = calloc(1, sizeof *wanted);
    int status = wanted ? bind_wanted(session, wanted, &statistics, err)
                        : error_set(err, ERROR_BUDGET, "no memory for the job");
    if (status == 0)
        status = store_copy_explain(session->source,
                                    session->job,
                                    wanted,
                                    session->binding.source_filter,
                                    out,
                                    n_ranks,
                                    n_free,
                                    &session->memory,
                                    err);
    free_wanted(wanted, statistics);
    return status;
}

/* Whether to try again: what failed was a connection, and every rank has one again. */
static bool
tries_again(struct job_session *session, struct comm *comm, int n, struct error *err)
{
    struct error why = { ERROR_NONE, "" };
    if (!retry_begins(comm, n, session->job->retries, err))
        return false;
    int status = source_reopen(session->source, &why);
    if (status < 0 && why.code == ERROR_SOURCE && !stop_is_wished())
        status = 0; /* not yet: the next try says so again */
    if (comm_agree(comm, status, &why) == 0)
        return true;
    *err = why;
    return false;
}

static int copy(struct job_session *session,
                struct comm *comm,
                const struct binding *wanted,
                bool quiet,
                struct error *err)
{
    struct meter meter;
    char path[4096];
    const struct team team = team_of(comm);
    const struct store_options options = {
        .team = &team,
        .force = true,
        .any_order = true,
        .progress = meter_show,
        .context = &meter,
    };
    snprintf(path, sizeof path, "%s%s", session->job->output, result_copy_ending);
    meter_init(&meter, comm, "reading the table", quiet || comm_rank(comm) > 0);
    int status = store_copy(&session->copy,
                            session->source,
                            session->job,
                            wanted,
                            session->binding.source_filter,
                            path,
                            &options,
                            &session->memory,
                            err);
    meter_end(&meter);
    return status;
}

int fetch_scan(struct job_session *session,
               struct comm *comm,
               bool quiet,
               struct error *err)
{
    struct binding *wanted = calloc(1, sizeof *wanted);
    struct statistics *statistics = NULL;
    int status = wanted ? bind_wanted(session, wanted, &statistics, err)
                        : error_set(err, ERROR_BUDGET, "no memory for the job");
    status = comm_agree(comm, status, err);
    for (int n = 0; status == 0; n++) {
        status = copy(session, comm, wanted, quiet, err);
        if (status == 0 || !tries_again(session, comm, n, err))
            break;
        status = 0;
    }
    if (status == 0) {
        source_rest(session->source);
        statistics_free(session->statistics);
        binding_release(&session->binding);
        session->statistics = statistics;
        session->binding = *wanted;
        session->reader = session->copy;
        status = source_bind(session->reader, &session->binding, err);
        status = comm_agree(comm, status, err);
        free(wanted);
    } else {
        free_wanted(wanted, statistics);
    }
    return status;
}

bool fetch_goes_on(struct job_session *session, struct comm *comm, struct error *err)
{
    bool may_help = err->code == ERROR_BUDGET || err->code == ERROR_IO
                    || err->code == ERROR_DATA || err->code == ERROR_USAGE;
    if (session->job->fetch != FETCH_AUTO || !may_help)
        return false;
    if (comm_rank(comm) == 0)
        log_warn("scan_failed", "going on by index, why=\"%s\"", err->text);
    int status = source_reopen(session->source, err);
    if (status == 0)
        status = source_bind(session->source, &session->binding, err);
    return comm_agree(comm, status, err) == 0;
}
