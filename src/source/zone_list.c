#include "zone_list.h"

#include <math.h>
#include <string.h>

int zone_list_init(struct zone_list *zones,
                   int64_t n_most,
                   int32_t id_bytes,
                   struct memory *memory,
                   struct error *err)
{
    struct zone_list made = { .id_bytes = id_bytes > 0 ? id_bytes : 1 };
    if (id_bytes > ZONE_ID_MOST_BYTES)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] id: the longest has %d bytes, and %d are the most",
                         (int)id_bytes,
                         ZONE_ID_MOST_BYTES);
    made.ids = memory_take(memory, MEMORY_ZONES, n_most * made.id_bytes, err);
    if (!made.ids)
        return -1;
    made.boxes =
        memory_take(memory, MEMORY_ZONES, n_most * (int64_t)sizeof *made.boxes, err);
    if (!made.boxes)
        return -1;
    made.estimates = memory_take(memory,
                                 MEMORY_ZONES,
                                 n_most * (int64_t)sizeof *made.estimates,
                                 err);
    if (!made.estimates)
        return -1;
    made.n_vertices = memory_take(memory,
                                  MEMORY_ZONES,
                                  n_most * (int64_t)sizeof *made.n_vertices,
                                  err);
    if (!made.n_vertices)
        return -1;
    *zones = made;
    return 0;
}

/* Ids are UTF-8 without zero bytes, so padding does not change their order. */
static int compare_last(const struct zone_list *zones, struct text id)
{
    const char *last = zones->ids + (zones->n - 1) * zones->id_bytes;
    size_t n_last = strnlen(last, (size_t)zones->id_bytes), n_id = (size_t)id.n;
    int order = memcmp(last, id.bytes, n_last < n_id ? n_last : n_id);
    return order ? order : (n_last > n_id) - (n_last < n_id);
}

int zone_without_id(bool is_null, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "[zones] id: a zone's id is %s: fill it in, or leave it out: "
                     "[zones] where = ... %s",
                     is_null ? "null" : "empty",
                     is_null ? "is not null" : "<> ''");
}

int zone_again(struct text id, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "[zones] id: two zones have the id '%.*s': take another id, or "
                     "unite them (in a database by a view, with ST_Union)",
                     id.n < 80 ? (int)id.n : 80,
                     id.bytes);
}

int zone_list_add(struct zone_list *zones,
                  int64_t n_most,
                  const struct zone_row *row,
                  struct error *err)
{
    if (!row->id.bytes || row->id.n == 0)
        return zone_without_id(!row->id.bytes, err);
    if (zones->n == n_most || row->id.n > zones->id_bytes)
        return error_set(err, ERROR_SOURCE, "zones changed while they were read");
    int order = zones->n > 0 ? compare_last(zones, row->id) : -1;
    if (order == 0)
        return zone_again(row->id, err);
    if (order > 0)
        return error_set(err,
                         ERROR_DATA,
                         "[zones] id: '%.*s' does not sort bytewise",
                         (int)row->id.n,
                         row->id.bytes);
    char *id = zones->ids + zones->n * zones->id_bytes;
    memset(id, 0, (size_t)zones->id_bytes);
    memcpy(id, row->id.bytes, (size_t)row->id.n);
    zones->boxes[zones->n] = row->box;
    zones->n_vertices[zones->n] = row->n_vertices;
    zones->estimates[zones->n] = isfinite(row->estimate) ? row->estimate : -1;
    if (box_is_empty(&row->box)) {
        zones->estimates[zones->n] = 0;
        zones->n_no_geometry++;
    }
    zones->n++;
    return 0;
}

void zone_list_end(struct zone_list *zones)
{
    size_t from = (size_t)zones->id_bytes, to = 1;
    for (int64_t i = 0; i < zones->n; i++) {
        size_t n = strnlen(zones->ids + (size_t)i * from, from);
        to = n > to ? n : to;
    }
    for (int64_t i = 1; i < zones->n && to < from; i++)
        memmove(zones->ids + (size_t)i * to, zones->ids + (size_t)i * from, to);
    zones->id_bytes = (int32_t)to;
}

static double area(const struct box *box)
{
    double value = (box->xmax - box->xmin) * (box->ymax - box->ymin);
    return box->xmin <= box->xmax && isfinite(value) ? value : 0;
}

void zone_list_estimate(struct zone_list *zones, double n_buildings)
{
    double total = 0;
    for (int64_t i = 0; i < zones->n; i++)
        total += area(&zones->boxes[i]);
    if (n_buildings < 0)
        n_buildings = 1000.0 * (double)zones->n;
    for (int64_t i = 0; i < zones->n; i++)
        if (zones->estimates[i] < 0)
            zones->estimates[i] =
                total > 0 ? n_buildings * area(&zones->boxes[i]) / total : 0;
}
