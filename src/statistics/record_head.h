/* How the bytes of a record lie, for the two files that write and read them. */
#ifndef ROOFTALLY_STATISTICS_RECORD_HEAD_H
#define ROOFTALLY_STATISTICS_RECORD_HEAD_H

#include <assert.h>
#include <stdint.h>

#include "rooftally/base/terms.h"

/*
 * head | wkb | outputs | kept columns | rejected ids | reasons
 *
 *     bytes     n bytes, zeros up to a multiple of 8
 *     values    8 bytes each
 *     texts     the length of each, 8 bytes; then all bytes, padded
 *     column    its type, 8 bytes; a byte each: valid; values or texts
 *     output    n, 8 bytes; values or texts; of a CATEGORY the counts
 */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "records are little-endian, and written as they lie in memory");

#define RECORD_MAGIC "rtzone1" /* 8 bytes with the end of string */

struct record_head {
    char magic[8];
    int64_t row;
    int64_t n_candidates, n_selected, n_outside, n_filtered, n_rejected;
    int64_t n_decided, n_refined, n_bytes;
    int32_t rank, n_retries;
    double start_s, wall_s;
    char snapshot[64];
    struct box box;
    double area_m2;
    int64_t n_vertices, n_wkb, n_outputs, n_keep;
};
static_assert(sizeof(struct record_head) == 240, "no padding in the head");

#endif
