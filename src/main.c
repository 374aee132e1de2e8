/* Role and exit status; but for the last word of a process that hangs (cli/stop.c), the only
 * place where an error is printed. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"
#include "rooftally/base/nearest.h"
#include "rooftally/job/job.h"

#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/stop.h"

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_UNUSABLE = 2,
    STATUS_STOPPED = STOP_STATUS,
    STATUS_LOST = 128 + SIGKILL /* as launchers say of a rank that was killed */
};

static int exit_status(const struct error *err)
{
    return err->code == ERROR_USAGE     ? STATUS_UNUSABLE
           : err->code == ERROR_STOPPED ? STATUS_STOPPED
                                        : STATUS_FAILED;
}

/* The one line, which ends with how to go on where there is a way; what came from outside
 * cannot steer the terminal. */
static void print_error(const struct error *err, const char *advice)
{
    char text[sizeof err->text], more[CLI_ADVICE_BYTES];
    log_clean(text, sizeof text, err->text, (int)strnlen(err->text, sizeof text - 1));
    job_redact_message(text);
    log_clean(more, sizeof more, advice, (int)strlen(advice));
    fprintf(stderr, "rooftally: %s%s%s\n", text, *more ? "; " : "", more);
    fflush(stderr);
}

/* Ranks that have lost each other cannot agree on who speaks: they wait for their turns,
 * and the first one ends the others, who hear of it by a signal of the launcher's. That
 * may take a second on a busy machine; and STOP_END_S after a wish to stop all is over. */
static bool await_turn(int rank)
{
    int n_signals = stop_n_signals();
    double turn_s = rank == 0 ? 0 : 2 + 0.25 * (rank < 4 ? rank : 4);
    double until_s = clock_wall_s() + turn_s;
    while (clock_wall_s() < until_s && stop_n_signals() == n_signals)
        clock_sleep_s(0.02);
    return stop_n_signals() == n_signals;
}

/* A host is gone, and the main thread may wait for it in any call: this is the end. Who
 * only was told, or is not to speak, gives the launcher time to end all. */
static void end_lost(int rank, const char *host, int turn)
{
    if (turn == 0)
        fprintf(stderr,
                "rooftally: rank %d on node %s has not answered for %d s: its host is "
                "gone, or cut off%s\n",
                rank,
                host,
                COMM_SILENT_S,
                stop_advice());
    else
        clock_sleep_s(2);
    fflush(stderr);
    _exit(STATUS_LOST);
}

/* A command that all ranks work on together. */
typedef int ranks_command(int argc,
                          char **argv,
                          struct comm *comm,
                          char advice[CLI_ADVICE_BYTES],
                          struct error *err);

/* A command of which nothing is kept when it is stopped. */
static int run_anew(int (*command)(int, char **, struct comm *, struct error *),
                    int argc,
                    char **argv,
                    struct comm *comm,
                    char advice[CLI_ADVICE_BYTES],
                    struct error *err)
{
    static const char anew[] = "; nothing is kept: start it again";
    stop_advise(anew);
    int done = command(argc, argv, comm, err);
    bool is_alone = done < 0 && err->code == ERROR_COMM && stop_is_wished();
    if (is_alone)
        error_prefix(err, "%s", stop_reason());
    if (done < 0)
        stop_name(err);
    if (is_alone || (done < 0 && err->code == ERROR_STOPPED))
        snprintf(advice, CLI_ADVICE_BYTES, "%s", anew + strlen("; "));
    return done;
}

static int stage(int argc,
                 char **argv,
                 struct comm *comm,
                 char advice[CLI_ADVICE_BYTES],
                 struct error *err)
{
    return run_anew(cli_stage, argc, argv, comm, advice, err);
}

static int generate(int argc,
                    char **argv,
                    struct comm *comm,
                    char advice[CLI_ADVICE_BYTES],
                    struct error *err)
{
    return run_anew(cli_generate, argc, argv, comm, advice, err);
}

static const struct command {
    const char *name;
    ranks_command *of_ranks; /* or: */
    int (*alone)(int argc, char **argv, struct error *err);
} commands[] = {
    { "run", cli_run, NULL },           { "plan", NULL, cli_plan },
    { "stage", stage, NULL },           { "generate", generate, NULL },
    { "info", NULL, cli_info },         { "export", NULL, cli_export },
    { "report", NULL, cli_report },     { "--help", NULL, cli_help },
    { "-h", NULL, cli_help },           { "help", NULL, cli_help },
    { "--version", NULL, cli_version },
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* As all ranks were started with it, all would say the same. */
static int refuse(int argc,
                  char **argv,
                  struct comm *comm,
                  char advice[CLI_ADVICE_BYTES],
                  struct error *err)
{
    const char *names[N_COMMANDS];
    int n = 0;
    (void)comm, (void)advice;
    if (argc < 1)
        return error_set(err, ERROR_USAGE, "no command given; see rooftally --help");
    for (int i = 0; i < N_COMMANDS; i++)
        if (strlen(commands[i].name) > 2) /* -h is near to any letter */
            names[n++] = commands[i].name;
    const char *nearest = nearest_word(argv[0], names, n);
    return error_set(err,
                     ERROR_USAGE,
                     "unknown command '%.60s'%s%s; see rooftally --help",
                     argv[0],
                     nearest ? ": did you mean " : "",
                     nearest ? nearest : "");
}

static struct command find_command(const char *word)
{
    for (int i = 0; word && i < N_COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i];
    return (struct command){ NULL, refuse, NULL };
}

/* Start the ranks; the command's error is known to all of them and printed once. */
static int run(ranks_command *command, int argc, char **argv)
{
    struct error err = { ERROR_NONE, "" };
    struct comm *comm = NULL;
    int status = STATUS_DONE;
    signal(SIGPIPE, SIG_IGN); /* work is not lost because nobody reads of it */
    stop_catch();
    if (comm_open(&comm, &argc, &argv, &err) < 0) {
        if (await_turn(comm_launched_rank()))
            print_error(&err, "");
        return exit_status(&err);
    }
    char advice[CLI_ADVICE_BYTES] = "";
    comm_watch(comm, end_lost);
    int done = command(argc - 1, argv + 1, comm, advice, &err);
    bool is_lost = (done < 0 && err.code == ERROR_COMM) || comm_is_broken(comm);
    bool speaks = is_lost ? await_turn(comm_rank(comm)) : comm_rank(comm) == 0;
    if (done < 0) {
        status = exit_status(&err);
        if (speaks)
            print_error(&err, advice);
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_DONE)
        log_warn("no_output", "standard output cannot be written");
    if (is_lost) /* the others would wait for us forever */
        comm_abort(comm, stop_is_wished() ? STATUS_STOPPED : STATUS_FAILED);
    stop_leave(status);
    comm_close(comm);
    return status;
}

int main(int argc, char **argv)
{
    struct error err = { ERROR_NONE, "" };
    umask(umask(0) | 022);    /* what we create, others may not write */
    signal(SIGXFSZ, SIG_IGN); /* the write that is too much fails, and can be told of */
    char **arguments = arguments_hide(argc, argv);
    argv = arguments ? arguments : argv;
    const struct command command = find_command(argc > 1 ? argv[1] : NULL);
    if (command.of_ranks)
        return run(command.of_ranks, argc, argv);
    if (comm_launched_rank() > 0) /* of many, the first does it */
        return STATUS_DONE;
    if (command.alone(argc - 1, argv + 1, &err) < 0) {
        print_error(&err, "");
        return exit_status(&err);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return STATUS_DONE;
    error_set(&err, ERROR_IO, "standard output cannot be written: is the disk full?");
    print_error(&err, "");
    return STATUS_FAILED;
}
