/* What is left of secrets on a command line, and what is not touched. */
#include <stdlib.h>

#include "arguments.h"
#include "check.h"

static void secrets_are_hidden_and_nothing_else(void **unused)
{
    static const char *const table[][3] = {
        { "--postgres", "password=SECRET dbname=x", "password=*** dbname=x" },
        { "--postgres", "postgresql://u:SECRET@h/d", "postgresql://u:***@h/d" },
        { "--postgres", "password=ab", "***********" },
        { "--set",
          "source.connection=password=SECRET",
          "source.connection=password=***" },
        { "--set",
          "source.connection = password='SE CRET'",
          "source.connection = password=***" },
        { "--se",
          "source.connection=password=SECRET",
          "source.connection=password=***" },
        { "run",
          "--set=source.connection=password=SECRET",
          "--set=source.connection=password=***" },
        { "generate", "--postgres=password=SECRET", "--postgres=password=***" },
        { "--post", "password=SECRET dbname=x", "password=*** dbname=x" },
        { "--p", "password=SECRET", "password=***" },
        { "generate", "--p=password=SECRET", "--p=password=***" },
        { "generate", "--postgress=password=SECRET", "--postgress=password=***" },
        { "--set", "zones.path=PG:host=h password=SECRET", "zones.path=***" },
        { "run",
          "--s=buildings.path = PG:password = SECRET",
          "--s=buildings.path =***" },
        { "--set", "buildings.path=/a/b c.gpkg", "buildings.path=/a/b c.gpkg" },
        { "--set",
          "buildings.where=path = 'password='",
          "buildings.where=path = 'password='" },
        { "--set", "connection=password=SECRET", "connection=password=***" },
        { "--set", "source.connection=service=gis", "source.connection=service=gis" },
        { "--set", "job.title=password=SECRET", "job.title=password=SECRET" },
        { "run", "password=x.ini", "password=x.ini" },
        { "--set", "source.connection", "source.connection" },
        { "--set", "source.connection=", "source.connection=" },
        { "--set", "", "" },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *argv[] = {
            strdup("rooftally"), strdup(table[i][0]), strdup(table[i][1]), NULL
        };
        char **copy = arguments_hide(3, argv);
        assert_non_null(copy);
        assert_string_equal(copy[2], table[i][1]);
        assert_string_equal(copy[1], table[i][0]);
        assert_null(copy[3]);
        assert_string_equal(argv[1], table[i][0]);
        assert_string_equal(argv[2], table[i][2]);
        for (int k = 0; k < 3; k++) {
            free(copy[k]);
            free(argv[k]);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_hidden_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
