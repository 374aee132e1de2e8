#include "sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sql_reset(struct sql *sql)
{
    sql->n = 0;
    sql->failed = false;
}

void sql_release(struct sql *sql)
{
    free(sql->text);
    *sql = (struct sql){ 0 };
}

/* Room for n_more characters and the end of string. */
static bool reserve(struct sql *sql, size_t n_more)
{
    if (sql->n + n_more + 1 > sql->capacity) {
        size_t capacity = 2 * (sql->n + n_more + 1);
        char *text = realloc(sql->text, capacity);
        if (!text) {
            sql->failed = true;
            return false;
        }
        sql->text = text;
        sql->capacity = capacity;
    }
    return true;
}

void sql_add(struct sql *sql, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n >= 0 && reserve(sql, (size_t)n)) {
        vsnprintf(sql->text + sql->n, (size_t)n + 1, fmt, again);
        sql->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

static void quote(struct sql *sql, const char *text, char mark)
{
    if (!reserve(sql, 2 * strlen(text) + 2))
        return;
    char *to = sql->text + sql->n;
    *to++ = mark;
    for (; *text; text++) {
        if (*text == mark)
            *to++ = mark;
        *to++ = *text;
    }
    *to++ = mark;
    *to = '\0';
    sql->n = (size_t)(to - sql->text);
}

void sql_identifier(struct sql *sql, const char *name)
{
    quote(sql, name, '"');
}

/* Sessions run with standard_conforming_strings, so a backslash is a backslash. */
void sql_literal(struct sql *sql, const char *text)
{
    quote(sql, text, '\'');
}

const char *sql_end(struct sql *sql, struct error *err)
{
    if (sql->failed || !sql->text) {
        error_set(err, ERROR_BUDGET, "no memory for a statement");
        return NULL;
    }
    return sql->text;
}
