/*
 * The tree of an expression, shared by the files of this room. `struct expression` is
 * one node; its root stands for the whole.
 *
 *   height > 10 and use is not null
 *
 *             AND
 *           /     \
 *     GREATER     NOT
 *      /    \       \
 *    NAME  LITERAL  IS_NULL
 *                      \
 *                      NAME
 *
 * CASE has its operand (if with_operand), then pairs of when and then, then its else
 * (if with_else). AND and OR have two arguments or more.
 */
#ifndef ROOFTALLY_JOB_NODE_H
#define ROOFTALLY_JOB_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"
#include "rooftally/job/expression.h"

enum {
    MOST_DEPTH = 200,    /* of a tree as written, and after definitions are put in */
    MOST_NODES = 100000, /* after definitions are put in */
};

enum node_kind {
    NODE_LITERAL,
    NODE_NAME,
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_EQUAL,
    NODE_DIFFERS,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_GREATER,
    NODE_GREATER_EQUAL,
    NODE_IS_NULL,
    NODE_BETWEEN, /* value, low, high */
    NODE_IN,      /* value, members */
    NODE_LIKE,    /* value, pattern */
    NODE_ADD,
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_MODULO,
    NODE_NEGATE,
    NODE_CASE,
    NODE_ABS,
    NODE_ROUND,
    NODE_FLOOR,
    NODE_CEIL,
    NODE_LEAST,
    NODE_GREATEST,
    NODE_COALESCE,
    NODE_TO_REAL, /* an integer as a real; made by the check */
};

struct expression {
    enum node_kind kind;
    enum value_type type; /* of literals at once, of the rest after the check */
    int first, end;       /* bytes of the source text that this node spans */
    int depth;            /* 1 for a leaf */

    struct expression **args;
    int n_args;
    bool with_operand, with_else; /* CASE */

    /* NODE_LITERAL: a column of one value. */
    uint8_t valid; /* 0: null */
    int64_t integer;
    double real;
    struct text text;

    char *string; /* owned: bytes of a text literal, or a name as written */
    int slot;     /* NODE_NAME */
    char *sql;    /* NODE_NAME: NULL when the source cannot spell it */

    char *source; /* of a root: the text it was parsed from */
    bool checked; /* of a root */
    int n_nodes;  /* of a checked root: what it has with all definitions put in, whether
                     they are, or the source knows them */
};

struct expression *node_new(enum node_kind kind, struct error *err);

/* Append arg, which node then owns; on failure (too deep, no memory) arg is freed.
 * Returns 0, or -1 with ERROR_USAGE or ERROR_BUDGET. */
int node_add(struct expression *node, struct expression *arg, struct error *err);

/* Put the contents of `from` in the place of *node and free what was there. */
void node_replace(struct expression *node, struct expression *from);

/* Make *node a literal of its type, in place. */
void node_make_null(struct expression *node);
void node_make_boolean(struct expression *node, bool value);

int node_count(const struct expression *node);
bool node_is_null(const struct expression *node); /* the literal null */

/* Apply what is already known: constant parts become literals, and what they decide
 * is dropped, as PostgreSQL's planner does before it runs.
 * Returns 0, or -1 with ERROR_USAGE (a constant part overflows). */
int expression_fold(struct expression *expression, struct error *err);

#endif
