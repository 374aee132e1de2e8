/* frequency(f): every different value with its count, the values in order. */
#include "kind.h"
#include "order.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    enum value_type type = statistic->types[0];
    if (type != TYPE_TEXT && type != TYPE_REAL)
        type = TYPE_INTEGER;
    statistic->parts[0] = statistics_values(set, statistic);
    statistics_add_output(set, statistic, "", OUTPUT_CATEGORY, type, 0);
    return NULL;
}

/* Room for n pairs; a key is a double, an integer or a text. */
static int take_pairs(struct output_values *values,
                      int64_t n,
                      size_t key_bytes,
                      const struct zone_end *end,
                      struct error *err)
{
    void *keys =
        memory_take(end->memory, MEMORY_STATISTICS, n * (int64_t)key_bytes, err);
    int64_t *counts = keys ? memory_take(end->memory,
                                         MEMORY_STATISTICS,
                                         n * (int64_t)sizeof *counts,
                                         err)
                           : NULL;
    if (!counts)
        return -1;
    *values = (struct output_values){ .n = n, .texts = keys, .counts = counts };
    return 0;
}

static int finish_texts(const struct statistic *statistic,
                        const struct zone_end *end,
                        struct output_values *values,
                        struct error *err)
{
    struct words *words = statistics_state(end, statistic, 0);
    if (words_sorted(words, end->memory, err) < 0
        || take_pairs(values, words->kept.n, sizeof(struct text), end, err) < 0)
        return -1;
    for (int64_t i = 0; i < values->n; i++) {
        values->texts[i] = words->sorted[i]->text;
        values->counts[i] = words->sorted[i]->n;
    }
    return 0;
}

static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    if (statistic->types[0] == TYPE_TEXT)
        return finish_texts(statistic, end, values, err);
    struct sample *sample = statistics_state(end, statistic, 0);
    int64_t n = sample->kept.n, n_pairs = n > 0;
    if (sample_sorted(sample, end->memory, err) < 0)
        return -1;
    for (int64_t i = 1; i < n; i++)
        n_pairs += sample->keys[i] != sample->keys[i - 1];
    if (take_pairs(values, n_pairs, sizeof(int64_t), end, err) < 0)
        return -1;
    int64_t pair = 0;
    for (int64_t first = 0, next = 0; first < n; first = next, pair++) {
        while (next < n && sample->keys[next] == sample->keys[first])
            next++;
        if (statistic->types[0] == TYPE_REAL)
            values->reals[pair] = order_real(sample->keys[first]);
        else
            values->integers[pair] = sample->keys[first];
        values->counts[pair] = next - first;
    }
    return 0;
}

const struct statistic_kind kind_frequency = { .name = "frequency",
                                               .arguments = "f",
                                               .types = TYPES_ALL,
                                               .unit = UNIT_ONE,
                                               .needs = "a field",
                                               .bind = bind,
                                               .finish = finish };
