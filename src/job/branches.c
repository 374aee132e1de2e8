/*
 * The nodes that do not look at all their operands for all rows: where SQL would not
 * look at one (the branch not taken, what follows a decided AND), the list of rows
 * narrows, so that it cannot overflow there.
 *
 *   rows 0 1 2 3 4      height > 10 and 1000 / height < area_m2
 *        left:  T F N T F     N: null, may still become false
 *        right is asked for 0, 2, 3
 */

#include <string.h>

#include "evaluate.h"

/* Rows still asked for. */
struct row_list {
    int32_t *rows;
    int32_t n;
};

static int take_list(const struct evaluation *e,
                     struct row_list *list,
                     const int32_t *rows,
                     int32_t n_rows)
{
    list->rows = memory_take(e->memory,
                             MEMORY_BATCH,
                             n_rows * (int64_t)sizeof *list->rows,
                             e->err);
    if (!list->rows)
        return -1;
    list->n = n_rows;
    if (rows && n_rows)
        memcpy(list->rows, rows, (size_t)n_rows * sizeof *rows);
    return 0;
}

/* AND and OR: rows leave the list once an operand decides them. */
int evaluate_logic(const struct evaluation *e,
                   const struct expression *node,
                   const int32_t *rows,
                   int32_t n_rows,
                   struct column *out)
{
    int64_t decided = node->kind == NODE_OR;
    struct row_list open;
    if (take_list(e, &open, rows, n_rows))
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        out->valid[rows[i]] = 1;
        out->integers[rows[i]] = !decided;
    }
    for (int k = 0; k < node->n_args && open.n > 0; k++) {
        struct memory_mark mark = memory_mark(e->memory);
        struct operand a;
        if (get_operand(e, node->args[k], open.rows, open.n, &a))
            return -1;
        int32_t n_open = 0;
        for (int32_t i = 0; i < open.n; i++) {
            int32_t r = open.rows[i];
            if (!a.column.valid[r & a.mask]) {
                out->valid[r] = 0;
            } else if (a.column.integers[r & a.mask] == decided) {
                out->valid[r] = 1;
                out->integers[r] = decided;
                continue;
            }
            open.rows[n_open++] = r;
        }
        open.n = n_open;
        memory_rewind(e->memory, &mark);
    }
    return 0;
}

/* (value >= low) and (value <= high) */
int evaluate_between(const struct evaluation *e,
                     const struct expression *node,
                     const int32_t *rows,
                     int32_t n_rows,
                     struct column *out)
{
    struct operand value, low, high;
    struct row_list open;
    if (take_list(e, &open, NULL, n_rows)
        || get_operand(e, node->args[0], rows, n_rows, &value)
        || get_operand(e, node->args[1], rows, n_rows, &low))
        return -1;
    open.n = 0;
    for (int32_t i = 0; i < n_rows; i++) {
        int32_t r = rows[i];
        out->valid[r] = both_valid(&value, &low, r);
        out->integers[r] = !out->valid[r] || compare_values(&value, &low, r) >= 0;
        if (out->integers[r])
            open.rows[open.n++] = r;
    }
    if (get_operand(e, node->args[2], open.rows, open.n, &high))
        return -1;
    for (int32_t i = 0; i < open.n; i++) {
        int32_t r = open.rows[i];
        if (!both_valid(&value, &high, r)) {
            out->valid[r] = 0;
        } else if (compare_values(&value, &high, r) > 0) {
            out->valid[r] = 1;
            out->integers[r] = 0;
        }
    }
    return 0;
}

int evaluate_coalesce(const struct evaluation *e,
                      const struct expression *node,
                      const int32_t *rows,
                      int32_t n_rows,
                      struct column *out)
{
    struct row_list open;
    if (take_list(e, &open, rows, n_rows))
        return -1;
    for (int k = 0; k < node->n_args && open.n > 0; k++) {
        if (evaluate_into(e, node->args[k], open.rows, open.n, out))
            return -1;
        int32_t n_open = 0;
        for (int32_t i = 0; i < open.n; i++)
            if (!out->valid[open.rows[i]])
                open.rows[n_open++] = open.rows[i];
        open.n = n_open;
    }
    return 0;
}

/* Split `open` into the rows for which a when holds, and the rest. */
static int take_arm(const struct evaluation *e,
                    const struct expression *when,
                    const struct operand *operand,
                    struct row_list *open,
                    struct row_list *taken)
{
    struct operand a;
    if (get_operand(e, when, open->rows, open->n, &a))
        return -1;
    int32_t n_open = 0;
    taken->n = 0;
    for (int32_t i = 0; i < open->n; i++) {
        int32_t r = open->rows[i];
        bool holds =
            operand ? both_valid(operand, &a, r) && compare_values(operand, &a, r) == 0
                    : a.column.valid[r & a.mask] && a.column.integers[r & a.mask];
        if (holds)
            taken->rows[taken->n++] = r;
        else
            open->rows[n_open++] = r;
    }
    open->n = n_open;
    return 0;
}

int evaluate_case(const struct evaluation *e,
                  const struct expression *node,
                  const int32_t *rows,
                  int32_t n_rows,
                  struct column *out)
{
    struct row_list open, taken;
    struct operand operand;
    int i = node->with_operand;
    if (take_list(e, &open, rows, n_rows) || take_list(e, &taken, NULL, n_rows)
        || (i && get_operand(e, node->args[0], rows, n_rows, &operand)))
        return -1;
    for (; i + 1 < node->n_args && open.n > 0; i += 2) {
        struct memory_mark mark = memory_mark(e->memory);
        if (take_arm(e,
                     node->args[i],
                     node->with_operand ? &operand : NULL,
                     &open,
                     &taken))
            return -1;
        memory_rewind(e->memory, &mark);
        if (evaluate_into(e, node->args[i + 1], taken.rows, taken.n, out))
            return -1;
    }
    if (open.n > 0 && node->with_else)
        return evaluate_into(e, node->args[node->n_args - 1], open.rows, open.n, out);
    for (int32_t k = 0; k < open.n; k++)
        out->valid[open.rows[k]] = 0;
    return 0;
}
