#include "part.h"

static int64_t size(const struct part *part)
{
    return part->n * (int64_t)sizeof(int64_t);
}

/* As width_bucket of PostgreSQL 15 on double precision, the addition of 1 before the
 * truncation included: low <= x < high; what rounds up to high is in the last bin. NaN
 * is in no bin. */
static int add(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err)
{
    int64_t *counts = state;
    double low = part->low, high = part->high, n = (double)part->n;
    (void)memory, (void)err;
    for (int32_t i = 0; i < rows->n; i++) {
        double x =
            part->types[0] == TYPE_REAL ? rows->reals[i] : (double)rows->integers[i];
        if (!(x >= low && x < high))
            continue;
        int64_t bucket = (int64_t)(n * (x - low) / (high - low) + 1);
        counts[(bucket <= part->n ? bucket : part->n) - 1]++;
    }
    return 0;
}

static int merge(const struct part *part,
                 void *state,
                 const void *from,
                 struct memory *memory,
                 struct error *err)
{
    int64_t *counts = state;
    const int64_t *others = from;
    (void)memory, (void)err;
    for (int64_t bin = 0; bin < part->n; bin++)
        counts[bin] += others[bin];
    return 0;
}

const struct part_kind part_bins = { .size = size, .add = add, .merge = merge };
