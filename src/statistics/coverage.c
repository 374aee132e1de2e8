/* coverage = sum(area_m2) of the buildings / area_m2 of the zone, rounded once. */
#include <math.h>

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
    double area_m2 = end->facts->area_m2;
    (void)err;
    if (total->n > 0 && area_m2 > 0) {
        struct exact zone;
        exact_init(&zone);
        exact_add_reals(&zone, &area_m2, 1);
        values[0].reals[0] = exact_quotient(&total->sum, &zone);
    }
    return 0;
}

const struct statistic_kind kind_coverage = { .name = "coverage",
                                              .arguments = "a",
                                              .types = TYPES_NUMBERS,
                                              .unit = UNIT_ONE,
                                              .needs = "no argument",
                                              .bind = bind,
                                              .finish = finish };
