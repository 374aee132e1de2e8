#include "rooftally/schedule/units.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/geometry/hilbert.h"
#include "rooftally/schedule/message.h"

/* Opening a zone (two statements, grid, record) takes about as long as this many
 * candidates, and laying out a vertex as long as half of one. */
static const double zone_cost = 1000, vertex_cost = 0.5;

/* Of what is left, a worker's share is cut into three, and one of them is a unit: long runs
 * of neighbours first, which share what is read for them, short ones in the end, which
 * workers finish together. None is shorter than a 64th of a worker's share of all. */
static double unit_share(const struct units *units, double left, int n_workers)
{
    double share = left / (3.0 * n_workers), least = units->cost / (64.0 * n_workers);
    return share > least ? share : least;
}

double unit_zone_cost(const struct zone_list *zones, int64_t row)
{
    return zone_cost + zones->estimates[row]
           + vertex_cost * (double)zones->n_vertices[row];
}

struct curve_place {
    uint32_t position;
    int64_t row;
};

static int compare_places(const void *a, const void *b)
{
    const struct curve_place *p = a, *q = b;
    if (p->position != q->position)
        return p->position < q->position ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

static int compare_units(const void *a, const void *b)
{
    const struct unit *p = a, *q = b;
    if (p->cost != q->cost)
        return p->cost > q->cost ? -1 : 1;
    return p->first < q->first ? -1 : p->first > q->first;
}

/* A point where no zone has a box: what has a place along the curve needs one. */
static struct box extent_of(const struct zone_list *zones)
{
    struct box extent = box_none();
    for (int64_t i = 0; i < zones->n; i++)
        if (zones->boxes[i].xmin <= zones->boxes[i].xmax)
            box_merge(&extent, &zones->boxes[i]);
    return box_is_empty(&extent) ? (struct box){ 0, 0, 0, 0 } : extent;
}

/* Zones along the curve; those without geometry come first. */
static int sort_zones(struct units *units,
                      const int64_t *done,
                      struct memory *memory,
                      struct error *err)
{
    const struct zone_list *zones = units->zones;
    struct memory_mark mark = memory_mark(memory);
    struct curve_place *places =
        memory_take(memory, MEMORY_SCHEDULE, zones->n * (int64_t)sizeof *places, err);
    if (!places)
        return -1;
    struct box extent = extent_of(zones);
    int64_t n = 0;
    for (int64_t i = 0; i < zones->n; i++) {
        const struct box *box = &zones->boxes[i];
        if (done && done[i])
            continue;
        places[n++] = (struct curve_place){
            .row = i,
            .position = !(box->xmin <= box->xmax)
                            ? 0
                            : hilbert_position(&extent,
                                               0.5 * (box->xmin + box->xmax),
                                               0.5 * (box->ymin + box->ymax))
        };
    }
    qsort(places, (size_t)n, sizeof *places, compare_places);
    for (int64_t i = 0; i < n; i++)
        units->order[i] = places[i].row;
    units->n_zones = n;
    memory_rewind(memory, &mark);
    return 0;
}

/* Whether the unit may take one more zone: neighbours share a unit until it has its
 * share of the cost, or its message is full. */
static bool fits(const struct unit *unit, double cost, double share, int32_t id_bytes)
{
    int64_t n_bytes =
        MESSAGE_FIXED_BYTES + (unit->n + 1) * (int64_t)(MESSAGE_ZONE_BYTES + id_bytes);
    return unit->n > 0 && unit->cost + cost <= share && unit->n < UNIT_MAX_ZONES
           && n_bytes <= UNIT_MAX_BYTES;
}

int units_init(struct units *units,
               const struct zone_list *zones,
               const int64_t *done,
               int n_workers,
               struct memory *memory,
               struct error *err)
{
    struct units u = { .zones = zones };
    u.order =
        memory_take(memory, MEMORY_SCHEDULE, zones->n * (int64_t)sizeof *u.order, err);
    if (!u.order || sort_zones(&u, done, memory, err) < 0)
        return -1;
    for (int64_t i = 0; i < u.n_zones; i++)
        u.cost += unit_zone_cost(zones, u.order[i]);
    double left = u.cost, share = unit_share(&u, left, n_workers);

    u.units =
        memory_take(memory, MEMORY_SCHEDULE, zones->n * (int64_t)sizeof *u.units, err);
    if (!u.units)
        return -1;
    struct unit unit = { 0 };
    for (int64_t i = 0; i < u.n_zones; i++) {
        double cost = unit_zone_cost(zones, u.order[i]);
        if (!fits(&unit, cost, share, zones->id_bytes)) {
            if (unit.n > 0)
                u.units[u.n++] = unit;
            left -= unit.cost;
            share = unit_share(&u, left, n_workers);
            unit = (struct unit){ .first = i };
        }
        unit.n++;
        unit.cost += cost;
    }
    if (unit.n > 0)
        u.units[u.n++] = unit;
    qsort(u.units, (size_t)u.n, sizeof *u.units, compare_units);
    *units = u;
    return 0;
}
