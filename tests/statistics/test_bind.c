/* What the [statistics] section may say, and what each refusal says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

static void each_signature_binds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int n_outputs;
        enum output_form form;
        enum value_type type;
        int64_t width;
        const char *units, *long_name;
    } cases[] = {
        { "count", 1, OUTPUT_SCALAR, TYPE_INTEGER, 1, "1", "count" },
        { " COUNT ( ) ", 1, OUTPUT_SCALAR, TYPE_INTEGER, 1, "1", "count" },
        { "count(use)", 1, OUTPUT_SCALAR, TYPE_INTEGER, 1, "1", "count(use)" },
        { "Sum( Height )", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "", "sum(Height)" },
        { "sum(listed)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "", "sum(listed)" },
        { "mean(\"An \"\"odd\"\" name\")",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "",
          "mean(\"An \"\"odd\"\" name\")" },
        { "min(built)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "days since 1970-01-01",
          "min(built)" },
        { "range(built)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "day", "range(built)" },
        { "max(seen)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "microseconds since 1970-01-01",
          "max(seen)" },
        { "iqr(seen)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "microsecond", "iqr(seen)" },
        { "sum(area_m2)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "m2", "sum(area_m2)" },
        { "variance(area_m2)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "m4",
          "variance(area_m2)" },
        { "variance(perimeter_m)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "m2",
          "variance(perimeter_m)" },
        { "stddev(perimeter_m)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "m",
          "stddev(perimeter_m)" },
        { "mean(vertices)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "1", "mean(vertices)" },
        { "cv(area_m2)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "1", "cv(area_m2)" },
        { "median(floors)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "", "median(floors)" },
        { "quantile(height,0)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "",
          "quantile(height, 0)" },
        { "quantile(height, 1)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "",
          "quantile(height, 1)" },
        { "mode(use)", 1, OUTPUT_SCALAR, TYPE_TEXT, 1, "", "mode(use)" },
        { "mode(listed)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "", "mode(listed)" },
        { "minority(built)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "days since 1970-01-01",
          "minority(built)" },
        { "variety(use)", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "1", "variety(use)" },
        { "frequency(use)", 1, OUTPUT_CATEGORY, TYPE_TEXT, 0, "1", "frequency(use)" },
        { "frequency(height)",
          1,
          OUTPUT_CATEGORY,
          TYPE_REAL,
          0,
          "1",
          "frequency(height)" },
        { "frequency(listed)",
          1,
          OUTPUT_CATEGORY,
          TYPE_INTEGER,
          0,
          "1",
          "frequency(listed)" },
        { "frequency(built)",
          1,
          OUTPUT_CATEGORY,
          TYPE_INTEGER,
          0,
          "1",
          "frequency(built)" },
        { "histogram(height, -1.5e1, +100, 20)",
          1,
          OUTPUT_BINS,
          TYPE_INTEGER,
          20,
          "1",
          "histogram(height, -1.5e1, +100, 20)" },
        { "histogram(height, 0, 1, 1000000)",
          1,
          OUTPUT_BINS,
          TYPE_INTEGER,
          1000000,
          "1",
          "histogram(height, 0, 1, 1000000)" },
        { "top(height, 1)", 2, OUTPUT_RANKED, TYPE_REAL, 1, "", "top(height, 1)" },
        { "top(built, 1000)",
          2,
          OUTPUT_RANKED,
          TYPE_REAL,
          1000,
          "days since 1970-01-01",
          "top(built, 1000)" },
        { "weighted_mean(height, size)",
          1,
          OUTPUT_SCALAR,
          TYPE_REAL,
          1,
          "",
          "weighted_mean(height, size)" },
        { "density", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "km-2", "density" },
        { "coverage()", 1, OUTPUT_SCALAR, TYPE_REAL, 1, "1", "coverage" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const pairs[][2] = { { "x", cases[i].text }, { NULL, NULL } };
        struct statistics *set = NULL;
        struct error err = { 0 };
        char long_name[400];
        if (fixture_bind(&set, pairs, TYPE_TEXT, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.text);
        const struct output *output = statistics_output(set, 0);
        assert_int_equal(statistics_n_outputs(set), cases[i].n_outputs);
        assert_string_equal(output->name, "x");
        assert_int_equal(output->form, cases[i].form);
        assert_int_equal(output->type, cases[i].type);
        assert_int_equal(output->width, cases[i].width);
        assert_string_equal(output->units, cases[i].units);
        snprintf(long_name,
                 sizeof long_name,
                 "%s of the selected buildings",
                 cases[i].long_name);
        assert_string_equal(output->long_name, long_name);
        if (cases[i].n_outputs == 2) {
            assert_string_equal(statistics_output(set, 1)->name, "x_id");
            assert_int_equal(statistics_output(set, 1)->type, TYPE_TEXT);
        }
        assert_true(statistics_size(set, 1000) > 0);
        statistics_free(set);
    }
}

static void each_refusal_says_what_to_change(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *error;
    } cases[] = {
        { "p",
          "quantile(height, 90)",
          "job.ini:10: [statistics] p: quantile needs a field and a share between 0 "
          "and 1: "
          "got 'quantile(height, 90)'" },
        { "p", "quantile(height, 1.0000001)", "a share between 0 and 1" },
        { "p", "quantile(height, -0.1)", "a share between 0 and 1" },
        { "p", "quantile(height)", "quantile needs a field and a share" },
        { "p", "quantile(0.5, height)", "quantile needs a field and a share" },
        { "p", "quantile(height, 0.5, 0.6)", "quantile needs a field and a share" },
        { "p",
          "quantil(height, 0.5)",
          "unknown statistic 'quantil': did you mean 'quantile'?" },
        { "p",
          "zzzzzzzz(height)",
          "unknown statistic 'zzzzzzzz': the README lists them" },
        { "p", "", "expected a statistic" },
        { "p", "5", "expected a statistic" },
        { "p", "mean", "mean needs a field: got 'mean'" },
        { "p", "mean(3)", "mean needs a field" },
        { "p", "mean(height", "column 12: expected ',' or ')'" },
        { "p", "mean(height,)", "column 13: expected a field or a number" },
        { "p", "mean(,)", "column 6: expected a field or a number" },
        { "p", "mean(height) + 1", "column 14: expected nothing more" },
        { "p", "mean(height))", "column 13: expected nothing more" },
        { "p", "mean(\"height)", "quoted" },
        { "p", "mean(\"\")", "quoted" },
        { "p", "mean(height, 1, 2, 3, 4)", "at most 4 arguments" },
        { "p", "top(height, 0x5)", "expected ',' or ')'" },
        { "p", "top(height, 1e999)", "expected a field or a number" },
        { "p", "top(height, inf)", "top needs a field and a whole number" },
        { "p", "mean(Heigth)", "job.ini:10: [statistics] p: unknown field 'Heigth'" },
        { "p",
          "mean(\"Height\")",
          "job.ini:10: [statistics] p: unknown field 'Height'" },
        { "p", "mean(use)", "[statistics] p: mean needs a number: 'use' is text" },
        { "p", "mean(built)", "'built' is date" },
        { "p", "max(listed)", "max needs a number or a date: 'listed' is boolean" },
        { "p", "stddev(listed)", "'listed' is boolean" },
        { "p", "weighted_mean(height, use)", "'use' is text" },
        { "p", "weighted_mean(height)", "weights" },
        { "p", "top(height, 0)", "from 1 to 1000" },
        { "p", "top(height, 1001)", "from 1 to 1000" },
        { "p", "top(height, 1.5)", "from 1 to 1000" },
        { "p", "histogram(height, 0, 1, 0)", "1 to 1000000 bins" },
        { "p", "histogram(height, 0, 1, 1000001)", "1 to 1000000 bins" },
        { "p", "histogram(height, 0, 1, 2.5)", "1 to 1000000 bins" },
        { "p", "histogram(height, 0, 1e307, 18)", "less than 1e308 / bins apart" },
        { "p", "histogram(height, 1, 1, 2)", "a low bound below the high one" },
        { "p", "histogram(height, 2, 1, 2)", "a low bound below the high one" },
        { "p",
          "histogram(height, -1e308, 1e308, 2)",
          "a low bound below the high one" },
        { "p", "count(height, size)", "count needs nothing or a field" },
        { "p", "density(height)", "density needs no argument" },
        { "p", "coverage(1)", "coverage needs no argument" },
        { "zone",
          "count",
          "job.ini:10: [statistics] zone: the result file uses the name" },
        { "selection", "count", "the result file uses" },
        { "zones", "count", "the result file uses" },
        { "rejected", "count", "the result file uses" },
        { "telemetry", "count", "the result file uses" },
        { "provenance", "count", "the result file uses" },
        { "9p", "count", "begins with no digit" },
        { "a-b", "count", "letters, digits" },
        { "a/b", "count", "letters, digits" },
        { "", "count", "letters, digits" },
        { "\xc3\xa9", "count", "letters, digits" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const pairs[][2] = { { cases[i].name, cases[i].text },
                                         { NULL, NULL } };
        struct statistics *set = NULL;
        struct error err = { 0 };
        if (fixture_bind(&set, pairs, TYPE_INTEGER, &err) == 0)
            fail_msg("%s = %s: was taken", cases[i].name, cases[i].text);
        assert_null(set);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].error))
            fail_msg("%s = %s: %s", cases[i].name, cases[i].text, err.text);
    }
}

static void names_that_collide_in_the_result_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name[2], *text[2];
        int refused;
    } cases[] = {
        { { "a", "a" }, { "count", "density" }, 1 },
        { { "a", "A" }, { "count", "density" }, 0 },
        { { "h", "h_bin" }, { "histogram(height, 0, 1, 2)", "count" }, 1 },
        { { "h_edges", "h" }, { "count", "histogram(height, 0, 1, 2)" }, 1 },
        { { "h_edge", "h" }, { "count", "histogram(height, 0, 1, 2)" }, 1 },
        { { "h", "h_category" }, { "histogram(height, 0, 1, 2)", "count" }, 0 },
        { { "f", "f_category" }, { "frequency(use)", "count" }, 1 },
        { { "f", "f_bin" }, { "frequency(use)", "count" }, 0 },
        { { "t", "t_id" }, { "top(height, 2)", "count" }, 1 },
        { { "t_rank", "t" }, { "count", "top(height, 2)" }, 1 },
        { { "s", "s_id" }, { "sum(height)", "count" }, 0 },
        { { "h", "h_bin" }, { "histogram(height, 0, 1, 2)", "top(height, 3)" }, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const pairs[][2] = { { cases[i].name[0], cases[i].text[0] },
                                         { cases[i].name[1], cases[i].text[1] },
                                         { NULL, NULL } };
        struct statistics *set = NULL;
        struct error err = { 0 };
        int status = fixture_bind(&set, pairs, TYPE_INTEGER, &err);
        if ((status < 0) != cases[i].refused)
            fail_msg("%s and %s: %s", pairs[0][0], pairs[1][0], err.text);
        if (status < 0)
            assert_non_null(strstr(err.text, "job.ini:11: [statistics] "));
        statistics_free(set);
    }
}

static void a_job_without_statistics_binds(void **state)
{
    (void)state;
    const char *const pairs[][2] = { { NULL, NULL } };
    struct statistics *set = NULL;
    struct error err = { 0 };
    assert_int_equal(fixture_bind(&set, pairs, TYPE_INTEGER, &err), 0);
    assert_int_equal(statistics_n_outputs(set), 0);
    statistics_free(set);
    statistics_free(NULL);
}

static void the_longest_names_are_kept_whole(void **state)
{
    (void)state;
    char name[64], text[200], wanted[200];
    memset(name, 'n', 63);
    name[63] = 0;
    snprintf(text, sizeof text, "top(height, %031d)", 5);
    snprintf(wanted, sizeof wanted, "%s_id", name);
    const char *const pairs[][2] = { { name, text }, { NULL, NULL } };
    struct statistics *set = NULL;
    struct error err = { 0 };
    assert_int_equal(fixture_bind(&set, pairs, TYPE_INTEGER, &err), 0);
    assert_string_equal(statistics_output(set, 1)->name, wanted);
    statistics_free(set);
    snprintf(text, sizeof text, "mean(%s)", name);
    assert_int_equal(fixture_bind(&set, pairs, TYPE_INTEGER, &err), -1);
    assert_non_null(strstr(err.text, "unknown field"));
    snprintf(text, sizeof text, "mean(%sn)", name);
    assert_int_equal(fixture_bind(&set, pairs, TYPE_INTEGER, &err), -1);
    assert_non_null(strstr(err.text, "at most 63 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signature_binds),
        cmocka_unit_test(each_refusal_says_what_to_change),
        cmocka_unit_test(names_that_collide_in_the_result_are_refused),
        cmocka_unit_test(a_job_without_statistics_binds),
        cmocka_unit_test(the_longest_names_are_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
