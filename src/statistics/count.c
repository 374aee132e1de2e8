/* count: the selected buildings. count(f): those whose f is not null. */
#include "kind.h"

static const char *bind_rows(struct statistics *set, struct statistic *statistic)
{
    statistics_add_output(set, statistic, "", OUTPUT_SCALAR, TYPE_INTEGER, 1);
    return NULL;
}

static int finish_rows(const struct statistic *statistic,
                       const struct zone_end *end,
                       struct output_values *values,
                       struct error *err)
{
    (void)statistic, (void)err;
    values[0].integers[0] = end->n_rows;
    return 0;
}

static const char *bind_field(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_part(set, statistic, &part_present);
    return bind_rows(set, statistic);
}

static int finish_field(const struct statistic *statistic,
                        const struct zone_end *end,
                        struct output_values *values,
                        struct error *err)
{
    const struct present *present = statistics_state(end, statistic, 0);
    (void)err;
    values[0].integers[0] = present->n;
    return 0;
}

const struct statistic_kind kind_count = { .name = "count",
                                           .arguments = "",
                                           .types = TYPES_ALL,
                                           .unit = UNIT_ONE,
                                           .needs = "nothing or a field",
                                           .bind = bind_rows,
                                           .finish = finish_rows };

const struct statistic_kind kind_count_field = { .name = "count",
                                                 .arguments = "f",
                                                 .types = TYPES_ALL,
                                                 .unit = UNIT_ONE,
                                                 .needs = "nothing or a field",
                                                 .bind = bind_field,
                                                 .finish = finish_field };
