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
    STORE_READ_ROWS = 2048,  /* rows of a column that are read at once */
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
    char *bytes;
};

struct store_source {
    struct source base;
    const struct job *job;
    struct store *store;
    const struct binding *binding;

    int columns[BINDING_MAX_SLOTS];        /* of each slot; -1: the id; -2: none */
    uint8_t in_filter[BINDING_MAX_SLOTS];  /* slots that the local filter reads */
    bool filters;                          /* it reads columns only: applied here */
    struct store_dictionary *dictionaries; /* [buildings.n_columns] */
    struct expression_bound bounds[BINDING_MAX_SLOTS]; /* what the filter opens with */
    int n_bounds;

    struct box *groups; /* of STORE_GROUP_BLOCKS blocks each */
    int64_t n_groups;

    /* the stream */
    const struct zone *zone;
    struct box box; /* the zone's: empty, and there is no stream */
    int64_t block;  /* next to look at */
    int64_t loaded; /* group whose blocks are loaded; -1 none */
    struct box boxes[STORE_GROUP_BLOCKS];
    int64_t faults[STORE_GROUP_BLOCKS];
    uint8_t possible[STORE_GROUP_BLOCKS]; /* the bounds let some row pass */
    struct store_run run;                 /* what is left of it; n 0: none */

    int64_t n_read;         /* bytes, since the last batch */
    int64_t first_geometry; /* bytes of the batch that texts have taken; -1: none yet */
    int64_t offsets_first;  /* rows whose offsets are loaded; -1 none */
    int64_t offsets[STORE_READ_ROWS + 1];
    double scratch[STORE_READ_ROWS + 1];
    double sides[4 * STORE_READ_ROWS]; /* of the boxes of a piece: xmin, ymin, ... */
    int32_t rows[STORE_READ_ROWS];
};

static inline bool store_boxes_meet(const struct box *a, const struct box *b)
{
    return a->xmin <= b->xmax && b->xmin <= a->xmax && a->ymin <= b->ymax
           && b->ymin <= a->ymax;
}

int store_source_open(struct source **source, const struct job *job, struct error *err);

/* store_read of this source, counted. */
int store_fetch(struct store_source *source,
                int64_t at,
                void *bytes,
                int64_t n_bytes,
                struct error *err);

/* store_index.c */
int store_load_groups(struct store_source *source, struct error *err);
/* The next run of rows that belong into the stream: 1, 0 at the end, -1. */
int store_next_run(struct store_source *source,
                   struct store_run *run,
                   struct error *err);
/* Candidates to be expected in a box: rows of blocks, by the share of their area. */
int store_estimate(struct store_source *source,
                   const struct box *box,
                   double *n,
                   struct error *err);

/* store_columns.c */
int store_load_dictionaries(struct store_source *source, struct error *err);
/*
 * Read rows of a slot, or of the id with slot -1, into the batch, from row `to` on.
 *
 * Shape    n at most STORE_READ_ROWS and what store_fit_rows allows
 */
int store_read_slot(struct store_source *source,
                    struct batch *batch,
                    int slot,
                    int64_t first,
                    int32_t n,
                    int32_t to,
                    struct error *err);
/* How many of n rows have texts and ids that fit into the batch: 0 to n, or -1. */
int32_t store_fit_rows(struct store_source *source,
                       const struct batch *batch,
                       int64_t first,
                       int32_t n,
                       struct error *err);

/* store_zones.c */
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
