/*
 * The fixed, columnar buffer through which buildings stream.
 *
 * Shape    at most `capacity` rows and bytes_capacity bytes of geometry and text
 * Owner    the batch, out of the memory it was made from; rows are valid until the next
 *          source_next
 */
#ifndef ROOFTALLY_SOURCE_BATCH_H
#define ROOFTALLY_SOURCE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/job/binding.h"

struct batch {
    int32_t capacity, n_rows;
    struct column id;       /* INTEGER or TEXT, null where the fault is EWKB_NO_ID */
    struct column *columns; /* [binding->n_slots]; SLOT_SOURCE ones are filled here,
                               the others have room */
    int n_columns;
    struct box *boxes; /* [capacity]; empty where the fault is one (not EWKB_COLLECTED);
                            * while the geometry is not there, maybe larger: sides are
                            * floats */
    uint8_t *faults;   /* [capacity] enum ewkb_fault */
    struct text *geometry; /* [capacity] EWKB; n = 0 while not fetched (a store) */
    uint8_t *inside;  /* [capacity] 1: the source knows that it lies in the zone, and
                              its box is not filled */
    int64_t *origins; /* [capacity] the source's own: where a row came from */

    uint8_t *bytes; /* what texts and geometry point into */
    int64_t bytes_capacity, bytes_used;
    /* after ERROR_BUDGET: the bytes_capacity that one row needs, of which the text says whose
     * it is; 0: it failed otherwise */
    int64_t bytes_needed;

    int64_t n_filtered; /* candidates of this batch that failed the source's filter;
                           they take no row */
    bool is_filtered;   /* the source has applied the binding's row_filter; else the
                           analysis does, behind its decisions */
    int64_t n_read;     /* bytes that came from the source for this batch */

    struct memory
        *memory; /* which it was made from; for temporaries of a source, rewound
                              before it returns */
};

/* Bytes that a batch of `capacity` rows takes, besides bytes_capacity. */
int64_t batch_size(const struct binding *binding, int32_t capacity);
/* Taken from `memory` as MEMORY_BATCH. Returns 0, or -1 with ERROR_BUDGET; ERROR_INTERNAL for a
 * capacity that cannot be. */
int batch_init(struct batch *batch,
               const struct binding *binding,
               int32_t capacity,
               int64_t bytes_capacity,
               struct memory *memory,
               struct error *err);
void batch_reset(struct batch *batch);
/*
 * Add to what a source says of a row that is too large how much memory would do. Whoever
 * has made a batch knows: bytes_capacity is the limit divided by `share`, at most `most`.
 *
 * Returns  -1, with *err as it was where bytes_needed is 0
 */
int batch_advise(const struct batch *batch,
                 int64_t share,
                 int64_t most,
                 struct error *err);
/* This row has no id: a null with a value of its own (FILL_INTEGER, an empty text), so that
 * such rows have one place in the order of ids; EWKB_NO_ID takes the place of its fault. */
void batch_put_no_id(struct batch *batch, int32_t row);

#endif
