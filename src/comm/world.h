/* What the files of this room share: the communicators, and how to wait asleep. */
#ifndef ROOFTALLY_COMM_WORLD_H
#define ROOFTALLY_COMM_WORLD_H

#include <mpi.h>

#include "rooftally/comm/comm.h"

#include "lifeline.h"

enum tag { TAG_MESSAGE = 1, TAG_GATHER, TAG_STOP, TAG_FAIL }; /* and those behind it */
enum { N_FAIL_TAGS = 16384 }; /* with TAG_FAIL under 32767, which any MPI takes */

/* One message on its way: sent and not yet delivered, or (alone) not yet received. */
struct letter {
    struct letter *next;
    MPI_Request request;
    int64_t n_bytes;
    char bytes[];
};

/* Naps between looks: none for the first few, then a twentieth of the time waited so
 * far, from 50 us to 5 ms. So a wait is at most that much longer than it need be, and a
 * long one takes half a per cent of a core. */
struct nap {
    bool patient; /* naps are 1 ms at least, and the first look is followed by one */
    int n_looks;
    double start_s, last_s;
};

enum { COMM_HOST_BYTES = 64 };

struct comm {
    bool is_mpi;
    int rank, size;
    char host[COMM_HOST_BYTES];
    char (*hosts)[COMM_HOST_BYTES]; /* [size] on rank 0 of several, else NULL */
    MPI_Comm messages;              /* send and receive */
    MPI_Comm collectives;           /* everything else, HDF5 included */
    struct letter *letters;         /* in the order they were sent */
    struct nap receiving;    /* since the last message; patient: units are sent ahead */
    double (*until_s)(void); /* of comm_bound; NULL: no bound */
    int lowest;              /* of comm_agree: the lowest rank that failed */
    int n_agreed;            /* the same on all ranks between two of these */
    bool is_broken;
    bool has_told, has_heard; /* of a wish to stop */
    bool has_failed;          /* another rank, since the last agreement */

    char first_host[COMM_HOST_BYTES]; /* of rank 0 */
    int *lines;                       /* [n_lines] to rank `line`, or to rank 0 */
    int n_lines, n_without_line;      /* none on one host */
    int32_t turn;
    struct watch *watch;
    comm_lost *lost;
};

enum { COMM_LARGEST = 1 << 30 }; /* bytes in one MPI call; fits int */

/* ERROR_COMM with MPI's own text when status is a failure; 0 or -1. */
int comm_status(int status, const char *call, struct error *err);

/* Sleep before the next look, for at most most_s. */
void comm_nap(struct nap *nap, double most_s);

/* Once MPI has started: the connection to the launcher's daemon sends small messages at
 * once. Where MPI ends four go there in a row, with one answer at the end, and PMIx leaves
 * the kernel to hold the second until the first is acknowledged, which takes 40 ms. */
void launcher_hurry(void);

/* A wait may last no longer: marks the world as broken. */
bool comm_is_overdue(struct comm *comm);

/* Wait asleep until the request of `call` is done; ERROR_COMM when that takes longer than
 * it may. What such a wait leaves is never looked at again, but MPI may still write to
 * its buffers: they have to outlive it. */
int comm_wait(struct comm *comm,
              MPI_Request *request,
              const char *call,
              struct error *err);

/* Wait asleep until every rank has come here, so that the call that follows meets all of
 * them; ERROR_COMM as comm_wait. */
int comm_meet(struct comm *comm, struct error *err);

/* Free the letters that have been delivered; waits up to timeout_s for the others. */
void comm_deliver(struct comm *comm, double timeout_s);

#endif
