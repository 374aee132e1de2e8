#include "sampler.h"

#include "rooftally/base/clock.h"

void sampler_init(struct sampler *sampler, const struct memory *memory, double start_s)
{
    *sampler =
        (struct sampler){ .memory = memory, .start_s = start_s, .interval_s = 0.05 };
    sampler_take(sampler);
}

void sampler_take(struct sampler *sampler)
{
    if (sampler->n == SAMPLER_MOST) {
        for (int i = 0; i < SAMPLER_MOST / 2; i++)
            sampler->samples[i] = sampler->samples[2 * i];
        sampler->n = SAMPLER_MOST / 2;
        sampler->interval_s *= 2;
    }
    double now_s = clock_wall_s();
    sampler->samples[sampler->n++] =
        (struct memory_sample){ .time_s = now_s - sampler->start_s,
                                .rss_bytes = memory_rss_bytes(),
                                .heap_bytes = memory_heap_bytes(),
                                .live_bytes = sampler->memory->used_bytes };
    sampler->next_s = now_s + sampler->interval_s;
}

void sampler_tick(struct sampler *sampler)
{
    if (clock_wall_s() >= sampler->next_s)
        sampler_take(sampler);
}
