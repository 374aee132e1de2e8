/* Keys, sorting and selecting, against the C library's qsort. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "order.h"
#include "random.h"

static void keys_order_doubles_as_postgresql_does(void **state)
{
    (void)state;
    const double ordered[] = { -HUGE_VAL, -1e308, -1,  -5e-324,  0,  5e-324,
                               2e-308,    1,      1.5, HUGE_VAL, NAN };
    enum { N = sizeof ordered / sizeof *ordered };
    for (int i = 0; i < N; i++) {
        double back = order_real(order_key(ordered[i]));
        assert_true(isnan(ordered[i]) ? isnan(back) : back == ordered[i]);
        for (int k = 0; k < N; k++)
            assert_int_equal(order_key(ordered[i]) < order_key(ordered[k]), i < k);
    }
    assert_int_equal(order_key(-0.0), order_key(0.0));
    assert_int_equal(order_key(-NAN), order_key(NAN));
    assert_false(signbit(order_real(order_key(-0.0))));
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Patterns that quicksorts fear, and plain ones. */
static int64_t pattern(int kind, int64_t i, int64_t n, uint64_t *seed)
{
    switch (kind) {
    case 0:
        return (int64_t)next_random(seed);
    case 1:
        return i;
    case 2:
        return n - i;
    case 3:
        return 7;
    case 4:
        return (int64_t)(next_random(seed) % 3);
    case 5:
        return i % 2 ? INT64_MAX : INT64_MIN;
    case 6:
        return i < n / 2 ? i : n - i;
    case 7:
        return i + (int64_t)(next_random(seed) % 10);
    default:
        return i % 2 ? i : -i;
    }
}

static void sorting_and_selecting_agree_with_qsort(void **state)
{
    (void)state;
    enum { MOST = 3000 };
    static int64_t keys[MOST], sorted[MOST], sample[MOST];
    static const int64_t sizes[] = { 0, 1, 2, 3, 23, 24, 25, 26, 49, 100, 1000, MOST };
    uint64_t seed = 1;
    for (int kind = 0; kind < 9; kind++)
        for (int s = 0; s < 12; s++) {
            int64_t n = sizes[s];
            for (int64_t i = 0; i < n; i++)
                keys[i] = sorted[i] = pattern(kind, i, n, &seed);
            qsort(sorted, (size_t)n, sizeof *sorted, by_value);
            for (int64_t k = 0; k < n; k += 1 + n / 13) {
                memcpy(sample, keys, (size_t)n * sizeof *keys);
                order_select(sample, n, k);
                assert_int_equal(sample[k], sorted[k]);
                for (int64_t i = 0; i < n; i++)
                    assert_true(i < k ? sample[i] <= sample[k]
                                      : sample[i] >= sample[k]);
            }
            order_sort(keys, n);
            assert_memory_equal(keys, sorted, (size_t)n * sizeof *keys);
        }
}

/* An organ pipe, a sawtooth and two values: quadratic where splits are left uneven. */
static void no_order_is_quadratic(void **state)
{
    (void)state;
    enum { N = 1000000 };
    int64_t *keys = malloc(N * sizeof *keys);
    assert_non_null(keys);
    for (int kind = 0; kind < 3; kind++) {
        for (int64_t i = 0; i < N; i++)
            keys[i] = kind == 0   ? (i < N / 2 ? i : N - i)
                      : kind == 1 ? i % 1000
                                  : i % 2;
        order_sort(keys, N);
        for (int64_t i = 1; i < N; i++)
            assert_true(keys[i - 1] <= keys[i]);
    }
    free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_order_doubles_as_postgresql_does),
        cmocka_unit_test(sorting_and_selecting_agree_with_qsort),
        cmocka_unit_test(no_order_is_quadratic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
