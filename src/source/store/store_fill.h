/*
 * Filling a table of a store that is laid out: rows in their order, each column through
 * a buffer of its own, written where the layout says.
 */
#ifndef ROOFTALLY_SOURCE_STORE_FILL_H
#define ROOFTALLY_SOURCE_STORE_FILL_H

#include "rooftally/base/memory.h"
#include "rooftally/base/syncer.h"
#include "rooftally/geometry/measure.h"

#include "store_create.h"
#include "store_format.h"
#include "store_row.h"

struct store_fill;

/* The rows that a rank fills, and what precedes them. */
struct store_range {
    int64_t first, n;                      /* rows */
    int64_t first_wkb, n_wkb;              /* bytes */
    int64_t first_text[STORE_MOST_FIELDS]; /* bytes of the texts of each field */
};

/*
 * syncer   of the store's file, told of what is written; NULL: nobody is told
 * n_bytes  of memory for buffers, at least STORE_FILL_LEAST: a share for each column,
 *          eight for geometry
 */
enum { STORE_FILL_LEAST = 1 << 20, STORE_FILL_ROWS = 64 };
int64_t
store_fill_most_bytes(int n_fields); /* that it uses, however many it is given */
int store_fill_open(struct store_fill **fill,
                    const struct store *store,
                    const struct store_table *table,
                    const struct store_shape *shape,
                    const struct store_table_size *size,
                    const struct store_range *range,
                    struct syncer *syncer,
                    int64_t n_bytes,
                    struct memory *memory,
                    struct error *err);

/* Append the next rows, at most STORE_FILL_ROWS, as store_row_encode has made them: read
 * once for each column. Returns 0, or -1 with ERROR_IO. */
int store_fill_add(struct store_fill *fill,
                   const uint8_t *const *records,
                   int32_t n,
                   struct error *err);
/* Write what is buffered; as many rows as the range has must have come. */
int store_fill_end(struct store_fill *fill, struct error *err);

/* Write n_bytes at `at`. Returns 0, or -1 with ERROR_IO. */
int store_write(const struct store *store,
                int64_t at,
                const void *bytes,
                int64_t n_bytes,
                struct error *err);

/*
 * Fill /shapes for zones [first, first + n), at most STORE_FILL_ROWS, as store_row_encode
 * has made them.
 *
 * known_valid  [n] what looking whether they are valid has said; NULL: it is still to be done
 * room  for looking whether a zone is valid; as large in every run, so that the same zones
 *       do not do with it
 */
enum { STORE_SHAPES_ROOM = 1 << 20 };
int store_fill_shapes(const struct store *store,
                      const struct store_shape *shape,
                      int64_t first,
                      const uint8_t *const *records,
                      int32_t n,
                      const uint8_t *known_valid,
                      const struct crs *crs,
                      struct memory *room,
                      struct error *err);

/* Fill /blocks for blocks [first, first + n) from the columns of the filled buildings, in
 * store_fill_blocks_bytes of memory. */
int64_t store_fill_blocks_bytes(const struct store *store);
int store_fill_blocks(const struct store *store,
                      int64_t first,
                      int64_t n,
                      struct memory *memory,
                      struct error *err);

#endif
