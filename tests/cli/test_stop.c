/* How long a run may last: the job's limit, and Slurm's; and how it ends. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rooftally/base/clock.h"

#include "allocation.h"
#include "check.h"
#include "stop.h"

static char folder[] = "/tmp/rooftally-stop.XXXXXX";

/* A squeue that answers so. */
static void put_squeue(const char *script)
{
    char path[64];
    snprintf(path, sizeof path, "%s/squeue", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    char path[256];
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    unsetenv("SLURM_JOB_END_TIME");
    unsetenv("SLURM_JOB_ID");
    return setenv("PATH", path, 1);
}

static int tear_down(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/squeue", folder);
    unlink(path);
    return rmdir(folder);
}

static void without_a_limit_there_is_none(void **state)
{
    (void)state;
    put_squeue("echo 1:00:00");
    assert_true(stop_time_left_s(0, 3) < 0); /* not in a job: nobody is asked */
    assert_true(allocation_left_s() < 0);
}

static void a_fifth_of_the_limit_is_kept_back(void **state)
{
    (void)state;
    assert_float_equal(stop_time_left_s(20, 3), 13, 1e-9);
    assert_float_equal(stop_time_left_s(3600, 100), 3490, 1e-9);
    assert_float_equal(stop_time_left_s(20, 100), 0, 0);
}

static void what_squeue_says_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        double seconds;
    } cases[] = {
        { "echo 1:59", 119 },
        { "echo 0:00", 0 },
        { "echo 47", 47 },
        { "echo 2:01:59", 7319 },
        { "echo 3-02:01:59", 266519 },
        { "printf 1:59", 119 },
        { "echo UNLIMITED", -1 },
        { "echo NOT_SET", -1 },
        { "echo INVALID", -1 },
        { "echo", -1 },
        { "true", -1 },
        { "exit 1", -1 },
        { "echo 1:2:3:4", -1 },
        { "echo -5", -1 },
        { "echo 1:", -1 },
        { "echo 'no such job' >&2; exit 1", -1 },
        { "yes", -1 },
        { "[ \"$*\" = '--noheader --jobs 4711 --format %L' ] && echo 5:00", 300 },
    };
    setenv("SLURM_JOB_ID", "4711", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_squeue(cases[i].script);
        assert_float_equal(allocation_left_s(), cases[i].seconds, 0);
    }
    put_squeue("echo 5:00");
    assert_float_equal(stop_time_left_s(0, 7), 240, 1e-9);    /* 60 s are kept back */
    assert_float_equal(stop_time_left_s(100, 7), 83, 1e-9);   /* the shorter one */
    assert_float_equal(stop_time_left_s(1000, 7), 240, 1e-9); /* counts */
    put_squeue("echo 1:00");
    assert_float_equal(stop_time_left_s(0, 7), 48, 1e-9); /* a fifth of it is */
    setenv("SLURM_JOB_ID", "4711; rm -r x", 1);
    assert_true(allocation_left_s() < 0);
    unsetenv("SLURM_JOB_ID");
}

static void squeue_is_not_waited_for_for_long(void **state)
{
    (void)state;
    double since_s = clock_wall_s();
    setenv("SLURM_JOB_ID", "4711", 1);
    put_squeue("exec sleep 60");
    assert_true(allocation_left_s() < 0);
    assert_true(clock_wall_s() - since_s < 10);
    unsetenv("SLURM_JOB_ID");
}

static void the_end_that_slurm_sets_comes_first(void **state)
{
    (void)state;
    char text[32];
    setenv("SLURM_JOB_ID", "4711", 1);
    put_squeue("echo 5:00");
    snprintf(text, sizeof text, "%.0f", clock_epoch_s() + 1000);
    setenv("SLURM_JOB_END_TIME", text, 1);
    assert_float_equal(allocation_left_s(), 1000, 2);
    setenv("SLURM_JOB_END_TIME", "1000000000", 1);
    assert_float_equal(allocation_left_s(), 0, 0);
    setenv("SLURM_JOB_END_TIME", "soon", 1);
    assert_float_equal(allocation_left_s(), 300, 0);
    unsetenv("SLURM_JOB_END_TIME");
    unsetenv("SLURM_JOB_ID");
}

/* Status of a process that is done, gets SIGTERM then and before it leaves, or not, and
 * SIGUSR1 while it leaves; -1: it was still there after a while. */
static int leave(bool is_done, bool is_late, bool is_leaving, double *took_s)
{
    double since_s = clock_wall_s();
    pid_t child = fork();
    if (child == 0) {
        stop_catch();
        if (is_done)
            stop_disarm();
        if (is_late)
            raise(SIGTERM);
        stop_leave(7);
        if (is_leaving)
            raise(SIGUSR1);
        for (double until_s = clock_wall_s() + STOP_END_S + 3;
             clock_wall_s() < until_s;)
            clock_sleep_s(0.1); /* for another rank */
        _exit(99);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    *took_s = clock_wall_s() - since_s;
    return WEXITSTATUS(status) == 99 ? -1 : WEXITSTATUS(status);
}

static void who_is_done_waits_for_nobody_after_a_signal(void **state)
{
    static const struct {
        bool is_done, is_late, is_leaving;
        int status;
        double least_s, most_s;
    } cases[] = {
        { true,
          false,
          false,
          -1,
          STOP_END_S,
          20 }, /* without one, as long as it takes */
        { true, true, false, 7, STOP_WAIT_S - 1, STOP_END_S },
        { true, false, true, 7, STOP_WAIT_S - 1, STOP_END_S },
        { true, true, true, 7, STOP_WAIT_S - 1, STOP_END_S },
        { false, true, false, STOP_STATUS, STOP_END_S - 1, STOP_END_S + 3 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double took_s;
        int status =
            leave(cases[i].is_done, cases[i].is_late, cases[i].is_leaving, &took_s);
        assert_int_equal(status, cases[i].status);
        assert_true(took_s >= cases[i].least_s && took_s < cases[i].most_s);
    }
}

static void a_limit_does_not_replace_the_end_after_a_signal(void **state)
{
    (void)state;
    static const double limits_s[] = { 3600, 0 };
    double since_s = clock_wall_s();
    pid_t children[2];
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] > 0)
            continue;
        stop_catch();
        raise(SIGTERM);
        stop_after(limits_s[i]);
        for (double until_s = since_s + STOP_END_S + 3; clock_wall_s() < until_s;)
            clock_sleep_s(0.1);
        _exit(99);
    }
    for (int i = 0; i < 2; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), STOP_STATUS);
        assert_true(clock_wall_s() - since_s >= STOP_END_S - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_there_is_none),
        cmocka_unit_test(a_fifth_of_the_limit_is_kept_back),
        cmocka_unit_test(what_squeue_says_is_read),
        cmocka_unit_test(squeue_is_not_waited_for_for_long),
        cmocka_unit_test(the_end_that_slurm_sets_comes_first),
        cmocka_unit_test(who_is_done_waits_for_nobody_after_a_signal),
        cmocka_unit_test(a_limit_does_not_replace_the_end_after_a_signal),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
