/* histogram(f, low, high, bins): how many values lie in each of equal bins. */
#include <math.h>
#include <string.h>

#include "kind.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    double low = statistic->arguments[1].number, high = statistic->arguments[2].number;
    double bins = statistic->arguments[3].number;
    if (!(bins >= 1 && bins <= 1000000 && bins == floor(bins)))
        return "1 to 1000000 bins";
    if (!(low < high) || !isfinite(bins * (high - low)))
        return "a low bound below the high one, and less than 1e308 / bins apart";
    int64_t n = (int64_t)bins;
    statistic->parts[0] =
        statistics_part_with(set, statistic, &part_bins, low, high, n);
    struct output *output =
        statistics_add_output(set, statistic, "", OUTPUT_BINS, TYPE_INTEGER, n);
    output->low = low;
    output->high = high;
    return NULL;
}

static int finish(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err)
{
    const int64_t *counts = statistics_state(end, statistic, 0);
    (void)err;
    memcpy(values[0].integers, counts, (size_t)values[0].n * sizeof *counts);
    return 0;
}

const struct statistic_kind kind_histogram = {
    .name = "histogram",
    .arguments = "fnnn",
    .types = TYPES_NUMBERS,
    .unit = UNIT_ONE,
    .needs = "a field, a low and a high bound, and a number of bins",
    .bind = bind,
    .finish = finish
};
