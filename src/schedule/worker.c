#include "rooftally/schedule/worker.h"

#include <string.h>

int worker_init(struct worker *worker, struct memory *memory, struct error *err)
{
    struct worker w = { 0 };
    for (int i = 0; i < COORDINATOR_AHEAD; i++) {
        w.units[i].bytes = memory_take(memory, MEMORY_SCHEDULE, UNIT_MAX_BYTES, err);
        if (!w.units[i].bytes)
            return -1;
    }
    *worker = w;
    return 0;
}

static int take_unit(struct worker *worker,
                     const uint8_t *bytes,
                     int64_t n_bytes,
                     struct error *err)
{
    if (worker->stopping || worker->failed)
        return 0; /* sent before the coordinator knew */
    if (worker->n == COORDINATOR_AHEAD)
        return error_set(err, ERROR_INTERNAL, "more units than a worker can hold");
    if (n_bytes > UNIT_MAX_BYTES)
        return error_set(err, ERROR_FORMAT, "a unit of %lld bytes", (long long)n_bytes);
    struct worker_unit *unit =
        &worker->units[(worker->first + worker->n) % COORDINATOR_AHEAD];
    memcpy(unit->bytes, bytes, (size_t)n_bytes);
    if (message_decode(&unit->message, unit->bytes, n_bytes, err) < 0)
        return -1;
    if (unit->message.n_zones == 0)
        return error_set(err, ERROR_FORMAT, "a unit without zones");
    unit->at = 0;
    unit->n_left = unit->message.n_zones;
    worker->n++;
    return 0;
}

int worker_receive(struct worker *worker,
                   const uint8_t *bytes,
                   int64_t n_bytes,
                   struct error *err)
{
    struct message message;
    if (message_decode(&message, bytes, n_bytes, err) < 0)
        return -1;
    if (message.kind == MESSAGE_UNIT)
        return take_unit(worker, bytes, n_bytes, err);
    if (message.kind != MESSAGE_STOP)
        return error_set(err,
                         ERROR_INTERNAL,
                         "a worker was sent message %d",
                         message.kind);
    worker->stopping = true;
    worker->stop_code = (enum error_code)message.code;
    worker->n = 0;
    return 0;
}

int worker_next(struct worker *worker, struct message_zone *zone)
{
    if (worker->n == 0 || worker->failed || worker->stopping)
        return 0;
    struct worker_unit *unit = &worker->units[worker->first];
    int64_t at = unit->at; /* moves on when the zone is finished */
    return message_next_zone(&unit->message, &at, zone);
}

int worker_finished(struct worker *worker,
                    const struct message *zone,
                    struct message out[2])
{
    out[0] = *zone;
    out[0].kind = MESSAGE_ZONE;
    if (worker->n == 0)
        return 1; /* STOP came while the zone was in work; it counts all the same */
    struct worker_unit *unit = &worker->units[worker->first];
    struct message_zone past;
    message_next_zone(&unit->message, &unit->at, &past);
    out[0].unit = unit->message.unit;
    if (--unit->n_left > 0)
        return 1;
    out[1] = (struct message){ .kind = MESSAGE_DONE, .unit = unit->message.unit };
    worker->first = (worker->first + 1) % COORDINATOR_AHEAD;
    worker->n--;
    return 2;
}

int worker_failed(struct worker *worker,
                  int64_t row,
                  const struct error *err,
                  struct message out[2])
{
    if (worker->stopping || worker->failed)
        return 0; /* what fails while all stop is no news */
    out[0] = (struct message){ .kind = MESSAGE_FAILED,
                               .row = row,
                               .code = (int32_t)err->code };
    if (worker->n > 0)
        out[0].unit = worker->units[worker->first].message.unit;
    error_fit(out[0].text, sizeof out[0].text, err->text);
    worker->failed = true;
    worker->n = 0;
    return 1;
}

int worker_signalled(struct worker *worker, const char *why, struct message *out)
{
    if (worker->stopping || worker->failed)
        return 0;
    *out = (struct message){ .kind = MESSAGE_SIGNAL, .code = (int32_t)ERROR_STOPPED };
    strncpy(out->text, why, sizeof out->text - 1);
    worker->failed = true;
    worker->n = 0;
    return 1;
}

int worker_stopped(struct worker *worker, struct message *out)
{
    if (!worker->stopping || worker->stopped)
        return 0;
    worker->stopped = true;
    *out = (struct message){ .kind = MESSAGE_STOPPED };
    return 1;
}
