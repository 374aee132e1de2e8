/* Boxes of what can be given no decision: the reading that never fails on structure
 * alone must fail on bytes that are not there. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "rooftally/geometry/ewkb.h"

#include "check.h"

/* "01 02000000 ..." as bytes; doubles as d(…) are put by the caller. */
struct bytes {
    uint8_t bytes[2048];
    int64_t n;
};

static void put(struct bytes *to, const void *bytes, int64_t n)
{
    memcpy(to->bytes + to->n, bytes, (size_t)n);
    to->n += n;
}

static void head(struct bytes *to, uint32_t code)
{
    put(to, "\1", 1);
    put(to, &code, 4);
}

static void count(struct bytes *to, uint32_t n)
{
    put(to, &n, 4);
}

static void point(struct bytes *to, double x, double y)
{
    double xy[2] = { x, y };
    put(to, xy, sizeof xy);
}

static void
assert_box(const struct bytes *b, double x0, double y0, double x1, double y1)
{
    struct box box;
    assert_int_equal(ewkb_bounds(b->bytes, b->n, &box), 0);
    assert_true(box.xmin == x0 && box.ymin == y0 && box.xmax == x1 && box.ymax == y1);
    for (int64_t n = 0; n < b->n; n++) { /* in a block of its own, for the sanitizer */
        uint8_t *cut = malloc((size_t)n + 1);
        memcpy(cut, b->bytes, (size_t)n);
        assert_int_equal(ewkb_bounds(cut, n, &box), -1);
        free(cut);
    }
    struct bytes longer = *b;
    put(&longer, "", 1);
    assert_int_equal(ewkb_bounds(longer.bytes, longer.n, &box), -1);
}

static void a_collection_has_the_box_of_its_members(void **unused)
{
    struct bytes b = { .n = 0 };
    (void)unused;
    head(&b, 7 | 0x20000000u);
    count(&b, 4326);
    count(&b, 3);
    head(&b, 1);
    point(&b, 5, -6);
    head(&b, 2);
    count(&b, 2);
    point(&b, 1, 2);
    point(&b, 3, 4);
    head(&b, 7);
    count(&b, 1);
    head(&b, 1);
    point(&b, NAN, NAN); /* empty */
    assert_box(&b, 1, -6, 5, 4);
}

static void curves_and_surfaces_are_read(void **unused)
{
    struct bytes b = { .n = 0 };
    const double z = 77;
    (void)unused;
    head(&b, 10); /* a curve polygon of a compound curve of a circular string */
    count(&b, 1);
    head(&b, 9);
    count(&b, 1);
    head(&b, 8);
    count(&b, 3);
    point(&b, 0, 0);
    point(&b, 1, 1);
    point(&b, 2, 0);
    assert_box(&b, 0, 0, 2, 1);

    b.n = 0;
    head(&b, 1016); /* a TIN with Z, in ISO's code, of one triangle */
    count(&b, 1);
    head(&b, 17 | 0x80000000u);
    count(&b, 1);
    count(&b, 4);
    for (int i = 0; i < 4; i++) {
        point(&b, 10 + i % 3, 20 - i % 3);
        put(&b, &z, 8);
    }
    assert_box(&b, 10, 18, 12, 20);
}

/* Two points of a line, and its box; empty: x0 > x1. */
static void what_is_not_finite_is_as_postgis_has_it(void **unused)
{
    static const double far = DBL_MAX, inf = INFINITY, nan = NAN;
    const struct {
        double points[6];
        uint32_t n;
        struct box box;
    } cases[] = {
        { { 1, 2, inf, 3 }, 2, { 1, 2, far, 3 } },
        { { 1, 2, 3, -inf }, 2, { 1, -far, 3, 2 } },
        { { inf, 1 }, 1, { far, 1, far, 1 } },
        { { -inf, -inf, inf, inf }, 2, { -far, -far, far, far } },
        { { nan, 2, 1, 1 }, 2, { 1, 1, 1, 2 } },
        { { 5, 5, nan, 5, 1, 1 }, 3, { 1, 1, 1, 5 } }, /* 5 is forgotten with NaN */
        { { 5, 5, 1, 1, nan, 5 }, 3, { 1, 1, 0, 0 } },
        { { 1, 1, 2, nan }, 2, { 1, -far, 2, far } },
        { { 2, nan, 1, 1 }, 2, { 1, 1, 2, 1 } },
        { { nan, nan }, 1, { 1, 1, 0, 0 } },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = { .n = 0 };
        const struct box *box = &cases[i].box;
        head(&b, 2);
        count(&b, cases[i].n);
        for (uint32_t k = 0; k < cases[i].n; k++)
            point(&b, cases[i].points[2 * k], cases[i].points[2 * k + 1]);
        assert_box(&b, box->xmin, box->ymin, box->xmax, box->ymax);
    }
}

/* Of members, NaN stays if it is the first one's; of rings, the first counts. */
static void members_that_are_not_finite_are_as_postgis_has_them(void **unused)
{
    const struct {
        double x[3];
        struct box box;
    } cases[] = {
        { { 5, NAN, 1 }, { 1, 7, 5, 7 } },
        { { 1, 5, NAN }, { 1, 7, 5, 7 } },
        { { NAN, 1, 5 }, { 1, 1, 0, 0 } },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = { .n = 0 };
        const struct box *box = &cases[i].box;
        head(&b, 4);
        count(&b, 3);
        for (int k = 0; k < 3; k++) {
            head(&b, 1);
            point(&b, cases[i].x[k], 7);
        }
        assert_box(&b, box->xmin, box->ymin, box->xmax, box->ymax);
    }
    struct bytes b = { .n = 0 };
    head(&b, 3);
    count(&b, 2);
    for (int ring = 0; ring < 2; ring++) {
        count(&b, 2);
        point(&b, 1, 2);
        point(&b, ring ? NAN : 3, 4);
    }
    assert_box(&b, 1, 2, 3, 4);

    b.n = 0;
    struct box box;
    head(&b, 7);
    count(&b, 0);
    assert_int_equal(ewkb_bounds(b.bytes, b.n, &box), 0);
    assert_true(box.xmin > box.xmax);
}

static void what_is_no_geometry_is_refused(void **unused)
{
    static const uint32_t codes[] = { 0, 13, 14, 18, 4001, 999 };
    struct box box;
    (void)unused;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct bytes b = { .n = 0 };
        head(&b, codes[i]);
        count(&b, 0);
        assert_int_equal(ewkb_bounds(b.bytes, b.n, &box), -1);
    }
    /* a point that is not finite, in as many collections as ewkb_read takes, and in one more */
    for (int depth = 196; depth < 202; depth++) {
        static struct bytes deep;
        struct ewkb read;
        deep.n = 0;
        for (int i = 0; i < depth; i++) {
            head(&deep, 7);
            count(&deep, 1);
        }
        head(&deep, 1);
        point(&deep, 1, INFINITY);
        bool is_known = ewkb_read(deep.bytes, deep.n, &read) == EWKB_NOT_FINITE;
        assert_int_equal(is_known, depth <= 198);
        assert_int_equal(ewkb_bounds(deep.bytes, deep.n, &box), is_known ? 0 : -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_collection_has_the_box_of_its_members),
        cmocka_unit_test(curves_and_surfaces_are_read),
        cmocka_unit_test(what_is_not_finite_is_as_postgis_has_it),
        cmocka_unit_test(members_that_are_not_finite_are_as_postgis_has_them),
        cmocka_unit_test(what_is_no_geometry_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
