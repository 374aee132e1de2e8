/*
 * A team of processes: the twin in which a unit test has several ranks. They share a
 * piece of memory and a barrier. What is wrong in a rank ends it with a line of text, and
 * the test with it.
 */
#ifndef ROOFTALLY_TESTS_SOURCE_TEAM_FORKS_H
#define ROOFTALLY_TESTS_SOURCE_TEAM_FORKS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rooftally/source/team.h"

#include "check.h"

enum { FORKS_BYTES = 64 << 20, FORKS_WAIT_S = 120 };

struct forks {
    pthread_barrier_t barrier;
    uint8_t bytes[];
};

struct forked {
    struct forks *forks;
    int rank, size;
};

static bool is_forked; /* into a group of its own, with the other ranks */

#define RANK_CHECK(condition)                                                          \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
            if (is_forked)                                                             \
                kill(0, SIGKILL);                                                      \
            abort();                                                                   \
        }                                                                              \
    } while (0)

static int forks_gather_all(void *context,
                            const void *mine,
                            int64_t n_bytes,
                            void *all,
                            struct error *err)
{
    struct forked *self = context;
    (void)err;
    RANK_CHECK(n_bytes * self->size <= FORKS_BYTES);
    if (n_bytes > 0)
        memcpy(self->forks->bytes + self->rank * n_bytes, mine, (size_t)n_bytes);
    pthread_barrier_wait(&self->forks->barrier);
    memcpy(all, self->forks->bytes, (size_t)(n_bytes * self->size));
    pthread_barrier_wait(&self->forks->barrier);
    return 0;
}

static void forks_reduce(struct forked *self, int64_t *values, int64_t n, bool add)
{
    size_t n_bytes = (size_t)n * 8;
    int64_t *all = malloc(n_bytes * (size_t)self->size + 1);
    RANK_CHECK(all != NULL);
    forks_gather_all(self, values, (int64_t)n_bytes, all, NULL);
    for (int64_t i = 0; i < n; i++) {
        values[i] = all[i];
        for (int rank = 1; rank < self->size; rank++) {
            int64_t value = all[rank * n + i];
            values[i] = add ? values[i] + value : value > values[i] ? value : values[i];
        }
    }
    free(all);
}

static int forks_sum(void *context, int64_t *values, int64_t n, struct error *err)
{
    (void)err;
    forks_reduce(context, values, n, true);
    return 0;
}

static int forks_max(void *context, int64_t *values, int64_t n, struct error *err)
{
    (void)err;
    forks_reduce(context, values, n, false);
    return 0;
}

static int forks_broadcast(void *context,
                           int from,
                           void *bytes,
                           int64_t n_bytes,
                           struct error *err)
{
    struct forked *self = context;
    (void)err;
    RANK_CHECK(n_bytes <= FORKS_BYTES);
    if (self->rank == from)
        memcpy(self->forks->bytes, bytes, (size_t)n_bytes);
    pthread_barrier_wait(&self->forks->barrier);
    if (self->rank != from)
        memcpy(bytes, self->forks->bytes, (size_t)n_bytes);
    pthread_barrier_wait(&self->forks->barrier);
    return 0;
}

static int forks_agree(void *context, int status, struct error *err)
{
    struct {
        int status;
        struct error error;
    } mine = { .status = status }, all[16];
    struct forked *self = context;
    RANK_CHECK(self->size <= 16);
    if (status < 0 && err)
        mine.error = *err;
    forks_gather_all(self, &mine, sizeof mine, all, NULL);
    for (int rank = 0; rank < self->size; rank++)
        if (all[rank].status < 0) {
            if (err)
                *err = all[rank].error;
            return -1;
        }
    return 0;
}

/* Run `body` on that many ranks, each a process, and see that all of them end well. */
static void
forks_run(int size, void (*body)(const struct team *team, void *context), void *context)
{
    struct forks *forks = mmap(NULL,
                               sizeof *forks + FORKS_BYTES,
                               PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS,
                               -1,
                               0);
    pthread_barrierattr_t shared;
    assert_ptr_not_equal(forks, MAP_FAILED);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    assert_int_equal(pthread_barrier_init(&forks->barrier, &shared, (unsigned)size), 0);
    pid_t leader = 0;
    fflush(NULL);
    for (int rank = 0; rank < size; rank++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct forked self = { forks, rank, size };
            const struct team team = { .context = &self,
                                       .rank = rank,
                                       .size = size,
                                       .sum = forks_sum,
                                       .max = forks_max,
                                       .gather_all = forks_gather_all,
                                       .broadcast = forks_broadcast,
                                       .agree = forks_agree };
            setpgid(0, leader);
            is_forked = true;
            alarm(FORKS_WAIT_S);
            body(&team, context);
            _exit(0);
        }
        leader = leader ? leader : child;
        setpgid(child, leader);
    }
    int n_failed = 0, status;
    for (int rank = 0; rank < size; rank++)
        if (waitpid(-leader, &status, 0) < 0 || status != 0)
            n_failed++;
    pthread_barrierattr_destroy(&shared);
    munmap(forks, sizeof *forks + FORKS_BYTES);
    assert_int_equal(n_failed, 0);
}

#endif
