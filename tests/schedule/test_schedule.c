/* Units, messages, coordinator and workers, all without MPI or a clock. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rooftally/schedule/coordinator.h"
#include "rooftally/schedule/worker.h"

#include "check.h"

enum {
    UNIT_FULL = 256, /* zones of a unit, at most */
    ID_BYTES = 7,    /* ids fill them: no zero ends one */
    MAX_WORKERS = 9,
    MAX_ZONES = 3000
};

static struct memory memory;

/* A list of zones with skewed estimates. */
static struct zone_list make_zones(int64_t n, unsigned seed)
{
    struct error err;
    srand(seed);
    struct zone_list zones = { .n = n, .id_bytes = ID_BYTES };
    zones.ids = memory_take(&memory, MEMORY_ZONES, n * ID_BYTES, &err);
    zones.boxes = memory_take(&memory, MEMORY_ZONES, n * 32, &err);
    zones.estimates = memory_take(&memory, MEMORY_ZONES, n * 8, &err);
    zones.n_vertices = memory_take(&memory, MEMORY_ZONES, n * 8, &err);
    assert_non_null(zones.n_vertices);
    for (int64_t i = 0; i < n; i++) {
        char id[24] = "";
        snprintf(id, sizeof id, "%07lld", (long long)i);
        memcpy(zones.ids + i * ID_BYTES, id, ID_BYTES);
        double x = rand() % 1000, y = rand() % 1000, r = rand() % 1000 / 1000.0;
        zones.boxes[i] = (struct box){ x, y, x + 1, y + 1 };
        if (i % 50 == 7)
            zones.boxes[i] = (struct box){ 1, 1, 0, 0 };
        zones.estimates[i] = i % 50 == 7 ? 0 : 20000 * r * r * r * r;
        zones.n_vertices[i] = 5 + rand() % 1000;
    }
    return zones;
}

static int set_up(void **state)
{
    struct error err;
    (void)state;
    return memory_init(&memory, 64 << 20, &err);
}

static int tear_down(void **state)
{
    (void)state;
    memory_release(&memory);
    return 0;
}

/* Zones of one cost, whose ids fill their bytes. */
static struct zone_list make_equal_zones(int64_t n, int32_t id_bytes)
{
    struct error err;
    struct zone_list zones = make_zones(n, 1);
    zones.id_bytes = id_bytes;
    zones.ids = memory_take(&memory, MEMORY_ZONES, n * id_bytes, &err);
    assert_non_null(zones.ids);
    memset(zones.ids, 'z', (size_t)(n * id_bytes));
    for (int64_t i = 0; i < n; i++) {
        zones.estimates[i] = 100;
        zones.n_vertices[i] = 5;
    }
    return zones;
}

/* What a unit may cost that begins at this place along the curve. */
static double share_at(const struct units *units, int64_t first, int n_workers)
{
    double left = 0, least = units->cost / n_workers / 64;
    for (int64_t i = first; i < units->n_zones; i++)
        left += unit_zone_cost(units->zones, units->order[i]);
    return left / n_workers / 3 > least ? left / n_workers / 3 : least;
}

static void every_zone_is_in_one_unit_and_large_ones_come_first(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 1, 2, 50, 300, MAX_ZONES };
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int n_workers = 1; n_workers <= 64; n_workers *= 4) {
            struct error err;
            struct units units;
            struct memory_mark mark = memory_mark(&memory);
            struct zone_list zones = make_zones(sizes[s], (unsigned)(s + 1));
            static int seen[MAX_ZONES];
            memset(seen, 0, sizeof seen);
            assert_fine(units_init(&units, &zones, NULL, n_workers, &memory, &err),
                        &err);
            double cost = 0;
            for (int32_t u = 0; u < units.n; u++) {
                const struct unit *unit = &units.units[u];
                double sum = 0;
                assert_true(unit->n >= 1);
                for (int32_t i = 0; i < unit->n; i++) {
                    int64_t row = units.order[unit->first + i];
                    seen[row]++;
                    sum += unit_zone_cost(&zones, row);
                }
                assert_true(sum > unit->cost * 0.999999 && sum < unit->cost * 1.000001);
                assert_true(u == 0 || unit->cost <= units.units[u - 1].cost);
                /* more than its share of what is left only when one zone alone is,
                 * and less only when the next zone would be too much */
                double share = share_at(&units, unit->first, n_workers);
                int64_t next = unit->first + unit->n;
                assert_true(unit->n == 1 || unit->cost <= share * 1.000001);
                assert_true(next == zones.n || unit->n == UNIT_FULL
                            || unit->cost + unit_zone_cost(&zones, units.order[next])
                                   > share * 0.999999);
                cost += unit->cost;
            }
            for (int64_t i = 0; i < zones.n; i++)
                assert_int_equal(seen[i], 1);
            assert_true(cost > units.cost * 0.999999 && cost < units.cost * 1.000001);
            const struct unit *last = &units.units[units.n - 1];
            assert_true(last->n == 1 || last->cost <= units.cost / n_workers / 32);
            memory_rewind(&memory, &mark);
        }
    }
}

/* A unit is what its message can carry, be its ids short or long. */
static void every_unit_fits_into_its_message(void **state)
{
    static const int32_t id_bytes[] = { 1, 7, 8, 100, 255 };
    (void)state;
    for (size_t i = 0; i < sizeof id_bytes / sizeof id_bytes[0]; i++) {
        struct error err;
        struct units units;
        struct coordinator c;
        struct memory_mark mark = memory_mark(&memory);
        static uint8_t bytes[UNIT_MAX_BYTES];
        struct zone_list zones = make_equal_zones(MAX_ZONES, id_bytes[i]);
        assert_fine(units_init(&units, &zones, NULL, 1, &memory, &err), &err);
        assert_fine(coordinator_init(&c, &units, 1, &memory, &err), &err);
        int32_t longest = 0;
        for (int32_t u = 0; u < units.n; u++) {
            const struct outgoing outgoing = { .unit = u,
                                               .message = { .kind = MESSAGE_UNIT,
                                                            .unit = u,
                                                            .n_zones =
                                                                units.units[u].n } };
            assert_fine(coordinator_encode(&c, &outgoing, bytes, sizeof bytes, &err),
                        &err);
            if (units.units[u].n > longest)
                longest = units.units[u].n;
        }
        /* the first third of the zones is more than that */
        int32_t room =
            (UNIT_MAX_BYTES - MESSAGE_FIXED_BYTES) / (MESSAGE_ZONE_BYTES + id_bytes[i]);
        assert_int_equal(longest, room < UNIT_FULL ? room : UNIT_FULL);
        memory_rewind(&memory, &mark);
    }
}

/* Next to each other along the curve is near in the plane. */
static void zones_of_a_unit_are_neighbours(void **state)
{
    (void)state;
    struct error err;
    struct units units;
    struct memory_mark mark = memory_mark(&memory);
    struct zone_list zones = make_zones(MAX_ZONES, 1);
    double steps = 0;
    int64_t n = 0;
    assert_fine(units_init(&units, &zones, NULL, 4, &memory, &err), &err);
    for (int32_t u = 0; u < units.n; u++) {
        for (int32_t i = 1; i < units.units[u].n; i++) {
            const int64_t *row = &units.order[units.units[u].first + i];
            const struct box *a = &zones.boxes[row[-1]], *b = &zones.boxes[row[0]];
            if (a->xmin > a->xmax || b->xmin > b->xmax)
                continue;
            steps += fabs(a->xmin - b->xmin) + fabs(a->ymin - b->ymin);
            n++;
        }
    }
    /* 3000 zones in a square of 1000: 18 apart in the mean, by chance 667 */
    assert_true(n > MAX_ZONES / 2);
    assert_true(steps / (double)n < 60);
    memory_rewind(&memory, &mark);
}

static void what_takes_longer_costs_more(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    struct zone_list zones = make_equal_zones(4, ID_BYTES);
    zones.estimates[1] += 1000;
    zones.n_vertices[2] += 1000;
    zones.estimates[3] = 0;
    zones.n_vertices[3] = 0;
    double plain = unit_zone_cost(&zones, 0), empty = unit_zone_cost(&zones, 3);
    assert_true(unit_zone_cost(&zones, 1) == plain + 1000); /* in candidates */
    assert_true(unit_zone_cost(&zones, 2) > plain + 100);
    assert_true(unit_zone_cost(&zones, 2) < plain + 1000);
    assert_true(empty > 0 && empty < plain);
    memory_rewind(&memory, &mark);
}

static void a_message_survives_its_bytes(void **state)
{
    (void)state;
    struct error err;
    struct message_zone zones[3] = { { 5, 1.5, 5, "02139" },
                                     { 0, 0, 0, "" },
                                     { 1 << 30, 1e9, 8, "12345678" } };
    struct message message = { .kind = MESSAGE_UNIT,
                               .unit = 7,
                               .n_zones = 3,
                               .row = -1,
                               .n_candidates = 1,
                               .n_selected = 2,
                               .n_outside = 3,
                               .n_filtered = 4,
                               .n_rejected = 5,
                               .n_refined = 6,
                               .peak_rss_bytes = 8,
                               .code = ERROR_IO };
    uint8_t bytes[MESSAGE_FIXED_BYTES + 1024];
    /* no word of an error is lost between ranks */
    memset(message.text, 'y', sizeof err.text - 1);
    int64_t n = message_encode(&message, zones, bytes, sizeof bytes, &err);
    assert_true(n > 0);
    assert_refused((int)message_encode(&message, zones, bytes, n - 1, &err),
                   &err,
                   ERROR_BUDGET,
                   "exceeds");
    struct message back;
    assert_fine(message_decode(&back, bytes, n, &err), &err);
    assert_int_equal(back.n_outside, 3);
    assert_int_equal(back.n_refined, 6);
    assert_int_equal(back.code, ERROR_IO);
    assert_string_equal(back.text, message.text);
    int64_t at = 0;
    struct message_zone zone;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(message_next_zone(&back, &at, &zone), 1);
        assert_int_equal(zone.row, zones[i].row);
        assert_int_equal(zone.n_id, zones[i].n_id);
        assert_memory_equal(zone.id, zones[i].id, (size_t)zone.n_id);
    }
    assert_int_equal(message_next_zone(&back, &at, &zone), 0);
    bytes[4] = MESSAGE_DONE; /* only a unit has zones */
    assert_int_equal(message_decode(&back, bytes, n, &err), -1);
    bytes[4] = MESSAGE_UNIT;
    for (int64_t cut = 0; cut < n; cut++)
        assert_int_equal(message_decode(&back, bytes, cut, &err), -1);
    srand(3);
    for (int i = 0; i < 100000; i++) { /* whatever the bytes are, nothing is overrun */
        uint8_t *copy = malloc((size_t)n);
        memcpy(copy, bytes, (size_t)n);
        for (int k = 0; k <= i % 4; k++)
            copy[rand() % n] = (uint8_t)rand();
        if (message_decode(&back, copy, n, &err) == 0)
            for (at = 0; message_next_zone(&back, &at, &zone);)
                assert_true((const uint8_t *)zone.id + zone.n_id <= copy + n);
        free(copy);
    }
}

/* The world in which coordinator and workers talk: a queue of bytes to each. */
struct mail {
    int to;
    int64_t n;
    uint8_t *bytes;
};
struct world {
    struct coordinator coordinator;
    struct worker workers[MAX_WORKERS];
    int n_workers;
    struct mail mails[20000];
    int first, n; /* mails in flight */
    int analysed[MAX_ZONES];
    int largest_backlog;
    int64_t fail_row; /* this zone fails; -1: none */
    int n_signals;    /* that ranks get, at any time, some several */
};

static struct world world;

static void post(int to, const uint8_t *bytes, int64_t n)
{
    struct mail *mail = &world.mails[world.n++];
    assert_true(world.n < (int)(sizeof world.mails / sizeof world.mails[0]));
    *mail = (struct mail){ to, n, malloc((size_t)n) };
    memcpy(mail->bytes, bytes, (size_t)n);
}

static void say(int worker, const struct message *message)
{
    struct error err;
    static uint8_t bytes[UNIT_MAX_BYTES];
    struct outgoing out[MAX_WORKERS + COORDINATOR_AHEAD];
    int n = coordinator_receive(&world.coordinator, worker, message, out, &err);
    assert_fine(n, &err);
    for (int i = 0; i < n; i++) {
        int64_t n_bytes =
            coordinator_encode(&world.coordinator, &out[i], bytes, sizeof bytes, &err);
        assert_fine(n_bytes, &err);
        post(out[i].worker, bytes, n_bytes);
    }
}

/* Deliver one mail: the oldest to a worker chosen by chance, so that mails to different
 * workers arrive in any order but those to one keep theirs. */
static void deliver_some(void)
{
    struct error err;
    if (world.first == world.n)
        return;
    int to = world.mails[world.first + rand() % (world.n - world.first)].to;
    for (int i = world.first; i < world.n; i++) {
        struct mail mail = world.mails[i];
        if (mail.to != to)
            continue;
        memmove(&world.mails[world.first + 1],
                &world.mails[world.first],
                (size_t)(i - world.first) * sizeof mail);
        world.first++;
        assert_fine(worker_receive(&world.workers[to], mail.bytes, mail.n, &err), &err);
        free(mail.bytes);
        return;
    }
}

static void step_worker(int w)
{
    struct worker *worker = &world.workers[w];
    struct message_zone zone;
    struct message out[2];
    int n = 0;
    if (world.n_signals > 0 && rand() % 20 == 0) {
        world.n_signals--;
        if (worker_signalled(worker, "SIGTERM", out))
            say(w, out);
    }
    if (worker->n > world.largest_backlog)
        world.largest_backlog = worker->n;
    if (worker_next(worker, &zone)) {
        char id[16] = "";
        memcpy(id, zone.id, (size_t)zone.n_id);
        assert_int_equal(atoi(id), zone.row);
        struct message counts = { .row = zone.row,
                                  .n_candidates = 10,
                                  .n_selected = 4 };
        if (zone.row == world.fail_row) {
            struct error why = { ERROR_SOURCE, "the server is gone" };
            n = worker_failed(worker, zone.row, &why, out);
        } else {
            world.analysed[zone.row]++;
            if (rand() % 3 == 0)
                deliver_some(); /* mail may come while a zone is in work */
            if (world.n_signals > 0 && rand() % 4 == 0) {
                struct message signal;
                world.n_signals--; /* and a signal; the zone is finished or dropped */
                if (worker_signalled(worker, "SIGTERM", &signal))
                    say(w, &signal);
                if (rand() % 2) {
                    struct error why = { ERROR_STOPPED, "stopped between two batches" };
                    world.analysed[zone.row]--;
                    assert_int_equal(worker_failed(worker, zone.row, &why, out), 0);
                    return;
                }
            }
            n = worker_finished(worker, &counts, out);
        }
    } else if (worker_stopped(worker, out)) {
        n = 1;
    }
    for (int i = 0; i < n; i++)
        say(w, &out[i]);
}

static void
run_world(const struct units *units, int n_workers, int64_t fail_row, int n_signals)
{
    struct error err;
    memset(&world, 0, sizeof world);
    world.n_signals = n_signals;
    world.n_workers = n_workers;
    world.fail_row = fail_row;
    assert_fine(coordinator_init(&world.coordinator, units, n_workers, &memory, &err),
                &err);
    for (int w = 0; w < n_workers; w++)
        assert_fine(worker_init(&world.workers[w], &memory, &err), &err);
    int n_ready = 0;
    for (int step = 0; !coordinator_finished(&world.coordinator); step++) {
        assert_true(step < 1000000); /* it ends */
        if (n_ready < n_workers && rand() % 10 == 0)
            say(n_ready++, &(struct message){ .kind = MESSAGE_READY });
        deliver_some();
        int w = rand() % n_workers;
        if (w < n_ready)
            step_worker(w);
    }
}

static void every_zone_is_analysed_once_whatever_the_order_of_events(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct error err;
        struct units units;
        struct memory_mark mark = memory_mark(&memory);
        int n_workers = 1 + round % MAX_WORKERS;
        int64_t n = 1 + (round * 97) % 900;
        struct zone_list zones = make_zones(n, (unsigned)round);
        assert_fine(units_init(&units, &zones, NULL, n_workers, &memory, &err), &err);
        run_world(&units, n_workers, -1, 0);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(world.analysed[i], 1);
        assert_int_equal(world.coordinator.n_zones, n);
        assert_int_equal(world.coordinator.n_selected, 4 * n);
        assert_int_equal(world.coordinator.failure.code, ERROR_NONE);
        assert_true(world.coordinator.cost > units.cost * 0.999999);
        assert_true(world.largest_backlog <= COORDINATOR_AHEAD);
        assert_true(units.n < 2 * n_workers
                    || world.largest_backlog == COORDINATOR_AHEAD);
        memory_rewind(&memory, &mark);
    }
}

static void only_what_is_not_done_is_analysed(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        struct error err;
        struct units units;
        struct memory_mark mark = memory_mark(&memory);
        int n_workers = 1 + round % MAX_WORKERS;
        int64_t n = 1 + (round * 97) % 900, n_left = 0;
        struct zone_list zones = make_zones(n, (unsigned)round);
        static int64_t done[MAX_ZONES];
        double cost = 0;
        for (int64_t i = 0; i < n; i++) { /* all in round 0, none in round 1 */
            done[i] = round == 0 || (round > 1 && rand() % 3);
            n_left += !done[i];
            cost += done[i] ? 0 : unit_zone_cost(&zones, i);
        }
        assert_fine(units_init(&units, &zones, done, n_workers, &memory, &err), &err);
        assert_int_equal(units.n_zones, n_left);
        assert_true(units.cost >= cost * 0.999999 && units.cost <= cost * 1.000001);
        run_world(&units, n_workers, -1, 0);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(world.analysed[i], !done[i]);
        assert_int_equal(world.coordinator.n_zones, n_left);
        assert_int_equal(world.coordinator.failure.code, ERROR_NONE);
        memory_rewind(&memory, &mark);
    }
}

static void one_failure_stops_all_and_is_the_jobs(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct error err;
        struct units units;
        struct memory_mark mark = memory_mark(&memory);
        int n_workers = 1 + round % MAX_WORKERS;
        int64_t n = 1 + (round * 31) % 400;
        struct zone_list zones = make_zones(n, (unsigned)round);
        assert_fine(units_init(&units, &zones, NULL, n_workers, &memory, &err), &err);
        run_world(&units, n_workers, (round * 7) % n, 0);
        assert_int_equal(world.coordinator.failure.code, ERROR_SOURCE);
        assert_string_equal(world.coordinator.failure.text, "the server is gone");
        for (int64_t i = 0; i < n; i++)
            assert_true(world.analysed[i] <= 1);
        assert_int_equal(world.analysed[world.fail_row], 0);
        memory_rewind(&memory, &mark);
    }
}

static void signals_at_any_rank_stop_all_once(void **state)
{
    (void)state;
    int n_cut_short = 0;
    for (int round = 0; round < 200; round++) {
        struct error err;
        struct units units;
        struct memory_mark mark = memory_mark(&memory);
        int n_workers = 1 + round % MAX_WORKERS, n_finished = 0;
        int64_t n = 100 + (round * 31) % 400;
        struct zone_list zones = make_zones(n, (unsigned)round);
        assert_fine(units_init(&units, &zones, NULL, n_workers, &memory, &err), &err);
        run_world(&units, n_workers, -1, 1 + round % 7);
        for (int64_t i = 0; i < n; i++) {
            assert_true(world.analysed[i] == 0 || world.analysed[i] == 1);
            n_finished += world.analysed[i];
        }
        /* what is in a spool is counted, no more and no less */
        assert_int_equal(world.coordinator.n_zones, n_finished);
        if (n_finished < n) {
            n_cut_short++;
            assert_int_equal(world.coordinator.failure.code, ERROR_STOPPED);
            assert_string_equal(world.coordinator.failure.text, "SIGTERM");
        }
        memory_rewind(&memory, &mark);
    }
    assert_true(n_cut_short > 190);
}

static void a_failure_before_a_signal_stays_the_jobs(void **state)
{
    (void)state;
    struct error err;
    struct units units;
    struct coordinator c;
    struct outgoing out[MAX_WORKERS + COORDINATOR_AHEAD];
    struct zone_list zones = make_zones(200, 1);
    assert_fine(units_init(&units, &zones, NULL, 2, &memory, &err), &err);
    assert_fine(coordinator_init(&c, &units, 2, &memory, &err), &err);
    struct message signal = { .kind = MESSAGE_SIGNAL, .code = ERROR_STOPPED };
    assert_refused(coordinator_receive(&c, 0, &signal, out, &err),
                   &err,
                   ERROR_INTERNAL,
                   "worker 0");
    struct message ready = { .kind = MESSAGE_READY };
    struct message failed = { .kind = MESSAGE_FAILED,
                              .code = ERROR_IO,
                              .text = "full" };
    assert_int_equal(coordinator_receive(&c, 0, &ready, out, &err), COORDINATOR_AHEAD);
    assert_int_equal(coordinator_receive(&c, 0, &failed, out, &err), 1);
    assert_int_equal(out[0].message.kind, MESSAGE_STOP);
    assert_int_equal(coordinator_receive(&c, 0, &signal, out, &err), 0);
    assert_int_equal(c.failure.code, ERROR_IO);
    /* a rank that comes late is told at once */
    assert_int_equal(coordinator_receive(&c, 1, &ready, out, &err), 1);
    assert_int_equal(out[0].message.kind, MESSAGE_STOP);
    assert_int_equal(out[0].message.code, ERROR_IO);
    struct message stopped = { .kind = MESSAGE_STOPPED };
    assert_int_equal(coordinator_receive(&c, 0, &stopped, out, &err), 0);
    assert_refused(coordinator_receive(&c, 0, &signal, out, &err),
                   &err,
                   ERROR_INTERNAL,
                   "worker 0");
    assert_false(coordinator_finished(&c));
    assert_int_equal(coordinator_receive(&c, 1, &stopped, out, &err), 0);
    assert_true(coordinator_finished(&c));
}

static void the_coordinator_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    struct error err;
    struct units units;
    struct coordinator c;
    struct outgoing out[MAX_WORKERS + COORDINATOR_AHEAD];
    struct zone_list zones = make_zones(20, 1);
    assert_fine(units_init(&units, &zones, NULL, 2, &memory, &err), &err);
    assert_fine(coordinator_init(&c, &units, 2, &memory, &err), &err);
    static const enum message_kind early[] = { MESSAGE_ZONE,   MESSAGE_DONE,
                                               MESSAGE_FAILED, MESSAGE_STOPPED,
                                               MESSAGE_UNIT,   MESSAGE_STOP };
    for (size_t i = 0; i < sizeof early / sizeof early[0]; i++)
        assert_refused(coordinator_receive(&c,
                                           0,
                                           &(struct message){ .kind = early[i] },
                                           out,
                                           &err),
                       &err,
                       ERROR_INTERNAL,
                       "worker 0");
    struct message ready = { .kind = MESSAGE_READY };
    assert_int_equal(coordinator_receive(&c, 0, &ready, out, &err), COORDINATOR_AHEAD);
    assert_refused(coordinator_receive(&c, 0, &ready, out, &err),
                   &err,
                   ERROR_INTERNAL,
                   "worker 0");
    assert_refused(coordinator_receive(&c, 2, &ready, out, &err),
                   &err,
                   ERROR_INTERNAL,
                   "worker 2");
    struct message zone = { .kind = MESSAGE_ZONE, .row = 20 };
    assert_refused(coordinator_receive(&c, 0, &zone, out, &err),
                   &err,
                   ERROR_INTERNAL,
                   "worker 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_is_in_one_unit_and_large_ones_come_first),
        cmocka_unit_test(every_unit_fits_into_its_message),
        cmocka_unit_test(zones_of_a_unit_are_neighbours),
        cmocka_unit_test(what_takes_longer_costs_more),
        cmocka_unit_test(a_message_survives_its_bytes),
        cmocka_unit_test(every_zone_is_analysed_once_whatever_the_order_of_events),
        cmocka_unit_test(only_what_is_not_done_is_analysed),
        cmocka_unit_test(one_failure_stops_all_and_is_the_jobs),
        cmocka_unit_test(signals_at_any_rank_stop_all_once),
        cmocka_unit_test(a_failure_before_a_signal_stays_the_jobs),
        cmocka_unit_test(the_coordinator_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
