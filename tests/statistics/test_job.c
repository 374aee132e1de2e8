/* Statistics bound to a real job file, through the job room's binding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rooftally/statistics/statistics.h"

static char id[] = "id", height[] = "height", size[] = "size", use[] = "use",
            boundary[] = "boundary", type_name[] = "type", sql[] = "b.\"x\"";
static struct source_column columns[] = {
    { id, TYPE_INTEGER, type_name, sql },     { height, TYPE_REAL, type_name, sql },
    { size, TYPE_REAL, type_name, sql },      { use, TYPE_TEXT, type_name, sql },
    { boundary, TYPE_NULL, type_name, NULL },
};
static const struct source_columns buildings = { columns, 5, 0 };

/* A job file whose [statistics] are these lines, from line 15 on; bound. */
static int bind_lines(const char *lines, struct statistics **set, struct error *err)
{
    char path[] = "/tmp/rooftally-statistics-XXXXXX";
    int fd = mkstemp(path), status = -1;
    FILE *file = fdopen(fd, "w");
    struct job *job = NULL;
    struct binding *binding = calloc(1, sizeof *binding);
    assert_non_null(file);
    assert_non_null(binding);
    fprintf(file,
            "[job]\noutput = x.h5\n[source]\nkind = postgres\n[zones]\n"
            "table = zipcode\nid = zip\ngeometry = boundary\n[buildings]\n"
            "table = building\nid = id\ngeometry = boundary\n"
            "fields = height, use, volume = height * size\n[statistics]\n%s",
            lines);
    fclose(file);
    if (job_open(&job, path, NULL, 0, err) == 0) {
        if (binding_init(binding, job, &buildings, err) == 0) {
            binding->id_type = TYPE_INTEGER;
            status = statistics_bind(set, job, binding, err);
            binding_release(binding);
        }
        job_close(job);
    }
    free(binding);
    unlink(path);
    return status;
}

static void fields_computed_fields_and_measures_bind(void **state)
{
    (void)state;
    struct statistics *set = NULL;
    struct error err = { 0 };
    if (bind_lines("n = count\nv = mean(VOLUME)\nlarge = top(area_m2, 3)\n"
                   "share = coverage\nuses = frequency(use)\n",
                   &set,
                   &err)
        < 0)
        fail_msg("%s", err.text);
    assert_int_equal(statistics_n_outputs(set), 6);
    assert_string_equal(statistics_output(set, 1)->long_name,
                        "mean(VOLUME) of the selected buildings");
    assert_string_equal(statistics_output(set, 2)->units, "m2");
    assert_int_equal(statistics_output(set, 3)->type, TYPE_INTEGER);
    statistics_free(set);
}

static void refusals_name_file_line_and_key_once(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *error;
    } cases[] = {
        { "p90 = quantile(height, 90)\n",
          ":15: [statistics] p90: quantile needs a field and a share between 0 and 1: "
          "got 'quantile(height, 90)'" },
        { "n = count\nm = mean(use)\n", ":16: [statistics] m: mean needs a number" },
        { "n = count\nm = mean(heigth)\n", ":16:" },
        { "m = mean(heigth)\n", "'height'" },
        { "zones = count\n", ":15: [statistics] zones: the result file uses" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct statistics *set = NULL;
        struct error err = { 0 };
        assert_int_equal(bind_lines(cases[i].lines, &set, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        const char *place = strstr(err.text, "/tmp/rooftally-statistics-");
        if (place != err.text || strstr(place + 1, "/tmp/rooftally")
            || !strstr(err.text, cases[i].error))
            fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_computed_fields_and_measures_bind),
        cmocka_unit_test(refusals_name_file_line_and_key_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
