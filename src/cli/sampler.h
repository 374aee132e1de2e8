/*
 * Samples of a rank's memory over time, never more than SAMPLER_MOST: when they are
 * full, every second one goes and the interval doubles.
 */
#ifndef ROOFTALLY_CLI_SAMPLER_H
#define ROOFTALLY_CLI_SAMPLER_H

#include "rooftally/base/memory.h"
#include "rooftally/result/result.h"

enum { SAMPLER_MOST = 256 };

struct sampler {
    const struct memory *memory;
    double start_s, next_s, interval_s;
    int n;
    struct memory_sample samples[SAMPLER_MOST];
};

void sampler_init(struct sampler *sampler, const struct memory *memory, double start_s);
/* Take a sample if one is due. */
void sampler_tick(struct sampler *sampler);
/* Take one now. */
void sampler_take(struct sampler *sampler);

#endif
