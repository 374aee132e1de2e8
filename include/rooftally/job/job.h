/*
 * A job file, read and checked as far as that goes without its source.
 *
 * INI as libinih reads it (inline comments begin with " ;"). Unknown sections and keys
 * are errors that name file, line, key and the nearest known key:
 *   massachusetts.ini:14: [buildings] unknown key 'feilds': did you mean 'fields'?
 */
#ifndef ROOFTALLY_JOB_JOB_H
#define ROOFTALLY_JOB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"
#include "rooftally/job/expression.h"

enum source_kind { SOURCE_POSTGRES, SOURCE_STORE, SOURCE_VECTOR, SOURCE_MEMORY };
enum snapshot_rule { SNAPSHOT_SHARED, SNAPSHOT_NONE };
enum fetch_rule { FETCH_AUTO, FETCH_INDEX, FETCH_SCAN }; /* of postgres */

/* What a row's number is called where a job of vector files, or of a store that was made
 * from them, names no id. */
#define JOB_ROW_NAME "row"

/* A name, or a name with the expression that defines it. */
struct job_field {
    char name[NAME_BYTES];         /* as typed, without quotes */
    char written[SPELLING_BYTES];  /* in its quotes, as spelling_read takes it */
    struct expression *definition; /* NULL for a plain column */
    int line;
};

struct job_statistic {
    char name[NAME_BYTES]; /* the key: name of the output */
    char *text;            /* "quantile(height, 0.9)" */
    int line;
};

/* The job owns all its strings, expressions and lists; "" stands for a key not given. */
struct job {
    char *path;  /* of the job file, as given */
    char *title; /* default: the file's name */
    char *output;

    enum source_kind kind;
    char *connection; /* libpq conninfo; may hold a password: never print it */
    char *store_path;
    enum snapshot_rule snapshot;
    enum fetch_rule fetch;

    /* as written; id: not given, JOB_ROW_NAME */
    char *zone_table, *zone_id, *zone_geometry;
    bool any_zone_id, any_building_id; /* no id is given: a store's own will do */
    char *zone_path, *zone_layer;      /* of a vector file; no secrets shown */
    struct job_field *zone_fields;
    int n_zone_fields;
    struct expression *zone_where; /* NULL: all */
    char *zone_where_text;         /* as written, in one line; "": all */

    char *building_table, *building_id, *building_geometry;
    char *building_path, *building_layer;
    struct job_field *fields;
    int n_fields;
    struct expression *where; /* NULL: all */
    char *where_text;         /* as zone_where_text */
    enum predicate predicate;
    enum invalid_rule invalid;
    char (*keep)[SPELLING_BYTES]; /* default: { building_id }; none: no selection */
    int n_keep;
    bool any_keep; /* it is the default */

    struct job_statistic *statistics;
    int n_statistics;

    int64_t memory_bytes; /* default 64 MiB, at least 8 MiB */
    int retries;          /* default 5 */
    double checkpoint_s; /* spools are synced this often: default 10; INFINITY: never */
    double time_s;       /* the run ends by itself within this time; 0: no limit */

    char *text;     /* the file with the overrides applied, passwords starred out */
    char *identity; /* what decides the result, as job_identity_differs takes it */
    char *places;   /* which key is given where, for job_locate */
    /* for messages; 0: from --set, or not given */
    int zones_line, buildings_line, where_line, keep_line, zone_where_line;
};

/*
 * Read a job file and apply overrides "section.key=value" in order.
 *
 * Returns  0, or -1 with ERROR_USAGE (file:line: [section] key: what; what to do) or
 *            ERROR_IO when the file cannot be read
 */
int job_open(struct job **job,
             const char *path,
             const char *const *overrides,
             int n_overrides,
             struct error *err);
void job_close(struct job *job);

/* Call ids that are not given what the open source calls them. ERROR_BUDGET. */
int job_take_ids(struct job *job,
                 const char *zone_id,
                 const char *building_id,
                 struct error *err);

/* That the files of kind = vector are named, which only staging needs: ERROR_USAGE. */
int job_check_files(const struct job *job, struct error *err);

/*
 * Put the place in the job file in front of an error that was found when the job met its
 * source: "[zones] id: no column 'zipp'" becomes "job.ini:14: [zones] id: ...", or
 * "--set zones.id: ...". Others stay. Returns -1.
 */
int job_locate(const struct job *job, struct error *err);

/* "64 MiB", "1.5 GiB", "4096": bytes. */
int job_parse_size(const char *text, int64_t *n_bytes, struct error *err);

/* "10 s", "3h50m", "90 min", "2d", "3:50:00"; a bare number is seconds. */
int job_parse_duration(const char *text, double *seconds, struct error *err);

/*
 * What two jobs that were given at different times differ in, as far as it changes the
 * result: [source] but for connection, path and fetch, [zones], [buildings], [statistics].
 *
 * Shape    an identity is lines "[section] key = value"; statistics in their order, other
 *          keys in an order of ours
 * Returns  false when they are the same, true with the first difference as text:
 *          "[buildings] where was 'height > 10', now it is 'height > 20'"
 */
bool job_identity_differs(const char *then, const char *now, char *text, int n_text);

/* Copy of a conninfo with every password's value replaced by "***"; caller frees. */
char *job_redact(const char *conninfo);

/* The same of the path of a vector file, which may be a connection ("PG:...", or a URL
 * with a password in it): then all of it is "***". */
char *job_redact_path(const char *path);

/* A message that repeats what somebody typed, be it in the wrong place: what follows
 * "password =", and the password of an address, get stars. In place. */
void job_redact_message(char *text);

#endif
