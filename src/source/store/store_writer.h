/* A store that is being written: what its ranks have collected, and how it becomes real. */
#ifndef ROOFTALLY_SOURCE_STORE_WRITER_H
#define ROOFTALLY_SOURCE_STORE_WRITER_H

#include "rooftally/source/store.h"

#include "buckets.h"
#include "scratch.h"
#include "sort.h"
#include "store_fill.h"
#include "store_keys.h"

/* What one table has collected on this rank; of all ranks once it is sorted. */
struct collected {
    struct store_shape shape;
    struct sort_weights weights;
    struct sorter *sorter;   /* of zones */
    struct buckets *buckets; /* of buildings, from the first of them on */
    struct store_table_size size;
    struct store_range ranges[BUCKETS_MOST_PARTS]; /* what this rank fills, by parts */
    struct words *words[STORE_MOST_FIELDS];
    uint64_t content; /* of the rows that this rank has added */
};

struct store_writer {
    struct store_plan plan;
    struct store_options options;
    const struct team *team;
    char *path, *partial, *folder;
    int file; /* the store to be; -1: not there */
    bool has_name;
    struct syncer *syncer; /* while the store is filled; NULL: none */
    struct scratch scratch;
    struct memory *memory;
    /* [n_valid] what zone_is_surely_valid says of the first zones of this rank's range;
     * NULL: nobody has asked */
    const uint8_t *valid;
    int64_t n_valid;
    struct memory_mark added; /* before the memory that adding needs */
    uint8_t *bytes;           /* [n_bytes] in which rows are sorted */
    int64_t n_bytes, n_merge; /* n_merge: of memory for sorting at the end */
    int64_t n_fill;           /* of memory for columns on their way to the file */
    int64_t n_keep;           /* of `bytes`, in which buildings may stay until then */
    struct words *room;       /* for the words of another rank */
    struct store_keys seen;   /* of the zones that this rank has added */
    uint32_t *keys;           /* [n_keys] of buckets, once all zones are added */
    int n_keys;
    int64_t least_bytes,
        least_merge; /* of n_bytes, n_merge of all ranks; 0: not known */
    struct collected zones, buildings;
    struct box extent;                   /* of all zones; empty while there is none */
    int64_t n_no_geometry, n_bare_zones; /* buildings, zones without geometry */
    struct store_row row;
    struct store *store; /* while it is filled */
    double filled;       /* by weight, of whole tables */
};

/* Of all that takes time: rows are collected, before tables are filled. */
static const double store_collected_share = 0.6;

/* The buckets are there, also if no building is. Local. */
int store_writer_need_buckets(struct store_writer *writer, struct error *err);

/* Say how far it is, below 0 where that is not known: 0, or -1 with ERROR_STOPPED. */
int store_report(const struct store_options *options, double share, struct error *err);

/* Of all work, where so much of the tables is filled. */
double store_writer_share(double filled);

/* Parts in which this rank fills a table, once all rows are added. */
int store_writer_parts(const struct collected *collected);

/* Fill a table, of which this rank has its ranges, and the shapes of zones, measured in crs.
 * Local. */
int store_writer_fill_table(struct store_writer *writer,
                            struct collected *collected,
                            const struct store_table *table,
                            const struct crs *crs,
                            struct error *err);

/* Everything of store_writer_commit but that the file is synced and gets its name. */
int store_writer_fill(struct store_writer *writer,
                      int status,
                      struct store_counts *counts,
                      struct error *err);

/*
 * Show the zones of this rank's range, once no rank adds one any more and before a building
 * is added: those of all ranks together are all. Local.
 *
 * row      of the range, from 0
 * wkb      of a zone that has some
 * room     STORE_SHAPES_ROOM of free memory, as it is to be left
 * Returns  0, or -1 with ERROR_IO, ERROR_STOPPED, ERROR_BUDGET
 */
typedef void
store_zone_seen(void *context, int64_t row, struct text wkb, struct memory *room);
int store_writer_each_zone(struct store_writer *writer,
                           store_zone_seen *seen,
                           void *context,
                           struct error *err);

/* The name under which this process opens the file, before it has its own. */
void store_writer_name(const struct store_writer *writer, char *name, size_t n);

#endif
