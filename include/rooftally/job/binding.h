/*
 * A job bound to the columns that its source really has: which columns to fetch, what
 * to compute where, and the filter in its two halves.
 *
 * A slot is one column of a batch. Slots are made as names are asked for, so only what
 * the job uses is fetched. Order: as asked for; a slot's origin says who fills it.
 */
#ifndef ROOFTALLY_JOB_BINDING_H
#define ROOFTALLY_JOB_BINDING_H

#include <stdio.h>

#include "rooftally/job/job.h"

enum { BINDING_MAX_SLOTS = 64 };

/* A column as the source has it. */
struct source_column {
    char *name;           /* exact, unquoted */
    enum value_type type; /* TYPE_NULL: a type that no expression can use */
    char *type_name;      /* the source's own word, for messages: "bytea"; "": it may
                             not be read */
    char *sql;            /* the value in the source's language; NULL: none */
};

struct source_columns {
    struct source_column *columns;
    int n;
    int n_computed; /* the last of them: fields of the job that a store was staged with */
};

enum measure { MEASURE_NONE, MEASURE_AREA_M2, MEASURE_PERIMETER_M, MEASURE_VERTICES };

enum slot_origin {
    SLOT_SOURCE,  /* the source fills it: a column, or an expression in its language */
    SLOT_MEASURE, /* measured on the building's geometry */
    SLOT_LOCAL,   /* evaluated here from other slots */
};

struct slot {
    char name[NAME_BYTES];
    enum value_type type;
    enum slot_origin origin;
    enum measure measure; /* of SLOT_MEASURE */
    char *sql;            /* of SLOT_SOURCE: the value to select */
    const char *column;   /* of SLOT_SOURCE: the plain column, NULL if computed */
    struct expression *expression; /* of SLOT_LOCAL, checked */
};

struct binding {
    struct slot slots[BINDING_MAX_SLOTS];
    int n_slots;
    char *source_filter;             /* in the source's language; NULL: none */
    struct expression *row_filter;   /* the same half, over slots, of a source without a
                                        language, which may apply it itself; NULL: none */
    struct expression *local_filter; /* the other half, over slots; NULL: none */
    const char *id;                  /* its column: a name of `columns` */
    enum value_type id_type;         /* INTEGER or TEXT */
    int keep[BINDING_MAX_SLOTS];     /* slots kept with the selection; -1: the id */
    int n_keep;                      /* 0: no selection */
    const struct job *job;           /* borrowed */
    const struct source_columns *columns; /* borrowed, of the building table */
    struct names *names; /* what each name stands for; of this module alone */
};

/*
 * Bind fields, where and keep; statistics bind their arguments afterwards with
 * binding_slot.
 *
 * Slots    SLOT_LOCAL and local_filter read SLOT_SOURCE and SLOT_MEASURE slots only,
 *          which precede the SLOT_LOCAL that reads them; row_filter SLOT_SOURCE slots
 * Filter   what asks nothing of geometry goes first, whatever the source: of a building that it
 *          leaves out nobody asks whether it can be decided
 * Names    in `where`: fields, then columns, then measures; in a definition: fields
 *          above it, then columns, then measures; elsewhere: fields, then measures,
 *          and the id's name; `keep` also takes "id" for it where no field is called just so
 *          (a measure only where no column has its name). Of these the one goes first
 *          that is spelled best, the order decides among equals; outside of expressions
 *          a column that is spelled better than any field is refused. Computed columns come last,
 *          unless named exactly and not defined by the job: so a job means in a store
 *          what it means in the table that it was staged from
 * Borrows  job and columns until binding_release
 * Returns  0, or -1 with ERROR_USAGE naming line, key and the nearest known name
 */
int binding_init(struct binding *binding,
                 const struct job *job,
                 const struct source_columns *columns,
                 struct error *err);
void binding_release(struct binding *binding);

/* The slot of a field or measure, bare or in quotes, made if needed. `line` is for the
 * message. */
int binding_slot(struct binding *binding,
                 const char *name,
                 int line,
                 int *slot,
                 struct error *err);
/* The slot of a measure, whatever fields are called. */
int binding_measure(struct binding *binding,
                    enum measure measure,
                    int *slot,
                    struct error *err);

/*
 * Make slots of all that a copy of the table needs to answer this job and its like: every
 * field that the source can give or that is computed from columns, the columns that
 * fields and `where` name, even where no value depends on them, and, as long as there is room,
 * those called as a measure.
 */
int binding_everything(struct binding *binding, struct error *err);

/* A line for the type of the id and of each column that the job uses, also where the source alone
 * looks at it: "[buildings] type of height = real". */
void binding_put_types(const struct binding *binding, FILE *out);

/*
 * The filter of zones in its two halves; either is NULL when there is none.
 *
 * source_filter  in the source's language
 * local          over slot 0, area_m2 of the zone, and, where the source has no language,
 *                slots 1 + c: column c of `columns`
 */
int binding_zones(const struct job *job,
                  const struct source_columns *columns,
                  char **source_filter,
                  struct expression **local,
                  struct error *err);

#endif
