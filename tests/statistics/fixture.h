/*
 * A binding with one slot of each type, and batches for it: what the job room and a
 * source would bring. Include it once in a test program.
 */
#ifndef ROOFTALLY_TESTS_STATISTICS_FIXTURE_H
#define ROOFTALLY_TESTS_STATISTICS_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "rooftally/job/spelling.h"
#include "rooftally/statistics/statistics.h"

#include "random.h"

enum {
    HEIGHT,
    SIZE,
    FLOORS,
    USE,
    LISTED,
    BUILT,
    SEEN,
    ODD,
    AREA,
    PERIMETER,
    VERTICES,
    N_SLOTS
};

static const struct {
    const char *name;
    enum value_type type;
    enum measure measure;
} fixture_slots[N_SLOTS] = {
    [HEIGHT] = { "height", TYPE_REAL, MEASURE_NONE },
    [SIZE] = { "size", TYPE_REAL, MEASURE_NONE },
    [FLOORS] = { "floors", TYPE_INTEGER, MEASURE_NONE },
    [USE] = { "use", TYPE_TEXT, MEASURE_NONE },
    [LISTED] = { "listed", TYPE_BOOLEAN, MEASURE_NONE },
    [BUILT] = { "built", TYPE_DATE, MEASURE_NONE },
    [SEEN] = { "seen", TYPE_TIMESTAMP, MEASURE_NONE },
    [ODD] = { "An \"odd\" name", TYPE_REAL, MEASURE_NONE },
    [AREA] = { "area_m2", TYPE_REAL, MEASURE_AREA_M2 },
    [PERIMETER] = { "perimeter_m", TYPE_REAL, MEASURE_PERIMETER_M },
    [VERTICES] = { "vertices", TYPE_INTEGER, MEASURE_VERTICES },
};

int binding_slot(struct binding *binding,
                 const char *name,
                 int line,
                 int *slot,
                 struct error *err)
{
    struct spelling spelling;
    if (spelling_read(&spelling, name, err))
        return -1;
    for (int i = 0; i < binding->n_slots; i++)
        if (spelling_rank(&spelling, binding->slots[i].name)) {
            *slot = i;
            return 0;
        }
    (void)line; /* 0: the caller says where */
    return error_set(err, ERROR_USAGE, "unknown field '%s'", spelling.name);
}

int binding_measure(struct binding *binding,
                    enum measure measure,
                    int *slot,
                    struct error *err)
{
    (void)binding, (void)err;
    *slot = measure == MEASURE_AREA_M2       ? AREA
            : measure == MEASURE_PERIMETER_M ? PERIMETER
                                             : VERTICES;
    return 0;
}

static void fixture_binding(struct binding *binding, enum value_type id_type)
{
    *binding = (struct binding){ .n_slots = N_SLOTS, .id_type = id_type };
    for (int i = 0; i < N_SLOTS; i++) {
        struct slot *slot = &binding->slots[i];
        snprintf(slot->name, sizeof slot->name, "%s", fixture_slots[i].name);
        slot->type = fixture_slots[i].type;
        slot->measure = fixture_slots[i].measure;
        slot->origin = slot->measure ? SLOT_MEASURE : SLOT_SOURCE;
    }
}

/* Bind "name = text" pairs, NULL at the end; lines count from 10. */
static int fixture_bind(struct statistics **statistics,
                        const char *const (*pairs)[2],
                        enum value_type id_type,
                        struct error *err)
{
    static char path[] = "job.ini";
    static struct binding binding;
    struct job_statistic list[128];
    struct job job = { .path = path, .statistics = list };
    for (; pairs[job.n_statistics][0]; job.n_statistics++) {
        struct job_statistic *s = &list[job.n_statistics];
        *s = (struct job_statistic){ .line = 10 + job.n_statistics };
        snprintf(s->name, sizeof s->name, "%s", pairs[job.n_statistics][0]);
        s->text = (char *)(uintptr_t)pairs[job.n_statistics][1];
    }
    fixture_binding(&binding, id_type);
    return statistics_bind(statistics, &job, &binding, err);
}

enum { FIXTURE_ROWS = 4000 };

/* Columns of FIXTURE_ROWS rows, about one value in seven null, many values equal. */
struct fixture_batch {
    struct column columns[N_SLOTS];
    struct column id, text_id;
    uint8_t valid[N_SLOTS + 1][FIXTURE_ROWS];
    int64_t integers[N_SLOTS + 1][FIXTURE_ROWS];
    double reals[N_SLOTS][FIXTURE_ROWS];
    struct text texts[2][FIXTURE_ROWS];
    char bytes[FIXTURE_ROWS][24];
    int32_t rows[FIXTURE_ROWS];
};

static inline void fixture_fill(struct fixture_batch *batch, uint64_t seed)
{
    static const char *const uses[] = { "",
                                        "house",
                                        "shed",
                                        "a",
                                        "A",
                                        "housing",
                                        "\xc3\xa9"
                                        "cole",
                                        "garage" };
    for (int slot = 0; slot < N_SLOTS; slot++) {
        struct column *column = &batch->columns[slot];
        column->type = fixture_slots[slot].type;
        column->valid = batch->valid[slot];
        for (int i = 0; i < FIXTURE_ROWS; i++) {
            uint64_t r = next_random(&seed);
            batch->valid[slot][i] = r % 7 != 0;
            batch->integers[slot][i] = (int64_t)(r >> 8) % 900 - 300;
            batch->reals[slot][i] = (double)((int64_t)(r >> 8) % 4000 - 1000) / 16.1;
            if (slot == LISTED)
                batch->integers[slot][i] = r >> 8 & 1;
            if (slot == USE) {
                const char *use = uses[(r >> 8) % 8];
                batch->texts[0][i] =
                    (struct text){ .bytes = use, .n = (int64_t)strlen(use) };
            }
        }
        if (column->type == TYPE_TEXT)
            column->texts = batch->texts[0];
        else if (column->type == TYPE_REAL)
            column->reals = batch->reals[slot];
        else
            column->integers = batch->integers[slot];
    }
    batch->id = (struct column){ .type = TYPE_INTEGER,
                                 .valid = batch->valid[N_SLOTS],
                                 .integers = batch->integers[N_SLOTS] };
    batch->text_id = (struct column){ .type = TYPE_TEXT,
                                      .valid = batch->valid[N_SLOTS],
                                      .texts = batch->texts[1] };
    for (int i = 0; i < FIXTURE_ROWS; i++) {
        batch->rows[i] = i;
        batch->valid[N_SLOTS][i] = 1;
        batch->integers[N_SLOTS][i] = (i * 7919 + 13) % FIXTURE_ROWS;
        int n = snprintf(batch->bytes[i],
                         sizeof batch->bytes[i],
                         "b%d",
                         (int)batch->integers[N_SLOTS][i]);
        batch->texts[1][i] = (struct text){ .bytes = batch->bytes[i], .n = n };
    }
}

#endif
