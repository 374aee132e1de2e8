/* Datasets of any length, read a block at a time. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/base/terms.h"

#include "info.h"

enum { BLOCK_BYTES = 256 * 1024 };

void info_put(FILE *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vfprintf(out, fmt, args);
    va_end(args);
}

char *info_text(hid_t object, const char *name, char text[INFO_TEXT_BYTES])
{
    char *value = h5_get_text(object, name, NULL);
    log_clean(text,
              INFO_TEXT_BYTES,
              value ? value : "",
              value ? (int)strlen(value) : 0);
    free(value);
    return text;
}

int64_t info_length(hid_t file, const char *path)
{
    struct h5_shape shape = { 0 };
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset >= 0) /* a dimension has a length, and no values */
        (void)h5_read_shape(dataset, &shape, NULL);
    h5_close(&dataset, H5Dclose);
    H5Eclear2(H5E_DEFAULT);
    return shape.n_rows;
}

/* Blocks of whole rows of a dataset, converted to `type`, one after the other. */
static int each_block(hid_t dataset,
                      hid_t type,
                      void (*block)(void *context, const void *values, int64_t n),
                      void *context,
                      struct error *err)
{
    struct h5_shape shape;
    int status = -1;
    if (h5_read_shape(dataset, &shape, err) < 0)
        return -1;
    if (shape.n_rows == 0 || shape.width == 0)
        return 0;
    int64_t row_bytes = shape.width * (int64_t)H5Tget_size(type);
    int64_t n_rows = row_bytes < BLOCK_BYTES ? BLOCK_BYTES / row_bytes : 1;
    uint8_t *values = malloc((size_t)(n_rows * row_bytes));
    hid_t in_file = H5Dget_space(dataset);
    for (int64_t first = 0; values && first < shape.n_rows; first += n_rows) {
        int64_t left = shape.n_rows - first;
        hsize_t start[] = { (hsize_t)first, 0 };
        hsize_t count[] = { (hsize_t)(left < n_rows ? left : n_rows),
                            (hsize_t)shape.width };
        hid_t in_memory = H5Screate_simple(2, count, NULL);
        herr_t done =
            H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL);
        if (done >= 0)
            done = H5Dread(dataset, type, in_memory, in_file, H5P_DEFAULT, values);
        h5_close(&in_memory, H5Sclose);
        if (done < 0) {
            h5_error(err, ERROR_FORMAT, "it cannot be read");
            goto out;
        }
        block(context, values, (int64_t)(count[0] * count[1]));
    }
    status = values ? 0 : error_set(err, ERROR_BUDGET, "no memory to read with");
out:
    h5_close(&in_file, H5Sclose);
    free(values);
    return status;
}

static void add_value(struct info_range *range, double value)
{
    if (range->n == 0 || value < range->least)
        range->least = value;
    if (range->n == 0 || value > range->greatest)
        range->greatest = value;
    range->sum += value;
    range->n++;
}

static void add_integers(void *context, const void *values, int64_t n)
{
    const int64_t *integers = values;
    for (int64_t i = 0; i < n; i++)
        if (integers[i] != FILL_INTEGER)
            add_value(context, (double)integers[i]);
}

static void add_reals(void *context, const void *values, int64_t n)
{
    const double *reals = values;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(reals[i]))
            add_value(context, reals[i]);
}

static int read_range(hid_t dataset, struct info_range *range, struct error *err)
{
    struct info_range found = { 0 };
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = H5Tget_class(type);
    int status = -1;
    h5_close(&type, H5Tclose);
    if (class == H5T_INTEGER)
        status = each_block(dataset, H5T_NATIVE_INT64, add_integers, &found, err);
    else if (class == H5T_FLOAT)
        status = each_block(dataset, H5T_NATIVE_DOUBLE, add_reals, &found, err);
    else
        error_set(err, ERROR_FORMAT, "it is not numeric");
    if (status == 0)
        *range = found;
    return status;
}

int info_range(hid_t file,
               const char *path,
               struct info_range *range,
               struct error *err)
{
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    int status = dataset < 0 ? h5_error(err, ERROR_FORMAT, "it is not there")
                             : read_range(dataset, range, err);
    h5_close(&dataset, H5Dclose);
    return status < 0 ? error_prefix(err, "%s", path) : 0;
}

struct texts {
    void (*row)(void *context, const char *text, int n);
    void *context;
    size_t width;
};

static void each_text(void *context, const void *values, int64_t n)
{
    const struct texts *texts = context;
    const char *text = values;
    for (int64_t i = 0; i < n; i++, text += texts->width)
        texts->row(texts->context, text, (int)strnlen(text, texts->width));
}

int info_texts(hid_t file,
               const char *path,
               void (*row)(void *context, const char *text, int n),
               void *context,
               struct error *err)
{
    int status = -1;
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    hid_t type = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    if (type < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0) {
        h5_error(err, ERROR_FORMAT, "it has no texts");
    } else {
        struct texts texts = { row, context, H5Tget_size(type) };
        status = each_block(dataset, type, each_text, &texts, err);
    }
    h5_close(&type, H5Tclose);
    h5_close(&dataset, H5Dclose);
    return status < 0 ? error_prefix(err, "%s", path) : 0;
}
