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

/* Long enough for a thread that has something to do to begin with it. */
static void rest(void)
{
    usleep(50 * 1000);
}

static void *allow_one_later(void *context)
{
    (void)context;
    rest();
    allow(1);
    return NULL;
}

static void a_step_and_no_less_is_synced(void **state)
{
    (void)state;
    reset(10, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    assert_non_null(syncer);
    for (int i = 1; i <= 3; i++) {
        assert_true(syncer_wrote(syncer, STEP - 1));
        rest();
        assert_int_equal(disk.n_begun, i - 1);
        assert_true(syncer_wrote(syncer, 1));
        await(&disk.n_ended, i);
    }
    assert_int_equal(disk.fd, A_FILE);
    assert_true(syncer_wrote(syncer, STEP - 1));
    assert_true(syncer_end(syncer));
    assert_int_equal(disk.n_begun, 3);
}

static void the_thread_takes_no_signals(void **state)
{
    (void)state;
    reset(1, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    syncer_wrote(syncer, STEP);
    await(&disk.n_ended, 1);
    assert_true(syncer_end(syncer));
    assert_true(sigismember(&disk.blocked, SIGTERM));
    assert_true(sigismember(&disk.blocked, SIGINT));
    pthread_sigmask(SIG_SETMASK, NULL, &disk.blocked);
    assert_false(sigismember(&disk.blocked, SIGTERM));
}

/* While the disk is at work there is time for one step more, and for no other. */
static void who_writes_is_at_most_a_step_ahead(void **state)
{
    (void)state;
    pthread_t later;
    reset(0, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    assert_true(syncer_wrote(syncer, STEP));
    await(&disk.n_begun, 1);
    for (int i = 0; i < STEP - 1; i++)
        assert_true(syncer_wrote(syncer, 1));
    assert_int_equal(disk.n_ended, 0);
    assert_int_equal(pthread_create(&later, NULL, allow_one_later, NULL), 0);
    assert_true(syncer_wrote(syncer, 1));
    assert_int_equal(disk.n_ended, 1);
    pthread_join(later, NULL);
    await(&disk.n_begun, 2);
    allow(1);
    assert_true(syncer_end(syncer));
    assert_int_equal(disk.n_ended, 2);
}

static void what_is_left_is_synced_when_all_is_written(void **state)
{
    (void)state;
    reset(10, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    assert_true(syncer_wrote(syncer, 1));
    syncer_begin(syncer);
    await(&disk.n_ended, 1);
    rest();
    assert_int_equal(disk.n_begun, 1);
    assert_true(syncer_end(syncer));
    assert_int_equal(disk.n_ended, 1);
}

/* However late the thread comes to it. */
static void the_last_sync_is_waited_for(void **state)
{
    (void)state;
    pthread_t later;
    reset(0, 0);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    assert_true(syncer_wrote(syncer, STEP));
    await(&disk.n_begun, 1);
    disk.error = EIO;
    syncer_begin(syncer);
    assert_int_equal(pthread_create(&later, NULL, allow_one_later, NULL), 0);
    allow(1);
    errno = 0;
    assert_false(syncer_end(syncer));
    assert_int_equal(errno, EIO);
    assert_int_equal(disk.n_ended, 2);
    pthread_join(later, NULL);
    syncer_begin(NULL);
}

/* As a kernel does, this disk tells of it once. */
static void a_sync_that_failed_is_told_from_then_on(void **state)
{
    (void)state;
    reset(10, EIO);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    syncer_wrote(syncer, STEP);
    await(&disk.n_ended, 1);
    rest();
    for (int i = 0; i < 3; i++) {
        errno = 0;
        assert_false(syncer_wrote(syncer, STEP));
        assert_int_equal(errno, EIO);
    }
    errno = 0;
    assert_false(syncer_end(syncer));
    assert_int_equal(errno, EIO);
}

static void the_end_waits_for_a_sync_under_way(void **state)
{
    (void)state;
    pthread_t later;
    reset(0, ENOSPC);
    struct syncer *syncer = syncer_start(A_FILE, STEP);
    assert_true(syncer_wrote(syncer, STEP));
    await(&disk.n_begun, 1);
    assert_int_equal(pthread_create(&later, NULL, allow_one_later, NULL), 0);
    errno = 0;
    assert_false(syncer_end(syncer));
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(disk.n_ended, 1);
    pthread_join(later, NULL);
}

static void without_a_thread_nothing_is_lost(void **state)
{
    (void)state;
    assert_true(syncer_wrote(NULL, STEP));
    assert_true(syncer_end(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_and_no_less_is_synced),
        cmocka_unit_test(the_thread_takes_no_signals),
        cmocka_unit_test(who_writes_is_at_most_a_step_ahead),
        cmocka_unit_test(what_is_left_is_synced_when_all_is_written),
        cmocka_unit_test(the_last_sync_is_waited_for),
        cmocka_unit_test(a_sync_that_failed_is_told_from_then_on),
        cmocka_unit_test(the_end_waits_for_a_sync_under_way),
        cmocka_unit_test(without_a_thread_nothing_is_lost),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
