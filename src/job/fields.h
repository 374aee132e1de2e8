/* Lists in a job file. */
#ifndef ROOFTALLY_JOB_FIELDS_H
#define ROOFTALLY_JOB_FIELDS_H

#include "rooftally/job/job.h"

/*
 * Read "height, size, volume = height * size": commas part the list where they stand
 * outside parentheses and quotes.
 *
 * Owner    *fields is the caller's, released with fields_free
 * Returns  0, or -1 with ERROR_USAGE "'volume': column 8: ..."
 */
int fields_parse(struct job_field **fields,
                 int *n_fields,
                 const char *text,
                 int line,
                 struct error *err);
void fields_free(struct job_field *fields, int n_fields);

/* Read "id, height", each as it is written; empty is none. */
int names_parse(char (**names)[SPELLING_BYTES],
                int *n_names,
                const char *text,
                struct error *err);

#endif
