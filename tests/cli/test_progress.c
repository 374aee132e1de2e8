#include <math.h>

#include "check.h"
#include "progress.h"

static const struct progress_facts facts = { .share = 0.253,
                                             .n_zones = 71,
                                             .n_all_zones = 300,
                                             .n_candidates = 290114,
                                             .rate = 3.2e6,
                                             .eta_s = 12,
                                             .peak_rss_bytes = INT64_C(38) << 20 };

static void what_matters_least_is_dropped_first(void **state)
{
    (void)state;
    static const struct {
        int n_most;
        const char *wanted;
    } cases[] = {
        { 199,
          "[#######.......................]  25 % 71/300 zones, 290,114 buildings, "
          "3.20 M/s, ETA 0:12, peak 38.0 MiB" },
        { 94,
          "[####............]  25 % 71/300 zones, 290,114 buildings, 3.20 M/s, ETA "
          "0:12, peak 38.0 MiB" },
        { 79,
          "[####............]  25 % 71/300 zones, 3.20 M/s, ETA 0:12, peak 38.0 MiB" },
        { 60, " 25 % 71/300 zones, 3.20 M/s, ETA 0:12, peak 38.0 MiB" },
        { 39, " 25 % 3.20 M/s, ETA 0:12, peak 38.0 MiB" },
        { 38, " 25 % 3.20 M/s ETA 0:12 peak 38.0 MiB" },
        { 37, " 25 % 3.20 M/s ETA 0:12 peak 38.0 MiB" },
        { 36, " 25 % 3.20 M/s ETA 0:12 38.0 MiB" },
        { 10, " 25 % 3.20" },
        { 0, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[PROGRESS_TEXT_BYTES];
        assert_string_equal(progress_live_text(text, &facts, cases[i].n_most),
                            cases[i].wanted);
    }
}

/* What is not yet all is never called 100 %. */
static void shares_are_rounded_down(void **state)
{
    (void)state;
    static const struct {
        double share;
        const char *wanted;
    } cases[] = { { 0, "  0 %" },     { 0.29, " 29 %" },   { 0.5, " 50 %" },
                  { 0.999, " 99 %" }, { 0.9996, " 99 %" }, { 1, "100 %" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[PROGRESS_TEXT_BYTES];
        struct progress_facts some = facts;
        some.share = cases[i].share;
        progress_live_text(text, &some, 60);
        assert_memory_equal(text, cases[i].wanted, 5);
    }
}

static void no_line_is_too_long(void **state)
{
    (void)state;
    struct progress_facts large = { .share = 1,
                                    .n_zones = 9999999,
                                    .n_all_zones = 9999999,
                                    .n_candidates = INT64_MAX,
                                    .rate = 99.9e6,
                                    .eta_s = 35999,
                                    .peak_rss_bytes = INT64_C(1023) << 20 };
    for (int n_most = 0; n_most < 260; n_most++)
        for (int i = 0; i < 3; i++) {
            char text[PROGRESS_TEXT_BYTES];
            struct progress_facts some = i > 0 ? large : facts;
            if (i == 2)
                some.eta_s = NAN;
            progress_live_text(text, &some, n_most);
            assert_true((int)strlen(text) <= n_most);
            if (n_most >= 37)
                for (int k = 0; k < 4; k++)
                    assert_non_null(
                        strstr(text,
                               (const char *[]){ " %", " M/s", "ETA ", "MiB" }[k]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters_least_is_dropped_first),
        cmocka_unit_test(shares_are_rounded_down),
        cmocka_unit_test(no_line_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
