/*
 * Collectives. Each begins with comm_meet, which waits asleep for the last rank; the call
 * behind it is short, because all are there. A rank that shares its core may be
 * kept from it all the same, so what is small waits asleep for that too, instead of
 * taking the core that the other rank needs.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* MPI's own buffers for a reduction are as long as the call: keep it short. */
enum { REDUCE_VALUES = 1 << 16 };

/* The other ranks are in the same call: no bound. */
static int finish(MPI_Request *request, const char *call, struct error *err)
{
    struct nap nap = { 0 };
    int status = MPI_SUCCESS, done = 0;
    while ((status = MPI_Test(request, &done, MPI_STATUS_IGNORE)) == MPI_SUCCESS
           && !done)
        comm_nap(&nap, 1);
    return comm_status(status, call, err);
}

static int
broadcast(struct comm *comm, void *bytes, int n_bytes, int from, struct error *err)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int status =
        MPI_Ibcast(bytes, n_bytes, MPI_BYTE, from, comm->collectives, &request);
    if (comm_status(status, "MPI_Ibcast", err) < 0)
        return -1;
    return finish(&request, "MPI_Ibcast", err);
}

int comm_broadcast(struct comm *comm, void *bytes, int64_t n_bytes, struct error *err)
{
    return comm_broadcast_from(comm, 0, bytes, n_bytes, err);
}

int comm_broadcast_from(struct comm *comm,
                        int from,
                        void *bytes,
                        int64_t n_bytes,
                        struct error *err)
{
    if (!comm->is_mpi)
        return 0;
    if (comm_meet(comm, err) < 0)
        return -1;
    for (int64_t at = 0; at < n_bytes; at += COMM_LARGEST) {
        int64_t n = n_bytes - at < COMM_LARGEST ? n_bytes - at : COMM_LARGEST;
        if (broadcast(comm, (char *)bytes + at, (int)n, from, err) < 0)
            return -1;
    }
    return 0;
}

static int
reduce(struct comm *comm, int64_t *values, int64_t n, MPI_Op op, struct error *err)
{
    if (!comm->is_mpi)
        return 0;
    if (comm_meet(comm, err) < 0)
        return -1;
    for (int64_t at = 0; at < n; at += REDUCE_VALUES) {
        int64_t n_now = n - at < REDUCE_VALUES ? n - at : REDUCE_VALUES;
        MPI_Request request = MPI_REQUEST_NULL;
        int status = MPI_Iallreduce(MPI_IN_PLACE,
                                    values + at,
                                    (int)n_now,
                                    MPI_INT64_T,
                                    op,
                                    comm->collectives,
                                    &request);
        if (comm_status(status, "MPI_Iallreduce", err) < 0
            || finish(&request, "MPI_Iallreduce", err) < 0)
            return -1;
    }
    return 0;
}

int comm_sum(struct comm *comm, int64_t *values, int64_t n, struct error *err)
{
    return reduce(comm, values, n, MPI_SUM, err);
}

int comm_max(struct comm *comm, int64_t *values, int64_t n, struct error *err)
{
    return reduce(comm, values, n, MPI_MAX, err);
}

static int
send_parts(struct comm *comm, const char *bytes, int64_t n, struct error *err)
{
    for (int64_t at = 0; at < n; at += COMM_LARGEST) {
        int64_t n_now = n - at < COMM_LARGEST ? n - at : COMM_LARGEST;
        int status = MPI_Send(bytes + at,
                              (int)n_now,
                              MPI_BYTE,
                              0,
                              TAG_GATHER,
                              comm->collectives);
        if (comm_status(status, "MPI_Send", err) < 0)
            return -1;
    }
    return 0;
}

static int
receive_parts(struct comm *comm, int from, char *out, int64_t n, struct error *err)
{
    for (int64_t at = 0; at < n; at += COMM_LARGEST) {
        int64_t n_now = n - at < COMM_LARGEST ? n - at : COMM_LARGEST;
        int status = MPI_Recv(out + at,
                              (int)n_now,
                              MPI_BYTE,
                              from,
                              TAG_GATHER,
                              comm->collectives,
                              MPI_STATUS_IGNORE);
        if (comm_status(status, "MPI_Recv", err) < 0)
            return -1;
    }
    return 0;
}

int comm_gather(struct comm *comm,
                const void *bytes,
                int64_t n_bytes,
                void *out,
                int64_t capacity,
                int64_t *counts,
                struct error *err)
{
    counts[0] = n_bytes;
    if (comm->is_mpi) {
        if (comm_meet(comm, err) < 0)
            return -1;
        int status = MPI_Allgather(&n_bytes,
                                   1,
                                   MPI_INT64_T,
                                   counts,
                                   1,
                                   MPI_INT64_T,
                                   comm->collectives);
        if (comm_status(status, "MPI_Allgather", err) < 0)
            return -1;
        status = MPI_Bcast(&capacity, 1, MPI_INT64_T, 0, comm->collectives);
        if (comm_status(status, "MPI_Bcast", err) < 0)
            return -1;
    }
    int64_t total = 0;
    for (int rank = 0; rank < comm->size; rank++)
        total += counts[rank];
    if (total > capacity)
        return error_set(err,
                         ERROR_BUDGET,
                         "%lld bytes to gather, there is room for %lld",
                         (long long)total,
                         (long long)capacity);
    if (comm->rank > 0)
        return send_parts(comm, bytes, n_bytes, err);
    if (n_bytes > 0)
        memcpy(out, bytes, (size_t)n_bytes);
    char *to = (char *)out + n_bytes;
    for (int rank = 1; rank < comm->size; to += counts[rank], rank++)
        if (receive_parts(comm, rank, to, counts[rank], err) < 0)
            return -1;
    return 0;
}

int comm_gather_all(struct comm *comm,
                    const void *mine,
                    int64_t n_bytes,
                    void *all,
                    struct error *err)
{
    if (!comm->is_mpi) {
        if (n_bytes > 0)
            memcpy(all, mine, (size_t)n_bytes);
        return 0;
    }
    if (n_bytes > INT_MAX)
        return error_set(err,
                         ERROR_BUDGET,
                         "%lld bytes are too many to gather",
                         (long long)n_bytes);
    if (comm_meet(comm, err) < 0)
        return -1;
    int status = MPI_Allgather(mine,
                               (int)n_bytes,
                               MPI_BYTE,
                               all,
                               (int)n_bytes,
                               MPI_BYTE,
                               comm->collectives);
    return comm_status(status, "MPI_Allgather", err);
}

/* Offsets of pieces laid one after the other, as the ints that MPI wants. */
static int64_t lay(const int64_t *counts, int size, int *n, int *at)
{
    int64_t total = 0;
    for (int rank = 0; rank < size; rank++) {
        if (total + counts[rank] <= INT_MAX) {
            n[rank] = (int)counts[rank];
            at[rank] = (int)total;
        }
        total += counts[rank];
    }
    return total;
}

static int exchange_over_mpi(struct comm *comm,
                             const void *send,
                             const int64_t *send_counts,
                             void *receive,
                             int64_t capacity,
                             int64_t *receive_counts,
                             struct error *err)
{
    int result = -1;
    size_t size = (size_t)comm->size;
    int *ints = calloc(4 * size, sizeof *ints);
    int64_t short_of[2] = { ints ? 0 : 1, 0 };
    if (comm_meet(comm, err) < 0)
        goto out;
    int status = MPI_Alltoall(send_counts,
                              1,
                              MPI_INT64_T,
                              receive_counts,
                              1,
                              MPI_INT64_T,
                              comm->collectives);
    if (comm_status(status, "MPI_Alltoall", err) < 0)
        goto out;
    int64_t total = 0;
    if (ints) {
        int64_t sent = lay(send_counts, comm->size, ints, ints + size);
        total = lay(receive_counts, comm->size, ints + 2 * size, ints + 3 * size);
        if (sent > INT_MAX || total > INT_MAX || total > capacity)
            short_of[0] = 1;
        if (total > capacity)
            short_of[1] = total;
    }
    status = MPI_Allreduce(MPI_IN_PLACE,
                           short_of,
                           2,
                           MPI_INT64_T,
                           MPI_MAX,
                           comm->collectives);
    if (comm_status(status, "MPI_Allreduce", err) < 0)
        goto out;
    if (short_of[0]) {
        error_set(err,
                  ERROR_BUDGET,
                  "ranks exchange %lld bytes, there is room for %lld",
                  (long long)(short_of[1] ? short_of[1] : total),
                  (long long)capacity);
        goto out;
    }
    status = MPI_Alltoallv(send,
                           ints,
                           ints + size,
                           MPI_BYTE,
                           receive,
                           ints + 2 * size,
                           ints + 3 * size,
                           MPI_BYTE,
                           comm->collectives);
    result = comm_status(status, "MPI_Alltoallv", err);
out:
    free(ints);
    return result;
}

int comm_exchange(struct comm *comm,
                  const void *send,
                  const int64_t *send_counts,
                  void *receive,
                  int64_t capacity,
                  int64_t *receive_counts,
                  struct error *err)
{
    if (comm->is_mpi)
        return exchange_over_mpi(comm,
                                 send,
                                 send_counts,
                                 receive,
                                 capacity,
                                 receive_counts,
                                 err);
    if (send_counts[0] > capacity)
        return error_set(err,
                         ERROR_BUDGET,
                         "ranks exchange %lld bytes, there is room for %lld",
                         (long long)send_counts[0],
                         (long long)capacity);
    receive_counts[0] = send_counts[0];
    if (send_counts[0] > 0)
        memcpy(receive, send, (size_t)send_counts[0]);
    return 0;
}

/* The one call is meeting and agreement: nothing else is done so often. */
int comm_agree(struct comm *comm, int status, struct error *err)
{
    MPI_Request request = MPI_REQUEST_NULL;
    if (!comm->is_mpi)
        return status < 0 ? -1 : 0;
    if (comm->is_broken)
        return comm_meet(comm, err);
    comm->has_failed = false;
    comm->n_agreed = (comm->n_agreed + 1) % N_FAIL_TAGS;
    comm->lowest = status == COMM_FOLLOWS ? comm->size + comm->rank
                   : status < 0           ? comm->rank
                                          : 2 * comm->size;
    int sent = MPI_Iallreduce(MPI_IN_PLACE,
                              &comm->lowest,
                              1,
                              MPI_INT,
                              MPI_MIN,
                              comm->collectives,
                              &request);
    if (comm_status(sent, "MPI_Iallreduce", err) < 0
        || comm_wait(comm, &request, "MPI_Iallreduce", err) < 0)
        return -1;
    if (comm->lowest == 2 * comm->size)
        return 0;
    int teller = comm->lowest % comm->size;
    struct error said = { .code = ERROR_INTERNAL, .text = "failed without an error" };
    if (comm->rank == teller && err && err->code != ERROR_NONE)
        said = *err;
    if (broadcast(comm, &said, sizeof said, teller, err) < 0)
        return -1;
    if (err)
        *err = said;
    return -1;
}
