/*
 * Messages. A send copies its bytes and returns; the copy is freed when MPI has
 * delivered it, which is looked after at every later call. Alone, the letters are the
 * queue itself.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"

#include "world.h"

void comm_deliver(struct comm *comm, double timeout_s)
{
    if (!comm->is_mpi)
        return;
    double until_s = clock_wall_s() + timeout_s;
    struct nap nap = { 0 };
    for (;;) {
        struct letter **at = &comm->letters;
        while (*at) {
            struct letter *letter = *at;
            int done = 0;
            /* a failed send is as gone as a delivered one */
            int status = MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE);
            if (status == MPI_SUCCESS && !done) {
                at = &letter->next;
                continue;
            }
            *at = letter->next;
            free(letter);
        }
        double left_s = until_s - clock_wall_s();
        if (!comm->letters || left_s <= 0)
            return;
        comm_nap(&nap, left_s);
    }
}

int comm_send(struct comm *comm,
              int to,
              const void *bytes,
              int64_t n_bytes,
              struct error *err)
{
    if (to < 0 || to >= comm->size)
        return error_set(err, ERROR_INTERNAL, "no rank %d to send to", to);
    if (n_bytes < 0 || n_bytes > COMM_LARGEST)
        return error_set(err,
                         ERROR_BUDGET,
                         "a message of %lld bytes, %d are the most",
                         (long long)n_bytes,
                         COMM_LARGEST);
    comm_deliver(comm, 0);
    struct letter *letter = malloc(sizeof *letter + (size_t)n_bytes);
    if (!letter)
        return error_set(err,
                         ERROR_BUDGET,
                         "no memory for a message of %lld bytes",
                         (long long)n_bytes);
    *letter = (struct letter){ .request = MPI_REQUEST_NULL, .n_bytes = n_bytes };
    if (n_bytes > 0)
        memcpy(letter->bytes, bytes, (size_t)n_bytes);
    if (comm->is_mpi) {
        int status = MPI_Isend(letter->bytes,
                               (int)n_bytes,
                               MPI_BYTE,
                               to,
                               TAG_MESSAGE,
                               comm->messages,
                               &letter->request);
        if (comm_status(status, "MPI_Isend", err) < 0) {
            free(letter);
            return -1;
        }
    }
    struct letter **end = &comm->letters;
    while (*end)
        end = &(*end)->next;
    *end = letter;
    return 0;
}

static int too_long(int64_t n_bytes, int64_t capacity, struct error *err)
{
    return error_set(err,
                     ERROR_BUDGET,
                     "a message of %lld bytes came, there is room for %lld",
                     (long long)n_bytes,
                     (long long)capacity);
}

/* The first of the letters that this process sent to itself. */
static int take_letter(struct comm *comm,
                       int *from,
                       void *bytes,
                       int64_t capacity,
                       int64_t *n_bytes,
                       struct error *err)
{
    struct letter *letter = comm->letters;
    if (!letter)
        return 0;
    comm->letters = letter->next;
    int status = 1;
    if (letter->n_bytes > capacity) {
        status = too_long(letter->n_bytes, capacity, err);
    } else {
        if (letter->n_bytes > 0)
            memcpy(bytes, letter->bytes, (size_t)letter->n_bytes);
        *from = 0;
        *n_bytes = letter->n_bytes;
    }
    free(letter);
    return status;
}

/* Take a message that a probe saw; one that is too long is taken and dropped. */
static int take_message(struct comm *comm,
                        const MPI_Status *seen,
                        int *from,
                        void *bytes,
                        int64_t capacity,
                        int64_t *n_bytes,
                        struct error *err)
{
    int n = 0;
    if (comm_status(MPI_Get_count(seen, MPI_BYTE, &n), "MPI_Get_count", err) < 0)
        return -1;
    void *to = n > capacity ? malloc((size_t)n) : bytes;
    if (n > 0 && !to)
        return too_long(n, capacity, err);
    int status = MPI_Recv(to,
                          n,
                          MPI_BYTE,
                          seen->MPI_SOURCE,
                          TAG_MESSAGE,
                          comm->messages,
                          MPI_STATUS_IGNORE);
    if (n > capacity) {
        free(to);
        return too_long(n, capacity, err);
    }
    if (comm_status(status, "MPI_Recv", err) < 0)
        return -1;
    *from = seen->MPI_SOURCE;
    *n_bytes = n;
    return 1;
}

/* A message that is there: 1, 0 without one. */
static int look(struct comm *comm,
                int *from,
                void *bytes,
                int64_t capacity,
                int64_t *n_bytes,
                struct error *err)
{
    if (!comm->is_mpi)
        return take_letter(comm, from, bytes, capacity, n_bytes, err);
    int there = 0;
    MPI_Status seen;
    comm_deliver(comm, 0);
    int status = MPI_Iprobe(MPI_ANY_SOURCE, TAG_MESSAGE, comm->messages, &there, &seen);
    if (comm_status(status, "MPI_Iprobe", err) < 0)
        return -1;
    return there ? take_message(comm, &seen, from, bytes, capacity, n_bytes, err) : 0;
}

int comm_receive(struct comm *comm,
                 double timeout_s,
                 int *from,
                 void *bytes,
                 int64_t capacity,
                 int64_t *n_bytes,
                 struct error *err)
{
    double now_s = clock_wall_s(), until_s = now_s + timeout_s;
    /* calls with short timeouts are one long wait, unless there was work between them */
    if (now_s - comm->receiving.last_s > 0.02)
        comm->receiving = (struct nap){ .patient = true };
    for (;;) {
        int status = look(comm, from, bytes, capacity, n_bytes, err);
        if (status != 0) {
            comm->receiving = (struct nap){ .patient = true };
            return status;
        }
        double left_s = timeout_s > 0 ? until_s - clock_wall_s() : 0;
        if (left_s <= 0)
            return 0;
        comm_nap(&comm->receiving, left_s);
    }
}

/* Nothing but the envelope is sent, which needs no buffer to outlive the call. */
static void tell_all(struct comm *comm, int tag)
{
    for (int to = 0; to < comm->size; to++) {
        MPI_Request request;
        if (to != comm->rank
            && MPI_Isend(NULL, 0, MPI_BYTE, to, tag, comm->messages, &request)
                   == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
}

static bool is_told(struct comm *comm, int tag)
{
    int there = 0;
    MPI_Status seen;
    return MPI_Iprobe(MPI_ANY_SOURCE, tag, comm->messages, &there, &seen) == MPI_SUCCESS
           && there
           && MPI_Recv(NULL,
                       0,
                       MPI_BYTE,
                       seen.MPI_SOURCE,
                       tag,
                       comm->messages,
                       MPI_STATUS_IGNORE)
                  == MPI_SUCCESS;
}

void comm_tell(struct comm *comm)
{
    if (!comm->is_mpi || comm->is_broken || comm->has_told)
        return;
    comm->has_told = true;
    tell_all(comm, TAG_STOP);
}

bool comm_heard(struct comm *comm)
{
    if (comm->is_mpi && !comm->is_broken && !comm->has_heard)
        comm->has_heard = is_told(comm, TAG_STOP);
    return comm->has_heard;
}

/* The number of the agreement that is next is in the tag, so that what comes late, or from
 * several, is nobody's any more. */
void comm_fail(struct comm *comm)
{
    if (comm->is_mpi && !comm->is_broken)
        tell_all(comm, TAG_FAIL + comm->n_agreed);
}

bool comm_has_failed(struct comm *comm)
{
    if (comm->is_mpi && !comm->is_broken && !comm->has_failed)
        comm->has_failed = is_told(comm, TAG_FAIL + comm->n_agreed);
    return comm->has_failed;
}
