/* What libpq reads is taken; what it would read as something else is refused, unrepeated. */
#include "check.h"
#include "conninfo.h"

static void what_libpq_reads_is_taken(void **state)
{
    static const char *const fine[] = {
        "",
        "gis",
        "service=gis",
        "host=a,b port=5432,5433 dbname=d",
        "host=/tmp;a=b dbname='x;y=z' user='a; b = c'",
        "dbname=postgresql://u:a;b=c@h/d",
        "dbname=a@b",
        "port=+5432",
        "port=' 5432 '",
        "password='a;user=b'",
        "postgresql://u:a;user=b@h:5432,[::1]:5433/d?sslmode=disable",
    };
    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct error err = { ERROR_NONE, "" };
        if (conninfo_check(fine[i], &err))
            fail_msg("%s: %s", fine[i], err.text);
    }
}

static void what_it_reads_otherwise_is_refused(void **state)
{
    static const struct {
        const char *conninfo, *words;
    } cases[] = {
        { "host=h;user=u;password=SECRET;dbname=d", "put blanks between" },
        { "user='u; PASSWORD = SECRET'", "put blanks between" },
        { "port=5432;password=SECRET", "put blanks between" },
        { "application_name=x;password=SECRET", "put blanks between" },
        { "connect_timeout=5;password=SECRET", "put blanks between" },
        { "u:SECRET@h", "not a libpq connection string" },
        { "u:SECRET", "not a libpq connection string" },
        { "postgresql://u:SECRET/d", "its port is not a number" },
        { "postgresql://u@s:SECRET@h/d", "one @, before the first /" },
        { "password=SECRET SECRET", "not a libpq connection string" },
        { "password='SECRET", "not a libpq connection string" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { ERROR_NONE, "" };
        assert_int_equal(conninfo_check(cases[i].conninfo, &err), -1);
        if (!strstr(err.text, cases[i].words) || strstr(err.text, "SECRET"))
            fail_msg("%s: %s", cases[i].conninfo, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_libpq_reads_is_taken),
        cmocka_unit_test(what_it_reads_otherwise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
