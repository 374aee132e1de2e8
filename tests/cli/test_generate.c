#include "check.h"
#include "cli.h"

/* What is refused before a server is asked for anything. */
static void arguments_that_do_not_fit_are_refused(void **context)
{
    (void)context;
    static const struct {
        const char *arguments[9], *text;
    } cases[] = {
        { { "generate" }, "--postgres CONNINFO is missing" },
        { { "generate", "--postgres", "" }, "--zones N is missing" },
        { { "generate", "--postgres", "", "--zones", "1" },
          "--buildings N is missing" },
        { { "generate", "--zones", "3x" }, "--zones 3x: a whole number" },
        { { "generate", "--zones", "-3" }, "--zones -3: a whole number" },
        { { "generate", "--zones", "" }, "--zones : a whole number" },
        { { "generate", "--zones", "1000001" }, "from 1 to 1000000" },
        { { "generate", "--buildings", "1e6" }, "--buildings 1e6: a whole number" },
        { { "generate", "--buildings", "100000000001" }, "from 0 to 100000000000" },
        { { "generate", "--seed", "-1" }, "--seed -1: a whole number" },
        { { "generate", "--seed", "18446744073709551616" },
          "from 0 to 184467440737095" },
        { { "generate", "--seed" }, "--seed needs a value" },
        { { "generate", "--sede=1" }, "did you mean --seed" },
        { { "generate", "-x" }, "unknown option -x" },
        { { "generate", "--zones=0" }, "--zones 0: a whole number from 1 to" },
        { { "generate", "--postgres=", "--zones=1", "--buildings=1", "x.h5" },
          "takes one STORE, or --postgres CONNINFO, and 'x.h5' is one more" },
        { { "generate", "-qfx" }, "unknown option -x" },
        { { "generate", "--postgres=", "--zones=1", "--buildings=1", "--schema=" },
          "--schema needs a name" },
    };
    struct comm *comm;
    struct error ignored;
    int n = 0;
    char **none = NULL;
    assert_fine(comm_open(&comm, &n, &none, &ignored), &ignored);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *argv[9];
        struct error err;
        int argc = 0;
        for (; argc < 8 && cases[i].arguments[argc]; argc++)
            argv[argc] = (char *)(uintptr_t)cases[i].arguments[argc];
        argv[argc] = NULL;
        assert_refused(cli_generate(argc, argv, comm, &err),
                       &err,
                       ERROR_USAGE,
                       cases[i].text);
    }
    comm_close(comm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
