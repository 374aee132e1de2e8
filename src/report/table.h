/*
 * A result as a table: a row is a zone, a column a statistic of one or several values. A
 * block of rows is in memory at a time.
 */
#ifndef ROOFTALLY_REPORT_TABLE_H
#define ROOFTALLY_REPORT_TABLE_H

#include <stdint.h>

#include "rooftally/base/terms.h"
#include "rooftally/h5/h5.h"
#include "rooftally/result/cell.h"

struct table_column {
    char name[NAME_BYTES + 24];
    enum cell_kind kind; /* of its values that are there */
    bool is_real;        /* they are doubles in memory, dates and timestamps as well */
    bool is_scale;       /* of another column's values: none is missing */
    int64_t width;       /* values a zone */
    char **keys;         /* [width]: what each value is of; NULL for a single value */
    int64_t value_bytes; /* in memory */
    hid_t dataset, type; /* type in memory */
    uint8_t *values;     /* of the rows in memory */
};

struct table {
    hid_t file;
    int64_t n_rows;
    struct table_column *columns; /* the first one is the zones' ids, "zone" */
    int n_columns;
    int64_t block_rows;         /* rows that fit */
    int64_t first, n_in_memory; /* rows in memory */
};

enum { TABLE_BLOCK_BYTES = 8 << 20, TABLE_MOST_BYTES = 256 << 20 };

/* Open and find the columns. Returns 0, or -1 with ERROR_IO, ERROR_FORMAT (no result, a
 * dataset that is not what a result has) or ERROR_BUDGET (a row takes too much). */
int table_open(struct table **table, const char *path, struct error *err);
void table_close(struct table *table); /* NULL is silent */

/* Load the block that begins with row `first`. */
int table_load(struct table *table, int64_t first, struct error *err);

/* Value i of a column in a row that is in memory. */
struct cell table_cell(const struct table_column *column, int64_t row, int64_t i);

/* table_column.c: make a column of a dataset of the root; 0 with *column, or -1. `rows` is
 * how many it must have. */
int table_column_open(struct table_column *column,
                      hid_t file,
                      const char *name,
                      int64_t rows,
                      struct error *err);
void table_column_close(struct table_column *column);

/*
 * A dataset of one axis, all of it in memory: table_cell(column, row, 0).
 *
 * Owner    close the column, after a failure as well
 * Returns  0 with *n rows, or -1 with ERROR_FORMAT (not there, of another shape) or
 *          ERROR_BUDGET (more than 256 MiB)
 */
int table_whole(struct table_column *column,
                hid_t file,
                const char *name,
                int64_t *n,
                struct error *err);
/* A number of it, of dates and timestamps the days or microseconds; NaN where it is missing or a text. */
double table_number(const struct table_column *column, int64_t row);

#endif
