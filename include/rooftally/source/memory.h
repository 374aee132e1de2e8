/*
 * The twin of a real source, for unit tests: zones and buildings out of tables in
 * memory. Same calls, same contracts, same order of events; no server.
 */
#ifndef ROOFTALLY_SOURCE_MEMORY_H
#define ROOFTALLY_SOURCE_MEMORY_H

#include "rooftally/source/source.h"

struct memory_row {
    const char *id; /* text, or the digits of an integer; NULL: null */
    const uint8_t *wkb;
    int64_t n_wkb;             /* 0: a null geometry */
    const char *const *values; /* [n_columns] as text, NULL: null; booleans "t" and "f",
                                  dates and timestamps as the number that a column
                                  holds; may be NULL without columns */
};

struct memory_table {
    enum value_type id_type;      /* INTEGER or TEXT */
    const char *const *names;     /* [n_columns] besides id and geometry */
    const enum value_type *types; /* [n_columns] */
    int n_columns;
    const struct memory_row *rows; /* in any order */
    int64_t n_rows;
};

/* A failure to be had on purpose, counted down as it happens. */
struct memory_fault {
    const char *zone; /* source_zone or, where `in_stream`, source_next of this zone */
    bool in_stream;   /* after the first batch, as a connection breaks */
    enum error_code code;
    int n_times;
};

struct memory_tables {
    struct memory_table zones, buildings;
    int32_t srid;
    const char *crs;            /* as crs_read takes it; NULL: a plane in metres */
    struct memory_fault *fault; /* NULL: none */
};

/*
 * Open a source on tables; kind of the job is not looked at. Column names of the job
 * are not either: the id is `id`, the geometry `geometry`, whatever the job calls them.
 *
 * Owner    the tables are borrowed until source_close
 * Returns  0, or -1 with ERROR_BUDGET or ERROR_USAGE (crs)
 */
int source_memory_open(struct source **source,
                       const struct job *job,
                       const struct memory_tables *tables,
                       struct error *err);

#endif
