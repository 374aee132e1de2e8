/*
 * The statistics of a job: bound once, folded once per zone.
 *
 * Each kind is one file and a line in a table (statistics/table.c): how to read its
 * arguments, what it puts out, which states it needs, and its result from them. States
 * (exact sum, extremes, kept values, ...) observe one field, merge, and are shared by
 * the statistics of that field. Sums are exact: any order, any partition gives the same
 * bits; they are rounded once, in result.
 */
#ifndef ROOFTALLY_STATISTICS_STATISTICS_H
#define ROOFTALLY_STATISTICS_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"
#include "rooftally/job/binding.h"

enum output_form {
    OUTPUT_SCALAR,   /* [zone] */
    OUTPUT_RANKED,   /* [zone, width]: top */
    OUTPUT_BINS,     /* [zone, width]: histogram, with edges */
    OUTPUT_CATEGORY, /* [zone, category]: frequency; pairs of key and count per zone */
};

/* One dataset of the result. */
struct output {
    char name[NAME_BYTES + 8]; /* "p90_height"; "tallest_id" */
    char long_name[328];       /* "quantile(height, 0.9) of the selected buildings" */
    char units[40];            /* "1" for counts; "" when the field's is not known;
                                   "days since 1970-01-01" for dates */
    enum output_form form;
    enum value_type type; /* INTEGER, REAL, TEXT; of the keys for CATEGORY */
    int64_t width;        /* values a zone; 0 for CATEGORY */
    double low, high;     /* of BINS */
    char axis_units[40];  /* as units, of the keys of CATEGORY, the bounds of BINS */
};

/*
 * What one zone has for one output.
 *
 * Shape    SCALAR, RANKED, BINS: `width` values in reals, integers or texts by type
 *          (missing: NaN, FILL_INTEGER, n = 0)
 *          CATEGORY: n pairs, keys sorted, in reals, integers or texts, and counts
 */
struct output_values {
    int64_t n;
    union {
        double *reals;
        int64_t *integers;
        struct text *texts;
    };
    int64_t *counts; /* CATEGORY only */
};

struct statistics; /* the bound set, on the heap */

/*
 * Bind the job's statistics, asking `binding` for the slots of their arguments.
 *
 * Returns  0, or -1 with ERROR_USAGE: unknown function (nearest), wrong number or type
 *          of arguments, a name the result file uses itself, duplicate names; each
 *          with file:line
 */
int statistics_bind(struct statistics **statistics,
                    const struct job *job,
                    struct binding *binding,
                    struct error *err);
void statistics_free(struct statistics *statistics);

int statistics_n_outputs(const struct statistics *statistics);
const struct output *statistics_output(const struct statistics *statistics, int index);

/* Whether any of them goes by the area of its zone, and by no area of buildings. */
bool statistics_by_zone_area(const struct statistics *statistics);

/* Bytes a zone of n_selected buildings needs for its states, for `plan`. */
int64_t statistics_size(const struct statistics *statistics, int64_t n_selected);

struct zone_facts {
    double area_m2;
};

/* The states of one zone, in memory (MEMORY_STATISTICS), which they grow in: each of the
 * calls returns 0, or -1 with ERROR_BUDGET. */
struct fold;

int fold_begin(struct fold **fold,
               const struct statistics *statistics,
               struct memory *memory,
               struct error *err);

/* Add the listed rows of a batch: columns by slot, and the id. */
int fold_add(struct fold *fold,
             const struct column *columns,
             const struct column *id,
             const int32_t *rows,
             int32_t n_rows,
             struct error *err);

/* Add what `from` holds; both are of the same statistics and memory. A run folds a zone on
 * one rank; that the parts of one may be added in any way is what the tests hold it to. */
int fold_merge(struct fold *fold, const struct fold *from, struct error *err);

/* Write values[n_outputs], in memory. With no row added: count 0 (and zero bins, no
 * categories), missing for the rest. */
int fold_end(struct fold *fold,
             const struct zone_facts *facts,
             struct output_values *values,
             struct error *err);

#endif
