/*
 * Whole numbers of thousands of bits times a power of 2^32: what an exact sum becomes
 * before it is rounded.
 *
 *     value = sign * (limbs[0] + limbs[1] 2^32 + ...) * 2^(32 exponent)
 *
 * Invariants  first and last limb are not zero; n == 0 is the number 0
 */
#ifndef ROOFTALLY_STATISTICS_WIDE_H
#define ROOFTALLY_STATISTICS_WIDE_H

#include <stdint.h>

#include "exact.h"

/* Room for n * squares - sum^2 of any doubles (139 limbs) and for aligning a divisor. */
enum { WIDE_LIMBS = 144 };

struct wide {
    int32_t n;
    int32_t exponent;
    int32_t sign; /* 1 or -1 */
    uint32_t limbs[WIDE_LIMBS];
};

void wide_from_exact(struct wide *wide, const struct exact *exact);
void wide_from_integer(struct wide *wide, int64_t value);

/* out may not be an argument. */
void wide_multiply(struct wide *out, const struct wide *a, const struct wide *b);
void wide_subtract(struct wide *out, const struct wide *a, const struct wide *b);

/* Rounded to nearest even, subnormals included; infinite beyond the doubles. */
double wide_value(const struct wide *wide);
/* a / b, b not 0, rounded the same way, once. */
double wide_quotient(const struct wide *a, const struct wide *b);

#endif
