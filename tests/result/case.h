/*
 * A job's worth of finished zones made up from their rows alone: the same whoever makes
 * them, so that results of any number of ranks must be the same.
 */
#ifndef ROOFTALLY_TESTS_RESULT_CASE_H
#define ROOFTALLY_TESTS_RESULT_CASE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/comm/comm.h"
#include "rooftally/result/result.h"

/* The twin of the bound statistics: any outputs that a test wants. */
struct statistics {
    const struct output *outputs;
    int n;
};

int statistics_n_outputs(const struct statistics *statistics)
{
    return statistics->n;
}

const struct output *statistics_output(const struct statistics *statistics, int index)
{
    return &statistics->outputs[index];
}

static const struct output case_outputs[] = {
    { "buildings",
      "count of the selected buildings",
      "1",
      OUTPUT_SCALAR,
      TYPE_INTEGER,
      1,
      0,
      0,
      "" },
    { "mean_size",
      "mean(size) of the selected buildings",
      "m2",
      OUTPUT_SCALAR,
      TYPE_REAL,
      1,
      0,
      0,
      "" },
    { "commonest",
      "mode(use) of the selected buildings",
      "",
      OUTPUT_SCALAR,
      TYPE_TEXT,
      1,
      0,
      0,
      "" },
    { "newest",
      "max(built) of the selected buildings",
      "days since 1970-01-01",
      OUTPUT_SCALAR,
      TYPE_INTEGER,
      1,
      0,
      0,
      "" },
    { "heights",
      "histogram(height, 0, 100, 20)",
      "1",
      OUTPUT_BINS,
      TYPE_INTEGER,
      20,
      0,
      100,
      "" },
    { "uses", "frequency(use)", "1", OUTPUT_CATEGORY, TYPE_TEXT, 0, 0, 0, "" },
    { "floors", "frequency(floors)", "1", OUTPUT_CATEGORY, TYPE_INTEGER, 0, 0, 0, "" },
    { "ratios", "frequency(ratio)", "1", OUTPUT_CATEGORY, TYPE_REAL, 0, 0, 0, "" },
    { "tallest", "top(height, 3)", "", OUTPUT_RANKED, TYPE_REAL, 3, 0, 0, "" },
    { "tallest_id",
      "ids of top(height, 3)",
      "",
      OUTPUT_RANKED,
      TYPE_INTEGER,
      3,
      0,
      0,
      "" },
};
enum { CASE_N_OUTPUTS = sizeof case_outputs / sizeof *case_outputs };
static const struct statistics case_statistics = { case_outputs, CASE_N_OUTPUTS };

static const char *const case_uses[] = { "house",
                                         "shed",
                                         "K\xc3\xbc"
                                         "che",
                                         "",
                                         "an unusually long use of a building",
                                         "zoo" };
static const int64_t case_floors[] = { -3, 0, 1, 2, 40 };
static const double case_ratios[] = { -INFINITY, -0.5, -0.0, 0.25, NAN };

enum case_kind {
    CASE_FULL,
    CASE_EMPTY, /* nothing selected, rejected or sampled, no geometry */
    CASE_BARE   /* no selection kept */
};

enum { CASE_ID_BYTES = 5, CASE_HUGE_ROW = 3, CASE_HUGE = 60000 };

/* splitmix64 */
static uint64_t case_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct binding case_binding(enum case_kind kind)
{
    struct binding binding = { .id_type = TYPE_INTEGER };
    static const struct {
        const char *name;
        enum value_type type;
        enum measure measure;
    } slots[] = { { "height", TYPE_REAL, MEASURE_NONE },
                  { "use", TYPE_TEXT, MEASURE_NONE },
                  { "built", TYPE_DATE, MEASURE_NONE },
                  { "seen", TYPE_TIMESTAMP, MEASURE_NONE },
                  { "flag", TYPE_BOOLEAN, MEASURE_NONE },
                  { "area_m2", TYPE_REAL, MEASURE_AREA_M2 } };
    for (int i = 0; i < 6; i++) {
        struct slot *slot = &binding.slots[binding.n_slots++];
        snprintf(slot->name, sizeof slot->name, "%s", slots[i].name);
        slot->type = slots[i].type;
        slot->measure = slots[i].measure;
    }
    static const int keep[] = { -1, 0, 1, 2, 3, 4, 0, 5 }; /* height twice */
    for (int i = 0; kind != CASE_BARE && i < 8; i++)
        binding.keep[binding.n_keep++] = keep[i];
    return binding;
}

/* Zeroed bytes that live as long as the memory's rewind says. */
static void *case_take(struct memory *memory, int64_t n_bytes)
{
    void *bytes = memory_take(memory, MEMORY_RECORD, n_bytes, NULL);
    if (!bytes)
        abort();
    return memset(bytes, 0, (size_t)n_bytes);
}

static struct text case_text(const char *word)
{
    return (struct text){ word, (int64_t)strlen(word) };
}

static void case_output(struct output_values *values,
                        const struct output *output,
                        int64_t n_selected,
                        uint64_t *state,
                        struct memory *memory)
{
    int64_t n = output->width;
    if (output->form == OUTPUT_CATEGORY) {
        n = 0;
        values->integers = case_take(memory, 6 * (int64_t)sizeof(struct text));
        values->counts = case_take(memory, 6 * 8);
        int n_keys = output->type == TYPE_TEXT ? 6 : 5;
        /* keys of the real statistics come sorted; the writer must not need that */
        for (int key = 0; n_selected > 0 && key < n_keys; key++) {
            if (case_random(state) % 3 == 0)
                continue;
            if (output->type == TYPE_TEXT)
                values->texts[n] = case_text(case_uses[key]);
            else if (output->type == TYPE_REAL)
                values->reals[n] = case_ratios[key];
            else
                values->integers[n] = case_floors[key];
            values->counts[n++] = 1 + (int64_t)(case_random(state) % 1000);
        }
        values->n = n;
        return;
    }
    values->n = n;
    values->integers = case_take(memory, n * (int64_t)sizeof(struct text));
    for (int64_t i = 0; i < n; i++) {
        uint64_t random = case_random(state);
        if (output->type == TYPE_TEXT)
            values->texts[i] =
                n_selected > 0 ? case_text(case_uses[random % 6]) : (struct text){ 0 };
        else if (output->type == TYPE_REAL)
            /* NaN of either sign: the file must not show which */
            values->reals[i] = n_selected > 0 ? (double)(random % 1000000) / 997
                               : random & 1   ? NAN
                                              : -NAN;
        else
            values->integers[i] = n_selected > 0 || output->form == OUTPUT_BINS
                                      ? (int64_t)(random % 20000)
                                      : FILL_INTEGER;
    }
}

static void case_column(struct column *column,
                        enum value_type type,
                        bool nullable,
                        int64_t n,
                        uint64_t *state,
                        struct memory *memory)
{
    column->type = type;
    column->valid = case_take(memory, n);
    column->integers =
        case_take(memory, n * (int64_t)(type == TYPE_TEXT ? sizeof(struct text) : 8));
    for (int64_t i = 0; i < n; i++) {
        uint64_t random = case_random(state);
        column->valid[i] = !nullable || random % 7 != 0;
        if (type == TYPE_TEXT)
            column->texts[i] = case_text(case_uses[random % 6]);
        else if (type == TYPE_REAL)
            column->reals[i] = (double)(random % 100000) / 7;
        else
            column->integers[i] = nullable ? (int64_t)(random % 20000) - 10000 : 3 * i;
    }
}

/* The finished zone of a row. */
static void case_record(struct zone_record *record,
                        enum case_kind kind,
                        const struct binding *binding,
                        int64_t row,
                        int rank,
                        struct memory *memory)
{
    static const char *const reasons[] = { "ring 1 is open",
                                           "NaN in a coordinate; and a long story" };
    uint64_t random = (uint64_t)row * 1000003, *state = &random;
    *record = (struct zone_record){ .row = row, .rank = rank, .n_retries = rank & 1 };
    int64_t most = row == CASE_HUGE_ROW ? CASE_HUGE : row % 4 ? 40 : 0;
    if (kind != CASE_EMPTY) {
        record->n_selected = most == CASE_HUGE ? most
                             : most            ? (int64_t)(case_random(state) % 41)
                                               : 0;
        record->n_rejected = row % 5 == 0 ? (int64_t)(case_random(state) % 4) : 0;
        record->wkb.n = row % 6 ? (int64_t)(case_random(state) % 3000) : 0;
        snprintf(record->snapshot, sizeof record->snapshot, "0000000%d-1", rank);
    }
    record->n_outside = (int64_t)(case_random(state) % 50);
    record->n_filtered = (int64_t)(case_random(state) % 50);
    record->n_candidates = record->n_selected + record->n_outside + record->n_filtered
                           + record->n_rejected;
    record->n_decided = record->n_candidates - record->n_rejected;
    record->start_s = (double)row / 8;
    record->wall_s = 0.25 + rank;
    record->box = row % 6 ? (struct box){ -71.5, 42, (double)row - 70, 43 }
                          : (struct box){ INFINITY, INFINITY, -INFINITY, -INFINITY };
    record->area_m2 = (double)row * 1e6 / 3;
    record->n_vertices = row % 6 ? row + 4 : 0;
    char *wkb = case_take(memory, record->wkb.n);
    for (int64_t i = 0; i < record->wkb.n; i++)
        wkb[i] = (char)case_random(state);
    record->wkb.bytes = wkb;

    record->n_outputs = CASE_N_OUTPUTS;
    record->outputs = case_take(memory, CASE_N_OUTPUTS * sizeof *record->outputs);
    for (int i = 0; i < CASE_N_OUTPUTS; i++)
        case_output(&record->outputs[i],
                    &case_outputs[i],
                    record->n_selected,
                    state,
                    memory);
    record->n_keep = binding->n_keep;
    record->keep = case_take(memory, binding->n_keep * (int64_t)sizeof *record->keep);
    for (int i = 0; i < binding->n_keep; i++) {
        int slot = binding->keep[i];
        enum value_type type = slot < 0 ? binding->id_type : binding->slots[slot].type;
        case_column(&record->keep[i],
                    type,
                    slot >= 0,
                    record->n_selected,
                    state,
                    memory);
    }
    case_column(&record->rejected_id,
                binding->id_type,
                false,
                record->n_rejected,
                state,
                memory);
    record->rejected_reason =
        case_take(memory,
                  record->n_rejected * (int64_t)sizeof *record->rejected_reason);
    for (int64_t i = 0; i < record->n_rejected; i++)
        record->rejected_reason[i] = case_text(reasons[case_random(state) % 2]);
}

/* Rows are dealt out unevenly, and half of the ranks finish them backwards. */
[[maybe_unused]] static bool case_is_mine(int64_t row, int rank, int size)
{
    uint64_t state = (uint64_t)row + 17;
    return (int)(case_random(&state) % (uint64_t)size) == rank;
}

[[maybe_unused]] static int case_fill(struct spool *spool,
                                      enum case_kind kind,
                                      const struct binding *binding,
                                      int64_t n_zones,
                                      struct comm *comm,
                                      struct memory *memory,
                                      struct error *err)
{
    int rank = comm_rank(comm), size = comm_size(comm);
    for (int64_t i = 0; i < n_zones; i++) {
        int64_t row = rank & 1 ? n_zones - 1 - i : i;
        if (!case_is_mine(row, rank, size))
            continue;
        struct memory_mark mark = memory_mark(memory);
        struct zone_record record;
        case_record(&record, kind, binding, row, rank, memory);
        int status = spool_append(spool, &record, &case_statistics, err);
        memory_rewind(memory, &mark);
        if (status < 0)
            return -1;
    }
    return 0;
}

/* Everything else that result_write wants; ids are "00000", "00001" and so on. */
struct case_input {
    struct result_input input;
    struct binding binding;
    struct rank_telemetry telemetry;
    struct memory_sample samples[3];
    struct result_attribute provenance[2];
    char *ids, *job_text;
};

[[maybe_unused]] static void case_input_init(struct case_input *c,
                                             enum case_kind kind,
                                             const char *path,
                                             int64_t n_zones,
                                             struct comm *comm)
{
    enum { TEXT_BYTES = 100 * 1024 };
    memset(c, 0, sizeof *c);
    c->binding = case_binding(kind);
    c->ids = calloc((size_t)n_zones * CASE_ID_BYTES + 1, 1);
    for (int64_t row = 0; row < n_zones; row++)
        snprintf(c->ids + row * CASE_ID_BYTES, CASE_ID_BYTES + 1, "%05d", (int)row);
    c->job_text = calloc(TEXT_BYTES + 1, 1);
    memset(c->job_text, 'j', TEXT_BYTES);
    c->provenance[0] = (struct result_attribute){ "job", c->job_text, 0 };
    c->provenance[1] = (struct result_attribute){ "snapshot", "", 0 };
    for (int i = 0; i < 3; i++)
        c->samples[i] = (struct memory_sample){ i / 2.0, i << 20, i << 10, i };
    snprintf(c->telemetry.host, sizeof c->telemetry.host, "%s", comm_host(comm));
    c->telemetry.n_zones = comm_rank(comm);
    c->telemetry.busy_s = 1.5;
    c->telemetry.peak_live_bytes = 7;
    c->telemetry.owner_peak_bytes[MEMORY_GATHER] = 99;
    c->telemetry.n_samples = kind == CASE_EMPTY ? 0 : 3;
    c->telemetry.samples = c->samples;
    c->input = (struct result_input){ .path = path,
                                      .title = "Zones made up",
                                      .statistics = &case_statistics,
                                      .binding = &c->binding,
                                      .n_zones = n_zones,
                                      .zone_id_bytes = CASE_ID_BYTES,
                                      .zone_ids = comm_rank(comm) ? NULL : c->ids,
                                      .crs = "EPSG:4326",
                                      .provenance = c->provenance,
                                      .n_provenance = 2,
                                      .telemetry = &c->telemetry };
}

[[maybe_unused]] static void case_input_release(struct case_input *c)
{
    free(c->ids);
    free(c->job_text);
}

#endif
