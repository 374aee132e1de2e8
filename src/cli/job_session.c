#include "job_session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/file.h"
#include "rooftally/base/log.h"

#include "hint.h"

int job_session_read(struct job_session *session,
                     const struct options *options,
                     struct error *err)
{
    *session = (struct job_session){ 0 };
    if (job_open(&session->job,
                 options->job_path,
                 options->overrides,
                 options->n_overrides,
                 err)
        < 0)
        return -1;
    if (memory_init(&session->memory, session->job->memory_bytes, err) == 0)
        return 0;
    return error_prefix(err, "[limits] memory");
}

int job_session_check_source(const struct job_session *session,
                             const struct options *options,
                             const char *command,
                             struct error *err)
{
    if (session->job->kind != SOURCE_VECTOR)
        return 0;
    char *hint = hint_stage(options, command);
    if (hint && strlen(hint) > ERROR_TEXT_BYTES - 200) { /* half a command is none */
        free(hint);
        hint = NULL;
    }
    error_set(err,
              ERROR_USAGE,
              "[source] kind = vector: files have to be staged first: %s",
              hint ? hint : "rooftally stage JOB -o STORE");
    free(hint);
    return -1;
}

int job_session_check_output(const struct job_session *session,
                             const char *output,
                             struct error *err)
{
    const struct job *job = session->job;
    bool is_store = job->kind == SOURCE_STORE, is_vector = job->kind == SOURCE_VECTOR;
    const struct {
        const char *path, *what;
    } inputs[] = {
        { job->path, "the job file" },
        { is_store ? job->store_path : "", "the store that the job reads" },
        { is_vector ? job->zone_path : "", "the file that zones are read from" },
        { is_vector ? job->building_path : "",
          "the file that buildings are read from" },
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        if (file_is_same(output, inputs[i].path))
            return error_set(err,
                             ERROR_USAGE,
                             "output %s is %s: choose another output",
                             output,
                             inputs[i].what);
    return 0;
}

static int reach(struct job_session *session,
                 int rank,
                 bool (*stop)(void *context),
                 void *stop_context,
                 struct error *err)
{
    if (geos_open(&session->geos, err) < 0)
        return -1;
    if (source_reach(&session->source, session->job, rank, stop, stop_context, err)
        == 0) {
        const struct source_schema *schema = source_schema(session->source);
        if (!schema->zone_id)
            return 0;
        return job_take_ids(session->job, schema->zone_id, schema->building_id, err);
    }
    bool has_place = session->job->kind != SOURCE_STORE || *err->text == '[';
    return has_place ? -1 : error_prefix(err, "[source] path");
}

const char *job_session_other_where(const struct job_session *session)
{
    const char *where = source_schema(session->source)->building_where;
    return where && strcmp(where, session->job->where_text) != 0 ? where : NULL;
}

void job_session_tell_crs(const struct job_session *session)
{
    const char *crs = source_schema(session->source)->crs_definition;
    if (!crs || !*crs)
        log_warn("no_crs", "coordinates are taken as metres in a plane");
}

/* Fields and statistics to the open source. */
static int bind(struct job_session *session, struct error *err)
{
    const struct source_schema *schema = source_schema(session->source);
    if (binding_init(&session->binding, session->job, &schema->buildings, err) < 0)
        return -1;
    session->bound = true;
    session->reader = session->source;
    session->binding.id_type = schema->building_id_type;
    if (statistics_bind(&session->statistics, session->job, &session->binding, err) < 0)
        return -1;
    return source_bind(session->source, &session->binding, err);
}

static int enter(struct job_session *session, struct error *err)
{
    return source_enter(session->source, NULL, err) < 0 ? -1 : bind(session, err);
}

int job_session_open(struct job_session *session, struct error *err)
{
    if (reach(session, 0, NULL, NULL, err) < 0)
        return -1;
    return enter(session, err);
}

int job_session_check_ranks(int n_ranks, int64_t n_free, struct error *err)
{
    if (n_free < 0 || n_ranks <= n_free)
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "%d ranks need as many connections, and the server has %" PRId64
                     " free for them: start fewer ranks, or raise max_connections, or "
                     "the CONNECTION LIMIT of the role or the database",
                     n_ranks,
                     n_free);
}

static int
check_connections(const struct job_session *session, int n_ranks, struct error *err)
{
    int64_t n_free;
    if (source_connections(session->source, &n_free, err) < 0)
        return -1;
    return job_session_check_ranks(n_ranks, n_free, err);
}

/* What the first rank has (heap), everywhere; `status` is its own so far. Collective and agreed. */
static int share(struct comm *comm,
                 int status,
                 uint8_t **bytes,
                 int64_t *n_bytes,
                 struct error *err)
{
    if (comm_agree(comm, status, err) < 0
        || comm_broadcast(comm, n_bytes, sizeof *n_bytes, err) < 0)
        return -1;
    if (comm_rank(comm) > 0 && !(*bytes = malloc((size_t)*n_bytes + 1)))
        status = error_set(err, ERROR_BUDGET, "no memory for what rank 0 tells");
    if (comm_agree(comm, status, err) < 0)
        return -1;
    return comm_broadcast(comm, *bytes, *n_bytes, err);
}

/* A text of the first rank (heap), everywhere. Collective and agreed. */
static int
share_text(struct comm *comm, const char *own, char **first, struct error *err)
{
    uint8_t *bytes = NULL;
    int64_t n_bytes = 0;
    int status = 0;
    if (comm_rank(comm) == 0) {
        n_bytes = (int64_t)strlen(own) + 1;
        bytes = (uint8_t *)strdup(own);
        status = bytes ? 0 : error_set(err, ERROR_BUDGET, "no memory for a text");
    }
    status = share(comm, status, &bytes, &n_bytes, err);
    *first = (char *)bytes;
    return status;
}

/* Every rank reads the job by itself: out of a file that is not the same on every host, or with
 * options that it alone was started with, one result would come of several jobs; and all retry
 * together. */
static int
compare_jobs(const struct job_session *session, struct comm *comm, struct error *err)
{
    const struct job *job = session->job;
    char *own = NULL, *first = NULL, differs[400];
    int status = 0;
    if (asprintf(&own,
                 "%s[job] output = %s\n[limits] retries = %d\n",
                 job->identity,
                 job->output,
                 job->retries)
        < 0) {
        own = NULL;
        status = error_set(err, ERROR_BUDGET, "no memory for a job");
    }
    if (comm_agree(comm, status, err) < 0 || share_text(comm, own, &first, err) < 0)
        status = -1;
    else if (job_identity_differs(first, own, differs, sizeof differs))
        status = error_set(err,
                           ERROR_USAGE,
                           "rank %d on %s has another job than rank 0: %s: start all "
                           "ranks with the same file and options",
                           comm_rank(comm),
                           comm_host(comm),
                           differs);
    free(first);
    free(own);
    return comm_agree(comm, status, err);
}

/* The same of a source that every rank opens by itself, and that knows by what it goes. */
static int compare_sources(const struct source_schema *schema,
                           struct comm *comm,
                           struct error *err)
{
    char *first = NULL;
    int status = share_text(comm, schema->identity, &first, err);
    if (status == 0 && *schema->identity && strcmp(first, schema->identity) != 0)
        status = error_set(err,
                           ERROR_USAGE,
                           "[source] path: rank %d on %s reads %s, and rank 0 %s: give "
                           "all ranks the same store",
                           comm_rank(comm),
                           comm_host(comm),
                           schema->identity,
                           first);
    free(first);
    return comm_agree(comm, status, err);
}

static int follow(struct job_session *session, struct comm *comm, struct error *err)
{
    uint8_t *bytes = NULL;
    int64_t n_bytes = 0;
    int status = 0;
    if (compare_sources(source_schema(session->source), comm, err) < 0)
        return -1;
    if (comm_rank(comm) == 0)
        status = source_encode(session->source, &bytes, &n_bytes, err);
    status = share(comm, status, &bytes, &n_bytes, err);
    if (status == 0) {
        if (comm_rank(comm) > 0)
            status = source_follow(session->source, bytes, n_bytes, err) < 0
                         ? -1
                         : bind(session, err);
        status = comm_agree(comm, status, err);
    }
    free(bytes);
    return status;
}

void job_session_leave(struct job_session *session)
{
    source_close(session->copy);
    statistics_free(session->statistics);
    if (session->bound)
        binding_release(&session->binding);
    free(session->columns.columns);
    source_close(session->source);
    geos_close(session->geos);
    *session = (struct job_session){ .job = session->job, .memory = session->memory };
}

int job_session_open_all(struct job_session *session,
                         struct comm *comm,
                         const struct opening *opening,
                         struct error *err)
{
    bool is_first = comm_rank(comm) == 0;
    int status = 0;
    if (!opening->again && compare_jobs(session, comm, err) < 0)
        return -1;
    if (is_first) {
        status = reach(session, 0, opening->stop, opening->stop_context, err);
        if (status == 0 && !opening->again)
            status = check_connections(session, comm_size(comm), err);
    }
    if (comm_agree(comm, status, err) < 0)
        return -1;
    if (is_first) {
        status = enter(session, err);
        if (status == 0 && opening->meanwhile)
            status = opening->meanwhile(opening->meanwhile_context, err);
    } else {
        status =
            reach(session, comm_rank(comm), opening->stop, opening->stop_context, err);
    }
    return comm_agree(comm, status, err) < 0 ? -1 : follow(session, comm, err);
}

void job_session_close(struct job_session *session)
{
    job_session_leave(session);
    memory_release(&session->memory);
    job_close(session->job);
    *session = (struct job_session){ 0 };
}
