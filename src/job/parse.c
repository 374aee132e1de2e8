/* Recursive descent, one function a level of precedence. Every function returns a tree
 * that its caller owns, or NULL with the parser's error set. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/nearest.h"

#include "node.h"
#include "token.h"

struct parser {
    const char *text;
    struct token token; /* the next one */
    int end;            /* of the token before it */
    int depth;
    struct error *err;
};

static struct expression *parse_or(struct parser *parser);
static struct expression *parse_sum(struct parser *parser);

static const char *const keywords[] = { "and",  "or",   "not",  "between", "in",
                                        "like", "is",   "null", "true",    "false",
                                        "case", "when", "then", "else",    "end" };

static const struct {
    const char *name;
    enum node_kind kind;
    bool many; /* one argument or more; otherwise exactly one */
} functions[] = {
    { "abs", NODE_ABS, false },          { "round", NODE_ROUND, false },
    { "floor", NODE_FLOOR, false },      { "ceil", NODE_CEIL, false },
    { "least", NODE_LEAST, true },       { "greatest", NODE_GREATEST, true },
    { "coalesce", NODE_COALESCE, true },
};

enum {
    N_KEYWORDS = sizeof keywords / sizeof *keywords,
    N_FUNCTIONS = sizeof functions / sizeof *functions
};

static int advance(struct parser *parser)
{
    parser->end = parser->token.end;
    return token_read(&parser->token, parser->text, parser->token.end, parser->err);
}

static struct expression *expected(struct parser *parser, const char *what)
{
    const struct token *token = &parser->token;
    int n = token->end - token->first;
    int column = token_column(parser->text, token->first);
    if (token->kind == TOKEN_END)
        error_set(parser->err,
                  ERROR_USAGE,
                  "column %d: expected %s, found the end",
                  column,
                  what);
    else
        error_set(parser->err,
                  ERROR_USAGE,
                  "column %d: expected %s, found '%.*s'",
                  column,
                  what,
                  n < 40 ? n : 40,
                  parser->text + token->first);
    return NULL;
}

/* Whether the next token is `word`; if so it is consumed. -1: the one after is bad. */
static int accept(struct parser *parser, const char *word)
{
    if (!token_is(&parser->token, word))
        return 0;
    return advance(parser) ? -1 : 1;
}

static int require(struct parser *parser, const char *word, const char *what)
{
    if (!token_is(&parser->token, word)) {
        expected(parser, what);
        return -1;
    }
    return advance(parser);
}

/* node with arg added; both are consumed, and either may be NULL after a failure. */
static struct expression *
append(struct parser *parser, struct expression *node, struct expression *arg)
{
    if (!node || !arg) {
        expression_free(node);
        expression_free(arg);
        return NULL;
    }
    if (node->n_args == 0 && node->first == INT_MAX)
        node->first = arg->first;
    if (node_add(node, arg, parser->err)) {
        expression_free(node);
        return NULL;
    }
    node->end = parser->end;
    return node;
}

/* A new node around arg; it begins where arg begins, unless first says otherwise. */
static struct expression *
wrap(struct parser *parser, enum node_kind kind, int first, struct expression *arg)
{
    struct expression *node = node_new(kind, parser->err);
    if (node)
        node->first = first < 0 ? INT_MAX : first;
    return append(parser, node, arg);
}

static bool is_keyword(const char *word)
{
    for (int i = 0; i < N_KEYWORDS; i++)
        if (strcmp(word, keywords[i]) == 0)
            return true;
    return false;
}

static struct expression *parse_number(struct parser *parser, bool negative)
{
    const struct token *token = &parser->token;
    struct expression *node = node_new(NODE_LITERAL, parser->err);
    if (!node)
        return NULL;
    node->valid = 1;
    node->first = token->first;
    node->end = token->end;
    /* the sign takes the place of what stands before the digits, itself or a space */
    char *digits = strndup(parser->text + token->first - (negative ? 1 : 0),
                           (size_t)(token->end - token->first) + (negative ? 1 : 0));
    if (!digits) {
        error_set(parser->err, ERROR_BUDGET, "no memory for an expression");
        goto failed;
    }
    if (negative)
        digits[0] = '-';
    node->type = TYPE_REAL;
    if (token->kind == TOKEN_INTEGER) {
        errno = 0;
        node->integer = strtoll(digits, NULL, 10);
        if (errno == 0)
            node->type = TYPE_INTEGER;
    }
    if (node->type == TYPE_REAL) {
        errno = 0;
        node->real = strtod(digits, NULL);
        /* a denormal number sets ERANGE too, and is fine */
        if (errno == ERANGE && (node->real == 0 || node->real > 1 || node->real < -1)) {
            error_set(parser->err,
                      ERROR_USAGE,
                      "column %d: the number is out of range",
                      token_column(parser->text, token->first));
            goto failed;
        }
    }
    free(digits);
    if (advance(parser) == 0)
        return node;
    digits = NULL;
failed:
    free(digits);
    expression_free(node);
    return NULL;
}

/* A string, or a name as it is written. */
static struct expression *parse_string(struct parser *parser)
{
    const struct token *token = &parser->token;
    bool is_text = token->kind == TOKEN_STRING;
    struct expression *node = node_new(is_text ? NODE_LITERAL : NODE_NAME, parser->err);
    if (!node)
        return NULL;
    int n = 0;
    node->first = token->first;
    node->end = token->end;
    node->string = is_text ? token_unquote(token, parser->text, &n)
                           : strndup(parser->text + token->first,
                                     (size_t)(node->end - node->first));
    if (!node->string) {
        error_set(parser->err, ERROR_BUDGET, "no memory for an expression");
        goto failed;
    }
    if (is_text) {
        node->type = TYPE_TEXT;
        node->valid = 1;
        node->text = (struct text){ .bytes = node->string, .n = n };
    }
    if (advance(parser) == 0)
        return node;
failed:
    expression_free(node);
    return NULL;
}

static struct expression *parse_word_literal(struct parser *parser)
{
    struct expression *node = node_new(NODE_LITERAL, parser->err);
    if (!node)
        return NULL;
    node->first = parser->token.first;
    node->end = parser->token.end;
    if (!token_is(&parser->token, "null")) {
        node->type = TYPE_BOOLEAN;
        node->valid = 1;
        node->integer = token_is(&parser->token, "true");
    }
    if (advance(parser) == 0)
        return node;
    expression_free(node);
    return NULL;
}

/* case [operand] when … then … [when … then …]... [else …] end */
static struct expression *parse_case(struct parser *parser)
{
    struct expression *node = node_new(NODE_CASE, parser->err);
    if (!node)
        return NULL;
    node->first = parser->token.first;
    if (advance(parser))
        goto failed;
    if (!token_is(&parser->token, "when")) {
        node->with_operand = true;
        node = append(parser, node, parse_or(parser));
        if (!node)
            return NULL;
    }
    if (!token_is(&parser->token, "when")) {
        expected(parser, "'when'");
        goto failed;
    }
    while (token_is(&parser->token, "when")) {
        if (advance(parser))
            goto failed;
        node = append(parser, node, parse_or(parser));
        if (!node)
            return NULL;
        if (require(parser, "then", "'then'"))
            goto failed;
        node = append(parser, node, parse_or(parser));
        if (!node)
            return NULL;
    }
    int has_else = accept(parser, "else");
    if (has_else < 0)
        goto failed;
    if (has_else) {
        node->with_else = true;
        node = append(parser, node, parse_or(parser));
        if (!node)
            return NULL;
    }
    if (require(parser, "end", node->with_else ? "'end'" : "'when', 'else' or 'end'"))
        goto failed;
    node->end = parser->end;
    return node;
failed:
    expression_free(node);
    return NULL;
}

/* "( a, b, … )" added to node. */
static struct expression *parse_list(struct parser *parser, struct expression *node)
{
    int more = require(parser, "(", "'('") ? -1 : 1;
    while (more > 0) {
        node = append(parser, node, parse_or(parser));
        if (!node)
            return NULL;
        more = accept(parser, ",");
    }
    if (more < 0 || require(parser, ")", "',' or ')'")) {
        expression_free(node);
        return NULL;
    }
    node->end = parser->end;
    return node;
}

static struct expression *unknown_function(struct parser *parser, const char *name)
{
    const char *names[N_FUNCTIONS];
    for (int i = 0; i < N_FUNCTIONS; i++)
        names[i] = functions[i].name;
    const char *nearest = nearest_word(name, names, N_FUNCTIONS);
    error_set(parser->err,
              ERROR_USAGE,
              "unknown function '%s': %s%s%s",
              name,
              nearest ? "did you mean '" : "there are abs, round, floor, ceil, least, ",
              nearest ? nearest : "greatest and coalesce",
              nearest ? "'?" : "");
    return NULL;
}

/* A bare name, or a function when "(" follows it. */
static struct expression *parse_name(struct parser *parser)
{
    const struct token word = parser->token;
    struct expression *name = parse_string(parser);
    if (!name || !token_is(&parser->token, "("))
        return name;
    int i = 0;
    while (i < N_FUNCTIONS && strcmp(functions[i].name, word.word) != 0)
        i++;
    struct expression *node = NULL;
    if (i == N_FUNCTIONS)
        unknown_function(parser, word.word);
    else
        node = node_new(functions[i].kind, parser->err);
    if (node) {
        node->first = name->first;
        node = parse_list(parser, node);
    }
    expression_free(name);
    if (node && !functions[i].many && node->n_args != 1) {
        error_set(parser->err,
                  ERROR_USAGE,
                  "column %d: %s takes one value",
                  token_column(parser->text, node->first),
                  functions[i].name);
        expression_free(node);
        return NULL;
    }
    return node;
}

static struct expression *parse_primary(struct parser *parser)
{
    const struct token *token = &parser->token;
    switch (token->kind) {
    case TOKEN_INTEGER:
    case TOKEN_REAL:
        return parse_number(parser, false);
    case TOKEN_STRING:
    case TOKEN_QUOTED:
        return parse_string(parser);
    case TOKEN_WORD:
        if (token_is(token, "null") || token_is(token, "true")
            || token_is(token, "false"))
            return parse_word_literal(parser);
        if (token_is(token, "case"))
            return parse_case(parser);
        if (!is_keyword(token->word))
            return parse_name(parser);
        break;
    case TOKEN_SYMBOL:
        if (token_is(token, "(")) {
            int first = token->first;
            if (advance(parser))
                return NULL;
            struct expression *inner = parse_or(parser);
            if (inner && require(parser, ")", "')'")) {
                expression_free(inner);
                return NULL;
            }
            if (inner) {
                inner->first = first;
                inner->end = parser->end;
            }
            return inner;
        }
        break;
    case TOKEN_END:
        break;
    }
    return expected(parser, "a value");
}

static int deeper(struct parser *parser)
{
    if (++parser->depth <= MOST_DEPTH)
        return 0;
    return error_set(parser->err,
                     ERROR_USAGE,
                     "column %d: nested deeper than %d: split it over computed fields",
                     token_column(parser->text, parser->token.first),
                     MOST_DEPTH);
}

static struct expression *parse_unary(struct parser *parser)
{
    if (!token_is(&parser->token, "-"))
        return parse_primary(parser);
    int first = parser->token.first;
    if (deeper(parser) || advance(parser))
        return NULL;
    struct expression *node;
    /* "-9223372036854775808" is one literal: its digits alone would not fit */
    if (parser->token.kind == TOKEN_INTEGER) {
        node = parse_number(parser, true);
        if (node)
            node->first = first;
    } else {
        node = parse_unary(parser);
        if (node)
            node = wrap(parser, NODE_NEGATE, first, node);
    }
    parser->depth--;
    return node;
}

struct operator_symbol {
    const char *symbol;
    enum node_kind kind;
};

/* operand { operator operand }..., to the left */
static struct expression *parse_chain(struct parser *parser,
                                      const struct operator_symbol *operators,
                                      struct expression *(*operand)(struct parser *))
{
    struct expression *left = operand(parser);
    while (left) {
        const struct operator_symbol *op = operators;
        while (op->symbol && !token_is(&parser->token, op->symbol))
            op++;
        if (!op->symbol)
            break;
        if (advance(parser)) {
            expression_free(left);
            return NULL;
        }
        left = wrap(parser, op->kind, -1, left);
        if (left)
            left = append(parser, left, operand(parser));
    }
    return left;
}

static struct expression *parse_product(struct parser *parser)
{
    static const struct operator_symbol operators[] = { { "*", NODE_MULTIPLY },
                                                        { "/", NODE_DIVIDE },
                                                        { "%", NODE_MODULO },
                                                        { NULL, NODE_LITERAL } };
    return parse_chain(parser, operators, parse_unary);
}

static struct expression *parse_sum(struct parser *parser)
{
    static const struct operator_symbol operators[] = { { "+", NODE_ADD },
                                                        { "-", NODE_SUBTRACT },
                                                        { NULL, NODE_LITERAL } };
    return parse_chain(parser, operators, parse_product);
}

static const struct operator_symbol comparisons[] = {
    { "=", NODE_EQUAL },          { "<>", NODE_DIFFERS },    { "!=", NODE_DIFFERS },
    { "<", NODE_LESS },           { "<=", NODE_LESS_EQUAL }, { ">", NODE_GREATER },
    { ">=", NODE_GREATER_EQUAL }, { "in", NODE_IN },         { "like", NODE_LIKE },
    { "between", NODE_BETWEEN },  { NULL, NODE_LITERAL }
};

static const struct operator_symbol *next_comparison(const struct parser *parser)
{
    const struct operator_symbol *op = comparisons;
    while (op->symbol && !token_is(&parser->token, op->symbol))
        op++;
    return op->symbol ? op : NULL;
}

/* What follows the left operand of one comparison, "[not] in (…)" and the like. */
static struct expression *parse_comparison_rest(struct parser *parser,
                                                struct expression *left)
{
    int not = accept(parser, "not");
    const struct operator_symbol *op = not < 0 ? NULL : next_comparison(parser);
    if (not > 0 && (!op || op->kind < NODE_BETWEEN)) {
        expected(parser, "'between', 'in' or 'like'");
        op = NULL;
    }
    if (not < 0 || !op || advance(parser)) {
        expression_free(left);
        return NULL;
    }
    int first = left->first;
    struct expression *node = wrap(parser, op->kind, -1, left);
    if (node && op->kind == NODE_IN)
        node = parse_list(parser, node);
    else if (node)
        node = append(parser, node, parse_sum(parser));
    if (node && op->kind == NODE_BETWEEN) {
        if (require(parser, "and", "'and'")) {
            expression_free(node);
            return NULL;
        }
        node = append(parser, node, parse_sum(parser));
    }
    return node && not ? wrap(parser, NODE_NOT, first, node) : node;
}

static struct expression *parse_comparison(struct parser *parser)
{
    struct expression *node = parse_sum(parser);
    if (node && (token_is(&parser->token, "not") || next_comparison(parser))) {
        node = parse_comparison_rest(parser, node);
        if (node && (token_is(&parser->token, "not") || next_comparison(parser))) {
            error_set(parser->err,
                      ERROR_USAGE,
                      "column %d: comparisons do not chain: use parentheses",
                      token_column(parser->text, parser->token.first));
            expression_free(node);
            return NULL;
        }
    }
    while (node && token_is(&parser->token, "is")) {
        int first = node->first;
        int not = advance(parser) ? -1 : accept(parser, "not");
        if (not < 0 || require(parser, "null", "'null'")) {
            expression_free(node);
            return NULL;
        }
        node = wrap(parser, NODE_IS_NULL, first, node);
        if (node && not )
            node = wrap(parser, NODE_NOT, first, node);
    }
    return node;
}

static struct expression *parse_not(struct parser *parser)
{
    int first = parser->token.first;
    int not = accept(parser, "not");
    if (not == 0)
        return parse_comparison(parser);
    if (not < 0 || deeper(parser))
        return NULL;
    struct expression *node = parse_not(parser);
    parser->depth--;
    return node ? wrap(parser, NODE_NOT, first, node) : NULL;
}

/* operand { word operand }..., as one node of all operands */
static struct expression *parse_flat(struct parser *parser,
                                     const char *word,
                                     enum node_kind kind,
                                     struct expression *(*operand)(struct parser *))
{
    struct expression *node = operand(parser);
    if (!node || !token_is(&parser->token, word))
        return node;
    node = wrap(parser, kind, -1, node);
    while (node && token_is(&parser->token, word)) {
        if (advance(parser)) {
            expression_free(node);
            return NULL;
        }
        node = append(parser, node, operand(parser));
    }
    return node;
}

static struct expression *parse_and(struct parser *parser)
{
    return parse_flat(parser, "and", NODE_AND, parse_not);
}

static struct expression *parse_or(struct parser *parser)
{
    if (deeper(parser))
        return NULL;
    struct expression *node = parse_flat(parser, "or", NODE_OR, parse_and);
    parser->depth--;
    return node;
}

int expression_parse(struct expression **expression,
                     const char *text,
                     struct error *err)
{
    struct parser parser = { .text = text, .err = err };
    if (strlen(text) > 1 << 20)
        return error_set(err, ERROR_USAGE, "an expression longer than 1 MiB");
    if (token_read(&parser.token, text, 0, err))
        return -1;
    struct expression *node = parse_or(&parser);
    if (node && parser.token.kind != TOKEN_END) {
        expected(&parser, "an operator or the end");
        expression_free(node);
        return -1;
    }
    if (!node)
        return -1;
    node->source = strdup(text);
    if (!node->source) {
        expression_free(node);
        return error_set(err, ERROR_BUDGET, "no memory for an expression");
    }
    *expression = node;
    return 0;
}
