/*
 * A rank's append-only file of finished zones, `<output>.spool/rank-<n>`.
 *
 *   u32 magic "RTZ1"  u32 crc32c of all that follows
 *   i64 n_bytes  i64 row  i64 n_selected  i64 n_rejected  i64 n_wkb
 *   payload: n_bytes, a zone_record, padded to 8
 *
 * A record counts once it is whole: what follows the last whole one is dropped on
 * reading. An appended record is with the system when spool_append returns, so it
 * outlives this process; spool_sync makes it outlive the machine.
 */
#ifndef ROOFTALLY_RESULT_SPOOL_H
#define ROOFTALLY_RESULT_SPOOL_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/statistics/record.h"

struct spool; /* on the heap, with its buffer of 64 KiB */

/* Where the spool of an output lies: "<output>.spool"; caller frees. */
char *spool_folder(const char *output);

/* Make the folder (rank 0, before the others open), not readable by others; leftovers
 * of an earlier run are removed. */
int spool_create(const char *folder, struct error *err);
/* Remove the folder and the rank files in it; a missing one is silent. */
int spool_remove(const char *folder, struct error *err);

/* Open this rank's file, new and empty. */
int spool_open(struct spool **spool, const char *folder, int rank, struct error *err);
void spool_close(struct spool *spool);

/* Returns 0, or -1 with ERROR_IO (disk full); the spool is then as it was before. */
int spool_append(struct spool *spool,
                 const struct zone_record *record,
                 const struct statistics *statistics,
                 struct error *err);
/* Everything appended is on disk when this returns 0. */
int spool_sync(struct spool *spool, struct error *err);

/* One record that lies in the file. */
struct spool_entry {
    int64_t row, offset, n_bytes; /* payload */
    int64_t n_selected, n_rejected, n_wkb;
};

/*
 * Read the file through and list its whole records, sorted by row. The list is borrowed
 * from `memory` (MEMORY_GATHER) and ends with it, or with the next append.
 */
int spool_scan(struct spool *spool, struct memory *memory, struct error *err);
/* What the last scan found. */
int64_t spool_n_records(const struct spool *spool);
const struct spool_entry *spool_entry(const struct spool *spool, int64_t index);

/* Read a record's payload into memory (MEMORY_GATHER), check it and decode. */
int spool_read(struct spool *spool,
               int64_t index,
               const struct statistics *statistics,
               struct zone_record *record,
               struct memory *memory,
               struct error *err);

#endif
