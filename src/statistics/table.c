/* Every statistic: a new one is a file with its struct, and a line in each list here. */
#include "kind.h"

extern const struct statistic_kind kind_count;
extern const struct statistic_kind kind_count_field;
extern const struct statistic_kind kind_sum;
extern const struct statistic_kind kind_mean;
extern const struct statistic_kind kind_min;
extern const struct statistic_kind kind_max;
extern const struct statistic_kind kind_range;
extern const struct statistic_kind kind_stddev;
extern const struct statistic_kind kind_variance;
extern const struct statistic_kind kind_cv;
extern const struct statistic_kind kind_median;
extern const struct statistic_kind kind_quantile;
extern const struct statistic_kind kind_iqr;
extern const struct statistic_kind kind_mode;
extern const struct statistic_kind kind_minority;
extern const struct statistic_kind kind_variety;
extern const struct statistic_kind kind_frequency;
extern const struct statistic_kind kind_histogram;
extern const struct statistic_kind kind_top;
extern const struct statistic_kind kind_weighted_mean;
extern const struct statistic_kind kind_density;
extern const struct statistic_kind kind_coverage;

const struct statistic_kind *const statistic_kinds[] = {
    &kind_count,     &kind_count_field, &kind_sum,      &kind_mean,
    &kind_min,       &kind_max,         &kind_range,    &kind_stddev,
    &kind_variance,  &kind_cv,          &kind_median,   &kind_quantile,
    &kind_iqr,       &kind_mode,        &kind_minority, &kind_variety,
    &kind_frequency, &kind_histogram,   &kind_top,      &kind_weighted_mean,
    &kind_density,   &kind_coverage,
};

const int n_statistic_kinds = sizeof statistic_kinds / sizeof *statistic_kinds;
