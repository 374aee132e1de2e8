/*
 * The commands, one file each. A command returns 0, or -1 with an error whose code
 * decides the exit status: USAGE 2 (nothing was started), STOPPED 75, any other 1.
 */
#ifndef ROOFTALLY_CLI_CLI_H
#define ROOFTALLY_CLI_CLI_H

#include "rooftally/base/error.h"
#include "rooftally/comm/comm.h"

enum { CLI_ADVICE_BYTES = 200 };

/* argv[0] is the command's own name. advice: how to go on after a failure, on rank 0, to
 * follow the error's text; "" when there is nothing to go on from. */
int cli_run(int argc,
            char **argv,
            struct comm *comm,
            char advice[CLI_ADVICE_BYTES],
            struct error *err);
int cli_plan(int argc, char **argv, struct error *err);
int cli_stage(int argc, char **argv, struct comm *comm, struct error *err);
int cli_generate(int argc, char **argv, struct comm *comm, struct error *err);
int cli_info(int argc, char **argv, struct error *err);
int cli_export(int argc, char **argv, struct error *err);
int cli_report(int argc, char **argv, struct error *err);

int cli_help(int argc, char **argv, struct error *err);
int cli_version(int argc, char **argv, struct error *err);

#endif
