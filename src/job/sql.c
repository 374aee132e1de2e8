/* A checked expression as PostgreSQL: every operator in parentheses, every literal with
 * its type, so that no rule of precedence, overloading or collation is left to apply.
 * Whatever search_path is set, a user's views may need it, so functions, operators and
 * types that are no keywords are named with their schema. BETWEEN, NULLIF and CASE with an
 * operand look for =, >= and <= by themselves: written out, what they compare would stand
 * there twice, and in fields of fields as often as two to the power of their depth. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datetime.h"
#include "node.h"

enum { MOST_BYTES = 4 << 20 };

#define OPERATOR(symbol) " OPERATOR(pg_catalog." symbol ") "

struct sql {
    char *bytes; /* NULL before the first byte */
    size_t n, capacity;
    struct error *err;
};

static int put_bytes(struct sql *sql, const char *bytes, size_t n)
{
    if (sql->n + n >= MOST_BYTES)
        return error_set(sql->err, ERROR_USAGE, "more than 4 MiB of SQL");
    if (sql->n + n + 1 > sql->capacity) {
        size_t capacity = 2 * (sql->n + n) + 64;
        char *grown = realloc(sql->bytes, capacity);
        if (!grown)
            return error_set(sql->err, ERROR_BUDGET, "no memory for an expression");
        sql->bytes = grown;
        sql->capacity = capacity;
    }
    memcpy(sql->bytes + sql->n, bytes, n);
    sql->n += n;
    sql->bytes[sql->n] = '\0';
    return 0;
}

static int put(struct sql *sql, const char *text)
{
    return put_bytes(sql, text, strlen(text));
}

/* Standard strings: a quote is doubled, a backslash is itself. */
static int put_quoted(struct sql *sql, struct text text)
{
    if (text.n > 0 && memchr(text.bytes, 0, (size_t)text.n))
        return error_set(sql->err, ERROR_USAGE, "a text with a zero byte");
    if (put(sql, "'"))
        return -1;
    for (int64_t i = 0; i < text.n; i++)
        if (put_bytes(sql, text.bytes + i, 1)
            || (text.bytes[i] == '\'' && put(sql, "'")))
            return -1;
    return put(sql, "'");
}

static const char *cast(enum value_type type)
{
    static const char *const casts[] = {
        "::pg_catalog.text COLLATE pg_catalog.\"C\"",
        "::boolean",
        "::bigint",
        "::double precision",
        "::pg_catalog.text COLLATE pg_catalog.\"C\"",
        "::pg_catalog.date",
        "::timestamp",
    };
    return casts[type];
}

static const char *array_cast(enum value_type type)
{
    static const char *const casts[] = {
        "::pg_catalog.text[]",  "::boolean[]",         "::bigint[]",
        "::double precision[]", "::pg_catalog.text[]", "::pg_catalog.date[]",
        "::timestamp[]",
    };
    return casts[type];
}

static int put_literal(struct sql *sql, const struct expression *node)
{
    char text[80];
    if (!node->valid)
        return put(sql, "(NULL") || put(sql, cast(node->type)) || put(sql, ")") ? -1
                                                                                : 0;
    switch (node->type) {
    case TYPE_BOOLEAN:
        return put(sql, node->integer ? "true" : "false");
    case TYPE_INTEGER: /* a sign would bind less than the cast */
        snprintf(text,
                 sizeof text,
                 node->integer < 0 ? "'%lld'::bigint" : "%lld::bigint",
                 (long long)node->integer);
        return put(sql, text);
    case TYPE_REAL:
        snprintf(text, sizeof text, "'%.17g'::double precision", node->real);
        return put(sql, text);
    case TYPE_DATE: {
        char date[16];
        if (date_encode(date, node->integer))
            snprintf(text,
                     sizeof text,
                     "('1970-01-01'::pg_catalog.date" OPERATOR("+") "'%lld'::integer)",
                     (long long)node->integer);
        else
            snprintf(text, sizeof text, "'%s'::pg_catalog.date", date);
        return put(sql, text);
    }
    case TYPE_TIMESTAMP: {
        char timestamp[40];
        if (timestamp_encode(timestamp, node->integer))
            return error_set(sql->err, ERROR_INTERNAL, "a timestamp out of range");
        snprintf(text, sizeof text, "'%s'::timestamp", timestamp);
        return put(sql, text);
    }
    case TYPE_TEXT:
    case TYPE_NULL:
        break;
    }
    return put(sql, "(") || put_quoted(sql, node->text) || put(sql, cast(TYPE_TEXT))
                   || put(sql, ")")
               ? -1
               : 0;
}

static int put_name(struct sql *sql, const struct expression *node)
{
    if (!node->sql)
        return error_set(sql->err,
                         ERROR_INTERNAL,
                         "%s cannot be written in the source's language",
                         node->string);
    bool text = node->type == TYPE_TEXT;
    return put(sql, text ? "((" : "(") || put(sql, node->sql)
                   || put(sql, text ? ") COLLATE pg_catalog.\"C\")" : ")")
               ? -1
               : 0;
}

static int put_node(struct sql *sql, const struct expression *node);

/* before first between second after */
static int put_list(struct sql *sql,
                    const struct expression *node,
                    int first,
                    const char *before,
                    const char *between,
                    const char *after)
{
    if (put(sql, before))
        return -1;
    for (int i = first; i < node->n_args; i++)
        if ((i > first && put(sql, between)) || put_node(sql, node->args[i]))
            return -1;
    return put(sql, after);
}

static int put_case(struct sql *sql, const struct expression *node)
{
    int i = node->with_operand;
    if (put(sql, "(CASE ") || (i && (put_node(sql, node->args[0]) || put(sql, " "))))
        return -1;
    for (; i + 1 < node->n_args; i += 2)
        if (put(sql, "WHEN ") || put_node(sql, node->args[i]) || put(sql, " THEN ")
            || put_node(sql, node->args[i + 1]) || put(sql, " "))
            return -1;
    if (node->with_else
        && (put(sql, "ELSE ") || put_node(sql, node->args[i]) || put(sql, " ")))
        return -1;
    return put(sql, "END)");
}

/* All members are computed before any is compared, unlike IN's, which depends on what
 * they are. */
static int put_in(struct sql *sql, const struct expression *node)
{
    return put(sql, "(") || put_node(sql, node->args[0])
                   || put_list(sql, node, 1, OPERATOR("=") "ANY (ARRAY[", ", ", "]")
                   || put(sql, array_cast(node->args[0]->type)) || put(sql, "))")
               ? -1
               : 0;
}

static int put_between(struct sql *sql, const struct expression *node)
{
    return put(sql, "(") || put_node(sql, node->args[0]) || put(sql, " BETWEEN ")
                   || put_node(sql, node->args[1]) || put(sql, " AND ")
                   || put_node(sql, node->args[2]) || put(sql, ")")
               ? -1
               : 0;
}

/* Days are added as the integer that date + integer takes, and counted as bigint. */
static int put_sum(struct sql *sql, const struct expression *node)
{
    const char *op = node->kind == NODE_ADD ? OPERATOR("+") : OPERATOR("-");
    if (node->type == TYPE_DATE)
        return put(sql, "(") || put_node(sql, node->args[0]) || put(sql, op)
                       || put_node(sql, node->args[1]) || put(sql, "::integer)")
                   ? -1
                   : 0;
    bool days = node->args[0]->type == TYPE_DATE;
    return put_list(sql, node, 0, "(", op, days ? ")::bigint" : ")");
}

/* A divisor that is zero becomes null; a literal is known not to be. */
static int put_divisor(struct sql *sql, const struct expression *node)
{
    if (node->kind == NODE_LITERAL)
        return put_node(sql, node);
    return put(sql, "nullif(") || put_node(sql, node)
                   || put(sql,
                          node->type == TYPE_REAL ? ", '0'::double precision)"
                                                  : ", 0::bigint)")
               ? -1
               : 0;
}

static int put_quotient(struct sql *sql, const struct expression *node)
{
    return put(sql, "(") || put_node(sql, node->args[0])
                   || put(sql,
                          node->kind == NODE_DIVIDE ? OPERATOR("/") : OPERATOR("%"))
                   || put_divisor(sql, node->args[1]) || put(sql, ")")
               ? -1
               : 0;
}

static int put_node(struct sql *sql, const struct expression *node)
{
    switch (node->kind) {
    case NODE_LITERAL:
        return put_literal(sql, node);
    case NODE_NAME:
        return put_name(sql, node);
    case NODE_OR:
        return put_list(sql, node, 0, "(", " OR ", ")");
    case NODE_AND:
        return put_list(sql, node, 0, "(", " AND ", ")");
    case NODE_NOT:
        return put_list(sql, node, 0, "(NOT ", "", ")");
    case NODE_EQUAL:
        return put_list(sql, node, 0, "(", OPERATOR("="), ")");
    case NODE_DIFFERS:
        return put_list(sql, node, 0, "(", OPERATOR("<>"), ")");
    case NODE_LESS:
        return put_list(sql, node, 0, "(", OPERATOR("<"), ")");
    case NODE_LESS_EQUAL:
        return put_list(sql, node, 0, "(", OPERATOR("<="), ")");
    case NODE_GREATER:
        return put_list(sql, node, 0, "(", OPERATOR(">"), ")");
    case NODE_GREATER_EQUAL:
        return put_list(sql, node, 0, "(", OPERATOR(">="), ")");
    case NODE_IS_NULL:
        return put_list(sql, node, 0, "(", "", " IS NULL)");
    case NODE_BETWEEN:
        return put_between(sql, node);
    case NODE_IN:
        return put_in(sql, node);
    case NODE_LIKE:
        return put_list(sql, node, 0, "(", OPERATOR("~~"), ")");
    case NODE_ADD:
    case NODE_SUBTRACT:
        return put_sum(sql, node);
    case NODE_MULTIPLY:
        return put_list(sql, node, 0, "(", OPERATOR("*"), ")");
    case NODE_DIVIDE:
    case NODE_MODULO:
        return put_quotient(sql, node);
    case NODE_NEGATE:
        return put_list(sql, node, 0, "(" OPERATOR("-"), "", ")");
    case NODE_CASE:
        return put_case(sql, node);
    case NODE_ABS:
        return put_list(sql, node, 0, "pg_catalog.abs(", "", ")");
    case NODE_ROUND:
        return put_list(sql, node, 0, "pg_catalog.round(", "", ")");
    case NODE_FLOOR:
        return put_list(sql, node, 0, "pg_catalog.floor(", "", ")");
    case NODE_CEIL:
        return put_list(sql, node, 0, "pg_catalog.ceil(", "", ")");
    case NODE_LEAST:
        return put_list(sql, node, 0, "least(", ", ", ")");
    case NODE_GREATEST:
        return put_list(sql, node, 0, "greatest(", ", ", ")");
    case NODE_COALESCE:
        return put_list(sql, node, 0, "coalesce(", ", ", ")");
    case NODE_TO_REAL:
        return put_list(sql, node, 0, "(", "", "::double precision)");
    }
    return error_set(sql->err, ERROR_INTERNAL, "a node of no kind");
}

int expression_sql(const struct expression *expression, char **sql, struct error *err)
{
    struct sql out = { .err = err };
    if (put_node(&out, expression)) {
        free(out.bytes);
        return -1;
    }
    *sql = out.bytes;
    return 0;
}
