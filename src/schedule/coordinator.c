#include "rooftally/schedule/coordinator.h"

#include <string.h>

int coordinator_init(struct coordinator *coordinator,
                     const struct units *units,
                     int n_workers,
                     struct memory *memory,
                     struct error *err)
{
    struct coordinator_worker *workers =
        memory_take(memory, MEMORY_SCHEDULE, n_workers * (int64_t)sizeof *workers, err);
    if (!workers)
        return -1;
    memset(workers, 0, (size_t)n_workers * sizeof *workers);
    *coordinator = (struct coordinator){ .units = units,
                                         .workers = workers,
                                         .n_workers = n_workers };
    return 0;
}

static void tell_stop(struct coordinator *c, int worker, struct outgoing *out)
{
    *out = (struct outgoing){ .worker = worker,
                              .unit = -1,
                              .message = { .kind = MESSAGE_STOP,
                                           .code = (int32_t)c->failure.code } };
    error_fit(out->message.text, sizeof out->message.text, c->failure.text);
    c->workers[worker].phase = WORKER_STOPPING;
}

/* Units until the worker has its two, then STOP when nothing is left for it. */
static int deal(struct coordinator *c, int worker, struct outgoing *out)
{
    struct coordinator_worker *w = &c->workers[worker];
    int n = 0;
    if (w->phase != WORKER_WORKING)
        return 0;
    for (; w->n_units < COORDINATOR_AHEAD && c->next < c->units->n; w->n_units++) {
        const struct unit *unit = &c->units->units[c->next];
        out[n++] = (struct outgoing){
            .worker = worker,
            .unit = c->next,
            .message = { .kind = MESSAGE_UNIT, .unit = c->next, .n_zones = unit->n }
        };
        c->next++;
    }
    if (w->n_units == 0)
        tell_stop(c, worker, &out[n++]);
    return n;
}

int coordinator_stop(struct coordinator *coordinator,
                     const struct error *why,
                     struct outgoing *out)
{
    int n = 0;
    if (coordinator->failure.code == ERROR_NONE)
        coordinator->failure = *why;
    for (int i = 0; i < coordinator->n_workers; i++)
        if (coordinator->workers[i].phase == WORKER_WORKING)
            tell_stop(coordinator, i, &out[n++]);
    return n;
}

static void count_zone(struct coordinator *c, const struct message *message)
{
    c->n_zones++;
    c->n_candidates += message->n_candidates;
    c->n_selected += message->n_selected;
    c->n_outside += message->n_outside;
    c->n_filtered += message->n_filtered;
    c->n_rejected += message->n_rejected;
    c->n_refined += message->n_refined;
    c->cost += unit_zone_cost(c->units->zones, message->row);
    if (message->peak_rss_bytes > c->peak_rss_bytes)
        c->peak_rss_bytes = message->peak_rss_bytes;
}

int coordinator_receive(struct coordinator *c,
                        int worker,
                        const struct message *message,
                        struct outgoing *out,
                        struct error *err)
{
    if (worker < 0 || worker >= c->n_workers)
        return error_set(err, ERROR_INTERNAL, "a message from worker %d", worker);
    struct coordinator_worker *w = &c->workers[worker];

    switch (message->kind) {
    case MESSAGE_READY:
        if (w->phase != WORKER_EXPECTED)
            break;
        w->phase = WORKER_WORKING;
        if (c->failure.code == ERROR_NONE)
            return deal(c, worker, out);
        tell_stop(c, worker, out);
        return 1;
    case MESSAGE_ZONE:
        if (w->n_units == 0 || message->row < 0 || message->row >= c->units->zones->n)
            break;
        count_zone(c, message);
        return 0;
    case MESSAGE_DONE:
        if (w->n_units == 0)
            break;
        w->n_units--;
        return deal(c, worker, out);
    case MESSAGE_FAILED: {
        struct error why = { .code = (enum error_code)message->code };
        error_fit(why.text, sizeof why.text, message->text);
        if (w->n_units == 0 || why.code == ERROR_NONE)
            break;
        w->n_units = 0;
        return coordinator_stop(c, &why, out);
    }
    case MESSAGE_SIGNAL: {
        struct error why = { .code = ERROR_STOPPED };
        error_fit(why.text, sizeof why.text, message->text);
        if (w->phase == WORKER_EXPECTED || w->phase == WORKER_STOPPED)
            break;
        return coordinator_stop(c, &why, out); /* a zone it finished may still come */
    }
    case MESSAGE_STOPPED:
        if (w->phase != WORKER_STOPPING)
            break;
        w->phase = WORKER_STOPPED;
        c->n_stopped++;
        return 0;
    case MESSAGE_UNIT:
    case MESSAGE_STOP:
        break;
    }
    return error_set(err,
                     ERROR_INTERNAL,
                     "worker %d in phase %d with %d units sent message %d",
                     worker,
                     (int)w->phase,
                     (int)w->n_units,
                     (int)message->kind);
}

bool coordinator_finished(const struct coordinator *coordinator)
{
    return coordinator->n_stopped == coordinator->n_workers;
}

int64_t coordinator_encode(const struct coordinator *coordinator,
                           const struct outgoing *outgoing,
                           uint8_t *out,
                           int64_t capacity,
                           struct error *err)
{
    struct message_zone zones[UNIT_MAX_ZONES];
    const struct zone_list *list = coordinator->units->zones;
    if (outgoing->unit >= 0) {
        const struct unit *unit = &coordinator->units->units[outgoing->unit];
        for (int32_t i = 0; i < unit->n; i++) {
            int64_t row = coordinator->units->order[unit->first + i];
            const char *id = list->ids + row * list->id_bytes;
            zones[i] = (struct message_zone){ .row = row,
                                              .estimate = list->estimates[row],
                                              .id = id };
            zones[i].n_id = (int32_t)strnlen(id, (size_t)list->id_bytes);
        }
    }
    return message_encode(&outgoing->message, zones, out, capacity, err);
}
