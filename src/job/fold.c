/* What PostgreSQL's planner does to constants before a query runs (eval_const_
 * expressions), done here in the same order, so that both meet the same overflows: an
 * operator on a null literal is null without a look at its other operand, and what a
 * constant condition excludes is never computed. */

#include <stdlib.h>
#include <string.h>

#include "node.h"

static bool is_literal(const struct expression *node)
{
    return node->kind == NODE_LITERAL;
}

static bool is_boolean(const struct expression *node, bool value)
{
    return is_literal(node) && node->valid && node->integer == value;
}

static bool is_zero(const struct expression *node)
{
    if (!is_literal(node) || !node->valid)
        return false;
    return node->type == TYPE_REAL ? node->real == 0 : node->integer == 0;
}

static struct expression *take_arg(struct expression *node, int i)
{
    struct expression *arg = node->args[i];
    node->n_args--;
    memmove(node->args + i,
            node->args + i + 1,
            (size_t)(node->n_args - i) * sizeof(struct expression *));
    return arg;
}

static void drop_args(struct expression *node, int first)
{
    while (node->n_args > first)
        expression_free(node->args[--node->n_args]);
}

/* Evaluate a node of literals alone and become the result. */
static int compute(struct expression *node, struct error *err)
{
    struct memory memory;
    if (memory_init(&memory, 4 << 20, err))
        return -1;
    int status = -1;
    uint8_t valid = 0;
    int64_t integer = 0;
    double real = 0;
    struct text text = { NULL, 0 };
    char *string = NULL;
    const int32_t row = 0;
    struct column out = { .type = node->type, .valid = &valid };
    if (node->type == TYPE_REAL)
        out.reals = &real;
    else if (node->type == TYPE_TEXT)
        out.texts = &text;
    else
        out.integers = &integer;
    if (expression_evaluate(node, NULL, &row, 1, 1, &out, &memory, err)) {
        if (err && err->code == ERROR_DATA)
            err->code = ERROR_USAGE;
        goto out;
    }
    if (valid && node->type == TYPE_TEXT) { /* borrowed from a literal below */
        string = malloc((size_t)text.n + 1);
        if (!string) {
            error_set(err, ERROR_BUDGET, "no memory for an expression");
            goto out;
        }
        memcpy(string, text.bytes, (size_t)text.n);
        string[text.n] = '\0';
    }
    node_make_null(node);
    node->valid = valid;
    node->integer = integer;
    node->real = real;
    node->string = string;
    node->text = (struct text){ string, text.n };
    status = 0;
out:
    memory_release(&memory);
    return status;
}

/* AND (decided by false) and OR (decided by true). */
static int fold_logic(struct expression *node, struct error *err)
{
    bool decided = node->kind == NODE_OR;
    bool only_nulls = true;
    for (int i = 0; i < node->n_args;) {
        if (expression_fold(node->args[i], err))
            return -1;
        if (is_boolean(node->args[i], decided)) {
            node_make_boolean(node, decided);
            return 0;
        }
        if (is_boolean(node->args[i], !decided)) {
            expression_free(take_arg(node, i));
            continue;
        }
        only_nulls &= node_is_null(node->args[i]);
        i++;
    }
    if (node->n_args == 0)
        node_make_boolean(node, !decided);
    else if (only_nulls)
        node_make_null(node);
    else if (node->n_args == 1)
        node_replace(node, take_arg(node, 0));
    return 0;
}

static int fold_coalesce(struct expression *node, struct error *err)
{
    for (int i = 0; i < node->n_args;) {
        if (expression_fold(node->args[i], err))
            return -1;
        if (node_is_null(node->args[i])) {
            expression_free(take_arg(node, i));
            continue;
        }
        i++;
        if (is_literal(node->args[i - 1]))
            drop_args(node, i);
    }
    if (node->n_args == 0)
        node_make_null(node);
    else if (node->n_args == 1)
        node_replace(node, take_arg(node, 0));
    return 0;
}

/* 1, 0, or -1 for "not known before it runs"; -2 failed. */
static int known_when(struct expression *node, int i, struct error *err)
{
    struct expression *when = node->args[i];
    if (!node->with_operand)
        return is_literal(when) ? when->valid && when->integer : -1;
    const struct expression *operand = node->args[0];
    if (node_is_null(operand) || node_is_null(when))
        return 0;
    if (!is_literal(operand) || !is_literal(when))
        return -1;
    struct expression *equal = node_new(NODE_EQUAL, err), *a = NULL, *b = NULL;
    int known = -2;
    if (equal)
        equal->type = TYPE_BOOLEAN;
    if (equal && expression_copy(&a, operand, err) == 0 && node_add(equal, a, err) == 0
        && expression_copy(&b, when, err) == 0 && node_add(equal, b, err) == 0
        && compute(equal, err) == 0)
        known = equal->integer != 0;
    expression_free(equal);
    return known;
}

/* Arms that cannot apply go; one that must apply becomes the else. */
static int fold_case(struct expression *node, struct error *err)
{
    int i = node->with_operand;
    if (node->with_operand && expression_fold(node->args[0], err))
        return -1;
    while (i + 1 < node->n_args) {
        if (expression_fold(node->args[i], err))
            return -1;
        int known = known_when(node, i, err);
        if (known == -2)
            return -1;
        if (known == 0) {
            expression_free(take_arg(node, i));
            expression_free(take_arg(node, i));
            continue;
        }
        if (known == 1) {
            expression_free(take_arg(node, i));
            drop_args(node, i + 1);
            node->with_else = true;
            break;
        }
        if (expression_fold(node->args[i + 1], err))
            return -1;
        i += 2;
    }
    if (node->with_else && expression_fold(node->args[node->n_args - 1], err))
        return -1;
    if (i == node->with_operand) { /* no arm is left */
        if (node->with_else)
            node_replace(node, take_arg(node, i));
        else
            node_make_null(node);
    }
    return 0;
}

/* One half of a BETWEEN, of literals alone: whether it is false. -1 failed. */
static int
bound_fails(struct expression *node, int bound, enum node_kind kind, struct error *err)
{
    const struct expression *value = node->args[0], *limit = node->args[bound];
    if (!is_literal(value) || !is_literal(limit) || !value->valid || !limit->valid)
        return 0;
    struct expression *test = node_new(kind, err), *a = NULL, *b = NULL;
    int fails = -1;
    if (test)
        test->type = TYPE_BOOLEAN;
    if (test && expression_copy(&a, value, err) == 0 && node_add(test, a, err) == 0
        && expression_copy(&b, limit, err) == 0 && node_add(test, b, err) == 0
        && compute(test, err) == 0)
        fails = !test->integer;
    expression_free(test);
    return fails;
}

/* a between x and y is (a >= x) and (a <= y), each half folded in its turn. */
static int fold_between(struct expression *node, struct error *err)
{
    struct expression **args = node->args;
    if (expression_fold(args[0], err) || expression_fold(args[1], err))
        return -1;
    int fails = bound_fails(node, 1, NODE_GREATER_EQUAL, err);
    if (fails == 0) {
        if (expression_fold(args[2], err))
            return -1;
        fails = bound_fails(node, 2, NODE_LESS_EQUAL, err);
    }
    if (fails < 0)
        return -1;
    if (fails)
        node_make_boolean(node, false);
    else if (node_is_null(args[0]) || (node_is_null(args[1]) && node_is_null(args[2])))
        node_make_null(node);
    else if (is_literal(args[0]) && is_literal(args[1]) && is_literal(args[2]))
        return compute(node, err);
    return 0;
}

/* Days that are no int4 fail even beside a null date. */
static int check_days(const struct expression *node, struct error *err)
{
    const struct expression *days = node->n_args == 2 ? node->args[1] : NULL;
    if (node->type != TYPE_DATE || !days || !is_literal(days) || !days->valid
        || (node->kind != NODE_ADD && node->kind != NODE_SUBTRACT)
        || (days->integer >= INT32_MIN && days->integer <= INT32_MAX))
        return 0;
    return error_set(err,
                     ERROR_USAGE,
                     "overflow: a date cannot move by %lld days",
                     (long long)days->integer);
}

/* Whether a null operand makes the result null, whatever the others are. */
static bool is_strict(enum node_kind kind)
{
    return kind != NODE_IN && kind != NODE_IS_NULL && kind != NODE_LEAST
           && kind != NODE_GREATEST;
}

int expression_fold(struct expression *node, struct error *err)
{
    bool literals = true, null = false;
    switch (node->kind) {
    case NODE_LITERAL:
    case NODE_NAME:
        return 0;
    case NODE_AND:
    case NODE_OR:
        return fold_logic(node, err);
    case NODE_COALESCE:
        return fold_coalesce(node, err);
    case NODE_CASE:
        return fold_case(node, err);
    case NODE_BETWEEN:
        return fold_between(node, err);
    default:
        break;
    }
    for (int i = 0; i < node->n_args; i++) {
        if (expression_fold(node->args[i], err))
            return -1;
        literals &= is_literal(node->args[i]);
        null |= node_is_null(node->args[i]);
    }
    if (check_days(node, err))
        return -1;
    if (node->kind == NODE_DIVIDE || node->kind == NODE_MODULO)
        null |= is_zero(node->args[1]);
    if (null && is_strict(node->kind))
        node_make_null(node);
    else if (literals)
        return compute(node, err);
    return 0;
}
