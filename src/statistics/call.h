/*
 * A statistic as the job file writes it: name, or name(argument, ...), each argument a
 * field (bare or "quoted") or a number.
 */
#ifndef ROOFTALLY_STATISTICS_CALL_H
#define ROOFTALLY_STATISTICS_CALL_H

#include <stdbool.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"

enum { CALL_ARGUMENTS = 4 };

struct call_argument {
    bool is_number;
    double number;
    char text[SPELLING_BYTES]; /* as written: a quoted quote takes two bytes */
};

struct call {
    char function[NAME_BYTES]; /* in lower case */
    struct call_argument arguments[CALL_ARGUMENTS];
    int n;
};

/* Returns 0, or -1 with ERROR_USAGE "column 8: expected a field or a number". */
int call_parse(struct call *call, const char *text, struct error *err);

#endif
