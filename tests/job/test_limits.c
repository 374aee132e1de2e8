/* Durations, the limits they set, and what makes two jobs one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/job/job.h"

#include "check.h"

static const char whole[] =
    "[source]\nconnection = host=a password=b\nsnapshot = shared\n"
    "[zones]\ntable = zip\nid = code\ngeometry = g\n"
    "[buildings]\ntable = roof\nid = gid\ngeometry = g\nwhere = height > 10\n"
    "fields = height\n"
    "[statistics]\nn = count\nm = mean(height)\n"
    "[limits]\nmemory = 64 MiB\n";

static struct job *opened(const char *text, const char *override)
{
    char path[] = "/tmp/rooftally-XXXXXX";
    struct job *job = NULL;
    struct error err;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_fine(job_open(&job, path, &override, override ? 1 : 0, &err), &err);
    unlink(path);
    return job;
}

static void a_duration_is_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds; /* < 0: refused */
    } cases[] = {
        { "10 s", 10 },       { "10s", 10 },       { "0", 0 },
        { "2.5", 2.5 },       { "3h50m", 13800 },  { "3 h 50 min", 13800 },
        { "2d", 172800 },     { "1d 1s", 86401 },  { "3:50:00", 13800 },
        { "1:30", 90 },       { "0:59", 59 },      { "90:00", 5400 },
        { "", -1 },           { "s", -1 },         { "10 x", -1 },
        { "-1 s", -1 },       { "1e3 s", -1 },     { "5m 3h", -1 },
        { "5s 5s", -1 },      { "1:60", -1 },      { "1:2:3:4", -1 },
        { "1:", -1 },         { ":30", -1 },       { "1.2.3", -1 },
        { "10 s later", -1 }, { "200000000", -1 }, { "inf", -1 },
        { "3h50", -1 },       { "1h 2", -1 },      { "5m30", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seconds = -7;
        struct error err = { 0 };
        if (cases[i].seconds < 0) {
            assert_refused(job_parse_duration(cases[i].text, &seconds, &err),
                           &err,
                           ERROR_USAGE,
                           "is not a duration");
            assert_true(seconds < 0); /* untouched */
        } else {
            assert_fine(job_parse_duration(cases[i].text, &seconds, &err), &err);
            assert_true(seconds >= cases[i].seconds && seconds <= cases[i].seconds);
        }
    }
}

static void limits_have_defaults_and_bounds(void **state)
{
    (void)state;
    struct job *job = opened(whole, NULL);
    assert_true(job->checkpoint_s > 9.9 && job->checkpoint_s < 10.1);
    assert_true(job->time_s < 0.1);
    job_close(job);
    job = opened(whole, "limits.time=1m");
    assert_true(job->time_s > 59.9 && job->time_s < 60.1);
    job_close(job);
    job = opened(whole, "limits.checkpoint=0");
    assert_true(job->checkpoint_s < 0.1);
    job_close(job);
    job = opened(whole, "limits.checkpoint=none");
    assert_true(isinf(job->checkpoint_s));
    job_close(job);

    static const char *const bad[] = { "limits.time=0.9 s",
                                       "limits.time=0",
                                       "limits.time=soon",
                                       "limits.checkpoint=",
                                       "limits.checkpoint=never" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[] = "/tmp/rooftally-XXXXXX";
        struct error err = { 0 };
        int fd = mkstemp(path);
        assert_int_equal(write(fd, whole, strlen(whole)), strlen(whole));
        close(fd);
        job = NULL;
        assert_refused(job_open(&job, path, &bad[i], 1, &err),
                       &err,
                       ERROR_USAGE,
                       "--set limits.");
        unlink(path);
    }
}

static void jobs_of_one_result_are_one(void **state)
{
    (void)state;
    static const struct {
        const char *override, *says; /* NULL: no difference */
    } cases[] = {
        { NULL, NULL },
        { "job.title=Another", NULL },
        { "job.output=other.h5", NULL },
        { "limits.memory=32 MiB", NULL },
        { "limits.retries=1", NULL },
        { "source.connection=host=b", NULL },
        { "source.snapshot=none", "[source] snapshot was 'shared', now it is 'none'" },
        { "zones.id=zip", "[zones] id was 'code', now it is 'zip'" },
        { "zones.where=code > 5", "[zones] where was not given, now it is 'code > 5'" },
        { "buildings.where=height > 20",
          "[buildings] where was 'height > 10', now it is 'height > 20'" },
        { "statistics.n=count(height)",
          "[statistics] n was 'count', now it is 'count(height)'" },
        { "statistics.k=count", "[statistics] k was not given, now it is 'count'" },
    };
    struct job *first = opened(whole, NULL);
    assert_null(strstr(first->identity, "password"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[240] = "";
        struct job *job = opened(whole, cases[i].override);
        bool differs =
            job_identity_differs(first->identity, job->identity, text, sizeof text);
        assert_int_equal(differs, cases[i].says != NULL);
        assert_string_equal(text, cases[i].says ? cases[i].says : "");
        if (differs) { /* the other way round as well */
            assert_true(job_identity_differs(job->identity,
                                             first->identity,
                                             text,
                                             sizeof text));
            assert_memory_equal(text, cases[i].says, 8);
        }
        job_close(job);
    }
    job_close(first);
}

static void a_store_may_be_moved(void **state)
{
    (void)state;
    static const char store[] = "[source]\nkind = store\npath = a.h5\n"
                                "[zones]\nid = zip\n[buildings]\nid = id\n"
                                "[statistics]\nn = count\n";
    char text[240] = "";
    struct job *a = opened(store, NULL), *b = opened(store, "source.path=b.h5");
    struct job *c = opened(store, "buildings.id=gid");
    assert_false(job_identity_differs(a->identity, b->identity, text, sizeof text));
    assert_true(job_identity_differs(a->identity, c->identity, text, sizeof text));
    job_close(a);
    job_close(b);
    job_close(c);
}

static void the_order_counts_for_statistics_alone(void **state)
{
    (void)state;
    char text[240] = "";
    struct job *a = opened("[zones]\ntable = z\nid = i\ngeometry = g\n"
                           "[buildings]\ntable = r\nid = i\ngeometry = g\n"
                           "[statistics]\nn = count\nm = count\n",
                           NULL);
    struct job *b = opened("[statistics]\nn = count\nm = count\n"
                           "[buildings]\ngeometry = g\nid = i\ntable = r\n"
                           "[zones]\ngeometry = g\nid = i\ntable = z\n",
                           NULL);
    struct job *c = opened("[zones]\ntable = z\nid = i\ngeometry = g\n"
                           "[buildings]\ntable = r\nid = i\ngeometry = g\n"
                           "[statistics]\nm = count\nn = count\n",
                           NULL);
    assert_false(job_identity_differs(a->identity, b->identity, text, sizeof text));
    assert_true(job_identity_differs(a->identity, c->identity, text, sizeof text));
    assert_string_equal(text, "the order of [statistics] is another one");
    job_close(a);
    job_close(b);
    job_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_read_in_every_form),
        cmocka_unit_test(limits_have_defaults_and_bounds),
        cmocka_unit_test(jobs_of_one_result_are_one),
        cmocka_unit_test(a_store_may_be_moved),
        cmocka_unit_test(the_order_counts_for_statistics_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
