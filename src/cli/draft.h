/* What a command makes of a result: a file that is whole or not there, or standard output. */
#ifndef ROOFTALLY_CLI_DRAFT_H
#define ROOFTALLY_CLI_DRAFT_H

#include <stdbool.h>
#include <stdio.h>

#include "rooftally/base/error.h"

struct draft {
    const char *command; /* "export": begins the errors about what was typed */
    const char *result;  /* what is read, and never replaced */
    const char *output;  /* NULL: standard output */
    bool force;          /* replace what is there */
    /* 0, or -1; of the errors, those of `out` have ferror(out) and no name in front */
    int (*write)(void *context, FILE *out, struct error *err);
    void *context;
};

/*
 * Write; a file gets its name once it is whole and on disk.
 *
 * Returns  0, or -1 with nothing left behind and
 *            ERROR_USAGE   the result is none, or damaged; output is the result itself, is
 *                          there already, has too long a name
 *            ERROR_IO      output cannot be made or written
 *            ERROR_BUDGET  as `write` says
 */
int draft_write(const struct draft *draft, struct error *err);

#endif
