/*
 * The one expression language: a subset of SQL, for filters and computed fields.
 *
 *   or < and < not < comparison (= <> != < <= > >= is [not] null, [not] between,
 *   [not] in, [not] like) < + - < * / % < unary - < case, function, ( ), name, literal
 *
 * Meaning  as PostgreSQL's on boolean, bigint, double precision, text COLLATE "C", date
 *          and timestamp: integer / integer truncates; real % is refused; division by
 *          zero is null; round, floor and ceil give reals, round half to even; NaN
 *          equals NaN and is greater than every number; least, greatest and coalesce
 *          skip nulls; three-valued logic. A string literal beside a date or timestamp
 *          is one. Overflow is an error, ERROR_DATA, in every source.
 * Names    bare, or "quoted"; which one is meant says rooftally/job/spelling.h
 */
#ifndef ROOFTALLY_JOB_EXPRESSION_H
#define ROOFTALLY_JOB_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"

struct expression; /* a tree on the heap */

/*
 * Parse the whole of `text`.
 *
 * Returns  0, or -1 with ERROR_USAGE "column 8: expected a value, found 'and'"
 */
int expression_parse(struct expression **expression,
                     const char *text,
                     struct error *err);
void expression_free(struct expression *expression);
int expression_copy(struct expression **copy,
                    const struct expression *expression,
                    struct error *err);

/* What a name stands for. */
struct name_binding {
    int slot; /* column index at evaluation; -1 while unknown */
    enum value_type type;
    const char *sql;               /* how the source spells it as a value of `type`:
                                      "b.\"height\"::float8"; NULL: not in the source */
    struct expression *definition; /* not NULL: what this name stands for, checked with
                                      the same slots; a copy goes in its place where
                                      the source has no sql for it */
};

/*
 * Resolve every name through `lookup` and check types; settles literals' types and
 * substitutes definitions; computes constant parts (one that overflows is an error).
 * Once per expression; after a failure it can only be freed.
 *
 * lookup   is given a name as it is written, in its quotes; returns 0 and fills *binding,
 *          or -1 with ERROR_USAGE (unknown name, with the nearest known one)
 * Returns  0 with *type, or -1 with ERROR_USAGE "height > 'tall': a number and a text
 *            cannot be compared"
 */
int expression_check(struct expression *expression,
                     int (*lookup)(void *context,
                                   const char *name,
                                   struct name_binding *binding,
                                   struct error *err),
                     void *context,
                     enum value_type *type,
                     struct error *err);

enum value_type expression_type(const struct expression *expression);

/* Whether every name of a checked expression has an SQL spelling. */
bool expression_is_sql(const struct expression *expression);

/*
 * Split a checked boolean at its top-level ANDs: the part the source can do (NULL when
 * none) and the rest (NULL when none). Consumes `expression`.
 *
 * late  by slots: what the source has not; NULL: it can do what has an SQL spelling
 */
int expression_split(struct expression *expression,
                     const uint8_t *late,
                     struct expression **in_source,
                     struct expression **local,
                     struct error *err);

/* Slot s of a checked expression becomes map[s]. */
void expression_renumber(struct expression *expression, const int *map);

/* Write a checked expression as PostgreSQL, fully parenthesised, identifiers and
 * literals quoted; *sql is on the heap, owned by the caller. */
int expression_sql(const struct expression *expression, char **sql, struct error *err);

/* Every slot that a checked expression reads, added to used[0 .. n_slots). */
void expression_slots(const struct expression *expression, uint8_t *used, int n_slots);

/* What a checked boolean that is true says of a slot: its value is not null, and lies in
 * [least, greatest] as doubles; NaN lies in those without a finite end above. */
struct expression_bound {
    int slot;
    double least, greatest;
};

/*
 * The bounds that a condition opens with: comparisons of a number, date or timestamp with
 * literals, joined by AND, up to the first part of another kind, so that rows left out by
 * them are rows whose other parts are never evaluated, and cannot overflow.
 *
 * Returns  how many, at most n_most
 */
int expression_bounds(const struct expression *expression,
                      struct expression_bound *bounds,
                      int n_most);

/*
 * Evaluate a checked expression for the rows listed.
 *
 * Shape    out->valid and values hold capacity rows; row r of the columns gives row r
 *          of out (only the listed rows are written)
 * Memory   temporaries from `memory`, rewound before return, except texts made here
 *          (none: every text result is borrowed from a column or literal)
 * Returns  0, or -1 with ERROR_DATA (overflow, names the operation) or ERROR_BUDGET
 */
int expression_evaluate(const struct expression *expression,
                        const struct column *columns,
                        const int32_t *rows,
                        int32_t n_rows,
                        int64_t capacity,
                        struct column *out,
                        struct memory *memory,
                        struct error *err);

/*
 * Keep the rows listed for which a checked boolean is true, in their order.
 *
 * Shape    columns as for expression_evaluate; rows[n_rows] is overwritten
 * Returns  how many are left, or -1 as expression_evaluate
 */
int32_t expression_select(const struct expression *expression,
                          const struct column *columns,
                          int32_t *rows,
                          int32_t n_rows,
                          int64_t capacity,
                          struct memory *memory,
                          struct error *err);

#endif
