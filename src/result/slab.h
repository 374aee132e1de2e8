/* A run of rows of one family on its way from the spools to the file. */
#ifndef ROOFTALLY_RESULT_SLAB_H
#define ROOFTALLY_RESULT_SLAB_H

#include "rooftally/h5/h5.h"

#include "gather.h"

struct slab {
    struct gather *gather;
    enum family family;
    const struct field **fields; /* [n_fields] of the family, all with values */
    hid_t *datasets;             /* [n_fields] */
    int n_fields;
    hid_t transfer;
    int64_t row_bytes; /* of all fields */
    int64_t n_rows;    /* of a full slab */

    int64_t first, n; /* rows of the slab in hand */
    int64_t next;     /* first record that may have rows in it */

    /* [comm_size] each, in bytes */
    int64_t *send_counts, *receive_counts;
    uint8_t *send, *receive, *columns;
    int64_t send_capacity, receive_capacity;

    struct reader reader;
};

/* Gather and write the rows first to first + n, at most n_rows; slabs in ascending
 * order. Collective and agreed. */
int slab_write(struct slab *slab, int64_t first, int64_t n, struct error *err);

/* -1 with ERROR_IO, of a sync that errno tells about. */
int slab_not_synced(struct error *err);

#endif
