/* Synthetic states and zones for tests, in a memory of their own. */
#ifndef ROOFTALLY_TESTS_SYNTHETIC_STATE_H
#define ROOFTALLY_TESTS_SYNTHETIC_STATE_H

#include "rooftally/source/synthetic.h"

#include "check.h"

static struct memory memory;

static int set_up(void **context)
{
    (void)context;
    return memory_init(&memory, 64 * 1024 * 1024, NULL);
}

static int tear_down(void **context)
{
    (void)context;
    memory_release(&memory);
    return 0;
}

static struct synthetic_state
new_state(int64_t n_zones, int64_t n_buildings, uint64_t seed)
{
    struct synthetic_state state;
    struct error err = { ERROR_NONE, "" };
    assert_fine(synthetic_init(&state, n_zones, n_buildings, seed, &memory, &err),
                &err);
    return state;
}

static struct synthetic_zone new_zone(const struct synthetic_state *state, int64_t row)
{
    struct synthetic_zone zone;
    struct error err = { ERROR_NONE, "" };
    assert_fine(synthetic_zone(&zone, state, row, &memory, &err), &err);
    return zone;
}

#endif
