/*
 * Where zones and buildings come from. One interface; postgres, store, memory (the twin
 * that unit tests read from), and vector files, which can only be scanned.
 *
 * Order of calls, each rank for itself:
 *     source_reach and source_enter or source_follow, source_schema, source_bind,
 *     rank 0: source_zones;  workers: source_prepare, then for each zone: source_zone,
 *     source_buildings,
 *     source_next until 0 (or source_cancel), and at the end source_close; after
 *     ERROR_SOURCE source_reopen, and the zone again from its start
 */
#ifndef ROOFTALLY_SOURCE_SOURCE_H
#define ROOFTALLY_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/geometry/measure.h"
#include "rooftally/geometry/zone.h"
#include "rooftally/job/binding.h"
#include "rooftally/job/job.h"
#include "rooftally/source/batch.h"

/* What a source knows before any row is read. */
struct source_schema {
    struct source_columns zones, buildings;         /* every column, usable or not */
    enum value_type zone_id_type, building_id_type; /* INTEGER or TEXT */
    const char *zone_id,
        *building_id;           /* what a store calls them; NULL: as the job does */
    const char *building_where; /* that a store was staged with; NULL: all */
    /* what PostgreSQL calls these columns and, with their schemas, these tables; NULL
     * elsewhere, and on ranks but the first */
    const char *zone_id_column, *building_geometry_column;
    const char *zone_table, *building_table;
    int32_t srid; /* of both geometries; 0 unknown */
    struct crs crs;
    char *crs_definition; /* what crs_read was given; NULL: a plane in metres */
    bool spatial_index;   /* on the building geometry, or none is needed */
    char bare_part[136];  /* of the building table: one that has none; "": all of it */
    bool zone_id_index;   /* on the zone id, or none is needed */
    bool zone_view, building_view; /* not tables themselves: no index can be on them */
    double n_buildings; /* estimate from the source's statistics; < 0 unknown */
    char description
        [256]; /* "postgresql 15.18, PostGIS 3.3.2, database gis": no secrets */
    char identity[128]; /* which one it is, however it is reached, without secrets */
};

/* Zones sorted by id, bytewise; row is the index in this order, everywhere. */
struct zone_list {
    int64_t n;
    int32_t id_bytes;      /* the longest id */
    char *ids;             /* [n * id_bytes], zero padded */
    struct box *boxes;     /* [n]; empty for an empty or null geometry */
    double *estimates;     /* [n] candidates expected, >= 0 */
    int64_t *n_vertices;   /* [n] */
    int64_t n_no_geometry; /* zones whose geometry is null or empty */
};

struct source; /* implementations embed it: src/source/source_calls.h */

/*
 * Open this rank's part of the job's source, in steps, so that many ranks can at once:
 *
 *     first rank                            the others
 *     source_reach
 *     source_enter (takes the snapshot)     source_reach
 *     source_encode         ───────►        source_follow
 *
 * source_reach goes as far as nobody's snapshot is needed. source_enter takes a snapshot
 * where `snapshot` is NULL, or uses the one of this name ("" for none), and reads the
 * schema. source_follow takes both from the bytes of source_encode (heap, for free(); NULL
 * with 0 where ranks need not be told) instead of asking again.
 *
 * stop     asked at least every 0.2 s while waiting, now and later; true ends the wait with
 *          ERROR_STOPPED; may be NULL
 * Owner    *source is the caller's, after source_reach has returned 0, for source_close
 * Returns  0, or -1 with
 *            ERROR_USAGE   table, column, permission or type does not fit: text says
 *                          which, and the nearest known name
 *            ERROR_SOURCE  refused, no connection left, lost; of source_follow also that the
 *                          snapshot is gone meanwhile: open all anew
 */
int source_reach(struct source **source,
                 const struct job *job,
                 int rank,
                 bool (*stop)(void *context),
                 void *stop_context,
                 struct error *err);
int source_enter(struct source *source, const char *snapshot, struct error *err);
int source_encode(struct source *source,
                  uint8_t **bytes,
                  int64_t *n_bytes,
                  struct error *err);
int source_follow(struct source *source,
                  const uint8_t *bytes,
                  int64_t n_bytes,
                  struct error *err);
void source_close(struct source *source); /* NULL is silent; never blocks */

/*
 * Go on after ERROR_SOURCE: connect anew, under the same snapshot. What was bound stays.
 *
 * Returns  0, or -1 with
 *            ERROR_SOURCE  not now: try later
 *            ERROR_GONE    the snapshot is gone with the session that exported it
 *            ERROR_STOPPED
 */
int source_reopen(struct source *source, struct error *err);

/* Whether the session that holds the shared snapshot, where it is this one, is there
 * still; does not wait. Returns 0, or -1 with ERROR_SOURCE. */
int source_check(struct source *source, struct error *err);

/* Whether the path is one of the files that the source reads. */
bool source_reads_file(const struct source *source, const char *path);

/* What the library that reads files has found odd, the first such message, "" for none, and
 * how many there were on this rank since this was last asked. */
const char *source_warned(struct source *source, int64_t *n);

/* Connections that this role may have open in all besides those of others; -1: no bound. */
int source_connections(struct source *source, int64_t *n_free, struct error *err);

/* The name under which other ranks read what this one reads; "" for none. */
const char *source_snapshot(const struct source *source);
const struct source_schema *source_schema(const struct source *source);

/* Fix what will be asked of every zone. The binding is borrowed until close. Returns 0, or
 * -1 with ERROR_BUDGET, or what a source that has to look finds: ERROR_SOURCE, ERROR_FORMAT. */
int source_bind(struct source *source,
                const struct binding *binding,
                struct error *err);

/* Take what streams of buildings need besides a batch, for good; after source_bind, before
 * source_buildings. Returns 0, or -1 with ERROR_BUDGET. */
int source_prepare(struct source *source, struct memory *memory, struct error *err);
/* How much that is of a budget of so many bytes. */
int64_t source_prepared_bytes(struct source *source, int64_t budget_bytes);

/*
 * Read the list of zones that the job's zone filter leaves.
 *
 * Memory   taken as MEMORY_ZONES
 * Returns  0, or -1 with ERROR_USAGE (duplicate, null or empty ids; a zone that is not
 *          a polygon: names it), ERROR_BUDGET, ERROR_SOURCE
 */
int source_zones(struct source *source,
                 struct zone_list *zones,
                 struct memory *memory,
                 struct error *err);

/* ERROR_USAGE: why the job has no zones. Returns -1. */
int source_no_zones(const struct job *job, struct error *err);

/*
 * Fetch one zone's geometry as EWKB.
 *
 * Memory   taken as MEMORY_GEOMETRY
 * Returns  0 with *wkb (n = 0 for null), or -1 with ERROR_SOURCE, ERROR_BUDGET,
 *          ERROR_DATA (the zone is gone: deleted meanwhile without a snapshot)
 */
int source_zone(struct source *source,
                const char *id,
                int32_t n_id,
                struct text *wkb,
                struct memory *memory,
                struct error *err);

/* What a source may know of the zone that source_zone gave last, so that nobody need find
 * it out again. */
struct zone_shape {
    double area_m2; /* as `measure` says; NaN: not known */
    bool valid;     /* certainly; false: not known */
};
struct zone_shape source_zone_shape(const struct source *source);

/*
 * Start the stream of buildings whose box meets the cover of an open zone. Each comes
 * once. `zone` may guide what is read; it does not decide.
 */
int source_buildings(struct source *source, const struct zone *zone, struct error *err);

/*
 * Fill `batch` with the next buildings.
 *
 * Returns  1 with rows (or only a count of filtered), 0 at the end, -1 with
 *            ERROR_SOURCE   connection lost or query refused: reopen and retry
 *            ERROR_DATA     the query fails on this data (overflow): a retry fails again
 *            ERROR_BUDGET   one row alone exceeds batch->bytes_capacity: names the id
 *            ERROR_STOPPED  stop() said so
 */
int source_next(struct source *source, struct batch *batch, struct error *err);

/*
 * Fetch the geometry of the listed rows of the batch where it is not there yet.
 *
 * Owner    what an earlier call has fetched for this batch is gone
 * Returns  how many of them, from the first, have theirs now: 1 to n_rows; or -1 with
 *          ERROR_SOURCE, ERROR_FORMAT, or ERROR_BUDGET (one alone does not fit)
 */
int32_t source_geometry(struct source *source,
                        struct batch *batch,
                        const int32_t *rows,
                        int32_t n_rows,
                        struct error *err);

/* Leave the stream before its end. */
void source_cancel(struct source *source);

enum source_table { SOURCE_ZONES, SOURCE_BUILDINGS };

/*
 * Start a stream of all rows of a table that pass the source's half of the filter; then
 * source_next as for buildings. Zones come with an integer or text id and always with a
 * geometry, an empty one for none; buildings without one are counted as filtered.
 *
 * binding  of that table; takes the place of what source_bind was given
 * part     of n_parts that together are the table, for as many ranks
 * Returns  0, or -1 as source_next, or ERROR_USAGE (the source cannot)
 */
int source_scan(struct source *source,
                enum source_table table,
                const struct binding *binding,
                int part,
                int n_parts,
                struct error *err);

/* What a run will look at. */
struct source_work {
    int64_t n_zones;      /* counted so far, the first of the list */
    int64_t n_candidates; /* in them: what the run's telemetry will say */
    int64_t n_whole;      /* of these, in blocks that lie inside a zone */
    int64_t n_left_out;   /* and in blocks that the filter leaves nothing of */
    int64_t n_bytes;      /* read for them, geometry apart */
    int64_t n_geometry;   /* bytes of geometry that may be asked for, at most */
};

/*
 * Count candidates from the index of a store, zone by zone, for at most most_s seconds.
 * Estimates of the zones that were counted become their counts. No other source has an
 * index: n_zones is 0.
 *
 * binding  bound before
 * Returns  0, or -1 as source_zone and source_next do
 */
int source_count(struct source *source,
                 struct zone_list *zones,
                 struct geos *geos,
                 double most_s,
                 struct source_work *work,
                 struct memory *memory,
                 struct error *err);

/* What it takes to fetch buildings zone by zone, and to read the table once instead. */
struct source_costs {
    double n_rows;   /* of the table, about */
    double passing;  /* share of them that pass the source's half of the filter */
    double disorder; /* 0: rows lie on disk as they do in space, to 1: anywhere */
    double index_s, scan_s; /* work of server and ranks together, on one core */
};

/*
 * Look at a sample of the table.
 *
 * n_candidates  expected of the n_zones that are to be fetched
 * Returns       1 with *costs, 0 where the table cannot be sampled (a view, an empty
 *               table, a filter that fails on a row) or the source knows one way only,
 *               -1 as source_zones
 */
int source_costs(struct source *source,
                 int64_t n_zones,
                 double n_candidates,
                 struct source_costs *costs,
                 struct error *err);

/* Nothing more will be read: end the connection. Schema and snapshot stay. */
void source_rest(struct source *source);

/* What source_scan is to be asked for where the tables are read once. */
struct source_scans {
    const struct binding *zones, *buildings;
};

/* What `plan` prints of the source, in its own words: the statements, and connections
 * needed by n_ranks against what is free. *n_free: connections free, -1 unlimited.
 * scans: NULL where it is asked zone by zone. */
int source_explain(struct source *source,
                   const struct source_scans *scans,
                   FILE *out,
                   int n_ranks,
                   int64_t *n_free,
                   struct error *err);

/* "15.18": of the libpq in use. */
const char *source_library(void);
/* "GDAL 3.6.2", loaded to be asked; NULL where vector files cannot be read. */
const char *source_vector_library(void);

#endif
