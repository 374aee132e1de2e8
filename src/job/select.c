/*
 * The rows for which a condition holds.
 *
 * What most filters are, comparisons of a column with a literal joined by AND, leaves the
 * list of rows shorter at each step: none of them can overflow, so nobody needs what the
 * next one says of a row that is out. Everything else is evaluated as a column.
 */
#include <math.h>
#include <string.h>

#include "evaluate.h"

static bool is_comparison(const struct expression *node)
{
    return node->kind >= NODE_EQUAL && node->kind <= NODE_GREATER_EQUAL;
}

/* column < literal, of numbers that compare as C compares them. */
static bool is_plain(const struct expression *node)
{
    if (!is_comparison(node) || node->args[0]->kind != NODE_NAME
        || node->args[1]->kind != NODE_LITERAL)
        return false;
    const struct expression *literal = node->args[1];
    return literal->valid && literal->type != TYPE_TEXT
           && literal->type == node->args[0]->type
           && !(literal->type == TYPE_REAL && isnan(literal->real));
}

static bool is_all_plain(const struct expression *node)
{
    if (node->kind != NODE_AND)
        return is_plain(node);
    for (int i = 0; i < node->n_args; i++)
        if (!is_all_plain(node->args[i]))
            return false;
    return true;
}

/* Keep the rows that are valid and for which the condition on their value x holds. */
#define KEEP_WHERE(values, condition)                                                  \
    for (int32_t i = 0; i < n_rows; i++) {                                             \
        int32_t row = rows[i];                                                         \
        __typeof__(*(values)) x = (values)[row];                                       \
        rows[n] = row;                                                                 \
        n += (valid[row] != 0) & (condition);                                          \
    }                                                                                  \
    return n

/* A NaN is equal to no literal here and above all of them: not (x <= y), not x > y. */
#define KEEP_COMPARED(values, y)                                                       \
    switch (kind) {                                                                    \
    case NODE_EQUAL:                                                                   \
        KEEP_WHERE(values, x == y);                                                    \
    case NODE_DIFFERS:                                                                 \
        KEEP_WHERE(values, x != y);                                                    \
    case NODE_LESS:                                                                    \
        KEEP_WHERE(values, x < y);                                                     \
    case NODE_LESS_EQUAL:                                                              \
        KEEP_WHERE(values, x <= y);                                                    \
    case NODE_GREATER:                                                                 \
        KEEP_WHERE(values, !(x <= y));                                                 \
    default:                                                                           \
        KEEP_WHERE(values, !(x < y));                                                  \
    }

static int32_t keep_compared(enum node_kind kind,
                             const struct column *column,
                             const struct expression *literal,
                             int32_t *rows,
                             int32_t n_rows)
{
    const uint8_t *valid = column->valid;
    int32_t n = 0;
    if (column->type == TYPE_REAL)
        KEEP_COMPARED(column->reals, literal->real)
    KEEP_COMPARED(column->integers, literal->integer)
}

static int32_t keep_plain(const struct expression *node,
                          const struct column *columns,
                          int32_t *rows,
                          int32_t n_rows)
{
    if (node->kind == NODE_AND) {
        for (int i = 0; i < node->n_args; i++)
            n_rows = keep_plain(node->args[i], columns, rows, n_rows);
        return n_rows;
    }
    return keep_compared(node->kind,
                         &columns[node->args[0]->slot],
                         node->args[1],
                         rows,
                         n_rows);
}

static int32_t keep_evaluated(const struct expression *expression,
                              const struct column *columns,
                              int32_t *rows,
                              int32_t n_rows,
                              int64_t capacity,
                              struct memory *memory,
                              struct error *err)
{
    struct column pass = { .type = TYPE_BOOLEAN };
    int32_t n = 0;
    pass.valid = memory_take(memory, MEMORY_BATCH, capacity, err);
    pass.integers =
        pass.valid ? memory_take(memory, MEMORY_BATCH, 8 * capacity, err) : NULL;
    if (!pass.integers
        || expression_evaluate(expression,
                               columns,
                               rows,
                               n_rows,
                               capacity,
                               &pass,
                               memory,
                               err))
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t row = rows[i];
        rows[n] = row;
        n += pass.valid[row] && pass.integers[row];
    }
    return n;
}

int32_t expression_select(const struct expression *expression,
                          const struct column *columns,
                          int32_t *rows,
                          int32_t n_rows,
                          int64_t capacity,
                          struct memory *memory,
                          struct error *err)
{
    if (is_all_plain(expression))
        return keep_plain(expression, columns, rows, n_rows);
    struct memory_mark mark = memory_mark(memory);
    int32_t n =
        keep_evaluated(expression, columns, rows, n_rows, capacity, memory, err);
    memory_rewind(memory, &mark);
    return n;
}
