#include <math.h>
#include <string.h>

#include "set.h"

struct fold {
    const struct statistics *set;
    struct memory *memory;
    int64_t n_rows;
    void *states[]; /* [set->n_parts] */
};

static int64_t whole_lines(int64_t n_bytes)
{
    return (n_bytes + 63) & ~INT64_C(63);
}

static int64_t fold_bytes(const struct statistics *set)
{
    return (int64_t)sizeof(struct fold) + set->n_parts * (int64_t)sizeof(void *);
}

static int64_t value_bytes(const struct output *output)
{
    return output->type == TYPE_TEXT ? (int64_t)sizeof(struct text) : 8;
}

int64_t statistics_size(const struct statistics *statistics, int64_t n_selected)
{
    int64_t n_bytes = whole_lines(fold_bytes(statistics));
    for (int i = 0; i < statistics->n_parts; i++) {
        const struct part *part = &statistics->parts[i];
        n_bytes += whole_lines(part->kind->size(part));
        if (part->kind->growth)
            n_bytes += whole_lines(part->kind->growth(part, n_selected));
    }
    for (int i = 0; i < statistics->n_outputs; i++) {
        const struct output *output = &statistics->outputs[i];
        int64_t n = output->form == OUTPUT_CATEGORY ? n_selected : output->width;
        n_bytes += whole_lines(n * value_bytes(output));
        if (output->form == OUTPUT_CATEGORY)
            n_bytes += whole_lines(n * (int64_t)sizeof(int64_t));
    }
    return n_bytes;
}

int fold_begin(struct fold **fold,
               const struct statistics *statistics,
               struct memory *memory,
               struct error *err)
{
    struct fold *fresh =
        memory_take(memory, MEMORY_STATISTICS, fold_bytes(statistics), err);
    if (!fresh)
        return -1;
    *fresh = (struct fold){ .set = statistics, .memory = memory };
    for (int i = 0; i < statistics->n_parts; i++) {
        const struct part *part = &statistics->parts[i];
        int64_t n_bytes = part->kind->size(part);
        fresh->states[i] = memory_take(memory, MEMORY_STATISTICS, n_bytes, err);
        if (!fresh->states[i])
            return -1;
        memset(fresh->states[i], 0, (size_t)n_bytes);
        if (part->kind->init)
            part->kind->init(part, fresh->states[i]);
    }
    *fold = fresh;
    return 0;
}

/* The values of one field that are not null, packed, and their rows. */
struct packed {
    int32_t rows[PART_ROWS];
    union {
        int64_t integers[PART_ROWS];
        double reals[PART_ROWS];
        struct text texts[PART_ROWS];
    };
};

/* Every value is written, but only valid ones move the end. */
static int32_t pack(struct packed *packed,
                    const struct column *column,
                    const int32_t *rows,
                    int32_t n_rows)
{
    int32_t n = 0;
    for (int32_t i = 0; i < n_rows; n += column->valid[rows[i]] != 0, i++)
        packed->rows[n] = rows[i];
    if (column->type == TYPE_TEXT)
        for (int32_t i = 0; i < n; i++)
            packed->texts[i] = column->texts[packed->rows[i]];
    else if (column->type == TYPE_REAL)
        for (int32_t i = 0; i < n; i++)
            packed->reals[i] = column->reals[packed->rows[i]];
    else
        for (int32_t i = 0; i < n; i++)
            packed->integers[i] = column->integers[packed->rows[i]];
    return n;
}

static int add_rows(struct fold *fold,
                    const struct column *columns,
                    const struct column *id,
                    const int32_t *rows,
                    int32_t n_rows,
                    struct error *err)
{
    struct packed packed;
    struct part_rows seen = { .columns = columns, .id = id, .rows = packed.rows };
    int slot = -1;
    for (int i = 0; i < fold->set->n_parts; i++) {
        const struct part *part = &fold->set->parts[i];
        if (part->slots[0] != slot) {
            slot = part->slots[0];
            seen.n = pack(&packed, &columns[slot], rows, n_rows);
            seen.integers = packed.integers; /* whatever the type: a union */
        }
        if (part->kind->add(part, fold->states[i], &seen, fold->memory, err) < 0)
            return -1;
    }
    return 0;
}

int fold_add(struct fold *fold,
             const struct column *columns,
             const struct column *id,
             const int32_t *rows,
             int32_t n_rows,
             struct error *err)
{
    for (int32_t first = 0; first < n_rows; first += PART_ROWS) {
        int32_t n = n_rows - first < PART_ROWS ? n_rows - first : PART_ROWS;
        if (add_rows(fold, columns, id, rows + first, n, err) < 0)
            return -1;
        fold->n_rows += n;
    }
    return 0;
}

int fold_merge(struct fold *fold, const struct fold *from, struct error *err)
{
    for (int i = 0; i < fold->set->n_parts; i++) {
        const struct part *part = &fold->set->parts[i];
        if (part->kind->merge(part, fold->states[i], from->states[i], fold->memory, err)
            < 0)
            return -1;
    }
    fold->n_rows += from->n_rows;
    return 0;
}

void *statistics_state(const struct zone_end *end,
                       const struct statistic *statistic,
                       int part)
{
    return end->fold->states[statistic->parts[part]];
}

/* What a zone without buildings has: counts of 0, all else missing. */
static int empty_values(struct output_values *values,
                        const struct output *output,
                        struct fold *fold,
                        struct error *err)
{
    *values = (struct output_values){ .n = output->width };
    if (output->form == OUTPUT_CATEGORY)
        return 0;
    int64_t n_bytes = output->width * value_bytes(output);
    values->integers = memory_take(fold->memory, MEMORY_STATISTICS, n_bytes, err);
    if (!values->integers)
        return -1;
    for (int64_t i = 0; i < output->width; i++) {
        if (output->type == TYPE_TEXT)
            values->texts[i] = (struct text){ 0 };
        else if (output->type == TYPE_REAL)
            values->reals[i] = NAN;
        else
            values->integers[i] = output->form == OUTPUT_RANKED ? FILL_INTEGER : 0;
    }
    return 0;
}

int fold_end(struct fold *fold,
             const struct zone_facts *facts,
             struct output_values *values,
             struct error *err)
{
    const struct statistics *set = fold->set;
    struct zone_end end = { .set = set,
                            .fold = fold,
                            .memory = fold->memory,
                            .facts = facts,
                            .n_rows = fold->n_rows };
    for (int i = 0; i < set->n_outputs; i++)
        if (empty_values(&values[i], &set->outputs[i], fold, err) < 0)
            return -1;
    for (int i = 0; i < set->n && fold->n_rows > 0; i++) {
        const struct statistic *statistic = &set->statistics[i];
        if (statistic->kind->finish(statistic, &end, values + statistic->output, err)
            < 0)
            return -1;
    }
    return 0;
}
