/* weighted_mean(f, w) = sum(f w) / sum(w) where neither is null, rounded once; missing
 * where sum(w) is 0, as a division by zero is null. */
#include "kind.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_part(set, statistic, &part_product);
    statistic->parts[1] = statistics_part(set, statistic, &part_weights);
    statistics_add_real(set, statistic);
    return NULL;
}

static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    const struct total *products = statistics_state(end, statistic, 0);
    const struct total *weights = statistics_state(end, statistic, 1);
    (void)err;
    if (products->n > 0 && exact_value(&weights->sum) != 0)
        values[0].reals[0] = exact_quotient(&products->sum, &weights->sum);
    return 0;
}

const struct statistic_kind kind_weighted_mean = { .name = "weighted_mean",
                                                   .arguments = "ff",
                                                   .types = TYPES_NUMBERS,
                                                   .unit = UNIT_VALUE,
                                                   .needs =
                                                       "a field and a field of weights",
                                                   .bind = bind,
                                                   .finish = finish };
