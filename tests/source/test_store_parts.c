/* Parts of work in threads: who asks whether to go on, and which failure is told. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "rooftally/base/thread.h"

#include "buckets.h"
#include "check.h"
#include "store_parts.h"

enum { N = BUCKETS_MOST_PARTS };

static struct {
    struct store_parts parts;
    atomic_int n_done, n_asked;
    int stop_after; /* so often progress is asked; 0: never */
    bool asked_elsewhere, no_threads;
    int fails[N]; /* error codes; ERROR_NONE: works on until another part fails */
} now;

/* In place of that of base. */
bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    return !now.no_threads && pthread_create(thread, NULL, run, context) == 0;
}

static bool progress(void *context, double share)
{
    (void)context, (void)share;
    now.asked_elsewhere |= !pthread_equal(pthread_self(), now.parts.caller);
    return ++now.n_asked == now.stop_after;
}

static const struct store_options options = { .progress = progress };

static void begin(void)
{
    memset(&now, 0, sizeof now);
    store_parts_init(&now.parts, &options);
}

static int count(void *context, int part, struct error *err)
{
    (void)err;
    atomic_fetch_add((atomic_int *)context + part, 1);
    return 0;
}

static void every_part_is_worked_on_once(void **state)
{
    (void)state;
    for (int n = 1; n <= N; n++) {
        atomic_int times[N] = { 0 };
        struct error err;
        begin();
        assert_fine(store_parts_run(&now.parts, n, count, times, &err), &err);
        for (int i = 0; i < N; i++)
            assert_int_equal(times[i], i < n);
    }
}

/* Fails as it is told to, or goes on for as long as it may, which is not ten seconds. */
static int fail_or_go_on(void *context, int part, struct error *err)
{
    (void)context;
    if (now.fails[part] != ERROR_NONE)
        return error_set(err, (enum error_code)now.fails[part], "part %d", part);
    for (int i = 0; i < 2000; i++) {
        if (store_parts_go_on(&now.parts, 0.5, err))
            return -1;
        usleep(5000);
    }
    return error_set(err, ERROR_INTERNAL, "nobody said so");
}

/* Whichever part fails, also the first, the others end, and are not what is told. */
static void the_part_that_failed_is_told(void **state)
{
    (void)state;
    for (int part = 0; part < N; part++) {
        struct error err;
        begin();
        now.fails[part] = ERROR_IO;
        assert_int_equal(store_parts_run(&now.parts, N, fail_or_go_on, NULL, &err), -1);
        assert_int_equal(err.code, ERROR_IO);
        assert_int_equal(err.text[5], '0' + part);
        begin();
        now.fails[part] = ERROR_IO;
        now.fails[(part + 1) % N] = ERROR_STOPPED;
        assert_int_equal(store_parts_run(&now.parts, N, fail_or_go_on, NULL, &err), -1);
        assert_int_equal(err.code, ERROR_IO);
        assert_false(now.asked_elsewhere);
    }
}

static int work_after_the_first(void *context, int part, struct error *err)
{
    return part == 0 ? 0 : fail_or_go_on(context, part, err);
}

/* By the first part, and while the others are waited for. */
static void the_caller_alone_is_asked_and_can_stop(void **state)
{
    static store_part_work *const works[] = { fail_or_go_on, work_after_the_first };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct error err;
        begin();
        now.stop_after = 3;
        assert_int_equal(store_parts_run(&now.parts, N, works[i], NULL, &err), -1);
        assert_int_equal(err.code, ERROR_STOPPED);
        assert_int_equal(now.n_asked, 3);
        assert_false(now.asked_elsewhere);
    }
}

/* Part 1 is done when it hears of the stop, while it is waited for: the others still tell. */
static int finish_or_go_on(void *context, int part, struct error *err)
{
    if (part == 1) {
        while (!atomic_load(&now.parts.ended))
            usleep(1000);
        return 0;
    }
    return work_after_the_first(context, part, err);
}

static void a_stop_is_told_though_who_was_waited_for_is_done(void **state)
{
    struct error err;
    (void)state;
    begin();
    now.stop_after = 1;
    assert_int_equal(store_parts_run(&now.parts, N, finish_or_go_on, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_STOPPED);
}

/* Where no thread is to be had the caller works on all parts, and is asked in each. */
static void without_threads_all_is_done_and_asked(void **state)
{
    atomic_int times[N] = { 0 };
    struct error err;
    (void)state;
    begin();
    now.no_threads = true;
    assert_fine(store_parts_run(&now.parts, N, count, times, &err), &err);
    for (int i = 0; i < N; i++)
        assert_int_equal(times[i], 1);
    now.stop_after = 2;
    assert_int_equal(store_parts_run(&now.parts, N, work_after_the_first, NULL, &err),
                     -1);
    assert_int_equal(err.code, ERROR_STOPPED);
    assert_int_equal(now.n_asked, 2);
}

static void as_many_as_processors_unless_there_are_ranks(void **state)
{
    cpu_set_t before, one;
    struct team two = { .size = 2 };
    size_t n = 0;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    int most = CPU_COUNT(&before) < N ? CPU_COUNT(&before) : N;
    assert_int_equal(store_parts(&team_alone), most);
    assert_int_equal(store_parts(&two), 1);
    while (!CPU_ISSET(n, &before))
        n++;
    CPU_ZERO(&one);
    CPU_SET(n, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(store_parts(&team_alone), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_worked_on_once),
        cmocka_unit_test(the_part_that_failed_is_told),
        cmocka_unit_test(the_caller_alone_is_asked_and_can_stop),
        cmocka_unit_test(a_stop_is_told_though_who_was_waited_for_is_done),
        cmocka_unit_test(without_threads_all_is_done_and_asked),
        cmocka_unit_test(as_many_as_processors_unless_there_are_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
