/* A dataset of the root as a column, and the names of its values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

enum { MOST_KEY_BYTES = 64 << 20 };

static int read_type(struct table_column *column, struct error *err)
{
    hid_t type = H5Dget_type(column->dataset);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    column->value_bytes = 8;
    if (class == H5T_INTEGER) {
        column->kind = cell_kind_of(column->dataset, CELL_INTEGER);
        column->type = H5Tcopy(H5T_NATIVE_INT64);
    } else if (class == H5T_FLOAT) {
        column->kind = cell_kind_of(column->dataset, CELL_REAL);
        column->is_real = true;
        column->type = H5Tcopy(H5T_NATIVE_DOUBLE);
    } else if (class == H5T_STRING && H5Tis_variable_str(type) == 0) {
        column->kind = CELL_TEXT;
        column->type = type;
        column->value_bytes = (int64_t)H5Tget_size(type);
        return 0;
    }
    h5_close(&type, H5Tclose);
    if (column->type < 0 || column->value_bytes < 1)
        return h5_error(err, ERROR_FORMAT, "its type is not one of a result");
    return 0;
}

static int open_dataset(struct table_column *column,
                        hid_t file,
                        const char *name,
                        struct error *err)
{
    *column = (struct table_column){ .dataset = H5Dopen2(file, name, H5P_DEFAULT),
                                     .type = H5I_INVALID_HID };
    if (column->dataset < 0)
        return h5_error(err, ERROR_FORMAT, "no dataset %s", name);
    return read_type(column, err);
}

static int put_key(struct table_column *column, int64_t i, const char *text, size_t n)
{
    column->keys[i] = strndup(text, n);
    return column->keys[i] ? 0 : -1;
}

static void
number_to_key(const struct table_column *scale, int64_t i, char key[CELL_TEXT_BYTES])
{
    struct cell cell = table_cell(scale, i, 0);
    if (cell.kind == CELL_MISSING)
        snprintf(key, CELL_TEXT_BYTES, "nan");
    else
        cell_to_text(&cell, key);
}

/* A category, or a bin by its edges: "house", "0..5". */
static int make_key(struct table_column *column,
                    int64_t i,
                    const struct table_column *scale,
                    bool edges)
{
    char low[CELL_TEXT_BYTES], high[CELL_TEXT_BYTES], both[2 * CELL_TEXT_BYTES + 2];
    struct cell cell = table_cell(scale, i, 0);
    if (cell.kind == CELL_TEXT && !edges)
        return put_key(column, i, cell.text.bytes, (size_t)cell.text.n);
    number_to_key(scale, i, low);
    if (!edges)
        return put_key(column, i, low, strlen(low));
    number_to_key(scale, i + 1, high);
    snprintf(both, sizeof both, "%s..%s", low, high);
    return put_key(column, i, both, strlen(both));
}

/* Load all n values of a scale, or of another dataset of one axis. */
static int load_scale(struct table_column *scale, int64_t n, struct error *err)
{
    struct h5_shape shape;
    if (h5_read_shape(scale->dataset, &shape, err) < 0)
        return -1;
    if (shape.n_rows != n || shape.n_axes != 1)
        return error_set(err, ERROR_FORMAT, "its length does not fit");
    if (n > TABLE_MOST_BYTES / scale->value_bytes)
        return error_set(err, ERROR_BUDGET, "it takes more than 256 MiB");
    scale->width = 1;
    scale->values = malloc((size_t)(n * scale->value_bytes) + 1);
    if (!scale->values)
        return error_set(err, ERROR_BUDGET, "no memory for its values");
    if (n > 0
        && H5Dread(scale->dataset,
                   scale->type,
                   H5S_ALL,
                   H5S_ALL,
                   H5P_DEFAULT,
                   scale->values)
               < 0)
        return h5_error(err, ERROR_FORMAT, "it cannot be read");
    return 0;
}

/* Keys out of a scale: categories, or the edges of bins, of which there is one more. */
static int read_keys(struct table_column *column,
                     hid_t file,
                     const char *scale_name,
                     bool edges,
                     struct error *err)
{
    struct table_column scale;
    int status = open_dataset(&scale, file, scale_name, err);
    scale.is_scale = true;
    if (status == 0)
        status = load_scale(&scale, column->width + edges, err);
    if (status < 0)
        error_prefix(err, "/%.80s", scale_name);
    for (int64_t i = 0; i < column->width && status == 0; i++)
        if (make_key(column, i, &scale, edges) < 0)
            status = error_set(err, ERROR_BUDGET, "no memory for the names of columns");
    table_column_close(&scale);
    return status;
}

/* Places from the top, from 1. */
static int number_keys(struct table_column *column, struct error *err)
{
    for (int64_t i = 0; i < column->width; i++) {
        char text[CELL_TEXT_BYTES];
        snprintf(text, sizeof text, "%lld", (long long)i + 1);
        if (put_key(column, i, text, strlen(text)) < 0)
            return error_set(err, ERROR_BUDGET, "no memory for the names of columns");
    }
    return 0;
}

static int name_values(struct table_column *column, hid_t file, struct error *err)
{
    char edges[sizeof column->name + 16], categories[sizeof column->name + 16];
    if (column->width > MOST_KEY_BYTES / 8)
        return error_set(err,
                         ERROR_BUDGET,
                         "it has %lld values a zone",
                         (long long)column->width);
    column->keys = calloc((size_t)column->width + 1, sizeof *column->keys);
    if (!column->keys)
        return error_set(err, ERROR_BUDGET, "no memory for the names of columns");
    snprintf(edges, sizeof edges, "%s_edges", column->name);
    snprintf(categories, sizeof categories, "%s_category", column->name);
    if (h5_has(file, edges))
        return read_keys(column, file, edges, true, err);
    if (h5_has(file, categories))
        return read_keys(column, file, categories, false, err);
    return number_keys(column, err);
}

static int
read_dataset(struct table_column *column, hid_t file, int64_t rows, struct error *err)
{
    struct h5_shape shape;
    if (h5_read_shape(column->dataset, &shape, err) < 0)
        return -1;
    if (shape.n_rows != rows)
        return error_set(err,
                         ERROR_FORMAT,
                         "it has %lld rows, there are %lld zones",
                         (long long)shape.n_rows,
                         (long long)rows);
    column->width = shape.width;
    return shape.n_axes == 2 ? name_values(column, file, err) : 0;
}

int table_column_open(struct table_column *column,
                      hid_t file,
                      const char *name,
                      int64_t rows,
                      struct error *err)
{
    struct table_column made;
    int status = open_dataset(&made, file, name, err);
    if (status == 0 && strlen(name) >= sizeof made.name)
        status = error_set(err, ERROR_FORMAT, "its name is too long");
    if (status == 0) {
        strcpy(made.name, name);
        status = read_dataset(&made, file, rows, err);
    }
    if (status < 0) {
        table_column_close(&made);
        return error_prefix(err, "/%.80s", name);
    }
    *column = made;
    return 0;
}

int table_whole(struct table_column *column,
                hid_t file,
                const char *name,
                int64_t *n,
                struct error *err)
{
    struct h5_shape shape;
    int status = open_dataset(column, file, name, err);
    if (status == 0)
        status = h5_read_shape(column->dataset, &shape, err);
    if (status == 0)
        status = load_scale(column, shape.n_rows, err);
    if (status < 0)
        return error_prefix(err, "/%.80s", name);
    *n = shape.n_rows;
    return 0;
}

double table_number(const struct table_column *column, int64_t row)
{
    if (column->is_real) {
        double value;
        memcpy(&value,
               column->values + row * column->width * column->value_bytes,
               sizeof value);
        return value;
    }
    struct cell cell = table_cell(column, row, 0);
    return cell.kind == CELL_MISSING || cell.kind == CELL_TEXT ? NAN
                                                               : (double)cell.integer;
}

void table_column_close(struct table_column *column)
{
    for (int64_t i = 0; column->keys && i < column->width; i++)
        free(column->keys[i]);
    free(column->keys);
    free(column->values);
    h5_close(&column->type, H5Tclose);
    h5_close(&column->dataset, H5Dclose);
    *column =
        (struct table_column){ .dataset = H5I_INVALID_HID, .type = H5I_INVALID_HID };
}
