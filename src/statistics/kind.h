/*
 * The interface behind which every statistic lies: its file holds the two functions and
 * the struct that describes it, table.c lists it.
 *
 *   bind    checks the numbers of the call, asks for parts, declares outputs
 *   finish  makes the outputs of a zone out of the states of its parts
 */
#ifndef ROOFTALLY_STATISTICS_KIND_H
#define ROOFTALLY_STATISTICS_KIND_H

#include <stddef.h>

#include "rooftally/statistics/statistics.h"

#include "call.h"
#include "part.h"

enum unit_rule {
    UNIT_ONE,     /* a count or a ratio */
    UNIT_VALUE,   /* the field's */
    UNIT_SPAN,    /* of a difference of two values */
    UNIT_SQUARE,  /* the field's, squared */
    UNIT_DENSITY, /* buildings a square kilometre */
};

/* Sets of types: one bit each. */
enum type_set {
    TYPES_NUMBERS = 1 << TYPE_INTEGER | 1 << TYPE_REAL,
    TYPES_SUMMABLE = TYPES_NUMBERS | 1 << TYPE_BOOLEAN,
    TYPES_ORDERED = TYPES_NUMBERS | 1 << TYPE_DATE | 1 << TYPE_TIMESTAMP,
    TYPES_ALL = TYPES_ORDERED | 1 << TYPE_BOOLEAN | 1 << TYPE_TEXT,
};

struct statistic {
    const struct statistic_kind *kind;
    char name[NAME_BYTES];
    char call[288]; /* "quantile(height, 0.9)" */
    struct call_argument arguments[CALL_ARGUMENTS];
    int slots[2]; /* of the first and second field; -1 none */
    enum value_type types[2];
    enum measure measure; /* that the first field is */
    int parts[2];
    int output; /* the first of its outputs */
};

/* A zone whose buildings are all added; there is at least one. */
struct zone_end {
    const struct statistics *set;
    struct fold *fold;
    struct memory *memory;
    const struct zone_facts *facts;
    int64_t n_rows;
};

struct statistic_kind {
    const char *name;
    const char *arguments; /* "f" a field, "n" a number, "a" area_m2, not written */
    enum type_set types;   /* of its fields */
    enum unit_rule unit;
    const char *needs; /* "a field and a share between 0 and 1" */

    /* NULL, or what it needs where the numbers do not do. */
    const char *(*bind)(struct statistics *set, struct statistic *statistic);

    /* Outputs hold what an empty zone has: values of statistic->output and on, with
     * room for `width` values. */
    int (*finish)(const struct statistic *statistic,
                  const struct zone_end *end,
                  struct output_values *values,
                  struct error *err);
};

/* table.c: all of them, in the order that help and messages list them. A name may come
 * twice with different arguments. */
extern const struct statistic_kind *const statistic_kinds[];
extern const int n_statistic_kinds;

/* For bind: the part on the statistic's fields, found or made; its index. */
int statistics_part(struct statistics *set,
                    const struct statistic *statistic,
                    const struct part_kind *kind);
/* The same, with the numbers of bins or leaders. */
int statistics_part_with(struct statistics *set,
                         const struct statistic *statistic,
                         const struct part_kind *kind,
                         double low,
                         double high,
                         int64_t n);
/* The part that keeps the values of its field: a sample, or words. */
int statistics_values(struct statistics *set, const struct statistic *statistic);

/* For bind: one more output; `suffix` follows the name of the statistic. */
struct output *statistics_add_output(struct statistics *set,
                                     struct statistic *statistic,
                                     const char *suffix,
                                     enum output_form form,
                                     enum value_type type,
                                     int64_t width);
/* For bind: the one output of most statistics, a double. */
void statistics_add_real(struct statistics *set, struct statistic *statistic);
enum value_type statistics_id_type(const struct statistics *set);

/* For finish: the state of one of the statistic's parts. */
void *statistics_state(const struct zone_end *end,
                       const struct statistic *statistic,
                       int part);

#endif
