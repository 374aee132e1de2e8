/*
 * A map without a script: each zone is drawn once, and has a class of CSS for each
 * statistic, a letter and a digit: "a3 b0". The radio button that is on says which
 * letters have colours.
 *
 *     <input type=radio id=m0 checked> <input type=radio id=m1>
 *     <svg> <path class="a3 b0" d="..."> ...      #m0:checked~svg .a3{fill:#...}
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geometry.h"
#include "html.h"

enum { COLUMNS = 2000, MOST_ROWS = 4000, N_COLOURS = 7 };

/* Light to dark, of one hue, so that they stay in order without colour as well. */
static const char *const colours[N_COLOURS] = { "#eaf1f7", "#c6dbea", "#9cc3dd",
                                                "#6ba6cb", "#4086b4", "#23659a",
                                                "#10426f" };

struct map {
    FILE *out;
    int n;                            /* statistics on it */
    int columns[PAGE_MAP_STATISTICS]; /* of the table */
    const struct spread *spreads;     /* of all columns */
    double xmin, ymax, scale_x, scale_y;
    int height;
};

/* Classes are spread over the colours when there are fewer. */
static const char *colour_of(const struct spread *spread, int class)
{
    return colours[spread->n_breaks == 0 ? N_COLOURS / 2
                                         : class * (N_COLOURS - 1) / spread->n_breaks];
}

/* ---- where ---- */

static int read_bounds(const struct table *table,
                       const char *name,
                       double bounds[2],
                       struct error *err)
{
    struct table_column column;
    int64_t n = 0;
    int status = table_whole(&column, table->file, name, &n, err);
    for (int64_t row = 0; row < n && status == 0; row++) {
        double value = table_number(&column, row);
        if (isfinite(value)) {
            bounds[0] = fmin(bounds[0], value);
            bounds[1] = fmax(bounds[1], value);
        }
    }
    table_column_close(&column);
    return status;
}

/* Longitudes are as long as they are in the middle of the map. */
static double narrowing(const struct table *table, double middle)
{
    double narrow = 1;
    hid_t zones = H5Gopen2(table->file, "/zones", H5P_DEFAULT);
    char *kind = zones < 0 ? NULL : h5_get_text(zones, "crs_kind", NULL);
    if (kind && strcmp(kind, "geographic") == 0 && fabs(middle) < 89)
        narrow = cos(middle * (3.14159265358979323846 / 180));
    free(kind);
    h5_close(&zones, H5Gclose);
    return narrow;
}

/* Returns 1, 0 where there is nothing to draw, or -1. */
static int place(struct map *map, const struct table *table, struct error *err)
{
    double x[2] = { INFINITY, -INFINITY }, y[2] = { INFINITY, -INFINITY };
    if (read_bounds(table, "zones/xmin", x, err) < 0
        || read_bounds(table, "zones/xmax", x, err) < 0
        || read_bounds(table, "zones/ymin", y, err) < 0
        || read_bounds(table, "zones/ymax", y, err) < 0)
        return -1;
    double wide = (x[1] - x[0]) * narrowing(table, y[0] / 2 + y[1] / 2),
           high = y[1] - y[0];
    if (!(wide >= 0) || !(high >= 0) || !isfinite(wide) || !isfinite(high))
        return 0;
    double side = fmax(wide, high / MOST_ROWS * COLUMNS),
           unit = side > 0 ? COLUMNS / side : 1;
    map->xmin = x[0];
    map->ymax = y[1];
    map->scale_y = unit;
    map->scale_x = x[1] > x[0] ? unit * (wide / (x[1] - x[0])) : unit;
    map->height = (int)fmin(MOST_ROWS, ceil(high * unit));
    map->height = map->height < 40 ? 40 : map->height;
    return 1;
}

/* ---- zones ---- */

static int ignore_polygon(void *context, uint32_t i, bool begins)
{
    (void)context, (void)i, (void)begins;
    return 0;
}

/* Points that fall on the last one are left out; what is left of a small outer ring is a
 * dot, of a hole nothing. */
static int put_ring(void *context,
                    uint32_t i,
                    const uint8_t *points,
                    uint32_t n,
                    struct error *err)
{
    const struct map *map = context;
    long last[2] = { 0, 0 };
    uint32_t n_put = 0;
    (void)err;
    for (uint32_t k = 0; k < n; k++) {
        double point[2];
        geometry_point(points, k, point);
        double x = (point[0] - map->xmin) * map->scale_x;
        double y = (map->ymax - point[1]) * map->scale_y;
        if (!(fabs(x) < 1e6 && fabs(y) < 1e6))
            continue;
        long at[2] = { lround(x), lround(y) };
        if (n_put == 0)
            html_put(map->out, "M%ld %ld", at[0], at[1]);
        else if (at[0] != last[0] || at[1] != last[1])
            html_put(map->out,
                     "%s%ld %ld",
                     n_put == 1 ? "l" : " ",
                     at[0] - last[0],
                     at[1] - last[1]);
        else
            continue;
        last[0] = at[0], last[1] = at[1];
        n_put++;
    }
    if (n_put == 1 && i == 0)
        fputs("h1v1h-1", map->out);
    if (n_put > 0)
        putc('z', map->out);
    return 0;
}

/* What is shown of a zone under the pointer. */
static void put_title(const struct map *map, const struct table *table, int64_t row)
{
    struct cell id = table_cell(&table->columns[0], row, 0);
    fputs("<title>", map->out);
    html_put_text(id.text, map->out);
    for (int k = 0; k < map->n; k++) {
        const struct table_column *column = &table->columns[map->columns[k]];
        struct cell cell = table_cell(column, row, 0);
        putc('\n', map->out);
        html_put_text((struct text){ column->name, (int64_t)strlen(column->name) },
                      map->out);
        fputs(cell.kind == CELL_MISSING ? ": none" : ": ", map->out);
        html_put_cell(&cell, map->out);
    }
    fputs("</title>", map->out);
}

static void put_classes(const struct map *map, const struct table *table, int64_t row)
{
    for (int k = 0; k < map->n; k++) {
        double value = table_number(&table->columns[map->columns[k]], row);
        if (k > 0)
            putc(' ', map->out);
        if (isnan(value))
            html_put(map->out, "%cn", 'a' + k);
        else
            html_put(map->out,
                     "%c%d",
                     'a' + k,
                     spread_class(&map->spreads[map->columns[k]], value));
    }
}

static int put_zone(struct map *map,
                    struct geometry *geometry,
                    const struct table *table,
                    int64_t row,
                    struct error *err)
{
    const struct geometry_walk walk = { ignore_polygon, put_ring, map };
    int64_t n = 0;
    if (geometry_load(geometry, table, table->first + row, &n, err) < 0)
        return -1;
    if (geometry_is_empty(geometry->wkb, n))
        return 0;
    fputs("<path class=\"", map->out);
    put_classes(map, table, row);
    fputs("\" d=\"", map->out);
    if (geometry_walk(geometry->wkb, n, &walk, err) < 0)
        return -1;
    fputs("\">", map->out);
    put_title(map, table, row);
    fputs("</path>\n", map->out);
    return 0;
}

static int put_zones(struct map *map, struct table *table, struct error *err)
{
    struct geometry *geometry = malloc(sizeof *geometry);
    if (!geometry)
        return error_set(err, ERROR_BUDGET, "no memory for the geometry of zones");
    int status = geometry_open(geometry, table, err);
    for (int64_t first = 0; first < table->n_rows && status == 0;
         first += table->block_rows) {
        status = table_load(table, first, err);
        for (int64_t row = 0; row < table->n_in_memory && status == 0; row++)
            status = put_zone(map, geometry, table, row, err);
    }
    geometry_close(geometry);
    free(geometry);
    return status;
}

/* ---- around it ---- */

static void choose(struct map *map, const struct table *table)
{
    for (int c = 0; c < table->n_columns && map->n < PAGE_MAP_STATISTICS; c++)
        if (html_is_number(&table->columns[c]))
            map->columns[map->n++] = c;
}

static void put_style(const struct map *map)
{
    fputs("<style>\n", map->out);
    for (int k = 0; k < map->n; k++) {
        for (int class = 0; class <= map->spreads[map->columns[k]].n_breaks; class ++)
            html_put(map->out,
                     "#m%d:checked~svg .%c%d{fill:%s}",
                     k,
                     'a' + k,
                     class,
                     colour_of(&map->spreads[map->columns[k]], class));
        html_put(map->out, "#m%d:checked~.l%d{display:block}\n", k, k);
    }
    fputs("</style>\n", map->out);
}

/* Colours and where their classes begin; the last one ends with the greatest value. */
static void put_legend(const struct map *map, const struct table *table, int k)
{
    const struct table_column *column = &table->columns[map->columns[k]];
    const struct spread *spread = &map->spreads[map->columns[k]];
    html_put(map->out, "<p class=\"legend l%d\">", k);
    for (int class = 0; class <= spread->n_breaks && spread->n > 0; class ++) {
        html_put(map->out,
                 "<span><i style=\"background:%s\"></i>",
                 colour_of(spread, class));
        html_put_value(column,
                       class > 0 ? spread->breaks[class - 1] : spread->least,
                       map->out);
        if (class == spread->n_breaks) {
            fputs(" to ", map->out);
            html_put_value(column, spread->greatest, map->out);
        } else {
            fputs(" to below ", map->out);
            html_put_value(column, spread->breaks[class], map->out);
        }
        fputs("</span> ", map->out);
    }
    if (spread->n < table->n_rows)
        fputs("<span><i class=none></i>no value</span>", map->out);
    fputs("</p>\n", map->out);
}

static void put_buttons(const struct map *map, const struct table *table)
{
    for (int k = 0; k < map->n; k++) {
        const char *name = table->columns[map->columns[k]].name;
        html_put(map->out,
                 "<input type=radio name=map id=m%d%s><label for=m%d>",
                 k,
                 k == 0 ? " checked" : "",
                 k);
        html_put_text((struct text){ name, (int64_t)strlen(name) }, map->out);
        fputs("</label>\n", map->out);
    }
}

int html_map(struct table *table,
             const struct spread *spreads,
             FILE *out,
             struct error *err)
{
    struct map map = { .out = out, .spreads = spreads };
    fputs("<h2>Map</h2>\n", out);
    if (table->n_rows > PAGE_MAP_ZONES) {
        html_put(out,
                 "<p>More than %d zones are too many for this page: <code>rooftally "
                 "export "
                 "--format geojson</code> writes them for a map.</p>\n",
                 PAGE_MAP_ZONES);
        return 0;
    }
    int placed = place(&map, table, err);
    if (placed < 0)
        return -1;
    if (placed == 0) {
        fputs("<p>No zone has a place on it.</p>\n", out);
        return 0;
    }
    choose(&map, table);
    put_style(&map);
    fputs("<div class=map>\n", out);
    put_buttons(&map, table);
    html_put(out,
             "<svg role=img aria-label=\"zones\" viewBox=\"-4 -4 %d %d\" "
             "style=\"max-height:80vh\">\n",
             COLUMNS + 8,
             map.height + 8);
    if (put_zones(&map, table, err) < 0)
        return -1;
    fputs("</svg>\n", out);
    for (int k = 0; k < map.n; k++)
        put_legend(&map, table, k);
    fputs("</div>\n", out);
    return 0;
}
