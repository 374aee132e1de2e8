/* Buckets of a part, one after the other: read from all ranks into memory and sorted there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/file.h"

#include "buckets.h"
#include "buckets_state.h"

/* Where a rank's chains of a bucket end. */
static int read_bucket(const struct buckets *b,
                       int rank,
                       int i,
                       struct bucket *bucket,
                       struct error *err)
{
    int64_t at = b->tables[rank] + (int64_t)i * (int64_t)sizeof *bucket;
    return scratch_read(b->scratch, rank, at, bucket, sizeof *bucket, err);
}

/* Which bytes hold records that follow each other: the next from *at on, of n; where it is long,
 * it is all there is. Returns the record with its length in front, NULL at the end. */
static const uint8_t *
next_record(const uint8_t *bytes, int64_t *at, int64_t n, int64_t piece, bool *is_wrong)
{
    while (*at < n) {
        int64_t end = piece > 0 ? (*at / piece + 1) * piece : n;
        end = end < n ? end : n;
        if (end - *at < SORT_LENGTH_BYTES) {
            *at = end;
            continue;
        }
        int64_t length = sort_length(bytes + *at);
        if (length == END_OF_PIECE) {
            *at = end;
            continue;
        }
        if (length > end - *at - SORT_LENGTH_BYTES) {
            *is_wrong = true;
            return NULL;
        }
        const uint8_t *record = bytes + *at;
        *at += SORT_LENGTH_BYTES + length;
        return record;
    }
    return NULL;
}

/* A bucket on its way into memory: bytes from the front, entries from the end. */
struct loading {
    struct buckets *b;
    struct part_reading *reading;
    int64_t used;
    struct sort_entry *entries; /* [n] so far, the first is the latest */
    int64_t n, most;
};

static int note_records(struct loading *l,
                        const uint8_t *bytes,
                        int64_t n_bytes,
                        int64_t piece,
                        struct error *err)
{
    int64_t at = sizeof(struct extent);
    const uint8_t *record;
    bool is_wrong = false;
    while ((record = next_record(bytes, &at, n_bytes, piece, &is_wrong))) {
        if (l->n == l->most)
            return scratch_damaged(l->b->scratch, err);
        *--l->entries = sort_entry_of(record);
        l->n++;
    }
    return is_wrong ? scratch_damaged(l->b->scratch, err) : 0;
}

static int may_go_on(const struct part_reading *reading, struct error *err)
{
    if (reading->stop && reading->stop(reading->stop_context))
        return error_set(err, ERROR_STOPPED, "stopped on request");
    return 0;
}

/* A chain of extents, the last first. */
static int load_chain(struct loading *l,
                      int rank,
                      struct extent extent,
                      int64_t piece,
                      struct error *err)
{
    while (extent.at >= 0) {
        uint8_t *to = l->reading->bytes + l->used;
        int64_t room = (const uint8_t *)l->entries - to;
        if (extent.n < (int64_t)sizeof extent || extent.n > room)
            return scratch_damaged(l->b->scratch, err);
        if (may_go_on(l->reading, err)
            || scratch_read(l->b->scratch, rank, extent.at, to, extent.n, err)
            || note_records(l, to, extent.n, piece, err))
            return -1;
        l->used += extent.n;
        memcpy(&extent, to, sizeof extent);
    }
    return 0;
}

static int
load(struct buckets *b, struct part_reading *reading, int i, struct error *err)
{
    int64_t n = b->own_records[i];
    struct sort_entry *end =
        (struct sort_entry *)(void *)(reading->bytes + reading->n_bytes);
    struct loading l = { .b = b, .reading = reading, .entries = end, .most = n };
    for (int rank = 0; rank < b->team->size; rank++) {
        struct bucket bucket;
        if (read_bucket(b, rank, i, &bucket, err)
            || load_chain(&l, rank, bucket.last, b->piece, err)
            || load_chain(&l, rank, bucket.last_long, 0, err))
            return -1;
    }
    if (l.n != n)
        return scratch_damaged(b->scratch, err);
    sort_entries(l.entries, n);
    reading->entries = l.entries;
    reading->n_entries = n;
    reading->n_given = 0;
    return 0;
}

/* Overflows ------------------------------------------------------------------------------ */

static int add_records(struct overflow *overflow,
                       const struct buckets *b,
                       const uint8_t *bytes,
                       int64_t n_bytes,
                       int64_t at,
                       int64_t piece,
                       struct error *err)
{
    const uint8_t *record;
    bool is_wrong = false;
    while ((record = next_record(bytes, &at, n_bytes, piece, &is_wrong))) {
        int64_t n = sort_length(record);
        if (overflow->n_left-- == 0)
            return scratch_damaged(b->scratch, err);
        uint8_t *room = sorter_room(overflow->sorter, n, err);
        if (!room)
            return -1;
        memcpy(room, record + SORT_LENGTH_BYTES, (size_t)n);
        sorter_add(overflow->sorter);
    }
    return is_wrong ? scratch_damaged(b->scratch, err) : 0;
}

/* By pieces, of which one is in memory at a time. */
static int add_chain(struct overflow *overflow,
                     const struct buckets *b,
                     int rank,
                     struct extent extent,
                     int64_t piece,
                     uint8_t *bytes,
                     int64_t n_bytes,
                     struct error *err)
{
    while (extent.at >= 0) {
        struct extent before;
        int64_t n = extent.n;
        overflow->bytes_left -= n;
        if (n < (int64_t)sizeof before || overflow->bytes_left < 0)
            return scratch_damaged(b->scratch, err);
        for (int64_t at = 0, some; at < n; at += some) {
            int64_t left = n - at;
            some = piece > 0 && piece < left ? piece : left;
            if (some > n_bytes)
                return scratch_damaged(b->scratch, err);
            if (scratch_read(b->scratch, rank, extent.at + at, bytes, some, err))
                return -1;
            if (at == 0)
                memcpy(&before, bytes, sizeof before);
            if (add_records(overflow,
                            b,
                            bytes,
                            some,
                            at == 0 ? (int64_t)sizeof before : 0,
                            piece,
                            err))
                return -1;
        }
        extent = before;
    }
    return 0;
}

static int add_all(struct overflow *overflow,
                   const struct buckets *b,
                   int i,
                   uint8_t *bytes,
                   int64_t n_bytes,
                   struct error *err)
{
    for (int rank = 0; rank < b->team->size; rank++) {
        struct bucket bucket;
        if (read_bucket(b, rank, i, &bucket, err)
            || add_chain(overflow, b, rank, bucket.last, b->piece, bytes, n_bytes, err)
            || add_chain(overflow, b, rank, bucket.last_long, 0, bytes, n_bytes, err))
            return -1;
    }
    return overflow->n_left == 0 ? 0 : scratch_damaged(b->scratch, err);
}

static int
open_overflow(const struct buckets *b, struct part_reading *reading, struct error *err)
{
    struct overflow *overflow = &reading->overflow;
    int part = (int)(reading - b->readings);
    char *whole;
    if (asprintf(&whole,
                 "%s/%d.%d.%s",
                 b->scratch->folder,
                 b->team->rank,
                 part,
                 file_name(b->scratch->path))
        < 0)
        return error_set(err, ERROR_BUDGET, "no memory for sorting");
    int status = scratch_open(&overflow->scratch, whole, &team_alone, err);
    free(whole);
    if (status == 0) {
        overflow->scratch.stop = reading->stop;
        overflow->scratch.stop_context = reading->stop_context;
    }
    return status;
}

static void close_overflow(struct part_reading *reading)
{
    if (!reading->overflow.sorter)
        return;
    sorter_close(reading->overflow.sorter);
    scratch_close(&reading->overflow.scratch);
    reading->overflow.sorter = NULL;
}

/* A bucket that does not fit: runs of it are sorted, and merged while records are asked for. */
static int
overflow(struct buckets *b, struct part_reading *reading, int i, struct error *err)
{
    struct overflow *o = &reading->overflow;
    int64_t longest = b->longest + SORT_LENGTH_BYTES + (int64_t)sizeof(struct extent);
    int64_t n_read = ((longest > b->piece ? longest : b->piece) + 63) & ~INT64_C(63);
    uint8_t *bytes = reading->bytes + n_read;
    int64_t n_bytes = reading->n_bytes - n_read;
    struct memory room = { .base = bytes, .budget_bytes = n_bytes };
    if (n_bytes < SORTER_LEAST_BYTES)
        return error_set(err, ERROR_BUDGET, "sorting: raise [limits] memory");
    if (open_overflow(b, reading, err))
        return -1;
    o->n_left = b->own_records[i];
    o->bytes_left = b->own_bytes[i];
    if (sorter_open(&o->sorter,
                    &o->scratch,
                    b->weights,
                    &team_alone,
                    bytes,
                    n_bytes,
                    err)) {
        scratch_close(&o->scratch);
        return -1;
    }
    return add_all(o, b, i, reading->bytes, n_read, err)
                   || sorter_end(o->sorter, 0, n_bytes, err)
                   || sorter_start(o->sorter, n_bytes, &room, err)
               ? -1
               : 0;
}

/* The part --------------------------------------------------------------------------------- */

int buckets_start(struct buckets *b,
                  int part,
                  int64_t n_bytes,
                  bool (*stop)(void *context),
                  void *stop_context,
                  struct memory *memory,
                  struct error *err)
{
    struct part_reading *reading = &b->readings[part];
    if (b->is_kept) {
        reading->n_given = 0;
        return 0;
    }
    *reading = (struct part_reading){ .bucket = b->first_bucket[part],
                                      .end = b->first_bucket[part + 1],
                                      .n_bytes = n_bytes & ~INT64_C(63),
                                      .stop = stop,
                                      .stop_context = stop_context };
    reading->bytes = memory_take(memory, MEMORY_BATCH, n_bytes, err);
    return reading->bytes ? 0 : -1;
}

/* The next bucket that has records is in memory, or none is left. */
static int
next_bucket(struct buckets *b, struct part_reading *reading, struct error *err)
{
    while (reading->bucket < reading->end && b->own_records[reading->bucket] == 0)
        reading->bucket++;
    reading->n_entries = reading->n_given = 0;
    if (reading->bucket == reading->end)
        return 0;
    int i = reading->bucket++;
    int64_t entries = (int64_t)sizeof(struct sort_entry) * b->own_records[i];
    bool fits = b->own_bytes[i] + entries <= reading->n_bytes;
    return fits ? load(b, reading, i, err) : overflow(b, reading, i, err);
}

/* The next records of those in memory, and a word to the caches about what follows. */
static int32_t give(struct part_reading *reading, int32_t most, const uint8_t **records)
{
    enum { LINE = 64, LINES = 4 };
    int64_t left = reading->n_entries - reading->n_given, n = left < most ? left : most;
    const struct sort_entry *entries =
        left > 0 ? reading->entries + reading->n_given : NULL;
    for (int64_t i = 0; i < n; i++) {
        records[i] = entries[i].record + SORT_LENGTH_BYTES;
        for (int line = 0; i + most < left && line < LINES; line++)
            __builtin_prefetch(entries[i + most].record + LINE * line);
    }
    reading->n_given += n;
    return (int32_t)n;
}

int buckets_next(struct buckets *b,
                 int part,
                 int32_t most,
                 const uint8_t **records,
                 int32_t *n,
                 struct error *err)
{
    struct part_reading *reading = &b->readings[part];
    for (;;) {
        if (reading->overflow.sorter) {
            if (sorter_next(reading->overflow.sorter, most, records, n, err))
                return -1;
            if (*n > 0)
                return 0;
            close_overflow(reading);
        }
        *n = give(reading, most, records);
        if (*n > 0 || b->is_kept || reading->bucket == reading->end)
            return 0;
        if (next_bucket(b, reading, err))
            return -1;
    }
}
