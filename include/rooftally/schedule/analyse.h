/*
 * Analysing one zone:
 *
 *   source ─► batch ─► decide ─► measure, filter ─► fold, select ─► record ─► sink
 *
 * All buffers of a zone come after one mark of the memory and are gone at its rewind.
 */
#ifndef ROOFTALLY_SCHEDULE_ANALYSE_H
#define ROOFTALLY_SCHEDULE_ANALYSE_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/schedule/message.h"
#include "rooftally/source/source.h"
#include "rooftally/statistics/record.h"
#include "rooftally/statistics/statistics.h"

struct analysis {
    struct source *source;
    const struct binding *binding;
    const struct statistics *statistics;
    struct geos *geos;
    struct memory *memory;
    int rank;
    double start_s; /* clock_wall_s of the run's start */
    int n_retries;  /* of the zone that comes next, for its record */

    /* Takes the finished record; it is gone afterwards. */
    int (*sink)(void *context, const struct zone_record *record, struct error *err);
    void *sink_context;

    /* Asked between batches: true drops the zone with ERROR_STOPPED. May be NULL. */
    bool (*stop)(void *context);
    void *stop_context;

    struct batch batch;
    uint8_t *decisions;    /* [batch.capacity] */
    int32_t *rows;         /* [batch.capacity] */
    struct box *centroids; /* [batch.capacity] where the predicate is CENTROID */
};

/* Rows of a batch, and bytes for their geometry and text, under a memory limit. */
int32_t analyse_batch_rows(int64_t memory_bytes);
int64_t analyse_batch_bytes(int64_t memory_bytes);

/* About what the selection of a zone takes, for `plan`; without the bytes of its texts, and
 * what ids that come twice take more. */
int64_t analyse_selection_bytes(const struct binding *binding, int64_t n_selected);

/* Take the batch from the memory and touch the pages that a usual zone needs. The
 * fields above `batch` are the caller's to fill before. */
int analyse_init(struct analysis *analysis, struct error *err);

/*
 * Analyse one zone and hand its record to the sink.
 *
 * Returns  0 with row and counts in *counts (a MESSAGE_ZONE), or -1 with the error of
 *          what failed, prefixed "zone 02139"; the source can go on with another zone
 *          unless the code is ERROR_SOURCE
 */
int analyse_zone(struct analysis *analysis,
                 const struct message_zone *zone,
                 struct message *counts,
                 struct error *err);

#endif
