/*
 * WKB of a polygon or multipolygon as GeoJSON.
 *
 *   polygon       01 | 3 | n_rings | ring ...        ring: n_points | x y ...
 *   multipolygon  01 | 6 | n_polygons | polygon ...
 *
 * Origin  OGC 06-103r4 clause 8; RFC 7946, 3.1.6
 */
#include <math.h>
#include <string.h>

#include "write.h"

struct reading {
    const uint8_t *bytes;
    int64_t n, at;
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

static void get_point(const uint8_t *points, uint32_t i, double point[2])
{
    memcpy(point, points + (size_t)i * 16, 16);
}

/* Twice the signed area, from the first point on so that digits are kept. */
static double doubled_area(const uint8_t *points, uint32_t n)
{
    double origin[2], last[2], sum = 0;
    get_point(points, 0, origin);
    memcpy(last, origin, sizeof last);
    for (uint32_t i = 1; i < n; i++) {
        double point[2];
        get_point(points, i, point);
        sum += (last[0] - origin[0]) * (point[1] - origin[1])
               - (point[0] - origin[0]) * (last[1] - origin[1]);
        memcpy(last, point, sizeof last);
    }
    return sum;
}

static int put_ring(struct reading *reading, bool outer, FILE *out)
{
    uint32_t n;
    if (read_count(reading, 16, &n) < 0)
        return -1;
    const uint8_t *points = reading->bytes + reading->at;
    bool backwards =
        n > 0 && (outer ? doubled_area(points, n) < 0 : doubled_area(points, n) > 0);
    putc('[', out);
    for (uint32_t i = 0; i < n; i++) {
        double point[2];
        char x[CELL_TEXT_BYTES], y[CELL_TEXT_BYTES];
        get_point(points, backwards ? n - 1 - i : i, point);
        if (!isfinite(point[0]) || !isfinite(point[1]))
            return fail(reading, "a coordinate that is not finite");
        real_to_text(point[0], x);
        real_to_text(point[1], y);
        fputs(i > 0 ? ",[" : "[", out);
        fputs(x, out);
        putc(',', out);
        fputs(y, out);
        putc(']', out);
    }
    putc(']', out);
    reading->at += (int64_t)n * 16;
    return 0;
}

static int put_polygon(struct reading *reading, FILE *out)
{
    uint32_t n;
    if (read_count(reading, 4, &n) < 0)
        return -1;
    putc('[', out);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            putc(',', out);
        if (put_ring(reading, i == 0, out) < 0)
            return -1;
    }
    putc(']', out);
    return 0;
}

static int put_polygons(struct reading *reading, FILE *out)
{
    uint32_t n, type;
    if (read_count(reading, 9, &n) < 0)
        return -1;
    putc('[', out);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            putc(',', out);
        if (read_type(reading, &type) < 0)
            return -1;
        if (type != 3)
            return fail(reading, "no polygon");
        if (put_polygon(reading, out) < 0)
            return -1;
    }
    putc(']', out);
    return 0;
}

int geojson_put_geometry(const uint8_t *wkb,
                         int64_t n_bytes,
                         FILE *out,
                         struct error *err)
{
    struct reading reading = { wkb, n_bytes, 0, err };
    uint32_t type, n = 0;
    if (n_bytes > 0 && read_type(&reading, &type) < 0)
        return -1;
    if (n_bytes > 0 && type != 3 && type != 6)
        return fail(&reading, "no polygon");
    if (n_bytes >= 9)
        memcpy(&n, wkb + 5, 4);
    if (n_bytes == 0 || (n == 0 && n_bytes == 9)) {
        fputs("null", out);
        return 0;
    }
    fputs(type == 3 ? "{\"type\":\"Polygon\",\"coordinates\":"
                    : "{\"type\":\"MultiPolygon\",\"coordinates\":",
          out);
    if ((type == 3 ? put_polygon(&reading, out) : put_polygons(&reading, out)) < 0)
        return -1;
    putc('}', out);
    return reading.at == n_bytes ? 0 : fail(&reading, "something after its end");
}
