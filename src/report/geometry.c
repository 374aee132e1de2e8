#include "geometry.h"

#include <stdlib.h>
#include <string.h>

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

int geometry_open(struct geometry *g, const struct table *table, struct error *err)
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

void geometry_close(struct geometry *g)
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

int geometry_load(struct geometry *g,
                  const struct table *table,
                  int64_t zone,
                  int64_t *n,
                  struct error *err)
{
    if (zone >= g->first + g->n) {
        int64_t left = table->n_rows - zone;
        g->first = zone;
        g->n = left < GEOMETRY_OFFSETS ? left : GEOMETRY_OFFSETS;
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

/* ---- the walk ----
 *
 *   polygon       01 | 3 | n_rings | ring ...        ring: n_points | x y ...
 *   multipolygon  01 | 6 | n_polygons | polygon ...
 *
 * Origin  OGC 06-103r4 clause 8
 */

struct reading {
    const uint8_t *bytes;
    int64_t n, at;
    const struct geometry_walk *walk;
    struct error *err;
};

static int fail(struct reading *reading, const char *what)
{
    error_set(reading->err,
              ERROR_FORMAT,
              "its geometry is damaged: %s at byte %lld of %lld",
              what,
              (long long)reading->at,
              (long long)reading->n);
    return -1;
}

static int read_count(struct reading *reading, int64_t least_bytes, uint32_t *count)
{
    if (reading->n - reading->at < 4)
        return fail(reading, "the end");
    memcpy(count, reading->bytes + reading->at, 4);
    reading->at += 4;
    if (*count > (reading->n - reading->at) / least_bytes)
        return fail(reading, "a count that does not fit");
    return 0;
}

static int read_type(struct reading *reading, uint32_t *type)
{
    if (reading->n - reading->at < 5)
        return fail(reading, "the end");
    if (reading->bytes[reading->at] != 1)
        return fail(reading, "an unknown byte order");
    memcpy(type, reading->bytes + reading->at + 1, 4);
    reading->at += 5;
    return 0;
}

static int walk_ring(struct reading *reading, uint32_t i)
{
    uint32_t n;
    if (read_count(reading, 16, &n) < 0)
        return -1;
    const uint8_t *points = reading->bytes + reading->at;
    if (reading->walk->ring(reading->walk->context, i, points, n, reading->err) < 0)
        return -1;
    reading->at += (int64_t)n * 16;
    return 0;
}

static int walk_polygon(struct reading *reading, uint32_t i)
{
    const struct geometry_walk *walk = reading->walk;
    uint32_t n;
    if (read_count(reading, 4, &n) < 0 || walk->polygon(walk->context, i, true) < 0)
        return -1;
    for (uint32_t k = 0; k < n; k++)
        if (walk_ring(reading, k) < 0)
            return -1;
    return walk->polygon(walk->context, i, false);
}

static int walk_polygons(struct reading *reading)
{
    uint32_t n, type;
    if (read_count(reading, 9, &n) < 0)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        if (read_type(reading, &type) < 0)
            return -1;
        if (type != 3)
            return fail(reading, "no polygon");
        if (walk_polygon(reading, i) < 0)
            return -1;
    }
    return 0;
}

bool geometry_is_empty(const uint8_t *wkb, int64_t n_bytes)
{
    uint32_t n = 1;
    if (n_bytes == 9)
        memcpy(&n, wkb + 5, 4);
    return n_bytes == 0 || n == 0;
}

uint32_t geometry_type(const uint8_t *wkb, int64_t n_bytes)
{
    uint32_t type = 0;
    if (n_bytes >= 5)
        memcpy(&type, wkb + 1, 4);
    return type;
}

int geometry_walk(const uint8_t *wkb,
                  int64_t n_bytes,
                  const struct geometry_walk *walk,
                  struct error *err)
{
    struct reading reading = { wkb, n_bytes, 0, walk, err };
    uint32_t type;
    if (read_type(&reading, &type) < 0)
        return -1;
    if (type != 3 && type != 6)
        return fail(&reading, "no polygon");
    if ((type == 3 ? walk_polygon(&reading, 0) : walk_polygons(&reading)) < 0)
        return -1;
    return reading.at == n_bytes ? 0 : fail(&reading, "something after its end");
}
