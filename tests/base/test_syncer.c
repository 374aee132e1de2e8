/* The thread that syncs, with a disk of the test's own: fdatasync below takes its place. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/syncer.h"

#include "check.h"

enum { STEP = 100, A_FILE = 77 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int n_begun, n_ended, n_allowed; /* syncs */
    int error;                       /* what the next one ends with, once */
    int fd;
    sigset_t blocked;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

int fdatasync(int fd)
{
    pthread_mutex_lock(&disk.lock);
    disk.fd = fd;
    pthread_sigmask(SIG_SETMASK, NULL, &disk.blocked);
    disk.n_begun++;
    pthread_cond_broadcast(&disk.changed);
    while (disk.n_ended == disk.n_allowed)
        pthread_cond_wait(&disk.changed, &disk.lock);
    disk.n_ended++;
    int error = disk.error;
    disk.error = 0;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
    errno = error;
    return error ? -1 : 0;
}

static void reset(int n_allowed, int error)
{
    disk.n_begun = disk.n_ended = 0;
    disk.n_allowed = n_allowed;
    disk.error = error;
}

static void allow(int n)
{
    pthread_mutex_lock(&disk.lock);
    disk.n_allowed += n;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

/* Comes back, or the test's time runs out. */
static void await(const int *count, int n)
{
    pthread_mutex_lock(&disk.lock);
    while (*count < n)
        pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
}

static void nothing_is_synced_before_a_step_is_full(void **state)
{
    (void)state;
    reset(10, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    assert_non_null(syncer);
    for (int i = 0; i < STEP - 1; i++)
        syncer_wrote(syncer, 1);
    assert_true(syncer_end(syncer));
    assert_int_equal(disk.n_begun, 0);
}

static void a_full_step_is_synced_by_a_thread_that_takes_no_signals(void **state)
{
    (void)state;
    reset(10, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    syncer_wrote(syncer, STEP - 1);
    syncer_wrote(syncer, 1);
    await(&disk.n_ended, 1);
    assert_int_equal(disk.fd, A_FILE);
    assert_true(sigismember(&disk.blocked, SIGTERM));
    assert_true(sigismember(&disk.blocked, SIGINT));
    syncer_wrote(syncer, STEP - 1);
    assert_true(syncer_end(syncer));
    assert_int_equal(disk.n_begun, 1);
}

/* The disk does not come back; many steps more are told, and make one sync. */
static void who_writes_does_not_wait_for_the_disk(void **state)
{
    (void)state;
    reset(0, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    syncer_wrote(syncer, STEP);
    await(&disk.n_begun, 1);
    for (int i = 0; i < 50; i++)
        syncer_wrote(syncer, STEP);
    assert_int_equal(disk.n_begun, 1);
    allow(2);
    await(&disk.n_ended, 2);
    assert_true(syncer_end(syncer));
    assert_int_equal(disk.n_begun, 2);
}

/* As a kernel does, this disk tells of it once. */
static void a_sync_that_failed_is_told_at_the_end(void **state)
{
    (void)state;
    reset(10, EIO);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    for (int i = 1; i <= 3; i++) {
        syncer_wrote(syncer, STEP);
        await(&disk.n_ended, i);
    }
    errno = 0;
    assert_false(syncer_end(syncer));
    assert_int_equal(errno, EIO);
    assert_int_equal(disk.n_ended, 3);
}

static void the_end_waits_for_a_sync_under_way(void **state)
{
    (void)state;
    reset(0, ENOSPC);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    syncer_wrote(syncer, STEP);
    await(&disk.n_begun, 1);
    allow(1);
    assert_false(syncer_end(syncer));
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(disk.n_ended, 1);
}

static void without_a_thread_nothing_is_lost(void **state)
{
    (void)state;
    syncer_wrote(NULL, STEP);
    assert_true(syncer_end(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_synced_before_a_step_is_full),
        cmocka_unit_test(a_full_step_is_synced_by_a_thread_that_takes_no_signals),
        cmocka_unit_test(who_writes_does_not_wait_for_the_disk),
        cmocka_unit_test(a_sync_that_failed_is_told_at_the_end),
        cmocka_unit_test(the_end_waits_for_a_sync_under_way),
        cmocka_unit_test(without_a_thread_nothing_is_lost),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
