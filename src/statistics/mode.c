/*
 * mode(f): the most frequent value; minority(f): the least frequent one. Of several,
 * the smallest: bytewise for text, NaN last.
 */
#include <stdbool.h>

#include "kind.h"
#include "order.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    bool text = statistic->types[0] == TYPE_TEXT;
    statistic->parts[0] = statistics_values(set, statistic);
    statistics_add_output(set,
                          statistic,
                          "",
                          OUTPUT_SCALAR,
                          text ? TYPE_TEXT : TYPE_REAL,
                          1);
    return NULL;
}

/* Whether a count beats the best so far, `best` 0 for none; ties keep the earlier. */
static bool beats(int64_t n, int64_t best, bool most)
{
    return best == 0 || (most ? n > best : n < best);
}

static int finish_texts(const struct statistic *statistic,
                        const struct zone_end *end,
                        bool most,
                        struct text *value,
                        struct error *err)
{
    struct words *words = statistics_state(end, statistic, 0);
    int64_t best = 0;
    if (words_sorted(words, end->memory, err) < 0)
        return -1;
    for (int64_t i = 0; i < words->kept.n; i++) {
        if (beats(words->sorted[i]->n, best, most)) {
            best = words->sorted[i]->n;
            *value = words->sorted[i]->text;
        }
    }
    return 0;
}

static int finish_numbers(const struct statistic *statistic,
                          const struct zone_end *end,
                          bool most,
                          double *value,
                          struct error *err)
{
    struct sample *sample = statistics_state(end, statistic, 0);
    int64_t best = 0, n = sample->kept.n;
    if (sample_sorted(sample, end->memory, err) < 0)
        return -1;
    for (int64_t first = 0, next = 0; first < n; first = next) {
        while (next < n && sample->keys[next] == sample->keys[first])
            next++;
        if (beats(next - first, best, most)) {
            best = next - first;
            *value = order_value(sample->keys[first], statistic->types[0]);
        }
    }
    return 0;
}

static int finish_either(const struct statistic *statistic,
                         const struct zone_end *end,
                         bool most,
                         struct output_values *values,
                         struct error *err)
{
    if (statistic->types[0] == TYPE_TEXT)
        return finish_texts(statistic, end, most, values[0].texts, err);
    return finish_numbers(statistic, end, most, values[0].reals, err);
}

static int finish_mode(const struct statistic *statistic,
                       const struct zone_end *end,
                       struct output_values *values,
                       struct error *err)
{
    return finish_either(statistic, end, true, values, err);
}

static int finish_minority(const struct statistic *statistic,
                           const struct zone_end *end,
                           struct output_values *values,
                           struct error *err)
{
    return finish_either(statistic, end, false, values, err);
}

const struct statistic_kind kind_mode = { .name = "mode",
                                          .arguments = "f",
                                          .types = TYPES_ALL,
                                          .unit = UNIT_VALUE,
                                          .needs = "a field",
                                          .bind = bind,
                                          .finish = finish_mode };

const struct statistic_kind kind_minority = { .name = "minority",
                                              .arguments = "f",
                                              .types = TYPES_ALL,
                                              .unit = UNIT_VALUE,
                                              .needs = "a field",
                                              .bind = bind,
                                              .finish = finish_minority };
