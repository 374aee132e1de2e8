/* A statement in the making: text that grows on the heap. */
#ifndef ROOFTALLY_SOURCE_SQL_H
#define ROOFTALLY_SOURCE_SQL_H

#include <stdbool.h>
#include <stddef.h>

#include "rooftally/base/error.h"

struct sql {
    char *text; /* NULL while empty */
    size_t n, capacity;
    bool failed; /* the heap gave no more: sql_end says so */
};

void sql_reset(struct sql *sql);
void sql_release(struct sql *sql);
void sql_add(struct sql *sql, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sql_identifier(struct sql *sql, const char *name); /* "na""me" */
void sql_literal(struct sql *sql, const char *text);    /* 'te''xt' */

/* The finished text, or NULL with ERROR_BUDGET. */
const char *sql_end(struct sql *sql, struct error *err);

#endif
