#include <stdlib.h>

#include "rooftally/geometry/hilbert.h"

#include "check.h"
#include "shapes.h"

static const struct box extent = { 0, 0, 65536, 65536 };

static uint32_t at(uint32_t column, uint32_t row)
{
    return hilbert_position(&extent, column + 0.5, row + 0.5);
}

/* Where position d lies, by the turns written out: the textbook's inverse. */
static void place_of(uint32_t d, uint32_t *column, uint32_t *row)
{
    *column = *row = 0;
    for (uint32_t side = 1; side < 65536; side *= 2) {
        uint32_t right = 1 & (d / 2), upper = 1 & (d ^ right);
        if (!upper) {
            if (right) {
                *column = side - 1 - *column;
                *row = side - 1 - *row;
            }
            uint32_t turned = *column;
            *column = *row;
            *row = turned;
        }
        *column += side * right;
        *row += side * upper;
        d /= 4;
    }
}

static void positions_are_the_inverse_of_places(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        uint32_t d = (uint32_t)random_u64(&seed), column, row;
        place_of(d, &column, &row);
        assert_int_equal(at(column, row), d);
    }
    assert_int_equal(at(0, 0), 0);
    assert_int_equal(at(65535, 0), UINT32_MAX);
}

static void neighbours_on_the_curve_are_neighbours_in_the_plane(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 100000; i++) {
        uint32_t d = (uint32_t)random_u64(&seed) % UINT32_MAX, c0, r0, c1, r1;
        place_of(d, &c0, &r0);
        place_of(d + 1, &c1, &r1);
        assert_int_equal(abs((int)c0 - (int)c1) + abs((int)r0 - (int)r1), 1);
        assert_int_equal(at(c1, r1) - at(c0, r0), 1);
    }
}

static void points_outside_are_clamped(void **state)
{
    (void)state;
    static const struct {
        double x, y;
        uint32_t column, row;
    } cases[] = {
        { -1, -1, 0, 0 },
        { 65536, 65536, 65535, 65535 },
        { 1e300, 3.5, 65535, 3 },
        { 5.5, -INFINITY, 5, 0 },
        { INFINITY, 2.5, 65535, 2 },
        { NAN, 9.5, 0, 9 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hilbert_position(&extent, cases[i].x, cases[i].y),
                         at(cases[i].column, cases[i].row));
}

static void a_box_without_width_or_of_all_doubles_is_no_trouble(void **state)
{
    (void)state;
    struct box line = { 3, 0, 3, 65536 },
               all = { -1.7e308, -1.7e308, 1.7e308, 1.7e308 };
    struct box none = { INFINITY, INFINITY, -INFINITY, -INFINITY };
    assert_int_equal(hilbert_position(&line, 3, 7.5), at(0, 7));
    assert_int_equal(hilbert_position(&all, 1.7e308, -1.7e308), UINT32_MAX);
    assert_int_equal(hilbert_position(&all, 1, 1), at(32768, 32768));
    assert_int_equal(hilbert_position(&none, 1, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_the_inverse_of_places),
        cmocka_unit_test(neighbours_on_the_curve_are_neighbours_in_the_plane),
        cmocka_unit_test(points_outside_are_clamped),
        cmocka_unit_test(a_box_without_width_or_of_all_doubles_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
