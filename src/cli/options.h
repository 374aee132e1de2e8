/* The arguments that run and plan share. */
#ifndef ROOFTALLY_CLI_OPTIONS_H
#define ROOFTALLY_CLI_OPTIONS_H

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

#endif
