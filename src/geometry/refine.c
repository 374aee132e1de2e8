/* GEOS answers: the zone's invalid rule for the building, then the predicate. */
#include <math.h>
#include <stdio.h>

#include "locate.h"
#include "zone_parts.h"

/* What a GEOS predicate returns. */
enum { GEOS_FALSE = 0, GEOS_TRUE = 1, GEOS_EXCEPTION = 2 };

static int reject(struct zone *zone,
                  enum decision *decision,
                  char reason[REASON_BYTES],
                  const char *prefix)
{
    const char *text = zone->geos->text[0] ? zone->geos->text : "GEOS gives no reason";
    char line[2 * REASON_BYTES];
    snprintf(line, sizeof line, "%s%s", prefix, text);
    geos_clean(reason, line);
    *decision = DECISION_REJECTED;
    return 0;
}

static bool prepare(struct zone *zone)
{
    if (zone->prepared)
        return true;
    const GEOSGeometry *geometry = zone_geometry(zone);
    if (geometry)
        zone->prepared = GEOSPrepare_r(zone->geos->context, geometry);
    return zone->prepared != NULL;
}

/* Whether the building is valid: 1, or 0 with the reason in geos->text. */
static int is_valid(struct geos *geos, const GEOSGeometry *building)
{
    int answer = GEOSisValid_r(geos->context, building);
    if (answer != GEOS_FALSE)
        return answer == GEOS_TRUE;
    char *text = GEOSisValidReason_r(geos->context, building);
    if (text)
        geos_clean(geos->text, text);
    GEOSFree_r(geos->context, text);
    return 0;
}

/* Products of a zone's widths and heights stay in the range of doubles. */
static bool can_locate(const struct zone *zone)
{
    double width = zone->box.xmax - zone->box.xmin;
    double height = zone->box.ymax - zone->box.ymin;
    return width > 1e-140 && width < 1e140 && height > 1e-140 && height < 1e140;
}

/* Of a point or several: within the zone are points of which one is inside and none
 * outside. */
static char ask_of_points(struct zone *zone, const GEOSGeometry *points)
{
    GEOSContextHandle_t context = zone->geos->context;
    bool intersects = zone->predicate == PREDICATE_INTERSECTS;
    int n_at[3] = { 0, 0, 0 }, n = GEOSGetNumGeometries_r(context, points);
    if (!can_locate(zone))
        return intersects ? GEOSPreparedIntersects_r(context, zone->prepared, points)
                          : GEOSPreparedContains_r(context, zone->prepared, points);
    for (int i = 0; i < n; i++) {
        double x, y;
        const GEOSGeometry *point = GEOSGetGeometryN_r(context, points, i);
        if (!point || GEOSGeomGetX_r(context, point, &x) != 1
            || GEOSGeomGetY_r(context, point, &y) != 1)
            return GEOS_EXCEPTION;
        if (x < zone->box.xmin || x > zone->box.xmax || y < zone->box.ymin
            || y > zone->box.ymax)
            n_at[LOCATION_OUTSIDE]++;
        else
            n_at[locate(zone->wkb, zone->n_bytes, x, y)]++;
    }
    if (intersects)
        return n_at[LOCATION_INSIDE] + n_at[LOCATION_BORDER] > 0;
    return n_at[LOCATION_INSIDE] > 0 && n_at[LOCATION_OUTSIDE] == 0;
}

static char ask_of_centroid(struct zone *zone, const GEOSGeometry *building)
{
    GEOSContextHandle_t context = zone->geos->context;
    GEOSGeometry *centroid = GEOSGetCentroid_r(context, building);
    if (!centroid)
        return GEOS_EXCEPTION;
    char answer = GEOSisEmpty_r(context, centroid);
    if (answer == GEOS_FALSE)
        answer = ask_of_points(zone, centroid);
    else if (answer == GEOS_TRUE)
        answer = GEOS_FALSE;
    GEOSGeom_destroy_r(context, centroid);
    return answer;
}

static char ask(struct zone *zone, const GEOSGeometry *building)
{
    GEOSContextHandle_t context = zone->geos->context;
    if (zone->predicate == PREDICATE_CENTROID)
        return ask_of_centroid(zone, building);
    int type = GEOSGeomTypeId_r(context, building);
    if (type == GEOS_POINT || type == GEOS_MULTIPOINT)
        return ask_of_points(zone, building);
    if (zone->predicate == PREDICATE_INTERSECTS)
        return GEOSPreparedIntersects_r(context, zone->prepared, building);
    return GEOSPreparedContains_r(context, zone->prepared, building);
}

static int decide(struct zone *zone,
                  const GEOSGeometry *building,
                  enum decision *decision,
                  char reason[REASON_BYTES])
{
    zone->geos->text[0] = '\0';
    if (!prepare(zone))
        return reject(zone, decision, reason, "zone: ");
    char answer = ask(zone, building);
    if (answer != GEOS_TRUE && answer != GEOS_FALSE)
        return reject(zone, decision, reason, "");
    *decision = answer == GEOS_TRUE ? DECISION_INSIDE : DECISION_OUTSIDE;
    return 0;
}

/* The rule for a building that is invalid, or that GEOS cannot even read (NULL). */
static int apply_rule(struct zone *zone,
                      const GEOSGeometry *building,
                      enum decision *decision,
                      char reason[REASON_BYTES],
                      struct error *err)
{
    struct geos *geos = zone->geos;
    if (zone->invalid == INVALID_FAIL)
        return error_set(err, ERROR_DATA, "%s", geos->text);
    if (zone->invalid != INVALID_REPAIR || !building)
        return reject(zone, decision, reason, "");
    GEOSGeometry *repaired = GEOSMakeValid_r(geos->context, building);
    if (!repaired)
        return reject(zone, decision, reason, "cannot be repaired: ");
    int status = decide(zone, repaired, decision, reason);
    GEOSGeom_destroy_r(geos->context, repaired);
    return status;
}

/* The part of a box that may matter to the zone: GEOS cannot reckon with what reaches far
 * beyond it. */
static struct box near_zone(const struct zone *zone, const struct box *box)
{
    const struct box *of = &zone->box;
    double margin = of->xmax - of->xmin + of->ymax - of->ymin;
    return (struct box){ fmax(box->xmin, of->xmin - margin),
                         fmax(box->ymin, of->ymin - margin),
                         fmin(box->xmax, of->xmax + margin),
                         fmin(box->ymax, of->ymax + margin) };
}

bool zone_meets_box(struct zone *zone, const struct box *box)
{
    GEOSContextHandle_t context = zone->geos->context;
    if (zone->empty || box_is_empty(box) || !boxes_meet(&zone->box, box))
        return false;
    struct box part = near_zone(zone, box);
    GEOSGeometry *rectangle =
        GEOSGeom_createRectangle_r(context, part.xmin, part.ymin, part.xmax, part.ymax);
    char answer = rectangle && prepare(zone)
                      ? GEOSPreparedIntersects_r(context, zone->prepared, rectangle)
                      : GEOS_EXCEPTION;
    if (rectangle)
        GEOSGeom_destroy_r(context, rectangle);
    return answer != GEOS_FALSE;
}

int zone_refine(struct zone *zone,
                const uint8_t *ewkb,
                int64_t n_bytes,
                enum decision *decision,
                char reason[REASON_BYTES],
                struct error *err)
{
    struct ewkb head;
    struct geos *geos = zone->geos;
    if (zone->empty || (ewkb_read(ewkb, n_bytes, &head) == EWKB_FINE && head.empty)) {
        *decision = DECISION_OUTSIDE;
        return 0;
    }
    GEOSGeometry *building = geos_read(geos, ewkb, n_bytes);
    int status;
    if (!building || (zone->invalid != INVALID_TRUST && !is_valid(geos, building)))
        status = apply_rule(zone, building, decision, reason, err);
    else
        status = decide(zone, building, decision, reason);
    if (building)
        GEOSGeom_destroy_r(geos->context, building);
    return status;
}
