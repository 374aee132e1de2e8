/* Lines of a job's keys. */
#ifndef ROOFTALLY_JOB_PLACES_H
#define ROOFTALLY_JOB_PLACES_H

#include "entries.h"

/* A line "[section] key n" for each, n the line of the file, 0: from --set. On the heap;
 * NULL without memory. */
char *places_text(const struct entries *entries);

#endif
