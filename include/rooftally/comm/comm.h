/*
 * Ranks, messages and agreement: the only MPI. It carries bytes and decides nothing.
 *
 * Outside of mpirun and srun there is one rank and no MPI is started (the one-process
 * twin); every call works there too, a send to oneself included.
 */
#ifndef ROOFTALLY_COMM_COMM_H
#define ROOFTALLY_COMM_COMM_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"

struct comm;

/*
 * Start. Settings that Open MPI 4.1 needs are put into the environment before MPI_Init
 * where the user has not chosen: io=romio321, mpi_yield_when_idle=1, and shared memory
 * where all ranks are on one host. Ranks on several hosts that srun started by PMIx wait a
 * second, unless SLURM_PMIX_FENCE is ring.
 * Returns 0, or -1 with ERROR_COMM.
 */
int comm_open(struct comm **comm, int *argc, char ***argv, struct error *err);
/* Which rank this process was started as; known also where comm_open has failed. */
int comm_launched_rank(void);
/* Ranks are on several hosts, and mpirun was started without keepalive: with one that is
 * cut off the ranks end, and mpirun may not. Nothing that is set from inside helps. */
bool comm_may_hang(void);

/*
 * Watch over the hosts, once: one that is gone, or cut off, is noticed within
 * COMM_SILENT_S by what the kernels say to each other, whatever the ranks are at, MPI
 * calls included. A rank that is slow, stopped or waiting is not taken for it. On one host
 * nothing is watched.
 *
 * lost     called on a thread of its own, on each rank that notices or is told; it has to
 *          end the process. rank and host are those that are gone as far as known here,
 *          and rank is -1 where another rank knows; turn is 0 where to speak of it, 1
 *          where another does.
 */
enum { COMM_SILENT_S = 20 };
typedef void comm_lost(int rank, const char *host, int turn);
void comm_watch(struct comm *comm, comm_lost *lost);
/* On rank 0: ranks that cannot be watched, because no network connects them to it. */
int comm_n_unwatched(const struct comm *comm);
void comm_close(struct comm *comm); /* collective */
/* End all ranks at once with this exit status: for main, when a rank cannot go on. A
 * launcher that does not answer is waited for some seconds. */
void comm_abort(struct comm *comm, int status);

/*
 * Bound the waits for other ranks: `until_s` is asked now and then during one, and says
 * until when (clock_wall_s) it may last, 0: for ever. A wait that ends so is ERROR_COMM,
 * and breaks the world: every later collective fails at once, comm_close does not wait,
 * and the process can only end by comm_abort.
 */
void comm_bound(struct comm *comm, double (*until_s)(void));

/*
 * One rank's wish to stop, for ranks that work each on its own until they next meet:
 * comm_tell tells all others, once, and a wait that has become bounded does so too;
 * comm_heard says whether one has told. Neither waits.
 */
void comm_tell(struct comm *comm);
bool comm_heard(struct comm *comm);

/*
 * One rank's failure, likewise: comm_fail tells all others, before it brings its error to the
 * next comm_agree; comm_has_failed says whether one has, until that comm_agree. Whoever
 * leaves his work for it brings COMM_FOLLOWS as his status. Neither waits.
 */
enum { COMM_FOLLOWS = -2 };
void comm_fail(struct comm *comm);
bool comm_has_failed(struct comm *comm);
bool comm_is_broken(const struct comm *comm);

int comm_rank(const struct comm *comm);
int comm_size(const struct comm *comm);
const char *comm_host(const struct comm *comm);
/* Of another rank: rank 0 knows, the others say "?". */
const char *comm_host_of(const struct comm *comm, int rank);
const char *comm_library(void); /* "Open MPI v4.1.4 ..." one line */

/* Send n_bytes to a rank; the bytes are free to reuse on return (buffered here, out of
 * the heap, freed when delivered). Messages between two ranks keep their order. Returns 0,
 * or -1 with ERROR_COMM or ERROR_BUDGET (no memory, over 2 GiB). */
int comm_send(struct comm *comm,
              int to,
              const void *bytes,
              int64_t n_bytes,
              struct error *err);

/*
 * Receive one message, sleeping while none is there: in naps of a twentieth of the wait
 * so far, from 1 to 5 ms, which take less than 2 % of a core.
 *
 * Returns  1 with *from, *n_bytes, 0 after timeout_s without one (0: only look), -1
 *          with ERROR_COMM, or ERROR_BUDGET when it is longer than capacity (it is then
 *          dropped)
 */
int comm_receive(struct comm *comm,
                 double timeout_s,
                 int *from,
                 void *bytes,
                 int64_t capacity,
                 int64_t *n_bytes,
                 struct error *err);

/* Collective, all of them; a rank that comes early sleeps until the last is there.
 * Counts beyond int are split inside, but for comm_exchange. Each returns 0, or -1 with
 * ERROR_COMM: MPI failed, or another rank does not answer; or with what it says here. */
int comm_broadcast(struct comm *comm, void *bytes, int64_t n_bytes, struct error *err);
/* The bytes of one rank to all. */
int comm_broadcast_from(struct comm *comm,
                        int from,
                        void *bytes,
                        int64_t n_bytes,
                        struct error *err);
int comm_sum(struct comm *comm, int64_t *values, int64_t n, struct error *err);
int comm_max(struct comm *comm, int64_t *values, int64_t n, struct error *err);
/* Bytes of every rank to rank 0, in rank order: counts[size] and, on rank 0, `out` with
 * room for all (ERROR_BUDGET on every rank when capacity is too small). */
int comm_gather(struct comm *comm,
                const void *bytes,
                int64_t n_bytes,
                void *out,
                int64_t capacity,
                int64_t *counts,
                struct error *err);
/* The same number of bytes of every rank to all, in rank order: all[size * n_bytes].
 * ERROR_BUDGET beyond 2 GiB of one. */
int comm_gather_all(struct comm *comm,
                    const void *mine,
                    int64_t n_bytes,
                    void *all,
                    struct error *err);
/* All to all: send_counts[size] bytes laid one after the other; receive likewise.
 * ERROR_BUDGET on every rank when the capacity of one is too small, or its bytes
 * exceed 2 GiB; nothing is then exchanged. */
int comm_exchange(struct comm *comm,
                  const void *send,
                  const int64_t *send_counts,
                  void *receive,
                  int64_t capacity,
                  int64_t *receive_counts,
                  struct error *err);

/*
 * Agree on a status: 0 only if every rank brought 0. Otherwise every rank gets -1 and
 * the error of the lowest failing rank, of those who do not follow if there is one.
 */
int comm_agree(struct comm *comm, int status, struct error *err);

#endif
