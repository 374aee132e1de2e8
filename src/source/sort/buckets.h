/*
 * Sorting more byte strings than fit into memory, over all ranks, by dealing them first: keys
 * that are known beforehand part the order into buckets, so that each record goes into scratch
 * space once, as it comes, behind those of its bucket; at the end each rank takes some buckets
 * that follow each other, and sorts one after the other in memory.
 *
 *     rank 0   add ─► bucket 0 … n ─┐        ┌─► range 0: buckets 0 … a, sorted ─► next
 *     rank 1   add ─► bucket 0 … n ─┼ read   ┼─► range 1: buckets a … b          ─► next
 *     rank 2   add ─► bucket 0 … n ─┘        └─► range 2: buckets b … n          ─► next
 *
 * Against sorting runs and merging them (sort.h), whoever sends the records never waits for
 * more than one piece to be written, and no record is compared before its neighbours are all
 * there. Keys that part badly cost time and disk: a bucket that does not fit into memory is
 * sorted by runs, for which it is written once more, by one part of one rank.
 *
 * Order    as memcmp over whole records, a prefix first; so equal sets of records come
 *          out as equal sequences of all ranks' ranges together, whatever the memory, the
 *          number of ranks, the keys, and who added what
 * Memory   what it is given, in one piece while adding and one for each part at the end;
 *          besides, 16 bytes for each bucket and 8 for each rank of its own, and a sorter's
 *          for a bucket that is sorted by runs
 *
 * Where it is allowed, and the records of every rank fit, nothing goes to scratch space: they
 * are kept in memory and each rank's range is what it has added itself. Ranges of several
 * ranks then overlap; one rank alone has its records in order either way.
 *
 * A rank's range may be cut further, into parts that threads of it sort at once.
 */
#ifndef ROOFTALLY_SOURCE_BUCKETS_H
#define ROOFTALLY_SOURCE_BUCKETS_H

#include "sort.h"

enum { BUCKETS_MOST = 4096, BUCKETS_MOST_PARTS = 4 };

struct buckets;

/*
 * How many buckets are worth it, so that one of them is likely to fit where it is sorted; the
 * same on all ranks if what it is given is.
 *
 * n_bytes     of memory that adding will have
 * n_merge     of memory that n_parts of a rank together will have at the end
 * n_expected  bytes of all records; 0: unknown, and taken for 1 GiB
 */
int buckets_number(int64_t n_bytes,
                   int64_t n_merge,
                   int n_parts,
                   int n_ranks,
                   double n_expected);

/* How many of the n_bytes that buckets_open is given, from the first, are touched sooner or
 * later, but by a long record: so many may be at once. */
int64_t buckets_resident_bytes(int64_t n_bytes, int64_t n_keep);

/* What n_parts want of n_merge at the end, unless a record is very long: no more than 24 MiB
 * however large a bucket is, so that what is resident does not grow with the records. */
int64_t buckets_parts_bytes(int64_t n_merge, int n_parts);

/*
 * bytes    [n_bytes], the caller's, used until buckets_end; at least SORTER_LEAST_BYTES, and
 *          as many on all ranks
 * n_keep   of these bytes, from the first, in how many records may stay until
 *          buckets_close; 0, on all ranks: in none
 * n_merge  of memory that all parts together will have at the end, on every rank: bounds a
 *          record
 * keys     [n] in order, the first 0: bucket i has the records whose first four bytes, as a
 *          big-endian number, are keys[i] or more and below keys[i + 1]; the same on all
 *          ranks; at most BUCKETS_MOST; copied
 * scratch, weights, team   borrowed until buckets_close
 * Calls    local
 * Returns  0, or -1 with ERROR_BUDGET
 */
int buckets_open(struct buckets **buckets,
                 struct scratch *scratch,
                 const struct sort_weights *weights,
                 const struct team *team,
                 uint8_t *bytes,
                 int64_t n_bytes,
                 int64_t n_keep,
                 int64_t n_merge,
                 const uint32_t *keys,
                 int n,
                 struct error *err);
void buckets_close(struct buckets *buckets); /* NULL is silent */

/* The longest record that it takes. */
int64_t buckets_most_bytes(const struct buckets *buckets);

/*
 * Room for the next record, of four bytes or more, the first of which will be `key`, to be
 * filled before buckets_add takes it. Local.
 *
 * Returns  n_bytes of room, or NULL with ERROR_BUDGET (too long), ERROR_IO (the disk) or
 *          ERROR_STOPPED
 */
uint8_t *
buckets_room(struct buckets *buckets, uint32_t key, int64_t n_bytes, struct error *err);
/* 0, or -1 with ERROR_IO or ERROR_STOPPED. */
int buckets_add(struct buckets *buckets, struct error *err);

/*
 * No more will be added: deal the buckets to the parts of all ranks. Collective and agreed.
 *
 * status      of this rank so far; no rank goes on unless it is 0 on all
 * n_merge     of memory that all parts together will have, on every rank
 * most_parts  at most BUCKETS_MOST_PARTS, the same on all ranks; there are fewer where
 *             n_merge is little for the buckets, and one where records are kept
 * Returns     0, or -1 with what a rank failed with
 */
int buckets_end(struct buckets *buckets,
                int status,
                int64_t n_merge,
                int most_parts,
                struct error *err);

/* After buckets_end: parts of this rank's range, as many on all ranks; and of the caller's
 * bytes, from the first, how many are taken by records that are kept, 0 where there are none. */
int buckets_parts(const struct buckets *buckets);
int64_t
buckets_part_bytes(const struct buckets *buckets); /* that a part wants, of n_merge */
int64_t buckets_kept_bytes(const struct buckets *buckets);

/* As sorter_sums. */
void buckets_sums(const struct buckets *buckets,
                  int part,
                  int64_t *before,
                  int64_t *own,
                  int64_t *all);

/*
 * Start on a part, in n_bytes taken from memory, which records that are kept do not need.
 * Local, and from one thread.
 *
 * n_bytes  at least buckets_part_bytes
 * stop     asked while a bucket is read or sorted by runs, from the thread that asks for the
 *          part's records; NULL: never
 */
int buckets_start(struct buckets *buckets,
                  int part,
                  int64_t n_bytes,
                  bool (*stop)(void *context),
                  void *stop_context,
                  struct memory *memory,
                  struct error *err);

/* As sorter_next. Several parts may be asked at once, each by one thread. */
int buckets_next(struct buckets *buckets,
                 int part,
                 int32_t most,
                 const uint8_t **records,
                 int32_t *n,
                 struct error *err);

#endif
