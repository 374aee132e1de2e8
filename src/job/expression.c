#include "rooftally/job/expression.h"

#include <stdlib.h>
#include <string.h>

#include "node.h"

struct expression *node_new(enum node_kind kind, struct error *err)
{
    struct expression *node = calloc(1, sizeof *node);
    if (!node) {
        error_set(err, ERROR_BUDGET, "no memory for an expression");
        return NULL;
    }
    node->kind = kind;
    node->depth = 1;
    node->slot = -1;
    return node;
}

int node_add(struct expression *node, struct expression *arg, struct error *err)
{
    if (arg->depth >= MOST_DEPTH) {
        expression_free(arg);
        return error_set(err,
                         ERROR_USAGE,
                         "nested deeper than %d: split it over computed fields",
                         MOST_DEPTH);
    }
    /* room doubles whenever the count is a power of two */
    if ((node->n_args & (node->n_args - 1)) == 0) {
        size_t n = node->n_args ? 2 * (size_t)node->n_args : 1;
        struct expression **args = realloc(node->args, n * sizeof(struct expression *));
        if (!args) {
            expression_free(arg);
            return error_set(err, ERROR_BUDGET, "no memory for an expression");
        }
        node->args = args;
    }
    node->args[node->n_args++] = arg;
    if (arg->depth + 1 > node->depth)
        node->depth = arg->depth + 1;
    return 0;
}

static void release(struct expression *node)
{
    for (int i = 0; i < node->n_args; i++)
        expression_free(node->args[i]);
    free(node->args);
    free(node->string);
    free(node->sql);
    free(node->source);
}

void expression_free(struct expression *expression)
{
    if (!expression)
        return;
    release(expression);
    free(expression);
}

void node_replace(struct expression *node, struct expression *from)
{
    char *source = node->source;
    int first = node->first, end = node->end;
    node->source = NULL;
    release(node);
    free(from->source);
    *node = *from;
    node->source = source;
    node->first = first;
    node->end = end;
    free(from);
}

static void make_literal(struct expression *node)
{
    for (int i = 0; i < node->n_args; i++)
        expression_free(node->args[i]);
    free(node->args);
    free(node->string);
    free(node->sql);
    node->args = NULL;
    node->string = node->sql = NULL;
    node->n_args = 0;
    node->depth = 1;
    node->kind = NODE_LITERAL;
}

void node_make_null(struct expression *node)
{
    make_literal(node);
    node->valid = 0;
}

void node_make_boolean(struct expression *node, bool value)
{
    make_literal(node);
    node->valid = 1;
    node->type = TYPE_BOOLEAN;
    node->integer = value;
}

static char *copy_string(const char *from, int64_t n)
{
    char *to = malloc((size_t)n + 1);
    if (to) {
        memcpy(to, from, (size_t)n);
        to[n] = '\0';
    }
    return to;
}

static int copy_strings(struct expression *node, const struct expression *from)
{
    if (from->string) {
        bool is_text = from->kind == NODE_LITERAL;
        int64_t n = is_text ? from->text.n : (int64_t)strlen(from->string);
        node->string = copy_string(from->string, n);
        if (is_text)
            node->text.bytes = node->string;
    }
    if (from->sql)
        node->sql = strdup(from->sql);
    if (from->source)
        node->source = strdup(from->source);
    return (from->string && !node->string) || (from->sql && !node->sql)
                   || (from->source && !node->source)
               ? -1
               : 0;
}

int expression_copy(struct expression **copy,
                    const struct expression *expression,
                    struct error *err)
{
    struct expression *node = node_new(expression->kind, err);
    if (!node)
        return -1;
    *node = *expression;
    node->args = NULL;
    node->n_args = 0;
    node->depth = 1;
    node->string = node->sql = node->source = NULL;
    if (copy_strings(node, expression)) {
        error_set(err, ERROR_BUDGET, "no memory for an expression");
        goto failed;
    }
    for (int i = 0; i < expression->n_args; i++) {
        struct expression *arg;
        if (expression_copy(&arg, expression->args[i], err) || node_add(node, arg, err))
            goto failed;
    }
    *copy = node;
    return 0;
failed:
    expression_free(node);
    return -1;
}

int node_count(const struct expression *node)
{
    int n = 1;
    for (int i = 0; i < node->n_args; i++)
        n += node_count(node->args[i]);
    return n;
}

bool node_is_null(const struct expression *node)
{
    return node->kind == NODE_LITERAL && !node->valid;
}

enum value_type expression_type(const struct expression *expression)
{
    return expression->type;
}

bool expression_is_sql(const struct expression *expression)
{
    if (expression->kind == NODE_NAME)
        return expression->sql;
    for (int i = 0; i < expression->n_args; i++)
        if (!expression_is_sql(expression->args[i]))
            return false;
    return true;
}

void expression_slots(const struct expression *expression, uint8_t *used, int n_slots)
{
    if (expression->kind == NODE_NAME && expression->slot >= 0
        && expression->slot < n_slots)
        used[expression->slot] = 1;
    for (int i = 0; i < expression->n_args; i++)
        expression_slots(expression->args[i], used, n_slots);
}

void expression_renumber(struct expression *expression, const int *map)
{
    if (expression->kind == NODE_NAME && expression->slot >= 0)
        expression->slot = map[expression->slot];
    for (int i = 0; i < expression->n_args; i++)
        expression_renumber(expression->args[i], map);
}

static bool is_late(const struct expression *expression, const uint8_t *late)
{
    if (expression->kind == NODE_NAME)
        return late[expression->slot];
    for (int i = 0; i < expression->n_args; i++)
        if (is_late(expression->args[i], late))
            return true;
    return false;
}

/* The side of a conjunct: 0 the source's. */
static int side_of(const struct expression *expression, const uint8_t *late)
{
    return late ? is_late(expression, late) : !expression_is_sql(expression);
}

/* Move the conjuncts of `from` to one side; nested ANDs come apart as well. */
static int deal(struct expression *from,
                const uint8_t *late,
                struct expression *sides[2],
                struct error *err)
{
    if (from->kind != NODE_AND)
        return node_add(sides[side_of(from, late)], from, err);
    int status = 0, n_args = from->n_args;
    from->n_args = 0; /* each argument has a new owner from here on */
    for (int i = 0; i < n_args; i++) {
        if (status)
            expression_free(from->args[i]);
        else
            status = deal(from->args[i], late, sides, err);
    }
    expression_free(from);
    return status;
}

int expression_split(struct expression *expression,
                     const uint8_t *late,
                     struct expression **in_source,
                     struct expression **local,
                     struct error *err)
{
    struct expression *sides[2] = { NULL, NULL };
    int status = -1;
    if (expression->kind != NODE_AND) { /* it may be as deep as any */
        int side = side_of(expression, late);
        *in_source = side == 0 ? expression : NULL;
        *local = side == 0 ? NULL : expression;
        expression->checked = true;
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        sides[i] = node_new(NODE_AND, err);
        if (!sides[i]) {
            expression_free(expression);
            goto out;
        }
        sides[i]->type = TYPE_BOOLEAN;
        sides[i]->checked = true;
    }
    if (deal(expression, late, sides, err))
        goto out;
    for (int i = 0; i < 2; i++) {
        struct expression *side = sides[i];
        struct expression **result = i == 0 ? in_source : local;
        *result = side->n_args > 1 ? side : side->n_args == 1 ? side->args[0] : NULL;
        if (side->n_args > 1)
            sides[i] = NULL;
        else
            side->n_args = 0;
        if (*result)
            (*result)->checked = true;
    }
    status = 0;
out:
    expression_free(sides[0]);
    expression_free(sides[1]);
    return status;
}
