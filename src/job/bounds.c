/* What the leading comparisons of a condition say about single slots. */
#include <math.h>

#include "node.h"

struct list {
    struct expression_bound *bounds;
    int n, n_most;
};

static bool is_number(enum value_type type)
{
    return type == TYPE_INTEGER || type == TYPE_REAL || type == TYPE_DATE
           || type == TYPE_TIMESTAMP;
}

/* Rounding an integer to a double never turns an order round. */
static const struct expression *as_written(const struct expression *node)
{
    return node->kind == NODE_TO_REAL ? node->args[0] : node;
}

static bool is_slot(const struct expression *node)
{
    node = as_written(node);
    return node->kind == NODE_NAME && is_number(node->type);
}

static bool is_literal(const struct expression *node, double *value)
{
    if (node->kind != NODE_LITERAL || !node->valid || !is_number(node->type))
        return false;
    *value = node->type == TYPE_REAL ? node->real : (double)node->integer;
    return !isnan(*value);
}

static bool
add(struct list *list, const struct expression *name, double least, double greatest)
{
    if (list->n < list->n_most)
        list->bounds[list->n++] =
            (struct expression_bound){ as_written(name)->slot, least, greatest };
    return true;
}

/* name < 3, or 3 < name, which is name > 3. */
static bool add_comparison(struct list *list, const struct expression *node)
{
    double value;
    bool turned = !is_slot(node->args[0]);
    const struct expression *name = node->args[turned], *other = node->args[!turned];
    if (!is_slot(name) || !is_literal(other, &value))
        return false;
    switch (node->kind) {
    case NODE_EQUAL:
        return add(list, name, value, value);
    case NODE_LESS:
    case NODE_LESS_EQUAL:
        return turned ? add(list, name, value, INFINITY)
                      : add(list, name, -INFINITY, value);
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
        return turned ? add(list, name, -INFINITY, value)
                      : add(list, name, value, INFINITY);
    default:
        return false;
    }
}

static bool add_between(struct list *list, const struct expression *node)
{
    double low, high;
    return is_slot(node->args[0]) && is_literal(node->args[1], &low)
           && is_literal(node->args[2], &high) && add(list, node->args[0], low, high);
}

static bool add_members(struct list *list, const struct expression *node)
{
    double least = INFINITY, greatest = -INFINITY, value;
    if (!is_slot(node->args[0]))
        return false;
    for (int i = 1; i < node->n_args; i++) {
        if (!is_literal(node->args[i], &value))
            return false;
        least = fmin(least, value);
        greatest = fmax(greatest, value);
    }
    return add(list, node->args[0], least, greatest);
}

/* Whether all of the node is in the list; false ends the search. */
static bool add_node(struct list *list, const struct expression *node)
{
    switch (node->kind) {
    case NODE_AND:
        for (int i = 0; i < node->n_args; i++)
            if (!add_node(list, node->args[i]))
                return false;
        return true;
    case NODE_EQUAL:
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
        return add_comparison(list, node);
    case NODE_BETWEEN:
        return add_between(list, node);
    case NODE_IN:
        return add_members(list, node);
    default:
        return false;
    }
}

int expression_bounds(const struct expression *expression,
                      struct expression_bound *bounds,
                      int n_most)
{
    struct list list = { .bounds = bounds, .n_most = n_most };
    add_node(&list, expression);
    return list.n;
}
