/*
 * A sum of doubles, 64-bit integers and their products without any rounding.
 *
 * A fixed-point number of 136 limbs, 32 bits apart, each held in 64 bits so that carries
 * can wait. The limb i weighs 2^(32 (i - 68)):
 *
 *     limb   135 ......... 69   68 | 67 .............. 0
 *     bit       2^2175   2^32   1  |  2^-32       2^-2176
 *
 * which covers the product of the two smallest doubles (2^-2148) and 2^63 times that of
 * the two greatest. The order of additions and merges leaves no trace in the value.
 *
 * Origin   R. M. Neal, Fast exact summation using small and large superaccumulators,
 *          2015 (the small one)
 */
#ifndef ROOFTALLY_STATISTICS_EXACT_H
#define ROOFTALLY_STATISTICS_EXACT_H

#include <stdbool.h>
#include <stdint.h>

enum { EXACT_LIMBS = 136, EXACT_ONE = 68 };

struct exact {
    int64_t limbs[EXACT_LIMBS];
    int32_t n_pending; /* additions since carries were last moved up */
    uint32_t specials; /* bits: NaN, +infinity, -infinity were added */
};

void exact_init(struct exact *exact);

void exact_add_reals(struct exact *exact, const double *values, int64_t n);
void exact_add_integers(struct exact *exact, const int64_t *values, int64_t n);

/* Add the square of each value. */
void exact_add_real_squares(struct exact *exact, const double *values, int64_t n);
void exact_add_integer_squares(struct exact *exact, const int64_t *values, int64_t n);

/* Add the product of each pair. */
void exact_add_products(struct exact *exact,
                        const double *a,
                        const double *b,
                        int64_t n);

void exact_merge(struct exact *exact, const struct exact *from);

/* Whether only finite values were added. */
bool exact_is_finite(const struct exact *exact);
/* What IEEE arithmetic makes of the values that were not finite: NaN, or an infinity. */
double exact_special(const struct exact *exact);

/* The sum, rounded to nearest even: infinite beyond the doubles. */
double exact_value(const struct exact *exact);
/* a / b, rounded once; IEEE where b is 0 or one of them is not finite. */
double exact_quotient(const struct exact *a, const struct exact *b);
/* The sum over n > 0, rounded once. */
double exact_mean(const struct exact *exact, int64_t n);
/* (n squares - sum^2) / (n (n - 1)), rounded once; NaN where n < 2 or not finite. */
double exact_variance(const struct exact *sum, const struct exact *squares, int64_t n);

#endif
