/* Random numbers, and EWKB written by hand, for the tests of this room. */
#ifndef ROOFTALLY_TESTS_GEOMETRY_SHAPES_H
#define ROOFTALLY_TESTS_GEOMETRY_SHAPES_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct point {
    double x, y;
};

enum { SHAPE_POINTS = 4096, SHAPE_BYTES = 1 << 18 };

/* EWKB as it grows; the points are kept too, to build neighbours from. */
struct shape {
    uint8_t bytes[SHAPE_BYTES];
    int64_t n;
    bool big;       /* byte order */
    uint32_t flags; /* EWKB's Z, M and SRID bits, put into every type */
    uint32_t iso;   /* 0, 1000, 2000 or 3000, added to every type */
    struct point points[SHAPE_POINTS];
    int n_points;
    double scale, x, y; /* every point is moved: v * scale + origin */
};

static inline uint64_t random_u64(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline int random_below(uint64_t *seed, int n)
{
    return (int)(random_u64(seed) % (uint64_t)n);
}

static inline double random_unit(uint64_t *seed)
{
    return (double)(random_u64(seed) >> 11) * 0x1p-53;
}

static inline void put_bytes(struct shape *shape, const void *bytes, int n)
{
    const uint8_t *from = bytes;
    for (int i = 0; i < n; i++)
        shape->bytes[shape->n++] = from[shape->big ? n - 1 - i : i];
}

static inline int64_t put_count(struct shape *shape, uint32_t n)
{
    put_bytes(shape, &n, 4);
    return shape->n - 4;
}

static inline void put_type(struct shape *shape, uint32_t type, int32_t srid)
{
    shape->bytes[shape->n++] = shape->big ? 0 : 1;
    put_count(shape, (type + shape->iso) | shape->flags);
    if (shape->flags & 0x20000000u)
        put_bytes(shape, &srid, 4);
}

/* A part of a multi: no SRID. */
static inline void put_part(struct shape *shape, uint32_t type)
{
    uint32_t flags = shape->flags;
    shape->flags &= ~0x20000000u;
    put_type(shape, type, 0);
    shape->flags = flags;
}

static inline void put_raw(struct shape *shape, double x, double y)
{
    double rest[2] = { NAN, -INFINITY }; /* Z and M are nobody's business */
    int n_rest =
        (shape->flags & 0x80000000u ? 1 : 0) + (shape->flags & 0x40000000u ? 1 : 0);
    if (shape->iso)
        n_rest = shape->iso == 3000 ? 2 : 1;
    put_bytes(shape, &x, 8);
    put_bytes(shape, &y, 8);
    for (int i = 0; i < n_rest; i++)
        put_bytes(shape, &rest[i], 8);
}

static inline void put_moved(struct shape *shape, struct point p)
{
    struct point moved = { p.x * shape->scale + shape->x,
                           p.y * shape->scale + shape->y };
    put_raw(shape, moved.x, moved.y);
    if (shape->n_points < SHAPE_POINTS)
        shape->points[shape->n_points++] = moved;
}

/* Count, points, and the first again. */
static inline void put_ring(struct shape *shape, const struct point *points, int n)
{
    put_count(shape, (uint32_t)n + 1);
    for (int i = 0; i <= n; i++)
        put_moved(shape, points[i % n]);
}

static inline void
put_rectangle(struct shape *shape, double x0, double y0, double x1, double y1)
{
    struct point corners[4] = { { x0, y0 }, { x1, y0 }, { x1, y1 }, { x0, y1 } };
    put_ring(shape, corners, 4);
}

static inline void shape_init(struct shape *shape)
{
    shape->n = 0;
    shape->n_points = 0;
    shape->big = false;
    shape->flags = shape->iso = 0;
    shape->scale = 1;
    shape->x = shape->y = 0;
}

/* A star-shaped ring about (x, y): simple, whatever the crinkle in [0, 1). */
static inline void put_star(struct shape *shape,
                            uint64_t *seed,
                            double x,
                            double y,
                            double radius,
                            double crinkle,
                            int n)
{
    struct point points[SHAPE_POINTS];
    for (int i = 0; i < n; i++) {
        double angle = 2 * M_PI * (i + 0.9 * random_unit(seed)) / n;
        double r = radius * (1 - crinkle * random_unit(seed));
        points[i] = (struct point){ x + r * cos(angle), y + r * sin(angle) };
    }
    put_ring(shape, points, n);
}

#endif
