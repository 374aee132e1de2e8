#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/result/open.h"

static int add_column(struct table *table, const char *name, struct error *err)
{
    struct table_column *columns =
        realloc(table->columns, (size_t)(table->n_columns + 1) * sizeof *columns);
    if (!columns)
        return error_set(err, ERROR_BUDGET, "no memory for the columns of a result");
    table->columns = columns;
    if (table_column_open(&columns[table->n_columns],
                          table->file,
                          name,
                          table->n_rows,
                          err)
        < 0)
        return -1;
    table->n_columns++;
    return 0;
}

static int
add_statistic(void *context, hid_t dataset, const char *name, struct error *err)
{
    (void)dataset;
    return add_column(context, name, err);
}

static int take_room(struct table *table, struct error *err)
{
    int64_t row_bytes = 0;
    for (int i = 0; i < table->n_columns; i++) {
        const struct table_column *column = &table->columns[i];
        if (column->width > TABLE_MOST_BYTES / column->value_bytes
            || (row_bytes += column->width * column->value_bytes) > TABLE_MOST_BYTES)
            return error_set(err,
                             ERROR_BUDGET,
                             "the statistics of a zone take more than 256 MiB, at %s",
                             column->name);
    }
    table->block_rows =
        row_bytes < TABLE_BLOCK_BYTES ? TABLE_BLOCK_BYTES / row_bytes : 1;
    if (table->block_rows > table->n_rows)
        table->block_rows = table->n_rows;
    for (int i = 0; i < table->n_columns; i++) {
        struct table_column *column = &table->columns[i];
        int64_t n = table->block_rows * column->width * column->value_bytes;
        column->values = malloc(n > 0 ? (size_t)n : 1);
        if (!column->values)
            return error_set(err, ERROR_BUDGET, "no memory for the rows of a result");
    }
    return 0;
}

static int count_rows(struct table *table, struct error *err)
{
    hsize_t n = 0;
    hid_t zone = H5Dopen2(table->file, "/zone", H5P_DEFAULT);
    hid_t space = zone < 0 ? H5I_INVALID_HID : H5Dget_space(zone);
    int status = -1;
    if (space < 0 || H5Sget_simple_extent_ndims(space) != 1
        || H5Sget_simple_extent_dims(space, &n, NULL) < 0 || n > INT64_MAX / 4096)
        h5_error(err, ERROR_FORMAT, "no zones in /zone");
    else
        status = 0;
    table->n_rows = (int64_t)n;
    h5_close(&space, H5Sclose);
    h5_close(&zone, H5Dclose);
    return status;
}

int table_open(struct table **table, const char *path, struct error *err)
{
    struct table *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, ERROR_BUDGET, "no memory for a result");
    made->file = result_open(path, NULL, err);
    if (made->file < 0) {
        table_close(made);
        return -1;
    }
    if (count_rows(made, err) < 0 || add_column(made, "zone", err) < 0
        || result_each_statistic(made->file, add_statistic, made, err) < 0
        || take_room(made, err) < 0) {
        table_close(made);
        return error_prefix(err, "%s", path);
    }
    if (made->columns[0].kind != CELL_TEXT || made->columns[0].width != 1) {
        table_close(made);
        return error_set(err, ERROR_FORMAT, "%s: /zone holds no ids", path);
    }
    *table = made;
    return 0;
}

void table_close(struct table *table)
{
    if (!table)
        return;
    for (int i = 0; i < table->n_columns; i++)
        table_column_close(&table->columns[i]);
    free(table->columns);
    h5_close(&table->file, H5Fclose);
    free(table);
}

static int
load_column(struct table_column *column, int64_t first, int64_t n, struct error *err)
{
    hsize_t start[] = { (hsize_t)first, 0 };
    hsize_t count[] = { (hsize_t)n, (hsize_t)column->width };
    hid_t in_file = H5Dget_space(column->dataset);
    hid_t in_memory = H5Screate_simple(2, count, NULL);
    int status = 0;
    if (in_file < 0 || in_memory < 0
        || H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL) < 0
        || H5Dread(column->dataset,
                   column->type,
                   in_memory,
                   in_file,
                   H5P_DEFAULT,
                   column->values)
               < 0)
        status = h5_error(err, ERROR_FORMAT, "%s cannot be read", column->name);
    h5_close(&in_memory, H5Sclose);
    h5_close(&in_file, H5Sclose);
    return status;
}

int table_load(struct table *table, int64_t first, struct error *err)
{
    int64_t left = table->n_rows - first;
    int64_t n = left < table->block_rows ? left : table->block_rows;
    table->n_in_memory = 0;
    for (int i = 0; i < table->n_columns; i++)
        if (table->columns[i].width > 0
            && load_column(&table->columns[i], first, n, err) < 0)
            return -1;
    table->first = first;
    table->n_in_memory = n;
    return 0;
}

struct cell table_cell(const struct table_column *column, int64_t row, int64_t i)
{
    const uint8_t *at =
        column->values + (row * column->width + i) * column->value_bytes;
    struct cell cell = { .kind = column->kind };
    if (column->kind == CELL_TEXT) {
        const char *text = (const char *)at;
        cell.text =
            (struct text){ text, (int64_t)strnlen(text, (size_t)column->value_bytes) };
    } else if (column->is_real) {
        double value;
        memcpy(&value, at, sizeof value);
        cell = cell_of_real(column->kind, value);
    } else {
        memcpy(&cell.integer, at, sizeof cell.integer);
        if (cell.integer == FILL_INTEGER && !column->is_scale)
            cell.kind = CELL_MISSING;
    }
    return cell;
}
