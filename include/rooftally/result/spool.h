/*
 * A rank's append-only file of finished zones, `<output>.spool/rank-<n>`.
 *
 *   u32 magic "RTZ1"  u32 crc32c of the payload  i64 n_bytes  payload (a zone_record)
 *
 * A record counts once it is whole: a torn tail is dropped on reading.
 */
#ifndef ROOFTALLY_RESULT_SPOOL_H
#define ROOFTALLY_RESULT_SPOOL_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/statistics/record.h"

struct spool; /* on the heap */

/* Where the spool of an output lies: "<output>.spool"; caller frees. */
char *spool_folder(const char *output);

/* Make the folder (rank 0, before the others open), not readable by others. */
int spool_create(const char *folder, struct error *err);
/* Remove the folder and the rank files in it; a missing one is silent. */
int spool_remove(const char *folder, struct error *err);

/* Open this rank's file, new and empty. */
int spool_open(struct spool **spool, const char *folder, int rank, struct error *err);
void spool_close(struct spool *spool);

int spool_append(struct spool *spool,
                 const struct zone_record *record,
                 const struct statistics *statistics,
                 struct error *err);
/* Everything appended is on disk when this returns 0. */
int spool_sync(struct spool *spool, struct error *err);

/* One record that lies in the file. */
struct spool_entry {
    int64_t row, offset, n_bytes; /* payload */
    int64_t n_selected, n_rejected;
};
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
