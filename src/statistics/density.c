/* density = count / zone area, in buildings a square kilometre. */
#include "kind.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistics_add_real(set, statistic);
    return NULL;
}

static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    (void)statistic, (void)err;
    if (end->facts->area_m2 > 0)
        values[0].reals[0] = (double)end->n_rows * 1e6 / end->facts->area_m2;
    return 0;
}

const struct statistic_kind kind_density = { .name = "density",
                                             .arguments = "",
                                             .types = TYPES_ALL,
                                             .unit = UNIT_DENSITY,
                                             .needs = "no argument",
                                             .bind = bind,
                                             .finish = finish };
