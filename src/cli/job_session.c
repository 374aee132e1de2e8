#include "job_session.h"

#include <inttypes.h>
#include <stdio.h>

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
    return memory_init(&session->memory, session->job->memory_bytes, err);
}

int job_session_check_source(const struct job_session *session, struct error *err)
{
    const struct job *job = session->job;
    if (job->kind != SOURCE_VECTOR)
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "[source] kind = vector: stage it first: rooftally stage %.50s -o "
                     "STORE; then add: --set source.kind=store --set source.path=STORE",
                     job->path);
}

int job_session_open(struct job_session *session,
                     const char *snapshot,
                     int rank,
                     bool (*stop)(void *context),
                     void *stop_context,
                     struct error *err)
{
    const struct job *job = session->job;
    if (geos_open(&session->geos, err) < 0
        || source_open(&session->source, job, snapshot, rank, stop, stop_context, err)
               < 0)
        return -1;
    const struct source_schema *schema = source_schema(session->source);
    if (binding_init(&session->binding, job, &schema->buildings, err) < 0)
        return -1;
    session->bound = true;
    session->binding.id_type = schema->building_id_type;
    if (statistics_bind(&session->statistics, job, &session->binding, err) < 0)
        return -1;
    return source_bind(session->source, &session->binding, err);
}

static int
check_connections(const struct job_session *session, int n_ranks, struct error *err)
{
    int64_t n_free;
    if (source_connections(session->source, &n_free, err) < 0)
        return -1;
    if (n_free < 0 || n_ranks <= n_free)
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "%d ranks need as many connections, and the server has %" PRId64
                     " free: start fewer ranks, or raise its max_connections",
                     n_ranks,
                     n_free);
}

int job_session_open_all(struct job_session *session,
                         struct comm *comm,
                         char snapshot[SNAPSHOT_BYTES],
                         bool (*stop)(void *context),
                         void *stop_context,
                         struct error *err)
{
    int rank = comm_rank(comm), status = 0;
    snprintf(snapshot, SNAPSHOT_BYTES, "%s", "");
    if (rank == 0) {
        status = job_session_open(session, NULL, 0, stop, stop_context, err);
        if (status == 0)
            status = check_connections(session, comm_size(comm), err);
        if (status == 0)
            snprintf(snapshot, SNAPSHOT_BYTES, "%s", source_snapshot(session->source));
    }
    if (comm_agree(comm, status, err) < 0
        || comm_broadcast(comm, snapshot, SNAPSHOT_BYTES, err) < 0)
        return -1;
    if (rank > 0)
        status = job_session_open(session, snapshot, rank, stop, stop_context, err);
    return comm_agree(comm, status, err);
}

void job_session_close(struct job_session *session)
{
    source_close(session->source);
    statistics_free(session->statistics);
    if (session->bound)
        binding_release(&session->binding);
    geos_close(session->geos);
    memory_release(&session->memory);
    job_close(session->job);
    *session = (struct job_session){ 0 };
}
