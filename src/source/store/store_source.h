/*
 * The source that reads from a store.
 *
 *   box of the zone ─► blocks ─► runs of rows ─► batch
 *
 * A block is left out (its box does not meet the zone's, or lies outside the zone),
 * taken whole (inside the zone: no box is read), counted (no row of it can pass the
 * filter), or read. The filter comes before deciding, so that what fails costs its
 * filter columns and its box alone.
 */
#ifndef ROOFTALLY_SOURCE_STORE_SOURCE_H
#define ROOFTALLY_SOURCE_STORE_SOURCE_H

#include "source_calls.h"
#include "store_format.h"

enum {
    STORE_GROUP_BLOCKS = 64, /* blocks whose common box is kept in memory */
    STORE_KNOWN_GROUPS = 64, /* groups whose blocks are kept in memory */
    STORE_ID_STEP = 32,      /* zones of whose ids one is kept in memory */
    STORE_READ_ROWS = 2048,  /* rows of a column that are read at once, at most */
    STORE_MOST_CHUNKS = 64,  /* that are kept */
};

enum store_block { BLOCK_LEAVE, BLOCK_INSIDE, BLOCK_COUNT, BLOCK_READ };

/* Adjacent rows that are treated alike. */
struct store_run {
    enum store_block kind;
    int64_t first, n;
    bool covered; /* every box of them meets the zone's */
    bool faulty;  /* some have a fault */
};

/* The words of a field, loaded. */
struct store_dictionary {
    struct text *words; /* [n]; NULL: not loaded */
    int32_t n;
};

/* A column that is kept in chunks. */
struct store_cached {
    int64_t at, width; /* in the file; bytes a row */
    int64_t offset;    /* in a chunk */
    int64_t n_more;    /* values behind the last row's */
};

enum { STORE_MOST_CACHED = 2 * BINDING_MAX_SLOTS + 8 };

struct store_slot {
    int64_t chunk; /* its number; -1: none */
    uint64_t used; /* when it was last asked for */
    uint8_t has[STORE_MOST_CACHED];
};

struct store_cache {
    struct store_cached columns[STORE_MOST_CACHED];
    int n_columns;
    int64_t chunk_rows, chunk_bytes;
    struct store_slot *slots; /* [n_slots] */
    int n_slots, last;
    uint64_t now;
    uint8_t *bytes; /* [n_slots * chunk_bytes] */
};

/* What is known of the blocks of a group. */
struct store_group {
    int64_t group; /* -1: none */
    struct box boxes[STORE_GROUP_BLOCKS];
    int64_t faults[STORE_GROUP_BLOCKS];
    uint8_t possible[STORE_GROUP_BLOCKS]; /* the bounds let some row pass */
    bool complete;                        /* not the boxes alone */
};

struct store_source {
    struct source base;
    const struct job *job;
    struct store *store;
    const struct binding *binding;
    bool leaves_shapes; /* a building without a shape has that of its box */

    int columns[BINDING_MAX_SLOTS];        /* of each slot; -1: the id; -2: none */
    uint8_t in_filter[BINDING_MAX_SLOTS];  /* slots that the row filter reads */
    bool filters;                          /* there is one */
    struct store_dictionary *dictionaries; /* [buildings.n_columns], once prepared */
    struct expression_bound bounds[BINDING_MAX_SLOTS]; /* what the filter opens with */
    int n_bounds;

    char *zone_ids; /* [n_zone_ids], every STORE_ID_STEPth, zero padded */
    int64_t n_zone_ids;
    struct box *groups; /* of STORE_GROUP_BLOCKS blocks each */
    int64_t n_groups;

    struct zone_shape shape; /* of the zone that was asked for last */

    /* the stream */
    const struct zone *zone;
    struct box box;       /* the zone's: empty, and there is no stream */
    int64_t block;        /* next to look at */
    struct store_run run; /* what is left of it; n 0: none */
    struct store_group known[STORE_KNOWN_GROUPS]; /* group g at g % their number */

    struct store_cache cache;
    int id_of, side_of[4], fault_of, offset_of; /* columns of the cache */
    int value_of[BINDING_MAX_SLOTS], valid_of[BINDING_MAX_SLOTS]; /* -1: not in it */
    struct column views[BINDING_MAX_SLOTS]; /* of the rows of a piece, for the filter */
    uint8_t all_valid[STORE_READ_ROWS];

    int64_t n_read;         /* bytes, since the last batch */
    int64_t first_geometry; /* bytes of the batch that texts have taken; -1: none yet */
    double scratch[STORE_READ_ROWS + 1];
    int32_t rows[STORE_READ_ROWS];
};

/* path: of the store; crs: what crs_read makes of the store's, NULL: to be read, which takes
 * PROJ some 10 ms; the job is borrowed until close. */
int store_source_open(struct source **source,
                      const struct job *job,
                      const char *path,
                      const struct crs *crs,
                      struct error *err);
/* The same of the job's own store, with its identity. */
int store_source_reach(struct source **source,
                       const struct job *job,
                       struct error *err);

/* store_read of this source, counted. */
int store_fetch(struct store_source *source,
                int64_t at,
                void *bytes,
                int64_t n_bytes,
                struct error *err);

/* store_index.c */
int store_load_groups(struct store_source *source, struct error *err);
void store_forget_groups(struct store_source *source);
/* The next run of rows that belong into the stream: 1, 0 at the end, -1. */
int store_next_run(struct store_source *source,
                   struct store_run *run,
                   struct error *err);
/* Candidates to be expected in a box: rows of blocks, by the share of their area. */
int store_estimate(struct store_source *source,
                   const struct box *box,
                   double *n,
                   struct error *err);

/* store_cache.c: take the chunks and load the words; once, after bind. */
int store_prepare(struct source *source, struct memory *memory, struct error *err);
int64_t store_prepared_bytes(struct source *source, int64_t budget_bytes);
/*
 * A column of the cache from a row on, as far as store_chunk_left rows (or the table)
 * reach. Borrowed until a row of another chunk is asked for. NULL on failure.
 */
const void *
store_cached(struct store_source *source, int column, int64_t row, struct error *err);
int64_t store_chunk_left(const struct store_source *source, int64_t row);
/* For `plan`: the cache as store_prepare would have it, but for bytes; and how many of them
 * a look at a column of a run would read after the looks before. */
void store_cache_plan(struct store_source *source,
                      const struct memory *memory,
                      struct store_slot slots[STORE_MOST_CHUNKS]);
int64_t store_cache_misses(struct store_source *source,
                           int column,
                           const struct store_run *run);

/* store_columns.c */
int store_load_dictionaries(struct store_source *source,
                            struct memory *memory,
                            struct error *err);
/* Bytes of memory that they take. */
int64_t store_dictionary_bytes(const struct store_source *source);
/* A column without flags of which values are null has none: ERROR_FORMAT where the blocks
 * count some. */
int store_check_nulls(const struct store_source *source, int column, struct error *err);
/*
 * Read rows of a slot of texts, or of a text id with slot -1, into the batch, from row `to`
 * on.
 *
 * Shape    n at most store_chunk_left and what store_fit_rows allows
 */
int store_read_texts(struct store_source *source,
                     struct batch *batch,
                     int slot,
                     int64_t first,
                     int32_t n,
                     int32_t to,
                     struct error *err);
/* How many of n rows have texts and ids that fit into the batch: 0 to n, or -1; n_bytes:
 * of those rows, or of the first one where that does not fit. */
int32_t store_fit_rows(struct store_source *source,
                       const struct batch *batch,
                       int64_t first,
                       int32_t n,
                       int64_t *n_bytes,
                       struct error *err);
/* "building 4711" into name, of a row of the store. */
int store_row_name(struct store_source *source,
                   int64_t row,
                   char name[96],
                   struct error *err);

/* store_zones.c */
int store_load_zone_ids(struct store_source *source, struct error *err);
int store_zones(struct source *source,
                struct zone_list *zones,
                struct memory *memory,
                struct error *err);
int store_zone(struct source *source,
               const char *id,
               int32_t n_id,
               struct text *wkb,
               struct memory *memory,
               struct error *err);

struct zone_shape store_zone_shape(const struct source *source);

/* store_stream.c */
int store_buildings(struct source *source, const struct zone *zone, struct error *err);
int store_next(struct source *source, struct batch *batch, struct error *err);
void store_cancel(struct source *source);

/* store_count.c */
int store_count(struct source *source,
                struct zone_list *zones,
                struct geos *geos,
                double most_s,
                struct source_work *work,
                struct memory *memory,
                struct error *err);

/* store_geometry.c */
int32_t store_geometry(struct source *source,
                       struct batch *batch,
                       const int32_t *rows,
                       int32_t n_rows,
                       struct error *err);

#endif
