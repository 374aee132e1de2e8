/*
 * An open store: where each column lies in the file, all of it checked.
 *
 * HDF5 is asked once, at open, and closed again; afterwards columns are read with
 * pread. Every extent lies within the file. What columns hold (offsets, numbers of
 * words, faults) is checked where it is used.
 */
#ifndef ROOFTALLY_SOURCE_STORE_FORMAT_H
#define ROOFTALLY_SOURCE_STORE_FORMAT_H

#include <stdint.h>
#include <string.h>

#include "rooftally/source/store.h"

enum store_layout {
    STORE_VALUES,  /* 8 bytes a row */
    STORE_WORDS,   /* 2 bytes a row: numbers of words */
    STORE_OFFSETS, /* 8 bytes a row, and one more: into the texts */
};

struct store_column {
    char name[NAME_BYTES];    /* of the field */
    char dataset[NAME_BYTES]; /* what the file calls it */
    enum value_type type;
    enum store_layout layout;
    bool computed;                    /* by the job that it was staged with */
    int64_t at;                       /* of the rows */
    int64_t valid_at;                 /* -1: nothing is null */
    int64_t words_at, n_words;        /* of STORE_WORDS: offsets [n_words + 1] */
    int64_t text_at, n_text;          /* of TEXT: bytes */
    int64_t min_at, max_at, nulls_at; /* in /blocks; -1: none */
};

struct store_table {
    const char *name; /* "zones" or "buildings" */
    int64_t n;        /* rows */
    char id_name[NAME_BYTES];
    enum value_type id_type; /* of zones: what their texts were */
    int32_t id_bytes;        /* 8, or of a text */
    int64_t id_at;
    int64_t box_at[4];   /* xmin, ymin, xmax, ymax; of buildings, floats */
    int64_t fault_at;    /* of buildings */
    int64_t vertices_at; /* of zones */
    int64_t area_at, valid_at;
    int64_t offset_at, wkb_at, n_wkb;
    struct store_column *columns;
    int n_columns;
};

struct store {
    int file;
    int64_t n_bytes;
    char *origin, *crs;
    char *zones_where, *buildings_where; /* NULL: none, or not known */
    int32_t srid;
    int64_t n_blocks, block_rows;
    int64_t first_at, count_at, block_box_at[4], faults_at;
    int64_t content_at; /* -1: none */
    struct store_table zones, buildings;
};

/* Words that the tables of a store use themselves: no field's dataset has such a name. */
bool store_is_reserved(const char *name);

/* The type of a value_type_word that a file has; TYPE_NULL for an unknown one. */
enum value_type store_type_of(const char *word);

/*
 * Open a store and find its columns.
 *
 * writable  for the writer, which fills what it has laid out: blocks are not looked at
 * Heap      under 1 KiB a column
 * Returns   0, or -1 with
 *             ERROR_USAGE   no such file, or no permission
 *             ERROR_FORMAT  "x.h5 is no store: ...", another version, truncated, or a
 *                           dataset of another type or length than the layout says
 */
int store_open(struct store **store,
               const char *path,
               bool writable,
               struct error *err);
void store_close(struct store *store); /* NULL is silent */

/* Read n_bytes from `at`. Returns 0, or -1 with ERROR_FORMAT (beyond the end of the file:
 * it was cut after it was opened) or ERROR_IO. */
int store_read(const struct store *store,
               int64_t at,
               void *bytes,
               int64_t n_bytes,
               struct error *err);

/*
 * Which store it is, as one line: a CRC of what it holds, and its size. A copy is the
 * same store. Reads the content that its writer has summed up, the index of the blocks,
 * and at most 16 MiB of the rest: of a larger file that a program of another make has
 * changed, or has written without content, a change may go unseen that leaves size, boxes
 * and ranges of fields as they were.
 */
int store_identify(const struct store *store,
                   char *text,
                   int n_text,
                   struct error *err);

/* ERROR_FORMAT: what of the store cannot be, and to stage it again. Returns -1. */
__attribute__((format(printf, 2, 3))) int
store_damaged(struct error *err, const char *fmt, ...);

/*
 * The columns of rows [first, first + n), out of a table's or its texts' bounds never.
 *
 * store_read_offsets  n + 1 offsets, checked: never falling, within 0 to n_most
 * store_check_offsets  the same check of offsets that were read before
 * store_read_boxes    of zones and blocks, interleaved into boxes; scratch[4 * n]
 * store_read_row_boxes  of buildings
 */
int store_read_offsets(const struct store *store,
                       int64_t at,
                       int64_t first,
                       int64_t n,
                       int64_t n_most,
                       int64_t *offsets,
                       struct error *err);
int store_check_offsets(const int64_t *offsets,
                        int64_t first,
                        int64_t n,
                        int64_t n_most,
                        struct error *err);
int store_read_boxes(const struct store *store,
                     const int64_t box_at[4],
                     int64_t first,
                     int64_t n,
                     double *scratch,
                     struct box *boxes,
                     struct error *err);
int store_read_row_boxes(const struct store *store,
                         int64_t first,
                         int64_t n,
                         float *scratch,
                         struct box *boxes,
                         struct error *err);

/*
 * The greatest float that is not above the value. The nearest float is above for every other
 * value, which no processor foresees: so one is taken from its place among all floats, or
 * none, without a branch. Conversion is IEEE 754's: past the largest float comes infinity.
 */
static inline float store_float_below(double value)
{
    float nearest = (float)value;
    int32_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    int32_t place = bits ^ ((bits >> 31) & INT32_MAX); /* in order, -0 below +0 */
    place -= nearest > value;
    bits = place ^ ((place >> 31) & INT32_MAX);
    memcpy(&nearest, &bits, sizeof bits);
    return nearest;
}

static inline float store_float_above(double value)
{
    return -store_float_below(-value);
}

#endif
