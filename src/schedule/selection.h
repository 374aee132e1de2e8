/*
 * The buildings selected in one zone: ids and kept fields, gathered batch by batch and
 * put in the order of ids at the end.
 */
#ifndef ROOFTALLY_SCHEDULE_SELECTION_H
#define ROOFTALLY_SCHEDULE_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/chain.h"
#include "rooftally/job/binding.h"
#include "rooftally/source/batch.h"

/* One column that grows. */
struct growing_column {
    enum value_type type;
    struct chain values; /* int64, double or struct text */
    struct chain valid;  /* uint8 */
};

struct selection {
    const struct binding *binding;
    struct memory *memory;
    struct growing_column id;
    struct growing_column keep[BINDING_MAX_SLOTS]; /* unused where keep is the id */
};

void growing_init(struct growing_column *column,
                  enum value_type type,
                  enum memory_owner owner);

/* Append the listed rows; texts are copied. ERROR_BUDGET. */
int growing_add(struct growing_column *column,
                const struct column *from,
                const int32_t *rows,
                int32_t n_rows,
                struct memory *memory,
                struct error *err);

/* Lay the values out one after the other, in the given order (NULL: as added). */
int growing_end(const struct growing_column *column,
                const int32_t *order,
                struct column *out,
                struct memory *memory,
                struct error *err);

/* The order that sorts an id column: integers by value, texts bytewise; whether any comes
 * twice. */
int growing_order(const struct growing_column *id,
                  int32_t **order,
                  bool *ties,
                  struct memory *memory,
                  struct error *err);

/*
 * Put the rows of every id that comes more than once in the order of the columns' values,
 * of the first column first, nulls last; ids are sorted already.
 *
 * id, columns  [n] rows, laid out; the columns are changed
 * Returns      0, or -1 with ERROR_BUDGET
 */
int selection_settle(const struct column *id,
                     int64_t n,
                     const struct column *columns,
                     int n_columns,
                     struct memory *memory,
                     struct error *err);

void selection_init(struct selection *selection,
                    const struct binding *binding,
                    struct memory *memory);
int selection_add(struct selection *selection,
                  const struct batch *batch,
                  const int32_t *rows,
                  int32_t n_rows,
                  struct error *err);
/* keep[binding->n_keep], sorted by id, and the rows of one id by what else is kept. */
int selection_end(struct selection *selection, struct column *keep, struct error *err);

#endif
