/* Zones of every kind at places of every size, and the world they are opened in. */
#ifndef ROOFTALLY_TESTS_GEOMETRY_ZONES_H
#define ROOFTALLY_TESTS_GEOMETRY_ZONES_H

#include "rooftally/geometry/zone.h"

#include "check.h"
#include "shapes.h"

enum { POLYGON = 3, MULTIPOLYGON = 6, N_KINDS = 16, BOWTIE = 9 };

static struct memory memory;
static struct geos *geos;
static struct error err;

/* A polygon of integer steps up and down: its edges lie on the borders of cells. */
static inline void put_skyline(struct shape *shape, uint64_t *seed)
{
    struct point points[64];
    int n = 0, columns = 2 + random_below(seed, 14);
    points[n++] = (struct point){ 0, 0 };
    points[n++] = (struct point){ columns, 0 };
    for (int c = columns; c > 0; c--) {
        double top = 1 + random_below(seed, 16);
        points[n++] = (struct point){ c, top };
        points[n++] = (struct point){ c - 1, top };
    }
    put_ring(shape, points, n);
}

/* Corners on a coarse lattice: many vertices on cell lines, often not simple. */
static inline void put_lattice_star(struct shape *shape, uint64_t *seed)
{
    struct point points[32];
    int n = 3 + random_below(seed, 20);
    for (int i = 0; i < n; i++) {
        double angle = 2 * M_PI * i / n, r = 8 * (0.3 + 0.7 * random_unit(seed));
        points[i] = (struct point){ round(r * cos(angle)), round(r * sin(angle)) };
    }
    put_ring(shape, points, n);
}

static inline void put_zone(struct shape *shape, uint64_t *seed, int kind)
{
    bool multi = kind == 2 || kind == 3 || kind == 7 || kind == 12;
    put_type(shape, multi ? MULTIPOLYGON : POLYGON, 0);
    switch (kind) {
    case 0: /* a crinkled polygon */
        put_count(shape, 1);
        put_star(shape, seed, 0, 0, 1, 0.4, 3 + random_below(seed, 200));
        break;
    case 1: /* with lakes */
        put_count(shape, 3);
        put_star(shape, seed, 0, 0, 1, 0.2, 20 + random_below(seed, 100));
        put_star(shape, seed, 0.3, 0, 0.2, 0.5, 3 + random_below(seed, 20));
        put_star(shape, seed, -0.3, 0.1, 0.2, 0.5, 3 + random_below(seed, 20));
        break;
    case 2: /* and islands */
        put_count(shape, 2);
        put_part(shape, POLYGON);
        put_count(shape, 1);
        put_star(shape, seed, 0, 0, 1, 0.4, 50);
        put_part(shape, POLYGON);
        put_count(shape, 1);
        put_star(shape, seed, 2.1, 0.3, 1, 0.4, 30);
        break;
    case 3: /* two that touch at a corner */
        put_count(shape, 2);
        put_part(shape, POLYGON);
        put_count(shape, 1);
        put_rectangle(shape, 0, 0, 3, 3);
        put_part(shape, POLYGON);
        put_count(shape, 1);
        put_rectangle(shape, 3, 3, 8, 8);
        break;
    case 4: /* a frame whose edges lie on cell borders */
        put_count(shape, 2);
        put_rectangle(shape, 0, 0, 16, 16);
        put_rectangle(shape, 4, 4, 8, 12);
        break;
    case 5:
        put_count(shape, 1);
        put_skyline(shape, seed);
        break;
    case 6: /* spikes */
        put_count(shape, 1);
        put_star(shape, seed, 0, 0, 1, 0.99, 5 + random_below(seed, 100));
        break;
    case 7: /* an island in a lake */
        put_count(shape, 2);
        put_part(shape, POLYGON);
        put_count(shape, 2);
        put_star(shape, seed, 0, 0, 1, 0.1, 60);
        put_star(shape, seed, 0, 0, 0.7, 0.1, 40);
        put_part(shape, POLYGON);
        put_count(shape, 1);
        put_star(shape, seed, 0, 0, 0.5, 0.3, 30);
        break;
    case 8: /* a lake that touches the shore */
        put_count(shape, 2);
        put_rectangle(shape, 0, 0, 8, 8);
        put_ring(shape, (struct point[]){ { 0, 4 }, { 3, 3 }, { 3, 5 } }, 3);
        break;
    case 9: /* a bowtie */
        put_count(shape, 1);
        put_ring(shape, (struct point[]){ { 0, 0 }, { 4, 4 }, { 4, 0 }, { 0, 4 } }, 4);
        break;
    case 10:
        put_count(shape, 1);
        put_lattice_star(shape, seed);
        break;
    case 11: /* no area at all */
        put_count(shape, 1);
        put_ring(shape,
                 (struct point[]){ { 1, 1 }, { 5, 3 }, { 9, 5 }, { 5, 3 } },
                 3 + random_below(seed, 2));
        break;
    case 12: /* two that overlap, or one in the other */
        put_count(shape, 2);
        for (int i = 0, first = random_below(seed, 2); i < 2; i++) {
            put_part(shape, POLYGON);
            put_count(shape, 1);
            if (i == first)
                put_star(shape, seed, 0, 0, 1, 0.1, 40);
            else
                put_star(shape, seed, random_unit(seed), 0, 0.4, 0.1, 20);
        }
        break;
    case 13: /* a spike that runs back over itself */
        put_count(shape, 1);
        put_ring(shape,
                 (struct point[]){ { 0, 0 },
                                   { 4, 0 },
                                   { 4, 4 },
                                   { 2, 4 },
                                   { 2, 7 },
                                   { 2, 4 },
                                   { 0, 4 } },
                 7);
        break;
    case 14: /* a hole that lies outside */
        put_count(shape, 2);
        put_star(shape, seed, 0, 0, 1, 0.2, 30);
        put_star(shape, seed, 3, 0, 1, 0.2, 30);
        break;
    default: /* a hole in a hole, either first */
        put_count(shape, 3);
        put_star(shape, seed, 0, 0, 1, 0.1, 30);
        for (int i = 0, first = random_below(seed, 2); i < 2; i++)
            put_star(shape, seed, 0, 0, i == first ? 0.7 : 0.5, 0.1, 30);
        break;
    }
}

/* Zones of every size, at places where their vertices have few digits left. */
static inline void set_place(struct shape *shape, uint64_t *seed)
{
    static const struct {
        double scale, x, y;
    } places[] = {
        { 1, 0, 0 },
        { 1, 0, 0 },
        { 0.05, -71.1, 42.4 },
        { 3000, 236000, 9e5 },
        { 1e-7, 1e9 + 1e-6, -1e9 },
        { 1e-5, 1e9, 1e9 },
        { 1e-300, 0, 0 },
        { 1e-150, 0, 0 },
        { 1e150, 1e150, 0 },
        { 1e300, 0, 0 },
        { 0.125, 1024, -64 },
        { 1e-9, 1, 1 },
    };
    int i = random_below(seed, (int)(sizeof places / sizeof *places));
    shape->scale = places[i].scale;
    shape->x = places[i].x;
    shape->y = places[i].y;
}

static inline int open_things(void **state)
{
    (void)state;
    return memory_init(&memory, 64 << 20, &err) || geos_open(&geos, &err);
}

static inline int close_things(void **state)
{
    (void)state;
    geos_close(geos);
    memory_release(&memory);
    return 0;
}

static inline struct zone *open_zone(const struct shape *shape,
                                     int64_t n_expected,
                                     enum predicate predicate,
                                     enum invalid_rule invalid)
{
    struct zone *zone;
    assert_fine(zone_open(&zone,
                          geos,
                          shape->bytes,
                          shape->n,
                          n_expected,
                          predicate,
                          invalid,
                          false,
                          &memory,
                          &err),
                &err);
    return zone;
}

static inline enum decision decided(const struct zone *zone, struct box box)
{
    uint8_t decision;
    zone_decide(zone, &box, 1, &decision);
    return (enum decision)decision;
}

#endif
