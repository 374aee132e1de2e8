/* The bound set: what statistics_bind makes and every zone's fold reads. */
#ifndef ROOFTALLY_STATISTICS_SET_H
#define ROOFTALLY_STATISTICS_SET_H

#include "kind.h"

struct statistics {
    struct statistic *statistics;
    int n;
    struct part *parts; /* those of one field follow each other */
    int n_parts;
    struct output *outputs;
    int n_outputs;
    enum value_type id_type;
};

/*
 * Refuse output names that are malformed, double, or names the result file uses itself.
 * Returns 0, or -1 with ERROR_USAGE with file:line.
 */
int names_check(const struct statistics *set, const struct job *job, struct error *err);

/* Put where the statistic is given in front: "file:14: [statistics] name: " or
 * "--set statistics.name: ". Returns -1. */
int names_place(const struct job *job, int index, struct error *err);

/* The unit that a statistic puts out; into units. */
void units_of(const struct statistic *statistic, char units[40]);
/* The unit of the values that it is of. */
void units_of_values(const struct statistic *statistic, char units[40]);

#endif
