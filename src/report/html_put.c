#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/count.h"
#include "rooftally/base/utf8.h"

#include "html.h"

void html_put(FILE *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vfprintf(out, fmt, args);
    va_end(args);
}

static const char *entity_of(char c)
{
    return c == '<'    ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '&'  ? "&amp;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
}

static void put(struct text text, bool with_lines, FILE *out)
{
    for (int64_t i = 0; i < text.n;) {
        const char *at = text.bytes + i;
        uint32_t code;
        int n = utf8_read(at, (size_t)(text.n - i), &code);
        bool is_line = with_lines && n == 1 && (*at == '\n' || *at == '\t');
        if (n == 0 || (!is_line && utf8_is_harmful(code)))
            fputs("\xef\xbf\xbd", out);
        else if (n == 1 && entity_of(*at))
            fputs(entity_of(*at), out);
        else
            fwrite(at, 1, (size_t)n, out);
        i += n > 0 ? n : 1;
    }
}

void html_put_text(struct text text, FILE *out)
{
    put(text, false, out);
}

void html_put_lines(struct text text, FILE *out)
{
    put(text, true, out);
}

void html_put_attribute(hid_t object, const char *name, FILE *out)
{
    char *text = object < 0 ? NULL : h5_get_text(object, name, NULL);
    if (text)
        html_put_text((struct text){ text, (int64_t)strlen(text) }, out);
    free(text);
}

void html_put_count(int64_t n, FILE *out)
{
    char text[COUNT_TEXT_BYTES];
    fputs(count_text(text, n), out);
}

void html_put_real(double value, FILE *out)
{
    if (isfinite(value) && fabs(value) >= 1e6 && fabs(value) < 1e15)
        html_put_count((int64_t)llround(value), out);
    else if (!isnan(value))
        html_put(out, "%.6g", value);
}

void html_put_cell(const struct cell *cell, FILE *out)
{
    char text[CELL_TEXT_BYTES];
    switch (cell->kind) {
    case CELL_MISSING:
        break;
    case CELL_INTEGER:
        html_put_count(cell->integer, out);
        break;
    case CELL_REAL:
        html_put_real(cell->real, out);
        break;
    case CELL_TEXT:
        html_put_text(cell->text, out);
        break;
    case CELL_DATE:
    case CELL_TIMESTAMP:
        cell_to_text(cell, text);
        fputs(text, out);
        break;
    }
}

/* 2^63 is more than any integer, and what the greatest ones are rounded to. */
void html_put_value(const struct table_column *column, double value, FILE *out)
{
    struct cell cell = cell_of_real(column->kind, value);
    if (column->kind == CELL_INTEGER && value >= -0x1p63 && value < 0x1p63)
        cell = (struct cell){ .kind = CELL_INTEGER, .integer = (int64_t)value };
    html_put_cell(&cell, out);
}

bool html_is_number(const struct table_column *column)
{
    return column->width == 1 && !column->keys && column->kind != CELL_TEXT;
}

/* ---- spread ---- */

static int by_value(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

int spread_of(const struct table_column *column,
              int64_t n_rows,
              struct spread *spread,
              struct error *err)
{
    double *values = malloc((size_t)n_rows * sizeof *values + 1);
    struct spread found = { 0 };
    if (!values)
        return error_set(err, ERROR_BUDGET, "no memory for the values of a statistic");
    for (int64_t row = 0; row < n_rows; row++) {
        values[found.n] = table_number(column, row);
        found.n += !isnan(values[found.n]);
    }
    qsort(values, (size_t)found.n, sizeof *values, by_value);
    if (found.n > 0) {
        int64_t half = found.n / 2;
        found.least = values[0];
        found.greatest = values[found.n - 1];
        found.median =
            found.n % 2 ? values[half] : values[half - 1] / 2 + values[half] / 2;
    }
    double last = found.least;
    for (int k = 1; k < 7 && found.n > 0; k++) {
        double at = values[found.n * k / 7];
        if (at > last)
            found.breaks[found.n_breaks++] = last = at;
    }
    free(values);
    *spread = found;
    return 0;
}

int spread_class(const struct spread *spread, double value)
{
    int class = 0;
    while (class < spread->n_breaks && value >= spread->breaks[class])
        class ++;
    return class;
}

int spreads_of(const struct table *table, struct spread *spreads, struct error *err)
{
    for (int c = 0; c < table->n_columns; c++) {
        struct table_column column;
        int64_t n = 0;
        if (!html_is_number(&table->columns[c]))
            continue;
        int status = table_whole(&column, table->file, table->columns[c].name, &n, err);
        if (status == 0)
            status = spread_of(&column, n, &spreads[c], err);
        table_column_close(&column);
        if (status < 0)
            return -1;
    }
    return 0;
}
