/* The parts of a page, and text that a browser shows and never obeys. */
#ifndef ROOFTALLY_REPORT_PAGE_H
#define ROOFTALLY_REPORT_PAGE_H

#include <stdio.h>

#include "rooftally/report/html.h"

#include "table.h"

enum {
    PAGE_MAP_ZONES = 50000,
    PAGE_MAP_STATISTICS = 12,
    PAGE_TABLE_ZONES = 1000,
    PAGE_RANKS = 64,
    PAGE_LINES = 12, /* ranks in a chart */
    PAGE_SLOWEST = 10,
};

/* html_put.c: our own words by format, others' escaped. */
void html_put(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void html_put_text(struct text text, FILE *out);
/* The same with line ends and tabs as they are, for <pre>. */
void html_put_lines(struct text text, FILE *out);
/* A text attribute; nothing when there is none. */
void html_put_attribute(hid_t object, const char *name, FILE *out);
/* For people: 1,234,567 or 12.3457; an empty string for what is missing. */
void html_put_count(int64_t n, FILE *out);
void html_put_real(double value, FILE *out);
void html_put_cell(const struct cell *cell, FILE *out);
/* A number as the values of a column are: a count, a date. */
void html_put_value(const struct table_column *column, double value, FILE *out);

/* What a statistic of one number a zone comes to over all zones. */
struct spread {
    int64_t n;                      /* zones that have a value */
    double least, median, greatest; /* of them; 0 when n is 0 */
    int n_breaks;                   /* zones in as many classes and one, about alike */
    double breaks[6];               /* growing; class k begins at breaks[k - 1] */
};
/* *column: loaded whole, by table_whole. ERROR_BUDGET */
int spread_of(const struct table_column *column,
              int64_t n_rows,
              struct spread *spread,
              struct error *err);
/* Of every column of a table that html_is_number; spreads: [n_columns]. */
int spreads_of(const struct table *table, struct spread *spreads, struct error *err);
int spread_class(const struct spread *spread, double value);

/* Whether a column has one number a zone. */
bool html_is_number(const struct table_column *column);

/* html_map.c: the zones, coloured by each of the first statistics in turn. */
int html_map(struct table *table,
             const struct spread *spreads,
             FILE *out,
             struct error *err);

/* html_statistics.c: a row a statistic; drawings of histograms and frequencies; zones. */
void html_statistics(const struct table *table,
                     const struct spread *spreads,
                     FILE *out);
int html_distributions(struct table *table, FILE *out, struct error *err);
int html_zones(struct table *table, FILE *out, struct error *err);

/* html_ranks.c: time, memory, slowest zones. */
int html_ranks(hid_t file, FILE *out, struct error *err);
int html_memory(hid_t file, FILE *out, struct error *err);
int html_slowest(const struct table *table, FILE *out, struct error *err);

#endif
