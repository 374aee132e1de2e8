/* Results as a page: whole ones, empty ones, damaged ones, and texts that mean harm. */
#include <math.h>
#include <string.h>

#include "rooftally/report/html.h"

#include "html.h"
#include "polygons.h"

/* ---- texts and numbers ---- */

static void put_text(const void *context, FILE *out)
{
    html_put_text(*(const struct text *)context, out);
}

static void put_lines(const void *context, FILE *out)
{
    html_put_lines(*(const struct text *)context, out);
}

#define GONE "\xef\xbf\xbd"

static void texts_are_shown_and_never_obeyed(void **unused)
{
    static const char *const table[][2] = {
        { "02139", "02139" },
        { "", "" },
        { "<b>&\"'</b>", "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;" },
        { "</script><script>", "&lt;/script&gt;&lt;script&gt;" },
        { "\x1b[31m\n\t\x7f", GONE "[31m" GONE GONE GONE },
        { "\xc2\x9b"
          "a\xc2\xa0",
          GONE "a\xc2\xa0" },
        { "\xe2\x80\xaex\xe2\x81\xa6y\xe2\x81\xa9z\xe2\x80\xa8",
          GONE "x" GONE "y" GONE "z" GONE },
        { "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5",
          "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5" },
        { "K\xc3\xbc"
          "che \xf0\x9f\x8f\xa0",
          "K\xc3\xbc"
          "che \xf0\x9f\x8f\xa0" },
        { "\xff<\xc3", GONE "&lt;" GONE },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct text text = case_text(table[i][0]);
        char *shown = written(put_text, &text);
        assert_string_equal(shown, table[i][1]);
        free(shown);
    }
    struct text job = case_text("[job]\n\ttitle = <x>\r\n");
    char *shown = written(put_lines, &job);
    assert_string_equal(shown, "[job]\n\ttitle = &lt;x&gt;" GONE "\n");
    free(shown);
}

static void put_real(const void *context, FILE *out)
{
    html_put_real(*(const double *)context, out);
}

static void put_count(const void *context, FILE *out)
{
    html_put_count(*(const int64_t *)context, out);
}

static void numbers_are_for_people(void **unused)
{
    static const struct {
        double value;
        const char *text;
    } reals[] = { { 0, "0" },
                  { 12.345678, "12.3457" },
                  { -999999.5, "-1e+06" },
                  { 2519560.6, "2,519,561" },
                  { -1e6, "-1,000,000" },
                  { 1e300, "1e+300" },
                  { INFINITY, "inf" },
                  { NAN, "" } };
    static const struct {
        int64_t value;
        const char *text;
    } counts[] = { { 0, "0" },
                   { 999, "999" },
                   { -999, "-999" },
                   { 1000, "1,000" },
                   { -123456, "-123,456" },
                   { INT64_MIN, "-9,223,372,036,854,775,808" } };
    (void)unused;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        char *text = written(put_real, &reals[i].value);
        assert_string_equal(text, reals[i].text);
        free(text);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char *text = written(put_count, &counts[i].value);
        assert_string_equal(text, counts[i].text);
        free(text);
    }
}

/* ---- spreads ---- */

static struct spread spread(double *values, int64_t n)
{
    struct table_column column = { .kind = CELL_REAL,
                                   .is_real = true,
                                   .width = 1,
                                   .value_bytes = 8,
                                   .values = (uint8_t *)values };
    struct spread spread;
    struct error err;
    assert_fine(spread_of(&column, n, &spread, &err), &err);
    return spread;
}

static void classes_part_the_zones_evenly(void **unused)
{
    double values[702];
    (void)unused;
    for (int i = 0; i < 700; i++)
        values[i] = (double)(i * 37 % 700);
    values[700] = values[701] = NAN;
    struct spread of_many = spread(values, 702);
    int counts[7] = { 0 };
    assert_int_equal(of_many.n, 700);
    assert_int_equal(of_many.n_breaks, 6);
    assert_true(of_many.least == 0 && of_many.median == 349.5
                && of_many.greatest == 699);
    for (int i = 0; i < 700; i++)
        counts[spread_class(&of_many, values[i])]++;
    for (int class = 0; class < 7; class ++)
        assert_int_equal(counts[class], 100);
}

static void equal_values_make_fewer_classes(void **unused)
{
    double same[] = { 4, 4, 4 }, two[] = { 1, INFINITY, 1, 1, INFINITY },
           none[] = { NAN };
    (void)unused;
    struct spread of_same = spread(same, 3), of_two = spread(two, 5);
    assert_int_equal(of_same.n_breaks, 0);
    assert_int_equal(spread_class(&of_same, 4), 0);
    assert_int_equal(of_two.n_breaks, 1);
    assert_int_equal(spread_class(&of_two, 1), 0);
    assert_int_equal(spread_class(&of_two, INFINITY), 1);
    struct spread of_none = spread(none, 1), of_nothing = spread(NULL, 0);
    assert_int_equal(of_none.n, 0);
    assert_int_equal(of_nothing.n, 0);
}

/* ---- pages ---- */

static char *page(int status, struct error *err)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    *err = (struct error){ ERROR_NONE, "" };
    assert_int_equal(report_html(path, out, err), status);
    fclose(out);
    return text;
}

static void every_zone_is_drawn(void **unused)
{
    struct error err;
    (void)unused;
    write_result(CASE_FULL, N_ZONES);
    char *text = page(0, &err);
    assert_int_equal(count(text, "<path class=\""),
                     N_ZONES - 2); /* two have no polygon */
    assert_int_equal(count(text, "<title>00001\nbuildings: "), 1);
    assert_int_equal(count(text, "<tr><td>00006<td"),
                     2); /* of the slowest, and of all */
    assert_int_equal(count(text, "<script"), 0);
    assert_int_equal(count(text, "<td class=n>nan"), 0);
    const char *const parts[] = { "<h2>Map",   "<h2>Statistics", "<h2>Distributions",
                                  "<h2>Ranks", "<h2>Memory",     "<h2>Slowest",
                                  "<h2>Zones", "<h2>Provenance", "</html>" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_int_equal(count(text, parts[i]), 1);
    free(text);
}

static void a_result_without_zones_has_a_page(void **unused)
{
    struct error err;
    (void)unused;
    write_result(CASE_EMPTY, 0);
    char *text = page(0, &err);
    assert_int_equal(count(text, "No zone has a place on it."), 1);
    assert_int_equal(count(text, "</html>"), 1);
    free(text);
}

static void with_file(void (*change)(hid_t file), const char *part)
{
    struct error err;
    write_result(CASE_FULL, N_ZONES);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    change(file);
    h5_close(&file, H5Fclose);
    free(page(-1, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    if (!strstr(err.text, part) || !strstr(err.text, path))
        fail_msg("'%s' is not in '%s'", part, err.text);
}

static void drop_seconds(hid_t file)
{
    assert_true(H5Ldelete(file, "/telemetry/zone/seconds", H5P_DEFAULT) >= 0);
}

static void swap_seconds(hid_t file)
{
    drop_seconds(file);
    assert_true(H5Lcreate_hard(file,
                               "/telemetry/rank/busy",
                               file,
                               "/telemetry/zone/seconds",
                               H5P_DEFAULT,
                               H5P_DEFAULT)
                >= 0);
}

/* Less than nothing, and more than a count may be. */
static void put_candidates(hid_t file, int64_t value)
{
    int64_t values[N_ZONES];
    hid_t dataset = H5Dopen2(file, "/telemetry/zone/candidates", H5P_DEFAULT);
    for (int i = 0; i < N_ZONES; i++)
        values[i] = value;
    assert_true(
        H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values)
        >= 0);
    H5Dclose(dataset);
}

static void count_less_than_none(hid_t file)
{
    put_candidates(file, -1);
}

static void count_too_many(hid_t file)
{
    put_candidates(file, INT64_MAX);
}

static void a_result_that_was_changed_has_none(void **unused)
{
    (void)unused;
    with_file(delete_zone, "/zone");
    with_file(shorten_edges, "heights_edges");
    with_file(move_outside, "its geometry is said to lie");
    with_file(move_before, "its geometry is said to lie");
    with_file(move_a_little, "its geometry is damaged");
    with_file(drop_geometry, "/zones/geometry");
    with_file(set_version, "of version 9; this program reads version 1");
    with_file(set_torso, "not complete");
    with_file(drop_seconds, "/telemetry/zone/seconds");
    with_file(count_less_than_none, "/telemetry/zone/candidates adds up to -7");
    with_file(count_too_many, "which is no count");
    with_file(swap_seconds, "its length does not fit");
}

static void a_full_disk_is_told(void **unused)
{
    struct error err = { ERROR_NONE, "" };
    (void)unused;
    write_result(CASE_FULL, N_ZONES);
    FILE *out = fopen("/dev/full", "w");
    assert_refused(report_html(path, out, &err),
                   &err,
                   ERROR_IO,
                   "No space left on device");
    assert_true(ferror(out) != 0);
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_shown_and_never_obeyed),
        cmocka_unit_test(numbers_are_for_people),
        cmocka_unit_test(classes_part_the_zones_evenly),
        cmocka_unit_test(equal_values_make_fewer_classes),
        cmocka_unit_test(every_zone_is_drawn),
        cmocka_unit_test(a_result_without_zones_has_a_page),
        cmocka_unit_test(a_result_that_was_changed_has_none),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
