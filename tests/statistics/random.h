/* Generated cases with a fixed seed: splitmix64. */
#ifndef ROOFTALLY_TESTS_STATISTICS_RANDOM_H
#define ROOFTALLY_TESTS_STATISTICS_RANDOM_H

#include <stdint.h>

static inline uint64_t next_random(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

#endif
