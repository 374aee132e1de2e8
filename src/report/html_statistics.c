/* What the statistics come to over all zones, and zone by zone. */
#include <stdlib.h>
#include <string.h>

#include "html.h"

enum { MOST_BARS = 24, MOST_BINS = 500, BIN_HEIGHT = 120 };

static void put_name(const struct table_column *column, FILE *out)
{
    html_put_text((struct text){ column->name, (int64_t)strlen(column->name) }, out);
}

/* ---- a row a statistic ---- */

static void
put_spread(const struct table_column *column, const struct spread *spread, FILE *out)
{
    const double values[] = { spread->least, spread->median, spread->greatest };
    fputs("<td class=n>", out);
    html_put_count(spread->n, out);
    for (int i = 0; i < 3; i++) {
        fputs("<td class=n>", out);
        if (spread->n > 0)
            html_put_value(column, values[i], out);
    }
}

void html_statistics(const struct table *table, const struct spread *spreads, FILE *out)
{
    fputs("<h2>Statistics</h2>\n<table><thead><tr><th>name<th>what<th>unit<th "
          "class=n>zones with "
          "a value<th class=n>least<th class=n>median<th "
          "class=n>greatest</thead><tbody>\n",
          out);
    for (int c = 1; c < table->n_columns; c++) {
        const struct table_column *column = &table->columns[c];
        fputs("<tr><td>", out);
        put_name(column, out);
        fputs("<td>", out);
        html_put_attribute(column->dataset, "long_name", out);
        fputs("<td>", out);
        html_put_attribute(column->dataset, "units", out);
        if (html_is_number(column)) {
            put_spread(column, &spreads[c], out);
        } else if (column->keys) {
            fputs("<td colspan=4>", out);
            html_put_count(column->width, out);
            fputs(" values a zone", out);
        } else {
            fputs("<td colspan=4>a text", out);
        }
        putc('\n', out);
    }
    fputs("</tbody></table>\n", out);
}

/* ---- histograms and frequencies: their counts add up over the zones ---- */

static bool has_beside(const struct table *table,
                       const struct table_column *column,
                       const char *suffix)
{
    char name[sizeof column->name + 16];
    snprintf(name, sizeof name, "%s%s", column->name, suffix);
    return h5_has(table->file, name);
}

static int add_up(struct table *table, int c, int64_t *sums, struct error *err)
{
    const struct table_column *column = &table->columns[c];
    for (int64_t first = 0; first < table->n_rows; first += table->block_rows) {
        if (table_load(table, first, err) < 0)
            return -1;
        for (int64_t row = 0; row < table->n_in_memory; row++)
            for (int64_t i = 0; i < column->width; i++) {
                struct cell cell = table_cell(column, row, i);
                if (cell.kind == CELL_INTEGER
                    && __builtin_add_overflow(sums[i], cell.integer, &sums[i]))
                    return error_set(err,
                                     ERROR_FORMAT,
                                     "/%.80s: its counts overflow",
                                     column->name);
            }
    }
    return 0;
}

static int64_t greatest_of(const int64_t *sums, int64_t n)
{
    int64_t greatest = 0;
    for (int64_t i = 0; i < n; i++)
        greatest = sums[i] > greatest ? sums[i] : greatest;
    return greatest;
}

/* "0..5": the edges at both ends. */
static void put_axis(const struct table_column *column, FILE *out)
{
    const char *first = column->keys[0], *last = column->keys[column->width - 1];
    const char *from = strstr(first, ".."), *to = strstr(last, "..");
    if (!from || !to)
        return;
    fputs("<p class=axis><span>", out);
    html_put_text((struct text){ first, from - first }, out);
    fputs("</span><span>", out);
    html_put_text((struct text){ to + 2, (int64_t)strlen(to + 2) }, out);
    fputs("</span></p>\n", out);
}

static void put_bins(const struct table_column *column, const int64_t *sums, FILE *out)
{
    int64_t greatest = greatest_of(sums, column->width);
    html_put(out,
             "<svg class=bins role=img viewBox=\"0 0 %lld %d\" "
             "preserveAspectRatio=none>\n",
             (long long)(10 * column->width),
             BIN_HEIGHT);
    for (int64_t i = 0; i < column->width; i++) {
        double high = greatest > 0 && sums[i] > 0
                          ? BIN_HEIGHT * ((double)sums[i] / (double)greatest)
                          : 0;
        html_put(out,
                 "<rect x=\"%lld\" y=\"%.1f\" width=\"9\" height=\"%.1f\"><title>",
                 (long long)(10 * i),
                 BIN_HEIGHT - high,
                 high);
        html_put_text((struct text){ column->keys[i],
                                     (int64_t)strlen(column->keys[i]) },
                      out);
        fputs(": ", out);
        html_put_count(sums[i], out);
        fputs("</title></rect>\n", out);
    }
    fputs("</svg>\n", out);
    put_axis(column, out);
}

/* Categories from the most frequent on. */
static int put_bars(const struct table_column *column,
                    const int64_t *sums,
                    FILE *out,
                    struct error *err)
{
    int64_t greatest = greatest_of(sums, column->width);
    bool *done = calloc((size_t)column->width + 1, sizeof *done);
    if (!done)
        return error_set(err,
                         ERROR_BUDGET,
                         "no memory for the categories of a frequency");
    fputs("<table class=bars><tbody>\n", out);
    for (int bar = 0; bar < MOST_BARS && bar < column->width; bar++) {
        int64_t most = -1;
        for (int64_t i = 0; i < column->width; i++)
            if (!done[i] && (most < 0 || sums[i] > sums[most]))
                most = i;
        done[most] = true;
        fputs("<tr><td>", out);
        html_put_text((struct text){ column->keys[most],
                                     (int64_t)strlen(column->keys[most]) },
                      out);
        html_put(out,
                 "<td><i style=\"width:%.1f%%\"></i><td class=n>",
                 greatest > 0 ? 100 * ((double)sums[most] / (double)greatest) : 0);
        html_put_count(sums[most], out);
        putc('\n', out);
    }
    fputs("</tbody></table>\n", out);
    if (column->width > MOST_BARS) {
        fputs("<p class=note>", out);
        html_put_count(column->width - MOST_BARS, out);
        fputs(" more</p>\n", out);
    }
    free(done);
    return 0;
}

static int
put_distribution(struct table *table, int c, bool is_bins, FILE *out, struct error *err)
{
    const struct table_column *column = &table->columns[c];
    int64_t *sums = calloc((size_t)column->width + 1, sizeof *sums);
    if (!sums)
        return error_set(err, ERROR_BUDGET, "no memory for the counts of a statistic");
    int status = add_up(table, c, sums, err);
    if (status == 0) {
        fputs("<figure><figcaption>", out);
        put_name(column, out);
        fputs(", all zones</figcaption>\n", out);
        if (is_bins)
            put_bins(column, sums, out);
        else
            status = put_bars(column, sums, out, err);
        fputs("</figure>\n", out);
    }
    free(sums);
    return status;
}

int html_distributions(struct table *table, FILE *out, struct error *err)
{
    bool any = false;
    for (int c = 1; c < table->n_columns; c++) {
        const struct table_column *column = &table->columns[c];
        bool is_bins = has_beside(table, column, "_edges");
        bool is_frequency = has_beside(table, column, "_category");
        if (!column->keys || column->width < 1 || (!is_bins && !is_frequency)
            || (is_bins && column->width > MOST_BINS))
            continue;
        if (!any)
            fputs("<h2>Distributions</h2>\n<div class=figures>\n", out);
        any = true;
        if (put_distribution(table, c, is_bins, out, err) < 0)
            return -1;
    }
    if (any)
        fputs("</div>\n", out);
    return 0;
}

/* ---- zones ---- */

static void put_rows(const struct table *table, int64_t n, FILE *out)
{
    for (int64_t row = 0; row < n; row++) {
        fputs("<tr>", out);
        for (int c = 0; c < table->n_columns; c++) {
            const struct table_column *column = &table->columns[c];
            if (column->keys)
                continue;
            struct cell cell = table_cell(column, row, 0);
            fputs(column->kind == CELL_TEXT ? "<td>" : "<td class=n>", out);
            html_put_cell(&cell, out);
        }
        putc('\n', out);
    }
}

int html_zones(struct table *table, FILE *out, struct error *err)
{
    int64_t n = table->n_rows < PAGE_TABLE_ZONES ? table->n_rows : PAGE_TABLE_ZONES;
    fputs("<h2>Zones</h2>\n", out);
    if (n < table->n_rows) {
        fputs("<p class=note>The first ", out);
        html_put_count(n, out);
        fputs(" of ", out);
        html_put_count(table->n_rows, out);
        fputs("; <code>rooftally export</code> writes all of them.</p>\n", out);
    }
    fputs("<div class=wide><table><thead><tr>", out);
    for (int c = 0; c < table->n_columns; c++)
        if (!table->columns[c].keys) {
            fputs(table->columns[c].kind == CELL_TEXT ? "<th>" : "<th class=n>", out);
            put_name(&table->columns[c], out);
        }
    fputs("</thead><tbody>\n", out);
    for (int64_t first = 0; first < n; first += table->block_rows) {
        if (table_load(table, first, err) < 0)
            return -1;
        int64_t left = n - first;
        put_rows(table, left < table->n_in_memory ? left : table->n_in_memory, out);
    }
    fputs("</tbody></table></div>\n", out);
    return 0;
}
