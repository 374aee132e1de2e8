/* min(f), max(f) and range(f) = max - min; NaN is greater than every number. */
#include "kind.h"
#include "order.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_part(set, statistic, &part_extremes);
    statistics_add_real(set, statistic);
    return NULL;
}

static int finish_min(const struct statistic *statistic,
                      const struct zone_end *end,
                      struct output_values *values,
                      struct error *err)
{
    const struct extremes *extremes = statistics_state(end, statistic, 0);
    (void)err;
    if (extremes->n > 0)
        values[0].reals[0] = order_value(extremes->least, statistic->types[0]);
    return 0;
}

static int finish_max(const struct statistic *statistic,
                      const struct zone_end *end,
                      struct output_values *values,
                      struct error *err)
{
    const struct extremes *extremes = statistics_state(end, statistic, 0);
    (void)err;
    if (extremes->n > 0)
        values[0].reals[0] = order_value(extremes->greatest, statistic->types[0]);
    return 0;
}

/* Integers are subtracted as integers: the difference fits 64 bits without a sign. */
static int finish_range(const struct statistic *statistic,
                        const struct zone_end *end,
                        struct output_values *values,
                        struct error *err)
{
    const struct extremes *extremes = statistics_state(end, statistic, 0);
    (void)err;
    if (extremes->n == 0)
        return 0;
    if (statistic->types[0] == TYPE_REAL)
        values[0].reals[0] =
            order_real(extremes->greatest) - order_real(extremes->least);
    else
        values[0].reals[0] =
            (double)((uint64_t)extremes->greatest - (uint64_t)extremes->least);
    return 0;
}

const struct statistic_kind kind_min = { .name = "min",
                                         .arguments = "f",
                                         .types = TYPES_ORDERED,
                                         .unit = UNIT_VALUE,
                                         .needs = "a field",
                                         .bind = bind,
                                         .finish = finish_min };

const struct statistic_kind kind_max = { .name = "max",
                                         .arguments = "f",
                                         .types = TYPES_ORDERED,
                                         .unit = UNIT_VALUE,
                                         .needs = "a field",
                                         .bind = bind,
                                         .finish = finish_max };

const struct statistic_kind kind_range = { .name = "range",
                                           .arguments = "f",
                                           .types = TYPES_ORDERED,
                                           .unit = UNIT_SPAN,
                                           .needs = "a field",
                                           .bind = bind,
                                           .finish = finish_range };
