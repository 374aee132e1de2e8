/* The sections and keys of a job file. */
#ifndef ROOFTALLY_JOB_KEYS_H
#define ROOFTALLY_JOB_KEYS_H

#include <stdbool.h>

#include "rooftally/base/error.h"

/* 0, or -1 with ERROR_USAGE "unknown section 'zone': did you mean 'zones'?" */
int keys_check_section(const char *section, struct error *err);

/* 0, or -1 with ERROR_USAGE, for the section or the key; [statistics] takes any name. */
int keys_check(const char *section, const char *key, struct error *err);

bool keys_known(const char *section, const char *key);

/* The sections in the order of the design, from 0; NULL behind the last. */
const char *keys_section(int index);
/* Its keys in order; NULL after the last, and where any name is a key. */
const char *keys_key(int section, int index);

#endif
