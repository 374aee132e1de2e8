/*
 * What buckets_open's buckets are made of.
 *
 *   bytes  | records that are kept ─►   ◄─ entries | fillings | sums | keys |
 *          | piece of bucket 0 | piece of bucket 1 | … | a long record |
 *
 * In scratch space a bucket is a chain of extents, each of pieces, each of whole records with
 * their lengths in front. A length of END_OF_PIECE, too little room for one, or the end of
 * what is filled ends a piece. An extent begins with where the one before it lies. A record
 * that no piece holds is an extent of its own, in a chain of its own.
 */
#ifndef ROOFTALLY_SOURCE_BUCKETS_STATE_H
#define ROOFTALLY_SOURCE_BUCKETS_STATE_H

#include "buckets.h"
#include "sort_entries.h"
#include "sort_runs.h"

static const uint32_t END_OF_PIECE = UINT32_MAX;

/* An extent, and how many of its bytes are filled; at is -1 where there is none. */
struct extent {
    int64_t at, n;
};

struct bucket {
    struct extent last, last_long; /* of its chains */
};

/* What is added up of a bucket: records, bytes that are read for it, and the weights. */
enum { SUM_RECORDS, SUM_BYTES, SUM_WEIGHTS };

struct filling {
    struct bucket bucket;
    int64_t n_extent; /* bytes of the extent that is being filled */
    int32_t used;     /* of the piece in memory, which is the extent's next */
};

/* A bucket that is too large, on its way through a sorter of its own. */
struct overflow {
    struct scratch scratch;
    struct sorter *sorter; /* NULL: there is none */
    int64_t n_left,
        bytes_left; /* records, and bytes to be read, that are still to be added */
};

/* The buckets [bucket, end) of a part are still to come, the one before them is in memory. */
struct part_reading {
    int bucket, end;
    uint8_t *bytes; /* [n_bytes] */
    int64_t n_bytes;
    bool (*stop)(void *context);
    void *stop_context;
    const struct sort_entry *entries; /* in order, n_given of n_entries are given */
    int64_t n_entries, n_given;
    struct overflow overflow;
};

struct buckets {
    struct scratch *scratch;
    const struct sort_weights *weights;
    const struct team *team;
    uint8_t *bytes;
    int64_t n_keep, n_longest; /* n_longest: what a record may have */
    int32_t piece;
    int n;                    /* buckets */
    int n_sums;               /* of each */
    struct filling *fillings; /* [n] */
    int64_t *sums;            /* [n * n_sums] of this rank, then of all */
    uint32_t *keys;           /* [n] */
    uint8_t *pieces;          /* [n * piece] */
    uint8_t *long_room;       /* [SORT_LENGTH_BYTES + n_longest] */

    uint8_t *room; /* of the record that comes next */
    int into;      /* its bucket; -1: it is kept */
    bool is_keeping;
    int64_t used, n_entries; /* of what is kept, while it is keeping */

    bool is_kept; /* after buckets_end */
    int n_parts;
    int64_t n_part;                           /* bytes of memory that each wants */
    int64_t longest;                          /* record of all ranks */
    int64_t *own_bytes, *own_records;         /* [n] of all ranks */
    int64_t *tables;                          /* [size] where each rank has its heads */
    int first_bucket[BUCKETS_MOST_PARTS + 1]; /* of this rank's parts */
    int64_t before[BUCKETS_MOST_PARTS][1 + SORTER_MOST_WEIGHTS];
    int64_t own[BUCKETS_MOST_PARTS][1 + SORTER_MOST_WEIGHTS];
    int64_t all[1 + SORTER_MOST_WEIGHTS];
    struct part_reading readings[BUCKETS_MOST_PARTS];
};

#endif
