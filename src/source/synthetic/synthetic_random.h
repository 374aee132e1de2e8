/*
 * Random numbers by name: a stream is a function of its key, so that any part of a
 * synthetic state can be made alone.
 *
 * Origin   splitmix64, Steele, Lea and Flood 2014
 */
#ifndef ROOFTALLY_SOURCE_SYNTHETIC_RANDOM_H
#define ROOFTALLY_SOURCE_SYNTHETIC_RANDOM_H

#include <stdint.h>

enum random_kind {
    RANDOM_WEIGHT,
    RANDOM_CORNER,
    RANDOM_EDGE_EAST, /* from a corner eastward */
    RANDOM_EDGE_NORTH,
    RANDOM_LAKE,
    RANDOM_SHORE,
    RANDOM_ISLAND,
    RANDOM_TOWNS,
    RANDOM_NAME,
    RANDOM_BUILDING,
};

struct random_stream {
    uint64_t at;
};

static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The stream of the thing of this kind that two numbers name. */
static inline struct random_stream
random_open(uint64_t seed, enum random_kind kind, int64_t a, int64_t b)
{
    uint64_t x = random_mix(seed + UINT64_C(0x9e3779b97f4a7c15) * (kind + 1));
    x = random_mix(x ^ (uint64_t)a);
    x = random_mix((x + UINT64_C(0xd1342543de82ef95)) ^ (uint64_t)b);
    return (struct random_stream){ x };
}

static inline uint64_t random_next(struct random_stream *random)
{
    random->at += UINT64_C(0x9e3779b97f4a7c15);
    return random_mix(random->at);
}

/* Uniform in [0, 1). */
static inline double random_unit(struct random_stream *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* Uniform in [-1, 1). */
static inline double random_signed(struct random_stream *random)
{
    return 2 * random_unit(random) - 1;
}

/* Uniform in 0 to n - 1, for n far below 2^32. */
static inline int random_below(struct random_stream *random, int n)
{
    return (int)(((random_next(random) >> 32) * (uint64_t)n) >> 32);
}

#endif
