#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/h5/h5.h"

#include "world.h"

enum { LOOKS_AWAKE = 20, ABORT_S = 5 };
static const double LINE_S = 5; /* for all lines to be made */
static const double BARRIER_S = 1;
static const double SHORTEST_NAP_S = 50e-6, PATIENT_NAP_S = 1e-3, LONGEST_NAP_S = 5e-3;

int comm_status(int status, const char *call, struct error *err)
{
    if (status == MPI_SUCCESS)
        return 0;
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    MPI_Error_string(status, text, &n);
    return error_set(err, ERROR_COMM, "%s: %s", call, text);
}

void comm_nap(struct nap *nap, double most_s)
{
    double now_s = clock_wall_s();
    if (nap->n_looks == 0)
        nap->start_s = now_s;
    nap->last_s = now_s;
    if (nap->n_looks++ < LOOKS_AWAKE && !nap->patient) {
        sched_yield();
        return;
    }
    double nap_s = (now_s - nap->start_s) / 20;
    double shortest_s = nap->patient ? PATIENT_NAP_S : SHORTEST_NAP_S;
    nap_s = nap_s < shortest_s      ? shortest_s
            : nap_s > LONGEST_NAP_S ? LONGEST_NAP_S
                                    : nap_s;
    clock_sleep_s(nap_s < most_s ? nap_s : most_s);
}

bool comm_is_overdue(struct comm *comm)
{
    double until_s = comm->until_s ? comm->until_s() : 0;
    if (until_s > 0)
        comm_tell(comm);
    if (until_s > 0 && clock_wall_s() > until_s)
        comm->is_broken = true;
    return comm->is_broken;
}

int comm_wait(struct comm *comm,
              MPI_Request *request,
              const char *call,
              struct error *err)
{
    struct nap nap = { 0 };
    int status = MPI_SUCCESS, done = 0;
    while (!comm->is_broken) {
        status = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (status != MPI_SUCCESS || done)
            return comm_status(status, call, err);
        if (!comm_is_overdue(comm))
            comm_nap(&nap, LONGEST_NAP_S);
    }
    return error_set(err, ERROR_COMM, "another rank does not answer");
}

int comm_meet(struct comm *comm, struct error *err)
{
    MPI_Request request = MPI_REQUEST_NULL;
    if (!comm->is_mpi)
        return 0;
    int status =
        comm->is_broken ? MPI_SUCCESS : MPI_Ibarrier(comm->collectives, &request);
    if (comm_status(status, "MPI_Ibarrier", err) < 0)
        return -1;
    return comm_wait(comm, &request, "MPI_Ibarrier", err);
}

void comm_bound(struct comm *comm, double (*until_s)(void))
{
    comm->until_s = until_s;
}

bool comm_is_broken(const struct comm *comm)
{
    return comm->is_broken;
}

/* A launcher that can answer MPI_Init says so by one of these. SLURM_PROCID is no sign:
 * a batch script has it too. */
static const char *launched_as(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    rank = rank ? rank : getenv("PMIX_RANK");
    return rank ? rank : getenv("PMI_RANK");
}

int comm_launched_rank(void)
{
    const char *rank = launched_as();
    return rank ? atoi(rank) : 0;
}

/* On one host shared memory is all there is to choose; looking for the fabrics of other
 * hosts is two thirds of MPI_Init (0.48 s against 0.17 s with three ranks). */
static bool is_one_host(void)
{
    const char *all = getenv("OMPI_COMM_WORLD_SIZE");
    const char *here = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    return all && here && strcmp(all, here) == 0;
}

/* It is mpirun and its daemons that would see a silent host, and they have read their
 * settings long before this process was started; it inherits those that were given. */
bool comm_may_hang(void)
{
    return getenv("OMPI_MCA_orte_hnp_uri") && !is_one_host()
           && !getenv("OMPI_MCA_oob_tcp_keepalive_time");
}

/* OMPIO has hung with HDF5 on Lustre; ranks that share a core must let each other run.
 * The user's own choice stays. */
static void set_defaults(void)
{
    static const char *const defaults[][2] = {
        { "OMPI_MCA_io", "romio321" },
        { "OMPI_MCA_mpi_yield_when_idle", "1" },
    };
    /* what is not named is not loaded: hwloc asks ten X servers for their screens */
    static const char *const on_one_host[][2] = {
        { "OMPI_MCA_pml", "ob1" },
        { "OMPI_MCA_btl", "self,vader" },
        { "OMPI_MCA_osc", "sm" },
        { "OMPI_MCA_coll", "basic,libnbc,self,inter,tuned" },
        { "HWLOC_COMPONENTS", "linux,stop" },
    };
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        setenv(defaults[i][0], defaults[i][1], 0);
    if (!is_one_host() || getenv("OMPI_MCA_pml") || getenv("OMPI_MCA_btl"))
        return;
    for (size_t i = 0; i < sizeof on_one_host / sizeof *on_one_host; i++)
        setenv(on_one_host[i][0], on_one_host[i][1], 0);
}

/* MPI_Init ends with a barrier without data, for which Slurm's PMIx takes a tree; on fewer
 * nodes than TreeWidth, 50 where nobody has set it, its trees have one node each, and the
 * barrier keeps nobody (seen in 22.05, and so in the sources up to 24.05). A message to a
 * rank that is not so far makes Open MPI's TCP call a null pointer there. In a ring, which
 * our batch scripts ask for, all is well. */
static bool is_without_barrier(void)
{
    const char *space = getenv("PMIX_NAMESPACE"),
               *nodes = getenv("SLURM_STEP_NUM_NODES");
    const char *fence = getenv("SLURM_PMIX_FENCE");
    return space && strncmp(space, "slurm.pmix.", 11) == 0
           && !(nodes && strcmp(nodes, "1") == 0)
           && !(fence && strcmp(fence, "ring") == 0);
}

/* So that rank 0 can name the host of one that does not answer any more. */
static int gather_hosts(struct comm *comm, struct error *err)
{
    if (comm->rank == 0) {
        comm->hosts = calloc((size_t)comm->size, sizeof *comm->hosts);
        if (!comm->hosts)
            return error_set(err, ERROR_COMM, "no memory to start");
    }
    return comm_status(MPI_Gather(comm->host,
                                  COMM_HOST_BYTES,
                                  MPI_CHAR,
                                  comm->hosts,
                                  COMM_HOST_BYTES,
                                  MPI_CHAR,
                                  0,
                                  comm->collectives),
                       "MPI_Gather",
                       err);
}

/* What rank 0 tells the others before the lines are made. */
struct greeting {
    char first_host[COMM_HOST_BYTES];
    int32_t n_hosts; /* 2: or more */
    struct lifeline_offer offer;
};

static void greet(struct comm *comm, struct greeting *greeting, int *listener)
{
    memset(greeting, 0, sizeof *greeting);
    memcpy(greeting->first_host, comm->host, sizeof comm->host);
    greeting->n_hosts = 1;
    for (int rank = 1; rank < comm->size && greeting->n_hosts == 1; rank++)
        if (strcmp(comm->hosts[rank], comm->host) != 0)
            greeting->n_hosts = 2;
    if (greeting->n_hosts > 1)
        *listener = lifeline_offer(&greeting->offer);
}

/* A line between rank 0 and each other rank, where there is more than one host. */
static int make_lines(struct comm *comm, struct error *err)
{
    struct greeting greeting;
    int listener = -1;
    if (comm->rank == 0)
        greet(comm, &greeting, &listener);
    int status = MPI_Bcast(&greeting, sizeof greeting, MPI_BYTE, 0, comm->collectives);
    if (comm_status(status, "MPI_Bcast", err) < 0)
        return -1;
    memcpy(comm->first_host, greeting.first_host, sizeof comm->first_host);
    if (greeting.n_hosts == 1)
        return 0;
    comm->n_lines = comm->rank == 0 ? comm->size : 1;
    comm->lines = calloc((size_t)comm->n_lines, sizeof *comm->lines);
    if (!comm->lines)
        return error_set(err, ERROR_COMM, "no memory to start");
    if (comm->rank > 0)
        comm->lines[0] =
            lifeline_connect(&greeting.offer, comm->rank, &comm->turn, LINE_S);
    else
        comm->n_without_line = comm->size - 1
                               - lifeline_accept(listener,
                                                 &greeting.offer,
                                                 comm->lines,
                                                 comm->size,
                                                 LINE_S);
    return 0;
}

/* The thread is no other rank's: MPI itself is not called on it. */
static int start(struct comm *comm, int *argc, char ***argv, struct error *err)
{
    int provided;
    set_defaults();
    if (comm_status(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided),
                    "MPI_Init",
                    err)
        < 0)
        return -1;
    comm->is_mpi = true;
    if (provided < MPI_THREAD_FUNNELED)
        return error_set(err,
                         ERROR_COMM,
                         "this MPI was built without threads: use one that has them");
    launcher_hurry();
    if (is_without_barrier())
        clock_sleep_s(BARRIER_S); /* nothing better can be had without a message */
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &comm->size);
    if (comm_status(MPI_Comm_dup(MPI_COMM_WORLD, &comm->messages), "MPI_Comm_dup", err)
            < 0
        || comm_status(MPI_Comm_dup(MPI_COMM_WORLD, &comm->collectives),
                       "MPI_Comm_dup",
                       err)
               < 0)
        return -1;
    return gather_hosts(comm, err) < 0 ? -1 : make_lines(comm, err);
}

static void lose_line(void *context, int line)
{
    struct comm *comm = context;
    if (comm->rank == 0)
        comm->lost(line, comm->hosts[line], 0);
    else
        comm->lost(0, comm->first_host, comm->turn > 0);
}

static void hear_of_loss(void *context)
{
    struct comm *comm = context;
    comm->lost(-1, "", 1);
}

void comm_watch(struct comm *comm, comm_lost *lost)
{
    if (comm->n_lines == 0)
        return;
    comm->lost = lost;
    comm->watch =
        watch_start(comm->lines, comm->n_lines, lose_line, hear_of_loss, comm);
    if (!comm->watch && comm->rank == 0)
        comm->n_without_line = comm->size - 1;
    comm->n_lines = 0; /* the watch has them */
}

int comm_n_unwatched(const struct comm *comm)
{
    return comm->n_without_line;
}

static void release(struct comm *comm)
{
    for (int i = 0; i < comm->n_lines; i++)
        if (comm->lines[i] >= 0)
            close(comm->lines[i]);
    free(comm->lines);
    free(comm->hosts);
    free(comm);
}

int comm_open(struct comm **comm, int *argc, char ***argv, struct error *err)
{
    struct comm *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, ERROR_COMM, "no memory to start");
    h5_silence(); /* before MPI_Init, see there */
    c->size = 1;
    c->messages = c->collectives = MPI_COMM_NULL;
    gethostname(c->host, sizeof c->host - 1);
    if (launched_as() && start(c, argc, argv, err) < 0) {
        release(c);
        return -1;
    }
    *comm = c;
    return 0;
}

void comm_close(struct comm *comm)
{
    if (!comm)
        return;
    if (!comm->is_broken)
        comm_deliver(comm, 5);
    if (comm->is_mpi && comm_meet(comm, NULL) == 0) { /* MPI_Finalize waits awake */
        MPI_Comm_free(&comm->messages);
        MPI_Comm_free(&comm->collectives);
        MPI_Finalize();
    }
    /* of a broken world, MPI itself may still be reading them */
    while (comm->letters && !comm->is_broken) {
        struct letter *next = comm->letters->next;
        free(comm->letters);
        comm->letters = next;
    }
    watch_stop(comm->watch);
    release(comm);
}

static int abort_status;

static void end_now(int number)
{
    (void)number;
    _exit(abort_status);
}

void comm_abort(struct comm *comm, int status)
{
    const struct sigaction action = { .sa_handler = end_now };
    abort_status = status;
    sigaction(SIGALRM, &action, NULL);
    alarm(ABORT_S);
    if (comm && comm->is_mpi)
        MPI_Abort(MPI_COMM_WORLD, status);
    _exit(status);
}

int comm_rank(const struct comm *comm)
{
    return comm->rank;
}

int comm_size(const struct comm *comm)
{
    return comm->size;
}

const char *comm_host(const struct comm *comm)
{
    return comm->host;
}

const char *comm_host_of(const struct comm *comm, int rank)
{
    return comm->hosts ? comm->hosts[rank] : rank == comm->rank ? comm->host : "?";
}

/* The library says "Open MPI v4.1.4, package: ..., ident: ...": up to the first comma. */
const char *comm_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int n = 0;
    if (!*text) {
        MPI_Get_library_version(text, &n);
        text[strcspn(text, ",\n")] = '\0';
    }
    return text;
}
