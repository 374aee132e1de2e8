/*
 * Values as PostgreSQL orders them, in 64-bit keys: sorting and selecting.
 *
 * A double's key is its bits, those of negative numbers mirrored, so that keys compare
 * as numbers do: -infinity < ... < 0 < ... < infinity < NaN; -0 is 0, all NaNs are one.
 * An integer is its own key.
 */
#ifndef ROOFTALLY_STATISTICS_ORDER_H
#define ROOFTALLY_STATISTICS_ORDER_H

#include <stdint.h>
#include <string.h>

#include "rooftally/base/terms.h"

static inline int64_t order_key(double value)
{
    double plain = value != value ? __builtin_nan("") : value + 0.0;
    int64_t bits;
    memcpy(&bits, &plain, sizeof bits);
    return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}

static inline double order_real(int64_t key)
{
    int64_t bits = key ^ (int64_t)((uint64_t)(key >> 63) >> 1);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The value of a key of a column of this type, as a double. */
static inline double order_value(int64_t key, enum value_type type)
{
    return type == TYPE_REAL ? order_real(key) : (double)key;
}

void order_sort(int64_t *keys, int64_t n);

/* Move the key of rank k to keys[k], smaller or equal ones before it, greater or equal
 * ones after it. */
void order_select(int64_t *keys, int64_t n, int64_t k);

#endif
