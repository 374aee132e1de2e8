/* What each name of a job stands for: fields, columns and measures in one numbered
 * list. A number is a slot while expressions are checked; slots that are really
 * fetched are numbered later, so that a name costs nothing until it is needed. */
#ifndef ROOFTALLY_JOB_NAMES_H
#define ROOFTALLY_JOB_NAMES_H

#include "rooftally/job/binding.h"

enum { N_MEASURES = 3 };

struct name {
    const char *name;
    enum value_type type;
    char *sql;                          /* owned; NULL: not in the source's language */
    const struct source_column *column; /* of a column, or a field that is one */
    int column_number;                  /* its own number, where a field is one */
    struct expression *definition;      /* of a computed field: owned, checked */
    enum measure measure;
    bool redefined; /* a computed column that the job defines anew */
    bool mentioned; /* a column that an expression names */
};

/* numbers: [0, n_fields) fields, then n_columns columns, then N_MEASURES measures */
struct names {
    struct name *list;
    int n_fields, n_columns;
    int n_computed; /* the last of the columns */
    int n_ready;    /* fields that may be used so far: those above the one being read */
    int *slots;     /* for binding: slot of each number, -1 none yet */
    bool speaks_sql; /* whether the source has a language */
    const char *path, *section, *id;
};

/*
 * Resolve the fields of a table, checking each definition with what stands above it.
 *
 * section  "zones" or "buildings", for messages
 * id       the name of its column
 * Owner    *names, released with names_free; borrows the names of fields and columns
 */
int names_new(struct names **names,
              const char *path,
              const char *section,
              const char *id,
              const struct job_field *fields,
              int n_fields,
              const struct source_columns *columns,
              struct error *err);
void names_free(struct names *names);

int names_count(const struct names *names);
int names_of_measure(const struct names *names, enum measure measure);

/* The number of a name, bare or in quotes, as where and definitions see it
 * (in_expression), or as keep and statistics do. Returns 0, or -1 with ERROR_USAGE,
 * nearest name included. */
int names_find(const struct names *names,
               const char *written,
               bool in_expression,
               int *number,
               struct error *err);

/* Check that `where` is a condition, its slots being numbers. */
int names_check_where(struct names *names, struct expression *where, struct error *err);

/* "file:14: [buildings] where: " in front, or "--set buildings.where: " for line 0. */
int names_prefix(const struct names *names,
                 const char *key,
                 int line,
                 struct error *err);

#endif
