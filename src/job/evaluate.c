/* Evaluation by columns: a node is computed for a list of rows into a column that has
 * room for all. */

#include "evaluate.h"

#include <math.h>
#include <string.h>

static void *take(const struct evaluation *e, int64_t n_bytes)
{
    return memory_take(e->memory, MEMORY_BATCH, n_bytes, e->err);
}

static int
take_column(const struct evaluation *e, struct column *column, enum value_type type)
{
    int64_t item = type == TYPE_TEXT ? (int64_t)sizeof(struct text) : 8;
    column->type = type;
    column->valid = take(e, e->capacity);
    void *values = column->valid ? take(e, e->capacity * item) : NULL;
    if (!values)
        return -1;
    if (type == TYPE_TEXT)
        column->texts = values;
    else if (type == TYPE_REAL)
        column->reals = values;
    else
        column->integers = values;
    return 0;
}

/* A literal's own storage and a batch's column are borrowed; the rest is computed. */
int get_operand(const struct evaluation *e,
                const struct expression *node,
                const int32_t *rows,
                int32_t n_rows,
                struct operand *operand)
{
    operand->mask = -1;
    if (node->kind == NODE_NAME) {
        operand->column = e->columns[node->slot];
        return 0;
    }
    if (node->kind != NODE_LITERAL)
        return take_column(e, &operand->column, node->type)
                       || evaluate_into(e, node, rows, n_rows, &operand->column)
                   ? -1
                   : 0;
    operand->mask = 0;
    operand->column.type = node->type;
    operand->column.valid = (uint8_t *)(uintptr_t)&node->valid;
    if (node->type == TYPE_TEXT)
        operand->column.texts = (struct text *)(uintptr_t)&node->text;
    else if (node->type == TYPE_REAL)
        operand->column.reals = (double *)(uintptr_t)&node->real;
    else
        operand->column.integers = (int64_t *)(uintptr_t)&node->integer;
    return 0;
}

static void copy_value(struct column *out, const struct operand *from, int32_t row)
{
    int32_t at = row & from->mask;
    out->valid[row] = from->column.valid[at];
    if (!out->valid[row])
        return;
    switch (from->column.type) {
    case TYPE_TEXT:
        out->texts[row] = from->column.texts[at];
        break;
    case TYPE_REAL:
        out->reals[row] = from->column.reals[at];
        break;
    default:
        out->integers[row] = from->column.integers[at];
    }
}

int compare_values(const struct operand *a, const struct operand *b, int32_t row)
{
    int32_t at_a = row & a->mask, at_b = row & b->mask;
    if (a->column.type == TYPE_TEXT)
        return text_compare(&a->column.texts[at_a], &b->column.texts[at_b]);
    if (a->column.type == TYPE_REAL) {
        double x = a->column.reals[at_a], y = b->column.reals[at_b];
        if (isnan(x) || isnan(y))
            return isnan(x) - isnan(y) == 0 ? 0 : isnan(x) ? 1 : -1;
        return (x > y) - (x < y);
    }
    int64_t x = a->column.integers[at_a], y = b->column.integers[at_b];
    return (x > y) - (x < y);
}

static bool verdict(enum node_kind kind, int compared)
{
    switch (kind) {
    case NODE_EQUAL:
        return compared == 0;
    case NODE_DIFFERS:
        return compared != 0;
    case NODE_LESS:
        return compared < 0;
    case NODE_LESS_EQUAL:
        return compared <= 0;
    case NODE_GREATER:
        return compared > 0;
    default:
        return compared >= 0;
    }
}

static int evaluate_comparison(const struct evaluation *e,
                               const struct expression *node,
                               const int32_t *rows,
                               int32_t n_rows,
                               struct column *out)
{
    struct operand a, b;
    if (get_operand(e, node->args[0], rows, n_rows, &a)
        || get_operand(e, node->args[1], rows, n_rows, &b))
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        out->valid[r] = both_valid(&a, &b, r);
        if (out->valid[r])
            out->integers[r] = verdict(node->kind, compare_values(&a, &b, r));
    }
    return 0;
}

static int evaluate_like(const struct evaluation *e,
                         const struct expression *node,
                         const int32_t *rows,
                         int32_t n_rows,
                         struct column *out)
{
    struct operand text, pattern;
    if (get_operand(e, node->args[0], rows, n_rows, &text)
        || get_operand(e, node->args[1], rows, n_rows, &pattern))
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        out->valid[r] = both_valid(&text, &pattern, r);
        if (!out->valid[r])
            continue;
        int matches = like_match(text.column.texts[r & text.mask],
                                 pattern.column.texts[r & pattern.mask],
                                 e->err);
        if (matches < 0)
            return -1;
        out->integers[r] = matches;
    }
    return 0;
}

static int evaluate_numbers(const struct evaluation *e,
                            const struct expression *node,
                            const int32_t *rows,
                            int32_t n_rows,
                            struct column *out)
{
    struct operand a, b;
    if (get_operand(e, node->args[0], rows, n_rows, &a))
        return -1;
    b = a;
    if (node->n_args > 1 && get_operand(e, node->args[1], rows, n_rows, &b))
        return -1;
    return compute_numbers(node, &a, &b, rows, n_rows, out, e->err);
}

/* not, is null */
static int evaluate_test(const struct evaluation *e,
                         const struct expression *node,
                         const int32_t *rows,
                         int32_t n_rows,
                         struct column *out)
{
    struct operand a;
    if (get_operand(e, node->args[0], rows, n_rows, &a))
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        uint8_t valid = a.column.valid[r & a.mask];
        out->valid[r] = node->kind == NODE_IS_NULL || valid;
        if (node->kind == NODE_IS_NULL)
            out->integers[r] = !valid;
        else if (valid)
            out->integers[r] = !a.column.integers[r & a.mask];
    }
    return 0;
}

/* Every member is computed for every row, as = ANY (ARRAY[…]) does. */
static int evaluate_in(const struct evaluation *e,
                       const struct expression *node,
                       const int32_t *rows,
                       int32_t n_rows,
                       struct column *out)
{
    struct operand value;
    if (get_operand(e, node->args[0], rows, n_rows, &value))
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        out->valid[rows[i]] = value.column.valid[rows[i] & value.mask];
        out->integers[rows[i]] = 0;
    }
    for (int k = 1; k < node->n_args; k++) {
        struct memory_mark mark = memory_mark(e->memory);
        struct operand member;
        if (get_operand(e, node->args[k], rows, n_rows, &member))
            return -1;
        for (int32_t i = 0; i < n_rows; i++) {
            int32_t r = rows[i];
            if (!value.column.valid[r & value.mask] || out->integers[r])
                continue;
            if (!member.column.valid[r & member.mask]) {
                out->valid[r] = 0;
            } else if (compare_values(&value, &member, r) == 0) {
                out->valid[r] = 1;
                out->integers[r] = 1;
            }
        }
        memory_rewind(e->memory, &mark);
    }
    return 0;
}

/* least and greatest: nulls are skipped, of equals the first stays. */
static int evaluate_extreme(const struct evaluation *e,
                            const struct expression *node,
                            const int32_t *rows,
                            int32_t n_rows,
                            struct column *out)
{
    int sign = node->kind == NODE_LEAST ? 1 : -1;
    struct operand best = { *out, -1 };
    for (int32_t i = 0; i < n_rows; i++)
        out->valid[rows[i]] = 0;
    for (int k = 0; k < node->n_args; k++) {
        struct memory_mark mark = memory_mark(e->memory);
        struct operand a;
        if (get_operand(e, node->args[k], rows, n_rows, &a))
            return -1;
        for (int32_t i = 0; i < n_rows; i++) {
            int32_t r = rows[i];
            if (a.column.valid[r & a.mask]
                && (!out->valid[r] || sign * compare_values(&best, &a, r) > 0))
                copy_value(out, &a, r);
        }
        memory_rewind(e->memory, &mark);
    }
    return 0;
}

static int copy_operand(const struct evaluation *e,
                        const struct expression *node,
                        const int32_t *rows,
                        int32_t n_rows,
                        struct column *out)
{
    struct operand from;
    if (get_operand(e, node, rows, n_rows, &from))
        return -1;
    for (int32_t i = 0; i < n_rows; i++)
        copy_value(out, &from, rows[i]);
    return 0;
}

static int dispatch(const struct evaluation *e,
                    const struct expression *node,
                    const int32_t *rows,
                    int32_t n_rows,
                    struct column *out)
{
    switch (node->kind) {
    case NODE_LITERAL:
    case NODE_NAME:
        return copy_operand(e, node, rows, n_rows, out);
    case NODE_OR:
    case NODE_AND:
        return evaluate_logic(e, node, rows, n_rows, out);
    case NODE_NOT:
    case NODE_IS_NULL:
        return evaluate_test(e, node, rows, n_rows, out);
    case NODE_EQUAL:
    case NODE_DIFFERS:
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
        return evaluate_comparison(e, node, rows, n_rows, out);
    case NODE_BETWEEN:
        return evaluate_between(e, node, rows, n_rows, out);
    case NODE_IN:
        return evaluate_in(e, node, rows, n_rows, out);
    case NODE_LIKE:
        return evaluate_like(e, node, rows, n_rows, out);
    case NODE_CASE:
        return evaluate_case(e, node, rows, n_rows, out);
    case NODE_LEAST:
    case NODE_GREATEST:
        return evaluate_extreme(e, node, rows, n_rows, out);
    case NODE_COALESCE:
        return evaluate_coalesce(e, node, rows, n_rows, out);
    default:
        return evaluate_numbers(e, node, rows, n_rows, out);
    }
}

int evaluate_into(const struct evaluation *e,
                  const struct expression *node,
                  const int32_t *rows,
                  int32_t n_rows,
                  struct column *out)
{
    if (n_rows == 0)
        return 0;
    struct memory_mark mark = memory_mark(e->memory);
    int status = dispatch(e, node, rows, n_rows, out);
    memory_rewind(e->memory, &mark);
    return status;
}

int expression_evaluate(const struct expression *expression,
                        const struct column *columns,
                        const int32_t *rows,
                        int32_t n_rows,
                        int64_t capacity,
                        struct column *out,
                        struct memory *memory,
                        struct error *err)
{
    const struct evaluation e = {
        .columns = columns,
        .capacity = capacity,
        .memory = memory,
        .err = err,
    };
    return evaluate_into(&e, expression, rows, n_rows, out);
}
