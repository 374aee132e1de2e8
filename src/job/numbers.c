/* Arithmetic as PostgreSQL's int8.c, float.c and date.c do it, overflow included. */

#include <math.h>

#include "datetime.h"
#include "evaluate.h"

static const char *operator_word(enum node_kind kind)
{
    switch (kind) {
    case NODE_ADD:
        return "+";
    case NODE_SUBTRACT:
        return "-";
    case NODE_MULTIPLY:
        return "*";
    case NODE_DIVIDE:
        return "/";
    default:
        return "%";
    }
}

static int
integer_overflow(enum node_kind kind, int64_t a, int64_t b, struct error *err)
{
    if (kind == NODE_NEGATE || kind == NODE_ABS)
        return error_set(err,
                         ERROR_DATA,
                         "overflow: %s(%lld) is not a 64-bit integer",
                         kind == NODE_ABS ? "abs" : "-",
                         (long long)a);
    return error_set(err,
                     ERROR_DATA,
                     "overflow: %lld %s %lld is not a 64-bit integer",
                     (long long)a,
                     operator_word(kind),
                     (long long)b);
}

static int real_overflow(enum node_kind kind, double a, double b, struct error *err)
{
    return error_set(err,
                     ERROR_DATA,
                     "overflow: %.17g %s %.17g is too large or too small for a real",
                     a,
                     operator_word(kind),
                     b);
}

/* 1: *result is set, 0: null, -1: overflow. */
static inline int
compute_integer(enum node_kind kind, int64_t a, int64_t b, int64_t *result)
{
    switch (kind) {
    case NODE_ADD:
        return __builtin_add_overflow(a, b, result) ? -1 : 1;
    case NODE_SUBTRACT:
        return __builtin_sub_overflow(a, b, result) ? -1 : 1;
    case NODE_MULTIPLY:
        return __builtin_mul_overflow(a, b, result) ? -1 : 1;
    case NODE_DIVIDE:
        if (b == 0)
            return 0;
        if (b == -1)
            return __builtin_sub_overflow(0, a, result) ? -1 : 1;
        *result = a / b;
        return 1;
    case NODE_MODULO:
        if (b == 0)
            return 0;
        *result = b == -1 ? 0 : a % b; /* INT64_MIN % -1 traps */
        return 1;
    case NODE_NEGATE:
        return __builtin_sub_overflow(0, a, result) ? -1 : 1;
    default: /* abs */
        *result = a;
        return a < 0 && __builtin_sub_overflow(0, a, result) ? -1 : 1;
    }
}

static inline int compute_real(enum node_kind kind, double a, double b, double *result)
{
    switch (kind) {
    case NODE_ADD:
        *result = a + b;
        return isinf(*result) && !isinf(a) && !isinf(b) ? -1 : 1;
    case NODE_SUBTRACT:
        *result = a - b;
        return isinf(*result) && !isinf(a) && !isinf(b) ? -1 : 1;
    case NODE_MULTIPLY:
        *result = a * b;
        if (isinf(*result) && !isinf(a) && !isinf(b))
            return -1;
        return *result == 0 && a != 0 && b != 0 ? -1 : 1;
    case NODE_DIVIDE:
        if (b == 0)
            return 0;
        *result = a / b;
        if (isinf(*result) && !isinf(a))
            return -1;
        return *result == 0 && a != 0 && !isinf(b) ? -1 : 1;
    case NODE_NEGATE:
        *result = -a;
        return 1;
    case NODE_ABS:
        *result = fabs(a);
        return 1;
    case NODE_ROUND:
        *result = rint(a);
        return 1;
    case NODE_FLOOR:
        *result = floor(a);
        return 1;
    default:
        *result = ceil(a);
        return 1;
    }
}

static bool is_infinite_date(int64_t days)
{
    return days < DATE_FIRST || days > DATE_LAST;
}

static int move_date(enum node_kind kind,
                     int64_t date,
                     int64_t days,
                     int64_t *out,
                     struct error *err)
{
    int64_t moved = date;
    if (!is_infinite_date(date))
        moved += kind == NODE_ADD ? days : -days;
    if (moved != date && is_infinite_date(moved))
        return error_set(err,
                         ERROR_DATA,
                         "overflow: a date %s %lld days is out of range",
                         operator_word(kind),
                         (long long)days);
    *out = moved;
    return 0;
}

/* PostgreSQL's date + integer takes an int4, and casts before it looks at the date. */
static int check_days(int64_t days, struct error *err)
{
    if (days >= INT32_MIN && days <= INT32_MAX)
        return 0;
    return error_set(err,
                     ERROR_DATA,
                     "overflow: a date cannot move by %lld days",
                     (long long)days);
}

static int compute_dates(const struct expression *node,
                         const struct operand *a,
                         const struct operand *b,
                         const int32_t *rows,
                         int32_t n_rows,
                         struct column *out,
                         struct error *err)
{
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        bool known = b->column.valid[r & b->mask];
        if (known && node->type == TYPE_DATE
            && check_days(b->column.integers[r & b->mask], err))
            return -1;
        out->valid[r] = known && a->column.valid[r & a->mask];
        if (!out->valid[r])
            continue;
        int64_t left = a->column.integers[r & a->mask];
        int64_t right = b->column.integers[r & b->mask];
        if (node->type == TYPE_DATE) {
            if (move_date(node->kind, left, right, &out->integers[r], err))
                return -1;
            continue;
        }
        if (is_infinite_date(left) || is_infinite_date(right))
            return error_set(err,
                             ERROR_DATA,
                             "overflow: a difference of infinite dates");
        out->integers[r] = left - right;
    }
    return 0;
}

static void to_reals(const struct operand *a,
                     const int32_t *rows,
                     int32_t n_rows,
                     struct column *out)
{
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        out->valid[r] = a->column.valid[r & a->mask];
        if (out->valid[r])
            out->reals[r] = (double)a->column.integers[r & a->mask];
    }
}

static int compute_integers(enum node_kind kind,
                            const struct operand *a,
                            const struct operand *b,
                            const int32_t *rows,
                            int32_t n_rows,
                            struct column *out,
                            struct error *err)
{
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        out->valid[r] = a->column.valid[r & a->mask] && b->column.valid[r & b->mask];
        if (!out->valid[r])
            continue;
        int64_t left = a->column.integers[r & a->mask];
        int64_t right = b->column.integers[r & b->mask];
        int known = compute_integer(kind, left, right, &out->integers[r]);
        if (known < 0)
            return integer_overflow(kind, left, right, err);
        out->valid[r] = (uint8_t)known;
    }
    return 0;
}

static int compute_reals(enum node_kind kind,
                         const struct operand *a,
                         const struct operand *b,
                         const int32_t *rows,
                         int32_t n_rows,
                         struct column *out,
                         struct error *err)
{
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        out->valid[r] = a->column.valid[r & a->mask] && b->column.valid[r & b->mask];
        if (!out->valid[r])
            continue;
        double left = a->column.reals[r & a->mask];
        double right = b->column.reals[r & b->mask];
        int known = compute_real(kind, left, right, &out->reals[r]);
        if (known < 0)
            return real_overflow(kind, left, right, err);
        out->valid[r] = (uint8_t)known;
    }
    return 0;
}

int compute_numbers(const struct expression *node,
                    const struct operand *a,
                    const struct operand *b,
                    const int32_t *rows,
                    int32_t n_rows,
                    struct column *out,
                    struct error *err)
{
    if (node->kind == NODE_TO_REAL) {
        to_reals(a, rows, n_rows, out);
        return 0;
    }
    if (node->args[0]->type == TYPE_DATE)
        return compute_dates(node, a, b, rows, n_rows, out, err);
    if (node->type == TYPE_INTEGER)
        return compute_integers(node->kind, a, b, rows, n_rows, out, err);
    return compute_reals(node->kind, a, b, rows, n_rows, out, err);
}
