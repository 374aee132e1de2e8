#include <float.h>
#include <math.h>

#include "zone_parts.h"

const GEOSGeometry *zone_geometry(struct zone *zone)
{
    if (!zone->geometry)
        zone->geometry = geos_read(zone->geos, zone->wkb, zone->n_bytes);
    return zone->geometry;
}

static int
check(const uint8_t *wkb, int64_t n_bytes, struct ewkb *head, struct error *err)
{
    enum ewkb_fault fault = ewkb_read(wkb, n_bytes, head);
    if (fault != EWKB_FINE)
        return error_set(err, ERROR_DATA, "%s", ewkb_fault_text(fault));
    if (head->type != EWKB_POLYGON && head->type != EWKB_MULTIPOLYGON)
        return error_set(err, ERROR_DATA, "a zone must be a polygon or multipolygon");
    return 0;
}

/* GEOS is asked only where the grid cannot tell by itself. */
static int check_validity(struct zone *zone, struct error *err)
{
    if (zone->valid)
        return 0;
    if (zone->has_grid && grid_is_simple(&zone->grid)) {
        zone->valid = true;
        return 0;
    }
    const GEOSGeometry *geometry = zone_geometry(zone);
    if (!geometry)
        return error_set(err,
                         ERROR_GEOMETRY,
                         "GEOS cannot read it: %s",
                         zone->geos->text);
    zone->valid = GEOSisValid_r(zone->geos->context, geometry) == 1;
    return 0;
}

/* The grid of a zone that turns out invalid is given back. */
static int open_grid(struct zone *zone,
                     const struct ewkb *head,
                     struct memory *memory,
                     struct error *err)
{
    struct memory_mark before = memory_mark(memory);
    int built = head->spills ? 0
                             : grid_build(&zone->grid,
                                          zone->wkb,
                                          zone->n_bytes,
                                          &zone->box,
                                          head->n_vertices,
                                          zone->n_expected,
                                          memory,
                                          err);
    if (built < 0)
        return -1;
    zone->has_grid = built > 0;
    if (check_validity(zone, err))
        return -1;
    zone->has_grid = zone->has_grid && zone->valid;
    if (zone->has_grid)
        grid_fill(&zone->grid);
    else
        memory_rewind(memory, &before);
    return 0;
}

int zone_open(struct zone **zone,
              struct geos *geos,
              const uint8_t *wkb,
              int64_t n_bytes,
              int64_t n_expected,
              enum predicate predicate,
              enum invalid_rule invalid,
              bool known_valid,
              struct memory *memory,
              struct error *err)
{
    struct ewkb head;
    struct memory_mark before = memory_mark(memory);
    if (check(wkb, n_bytes, &head, err))
        return -1;
    struct zone *made = memory_take(memory, MEMORY_GRID, sizeof *made, err);
    if (!made)
        return -1;
    *made = (struct zone){ .geos = geos,
                           .wkb = wkb,
                           .n_bytes = n_bytes,
                           .n_expected = n_expected,
                           .predicate = predicate,
                           .invalid = invalid,
                           .box = head.box,
                           .empty = head.empty,
                           .valid = known_valid || head.empty };
    if (!made->empty && open_grid(made, &head, memory, err)) {
        zone_close(made);
        memory_rewind(memory, &before);
        return -1;
    }
    *zone = made;
    return 0;
}

bool zone_is_surely_valid(const uint8_t *wkb, int64_t n_bytes, struct memory *memory)
{
    struct memory_mark before = memory_mark(memory);
    struct grid grid;
    struct ewkb head;
    struct error why;
    if (check(wkb, n_bytes, &head, &why) || head.empty || head.spills)
        return false;
    bool valid = grid_build(&grid,
                            wkb,
                            n_bytes,
                            &head.box,
                            head.n_vertices,
                            head.n_vertices,
                            memory,
                            &why)
                     == 1
                 && grid_is_simple(&grid);
    memory_rewind(memory, &before);
    return valid;
}

void zone_close(struct zone *zone)
{
    if (!zone)
        return;
    if (zone->prepared)
        GEOSPreparedGeom_destroy_r(zone->geos->context, zone->prepared);
    if (zone->geometry)
        GEOSGeom_destroy_r(zone->geos->context, zone->geometry);
    zone->prepared = NULL;
    zone->geometry = NULL;
}

int64_t zone_bytes(int64_t n_expected, int64_t n_vertices)
{
    return (int64_t)sizeof(struct zone) + grid_bytes(n_expected, n_vertices);
}

bool zone_is_valid(const struct zone *zone)
{
    return zone->valid;
}

bool zone_is_empty(const struct zone *zone)
{
    return zone->empty;
}

struct box zone_box(const struct zone *zone)
{
    return zone->box;
}

int zone_cover(const struct zone *zone, struct box *boxes, int n_max, double box_cost)
{
    if (zone->empty || n_max < 1)
        return 0;
    /* the centroid of an invalid building may be in the zone, and its box in no part of it */
    if (zone->has_grid && zone->predicate != PREDICATE_CENTROID)
        return grid_cover(&zone->grid, boxes, n_max, box_cost, zone->n_expected);
    boxes[0] = zone->box;
    return 1;
}

static struct box common(const struct box *a, const struct box *b)
{
    return (struct box){ a->xmin > b->xmin ? a->xmin : b->xmin,
                         a->ymin > b->ymin ? a->ymin : b->ymin,
                         a->xmax < b->xmax ? a->xmax : b->xmax,
                         a->ymax < b->ymax ? a->ymax : b->ymax };
}

/* The most that a side can have been that was rounded down to the float x, or was not
 * rounded at all. */
static double before_rounding(double x)
{
    return x < -FLT_MAX   ? -FLT_MAX
           : x >= FLT_MAX ? INFINITY
                          : x + fabs(x) * 0x1p-22 + 0x1p-148;
}

/* Whether the inner box sticks out of the outer one however its sides were rounded. */
static bool sticks_out(const struct box *outer, const struct box *inner)
{
    return before_rounding(inner->xmin) < outer->xmin
           || before_rounding(inner->ymin) < outer->ymin
           || -before_rounding(-inner->xmax) > outer->xmax
           || -before_rounding(-inner->ymax) > outer->ymax;
}

/* The box meets the zone's but sticks out of it. What sticks out is outside, so the
 * building is not within, if it is not only its box's rounding that does; and where no
 * edge meets the rest of it, all of it is outside. */
static enum decision decide_across(const struct zone *zone, const struct box *box)
{
    if (zone->invalid == INVALID_TRUST && zone->predicate == PREDICATE_WITHIN
        && sticks_out(&zone->box, box))
        return DECISION_OUTSIDE;
    if (zone->invalid != INVALID_TRUST || !zone->has_grid)
        return DECISION_REFINE;
    struct box rest = common(&zone->box, box);
    enum decision decision = grid_decide(&zone->grid, &rest);
    return decision == DECISION_OUTSIDE ? DECISION_OUTSIDE : DECISION_REFINE;
}

static enum decision decide_box(const struct zone *zone, const struct box *box)
{
    if (zone->empty || !boxes_meet(&zone->box, box) || !box_has_point(box))
        return DECISION_OUTSIDE;
    if (!box_holds(&zone->box, box))
        return decide_across(zone, box);
    return DECISION_REFINE;
}

void zone_decide(const struct zone *zone,
                 const struct box *boxes,
                 int32_t n,
                 uint8_t *decisions)
{
    bool ask_grid = zone->has_grid && zone->invalid == INVALID_TRUST;
    for (int32_t i = 0; i < n; i++) {
        const struct box *box = &boxes[i];
        if (ask_grid && box_holds(&zone->box, box) && box_has_point(box))
            decisions[i] = (uint8_t)grid_decide(&zone->grid, box);
        else
            decisions[i] = (uint8_t)decide_box(zone, box);
    }
}

bool zone_contains_box(const struct zone *zone, const struct box *box)
{
    return zone->has_grid && zone->invalid == INVALID_TRUST && box_has_point(box)
           && box_holds(&zone->box, box) && grid_is_all(&zone->grid, box, CELL_INSIDE);
}

bool zone_excludes_box(const struct zone *zone, const struct box *box)
{
    if (zone->empty || !box_has_point(box) || !boxes_meet(&zone->box, box))
        return true;
    if (!zone->has_grid || zone->invalid != INVALID_TRUST)
        return false;
    struct box rest = common(&zone->box, box);
    return grid_is_all(&zone->grid, &rest, 0);
}

enum decision zone_decide_outline(const struct zone *zone,
                                  const struct box *box,
                                  const uint8_t *ewkb,
                                  int64_t n_bytes)
{
    if (!zone->has_grid || zone->invalid != INVALID_TRUST
        || zone->predicate == PREDICATE_CENTROID || !box_has_point(box))
        return DECISION_REFINE;
    return grid_decide_outline(&zone->grid, zone->predicate, box, ewkb, n_bytes);
}
