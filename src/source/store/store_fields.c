#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_open.h"

enum { PATH_BYTES = NAME_BYTES + 40 };

/* The texts of a field: n offsets or, with n < 0, any number of words. */
static int place_texts(const struct store_opening *opening,
                       const struct store_table *table,
                       struct store_column *column,
                       struct error *err)
{
    char path[PATH_BYTES];
    struct h5_extent extent;
    snprintf(path, sizeof path, "/texts/%s/%s/text", table->name, column->dataset);
    if (store_place(opening, path, H5T_STD_U8LE, -1, &extent, err))
        return -1;
    column->text_at = extent.at;
    column->n_text = extent.n;
    if (column->layout != STORE_WORDS)
        return 0;
    snprintf(path, sizeof path, "/texts/%s/%s/offset", table->name, column->dataset);
    if (store_place(opening, path, H5T_STD_I64LE, -1, &extent, err))
        return -1;
    column->words_at = extent.at;
    column->n_words = extent.n - 1;
    if (extent.n < 1 || column->n_words > STORE_MOST_WORDS
        || column->n_text > STORE_WORDS_BYTES)
        return error_set(err, ERROR_FORMAT, "dataset %s: too many words", path);
    return 0;
}

/* The field's own name, where the file calls it something else. */
static int read_name(hid_t dataset, struct store_column *column, struct error *err)
{
    strcpy(column->name, column->dataset);
    htri_t renamed = H5Aexists(dataset, "name");
    if (renamed == 0)
        return 0;
    char *name = renamed > 0 ? h5_get_text(dataset, "name", err) : NULL;
    bool fits = name && *name && strlen(name) < NAME_BYTES;
    if (fits)
        strcpy(column->name, name);
    free(name);
    return fits ? 0 : error_set(err, ERROR_FORMAT, "its name");
}

static int read_about(const struct store_opening *opening,
                      const char *path,
                      struct store_column *column,
                      struct error *err)
{
    hid_t dataset = H5Dopen2(opening->file, path, H5P_DEFAULT);
    if (dataset < 0)
        return h5_error(err, ERROR_FORMAT, "no dataset %s", path);
    int status = read_name(dataset, column, err);
    if (status)
        error_prefix(err, "dataset %s", path);
    char *word = status ? NULL : h5_get_text(dataset, "type", err);
    column->type = word ? store_type_of(word) : TYPE_NULL;
    free(word);
    column->computed = H5Aexists(dataset, "computed") > 0;
    h5_close(&dataset, H5Dclose);
    if (status == 0 && column->type == TYPE_NULL)
        return error_set(err, ERROR_FORMAT, "dataset %s has no known type", path);
    return status;
}

static int place_column(const struct store_opening *opening,
                        const struct store_table *table,
                        struct store_column *column,
                        struct error *err)
{
    char path[PATH_BYTES];
    struct h5_extent extent;
    bool text, words = false;
    snprintf(path, sizeof path, "/%s/%s", table->name, column->dataset);
    if (read_about(opening, path, column, err))
        return -1;
    text = column->type == TYPE_TEXT;
    if (text)
        words = h5_locate(opening->file, path, H5T_STD_U16LE, &extent, NULL) == 0;
    column->layout = words ? STORE_WORDS : text ? STORE_OFFSETS : STORE_VALUES;
    if (store_place(opening,
                    path,
                    words                       ? H5T_STD_U16LE
                    : column->type == TYPE_REAL ? H5T_IEEE_F64LE
                                                : H5T_STD_I64LE,
                    table->n + (column->layout == STORE_OFFSETS),
                    &extent,
                    err))
        return -1;
    column->at = extent.at;
    if (text && place_texts(opening, table, column, err))
        return -1;
    snprintf(path, sizeof path, "/valid/%s", table->name);
    column->valid_at = column->min_at = column->max_at = column->nulls_at = -1;
    hid_t group = H5Gopen2(opening->file, path, H5P_DEFAULT);
    if (group < 0)
        return h5_error(err, ERROR_FORMAT, "no group %s", path);
    bool has_nulls = h5_has(group, column->dataset);
    h5_close(&group, H5Gclose);
    if (!has_nulls)
        return 0;
    snprintf(path, sizeof path, "/valid/%s/%s", table->name, column->dataset);
    if (store_place(opening, path, H5T_STD_U8LE, table->n, &extent, err))
        return -1;
    column->valid_at = extent.at;
    return 0;
}

/* The name of link i of a group, in the order they were made; 0, or -1. */
static int link_name(hid_t group, hsize_t i, char name[NAME_BYTES], struct error *err)
{
    ssize_t n = H5Lget_name_by_idx(group,
                                   ".",
                                   H5_INDEX_CRT_ORDER,
                                   H5_ITER_INC,
                                   i,
                                   name,
                                   NAME_BYTES,
                                   H5P_DEFAULT);
    if (n < 0)
        return h5_error(err, ERROR_FORMAT, "a group's order cannot be read");
    if (n == 0 || n >= NAME_BYTES)
        return error_set(err, ERROR_FORMAT, "a field's name is too long");
    return 0;
}

static int list_columns(const struct store_opening *opening,
                        hid_t group,
                        struct store_table *table,
                        struct error *err)
{
    H5G_info_t info;
    char name[NAME_BYTES];
    if (H5Gget_info(group, &info) < 0)
        return h5_error(err, ERROR_FORMAT, "group /%s", table->name);
    if (info.nlinks > STORE_MOST_FIELDS + 16)
        return error_set(err,
                         ERROR_FORMAT,
                         "group /%s has too many fields",
                         table->name);
    table->columns = calloc((size_t)info.nlinks + 1, sizeof *table->columns);
    if (!table->columns)
        return error_set(err, ERROR_BUDGET, "no memory for a store");
    for (hsize_t i = 0; i < info.nlinks; i++) {
        if (link_name(group, i, name, err))
            return -1;
        if (store_is_reserved(name))
            continue;
        struct store_column *column = &table->columns[table->n_columns++];
        strcpy(column->dataset, name);
        if (place_column(opening, table, column, err))
            return -1;
    }
    return 0;
}

int store_place_columns(const struct store_opening *opening,
                        struct store_table *table,
                        struct error *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/%s", table->name);
    hid_t group = H5Gopen2(opening->file, path, H5P_DEFAULT);
    if (group < 0)
        return h5_error(err, ERROR_FORMAT, "no group %s", path);
    int status = list_columns(opening, group, table, err);
    h5_close(&group, H5Gclose);
    return status;
}

static int place_range(const struct store_opening *opening,
                       const struct store_column *column,
                       const char *end,
                       hid_t type,
                       int64_t *at,
                       struct error *err)
{
    char path[PATH_BYTES];
    struct h5_extent extent;
    snprintf(path, sizeof path, "/blocks/%s_%s", column->dataset, end);
    if (store_place(opening, path, type, opening->store->n_blocks, &extent, err))
        return -1;
    *at = extent.at;
    return 0;
}

int store_place_ranges(const struct store_opening *opening, struct error *err)
{
    struct store_table *table = &opening->store->buildings;
    for (int i = 0; i < table->n_columns; i++) {
        struct store_column *column = &table->columns[i];
        hid_t type = column->type == TYPE_REAL ? H5T_IEEE_F64LE : H5T_STD_I64LE;
        if (place_range(opening,
                        column,
                        "nulls",
                        H5T_STD_I64LE,
                        &column->nulls_at,
                        err))
            return -1;
        if (column->type == TYPE_TEXT)
            continue;
        if (place_range(opening, column, "min", type, &column->min_at, err)
            || place_range(opening, column, "max", type, &column->max_at, err))
            return -1;
    }
    return 0;
}
