/*
 * Geometry: a zone and a building of it. Input: a byte of options, the length of the zone's
 * EWKB in two, its bytes, and those of the building. Whatever comes is read within its
 * bytes; what is fine can be flattened and measured; and the grid never disagrees with GEOS.
 */
#include <math.h>

#include "rooftally/base/memory.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/measure.h"
#include "rooftally/geometry/zone.h"

#include "fuzz.h"
#include "geometry/shapes.h"

static struct geos *geos;
static struct memory memory;

static void
put_seed(uint8_t options, const struct shape *zone, const struct shape *house)
{
    static uint8_t bytes[2 * SHAPE_BYTES + 3];
    bytes[0] = options;
    bytes[1] = (uint8_t)zone->n;
    bytes[2] = (uint8_t)(zone->n >> 8);
    memcpy(bytes + 3, zone->bytes, (size_t)zone->n);
    memcpy(bytes + 3 + zone->n, house->bytes, (size_t)house->n);
    seed(bytes, (size_t)(3 + zone->n + house->n));
}

static void make_zone(struct shape *zone, bool big, uint32_t flags, uint32_t iso)
{
    shape_init(zone);
    zone->big = big;
    zone->flags = flags;
    zone->iso = iso;
    put_type(zone, 6, 4326);
    put_count(zone, 2);
    put_part(zone, 3);
    put_count(zone, 2);
    put_rectangle(zone, 0, 0, 10, 10);
    put_rectangle(zone, 4, 4, 6, 6);
    put_part(zone, 3);
    put_count(zone, 1);
    put_rectangle(zone, 20, 0, 30, 10);
}

static void make_house(struct shape *house, uint32_t type, uint32_t flags)
{
    shape_init(house);
    house->flags = flags;
    put_type(house, type, 4326);
    switch (type) {
    case 1:
        put_raw(house, 1, 2);
        break;
    case 2:
        put_rectangle(house, 1, 1, 2, 3);
        break;
    case 3:
        put_count(house, 1);
        put_rectangle(house, 1, 1, 2, 3);
        break;
    case 4:
        put_count(house, 2);
        put_part(house, 1);
        put_raw(house, 1, 2);
        put_part(house, 1);
        put_raw(house, 5, 5);
        break;
    default:
        put_count(house, 2);
        put_part(house, 3);
        put_count(house, 1);
        put_rectangle(house, 1, 1, 2, 3);
        put_part(house, 3);
        put_count(house, 1);
        put_rectangle(house, 9, 9, 11, 11);
    }
}

static void seeds(void)
{
    static struct shape zone, house;
    must(geos_open(&geos, NULL) == 0 && memory_init(&memory, 8 << 20, NULL) == 0);
    for (uint32_t i = 0; i < 12; i++) {
        static const uint32_t types[] = { 1, 2, 3, 4, 6, 7 };
        static const uint32_t flags[] = { 0, 0x20000000u, 0xa0000000u, 0xe0000000u };
        make_zone(&zone, i & 1, i & 2 ? 0x20000000u : 0, i & 4 ? 1000 * (i % 3) : 0);
        make_house(&house, types[i % 6], flags[i % 4]);
        put_seed((uint8_t)(37 * i), &zone, &house);
    }
}

static void read_geometry(const uint8_t *bytes, int64_t n)
{
    struct ewkb head = { 0 }, flat_head;
    struct box box;
    struct error err;
    enum ewkb_fault fault = ewkb_read(bytes, n, &head);
    must(ewkb_fault_text(fault));
    int bounded = ewkb_bounds(bytes, n, &box);
    if (fault != EWKB_FINE)
        return;
    must(bounded == 0);
    /* holes are passed over by the one */
    must(head.empty ? box.xmin > box.xmax : box_holds(&head.box, &box));
    uint8_t *flat = malloc(n ? (size_t)n : 1);
    int64_t n_flat = ewkb_flatten(bytes, n, flat, n, &err);
    must(n_flat > 0 && n_flat <= n);
    must(ewkb_read(flat, n_flat, &flat_head) == EWKB_FINE);
    must(flat_head.n_vertices == head.n_vertices && flat_head.srid == 0);
    must(head.empty || memcmp(&flat_head.box, &head.box, sizeof box) == 0);
    free(flat);
    if (!head.empty)
        ewkb_centroid_box(bytes, n, &head);
    for (int i = 0; i < 2; i++) {
        struct crs crs = { .geographic = i,
                           .semimajor_m = 6378137,
                           .flattening = 1 / 298.257223563,
                           .unit = 1 };
        struct measures measures;
        if (measure(&crs, bytes, n, head.n_vertices < 500, &measures, &err) == 0)
            must(measures.n_vertices == head.n_vertices && !(measures.area_m2 < 0));
        else
            must_tell(&err);
    }
}

/* What the program does with a building of a zone. */
static void decide(struct zone *zone,
                   enum predicate predicate,
                   enum invalid_rule rule,
                   const uint8_t *bytes,
                   int64_t n)
{
    struct ewkb head;
    if (ewkb_read(bytes, n, &head) != EWKB_FINE)
        return;
    struct box box = head.box, boxes[16];
    if (predicate == PREDICATE_CENTROID && rule == INVALID_TRUST && !head.empty)
        box = ewkb_centroid_box(bytes, n, &head);
    uint8_t quick;
    enum decision slow = DECISION_REFINE;
    char reason[REASON_BYTES];
    struct error err = { ERROR_NONE, "" };
    zone_decide(zone, &box, 1, &quick);
    must(quick <= DECISION_REFINE);
    int n_cover = zone_cover(zone, boxes, 16, 1);
    must(n_cover >= 0 && n_cover <= 16);
    zone_meets_box(zone, &head.box);
    if (zone_refine(zone, bytes, n, &slow, reason, &err) < 0) {
        must(rule == INVALID_FAIL && err.code == ERROR_DATA);
        must_tell(&err);
        return;
    }
    must(slow == DECISION_INSIDE || slow == DECISION_OUTSIDE
         || slow == DECISION_REJECTED);
    if (slow == DECISION_REJECTED) {
        must(reason[0] && memchr(reason, '\0', REASON_BYTES));
        return;
    }
    if (quick != DECISION_REFINE && ewkb_fault_of(EWKB_FINE, &head) == EWKB_FINE)
        must(quick == slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct taker taker = { bytes, n };
    uint8_t options = take_byte(&taker);
    size_t n_zone = take_short(&taker);
    n_zone = n_zone < taker.n ? n_zone : taker.n;
    /* blocks of exactly their size, so that every step over is seen */
    uint8_t *wkb = malloc(n_zone + 1), *house = malloc(taker.n - n_zone + 1);
    int64_t n_house = (int64_t)(taker.n - n_zone);
    memcpy(wkb, taker.bytes, n_zone);
    memcpy(house, taker.bytes + n_zone, (size_t)n_house);
    wkb = realloc(wkb, n_zone ? n_zone : 1);
    house = realloc(house, n_house ? (size_t)n_house : 1);
    read_geometry(wkb, (int64_t)n_zone);
    read_geometry(house, n_house);

    struct memory_mark mark = memory_mark(&memory);
    struct zone *zone;
    struct error err = { ERROR_NONE, "" };
    enum predicate predicate = (enum predicate)(options % 3);
    enum invalid_rule rule = (enum invalid_rule)(options / 3 % 4);
    if (zone_open(&zone,
                  geos,
                  wkb,
                  (int64_t)n_zone,
                  INT64_C(1) << (options / 12),
                  predicate,
                  rule,
                  false,
                  &memory,
                  &err)
        == 0) {
        decide(zone, predicate, rule, house, n_house);
        zone_close(zone);
    } else {
        must_tell(&err);
    }
    memory_rewind(&memory, &mark);
    free(house);
    free(wkb);
    return 0;
}
