/*
 * variance(f) = (n sum(f^2) - sum(f)^2) / (n (n - 1)), exact and rounded once;
 * stddev(f) = sqrt(variance(f)); cv(f) = stddev(f) / mean(f). Missing below two values;
 * cv where the mean is 0, too, as a division by zero is null.
 */
#include <math.h>

#include "kind.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_part(set, statistic, &part_total);
    statistic->parts[1] = statistics_part(set, statistic, &part_squares);
    statistics_add_real(set, statistic);
    return NULL;
}

static double variance(const struct statistic *statistic, const struct zone_end *end)
{
    const struct total *values = statistics_state(end, statistic, 0);
    const struct total *squares = statistics_state(end, statistic, 1);
    return exact_variance(&values->sum, &squares->sum, values->n);
}

static int finish_variance(const struct statistic *statistic,
                           const struct zone_end *end,
                           struct output_values *values,
                           struct error *err)
{
    (void)err;
    values[0].reals[0] = variance(statistic, end);
    return 0;
}

static int finish_stddev(const struct statistic *statistic,
                         const struct zone_end *end,
                         struct output_values *values,
                         struct error *err)
{
    (void)err;
    values[0].reals[0] = sqrt(variance(statistic, end));
    return 0;
}

static int finish_cv(const struct statistic *statistic,
                     const struct zone_end *end,
                     struct output_values *values,
                     struct error *err)
{
    const struct total *total = statistics_state(end, statistic, 0);
    double mean = total->n > 0 ? exact_mean(&total->sum, total->n) : 0;
    (void)err;
    if (mean != 0)
        values[0].reals[0] = sqrt(variance(statistic, end)) / mean;
    return 0;
}

const struct statistic_kind kind_stddev = { .name = "stddev",
                                            .arguments = "f",
                                            .types = TYPES_NUMBERS,
                                            .unit = UNIT_SPAN,
                                            .needs = "a field",
                                            .bind = bind,
                                            .finish = finish_stddev };

const struct statistic_kind kind_variance = { .name = "variance",
                                              .arguments = "f",
                                              .types = TYPES_NUMBERS,
                                              .unit = UNIT_SQUARE,
                                              .needs = "a field",
                                              .bind = bind,
                                              .finish = finish_variance };

const struct statistic_kind kind_cv = { .name = "cv",
                                        .arguments = "f",
                                        .types = TYPES_NUMBERS,
                                        .unit = UNIT_ONE,
                                        .needs = "a field",
                                        .bind = bind,
                                        .finish = finish_cv };
