#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rooftally/base/nearest.h"

#include "set.h"

/* The most that any statistic asks for. */
enum { MOST_PARTS = 2, MOST_OUTPUTS = 2, MOST_KINDS = 64 };

static int add_part(struct statistics *set, struct part part)
{
    for (int i = 0; i < set->n_parts; i++) {
        const struct part *p = &set->parts[i];
        if (p->kind == part.kind && p->slots[0] == part.slots[0]
            && p->slots[1] == part.slots[1] && p->low == part.low
            && p->high == part.high && p->n == part.n)
            return i;
    }
    set->parts[set->n_parts] = part;
    return set->n_parts++;
}

int statistics_part_with(struct statistics *set,
                         const struct statistic *statistic,
                         const struct part_kind *kind,
                         double low,
                         double high,
                         int64_t n)
{
    return add_part(set,
                    (struct part){
                        .kind = kind,
                        .slots = { statistic->slots[0], statistic->slots[1] },
                        .types = { statistic->types[0], statistic->types[1] },
                        .id_type = set->id_type,
                        .low = low,
                        .high = high,
                        .n = n });
}

int statistics_part(struct statistics *set,
                    const struct statistic *statistic,
                    const struct part_kind *kind)
{
    return statistics_part_with(set, statistic, kind, 0, 0, 0);
}

int statistics_values(struct statistics *set, const struct statistic *statistic)
{
    return statistics_part(set,
                           statistic,
                           statistic->types[0] == TYPE_TEXT ? &part_words
                                                            : &part_sample);
}

struct output *statistics_add_output(struct statistics *set,
                                     struct statistic *statistic,
                                     const char *suffix,
                                     enum output_form form,
                                     enum value_type type,
                                     int64_t width)
{
    struct output *output = &set->outputs[set->n_outputs++];
    *output = (struct output){ .form = form, .type = type, .width = width };
    snprintf(output->name, sizeof output->name, "%.63s%.8s", statistic->name, suffix);
    snprintf(output->long_name,
             sizeof output->long_name,
             "%s%s of the selected buildings",
             *suffix ? "ids of " : "",
             statistic->call);
    if (!*suffix)
        units_of(statistic, output->units);
    if (form == OUTPUT_CATEGORY || form == OUTPUT_BINS)
        units_of_values(statistic, output->axis_units);
    return output;
}

void statistics_add_real(struct statistics *set, struct statistic *statistic)
{
    statistics_add_output(set, statistic, "", OUTPUT_SCALAR, TYPE_REAL, 1);
}

enum value_type statistics_id_type(const struct statistics *set)
{
    return set->id_type;
}

/* Parts of one field next to each other, so that a fold packs each field once. */
static void group_parts(struct statistics *set)
{
    for (int i = 1; i < set->n_parts; i++) {
        struct part part = set->parts[i];
        int to = i;
        while (to > 0 && set->parts[to - 1].slots[0] > part.slots[0])
            to--;
        memmove(set->parts + to + 1, set->parts + to, (size_t)(i - to) * sizeof part);
        set->parts[to] = part;
        for (int k = 0; k < MOST_PARTS * set->n; k++) {
            int *index = &set->statistics[k / MOST_PARTS].parts[k % MOST_PARTS];
            if (*index == i)
                *index = to;
            else if (*index >= to && *index < i)
                ++*index;
        }
    }
}

/* Whether the call's arguments are of the kinds that the pattern lists. */
static bool fits(const char *pattern, const struct call *call)
{
    int n = 0;
    for (const char *p = pattern; *p; p++) {
        if (*p == 'a')
            continue;
        if (n == call->n || call->arguments[n++].is_number != (*p == 'n'))
            return false;
    }
    return n == call->n;
}

static int refuse_arguments(const struct statistic_kind *kind,
                            const char *needs,
                            const char *text,
                            struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "%s needs %s: got '%s'",
                     kind->name,
                     needs,
                     text);
}

static int find_kind(const struct statistic_kind **kind,
                     const struct call *call,
                     const char *text,
                     struct error *err)
{
    const struct statistic_kind *named = NULL;
    const char *names[MOST_KINDS];
    for (int i = 0; i < n_statistic_kinds && i < MOST_KINDS; i++) {
        const struct statistic_kind *candidate = statistic_kinds[i];
        names[i] = candidate->name;
        if (strcmp(call->function, candidate->name) != 0)
            continue;
        named = candidate;
        if (fits(candidate->arguments, call)) {
            *kind = candidate;
            return 0;
        }
    }
    if (named)
        return refuse_arguments(named, named->needs, text, err);
    const char *nearest = nearest_word(call->function, names, n_statistic_kinds);
    if (nearest)
        return error_set(err,
                         ERROR_USAGE,
                         "unknown statistic '%s': did you mean '%s'?",
                         call->function,
                         nearest);
    return error_set(err,
                     ERROR_USAGE,
                     "unknown statistic '%s': the README lists them, under The result",
                     call->function);
}

static int refuse_type(const struct statistic_kind *kind,
                       const struct slot *slot,
                       struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "%s needs a number%s: '%s' is %s",
                     kind->name,
                     kind->types & 1 << TYPE_DATE ? " or a date" : "",
                     slot->name,
                     value_type_word(slot->type));
}

/* The slots of the call's fields. */
static int bind_fields(struct statistic *statistic,
                       const struct call *call,
                       struct binding *binding,
                       struct error *err)
{
    int n_fields = 0, argument = 0;
    for (const char *p = statistic->kind->arguments; *p; p++) {
        int slot, status;
        if (*p == 'n') {
            argument++;
            continue;
        }
        if (*p == 'a')
            status = binding_measure(binding, MEASURE_AREA_M2, &slot, err);
        else
            status =
                binding_slot(binding, call->arguments[argument++].text, 0, &slot, err);
        if (status < 0)
            return -1;
        if (!(statistic->kind->types & 1 << binding->slots[slot].type))
            return refuse_type(statistic->kind, &binding->slots[slot], err);
        if (n_fields == 0 && binding->slots[slot].origin == SLOT_MEASURE)
            statistic->measure = binding->slots[slot].measure;
        statistic->slots[n_fields] = slot;
        statistic->types[n_fields++] = binding->slots[slot].type;
    }
    return 0;
}

/* "quantile(height, 0.9)", whatever the spacing and case it was written with. */
static void write_call(struct statistic *statistic, const struct call *call)
{
    size_t size = sizeof statistic->call;
    int n = snprintf(statistic->call, size, "%s", statistic->kind->name);
    for (int i = 0; i < call->n && n >= 0 && (size_t)n < size; i++)
        n += snprintf(statistic->call + n,
                      size - (size_t)n,
                      "%s%s%s",
                      i ? ", " : "(",
                      call->arguments[i].text,
                      i + 1 < call->n ? "" : ")");
}

static int bind_one(struct statistics *set,
                    const struct job_statistic *given,
                    struct binding *binding,
                    struct error *err)
{
    struct statistic *statistic = &set->statistics[set->n];
    struct call call;
    *statistic = (struct statistic){ .slots = { -1, -1 }, .output = set->n_outputs };
    memcpy(statistic->name, given->name, sizeof statistic->name);
    if (call_parse(&call, given->text, err) < 0
        || find_kind(&statistic->kind, &call, given->text, err) < 0)
        return -1;
    memcpy(statistic->arguments, call.arguments, sizeof statistic->arguments);
    write_call(statistic, &call);
    if (bind_fields(statistic, &call, binding, err) < 0)
        return -1;
    const char *needs = statistic->kind->bind(set, statistic);
    if (needs)
        return refuse_arguments(statistic->kind, needs, given->text, err);
    set->n++;
    return 0;
}

static void *zeros(int n, size_t item_bytes)
{
    return calloc(n > 0 ? (size_t)n : 1, item_bytes);
}

static struct statistics *new_set(int n, enum value_type id_type)
{
    struct statistics *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->id_type = id_type;
    set->statistics = zeros(n, sizeof *set->statistics);
    set->parts = zeros(MOST_PARTS * n, sizeof *set->parts);
    set->outputs = zeros(MOST_OUTPUTS * n, sizeof *set->outputs);
    if (!set->statistics || !set->parts || !set->outputs) {
        statistics_free(set);
        return NULL;
    }
    return set;
}

int statistics_bind(struct statistics **statistics,
                    const struct job *job,
                    struct binding *binding,
                    struct error *err)
{
    struct statistics *set = new_set(job->n_statistics, binding->id_type);
    if (!set)
        return error_set(err, ERROR_BUDGET, "no heap for the statistics");
    for (int i = 0; i < job->n_statistics; i++) {
        if (bind_one(set, &job->statistics[i], binding, err) < 0) {
            names_place(job, i, err);
            goto out;
        }
    }
    if (names_check(set, job, err) < 0)
        goto out;
    group_parts(set);
    *statistics = set;
    return 0;
out:
    statistics_free(set);
    return -1;
}

void statistics_free(struct statistics *statistics)
{
    if (!statistics)
        return;
    free(statistics->statistics);
    free(statistics->parts);
    free(statistics->outputs);
    free(statistics);
}

int statistics_n_outputs(const struct statistics *statistics)
{
    return statistics->n_outputs;
}

bool statistics_by_zone_area(const struct statistics *statistics)
{
    for (int i = 0; i < statistics->n; i++)
        if (statistics->statistics[i].kind->unit == UNIT_DENSITY)
            return true;
    return false;
}

const struct output *statistics_output(const struct statistics *statistics, int index)
{
    return &statistics->outputs[index];
}
