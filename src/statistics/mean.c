/* mean(f) = sum(f) / count(f), rounded once. */
#include "kind.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_part(set, statistic, &part_total);
    statistics_add_real(set, statistic);
    return NULL;
}

static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    const struct total *total = statistics_state(end, statistic, 0);
    (void)err;
    if (total->n > 0)
        values[0].reals[0] = exact_mean(&total->sum, total->n);
    return 0;
}

const struct statistic_kind kind_mean = { .name = "mean",
                                          .arguments = "f",
                                          .types = TYPES_SUMMABLE,
                                          .unit = UNIT_VALUE,
                                          .needs = "a field",
                                          .bind = bind,
                                          .finish = finish };
