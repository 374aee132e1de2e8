/* What a condition says about single slots: exactly this much, and never too much. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rooftally/job/expression.h"

#include "check.h"

static int look_up(void *context,
                   const char *name,
                   struct name_binding *binding,
                   struct error *err)
{
    static const struct name_binding slots[] = {
        { .slot = 0, .type = TYPE_REAL },    { .slot = 1, .type = TYPE_INTEGER },
        { .slot = 2, .type = TYPE_DATE },    { .slot = 3, .type = TYPE_TEXT },
        { .slot = 4, .type = TYPE_BOOLEAN },
    };
    static const char *const names[] = { "h", "n", "d", "t", "b" };
    (void)context;
    for (int i = 0; i < 5; i++)
        if (strcmp(names[i], name) == 0) {
            *binding = slots[i];
            return 0;
        }
    return error_set(err, ERROR_USAGE, "unknown");
}

static struct expression *checked(const char *text)
{
    struct expression *expression;
    enum value_type type;
    struct error err;
    assert_fine(expression_parse(&expression, text, &err), &err);
    assert_fine(expression_check(expression, look_up, NULL, &type, &err), &err);
    return expression;
}

static void bounds_are_those_of_the_leading_comparisons(void **unused)
{
    static const struct {
        const char *text;
        int n;
        struct expression_bound bounds[3];
    } table[] = {
        { "h > 10", 1, { { 0, 10, INFINITY } } },
        { "10 >= h", 1, { { 0, -INFINITY, 10 } } },
        { "10 > h", 1, { { 0, -INFINITY, 10 } } },
        { "10 <= h", 1, { { 0, 10, INFINITY } } },
        { "10 < h", 1, { { 0, 10, INFINITY } } },
        { "10 = h", 1, { { 0, 10, 10 } } },
        { "n <= 7 and h < 2.5", 2, { { 1, -INFINITY, 7 }, { 0, -INFINITY, 2.5 } } },
        { "n < 2.5", 1, { { 1, -INFINITY, 2.5 } } },
        { "h = -3 and (n = 4 and d = '1970-01-03')",
          3,
          { { 0, -3, -3 }, { 1, 4, 4 }, { 2, 2, 2 } } },
        { "n between 3 and 5", 1, { { 1, 3, 5 } } },
        { "n in (9, 2, 5)", 1, { { 1, 2, 9 } } },
        { "h > 1 and t = 'x' and n > 2", 1, { { 0, 1, INFINITY } } },
        { "t = 'x' and n > 2", 0, { { 0, 0, 0 } } },
        { "h > 1 or n > 2", 0, { { 0, 0, 0 } } },
        { "not (h > 1)", 0, { { 0, 0, 0 } } },
        { "h <> 1", 0, { { 0, 0, 0 } } },
        { "h + 1 > 2 and h > 1", 0, { { 0, 0, 0 } } },
        { "h > n", 0, { { 0, 0, 0 } } },
        { "round(n) > 2 and h > 1", 0, { { 0, 0, 0 } } },
        { "n in (1, null)", 0, { { 0, 0, 0 } } },
        { "h is null and h > 2", 0, { { 0, 0, 0 } } },
        { "b and h > 2", 0, { { 0, 0, 0 } } },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct expression *expression = checked(table[i].text);
        struct expression_bound bounds[8];
        int n = expression_bounds(expression, bounds, 8);
        if (n != table[i].n)
            fail_msg("%s: %d bounds, not %d", table[i].text, n, table[i].n);
        for (int k = 0; k < n; k++) {
            assert_int_equal(bounds[k].slot, table[i].bounds[k].slot);
            assert_true(bounds[k].least == table[i].bounds[k].least);
            assert_true(bounds[k].greatest == table[i].bounds[k].greatest);
        }
        assert_true(expression_bounds(expression, bounds, 1) <= 1);
        expression_free(expression);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_those_of_the_leading_comparisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
