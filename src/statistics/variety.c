/* variety(f): how many different values there are. */
#include "kind.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_values(set, statistic);
    statistics_add_real(set, statistic);
    return NULL;
}

static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    if (statistic->types[0] == TYPE_TEXT) {
        const struct words *words = statistics_state(end, statistic, 0);
        values[0].reals[0] = (double)words->kept.n;
        return 0;
    }
    struct sample *sample = statistics_state(end, statistic, 0);
    if (sample_sorted(sample, end->memory, err) < 0)
        return -1;
    int64_t n = sample->kept.n > 0;
    for (int64_t i = 1; i < sample->kept.n; i++)
        n += sample->keys[i] != sample->keys[i - 1];
    values[0].reals[0] = (double)n;
    return 0;
}

const struct statistic_kind kind_variety = { .name = "variety",
                                             .arguments = "f",
                                             .types = TYPES_ALL,
                                             .unit = UNIT_ONE,
                                             .needs = "a field",
                                             .bind = bind,
                                             .finish = finish };
