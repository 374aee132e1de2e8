#include <stdbool.h>

#include "part.h"

static int64_t size(const struct part *part)
{
    (void)part;
    return sizeof(struct total);
}

static int add(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err)
{
    struct total *total = state;
    (void)memory, (void)err;
    total->n += rows->n;
    if (part->types[0] == TYPE_REAL)
        exact_add_reals(&total->sum, rows->reals, rows->n);
    else
        exact_add_integers(&total->sum, rows->integers, rows->n);
    return 0;
}

static int add_squares(const struct part *part,
                       void *state,
                       const struct part_rows *rows,
                       struct memory *memory,
                       struct error *err)
{
    struct total *total = state;
    (void)memory, (void)err;
    total->n += rows->n;
    if (part->types[0] == TYPE_REAL)
        exact_add_real_squares(&total->sum, rows->reals, rows->n);
    else
        exact_add_integer_squares(&total->sum, rows->integers, rows->n);
    return 0;
}

/* A value as the sum of two doubles: an integer may have more bits than one holds. Both
 * have its sign, so that times infinity they agree. */
static void halves(double half[2], const struct column *column, int32_t row)
{
    half[1] = 0;
    if (column->type == TYPE_REAL) {
        half[0] = column->reals[row];
    } else {
        int64_t low = column->integers[row] % (INT64_C(1) << 32);
        half[0] = (double)(column->integers[row] - low);
        half[1] = (double)low;
    }
}

/* A half of 0 is left out: infinity times it would not be a number. */
static void add_by_halves(struct exact *sum,
                          const struct column *a,
                          const struct column *b,
                          int32_t row)
{
    double x[2], y[2];
    halves(x, a, row);
    halves(y, b, row);
    for (int k = 0; k < 4; k++)
        if (k == 0 || (x[k & 1] != 0 && y[k >> 1] != 0))
            exact_add_products(sum, &x[k & 1], &y[k >> 1], 1);
}

/* Whether *value, set in any case, is known to be the column's value exactly: 2^53 is
 * what 2^53 + 1 is rounded to, too. */
static bool as_real(double *value, const struct column *column, int32_t row)
{
    *value =
        column->type == TYPE_REAL ? column->reals[row] : (double)column->integers[row];
    return column->type == TYPE_REAL || (*value > -0x1p53 && *value < 0x1p53);
}

static int add_products(const struct part *part,
                        void *state,
                        const struct part_rows *rows,
                        struct memory *memory,
                        struct error *err)
{
    struct total *total = state;
    const struct column *a = &rows->columns[part->slots[0]];
    const struct column *b = &rows->columns[part->slots[1]];
    double x[PART_ROWS], y[PART_ROWS];
    int32_t n = 0;
    (void)memory, (void)err;
    for (int32_t i = 0; i < rows->n; i++) {
        int32_t row = rows->rows[i];
        if (!b->valid[row])
            continue;
        total->n++;
        if (as_real(&x[n], a, row) && as_real(&y[n], b, row))
            n++;
        else
            add_by_halves(&total->sum, a, b, row);
    }
    exact_add_products(&total->sum, x, y, n);
    return 0;
}

static int add_weights(const struct part *part,
                       void *state,
                       const struct part_rows *rows,
                       struct memory *memory,
                       struct error *err)
{
    struct total *total = state;
    const struct column *weights = &rows->columns[part->slots[1]];
    (void)memory, (void)err;
    int64_t integers[PART_ROWS];
    double reals[PART_ROWS];
    int32_t n = 0;
    bool real = part->types[1] == TYPE_REAL;
    for (int32_t i = 0; i < rows->n; i++) {
        int32_t row = rows->rows[i];
        if (real)
            reals[n] = weights->reals[row];
        else
            integers[n] = weights->integers[row];
        n += weights->valid[row] != 0;
    }
    total->n += n;
    if (real)
        exact_add_reals(&total->sum, reals, n);
    else
        exact_add_integers(&total->sum, integers, n);
    return 0;
}

static int merge(const struct part *part,
                 void *state,
                 const void *from,
                 struct memory *memory,
                 struct error *err)
{
    struct total *total = state;
    const struct total *other = from;
    (void)part, (void)memory, (void)err;
    total->n += other->n;
    exact_merge(&total->sum, &other->sum);
    return 0;
}

const struct part_kind part_total = { .size = size, .add = add, .merge = merge };
const struct part_kind part_squares = { .size = size,
                                        .add = add_squares,
                                        .merge = merge };
const struct part_kind part_product = { .size = size,
                                        .add = add_products,
                                        .merge = merge };
const struct part_kind part_weights = { .size = size,
                                        .add = add_weights,
                                        .merge = merge };
