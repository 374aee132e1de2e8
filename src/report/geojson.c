/* RFC 7946: a feature a zone, on a line of its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geometry.h"
#include "write.h"

/* ---- polygons: RFC 7946, 3.1.6 ---- */

/* What is written: a polygon's list of rings stands in another list only in a
 * multipolygon. */
struct polygons {
    FILE *out;
    bool many;
};

/* Twice the signed area, from the first point on so that digits are kept. */
static double doubled_area(const uint8_t *points, uint32_t n)
{
    double origin[2], last[2], sum = 0;
    geometry_point(points, 0, origin);
    memcpy(last, origin, sizeof last);
    for (uint32_t i = 1; i < n; i++) {
        double point[2];
        geometry_point(points, i, point);
        sum += (last[0] - origin[0]) * (point[1] - origin[1])
               - (point[0] - origin[0]) * (last[1] - origin[1]);
        memcpy(last, point, sizeof last);
    }
    return sum;
}

static int put_polygon(void *context, uint32_t i, bool begins)
{
    const struct polygons *polygons = context;
    if (polygons->many && begins && i > 0)
        putc(',', polygons->out);
    putc(begins ? '[' : ']', polygons->out);
    return 0;
}

static int put_ring(void *context,
                    uint32_t i,
                    const uint8_t *points,
                    uint32_t n,
                    struct error *err)
{
    const struct polygons *polygons = context;
    double area = n > 0 ? doubled_area(points, n) : 0;
    bool backwards = i == 0 ? area < 0 : area > 0;
    fputs(i > 0 ? ",[" : "[", polygons->out);
    for (uint32_t k = 0; k < n; k++) {
        double point[2];
        char x[CELL_TEXT_BYTES], y[CELL_TEXT_BYTES];
        geometry_point(points, backwards ? n - 1 - k : k, point);
        if (!isfinite(point[0]) || !isfinite(point[1]))
            return error_set(err,
                             ERROR_FORMAT,
                             "its geometry has a coordinate that is not finite");
        real_to_text(point[0], x);
        real_to_text(point[1], y);
        fputs(k > 0 ? ",[" : "[", polygons->out);
        fputs(x, polygons->out);
        putc(',', polygons->out);
        fputs(y, polygons->out);
        putc(']', polygons->out);
    }
    putc(']', polygons->out);
    return 0;
}

int geojson_put_geometry(const uint8_t *wkb,
                         int64_t n_bytes,
                         FILE *out,
                         struct error *err)
{
    struct polygons polygons = { out, geometry_type(wkb, n_bytes) == 6 };
    const struct geometry_walk walk = { put_polygon, put_ring, &polygons };
    if (geometry_is_empty(wkb, n_bytes)) {
        fputs("null", out);
        return 0;
    }
    fputs(polygons.many ? "{\"type\":\"MultiPolygon\",\"coordinates\":["
                        : "{\"type\":\"Polygon\",\"coordinates\":",
          out);
    if (geometry_walk(wkb, n_bytes, &walk, err) < 0)
        return -1;
    fputs(polygons.many ? "]}" : "}", out);
    return 0;
}

static void put_name(const struct table_column *column, int64_t i, FILE *out)
{
    putc('"', out);
    json_put_inside((struct text){ column->name, (int64_t)strlen(column->name) }, out);
    if (column->keys) {
        putc('=', out);
        json_put_inside((struct text){ column->keys[i],
                                       (int64_t)strlen(column->keys[i]) },
                        out);
    }
    putc('"', out);
}

static void put_value(const struct cell *cell, FILE *out)
{
    char text[CELL_TEXT_BYTES];
    if (cell->kind == CELL_TEXT) {
        json_put_text(cell->text, out);
    } else if (cell->kind == CELL_MISSING
               || (cell->kind == CELL_REAL && !isfinite(cell->real))) {
        fputs("null", out);
    } else {
        cell_to_text(cell, text);
        if (cell->kind == CELL_DATE || cell->kind == CELL_TIMESTAMP)
            json_put_text((struct text){ text, (int64_t)strlen(text) }, out);
        else
            fputs(text, out);
    }
}

static int put_feature(struct geometry *g,
                       const struct table *table,
                       int64_t row,
                       FILE *out,
                       struct error *err)
{
    int64_t n_wkb = 0;
    struct cell id = table_cell(&table->columns[0], row, 0);
    fputs("{\"type\":\"Feature\",\"id\":", out);
    json_put_text(id.text, out);
    fputs(",\"properties\":{", out);
    for (int c = 0; c < table->n_columns; c++)
        for (int64_t i = 0; i < table->columns[c].width; i++) {
            struct cell cell = table_cell(&table->columns[c], row, i);
            if (c > 0)
                putc(',', out);
            put_name(&table->columns[c], i, out);
            putc(':', out);
            put_value(&cell, out);
        }
    fputs("},\"geometry\":", out);
    if (geometry_load(g, table, table->first + row, &n_wkb, err) < 0
        || geojson_put_geometry(g->wkb, n_wkb, out, err) < 0)
        return error_prefix(err,
                            "zone %.*s",
                            (int)(id.text.n < 64 ? id.text.n : 64),
                            id.text.bytes);
    putc('}', out);
    return 0;
}

/* What the zones' CRS is, as /zones says: crs "EPSG:4326", crs_kind "geographic". */
static enum export_crs read_crs(const struct table *table, char name[128])
{
    hid_t zones = H5Gopen2(table->file, "/zones", H5P_DEFAULT);
    char *crs = zones < 0 ? NULL : h5_get_text(zones, "crs", NULL);
    char *kind = zones < 0 ? NULL : h5_get_text(zones, "crs_kind", NULL);
    bool geographic = kind && strcmp(kind, "geographic") == 0;
    snprintf(name, 128, "%s", crs ? crs : "");
    free(kind);
    free(crs);
    h5_close(&zones, H5Gclose);
    H5Eclear2(H5E_DEFAULT);
    return strcmp(name, "EPSG:4326") == 0 ? EXPORT_WGS84
           : geographic                   ? EXPORT_OTHER_DATUM
                                          : EXPORT_PLANE;
}

static void
put_head(const struct table *table, enum export_crs crs, const char *name, FILE *out)
{
    char *title = h5_get_text(table->file, "title", NULL);
    fputs("{\"type\":\"FeatureCollection\",\n\"name\":", out);
    json_put_text((struct text){ title ? title : "",
                                 title ? (int64_t)strlen(title) : 0 },
                  out);
    free(title);
    if (crs == EXPORT_PLANE && strncmp(name, "EPSG:", 5) == 0) {
        char urn[160];
        snprintf(urn, sizeof urn, "urn:ogc:def:crs:EPSG::%s", name + 5);
        fputs(",\n\"crs\":{\"type\":\"name\",\"properties\":{\"name\":", out);
        json_put_text((struct text){ urn, (int64_t)strlen(urn) }, out);
        fputs("}}", out);
    }
    fputs(",\n\"features\":[", out);
}

int geojson_write(struct table *table,
                  FILE *out,
                  enum export_crs *crs,
                  char crs_name[128],
                  struct error *err)
{
    struct geometry geometry;
    *crs = read_crs(table, crs_name);
    int status = geometry_open(&geometry, table, err);
    if (status == 0)
        put_head(table, *crs, crs_name, out);
    for (int64_t first = 0; status == 0 && first < table->n_rows;
         first += table->block_rows) {
        status = table_load(table, first, err);
        for (int64_t row = 0; status == 0 && row < table->n_in_memory; row++) {
            fputs(first + row > 0 ? ",\n" : "\n", out);
            status = put_feature(&geometry, table, row, out, err);
            if (status == 0 && ferror(out))
                status = write_failed(err);
        }
    }
    if (status == 0)
        fputs("\n]}\n", out);
    geometry_close(&geometry);
    return status;
}
