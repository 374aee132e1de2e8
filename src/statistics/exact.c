#include "exact.h"

#include <math.h>
#include <string.h>

#include "wide.h"

/* An addition puts less than 2^53 into a limb: after 1000 of them it is far from full. */
enum { MOST_PENDING = 1000 };

enum { NOT_A_NUMBER = 1, PLUS_INFINITY = 2, MINUS_INFINITY = 4 };

#define LOW_HALF UINT64_C(0xffffffff)
#define FRACTION ((UINT64_C(1) << 52) - 1)

/* A finite double: sign * mantissa * 2^(exponent - 1075). */
struct parts {
    uint64_t mantissa;
    uint32_t exponent; /* 1..2046 */
    int64_t sign;      /* 0, or -1 for negative */
};

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline struct parts split(uint64_t bits)
{
    uint32_t exponent = (uint32_t)(bits >> 52) & 0x7ff;
    uint32_t normal = exponent != 0;
    return (struct parts){ .mantissa = (bits & FRACTION) | (uint64_t)normal << 52,
                           .exponent = exponent + !normal,
                           .sign = (int64_t)bits >> 63 };
}

static inline bool is_special(uint64_t bits)
{
    return (~bits & UINT64_C(0x7ff0000000000000)) == 0;
}

/* Negates where sign is -1. */
static inline int64_t with_sign(uint64_t magnitude, int64_t sign)
{
    return ((int64_t)magnitude ^ sign) - sign;
}

void exact_init(struct exact *exact)
{
    memset(exact, 0, sizeof *exact);
}

/* Afterwards every limb but the last, which holds the sign, is in 0 .. 2^32 - 1: one
 * value has one form. */
static void carry(struct exact *exact)
{
    int64_t above = 0;
    for (int i = 0; i < EXACT_LIMBS - 1; i++) {
        int64_t limb = exact->limbs[i] + above;
        exact->limbs[i] = limb & (int64_t)LOW_HALF;
        above = limb >> 32;
    }
    exact->limbs[EXACT_LIMBS - 1] += above;
    exact->n_pending = 0;
}

/* How many of n additions fit before the next carry. */
static inline int64_t reserve(struct exact *exact, int64_t n)
{
    if (exact->n_pending >= MOST_PENDING)
        carry(exact);
    int64_t fits = MOST_PENDING - exact->n_pending;
    fits = n < fits ? n : fits;
    exact->n_pending += (int32_t)fits;
    return fits;
}

static void add_special(struct exact *exact, double value)
{
    if (isnan(value))
        exact->specials |= NOT_A_NUMBER;
    else
        exact->specials |= value > 0 ? PLUS_INFINITY : MINUS_INFINITY;
}

/*
 * The mantissa, moved to its place, spans two limbs; the upper one takes what is left,
 * up to 52 bits, and is cut when carries move.
 *
 *     mantissa         |---------- 53 bits ----------|
 *     limbs      ... 64 | 32 high ... | 32 low | s zero bits
 */
static inline void add_real(struct exact *exact, uint64_t bits)
{
    struct parts x = split(bits);
    uint32_t at = x.exponent - 1075 + 32 * EXACT_ONE;
    int64_t *limb = exact->limbs + (at >> 5);
    uint32_t shift = at & 31;
    limb[0] += with_sign((x.mantissa << shift) & LOW_HALF, x.sign);
    limb[1] += with_sign(x.mantissa >> (32 - shift), x.sign);
}

void exact_add_reals(struct exact *exact, const double *values, int64_t n)
{
    while (n > 0) {
        int64_t fits = reserve(exact, n);
        for (int64_t i = 0; i < fits; i++) {
            uint64_t bits = bits_of(values[i]);
            if (is_special(bits))
                add_special(exact, values[i]);
            else
                add_real(exact, bits);
        }
        values += fits;
        n -= fits;
    }
}

void exact_add_integers(struct exact *exact, const int64_t *values, int64_t n)
{
    while (n > 0) {
        int64_t fits = reserve(exact, n), low = 0, high = 0;
        for (int64_t i = 0; i < fits; i++) {
            low += values[i] & (int64_t)LOW_HALF;
            high += values[i] >> 32;
        }
        exact->limbs[EXACT_ONE] += low;
        exact->limbs[EXACT_ONE + 1] += high;
        values += fits;
        n -= fits;
    }
}

/* 106 bits: 32, 32, 32 and the rest, from the limb of the lowest bit upwards. */
static inline void add_product(struct exact *exact, struct parts a, struct parts b)
{
    unsigned __int128 product = (unsigned __int128)a.mantissa * b.mantissa;
    int64_t sign = a.sign ^ b.sign;
    uint32_t at = a.exponent + b.exponent - 2 * 1075 + 32 * EXACT_ONE;
    int64_t *limb = exact->limbs + (at >> 5);
    uint32_t shift = at & 31;
    unsigned __int128 above = product >> (32 - shift);
    limb[0] += with_sign(((uint64_t)product << shift) & LOW_HALF, sign);
    limb[1] += with_sign((uint64_t)above & LOW_HALF, sign);
    limb[2] += with_sign((uint64_t)(above >> 32) & LOW_HALF, sign);
    limb[3] += with_sign((uint64_t)(above >> 64), sign);
}

void exact_add_products(struct exact *exact,
                        const double *a,
                        const double *b,
                        int64_t n)
{
    while (n > 0) {
        int64_t fits = reserve(exact, n);
        for (int64_t i = 0; i < fits; i++) {
            uint64_t a_bits = bits_of(a[i]), b_bits = bits_of(b[i]);
            if (is_special(a_bits) || is_special(b_bits))
                add_special(exact, a[i] * b[i]);
            else
                add_product(exact, split(a_bits), split(b_bits));
        }
        a += fits;
        b += fits;
        n -= fits;
    }
}

void exact_add_real_squares(struct exact *exact, const double *values, int64_t n)
{
    while (n > 0) {
        int64_t fits = reserve(exact, n);
        for (int64_t i = 0; i < fits; i++) {
            uint64_t bits = bits_of(values[i]);
            struct parts x = split(bits);
            if (is_special(bits))
                add_special(exact, values[i] * values[i]);
            else
                add_product(exact, x, x);
        }
        values += fits;
        n -= fits;
    }
}

void exact_add_integer_squares(struct exact *exact, const int64_t *values, int64_t n)
{
    while (n > 0) {
        int64_t fits = reserve(exact, n), sums[4] = { 0 };
        for (int64_t i = 0; i < fits; i++) {
            unsigned __int128 square =
                (unsigned __int128)((__int128)values[i] * values[i]);
            sums[0] += (int64_t)((uint64_t)square & LOW_HALF);
            sums[1] += (int64_t)((uint64_t)(square >> 32) & LOW_HALF);
            sums[2] += (int64_t)((uint64_t)(square >> 64) & LOW_HALF);
            sums[3] += (int64_t)(uint64_t)(square >> 96);
        }
        for (int k = 0; k < 4; k++)
            exact->limbs[EXACT_ONE + k] += sums[k];
        values += fits;
        n -= fits;
    }
}

void exact_merge(struct exact *exact, const struct exact *from)
{
    struct exact other = *from;
    carry(&other);
    carry(exact);
    for (int i = 0; i < EXACT_LIMBS; i++)
        exact->limbs[i] += other.limbs[i];
    exact->n_pending = 1;
    exact->specials |= from->specials;
}

bool exact_is_finite(const struct exact *exact)
{
    return exact->specials == 0;
}

double exact_special(const struct exact *exact)
{
    switch (exact->specials) {
    case 0:
        return 0;
    case PLUS_INFINITY:
        return INFINITY;
    case MINUS_INFINITY:
        return -INFINITY;
    default:
        return NAN;
    }
}

double exact_value(const struct exact *exact)
{
    struct wide wide;
    if (!exact_is_finite(exact))
        return exact_special(exact);
    wide_from_exact(&wide, exact);
    return wide_value(&wide);
}

double exact_quotient(const struct exact *a, const struct exact *b)
{
    struct wide above, below;
    if (!exact_is_finite(a) || !exact_is_finite(b))
        return exact_value(a) / exact_value(b);
    wide_from_exact(&above, a);
    wide_from_exact(&below, b);
    if (below.n == 0)
        return wide_value(&above) / 0.0;
    return wide_quotient(&above, &below);
}

double exact_mean(const struct exact *exact, int64_t n)
{
    struct wide above, below;
    if (!exact_is_finite(exact))
        return exact_special(exact);
    wide_from_exact(&above, exact);
    wide_from_integer(&below, n);
    return wide_quotient(&above, &below);
}

double exact_variance(const struct exact *sum, const struct exact *squares, int64_t n)
{
    struct wide a, b, c, d;
    if (n < 2 || !exact_is_finite(sum) || !exact_is_finite(squares))
        return NAN;
    wide_from_integer(&a, n);
    wide_from_exact(&b, squares);
    wide_multiply(&c, &a, &b); /* n squares */
    wide_from_exact(&a, sum);
    wide_multiply(&b, &a, &a); /* sum^2 */
    wide_subtract(&d, &c, &b);
    wide_from_integer(&a, n);
    wide_from_integer(&b, n - 1);
    wide_multiply(&c, &a, &b);
    return wide_quotient(&d, &c);
}
