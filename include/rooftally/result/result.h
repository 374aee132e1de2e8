/*
 * The result file: gathered from the spools and written collectively, in slabs.
 *
 * Rank 0 lays out the file (groups, datasets, scales, attributes) under a temporary
 * name; then all ranks open it together and write their contiguous share of every
 * dataset, slab by slab, each zone at its own row, whatever rank analysed it. Then
 * flush, close, the attribute `consistent`, fsync, rename, fsync of the folder.
 *
 * `consistent` is the last word: without it, a file is a torso. It is 1, or 0 where a
 * resumed run has zones of several attempts, each of which had a snapshot of its own.
 */
#ifndef ROOFTALLY_RESULT_RESULT_H
#define ROOFTALLY_RESULT_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/comm/comm.h"
#include "rooftally/result/spool.h"
#include "rooftally/statistics/statistics.h"

/* Root attributes rooftally_format = "result" and format_version tell a result. */
enum { RESULT_FORMAT_VERSION = 1 };

/* One sample of a rank's memory. */
struct memory_sample {
    double time_s; /* since the run's start */
    int64_t rss_bytes, heap_bytes, live_bytes;
};

/* What each rank tells of itself: /telemetry/rank and /telemetry/memory. */
struct rank_telemetry {
    char host[64];
    int64_t n_zones;
    double busy_s, waiting_s, busy_cpu_s, cpu_s;
    int64_t peak_rss_bytes, peak_live_bytes;
    int64_t n_messages;
    int64_t n_candidates, n_bytes;
    int64_t owner_peak_bytes[MEMORY_N_OWNERS];
    int n_samples;
    const struct memory_sample *samples;
};

struct result_attribute {
    const char *name, *value; /* under /provenance */
    int64_t number;           /* where value is NULL */
};

/* What the source shows while it is read, and when it is read again. */
enum result_reading {
    RESULT_SNAPSHOT, /* a snapshot, another one for each attempt */
    RESULT_FIXED,    /* the same, always */
    RESULT_LIVE,     /* what it holds at the moment */
};

struct result_input {
    const char *path; /* of the result */
    const char *title;
    bool force; /* replace an existing result */
    const struct statistics *statistics;
    const struct binding *binding; /* keep, id type, slots' names and types */

    /* Zones: on rank 0 all ids; n_zones on every rank. */
    int64_t n_zones;
    int32_t zone_id_bytes;
    const char *zone_ids;        /* [n_zones * zone_id_bytes]; NULL on other ranks */
    const char *crs;             /* "EPSG:4326"; "" unknown */
    const char *crs_kind;        /* "geographic" (longitude and latitude) or "plane" */
    enum result_reading reading; /* decides the root attribute `consistent` */

    const struct result_attribute *provenance; /* rank 0's count */
    int n_provenance;
    const struct rank_telemetry *telemetry; /* this rank's */

    /* Asked now and then: true gives up, with ERROR_STOPPED. May be NULL. */
    bool (*stop)(void *context);
    void *stop_context;
    /* Called now and then with the share written, 0 to 1; may be NULL. */
    void (*progress)(void *context, double share);
    void *progress_context;
};

/* Found before the work starts: the folder is there and writable, nothing is in the way
 * (or force). Returns 0, or -1 with ERROR_USAGE. */
int result_check(const char *path, bool force, struct error *err);

/* After the output's name: a copy of the building table beside it. */
static const char result_copy_ending[] = ".scan";

/* Names that a run needs beside its output have room: the result's until it is whole, the
 * spool's, a copy's. Returns 0, or -1 with ERROR_USAGE. */
int result_check_names(const char *path, struct error *err);

/* The names under /selection are free, differ, and are names to netCDF: ERROR_USAGE names
 * one that is not. */
int result_check_keep(const struct binding *binding, struct error *err);

/*
 * Write the result. Collective; every rank brings its spool (with its records).
 *
 * Returns  0 on every rank once the result has its name, or -1 on every rank (agreed),
 *          the temporary file removed and an older result untouched, with
 *            ERROR_IO      disk full, not writable; without force: path came into being; or
 *                          it has its name, which the disk did not take
 *            ERROR_BUDGET  one zone, or the categories of a frequency, do not fit
 *            ERROR_STOPPED  `stop` said so on a rank
 *            ERROR_INTERNAL  a zone is missing
 */
int result_write(struct comm *comm,
                 const struct result_input *input,
                 struct spool *spool,
                 struct memory *memory,
                 struct error *err);

/* An attribute of /provenance, on the heap; NULL: the file is no whole result, or has none
 * of this name. */
char *result_provenance(const char *path, const char *attribute);
/* Whether the file says that it is a result, whole or not, of any version. */
bool result_is_one(const char *path);
/* Whether the file is a whole result with this text as an attribute of /provenance. */
bool result_is_of(const char *path, const char *attribute, const char *wanted);

/* What a result adds up to, in all zones. */
enum { RESULT_MOST_REASONS = 12 };
struct result_reason {
    char text[256]; /* clean; without the place */
    int64_t n;
};
struct result_totals {
    int64_t n_candidates, n_selected, n_outside, n_filtered, n_refined, n_rejected;
    bool consistent;
    struct result_reason reasons[RESULT_MOST_REASONS]; /* most frequent first */
    int n_reasons;
    int64_t n_others; /* rejected for reasons that are not listed */
};
/* ERROR_IO, ERROR_FORMAT */
int result_total(const char *path, struct result_totals *totals, struct error *err);
/* A line for each reason, with its count in so many columns. */
void result_print_reasons(const struct result_totals *totals, int width, FILE *out);

/* Print what a result holds; ERROR_IO when the file cannot be read, ERROR_FORMAT when it
 * is none. */
int result_info(const char *path, FILE *out, struct error *err);

#endif
