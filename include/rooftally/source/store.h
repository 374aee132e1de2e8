/*
 * The store: zones and buildings in one HDF5 file, staged once and analysed as often as
 * wanted, with no server.
 *
 *   /                        attributes: format "rooftally store", format_version,
 *                            origin (what it was made from), srid, crs (a definition
 *                            that crs_read takes), block_rows, extent_xmin … extent_ymax,
 *                            zones_where and buildings_where (of the job that it was
 *                            staged by, "" for none; not in older stores)
 *   /buildings               n rows along the Hilbert curve over the extent, then by id
 *       id                   i64, or text of fixed length padded with zeros; attribute
 *                            name: what the job calls it
 *       xmin ymin xmax ymax  f32: the box of the geometry, each side the nearest that
 *                            leaves it whole
 *       fault                u8: enum ewkb_fault
 *       geometry/offset      i64 [n + 1]; geometry/wkb  u8: EWKB as it came
 *       <field>              REAL f64; INTEGER, BOOLEAN, DATE, TIMESTAMP i64; TEXT u16
 *                            numbers of words, or i64 [n + 1] offsets; attribute type;
 *                            a field of a name that is taken here, or cannot be one, has
 *                            underscores added, and the attribute name
 *   /blocks                  every block_rows rows, the last one fewer
 *       first count          i64: rows of /buildings
 *       xmin ymin xmax ymax  f64: of all these boxes
 *       faults               i64: rows whose fault is not EWKB_FINE
 *       <field>_min _max     as the field, of the values that are there; no TEXT; NaN is
 *                            the greatest; without any value min is the greater one
 *       <field>_nulls        i64
 *   /zones                   sorted by id, bytewise
 *       id offset wkb <field>  as above, id always text; attribute type of id: what it
 *                            was
 *       xmin ymin xmax ymax  f64: the box, empty without a geometry
 *       vertices             i64
 *   /shapes                  of each zone
 *       area_m2              f64, geodesic where the CRS is geographic
 *       valid                u8: 1 where it certainly is, 0 where GEOS has to be asked
 *   /content                 i64 [2]: of all rows of zones, and of buildings, the sum
 *                            (modulo 2^64) of a number that is mixed from the CRC-32C of
 *                            a row's id, box, geometry and fields; not in older stores
 *   /texts/<table>/<field>   offset i64, text u8: the words of a field, sorted bytewise,
 *                            or the texts of its rows
 *   /valid/<table>/<field>   u8 [n]: 0 where null; not there when nothing is null
 *
 * Every dataset is contiguous, one-dimensional and little-endian: a reader may take it
 * from its place in the file without asking HDF5. The same rows give the same bytes, in
 * whatever order they come.
 */
#ifndef ROOFTALLY_SOURCE_STORE_H
#define ROOFTALLY_SOURCE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"
#include "rooftally/source/team.h"

enum {
    STORE_VERSION = 3,
    STORE_BLOCK_ROWS = 256,
    STORE_MOST_FIELDS = 64,
    STORE_MOST_WORDS = 4096,       /* different values of a field kept as words */
    STORE_WORDS_BYTES = 64 * 1024, /* of all of them */
    STORE_ID_BYTES = 1024,         /* the longest text id */
};

struct store_field {
    char name[NAME_BYTES];
    enum value_type type;
};

/* What a table of a store is to hold besides id and geometry. */
struct store_table_plan {
    char id_name[NAME_BYTES];
    enum value_type id_type; /* INTEGER or TEXT; of zones: what their texts were */
    struct store_field fields[STORE_MOST_FIELDS];
    int n_fields;
    int n_computed; /* the last of them: they are no columns where the rows are from */
    /* what the file calls each field; of the writer alone */
    char datasets[STORE_MOST_FIELDS][NAME_BYTES];
};

struct crs;

struct store_plan {
    const char *origin; /* no secrets */
    int32_t srid;
    const char *crs;                           /* "" for a plane in metres */
    const char *zones_where, *buildings_where; /* filters of the job; NULL: none */
    const struct crs *measured_in; /* what crs_read makes of it; NULL: to be read */
    double n_buildings;            /* about so many; 0: unknown */
    struct store_table_plan zones, buildings;
};

struct store_options {
    const struct team
        *team;  /* the ranks that write it together; NULL: this one alone */
    bool force; /* replace a store that is there */
    /* For one that is read once and thrown away: buildings need be in order only as far as
     * each rank has added them, where that saves time, and nothing sums up what is in it. */
    bool any_order;
    /* Called often with the share of work, below 0 where it is not known; true gives up
     * with ERROR_STOPPED. May be NULL. */
    bool (*progress)(void *context, double share);
    void *context;
};

struct store_counts {
    int64_t n_zones, n_buildings, n_blocks;
    int64_t n_no_geometry; /* buildings without geometry: left out */
    int64_t n_bare_zones;  /* zones without geometry: they stay */
    int64_t n_bytes;       /* of the file */
};

/* Whether a file says that it is a store; false where it cannot be read. */
bool store_is_one(const char *path);

/* What `info` prints of a store. Returns 0, or -1 with ERROR_FORMAT or ERROR_USAGE. */
int store_info(const char *path, FILE *out, struct error *err);

struct store_writer;

/*
 * Write a store, all ranks together, each adding the rows that it has:
 * store_writer_open, zones, store_writer_zones_end, buildings, store_writer_commit,
 * store_writer_close. Open, zones_end and commit are collective and agreed; the latter two
 * take this rank's status so far, and fail on all ranks with what one has failed with.
 *
 * Sorting  external, in what `memory` has free; scratch files and the store itself have
 *          no names until it is complete, and are gone with the processes; where they have to
 *          have one, the store's is partial_name's
 * Memory   taken at open, to be rewound by the caller after close
 * Returns  0, or -1 with
 *            ERROR_USAGE   it is there and no force; a folder that is not there or
 *                          cannot be written
 *            ERROR_BUDGET  too little memory to begin with, or one row exceeds about a 15th
 *                          of what is free
 *            ERROR_IO      the disk is full
 *            ERROR_COMM
 */
int store_writer_open(struct store_writer **writer,
                      const char *path,
                      const struct store_plan *plan,
                      const struct store_options *options,
                      struct memory *memory,
                      struct error *err);

/*
 * Add one row, in any order, on any rank. Local.
 *
 * columns  the plan's fields, of which row `row` is taken
 * wkb      EWKB; a building without is counted and left out
 * known    the box of a polygon that ewkb_read finds fine, and whose wkb may then be left
 *          out; NULL: it is still to be read
 * Returns  0, or -1 with
 *            ERROR_USAGE   the id is null or empty (zones) or too long; a zone that is not a
 *                          polygon
 *            ERROR_DATA    a zone that cannot be read: names it
 *            ERROR_BUDGET, ERROR_IO, ERROR_STOPPED
 */
int store_writer_zone(struct store_writer *writer,
                      struct text id,
                      struct text wkb,
                      const struct column *columns,
                      int32_t row,
                      struct error *err);
/* No rank adds a zone any more. */
int store_writer_zones_end(struct store_writer *writer, int status, struct error *err);
int store_writer_building(struct store_writer *writer,
                          const struct column *id,
                          struct text wkb,
                          const struct box *known,
                          const struct column *columns,
                          int32_t row,
                          struct error *err);

/*
 * Sort, write, sync, and give the file its name.
 *
 * Returns  0 with *counts, or -1 with ERROR_USAGE (two zones of one id), ERROR_IO,
 *          ERROR_STOPPED; nothing but an older store of that name is then there
 */
int store_writer_commit(struct store_writer *writer,
                        int status,
                        struct store_counts *counts,
                        struct error *err);
void store_writer_close(struct store_writer *writer); /* NULL is silent */

/*
 * Write a synthetic state into a store: what load_postgres writes, with zip as the id of
 * zones (fields name, state) and the buildings' fields height, size, year_built, use,
 * notes.
 *
 * Memory   at least 16 MiB free, rewound at the end
 * Returns  as store_writer_open and its calls do
 */
struct synthetic_state;
int store_generate(const struct synthetic_state *state,
                   const char *path,
                   const struct store_options *options,
                   struct store_counts *counts,
                   struct memory *memory,
                   struct error *err);

/*
 * Copy what a job reads, and what its filters leave, from an open source into a store.
 * Computed fields are kept; what needs the geometry (measures, fields and filters on them)
 * is left to the run.
 *
 * Memory   all that is free, rewound at the end
 * Returns  0, or -1 as source_scan, source_next and store_writer_open do
 */
struct source;
struct job;
int store_stage(struct source *source,
                const struct job *job,
                const char *path,
                const struct store_options *options,
                struct store_counts *counts,
                struct memory *memory,
                struct error *err);

/*
 * Read the tables of an open source once, all ranks together, into a store without a name
 * beside `path`, and open that as a source of its own. Collective and agreed.
 *
 * job            as the source is opened by; says which zones there are
 * wanted         what will be asked of the copy: bound to it already, and borrowed, with
 *                its job, until it is closed. Its slots are plain columns of the source.
 * source_filter  in the source's language: which buildings there are; NULL: all
 * Shapes         a polygon far from the borders of all zones is copied without its own, where
 *                that of its box answers all that the job asks (geometry/borders.h): the
 *                copy's source_geometry gives that one
 * Memory         all that is free, rewound at the end
 * Returns        0 with *copy, which source_close takes from the disk; or -1 as
 *                store_stage
 */
struct binding;
int store_copy(struct source **copy,
               struct source *source,
               const struct job *job,
               const struct binding *wanted,
               const char *source_filter,
               const char *path,
               const struct store_options *options,
               struct memory *memory,
               struct error *err);

/* What store_copy would read: source_explain of its scans. Local. */
int store_copy_explain(struct source *source,
                       const struct job *job,
                       const struct binding *wanted,
                       const char *source_filter,
                       FILE *out,
                       int n_ranks,
                       int64_t *n_free,
                       struct memory *memory,
                       struct error *err);

#endif
