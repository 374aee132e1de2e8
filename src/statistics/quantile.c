/*
 * quantile(f, p), median(f) = quantile(f, 0.5), iqr(f) = quantile(f, 0.75) -
 * quantile(f, 0.25): linear between neighbours, type 7, as PostgreSQL's percentile_cont.
 */
#include <math.h>

#include "kind.h"
#include "order.h"

static const char *bind(struct statistics *set, struct statistic *statistic)
{
    statistic->parts[0] = statistics_values(set, statistic);
    statistics_add_real(set, statistic);
    return NULL;
}

static const char *bind_share(struct statistics *set, struct statistic *statistic)
{
    double share = statistic->arguments[1].number;
    if (!(share >= 0 && share <= 1))
        return statistic->kind->needs;
    return bind(set, statistic);
}

static double key_at(struct sample *sample, int64_t rank, enum value_type type)
{
    if (!sample->sorted)
        order_select(sample->keys, sample->kept.n, rank);
    return order_value(sample->keys[rank], type);
}

/* The key of the next rank: after a selection, the least of those that lie behind. */
static int64_t key_after(const struct sample *sample, int64_t rank)
{
    int64_t least = sample->keys[rank + 1];
    for (int64_t i = rank + 2; i < sample->kept.n && !sample->sorted; i++)
        least = sample->keys[i] < least ? sample->keys[i] : least;
    return least;
}

static double quantile(struct sample *sample, double share, enum value_type type)
{
    double at = share * (double)(sample->kept.n - 1);
    double low = key_at(sample, (int64_t)floor(at), type);
    if (floor(at) == ceil(at))
        return low;
    double high = order_value(key_after(sample, (int64_t)floor(at)), type);
    return low + (at - floor(at)) * (high - low);
}

static int finish_share(const struct statistic *statistic,
                        const struct zone_end *end,
                        double share,
                        double *value,
                        struct error *err)
{
    struct sample *sample = statistics_state(end, statistic, 0);
    if (sample->kept.n == 0)
        return 0;
    if (sample_keys(sample, end->memory, err) < 0)
        return -1;
    *value = quantile(sample, share, statistic->types[0]);
    return 0;
}

static int finish_quantile(const struct statistic *statistic,
                           const struct zone_end *end,
                           struct output_values *values,
                           struct error *err)
{
    double share = statistic->arguments[1].number;
    return finish_share(statistic, end, share, &values[0].reals[0], err);
}

static int finish_median(const struct statistic *statistic,
                         const struct zone_end *end,
                         struct output_values *values,
                         struct error *err)
{
    return finish_share(statistic, end, 0.5, &values[0].reals[0], err);
}

static int finish_iqr(const struct statistic *statistic,
                      const struct zone_end *end,
                      struct output_values *values,
                      struct error *err)
{
    double low = NAN, high = NAN;
    if (finish_share(statistic, end, 0.25, &low, err) < 0
        || finish_share(statistic, end, 0.75, &high, err) < 0)
        return -1;
    values[0].reals[0] = high - low;
    return 0;
}

const struct statistic_kind kind_median = { .name = "median",
                                            .arguments = "f",
                                            .types = TYPES_ORDERED,
                                            .unit = UNIT_VALUE,
                                            .needs = "a field",
                                            .bind = bind,
                                            .finish = finish_median };

const struct statistic_kind kind_quantile = { .name = "quantile",
                                              .arguments = "fn",
                                              .types = TYPES_ORDERED,
                                              .unit = UNIT_VALUE,
                                              .needs =
                                                  "a field and a share between 0 and 1",
                                              .bind = bind_share,
                                              .finish = finish_quantile };

const struct statistic_kind kind_iqr = { .name = "iqr",
                                         .arguments = "f",
                                         .types = TYPES_ORDERED,
                                         .unit = UNIT_SPAN,
                                         .needs = "a field",
                                         .bind = bind,
                                         .finish = finish_iqr };
