/* What the parts of the evaluator share. */
#ifndef ROOFTALLY_JOB_EVALUATE_H
#define ROOFTALLY_JOB_EVALUATE_H

#include "node.h"

/* What one call of expression_evaluate works with. */
struct evaluation {
    const struct column *columns;
    int64_t capacity;
    struct memory *memory;
    struct error *err;
};

/* One side of an operator: row r has its value at r & mask, so that a literal is a
 * column of one value (mask 0) and any other one of all rows (mask -1). */
struct operand {
    struct column column;
    int32_t mask;
};

/* Compute a node for the rows listed into out, which has room for all. */
int evaluate_into(const struct evaluation *e,
                  const struct expression *node,
                  const int32_t *rows,
                  int32_t n_rows,
                  struct column *out);

/* The same, into a column of its own until the memory is rewound; names and literals
 * are borrowed as they are. */
int get_operand(const struct evaluation *e,
                const struct expression *node,
                const int32_t *rows,
                int32_t n_rows,
                struct operand *operand);

/* Whether neither is null in this row. */
static inline bool
both_valid(const struct operand *a, const struct operand *b, int32_t row)
{
    return a->column.valid[row & a->mask] && b->column.valid[row & b->mask];
}

/* The nodes that ask their operands for some of the rows only. */
int evaluate_logic(const struct evaluation *e,
                   const struct expression *node,
                   const int32_t *rows,
                   int32_t n_rows,
                   struct column *out);
int evaluate_between(const struct evaluation *e,
                     const struct expression *node,
                     const int32_t *rows,
                     int32_t n_rows,
                     struct column *out);
int evaluate_coalesce(const struct evaluation *e,
                      const struct expression *node,
                      const int32_t *rows,
                      int32_t n_rows,
                      struct column *out);
int evaluate_case(const struct evaluation *e,
                  const struct expression *node,
                  const int32_t *rows,
                  int32_t n_rows,
                  struct column *out);

/* -1, 0 or 1: numbers with NaN equal to itself and above all others, texts bytewise. */
int compare_values(const struct operand *a, const struct operand *b, int32_t row);

/*
 * Compute a NODE_ADD to NODE_NEGATE, NODE_ABS to NODE_CEIL or NODE_TO_REAL for the rows
 * listed; b is ignored by those with one operand.
 *
 * Returns  0, or -1 with ERROR_DATA "overflow: 9223372036854775807 + 1"
 */
int compute_numbers(const struct expression *node,
                    const struct operand *a,
                    const struct operand *b,
                    const int32_t *rows,
                    int32_t n_rows,
                    struct column *out,
                    struct error *err);

/*
 * Whether a text is LIKE a pattern, by characters of UTF-8.
 *
 * Returns  1, 0, or -1 with ERROR_DATA (a pattern ends in its escape)
 */
int like_match(struct text text, struct text pattern, struct error *err);

#endif
