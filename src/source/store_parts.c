#include "store_parts.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "rooftally/base/thread.h"

#include "sort.h"
#include "store_writer.h"

int store_parts(const struct team *team)
{
    cpu_set_t allowed;
    if (team->size > 1 || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int n = CPU_COUNT(&allowed);
    return n < BUCKETS_MOST_PARTS ? n : BUCKETS_MOST_PARTS;
}

struct part {
    struct store_parts *parts;
    store_part_work *work;
    void *context;
    int number;
    pthread_t thread;
    bool has_thread;
    int status;
    struct error err;
};

static void *work_on(void *context)
{
    struct part *part = context;
    part->status = part->work(part->context, part->number, part->parts, &part->err);
    if (part->status)
        atomic_store(&part->parts->ended, true);
    return NULL;
}

/* Wait for a thread, and ask meanwhile whether to go on. Returns 0 or -1, once it is done. */
static int join(struct part *part, struct error *err)
{
    enum { NAP_NS = 50000000, SECOND_NS = 1000000000 };
    int status = 0, waited = ETIMEDOUT;
    while (waited != 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += NAP_NS;
        until.tv_sec += until.tv_nsec / SECOND_NS;
        until.tv_nsec %= SECOND_NS;
        waited = pthread_timedjoin_np(part->thread, NULL, &until);
        if (waited != 0 && status == 0) {
            status = store_report(part->parts->options, -1, err);
            if (status)
                atomic_store(&part->parts->ended, true);
        }
    }
    return status;
}

/* The first failure, but for parts that ended because another did. */
static int tell(const struct part *parts, int n, struct error *err)
{
    int failed = 0;
    for (int i = n; i-- > 0;) {
        if (parts[i].status == 0 || (failed && parts[i].err.code == ERROR_NONE))
            continue;
        failed = -1;
        if (err && parts[i].err.code != ERROR_NONE)
            *err = parts[i].err;
    }
    return failed;
}

int store_parts_run(struct store_parts *shared,
                    int n,
                    store_part_work *work,
                    void *context,
                    struct error *err)
{
    struct part parts[BUCKETS_MOST_PARTS];
    int status = 0;
    for (int i = 0; i < n; i++)
        parts[i] = (struct part){
            .parts = shared, .work = work, .context = context, .number = i
        };
    for (int i = 1; i < n; i++)
        parts[i].has_thread = thread_start(&parts[i].thread, work_on, &parts[i]);
    work_on(&parts[0]);
    for (int i = 1; i < n; i++) {
        if (!parts[i].has_thread)
            work_on(&parts[i]);
        else if (join(&parts[i], status ? NULL : err))
            status = -1;
    }
    return tell(parts, n, err) || status ? -1 : 0;
}
