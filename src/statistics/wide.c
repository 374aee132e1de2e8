#include "wide.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void trim(struct wide *wide)
{
    int32_t first = 0;
    while (wide->n > 0 && wide->limbs[wide->n - 1] == 0)
        wide->n--;
    while (first < wide->n && wide->limbs[first] == 0)
        first++;
    wide->n -= first;
    wide->exponent += first;
    memmove(wide->limbs, wide->limbs + first, (size_t)wide->n * sizeof *wide->limbs);
    if (wide->n == 0)
        wide->exponent = 0;
}

/* Carries everything up; a negative top limb means two's complement, which is turned
 * into sign and magnitude by negating limb by limb. */
void wide_from_exact(struct wide *wide, const struct exact *exact)
{
    static_assert(WIDE_LIMBS >= EXACT_LIMBS + 1, "the top limb of a sum may fill two");
    wide->n = EXACT_LIMBS + 1;
    wide->exponent = -EXACT_ONE;
    int64_t above = 0;
    for (int i = 0; i < EXACT_LIMBS; i++) {
        int64_t limb = exact->limbs[i] + above;
        wide->limbs[i] = (uint32_t)limb;
        above = limb >> 32;
    }
    wide->limbs[EXACT_LIMBS] = (uint32_t)above;
    wide->sign = above < 0 ? -1 : 1;
    uint64_t one = 1;
    for (int i = 0; i < wide->n && above < 0; i++) {
        uint64_t limb = (uint64_t)(uint32_t)~wide->limbs[i] + one;
        wide->limbs[i] = (uint32_t)limb;
        one = limb >> 32;
    }
    trim(wide);
}

void wide_from_integer(struct wide *wide, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    wide->n = 2;
    wide->exponent = 0;
    wide->sign = value < 0 ? -1 : 1;
    wide->limbs[0] = (uint32_t)magnitude;
    wide->limbs[1] = (uint32_t)(magnitude >> 32);
    trim(wide);
}

void wide_multiply(struct wide *out, const struct wide *a, const struct wide *b)
{
    assert(a->n + b->n <= WIDE_LIMBS);
    out->n = a->n + b->n;
    out->exponent = a->exponent + b->exponent;
    out->sign = a->sign * b->sign;
    memset(out->limbs, 0, (size_t)out->n * sizeof *out->limbs);
    for (int i = 0; i < a->n; i++) {
        uint64_t above = 0;
        for (int j = 0; j < b->n; j++) {
            above += (uint64_t)a->limbs[i] * b->limbs[j] + out->limbs[i + j];
            out->limbs[i + j] = (uint32_t)above;
            above >>= 32;
        }
        out->limbs[i + b->n] = (uint32_t)above;
    }
    trim(out);
}

/* The limb that weighs 2^(32 exponent). */
static uint32_t limb_at(const struct wide *wide, int32_t exponent)
{
    int32_t i = exponent - wide->exponent;
    return i >= 0 && i < wide->n ? wide->limbs[i] : 0;
}

static int compare_magnitude(const struct wide *a, const struct wide *b)
{
    int32_t a_top = a->exponent + a->n, b_top = b->exponent + b->n;
    int32_t a_low = a->exponent, low = b->exponent < a_low ? b->exponent : a_low;
    if (a->n == 0 || b->n == 0)
        return (a->n > 0) - (b->n > 0);
    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    for (int32_t at = a_top - 1; at >= low; at--) {
        uint32_t x = limb_at(a, at), y = limb_at(b, at);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

/* |a| + sign * |b|; with sign -1, |a| >= |b|. */
static void
combine(struct wide *out, const struct wide *a, const struct wide *b, int64_t sign)
{
    int32_t a_top = a->exponent + a->n, b_top = b->exponent + b->n;
    int32_t low = b->exponent < a->exponent ? b->exponent : a->exponent;
    out->exponent = low;
    out->n = (b_top > a_top ? b_top : a_top) - low + 1;
    assert(out->n <= WIDE_LIMBS);
    int64_t above = 0;
    for (int i = 0; i < out->n; i++) {
        above += (int64_t)limb_at(a, low + i) + sign * (int64_t)limb_at(b, low + i);
        out->limbs[i] = (uint32_t)above;
        above >>= 32;
    }
    trim(out);
}

void wide_subtract(struct wide *out, const struct wide *a, const struct wide *b)
{
    if (b->n == 0) {
        *out = *a;
    } else if (a->n == 0) {
        *out = *b;
        out->sign = -b->sign;
    } else if (a->sign != b->sign) {
        combine(out, a, b, 1);
        out->sign = a->sign;
    } else if (compare_magnitude(a, b) >= 0) {
        combine(out, a, b, -1);
        out->sign = a->sign;
    } else {
        combine(out, b, a, -1);
        out->sign = -a->sign;
    }
}

/*
 * sign * (top + a little more, if `more`) * 2^exponent, with the highest bit of top set.
 * A subnormal keeps fewer than 53 bits, down to none.
 */
static double compose(int32_t sign, uint64_t top, int more, int64_t exponent)
{
    int64_t highest = exponent + 63;
    int64_t keep = highest >= -1022 ? 53 : 53 - (-1022 - highest);
    if (highest > 1023)
        return sign * HUGE_VAL;
    if (keep < 0)
        return sign * 0.0;
    int64_t drop = 64 - keep;
    uint64_t half = UINT64_C(1) << (drop - 1);
    uint64_t kept = drop == 64 ? 0 : top >> drop;
    uint64_t rest = drop == 64 ? top : top & ((half << 1) - 1);
    if (rest > half || (rest == half && (more || (kept & 1))))
        kept++;
    return sign * ldexp((double)kept, (int)(exponent + drop));
}

static int leading_zeros(uint32_t limb)
{
    return __builtin_clz(limb);
}

double wide_value(const struct wide *wide)
{
    if (wide->n == 0)
        return 0;
    int32_t top_at = wide->n - 1;
    unsigned __int128 bits = 0;
    for (int k = 0; k < 3; k++)
        bits = bits << 32 | (top_at - k >= 0 ? wide->limbs[top_at - k] : 0);
    int zeros = leading_zeros(wide->limbs[top_at]);
    bits <<= 32 + zeros;
    int more = (uint64_t)bits != 0 || top_at > 2; /* the first limb is not zero */
    int64_t exponent = 32 * ((int64_t)wide->exponent + wide->n) - zeros - 64;
    return compose(wide->sign, (uint64_t)(bits >> 64), more, exponent);
}

/* limbs[n] = limbs[n] * 2^bits + low ones shifted in; bits < 32. */
static void shift_left(uint32_t *limbs, int32_t n, int bits)
{
    if (bits == 0)
        return;
    for (int32_t i = n - 1; i > 0; i--)
        limbs[i] = limbs[i] << bits | limbs[i - 1] >> (32 - bits);
    limbs[0] <<= bits;
}

/* Copies the limbs of a number to the top of n limbs, highest bit of the last but one
 * set: 1/2 <= fraction < 1, with a limb above it for the remainder to grow into. */
static void align(uint32_t *limbs, int32_t n, const struct wide *wide)
{
    memset(limbs, 0, (size_t)n * sizeof *limbs);
    memcpy(limbs + n - 1 - wide->n, wide->limbs, (size_t)wide->n * sizeof *limbs);
    shift_left(limbs, n, leading_zeros(wide->limbs[wide->n - 1]));
}

/* a -= b where a >= b; whether it was. */
static int take_away(uint32_t *a, const uint32_t *b, int32_t n)
{
    int32_t top = n - 1;
    while (top > 0 && a[top] == b[top])
        top--;
    if (a[top] < b[top])
        return 0;
    int64_t above = 0;
    for (int32_t i = 0; i <= top; i++) {
        above += (int64_t)a[i] - b[i];
        a[i] = (uint32_t)above;
        above >>= 32;
    }
    for (int32_t i = top + 1; i < n; i++)
        a[i] = 0;
    return 1;
}

/* Long division, a bit at a time, until 64 bits follow the first that is set: a few
 * limbs as a rule, so under a microsecond, and nothing to get subtly wrong. */
double wide_quotient(const struct wide *a, const struct wide *b)
{
    uint32_t rest[WIDE_LIMBS], divisor[WIDE_LIMBS];
    assert(b->n > 0);
    if (a->n == 0)
        return 0;
    int32_t n = (a->n > b->n ? a->n : b->n) + 1;
    assert(n <= WIDE_LIMBS);
    align(rest, n, a);
    align(divisor, n, b);
    int64_t exponent =
        32 * ((int64_t)a->exponent + a->n) - leading_zeros(a->limbs[a->n - 1])
        - 32 * ((int64_t)b->exponent + b->n) + leading_zeros(b->limbs[b->n - 1]);
    uint64_t quotient = 0;
    for (exponent++; quotient >> 63 == 0; exponent--) {
        quotient = quotient << 1 | (uint64_t)take_away(rest, divisor, n);
        shift_left(rest, n, 1);
    }
    int more = 0;
    for (int32_t i = 0; i < n; i++)
        more |= rest[i] != 0;
    return compose(a->sign * b->sign, quotient, more, exponent);
}
