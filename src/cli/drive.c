#include "drive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"

#include "retry.h"
#include "stop.h"

enum { LONGEST_BACK_OFF = 6 }; /* doublings of half a second */

/* Between two looks for messages while a zone is in work, and at the peak of the RSS: each
 * costs more than many a batch. */
static const double look_interval_s = 5e-3, rss_interval_s = 0.1;

int drive_init(struct drive *drive, struct memory *memory, struct error *err)
{
    drive->buffer = memory_take(memory, MEMORY_SCHEDULE, UNIT_MAX_BYTES, err);
    if (!drive->buffer)
        return -1;
    if (!drive->coordinator)
        return 0;
    int64_t n = drive->coordinator->n_workers + COORDINATOR_AHEAD;
    drive->outgoing =
        memory_take(memory, MEMORY_SCHEDULE, n * (int64_t)sizeof *drive->outgoing, err);
    return drive->outgoing ? 0 : -1;
}

static bool is_alone(const struct drive *drive)
{
    return comm_size(drive->comm) == 1;
}

/* Worker number w is rank w + 1, or this rank alone. */
static int deliver(struct drive *drive, int n, struct error *err)
{
    for (int i = 0; i < n; i++) {
        const struct outgoing *out = &drive->outgoing[i];
        int64_t n_bytes = coordinator_encode(drive->coordinator,
                                             out,
                                             drive->buffer,
                                             UNIT_MAX_BYTES,
                                             err);
        if (n_bytes < 0)
            return -1;
        drive->n_messages++;
        int sent =
            is_alone(drive)
                ? worker_receive(drive->worker, drive->buffer, n_bytes, err)
                : comm_send(drive->comm, out->worker + 1, drive->buffer, n_bytes, err);
        if (sent < 0)
            return -1;
    }
    return 0;
}

static int take_message(struct drive *drive,
                        int worker,
                        const struct message *message,
                        struct error *err)
{
    int n =
        coordinator_receive(drive->coordinator, worker, message, drive->outgoing, err);
    return n < 0 ? -1 : deliver(drive, n, err);
}

/* Our own mistake, or comm's: tell the workers to stop, and remember why. */
static int stop_all(struct drive *drive, const struct error *why)
{
    struct error ignored;
    int n = coordinator_stop(drive->coordinator, why, drive->outgoing);
    return deliver(drive, n, &ignored);
}

/* Nobody can be told, and the others wait: the code says that only an abort is left. */
static int lost(struct error *err)
{
    err->code = ERROR_COMM;
    return -1;
}

/* No answer so long after the wish to stop: whoever it is will not answer at all. */
static bool is_overdue(void)
{
    double until_s = stop_until_s();
    return until_s > 0 && clock_wall_s() > until_s;
}

static int no_answer(const struct drive *drive, struct error *err)
{
    const struct coordinator *coordinator = drive->coordinator;
    int worker = 0;
    while (coordinator->workers[worker].phase == WORKER_STOPPED)
        worker++;
    return error_set(err,
                     ERROR_COMM,
                     "%s, and rank %d on %s does not answer",
                     stop_reason(),
                     worker + 1,
                     comm_host_of(drive->comm, worker + 1));
}

/* A wish on this rank is the job's; one of another rank bounds the waits of this one. */
static int follow_wish(struct drive *drive, struct error *err)
{
    struct error *failure = &drive->coordinator->failure;
    if (failure->code == ERROR_STOPPED)
        stop_now();
    if (!stop_is_wished())
        return 0;
    if (failure->code == ERROR_NONE) {
        struct error why;
        error_set(&why, ERROR_STOPPED, "%s", stop_reason());
        if (stop_all(drive, &why) < 0) {
            *err = why;
            return lost(err);
        }
    }
    return is_overdue() ? no_answer(drive, err) : 0;
}

/* The snapshot goes with the session that exported it: the run cannot go on as it was. */
static int look_after_source(struct drive *drive, struct error *err)
{
    struct error why;
    double now_s = clock_wall_s();
    if (!drive->source || now_s < drive->check_s
        || drive->coordinator->failure.code != ERROR_NONE)
        return 0;
    drive->check_s = now_s + 0.2;
    if (source_check(drive->source, &why) == 0 || stop_all(drive, &why) == 0)
        return 0;
    *err = why;
    return lost(err);
}

static int coordinate(struct drive *drive, struct error *err)
{
    struct coordinator *coordinator = drive->coordinator;
    while (!coordinator_finished(coordinator)) {
        int from;
        int64_t n_bytes;
        struct message message;
        if (follow_wish(drive, err) < 0 || look_after_source(drive, err) < 0)
            return -1;
        int got = comm_receive(drive->comm,
                               0.1,
                               &from,
                               drive->buffer,
                               UNIT_MAX_BYTES,
                               &n_bytes,
                               err);
        progress_tick(drive->progress);
        sampler_tick(drive->sampler);
        if (got == 0)
            continue;
        if (got < 0)
            return lost(err);
        drive->n_messages++;
        if (message_decode(&message, drive->buffer, n_bytes, err) < 0
            || take_message(drive, from - 1, &message, err) < 0) {
            if (stop_all(drive, err) < 0)
                return lost(err);
        }
    }
    if (coordinator->failure.code == ERROR_NONE)
        return 0;
    *err = coordinator->failure;
    return -1;
}

static int tell(struct drive *drive, const struct message *message, struct error *err)
{
    if (is_alone(drive))
        return take_message(drive, 0, message, err);
    uint8_t bytes[MESSAGE_FIXED_BYTES];
    int64_t n_bytes = message_encode(message, NULL, bytes, sizeof bytes, err);
    drive->n_messages++;
    return n_bytes < 0 ? -1 : comm_send(drive->comm, 0, bytes, n_bytes, err);
}

/* Take what has come; wait for it at most timeout_s. 1 when something came. */
static int listen(struct drive *drive, double timeout_s, struct error *err)
{
    int from;
    int64_t n_bytes;
    if (is_alone(drive))
        return 0;
    int got = comm_receive(drive->comm,
                           timeout_s,
                           &from,
                           drive->buffer,
                           UNIT_MAX_BYTES,
                           &n_bytes,
                           err);
    if (got <= 0)
        return got;
    drive->n_messages++;
    if (worker_receive(drive->worker, drive->buffer, n_bytes, err) < 0)
        return -1;
    if (drive->worker->stop_code == ERROR_STOPPED)
        stop_now();
    return 1;
}

/* Tell the coordinator, once, that this rank is wished to stop. */
static int tell_wish(struct drive *drive, struct error *err)
{
    char why[80];
    struct message message;
    if (!stop_is_wished())
        return 0;
    snprintf(why, sizeof why, "%s", stop_reason());
    if (!is_alone(drive))
        snprintf(why,
                 sizeof why,
                 "%s on rank %d",
                 stop_reason(),
                 comm_rank(drive->comm));
    return worker_signalled(drive->worker, why, &message) ? tell(drive, &message, err)
                                                          : 0;
}

static void look_around(struct drive *drive)
{
    if (drive->sampler)
        sampler_tick(drive->sampler);
    if (drive->progress)
        progress_tick(drive->progress);
    if (drive->checkpoint)
        checkpoint_tick(drive->checkpoint);
    if (drive->worker && drive->failure.code == ERROR_NONE
        && tell_wish(drive, &drive->failure) == 0)
        while (listen(drive, 0, &drive->failure) > 0)
            ;
}

bool drive_should_stop(void *context)
{
    struct drive *drive = context;
    double now_s = clock_wall_s();
    if (now_s >= drive->look_s) {
        drive->look_s = now_s + look_interval_s;
        look_around(drive);
    }
    return stop_is_wished()
           || (drive->worker
               && (drive->worker->stopping || drive->failure.code != ERROR_NONE));
}

/* Wait before retry n + 1, longer each time, and never as long as another rank that met
 * the same failure. False when the wait was ended by a wish or an order to stop. */
static bool back_off(struct drive *drive, int n)
{
    double most_s = n < LONGEST_BACK_OFF ? ldexp(0.5, n) : ldexp(0.5, LONGEST_BACK_OFF);
    double share = 0.5 + (double)rand_r(&drive->chance) / RAND_MAX;
    double until_s = clock_wall_s() + most_s * share;
    while (clock_wall_s() < until_s) {
        if (drive_should_stop(drive))
            return false;
        clock_sleep_s(0.05);
    }
    return true;
}

/* Analyse a zone; after a failure of the source, again from its start over a new
 * connection. What a try has read goes with it. */
static int analyse_with_retries(struct drive *drive,
                                const struct message_zone *zone,
                                struct message *counts,
                                struct error *why)
{
    for (int n = 0;; n++) {
        drive->analysis->n_retries = n;
        if ((n == 0 || source_reopen(drive->analysis->source, why) == 0)
            && analyse_zone(drive->analysis, zone, counts, why) == 0)
            return 0;
        if (why->code != ERROR_SOURCE)
            return -1;
        if (n == drive->retries)
            return retry_prefix(n, why);
        log_warn("retry",
                 "n=%d row=%lld why=\"%s\"",
                 n + 1,
                 (long long)zone->row,
                 why->text);
        if (!back_off(drive, n))
            return -1;
    }
}

static int64_t peak_rss_bytes(struct drive *drive)
{
    double now_s = clock_wall_s();
    if (now_s >= drive->rss_s) {
        drive->rss_s = now_s + rss_interval_s;
        drive->peak_rss_bytes = memory_peak_rss_bytes();
    }
    return drive->peak_rss_bytes;
}

static int
analyse_one(struct drive *drive, const struct message_zone *zone, struct error *err)
{
    struct message counts, out[2];
    struct error why = { ERROR_NONE, "" };
    double started_s = clock_wall_s(), started_cpu_s = clock_cpu_s();
    int64_t row = zone->row;
    int n;
    if (analyse_with_retries(drive, zone, &counts, &why) < 0) {
        if (drive->failure.code != ERROR_NONE) {
            *err = drive->failure;
            return -1;
        }
        /* the wish may be known before it was looked for: it is told, and no failure */
        if (why.code == ERROR_STOPPED && tell_wish(drive, err) < 0)
            return -1;
        n = worker_failed(drive->worker, row, &why, out);
    } else {
        counts.peak_rss_bytes = peak_rss_bytes(drive);
        drive->n_zones++;
        drive->n_candidates += counts.n_candidates;
        n = worker_finished(drive->worker, &counts, out);
    }
    drive->busy_s += clock_wall_s() - started_s;
    drive->busy_cpu_s += clock_cpu_s() - started_cpu_s;
    for (int i = 0; i < n; i++)
        if (tell(drive, &out[i], err) < 0)
            return -1;
    return 0;
}

static int work(struct drive *drive, struct error *err)
{
    struct message message = { .kind = MESSAGE_READY };
    if (tell(drive, &message, err) < 0)
        return -1;
    for (;;) {
        struct message_zone zone;
        int got;
        while ((got = listen(drive, 0, err)) > 0)
            ;
        if (got < 0 || tell_wish(drive, err) < 0)
            return -1;
        if (!drive->worker->stopping && is_overdue())
            return error_set(err,
                             ERROR_COMM,
                             "%s, and the coordinator does not answer",
                             stop_reason());
        checkpoint_tick(drive->checkpoint);
        sampler_tick(drive->sampler);
        if (drive->progress)
            progress_tick(drive->progress);
        if (worker_stopped(drive->worker, &message))
            break;
        if (worker_next(drive->worker, &zone)) {
            if (analyse_one(drive, &zone, err) < 0)
                return -1;
        } else {
            double started_s = clock_wall_s();
            if (listen(drive, 0.2, err) < 0)
                return -1;
            drive->waiting_s += clock_wall_s() - started_s;
        }
    }
    return tell(drive, &message, err);
}

int drive_run(struct drive *drive, struct error *err)
{
    if (!drive->worker)
        return coordinate(drive, err);
    if (work(drive, err) < 0)
        return lost(err);
    if (drive->coordinator && drive->coordinator->failure.code != ERROR_NONE) {
        *err = drive->coordinator->failure;
        return -1;
    }
    return 0;
}
