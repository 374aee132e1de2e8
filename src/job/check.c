/* Types: names are looked up, every operator gets operands of one type, and literals
 * take the type of what they stand beside. */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datetime.h"
#include "node.h"

typedef int lookup_function(void *context,
                            const char *name,
                            struct name_binding *binding,
                            struct error *err);

struct checker {
    lookup_function *lookup;
    void *context;
    const char *source;
    int n_nodes; /* that definitions bring in */
    struct error *err;
};

static const char *type_word(enum value_type type)
{
    static const char *const words[] = { "null",       "a condition", "a number",
                                         "a number",   "a text",      "a date",
                                         "a timestamp" };
    return words[type];
}

static bool is_number(enum value_type type)
{
    return type == TYPE_INTEGER || type == TYPE_REAL;
}

static bool is_text_literal(const struct expression *node)
{
    return node->kind == NODE_LITERAL && node->type == TYPE_TEXT;
}

/* "height > 'tall': a number and a text cannot be compared" */
static int
refuse(struct checker *c, const struct expression *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
refuse(struct checker *c, const struct expression *node, const char *fmt, ...)
{
    char what[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    int n = node->end - node->first, most = 70;
    bool cut = n > most;
    if (cut)
        for (n = most;
             n > 0 && ((unsigned char)c->source[node->first + n] & 0xc0) == 0x80;)
            n--;
    return error_set(c->err,
                     ERROR_USAGE,
                     "%.*s%s: %s",
                     n,
                     c->source + node->first,
                     cut ? "..." : "",
                     what);
}

static int settle(struct checker *c, struct expression *node, enum value_type type);

/* The values that a CASE may give: its thens and its else. */
static bool is_branch(const struct expression *node, int i)
{
    i -= node->with_operand;
    return i >= 0 && (i % 2 == 1 || i == node->n_args - 1 - node->with_operand)
           && (i % 2 == 1 || node->with_else);
}

/* Give a node that is null in every case its type. */
static int settle_null(struct checker *c, struct expression *node, enum value_type type)
{
    node->type = type;
    for (int i = 0; i < node->n_args; i++)
        if ((node->kind != NODE_CASE || is_branch(node, i))
            && settle(c, node->args[i], type))
            return -1;
    return 0;
}

static int make_real(struct checker *c, struct expression *node)
{
    if (node->kind == NODE_LITERAL) {
        node->real = (double)node->integer;
        node->type = TYPE_REAL;
        return 0;
    }
    struct expression *inner = malloc(sizeof *inner);
    if (!inner)
        return error_set(c->err, ERROR_BUDGET, "no memory for an expression");
    *inner = *node;
    inner->source = NULL;
    *node = (struct expression){ .kind = NODE_TO_REAL,
                                 .type = TYPE_REAL,
                                 .first = inner->first,
                                 .end = inner->end,
                                 .depth = 1,
                                 .slot = -1,
                                 .source = node->source };
    return node_add(node, inner, c->err);
}

static int make_time(struct checker *c, struct expression *node, enum value_type type)
{
    if (type == TYPE_DATE && date_decode(node->text, &node->integer))
        return refuse(c, node, "not a date: dates are written 'YYYY-MM-DD'");
    if (type == TYPE_TIMESTAMP && timestamp_decode(node->text, &node->integer))
        return refuse(c,
                      node,
                      "not a timestamp: write 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS'");
    node->type = type;
    free(node->string);
    node->string = NULL;
    node->text = (struct text){ NULL, 0 };
    return 0;
}

/* Make `node` one of `type`, to which it is known to convert. */
static int settle(struct checker *c, struct expression *node, enum value_type type)
{
    if (node->type == type || type == TYPE_NULL)
        return 0;
    if (node->type == TYPE_NULL)
        return settle_null(c, node, type);
    if (node->type == TYPE_INTEGER && type == TYPE_REAL)
        return make_real(c, node);
    assert(is_text_literal(node));
    return make_time(c, node, type);
}

/* The type that both have in common, or -1. */
static int join(enum value_type a, enum value_type b)
{
    if (a == b || b == TYPE_NULL)
        return (int)a;
    if (a == TYPE_NULL)
        return (int)b;
    return is_number(a) && is_number(b) ? TYPE_REAL : -1;
}

/* Bring the values of a list to one type: those of a CASE's branches, or all. Text
 * literals come last: beside a date they are one. */
static int unify(struct checker *c,
                 struct expression *node,
                 struct expression **values,
                 int n,
                 const char *what,
                 enum value_type *type)
{
    enum value_type common = TYPE_NULL;
    for (int literals = 0; literals < 2; literals++)
        for (int i = 0; i < n; i++) {
            if (is_text_literal(values[i]) != (literals == 1))
                continue;
            if (literals && (common == TYPE_DATE || common == TYPE_TIMESTAMP))
                continue;
            int joined = join(common, values[i]->type);
            if (joined < 0)
                return refuse(c,
                              node,
                              "%s and %s cannot be %s",
                              type_word(i == 0 ? values[0]->type : common),
                              type_word(i == 0 ? common : values[i]->type),
                              what);
            common = (enum value_type)joined;
        }
    for (int i = 0; i < n; i++)
        if (settle(c, values[i], common))
            return -1;
    *type = common;
    return 0;
}

static int
need(struct checker *c, struct expression *arg, enum value_type type, const char *who)
{
    if (arg->type == TYPE_NULL || arg->type == type)
        return settle(c, arg, type);
    return refuse(c,
                  arg,
                  "%s needs %s, this is %s",
                  who,
                  type_word(type),
                  type_word(arg->type));
}

static int check_number(struct checker *c, struct expression *node, const char *who)
{
    struct expression *arg = node->args[0];
    if (arg->type == TYPE_NULL && settle(c, arg, TYPE_INTEGER))
        return -1;
    if (!is_number(arg->type))
        return refuse(c,
                      arg,
                      "%s needs a number, this is %s",
                      who,
                      type_word(arg->type));
    node->type = arg->type;
    return 0;
}

/* PostgreSQL has round, floor and ceil of reals alone, and takes integers for such. */
static int check_rounding(struct checker *c, struct expression *node, const char *who)
{
    if ((node->args[0]->type == TYPE_NULL && settle(c, node->args[0], TYPE_REAL))
        || check_number(c, node, who))
        return -1;
    node->type = TYPE_REAL;
    return settle(c, node->args[0], TYPE_REAL);
}

/* date - date, date - integer, date + integer, integer + date. Returns 1 when it is
 * none of these. */
static int check_dates(struct checker *c, struct expression *node)
{
    struct expression **args = node->args;
    bool subtract = node->kind == NODE_SUBTRACT;
    enum value_type a = args[0]->type, b = args[1]->type;
    if (subtract && (a == TYPE_DATE || b == TYPE_DATE)
        && (a == TYPE_DATE || a == TYPE_NULL || is_text_literal(args[0]))
        && (b == TYPE_DATE || b == TYPE_NULL || is_text_literal(args[1]))) {
        node->type = TYPE_INTEGER;
        return settle(c, args[0], TYPE_DATE) || settle(c, args[1], TYPE_DATE) ? -1 : 0;
    }
    if (!subtract && b == TYPE_DATE) {
        struct expression *swap = args[0];
        args[0] = args[1];
        args[1] = swap;
        a = args[0]->type;
        b = args[1]->type;
    }
    if (a != TYPE_DATE || (b != TYPE_INTEGER && b != TYPE_NULL))
        return 1;
    node->type = TYPE_DATE;
    return settle(c, args[1], TYPE_INTEGER);
}

static int check_arithmetic(struct checker *c, struct expression *node)
{
    static const char *const words[] = {
        "added", "subtracted", "multiplied", "divided", "divided"
    };
    struct expression *a = node->args[0], *b = node->args[1];
    if (node->kind == NODE_ADD || node->kind == NODE_SUBTRACT) {
        int status = check_dates(c, node);
        if (status <= 0)
            return status;
    }
    if ((a->type != TYPE_NULL && !is_number(a->type))
        || (b->type != TYPE_NULL && !is_number(b->type)))
        return refuse(c,
                      node,
                      "%s and %s cannot be %s",
                      type_word(a->type),
                      type_word(b->type),
                      words[node->kind - NODE_ADD]);
    if (unify(c, node, node->args, 2, words[node->kind - NODE_ADD], &node->type))
        return -1;
    if (node->type == TYPE_NULL) {
        node->type = TYPE_INTEGER;
        if (settle(c, a, TYPE_INTEGER) || settle(c, b, TYPE_INTEGER))
            return -1;
    }
    if (node->kind == NODE_MODULO && node->type == TYPE_REAL)
        return refuse(c, node, "%% is for integers, not for reals");
    return 0;
}

/* Operands of one type, which a comparison of nulls alone takes for texts. */
static int check_comparison(struct checker *c, struct expression *node)
{
    enum value_type type;
    if (unify(c, node, node->args, node->n_args, "compared", &type))
        return -1;
    for (int i = 0; type == TYPE_NULL && i < node->n_args; i++)
        if (settle(c, node->args[i], TYPE_TEXT))
            return -1;
    node->type = TYPE_BOOLEAN;
    return 0;
}

static int check_like(struct checker *c, struct expression *node)
{
    if (need(c, node->args[0], TYPE_TEXT, "like")
        || need(c, node->args[1], TYPE_TEXT, "like"))
        return -1;
    const struct expression *pattern = node->args[1];
    if (is_text_literal(pattern)) {
        int64_t n = 0;
        while (n < pattern->text.n
               && pattern->text.bytes[pattern->text.n - 1 - n] == '\\')
            n++;
        if (n % 2)
            return refuse(c, pattern, "a pattern must not end in a single backslash");
    }
    node->type = TYPE_BOOLEAN;
    return 0;
}

static int check_case(struct checker *c, struct expression *node)
{
    struct expression **picked = calloc((size_t)node->n_args, sizeof *picked);
    if (!picked)
        return error_set(c->err, ERROR_BUDGET, "no memory for an expression");
    int status = -1, n = 0;
    enum value_type type;
    /* the whens: conditions, or values to compare with the operand */
    for (int i = 0; i < node->n_args; i++)
        if (!is_branch(node, i))
            picked[n++] = node->args[i];
    if (node->with_operand) {
        if (unify(c, node, picked, n, "compared", &type))
            goto out;
        for (int i = 0; type == TYPE_NULL && i < n; i++)
            if (settle(c, picked[i], TYPE_TEXT))
                goto out;
    } else {
        for (int i = 0; i < n; i++)
            if (need(c, picked[i], TYPE_BOOLEAN, "when"))
                goto out;
    }
    n = 0;
    for (int i = 0; i < node->n_args; i++)
        if (is_branch(node, i))
            picked[n++] = node->args[i];
    status = unify(c, node, picked, n, "results of one case", &node->type);
out:
    free(picked);
    return status;
}

static int check_name(struct checker *c, struct expression *node)
{
    struct name_binding binding = { .slot = -1 };
    if (c->lookup(c->context, node->string, &binding, c->err))
        return -1;
    if (binding.definition) {
        assert(binding.definition->checked);
        c->n_nodes += binding.definition->n_nodes;
        if (c->n_nodes > MOST_NODES)
            return refuse(c, node, "with all definitions put in, this grows too large");
    }
    if (binding.definition && !binding.sql) {
        struct expression *copy;
        if (expression_copy(&copy, binding.definition, c->err))
            return -1;
        node_replace(node, copy);
        return 0;
    }
    node->depth = binding.definition ? binding.definition->depth : 1;
    node->type = binding.type;
    node->slot = binding.slot;
    if (binding.sql && !(node->sql = strdup(binding.sql)))
        return error_set(c->err, ERROR_BUDGET, "no memory for an expression");
    return 0;
}

static int check_conditions(struct checker *c, struct expression *node, const char *who)
{
    for (int i = 0; i < node->n_args; i++)
        if (need(c, node->args[i], TYPE_BOOLEAN, who))
            return -1;
    node->type = TYPE_BOOLEAN;
    return 0;
}

static int check_node(struct checker *c, struct expression *node)
{
    for (int i = 0; i < node->n_args; i++)
        if (check_node(c, node->args[i]))
            return -1;
    switch (node->kind) {
    case NODE_LITERAL:
    case NODE_TO_REAL:
        return 0;
    case NODE_NAME:
        return check_name(c, node);
    case NODE_OR:
        return check_conditions(c, node, "or");
    case NODE_AND:
        return check_conditions(c, node, "and");
    case NODE_NOT:
        return check_conditions(c, node, "not");
    case NODE_EQUAL:
    case NODE_DIFFERS:
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
    case NODE_BETWEEN:
    case NODE_IN:
        return check_comparison(c, node);
    case NODE_IS_NULL:
        node->type = TYPE_BOOLEAN;
        return node->args[0]->type == TYPE_NULL ? settle(c, node->args[0], TYPE_TEXT)
                                                : 0;
    case NODE_LIKE:
        return check_like(c, node);
    case NODE_ADD:
    case NODE_SUBTRACT:
    case NODE_MULTIPLY:
    case NODE_DIVIDE:
    case NODE_MODULO:
        return check_arithmetic(c, node);
    case NODE_NEGATE:
        return check_number(c, node, "-");
    case NODE_ABS:
        return check_number(c, node, "abs");
    case NODE_ROUND:
        return check_rounding(c, node, "round");
    case NODE_FLOOR:
        return check_rounding(c, node, "floor");
    case NODE_CEIL:
        return check_rounding(c, node, "ceil");
    case NODE_CASE:
        return check_case(c, node);
    case NODE_LEAST:
    case NODE_GREATEST:
        return unify(c, node, node->args, node->n_args, "compared", &node->type);
    case NODE_COALESCE:
        return unify(c,
                     node,
                     node->args,
                     node->n_args,
                     "values of one coalesce",
                     &node->type);
    }
    return error_set(c->err, ERROR_INTERNAL, "a node of no kind");
}

/* A name that the source knows keeps what it stands for, of which it is told. */
static int measure_depth(struct expression *node)
{
    if (node->kind != NODE_NAME || node->depth == 0)
        node->depth = 1;
    for (int i = 0; i < node->n_args; i++) {
        int depth = 1 + measure_depth(node->args[i]);
        if (depth > node->depth)
            node->depth = depth;
    }
    return node->depth;
}

int expression_check(struct expression *expression,
                     lookup_function *lookup,
                     void *context,
                     enum value_type *type,
                     struct error *err)
{
    struct checker c = {
        .lookup = lookup,
        .context = context,
        .source = expression->source,
        .err = err,
    };
    int n_own = node_count(expression);
    assert(expression->source && !expression->checked);
    if (check_node(&c, expression) || expression_fold(expression, err))
        return -1;
    if (measure_depth(expression) > MOST_DEPTH)
        return error_set(err,
                         ERROR_USAGE,
                         "nested deeper than %d with all definitions put in",
                         MOST_DEPTH);
    expression->checked = true;
    expression->n_nodes = n_own + c.n_nodes;
    *type = expression->type;
    return 0;
}
