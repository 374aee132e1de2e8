/*
 * A finished zone: all that the result needs of it, and its bytes in a spool.
 *
 * Little-endian; sections aligned to 8 bytes, so that a decoded record points into the
 * bytes it was decoded from.
 */
#ifndef ROOFTALLY_STATISTICS_RECORD_H
#define ROOFTALLY_STATISTICS_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "rooftally/statistics/statistics.h"

struct zone_record {
    int64_t row; /* of the zone, in the order of ids */

    /* candidates = selected + outside + filtered + rejected */
    int64_t n_candidates, n_selected, n_outside, n_filtered, n_rejected;
    int64_t n_decided, n_refined; /* without GEOS, by it */
    int64_t n_bytes;              /* read from the source */
    int32_t rank, n_retries;
    int32_t attempt; /* that rank and start are of; not encoded: the spool knows */
    double start_s, wall_s; /* since the attempt's start */
    char snapshot[64];      /* the zone was read under; "" for none */

    struct box box;
    double area_m2;
    int64_t n_vertices;
    struct text wkb; /* plain 2D WKB of the zone; n = 0 for none */

    int n_outputs;
    struct output_values *outputs; /* [n_outputs] */

    /* The selection, sorted by id: keep[i] has n_selected values; n_keep 0: none. */
    int n_keep;
    struct column *keep;

    /* [n_rejected], sorted by id */
    struct column rejected_id;
    struct text *rejected_reason;
};

/*
 * Encode through `put`, which takes the bytes in order.
 *
 * Returns  0, or -1 with put's error
 */
int record_encode(
    const struct zone_record *record,
    const struct statistics *statistics,
    int (*put)(void *context, const void *bytes, size_t n_bytes, struct error *err),
    void *context,
    struct error *err);

int64_t record_size(const struct zone_record *record,
                    const struct statistics *statistics);

/*
 * Decode; every offset and count is checked before it is used.
 *
 * bytes    aligned to 8; the record borrows them
 * memory   for the arrays of pointers (MEMORY_RECORD)
 * Returns  0, or -1 with ERROR_FORMAT or ERROR_BUDGET
 */
int record_decode(struct zone_record *record,
                  const struct statistics *statistics,
                  const uint8_t *bytes,
                  int64_t n_bytes,
                  struct memory *memory,
                  struct error *err);

#endif
