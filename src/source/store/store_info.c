#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "rooftally/base/log.h"
#include "rooftally/geometry/measure.h"
#include "rooftally/h5/h5.h"

#include "store_format.h"

enum { LINE = 400 };

bool store_is_one(const char *path)
{
    h5_silence();
    struct stat there;
    if (stat(path, &there) != 0 || !S_ISREG(there.st_mode))
        return false; /* a pipe would wait for a writer */
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        H5Eclear2(H5E_DEFAULT);
        return false;
    }
    char *format = h5_get_text(file, "format", NULL);
    bool is_store = format && strcmp(format, "rooftally store") == 0;
    free(format);
    h5_close(&file, H5Fclose);
    return is_store;
}

/* What comes from the file never reaches a terminal raw. */
static void put_line(const char *line, FILE *out)
{
    char clean[LINE];
    log_clean(clean, LINE - 1, line, (int)strlen(line));
    fputs(clean, out);
    fputs("\n", out);
}

/* An end of a range, as its field is kept. */
union end {
    int64_t integer;
    double real;
};

/* What all blocks say of a field of the buildings. */
struct range {
    bool has_ends; /* false: no value, or none is kept */
    union end least, greatest;
    int64_t n_null;
};

enum { CHUNK = 512 };

/* NaN is the greatest, as in a block. */
static bool is_less(enum value_type type, union end a, union end b)
{
    if (type != TYPE_REAL)
        return a.integer < b.integer;
    return a.real < b.real || (isnan(b.real) && !isnan(a.real));
}

/* What one block's words say; a block without a value has least above greatest. */
static void
widen(struct range *range, enum value_type type, union end least, union end greatest)
{
    if (is_less(type, greatest, least))
        return;
    if (!range->has_ends || is_less(type, least, range->least))
        range->least = least;
    if (!range->has_ends || is_less(type, range->greatest, greatest))
        range->greatest = greatest;
    range->has_ends = true;
}

static int read_range(const struct store *store,
                      const struct store_column *column,
                      struct range *range,
                      struct error *err)
{
    int64_t nulls[CHUNK];
    union end least[CHUNK], greatest[CHUNK];
    *range = (struct range){ .has_ends = false };
    for (int64_t at = 0; at < store->n_blocks; at += CHUNK) {
        int64_t n = store->n_blocks - at < CHUNK ? store->n_blocks - at : CHUNK;
        bool has_ends = column->min_at >= 0;
        if (store_read(store, column->nulls_at + 8 * at, nulls, 8 * n, err)
            || (has_ends
                && (store_read(store, column->min_at + 8 * at, least, 8 * n, err)
                    || store_read(store,
                                  column->max_at + 8 * at,
                                  greatest,
                                  8 * n,
                                  err))))
            return -1;
        for (int64_t i = 0; i < n; i++) {
            if (nulls[i] < 0 || nulls[i] > store->block_rows)
                return store_damaged(err, "nulls of block %lld", (long long)(at + i));
            range->n_null += nulls[i];
            if (has_ends)
                widen(range, column->type, least[i], greatest[i]);
        }
    }
    return 0;
}

/* False where no calendar has it. */
static bool put_time(char *text, size_t n_text, enum value_type type, int64_t value)
{
    const int64_t day_s = 86400, s_us = 1000000;
    struct tm tm;
    if (type == TYPE_DATE && (value > INT64_MAX / day_s || value < INT64_MIN / day_s))
        return false;
    time_t at = type == TYPE_DATE ? value * day_s : value / s_us - (value % s_us < 0);
    return gmtime_r(&at, &tm)
           && strftime(text, n_text, type == TYPE_DATE ? "%F" : "%F %T", &tm) > 0;
}

/* A date or a timestamp as one writes it, any other value as a number. */
static void put_end(char *text, size_t n_text, enum value_type type, union end end)
{
    bool is_time = type == TYPE_DATE || type == TYPE_TIMESTAMP;
    if (type == TYPE_REAL)
        snprintf(text, n_text, isnan(end.real) ? "nan" : "%.10g", end.real);
    else if (is_time && (end.integer == INT64_MAX || end.integer == INT64_MIN))
        snprintf(text, n_text, end.integer > 0 ? "infinity" : "-infinity");
    else if (!is_time || !put_time(text, n_text, type, end.integer))
        snprintf(text, n_text, "%" PRId64, end.integer);
}

static int put_range(const struct store *store,
                     const struct store_column *column,
                     char *text,
                     size_t n_text,
                     struct error *err)
{
    struct range range;
    char least[40], greatest[40], values[100] = "", nulls[40] = "";
    if (read_range(store, column, &range, err))
        return -1;
    put_end(least, sizeof least, column->type, range.least);
    put_end(greatest, sizeof greatest, column->type, range.greatest);
    if (range.has_ends && column->type != TYPE_BOOLEAN)
        snprintf(values, sizeof values, ", %s to %s", least, greatest);
    if (range.n_null > 0)
        snprintf(nulls, sizeof nulls, ", %" PRId64 " null", range.n_null);
    snprintf(text, n_text, "%s%s", values, nulls);
    return 0;
}

/* Only fields of buildings have ranges. */
static int put_field(const struct store *store,
                     const struct store_column *column,
                     FILE *out,
                     struct error *err)
{
    char line[LINE], words[40] = "", range[160] = "";
    if (column->layout == STORE_WORDS)
        snprintf(words, sizeof words, ", %" PRId64 " words", column->n_words);
    if (column->nulls_at < 0)
        snprintf(range, sizeof range, "%s", column->valid_at >= 0 ? ", some null" : "");
    else if (put_range(store, column, range, sizeof range, err))
        return -1;
    snprintf(line,
             sizeof line,
             "    %-20s %s%s%s",
             column->name,
             value_type_word(column->type),
             words,
             range);
    put_line(line, out);
    return 0;
}

static void put_where(const struct store_table *table, const char *where, FILE *out)
{
    char line[LINE];
    if (!where)
        return;
    snprintf(line, sizeof line, "  staged      [%s] where = %s", table->name, where);
    put_line(line, out);
}

static int put_table(const struct store *store,
                     const struct store_table *table,
                     FILE *out,
                     struct error *err)
{
    char line[LINE], size[24];
    snprintf(line,
             sizeof line,
             "  %-11s %" PRId64 ", %s of geometry",
             table->name,
             table->n,
             memory_size_text(size, table->n_wkb));
    put_line(line, out);
    snprintf(line,
             sizeof line,
             "    %-20s %s, the id",
             table->id_name,
             value_type_word(table->id_type));
    put_line(line, out);
    for (int i = 0; i < table->n_columns; i++)
        if (put_field(store, &table->columns[i], out, err))
            return -1;
    return 0;
}

/* The box around all blocks; empty without any. */
static int read_extent(const struct store *store, struct box *extent, struct error *err)
{
    double sides[4 * CHUNK];
    struct box boxes[CHUNK];
    *extent = (struct box){ INFINITY, INFINITY, -INFINITY, -INFINITY };
    for (int64_t at = 0; at < store->n_blocks; at += CHUNK) {
        int64_t n = store->n_blocks - at < CHUNK ? store->n_blocks - at : CHUNK;
        if (store_read_boxes(store, store->block_box_at, at, n, sides, boxes, err))
            return -1;
        for (int64_t i = 0; i < n; i++)
            *extent = (struct box){ fmin(extent->xmin, boxes[i].xmin),
                                    fmin(extent->ymin, boxes[i].ymin),
                                    fmax(extent->xmax, boxes[i].xmax),
                                    fmax(extent->ymax, boxes[i].ymax) };
    }
    return 0;
}

static int put_place(const struct store *store, FILE *out, struct error *err)
{
    char line[LINE];
    struct crs crs;
    struct box extent;
    if (crs_read(&crs, store->crs, err) || read_extent(store, &extent, err))
        return -1;
    const char *kind = crs.geographic ? "longitude and latitude"
                       : *store->crs  ? "a projection"
                                      : "a plane in metres";
    snprintf(line,
             sizeof line,
             "  crs         %.80s (SRID %d), %s",
             crs.name,
             (int)store->srid,
             kind);
    put_line(line, out);
    if (box_is_empty(&extent))
        return 0;
    snprintf(line,
             sizeof line,
             "  extent      %.9g to %.9g, %.9g to %.9g",
             extent.xmin,
             extent.xmax,
             extent.ymin,
             extent.ymax);
    put_line(line, out);
    return 0;
}

static int put_head(const struct store *store, FILE *out, struct error *err)
{
    char line[LINE], size[24];
    snprintf(line, sizeof line, "store of %.300s", store->origin);
    put_line(line, out);
    snprintf(line,
             sizeof line,
             "  size        %s, version %d",
             memory_size_text(size, store->n_bytes),
             STORE_VERSION);
    put_line(line, out);
    if (put_place(store, out, err))
        return -1;
    snprintf(line,
             sizeof line,
             "  blocks      %" PRId64 " of %" PRId64 " rows along a Hilbert curve",
             store->n_blocks,
             store->block_rows);
    put_line(line, out);
    put_where(&store->zones, store->zones_where, out);
    put_where(&store->buildings, store->buildings_where, out);
    return 0;
}

int store_info(const char *path, FILE *out, struct error *err)
{
    struct store *store;
    if (store_open(&store, path, false, err))
        return -1;
    int status = put_head(store, out, err) || put_table(store, &store->zones, out, err)
                         || put_table(store, &store->buildings, out, err)
                     ? -1
                     : 0;
    store_close(store);
    return status;
}
