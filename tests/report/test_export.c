/* Results as CSV and GeoJSON: whole ones, damaged ones, and ids that mean harm. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/report/export.h"
#include "rooftally/result/open.h"

#include "polygons.h"
#include "write.h"

/* ---- texts ---- */

struct sample {
    struct text text;
    struct export_options options;
};

static void put_csv(const void *context, FILE *out)
{
    const struct sample *sample = context;
    csv_put_text(sample->text, &sample->options, out);
}

static void put_json(const void *context, FILE *out)
{
    json_put_text(*(const struct text *)context, out);
}

static const struct export_options plain = { .format = EXPORT_CSV },
                                   raw = { .format = EXPORT_CSV, .raw = true },
                                   clean = { .format = EXPORT_CSV, .clean = true };

static void texts_are_quoted_and_formulas_defused(void **unused)
{
    static const struct {
        const char *text;
        const struct export_options *options;
        const char *cell;
    } table[] = {
        { "02139", &plain, "\"02139\"" },
        { "", &plain, "\"\"" },
        { "a,b", &plain, "\"a,b\"" },
        { "say \"no\"", &plain, "\"say \"\"no\"\"\"" },
        { "two\nlines\r\n", &plain, "\"two\nlines\r\n\"" },
        { "'; drop table x; --", &plain, "\"'; drop table x; --\"" },
        { "=cmd|' /C calc'!A0", &plain, "\"'=cmd|' /C calc'!A0\"" },
        { "=cmd|' /C calc'!A0", &raw, "\"=cmd|' /C calc'!A0\"" },
        { "=", &plain, "\"'=\"" },
        { "-1+1", &plain, "\"'-1+1\"" },
        { "+1", &plain, "\"+1\"" },
        { "-12.5", &plain, "\"-12.5\"" },
        { "-1.2.3", &plain, "\"'-1.2.3\"" },
        { "-", &plain, "\"'-\"" },
        { "-.", &plain, "\"'-.\"" },
        { "@x", &plain, "\"'@x\"" },
        { "\tx", &plain, "\"'\tx\"" },
        { "\r=1", &plain, "\"'\r=1\"" },
        { "\n=1", &plain, "\"'\n=1\"" },
        { "\xef\xbc\x9d"
          "1+1",
          &plain,
          "\"'\xef\xbc\x9d"
          "1+1\"" },
        { "a=1", &plain, "\"a=1\"" },
        { "K\xc3\xbc"
          "che e\xcc\x81",
          &clean,
          "\"K\xc3\xbc"
          "che e\xcc\x81\"" },
        { "\x1b]0;x\x07\x1b[31m\xc2\x9b", &clean, "\"?]0;x??[31m??\"" },
        { "two\nlines\t\"", &clean, "\"two?lines?\"\"\"" },
        { "\x1b[31m", &plain, "\"\x1b[31m\"" },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sample sample = { case_text(table[i].text), *table[i].options };
        char *cell = written(put_csv, &sample);
        assert_string_equal(cell, table[i].cell);
        free(cell);
    }
}

/* Cleaning goes by pieces, which never cut a character. */
static void long_texts_are_cleaned_whole(void **unused)
{
    enum { N = 4000 };
    char text[N + 2];
    (void)unused;
    for (int shift = 0; shift < 3; shift++) {
        memset(text, 'x', (size_t)shift);
        for (int i = shift; i + 2 <= N; i += 2)
            memcpy(text + i, "\xc3\xa9", 2);
        struct sample sample = { { text, N - shift % 2 }, clean };
        char *cell = written(put_csv, &sample);
        assert_int_equal(strlen(cell), sample.text.n + 2);
        assert_memory_equal(cell + 1, text, (size_t)sample.text.n);
        free(cell);
    }
    memset(text, 0x80, N); /* not UTF-8 at all */
    struct sample sample = { { text, N }, clean };
    char *cell = written(put_csv, &sample);
    assert_int_equal(strlen(cell), N + 2);
    assert_int_equal(strspn(cell + 1, "?"), N);
    free(cell);
}

static void json_strings_are_ascii_where_it_matters(void **unused)
{
    static const char *const table[][2] = {
        { "a\"b\\c/</script>", "\"a\\u0022b\\u005cc/</script>\"" },
        { "\x1b[31m\n\x7f", "\"\\u001b[31m\\u000a\\u007f\"" },
        { "\xc2\x9b\xe2\x80\xae", "\"\\u009b\\u202e\"" },
        { "K\xc3\xbc"
          "che \xf0\x9f\x8f\xa0",
          "\"K\xc3\xbc"
          "che \xf0\x9f\x8f\xa0\"" },
        { "\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80",
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct text text = case_text(table[i][0]);
        char *json = written(put_json, &text);
        assert_string_equal(json, table[i][1]);
        free(json);
    }
}

static void numbers_come_back_as_the_same_bits(void **unused)
{
    static const double values[] = { 0,      -0.0, 0.1,   1.0 / 3, 1e300,
                                     5e-324, 1e21, -7.25, 0x1p53 };
    char text[CELL_TEXT_BYTES];
    (void)unused;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        real_to_text(values[i], text);
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &values[i], 8);
    }
    real_to_text(0.1, text);
    assert_string_equal(text, "0.1");
    real_to_text(-INFINITY, text);
    assert_string_equal(text, "-inf");
}

static void dates_are_written_as_dates(void **unused)
{
    static const struct {
        enum cell_kind kind;
        int64_t value;
        const char *text;
    } table[] = {
        { CELL_DATE, 0, "1970-01-01" },
        { CELL_DATE, -1, "1969-12-31" },
        { CELL_DATE, 2932896, "9999-12-31" },
        { CELL_DATE, 2932897, "2932897" },
        { CELL_DATE, -719162, "0001-01-01" },
        { CELL_DATE, INT64_MAX, "9223372036854775807" },
        { CELL_TIMESTAMP, -1, "1969-12-31T23:59:59.999999" },
        { CELL_TIMESTAMP, 86400000000, "1970-01-02T00:00:00" },
        { CELL_TIMESTAMP, INT64_MIN, "-9223372036854775808" },
        { CELL_INTEGER, -5, "-5" },
    };
    char text[CELL_TEXT_BYTES];
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cell_to_text(&(struct cell){ .kind = table[i].kind, .integer = table[i].value },
                     text);
        assert_string_equal(text, table[i].text);
    }
}

static void real_dates_are_dates_where_they_are_whole(void **unused)
{
    static const struct {
        enum cell_kind kind;
        double value;
        enum cell_kind cell;
        const char *text;
    } table[] = {
        { CELL_DATE, -226391, CELL_DATE, "1350-03-01" },
        { CELL_DATE, -0.0, CELL_DATE, "1970-01-01" },
        { CELL_DATE, -0.5, CELL_TIMESTAMP, "1969-12-31T12:00:00" },
        { CELL_DATE, 1.0 / 3, CELL_TIMESTAMP, "1970-01-01T08:00:00" },
        { CELL_DATE, 0.1, CELL_TIMESTAMP, "1970-01-01T02:24:00" },
        { CELL_DATE, -719162, CELL_DATE, "0001-01-01" },
        { CELL_DATE, -719162.5, CELL_REAL, "-719162.5" },
        { CELL_DATE, 2932896.75, CELL_TIMESTAMP, "9999-12-31T18:00:00" },
        { CELL_DATE, 2932897, CELL_REAL, "2932897" },
        { CELL_DATE, 1e300, CELL_REAL, "1e+300" },
        { CELL_DATE, INFINITY, CELL_REAL, "inf" },
        { CELL_DATE, NAN, CELL_MISSING, "" },
        { CELL_TIMESTAMP, 10413792000000000, CELL_TIMESTAMP, "2300-01-01T00:00:00" },
        { CELL_TIMESTAMP, -0.75, CELL_TIMESTAMP, "1969-12-31T23:59:59.999999" },
        { CELL_TIMESTAMP, 0x1p62, CELL_REAL, "4.6116860184273879e+18" },
        { CELL_TIMESTAMP, -INFINITY, CELL_REAL, "-inf" },
        { CELL_TIMESTAMP, NAN, CELL_MISSING, "" },
        { CELL_REAL, 12.5, CELL_REAL, "12.5" },
        { CELL_INTEGER, 7, CELL_REAL, "7" },
    };
    char text[CELL_TEXT_BYTES];
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cell cell = cell_of_real(table[i].kind, table[i].value);
        assert_int_equal(cell.kind, table[i].cell);
        cell_to_text(&cell, text);
        assert_string_equal(text, table[i].text);
    }
}

/* ---- polygons ---- */

static void put_geometry(const void *context, FILE *out)
{
    const struct wkb *wkb = context;
    struct error err;
    assert_fine(geojson_put_geometry(wkb->bytes, wkb->n, out, &err), &err);
}

static void rings_are_turned_as_the_format_wants(void **unused)
{
    static const char *const wanted =
        "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[4,0],[4,4],[0,4],[0,0]],"
        "[[1,1],[1,2],[2,2],[2,1],[1,1]]]]}";
    (void)unused;
    for (int turn = 0; turn < 4; turn++) {
        struct wkb wkb = { .n = 0 };
        put_head(&wkb, 6, 1);
        put_head(&wkb, 3, 2);
        put_square(&wkb, 0, 4, turn & 1);
        put_square(&wkb, 1, 1, turn & 2);
        char *text = written(put_geometry, &wkb);
        assert_string_equal(text, wanted);
        free(text);
    }
    struct wkb empty = { .n = 0 };
    char *text = written(put_geometry, &empty);
    assert_string_equal(text, "null");
    free(text);
    put_head(&empty, 3, 0);
    text = written(put_geometry, &empty);
    assert_string_equal(text, "null");
    free(text);
}

static void damaged_polygons_are_refused(void **unused)
{
    struct wkb wkb = { .n = 0 };
    struct error err;
    FILE *out = fopen("/dev/null", "w");
    double nan = NAN;
    (void)unused;
    put_head(&wkb, 6, 1);
    put_head(&wkb, 3, 1);
    put_square(&wkb, 0, 4, false);
    for (int64_t n = 1; n < wkb.n; n++) {
        uint8_t *cut = malloc((size_t)n);
        memcpy(cut, wkb.bytes, (size_t)n);
        assert_refused(geojson_put_geometry(cut, n, out, &err),
                       &err,
                       ERROR_FORMAT,
                       "damaged");
        free(cut);
    }
    memcpy(wkb.bytes + 22 + 16, &nan, 8);
    assert_refused(geojson_put_geometry(wkb.bytes, wkb.n, out, &err),
                   &err,
                   ERROR_FORMAT,
                   "not finite");
    uint64_t seed = 5;
    for (int round = 0; round < 20000; round++) {
        struct wkb damaged = wkb;
        for (int k = 0; k < 3; k++)
            damaged.bytes[case_random(&seed) % (uint64_t)wkb.n] =
                (uint8_t)case_random(&seed);
        uint8_t *copy = malloc((size_t)wkb.n);
        memcpy(copy, damaged.bytes, (size_t)wkb.n);
        (void)geojson_put_geometry(copy, wkb.n, out, &err);
        free(copy);
    }
    fclose(out);
}

/* ---- whole results ---- */

static char *export(enum export_format format, int status, struct error *err)
{
    char *text = NULL, crs_name[128];
    size_t n;
    enum export_crs crs;
    const struct export_options options = { .format = format };
    FILE *out = open_memstream(&text, &n);
    *err = (struct error){ ERROR_NONE, "" };
    assert_int_equal(export_result(path, &options, out, &crs, crs_name, err), status);
    fclose(out);
    if (status == 0 && format == EXPORT_GEOJSON) {
        assert_int_equal(crs, EXPORT_WGS84);
        assert_string_equal(crs_name, "EPSG:4326");
    }
    return text;
}

static void every_zone_has_a_row(void **unused)
{
    static const char header[] = "\"zone\",\"buildings\",\"mean_size\",\"commonest\","
                                 "\"newest\",\"heights=0..5\",\"heights="
                                 "5..10\"";
    struct error err;
    (void)unused;
    write_result(CASE_FULL, N_ZONES);
    char *text = export(EXPORT_CSV, 0, &err);
    assert_memory_equal(text, header, sizeof header - 1);
    assert_int_equal(count(text, "\r\n"), N_ZONES + 1);
    assert_int_equal(count(text,
                           "\"uses=K\xc3\xbc"
                           "che\""),
                     1);
    assert_int_equal(count(text, "\"uses=\""), 1);
    assert_int_equal(count(text, "\"tallest=3\",\"tallest_id=1\""), 1);
    assert_int_equal(count(text, "\r\n\"00006\","), 1);
    int n_columns = 0;
    for (const char *at = text; *at != '\r'; at++)
        n_columns += *at == ',';
    for (const char *line = text; (line = strstr(line, "\r\n")) && line[2]; line += 2) {
        int n = 0;
        for (const char *at = line + 2; *at != '\r'; at++)
            n += *at == ',';
        assert_int_equal(n, n_columns);
    }
    free(text);
}

static void every_zone_has_a_feature(void **unused)
{
    struct error err;
    (void)unused;
    char *text = export(EXPORT_GEOJSON, 0, &err);
    assert_int_equal(count(text, "{\"type\":\"Feature\",\"id\":\""), N_ZONES);
    assert_int_equal(count(text, "\"geometry\":null}"), 2);
    assert_int_equal(count(text, "\"geometry\":{\"type\":\"Polygon\""), N_ZONES - 2);
    assert_int_equal(count(text, "\"crs\""), 0);
    assert_int_equal(count(text, ":nan"), 0);
    free(text);
}

static void a_result_without_zones_is_exported(void **unused)
{
    struct error err;
    (void)unused;
    write_result(CASE_EMPTY, 0);
    char *text = export(EXPORT_CSV, 0, &err);
    assert_int_equal(count(text, "\r\n"), 1);
    free(text);
    text = export(EXPORT_GEOJSON, 0, &err);
    assert_non_null(strstr(text, "\"features\":[\n]}"));
    free(text);
}

/* Change the result through HDF5, as a well-meaning program might. */
static void
with_file(void (*change)(hid_t file), enum export_format format, const char *part)
{
    struct error err;
    write_result(CASE_FULL, N_ZONES);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    change(file);
    h5_close(&file, H5Fclose);
    free(export(format, -1, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    if (!strstr(err.text, part) || !strstr(err.text, path))
        fail_msg("'%s' is not in '%s'", part, err.text);
}

static void a_result_that_was_changed_is_refused(void **unused)
{
    (void)unused;
    with_file(delete_zone, EXPORT_CSV, "/zone");
    with_file(shorten_edges, EXPORT_CSV, "heights_edges");
    with_file(move_outside, EXPORT_GEOJSON, "zone 00002: its geometry is said to lie");
    with_file(move_before, EXPORT_GEOJSON, "zone 00002");
    with_file(move_a_little, EXPORT_GEOJSON, "zone 00002: its geometry is damaged");
    with_file(drop_geometry, EXPORT_GEOJSON, "/zones/geometry");
    with_file(set_version, EXPORT_CSV, "of version 9; this program reads version 1");
    with_file(set_torso, EXPORT_CSV, "not complete");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_quoted_and_formulas_defused),
        cmocka_unit_test(long_texts_are_cleaned_whole),
        cmocka_unit_test(json_strings_are_ascii_where_it_matters),
        cmocka_unit_test(numbers_come_back_as_the_same_bits),
        cmocka_unit_test(dates_are_written_as_dates),
        cmocka_unit_test(real_dates_are_dates_where_they_are_whole),
        cmocka_unit_test(rings_are_turned_as_the_format_wants),
        cmocka_unit_test(damaged_polygons_are_refused),
        cmocka_unit_test(every_zone_has_a_row),
        cmocka_unit_test(every_zone_has_a_feature),
        cmocka_unit_test(a_result_without_zones_is_exported),
        cmocka_unit_test(a_result_that_was_changed_is_refused),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
