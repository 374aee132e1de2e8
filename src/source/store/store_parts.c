#include "store_parts.h"

#include <sched.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/thread.h"

#include "buckets.h"
#include "store_writer.h"

int store_parts(const struct team *team)
{
    cpu_set_t allowed;
    if (team->size > 1 || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int n = CPU_COUNT(&allowed);
    return n < BUCKETS_MOST_PARTS ? n : BUCKETS_MOST_PARTS;
}

void store_parts_init(struct store_parts *parts, const struct store_options *options)
{
    parts->options = options;
    parts->caller = pthread_self();
    atomic_init(&parts->ended, false);
}

int store_parts_go_on(struct store_parts *parts, double share, struct error *err)
{
    if (atomic_load(&parts->ended))
        return -1;
    if (!pthread_equal(pthread_self(), parts->caller))
        return 0;
    return store_report(parts->options, share, err);
}

bool store_parts_stop(void *parts)
{
    return store_parts_go_on(parts, -1, NULL) != 0;
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
    part->status = part->work(part->context, part->number, &part->err);
    if (part->status)
        atomic_store(&part->parts->ended, true);
    return NULL;
}

/* Wait for a thread, and ask meanwhile whether to go on; *stop says if not. */
static void join(struct part *part, struct error *stop)
{
    static const double nap_s = 0.05;
    while (!thread_join_until(part->thread, clock_wall_s() + nap_s))
        if (store_parts_go_on(part->parts, -1, stop))
            atomic_store(&part->parts->ended, true);
}

/* Parts that end since another has failed have no error, or were stopped. */
static int rank_of(const struct part *part)
{
    return part->status == 0                 ? 0
           : part->err.code == ERROR_NONE    ? 1
           : part->err.code == ERROR_STOPPED ? 2
                                             : 3;
}

/* Where all that failed just ended, they did so for a stop that was asked for while they were
 * waited for; one that came too late for all of them is none. */
static int
tell(const struct part *parts, int n, const struct error *stop, struct error *err)
{
    int worst = 0;
    for (int i = 1; i < n; i++)
        worst = rank_of(&parts[i]) > rank_of(&parts[worst]) ? i : worst;
    if (parts[worst].status && err)
        *err = parts[worst].err.code != ERROR_NONE ? parts[worst].err : *stop;
    return parts[worst].status ? -1 : 0;
}

int store_parts_run(struct store_parts *shared,
                    int n,
                    store_part_work *work,
                    void *context,
                    struct error *err)
{
    struct part parts[BUCKETS_MOST_PARTS] = {
        { .parts = shared, .work = work, .context = context }
    };
    for (int i = 1; i < n; i++) {
        parts[i] = parts[0];
        parts[i].number = i;
    }
    struct error stop = { ERROR_NONE, "" };
    for (int i = 1; i < n; i++)
        parts[i].has_thread = thread_start(&parts[i].thread, work_on, &parts[i]);
    work_on(&parts[0]);
    for (int i = 1; i < n; i++) {
        if (!parts[i].has_thread)
            work_on(&parts[i]);
        else
            join(&parts[i], &stop);
    }
    return tell(parts, n, &stop, err);
}
