/* Role and exit status: the only exit, and the only place where an error is printed. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rooftally/base/log.h"
#include "rooftally/base/nearest.h"

#include "cli/cli.h"
#include "cli/stop.h"

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_UNUSABLE = 2,
    STATUS_STOPPED = STOP_STATUS
};

static int exit_status(const struct error *err)
{
    return err->code == ERROR_USAGE     ? STATUS_UNUSABLE
           : err->code == ERROR_STOPPED ? STATUS_STOPPED
                                        : STATUS_FAILED;
}

/* The one line, and under it how to go on; what came from outside cannot steer the
 * terminal. */
static void print_error(const struct error *err, const char *advice)
{
    char text[sizeof err->text], more[CLI_ADVICE_BYTES];
    log_clean(text, sizeof text, err->text, (int)strnlen(err->text, sizeof text - 1));
    fprintf(stderr, "rooftally: %s\n", text);
    if (*advice)
        fprintf(stderr,
                "  %s\n",
                log_clean(more, sizeof more, advice, (int)strlen(advice)));
    fflush(stderr);
}

/* Only `run` starts the ranks; its error is known to all of them and printed once. */
static int run(int argc, char **argv)
{
    struct error err = { ERROR_NONE, "" };
    struct comm *comm = NULL;
    int status = STATUS_DONE;
    stop_catch();
    if (comm_open(&comm, &argc, &argv, &err) < 0) {
        print_error(&err, "");
        return exit_status(&err);
    }
    char advice[CLI_ADVICE_BYTES] = "";
    if (cli_run(argc - 1, argv + 1, comm, advice, &err) < 0) {
        status = exit_status(&err);
        if (comm_rank(comm) == 0)
            print_error(&err, advice);
    }
    fflush(stdout);
    if (comm_is_broken(comm))
        comm_abort(comm, stop_is_wished() ? STATUS_STOPPED : STATUS_FAILED);
    comm_close(comm);
    return status;
}

static int unknown(const char *word, struct error *err)
{
    static const char *const commands[] = { "run",  "plan",   "generate",
                                            "info", "--help", "--version" };
    const char *nearest = nearest_word(word, commands, 6);
    return error_set(err,
                     ERROR_USAGE,
                     "unknown command '%.60s'%s%s; see rooftally --help",
                     word,
                     nearest ? ": did you mean " : "",
                     nearest ? nearest : "");
}

static int dispatch(int argc, char **argv, struct error *err)
{
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0
        || strcmp(word, "help") == 0)
        cli_help();
    else if (strcmp(word, "--version") == 0)
        cli_version();
    else if (strcmp(word, "plan") == 0)
        return cli_plan(argc - 1, argv + 1, err);
    else if (strcmp(word, "generate") == 0)
        return cli_generate(argc - 1, argv + 1, err);
    else if (strcmp(word, "info") == 0)
        return cli_info(argc - 1, argv + 1, err);
    else
        return unknown(word, err);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = { ERROR_NONE, "" };
    umask(umask(0) | 022); /* what we create, others may not write */
    if (argc < 2) {
        error_set(&err, ERROR_USAGE, "no command given; see rooftally --help");
        print_error(&err, "");
        return STATUS_UNUSABLE;
    }
    if (strcmp(argv[1], "run") == 0)
        return run(argc, argv);
    if (dispatch(argc, argv, &err) < 0) {
        print_error(&err, "");
        return exit_status(&err);
    }
    return fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
}
