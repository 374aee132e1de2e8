/* The arguments of run, plan and stage, which have most in common. */
#ifndef ROOFTALLY_CLI_OPTIONS_H
#define ROOFTALLY_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "rooftally/base/error.h"

struct options {
    const char *job_path;
    const char **overrides; /* "section.key=value", -o among them; on the heap */
    int n_overrides;
    const char *output; /* of -o; NULL: not given */
    bool force, resume, quiet, values, help;
};

/*
 * Read argv. `letters` are the long options the command takes, of "ofrqv" (output, force,
 * resume, quiet, values); --set and --help always.
 *
 * Returns  0, or -1 with ERROR_USAGE naming the command
 */
int options_read(struct options *options,
                 int argc,
                 char **argv,
                 const char *letters,
                 struct error *err);
void options_release(struct options *options);

/* What getopt_long has just answered '?' or ':' to, when these are the options that the
 * command takes. Returns -1 with ERROR_USAGE. */
int options_refuse(const char *command,
                   int letter,
                   char **argv,
                   const struct option *known,
                   struct error *err);

#endif
