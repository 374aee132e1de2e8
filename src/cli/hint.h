/* Commands that a message proposes, to be pasted into a shell. */
#ifndef ROOFTALLY_CLI_HINT_H
#define ROOFTALLY_CLI_HINT_H

#include <stdbool.h>
#include <stdio.h>

#include "rooftally/job/job.h"
#include "rooftally/source/source.h"

#include "options.h"

/* One word for a shell, in quotes where it needs them. */
void hint_put_word(const char *word, FILE *out);

/* "create index on TABLE using gist (COLUMN)", or where else: what to do about an index
 * that a run which asks zone by zone is slow without. False where it is not missing. */
enum { HINT_BYTES = 400 };
bool hint_building_index(char text[HINT_BYTES],
                         const struct job *job,
                         const struct source_schema *schema);
bool hint_zone_index(char text[HINT_BYTES],
                     const struct job *job,
                     const struct source_schema *schema,
                     int64_t n_zones);

/* Which table it is that has no spatial index: the buildings', or one that it consists of. */
const char *hint_bare_table(const struct job *job, const struct source_schema *schema);

/*
 * "rooftally stage JOB --set ... -o JOB.store.h5 && rooftally COMMAND JOB --set ... --set
 * source.kind=store --set source.path=JOB.store.h5", with the options as given, and no
 * secrets. On the heap; NULL without memory.
 */
char *hint_stage(const struct options *options, const char *command);

#endif
