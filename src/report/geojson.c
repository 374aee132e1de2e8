/* RFC 7946: a feature a zone, on a line of its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "write.h"

enum { OFFSETS = 512 };

/* The zones' WKB: which bytes, some zones at a time, and the bytes of one. */
struct geometry {
    hid_t bytes, offsets;
    int64_t n_bytes;
    int64_t first, n;            /* zones whose offsets are in memory */
    int64_t offset[OFFSETS + 1]; /* of these */
    uint8_t *wkb;
    int64_t n_room;
};

static int read_length(hid_t dataset, const char *name, int64_t *n, struct error *err)
{
    hsize_t length = 0;
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    int status = -1;
    if (space < 0 || H5Sget_simple_extent_ndims(space) != 1
        || H5Sget_simple_extent_dims(space, &length, NULL) < 0
        || length > INT64_MAX / 8)
        h5_error(err, ERROR_FORMAT, "no geometry in %s", name);
    else
        status = 0;
    *n = (int64_t)length;
    h5_close(&space, H5Sclose);
    return status;
}

static int
open_geometry(struct geometry *g, const struct table *table, struct error *err)
{
    int64_t n_offsets;
    *g = (struct geometry){
        .bytes = H5Dopen2(table->file, "/zones/geometry", H5P_DEFAULT),
        .offsets = H5Dopen2(table->file, "/zones/geometry_offset", H5P_DEFAULT),
    };
    if (read_length(g->bytes, "/zones/geometry", &g->n_bytes, err) < 0
        || read_length(g->offsets, "/zones/geometry_offset", &n_offsets, err) < 0)
        return -1;
    if (n_offsets != table->n_rows + 1)
        return error_set(err,
                         ERROR_FORMAT,
                         "/zones/geometry_offset is not one of the zones");
    return 0;
}

static void close_geometry(struct geometry *g)
{
    free(g->wkb);
    h5_close(&g->offsets, H5Dclose);
    h5_close(&g->bytes, H5Dclose);
}

static int read_piece(hid_t dataset,
                      hid_t type,
                      int64_t first,
                      int64_t n,
                      void *values,
                      struct error *err)
{
    hsize_t start[] = { (hsize_t)first }, count[] = { (hsize_t)n };
    hid_t in_file = H5Dget_space(dataset), in_memory = H5Screate_simple(1, count, NULL);
    int status = 0;
    if (n > 0
        && (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL) < 0
            || H5Dread(dataset, type, in_memory, in_file, H5P_DEFAULT, values) < 0))
        status = h5_error(err, ERROR_FORMAT, "the geometry cannot be read");
    h5_close(&in_memory, H5Sclose);
    h5_close(&in_file, H5Sclose);
    return status;
}

/* The bytes of a zone: g->wkb, *n of them. */
static int load_zone(struct geometry *g,
                     const struct table *table,
                     int64_t zone,
                     int64_t *n,
                     struct error *err)
{
    if (zone >= g->first + g->n) {
        int64_t left = table->n_rows - zone;
        g->first = zone;
        g->n = left < OFFSETS ? left : OFFSETS;
        if (read_piece(g->offsets, H5T_NATIVE_INT64, zone, g->n + 1, g->offset, err)
            < 0)
            return -1;
    }
    int64_t from = g->offset[zone - g->first], to = g->offset[zone - g->first + 1];
    if (from < 0 || to < from || to > g->n_bytes)
        return error_set(err,
                         ERROR_FORMAT,
                         "its geometry is said to lie at %lld to %lld of %lld bytes",
                         (long long)from,
                         (long long)to,
                         (long long)g->n_bytes);
    *n = to - from;
    if (*n > TABLE_MOST_BYTES)
        return error_set(err, ERROR_BUDGET, "its geometry takes more than 256 MiB");
    if (*n > g->n_room) {
        free(g->wkb);
        g->n_room = 2 * *n;
        g->wkb = malloc((size_t)g->n_room);
        if (!g->wkb) {
            g->n_room = 0;
            return error_set(err, ERROR_BUDGET, "no memory for its geometry");
        }
    }
    return read_piece(g->bytes, H5T_NATIVE_UINT8, from, *n, g->wkb, err);
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
    if (load_zone(g, table, table->first + row, &n_wkb, err) < 0
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
    int status = open_geometry(&geometry, table, err);
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
    close_geometry(&geometry);
    return status;
}
