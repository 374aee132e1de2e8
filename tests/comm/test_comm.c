/*
 * Alone, the one-process twin. With arguments, what tests/mpi/comm.sh runs under mpirun:
 *     comm_test_comm ranks N    messages and collectives among all ranks
 *     comm_test_comm missing    a rank that does not come: exit status 3
 *     comm_test_comm idle       processor time of ranks that wait, printed
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "rooftally/base/clock.h"
#include "rooftally/comm/comm.h"
#include "rooftally/comm/file.h"

#define CHECK(what)                                                                    \
    do {                                                                               \
        if (!(what)) {                                                                 \
            fprintf(stderr,                                                            \
                    "rank %d: line %d: %s\n",                                          \
                    comm_rank(comm),                                                   \
                    __LINE__,                                                          \
                    #what);                                                            \
            comm_abort(comm, 1);                                                       \
        }                                                                              \
    } while (0)

/* Every rank sends to every rank, itself included; order between two ranks is kept. */
static void exchange_messages(struct comm *comm)
{
    enum { N = 200 };
    int size = comm_size(comm), next[64] = { 0 };
    for (int i = 0; i < N; i++)
        for (int to = 0; to < size; to++) {
            int32_t message[2] = { comm_rank(comm), i };
            CHECK(comm_send(comm, to, message, sizeof message, NULL) == 0);
        }
    for (int i = 0; i < N * size; i++) {
        int from = -1;
        int64_t n = -1;
        int32_t message[2] = { -1, -1 };
        CHECK(comm_receive(comm, 30, &from, message, sizeof message, &n, NULL) == 1);
        CHECK(n == sizeof message && message[0] == from);
        CHECK(message[1] == next[from]++);
    }
    int from = -7;
    int64_t n = -7;
    char none[8];
    CHECK(comm_agree(comm, 0, NULL) == 0);
    CHECK(comm_receive(comm, 0, &from, none, sizeof none, &n, NULL) == 0);
    CHECK(from == -7 && n == -7);
    CHECK(comm_agree(comm, 0, NULL) == 0); /* before anybody sends what comes next */
}

/* Longer than the eager limit of any transport, and one that does not fit. */
static void send_long_ones(struct comm *comm)
{
    enum { N = 3 * 1024 * 1024 };
    int rank = comm_rank(comm), size = comm_size(comm), from;
    int64_t n;
    struct error err = { 0 };
    char *bytes = malloc(N + 1);
    memset(bytes, rank, N + 1);
    CHECK(comm_send(comm, (rank + 1) % size, bytes, N, NULL) == 0);
    CHECK(comm_send(comm, (rank + 1) % size, bytes, N + 1, NULL) == 0);
    CHECK(comm_send(comm, (rank + 1) % size, NULL, 0, NULL) == 0);
    memset(bytes, 99, N);
    CHECK(comm_receive(comm, 30, &from, bytes, N, &n, NULL) == 1);
    CHECK(n == N && from == (rank + size - 1) % size && bytes[N - 1] == from);
    CHECK(comm_receive(comm, 30, &from, bytes, N, &n, &err) == -1);
    CHECK(err.code == ERROR_BUDGET);
    /* the one that did not fit is gone, the next is not */
    CHECK(comm_receive(comm, 30, &from, bytes, 0, &n, NULL) == 1 && n == 0);
    CHECK(comm_send(comm, size, bytes, 1, &err) == -1);
    free(bytes);
}

static void combine(struct comm *comm)
{
    enum { N = 100001 }; /* more than one piece of a reduction */
    int rank = comm_rank(comm), size = comm_size(comm);
    int64_t *values = malloc(N * sizeof *values), word = 0;
    for (int i = 0; i < N; i++)
        values[i] = i + rank;
    CHECK(comm_sum(comm, values, N, NULL) == 0);
    for (int i = 0; i < N; i++)
        CHECK(values[i] == (int64_t)i * size + size * (size - 1) / 2);
    for (int i = 0; i < N; i++)
        values[i] = i % size == rank ? i : -i;
    CHECK(comm_max(comm, values, N, NULL) == 0);
    for (int i = 0; i < N; i++)
        CHECK(values[i] == i);
    word = rank == 0 ? 4711 : 0;
    CHECK(comm_broadcast(comm, &word, sizeof word, NULL) == 0 && word == 4711);
    free(values);
}

/* Rank r brings r bytes of value r, so that rank 0 brings none. */
static void gather_bytes(struct comm *comm)
{
    int rank = comm_rank(comm), size = comm_size(comm), total = size * (size - 1) / 2;
    unsigned char own[64], all[2048];
    int64_t counts[64];
    struct error err = { 0 };
    memset(own, rank, sizeof own);
    CHECK(comm_gather(comm, own, rank, all, total, counts, NULL) == 0);
    for (int from = 0, at = 0; from < size; from++) {
        CHECK(counts[from] == from);
        for (int i = 0; rank == 0 && i < from; i++)
            CHECK(all[at++] == from);
    }
    if (total > 0) {
        CHECK(comm_gather(comm, own, rank, all, total - 1, counts, &err) == -1);
        CHECK(err.code == ERROR_BUDGET);
    }
}

/* Rank r sends r + to bytes to each; all know what must come. */
static void exchange_bytes(struct comm *comm)
{
    int rank = comm_rank(comm), size = comm_size(comm), n = 0;
    unsigned char send[8192], receive[8192];
    int64_t send_counts[64], receive_counts[64], total = 0;
    struct error err = { 0 };
    for (int to = 0; to < size; to++) {
        send_counts[to] = rank + to;
        total += rank + to;
        for (int i = 0; i < rank + to; i++)
            send[n++] = (unsigned char)(16 * rank + to);
    }
    CHECK(comm_exchange(comm, send, send_counts, receive, total, receive_counts, NULL)
          == 0);
    for (int from = 0, at = 0; from < size; from++) {
        CHECK(receive_counts[from] == from + rank);
        for (int i = 0; i < from + rank; i++)
            CHECK(receive[at++] == 16 * from + rank);
    }
    /* one rank has a byte too few: all hear of it */
    int64_t capacity = rank == size - 1 && total > 0 ? total - 1 : total;
    int status =
        comm_exchange(comm, send, send_counts, receive, capacity, receive_counts, &err);
    CHECK(status == (size > 1 ? -1 : 0));
    CHECK(size == 1 || err.code == ERROR_BUDGET);
}

static void agree(struct comm *comm)
{
    int rank = comm_rank(comm), size = comm_size(comm);
    struct error err = { 0 };
    CHECK(comm_agree(comm, 0, &err) == 0 && err.code == ERROR_NONE);
    CHECK(comm_agree(comm, 0, NULL) == 0);
    /* all but rank 0 fail (alone: rank 0): the lowest tells why */
    int lowest = size > 1 ? 1 : 0;
    if (rank >= lowest)
        error_set(&err, ERROR_IO, "rank %d says so", rank);
    CHECK(comm_agree(comm, rank >= lowest ? -1 : 0, &err) == -1);
    char text[40];
    snprintf(text, sizeof text, "rank %d says so", lowest);
    CHECK(err.code == ERROR_IO && strcmp(err.text, text) == 0);
    CHECK(comm_agree(comm, -1, NULL) == -1);
}

/* One rank fails, the others leave their work for it, and all know his reason; twice, so that
 * what the others were told is forgotten. */
static void follow(struct comm *comm)
{
    int rank = comm_rank(comm), size = comm_size(comm);
    for (int failing = 0; failing < size; failing++) {
        char text[40];
        struct error err = { 0 };
        double until_s = clock_wall_s() + 30;
        CHECK(!comm_has_failed(comm));
        CHECK(comm_agree(comm, 0, NULL) == 0); /* all have looked */
        snprintf(text, sizeof text, "rank %d failed", failing);
        if (rank == failing) {
            error_set(&err, ERROR_IO, "%s", text);
            comm_fail(comm);
        } else {
            while (!comm_has_failed(comm) && clock_wall_s() < until_s)
                clock_sleep_s(1e-3);
            CHECK(comm_has_failed(comm));
            error_set(&err, ERROR_STOPPED, "rank %d follows", rank);
        }
        CHECK(comm_agree(comm, rank == failing ? -1 : COMM_FOLLOWS, &err) == -1);
        CHECK(err.code == ERROR_IO && strcmp(err.text, text) == 0);
        CHECK(!comm_has_failed(comm));
    }
    struct error err = { ERROR_STOPPED, "nobody" };
    CHECK(comm_agree(comm, COMM_FOLLOWS, &err) == -1 && err.code == ERROR_STOPPED);
}

static void all_of_it(struct comm *comm)
{
    exchange_messages(comm);
    send_long_ones(comm);
    combine(comm);
    gather_bytes(comm);
    exchange_bytes(comm);
    agree(comm);
    follow(comm);
    CHECK(comm_rank(comm) < comm_size(comm) && *comm_host(comm));
    CHECK(strstr(comm_library(), "MPI") && !strchr(comm_library(), '\n'));
}

/* Share of a core that waiting takes: in comm_receive, then in comm_agree. */
static void idle(struct comm *comm)
{
    const double wait_s = 3;
    int from;
    int64_t n;
    char byte = 0;
    double share[2];
    CHECK(comm_agree(comm, 0, NULL) == 0);
    double cpu_s = clock_cpu_s();
    if (comm_rank(comm) == 0) {
        clock_sleep_s(wait_s);
        for (int to = 1; to < comm_size(comm); to++)
            CHECK(comm_send(comm, to, &byte, 1, NULL) == 0);
    } else {
        CHECK(comm_receive(comm, 30, &from, &byte, 1, &n, NULL) == 1);
    }
    share[0] = (clock_cpu_s() - cpu_s) / wait_s;
    CHECK(comm_agree(comm, 0, NULL) == 0);
    cpu_s = clock_cpu_s();
    if (comm_rank(comm) == 0)
        clock_sleep_s(wait_s);
    CHECK(comm_agree(comm, 0, NULL) == 0);
    share[1] = (clock_cpu_s() - cpu_s) / wait_s;
    if (comm_rank(comm) > 0) {
        printf("rank %d: %.1f %% of a core in comm_receive, %.1f %% in comm_agree\n",
               comm_rank(comm),
               100 * share[0],
               100 * share[1]);
        /* 2 % is meant; a machine that runs other tests beside may show more */
        CHECK(share[0] < 0.10 && share[1] < 0.10);
    }
}

static double a_moment_ago(void)
{
    return clock_wall_s() - 0.001;
}

/* Rank 1 never comes: the others give up in time, and nothing waits from then on. */
static void missing(struct comm *comm)
{
    struct error err = { 0 };
    int64_t value = 1;
    double started_s = clock_wall_s();
    if (comm_rank(comm) == 1) {
        clock_sleep_s(1.5);
        comm_abort(comm, 3);
    }
    comm_bound(comm, a_moment_ago);
    CHECK(comm_agree(comm, 0, &err) == -1 && err.code == ERROR_COMM);
    CHECK(comm_is_broken(comm));
    comm_bound(comm, NULL);
    CHECK(comm_sum(comm, &value, 1, &err) == -1);
    CHECK(comm_broadcast(comm, &value, 8, &err) == -1 && err.code == ERROR_COMM);
    CHECK(clock_wall_s() - started_s < 1);
    comm_abort(comm, 3);
}

/* Small messages to the daemon on this host go at once: MPI's end waits for four of them. */
static void ask_launcher(struct comm *comm)
{
    const char *uri = getenv("PMIX_SERVER_URI41");
    const char *port = uri ? strstr(uri, "tcp4://127.0.0.1:") : NULL;
    int n_connected = 0, n_held_back = 0;
    for (int file = 3; port && file < 256; file++) {
        struct sockaddr_in peer;
        socklen_t n_bytes = sizeof peer, n = sizeof(int);
        int goes_at_once = 0;
        if (getpeername(file, (struct sockaddr *)&peer, &n_bytes) != 0
            || peer.sin_family != AF_INET
            || ntohs(peer.sin_port) != atoi(strrchr(port, ':') + 1))
            continue;
        n_connected++;
        CHECK(getsockopt(file, IPPROTO_TCP, TCP_NODELAY, &goes_at_once, &n) == 0);
        n_held_back += !goes_at_once;
    }
    CHECK(!port || n_connected > 0);
    CHECK(n_held_back == 0);
}

static void alone_is_a_world_of_one(void **state)
{
    (void)state;
    struct comm *comm = NULL;
    assert_int_equal(comm_open(&comm, NULL, NULL, NULL), 0);
    assert_int_equal(comm_size(comm), 1);
    all_of_it(comm);
    hid_t access = comm_file_access(comm), transfer = comm_transfer(comm);
    assert_true(access >= 0 && transfer >= 0);
    H5Pclose(access);
    H5Pclose(transfer);
    comm_close(comm);
    comm_close(NULL);
}

static void a_wait_ends_in_time(void **state)
{
    (void)state;
    struct comm *comm = NULL;
    int from;
    int64_t n;
    char byte;
    assert_int_equal(comm_open(&comm, NULL, NULL, NULL), 0);
    double start_s = clock_wall_s();
    assert_int_equal(comm_receive(comm, 0.1, &from, &byte, 1, &n, NULL), 0);
    assert_true(clock_wall_s() - start_s >= 0.1);
    comm_send(comm, 0, "x", 1, NULL);
    comm_close(comm); /* with a letter that no one fetched */
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct comm *comm = NULL;
        if (comm_open(&comm, &argc, &argv, NULL) < 0)
            return 1;
        if (strcmp(argv[1], "idle") == 0)
            idle(comm);
        else if (strcmp(argv[1], "missing") == 0)
            missing(comm);
        else
            all_of_it(comm);
        CHECK(argc < 3 || comm_size(comm) == atoi(argv[2]));
        ask_launcher(comm);
        comm_close(comm);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_is_a_world_of_one),
        cmocka_unit_test(a_wait_ends_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
