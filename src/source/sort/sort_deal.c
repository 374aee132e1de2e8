/*
 * Parting what all ranks have sorted: samples of every rank's marks go to all, the same
 * keys are chosen everywhere, and each rank finds them in its own runs. Where the keys
 * lie makes no difference to the outcome, only to how evenly the ranks have to merge.
 */
#include <stdlib.h>
#include <string.h>

#include "sort_parts.h"

enum { MOST_SAMPLES = 512, LEAST_SAMPLES = 16, ALL_SAMPLES = 32768 };

struct sample {
    uint64_t prefix;
    int64_t weight; /* bytes of records that it stands for */
};

/* The marks of a run, into those of the writer, which has no more to write. */
static int read_marks(struct sorter *sorter, const struct run *run, struct error *err)
{
    int64_t n = run_mark_bytes(sorter->weights->n_weights);
    for (int i = 0; i <= run->n_marks; i++)
        if (scratch_read(sorter->scratch,
                         sorter->scratch->rank,
                         run->marks_at + i * n,
                         &sorter->writer.marks[i],
                         n,
                         err))
            return -1;
    return 0;
}

/* At most n samples, each of about the same weight; what is left of `samples` weighs
 * nothing. */
static int
take_samples(struct sorter *sorter, struct sample *samples, int n, struct error *err)
{
    int64_t all = 0, weight = 0;
    int taken = 0;
    memset(samples, 0, (size_t)n * sizeof *samples);
    if (sorter->team->size == 1) /* who parts nothing */
        return 0;
    for (int i = 0; i < sorter->n_runs; i++)
        all += sorter->runs[i].n_bytes;
    for (int i = 0; i < sorter->n_runs; i++) {
        const struct run *run = &sorter->runs[i];
        if (read_marks(sorter, run, err))
            return -1;
        for (int m = 0; m < run->n_marks; m++) {
            weight += run->n_bytes / run->n_marks;
            if (weight < all / n || taken == n)
                continue;
            samples[taken++] =
                (struct sample){ sorter->writer.marks[m].prefix, weight };
            weight = 0;
        }
    }
    return 0;
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return (x->prefix > y->prefix) - (x->prefix < y->prefix);
}

/* keys[size]: range r begins with key r, range 0 with everything. */
static void choose_keys(struct sample *samples, int64_t n, int size, uint64_t *keys)
{
    double all = 0, sum = 0;
    int64_t i = 0;
    qsort(samples, (size_t)n, sizeof *samples, compare_samples);
    for (int64_t k = 0; k < n; k++)
        all += (double)samples[k].weight;
    keys[0] = 0;
    for (int r = 1; r < size; r++) {
        while (i < n && sum + (double)samples[i].weight <= all * r / size)
            sum += (double)samples[i++].weight;
        keys[r] = i < n ? samples[i].prefix : UINT64_MAX;
    }
}

/* A place in a run, on its way from key to key. */
struct place {
    int64_t at;
    int64_t sums[1 + SORTER_MOST_WEIGHTS];
};

/* Jump to the last mark before the key, if that is further on. */
static void
jump(const struct sorter *sorter, const struct run *run, uint64_t key, struct place *to)
{
    int64_t n = 8 * (1 + (int64_t)sorter->weights->n_weights);
    for (int i = run->n_marks - 1; i >= 0; i--) {
        const struct run_mark *mark = &sorter->writer.marks[i];
        if (mark->prefix >= key)
            continue;
        if (mark->at > to->at) {
            to->at = mark->at;
            memcpy(to->sums, mark->sums, (size_t)n);
        }
        return;
    }
}

/* Pass the records at bytes[0, n) that come before the key: bytes passed. */
static int64_t pass_records(const struct sorter *sorter,
                            const uint8_t *bytes,
                            int64_t n,
                            uint64_t key,
                            struct place *place,
                            bool *found)
{
    int64_t at = 0, weights[SORTER_MOST_WEIGHTS];
    while (n - at >= SORT_LENGTH_BYTES
           && n - at - SORT_LENGTH_BYTES >= sort_length(bytes + at)) {
        if (sort_entry_of(bytes + at).prefix >= key) {
            *found = true;
            break;
        }
        sorter->weights->weigh(sorter->weights->context,
                               bytes + at + SORT_LENGTH_BYTES,
                               weights);
        place->sums[0]++;
        for (int i = 0; i < sorter->weights->n_weights; i++)
            place->sums[1 + i] += weights[i];
        at += sort_length(bytes + at) + SORT_LENGTH_BYTES;
    }
    place->at += at;
    return at;
}

/* Move on to the first record that does not come before the key, or to the end. */
static int find_key(const struct sorter *sorter,
                    const struct run *run,
                    uint64_t key,
                    uint8_t *buffer,
                    int64_t n_buffer,
                    struct place *place,
                    struct error *err)
{
    int64_t end = run->at + run->n_bytes;
    bool found = false;
    jump(sorter, run, key, place);
    while (!found && place->at < end) {
        int64_t n = end - place->at < n_buffer ? end - place->at : n_buffer;
        if (scratch_read(sorter->scratch,
                         sorter->scratch->rank,
                         place->at,
                         buffer,
                         n,
                         err))
            return -1;
        if (pass_records(sorter, buffer, n, key, place, &found) == 0 && !found)
            return scratch_damaged(sorter->scratch, err);
    }
    return 0;
}

struct cutting {
    const uint64_t *keys; /* [size] */
    int64_t *cuts;        /* [size + 1] */
    int64_t *totals;      /* [size * (1 + n_weights)] */
    uint8_t *buffer;
    int64_t n_buffer;
};

static int cut_run(struct sorter *sorter,
                   const struct run *run,
                   const struct cutting *c,
                   struct error *err)
{
    int size = sorter->team->size, n = 1 + sorter->weights->n_weights;
    struct place place = { .at = run->at };
    if (read_marks(sorter, run, err))
        return -1;
    c->cuts[0] = run->at;
    for (int r = 0; r < size; r++) {
        int64_t *totals = c->totals + (int64_t)r * n;
        for (int i = 0; i < n; i++)
            totals[i] -= place.sums[i];
        if (r + 1 == size) {
            place.at = run->at + run->n_bytes;
            memcpy(place.sums, sorter->writer.marks[run->n_marks].sums, 8 * (size_t)n);
        } else if (find_key(sorter,
                            run,
                            c->keys[r + 1],
                            c->buffer,
                            c->n_buffer,
                            &place,
                            err)) {
            return -1;
        }
        for (int i = 0; i < n; i++)
            totals[i] += place.sums[i];
        c->cuts[r + 1] = place.at;
    }
    return scratch_append(sorter->scratch, c->cuts, 8 * (1 + (int64_t)size), err);
}

/* Take a piece of the sorter's memory, which is free by now. */
static void *carve(uint8_t **at, int64_t n_bytes)
{
    void *piece = *at;
    *at += (n_bytes + 7) & ~(int64_t)7;
    return piece;
}

/* Where `before` of a rank begins and what all have, from every rank's totals:
 * totals[size * (1 + n_weights)], summed over the ranks. */
static void add_up(struct sorter *sorter, const int64_t *totals)
{
    int n = 1 + sorter->weights->n_weights;
    for (int r = 0; r < sorter->team->size; r++)
        for (int i = 0; i < n; i++) {
            int64_t value = totals[(int64_t)r * n + i];
            sorter->all[i] += value;
            if (r < sorter->team->rank)
                sorter->before[i] += value;
            if (r == sorter->team->rank)
                sorter->own[i] = value;
        }
}

static int n_samples(int size)
{
    int n = ALL_SAMPLES / size;
    return n > MOST_SAMPLES ? MOST_SAMPLES : n < LEAST_SAMPLES ? LEAST_SAMPLES : n;
}

int sort_deal(struct sorter *sorter, int status, struct error *err)
{
    const struct team *team = sorter->team;
    int n = n_samples(team->size);
    int64_t size = team->size, n_totals = size * (1 + sorter->weights->n_weights);
    int64_t n_bytes = n * (int64_t)sizeof(struct sample);
    uint8_t *at = sorter->bytes, *end = at + sorter->n_bytes;
    struct sample *own = carve(&at, n_bytes), *all = carve(&at, size * n_bytes);
    uint64_t *keys = carve(&at, 8 * size);
    struct cutting cutting = { .keys = keys,
                               .cuts = carve(&at, 8 * (size + 1)),
                               .totals = carve(&at, 8 * n_totals) };
    struct sort_table table = { .n_runs = sorter->n_runs };
    if (status == 0 && end - at < sorter->longest + SORT_LENGTH_BYTES)
        status = error_set(err,
                           ERROR_BUDGET,
                           "sorting on %d ranks: raise [limits] memory, or start fewer",
                           team->size);
    if (status == 0)
        status = take_samples(sorter, own, n, err);
    if (team_agree(team, status, err) || team_gather_all(team, own, n_bytes, all, err))
        return -1;
    choose_keys(all, size * n, team->size, keys);
    memset(cutting.totals, 0, (size_t)(8 * n_totals));
    cutting.buffer = at;
    cutting.n_buffer = end - at < 4 * sorter->longest + RUN_PIECE
                           ? end - at
                           : 4 * sorter->longest + RUN_PIECE;
    table.at = sorter->scratch->n_bytes;
    for (int i = 0; i < sorter->n_runs && status == 0; i++)
        status = cut_run(sorter, &sorter->runs[i], &cutting, err);
    if (status == 0)
        status = scratch_settle(sorter->scratch, err);
    if (team_agree(team, status, err) || team_sum(team, cutting.totals, n_totals, err)
        || team_gather_all(team, &table, sizeof table, sorter->tables, err))
        return -1;
    add_up(sorter, cutting.totals);
    return 0;
}
