/* Commands that a message proposes, to be pasted into a shell. */
#ifndef ROOFTALLY_CLI_HINT_H
#define ROOFTALLY_CLI_HINT_H

#include <stdbool.h>
#include <stdio.h>

#include "options.h"

/* One word for a shell, in quotes where it needs them. */
void hint_put_word(const char *word, FILE *out);

/* "create index on TABLE using gist (COLUMN)", or where else: what to do about an index
 * that is not there. */
enum { HINT_BYTES = 400 };
void hint_index(char text[HINT_BYTES],
                const char *table,
                const char *column,
                bool is_spatial,
                bool is_view);

/*
 * "rooftally stage JOB --set ... -o JOB.store.h5 && rooftally COMMAND JOB --set ... --set
 * source.kind=store --set source.path=JOB.store.h5", with the options as given, and no
 * secrets. On the heap; NULL without memory.
 */
char *hint_stage(const struct options *options, const char *command);

#endif
