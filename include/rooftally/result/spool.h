/*
 * A rank's append-only file of finished zones, `<output>.spool/rank-<n>.<attempt>`. The
 * folder is the checkpoint: a run that was stopped leaves it, and the next attempt, with
 * any number of ranks, takes its files over and adds its own. Beside them lie `manifest`,
 * which says whose zones they are, and `lock`, held by the run at work.
 *
 *   u32 magic "RTZ2"  u32 crc32c of all that follows
 *   i64 run  i64 n_bytes  i64 row  i64 n_selected  i64 n_rejected  i64 n_wkb
 *   payload: n_bytes, a zone_record, padded to 8
 *
 * A record counts once it is whole, and of the run that began the spool: a file that was
 * copied from another one holds none. What follows the last record that counts is dropped
 * on reading, and is damage unless a process that was killed leaves it. An appended
 * record is with the system when spool_append returns, so it outlives this process;
 * spool_sync makes it outlive the machine. A zone that was recorded twice counts once.
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
/* Remove the folder and our files in it; a missing one is silent. */
int spool_remove(const char *folder, struct error *err);

/*
 * Make the folder if it is not there, and take the right to work on it (rank 0). It is
 * given back by close(), or with the process.
 *
 * wait_s   a run that was killed takes a moment to go
 * stop     asked while it waits: true gives up; may be NULL
 * Returns  0 with *lock, a descriptor, or -1 with
 *            ERROR_USAGE    another run is at work on it
 *            ERROR_STOPPED
 *            ERROR_IO
 */
int spool_lock(const char *folder,
               double wait_s,
               bool (*stop)(void *context),
               void *context,
               int *lock,
               struct error *err);

/* Whose zones a spool holds. */
struct spool_manifest {
    const char *run;    /* its own name, for the result: one line */
    const char *source; /* which one it is, without secrets: one line */
    const char *job;    /* job->identity */
    int64_t n_zones;
    uint32_t zones_crc; /* of all ids */
};

enum { SPOOL_RUN_BYTES = 128 };

/* The manifest is there whole, and on disk, or it is not there: 0, or -1 with ERROR_IO or
 * ERROR_BUDGET. */
int spool_put_manifest(const char *folder,
                       const struct spool_manifest *manifest,
                       struct error *err);

/*
 * Whether the spool holds zones of this very job.
 *
 * Returns  1 with the run that began it, 0 when there is no manifest, -1 with
 *            ERROR_USAGE  what differs: job, source, zones, version
 *            ERROR_IO
 */
int spool_check_manifest(const char *folder,
                         const struct spool_manifest *manifest,
                         char run[SPOOL_RUN_BYTES],
                         struct error *err);

struct spool_contents {
    int64_t n_zones; /* finished, by any run */
    int64_t n_damaged_bytes;
    int last_attempt; /* 0: none */
};

/* What a spool holds, whoever began it. Memory is given back. Returns 0, or -1 with ERROR_IO
 * or ERROR_BUDGET. */
int spool_count(const char *folder,
                struct spool_contents *contents,
                struct memory *memory,
                struct error *err);

/* Open this rank's file of an attempt (from 1), new and empty; `run` is the manifest's.
 * Returns 0 with *spool, for spool_close, or -1 with ERROR_IO or ERROR_BUDGET. */
int spool_open(struct spool **spool,
               const char *folder,
               const char *run,
               int attempt,
               int rank,
               struct error *err);
void spool_close(struct spool *spool);

/* Take over this rank's share, of n_ranks, of the files that earlier attempts left: each
 * file goes to one rank. A scan then finds their records too. Returns 0, or -1 with ERROR_IO
 * or ERROR_BUDGET. */
int spool_inherit(struct spool *spool, int n_ranks, struct error *err);

/* Returns 0, or -1 with ERROR_IO (disk full); the spool is then as it was before. */
int spool_append(struct spool *spool,
                 const struct zone_record *record,
                 const struct statistics *statistics,
                 struct error *err);
/* Let the system begin to write what has been appended, some MiB at a time, so that
 * spool_sync finds little left to wait for. */
void spool_start_sync(struct spool *spool);
/* Everything appended is on disk when this returns 0; -1 with ERROR_IO. */
int spool_sync(struct spool *spool, struct error *err);

/* One record that lies in the file. */
struct spool_entry {
    int64_t row, offset, n_bytes; /* payload */
    int64_t n_selected, n_rejected, n_wkb;
    int32_t file, attempt; /* where it lies: private; who wrote it */
};

/*
 * Read the files through and list their whole records, sorted by row, one of a row. The
 * list is borrowed from `memory` (MEMORY_GATHER) and ends with it, or with the next append.
 *
 * Returns  0, or -1 with ERROR_IO or ERROR_BUDGET; damage is no error (spool_next_damage)
 */
int spool_scan(struct spool *spool, struct memory *memory, struct error *err);
/* What the last scan found. */
int64_t spool_n_records(const struct spool *spool);
const struct spool_entry *spool_entry(const struct spool *spool, int64_t index);

/* A file of an earlier attempt that ends in what is no record of this run, nor one that
 * was begun when its process was killed. */
struct spool_damage {
    int rank, attempt;
    int64_t n_bytes; /* left out */
};

/* The damage that the last scan found, from *file = 0 on: 1, or 0 at the end. */
int spool_next_damage(const struct spool *spool,
                      int *file,
                      struct spool_damage *damage);

/* Forget the records of rows whose owner, owners[row], is not `own`. */
void spool_keep(struct spool *spool, const int64_t *owners, int64_t own);

/* Read a record's payload into memory (MEMORY_GATHER), check it and decode. Returns 0, or -1
 * with ERROR_IO, ERROR_BUDGET or ERROR_FORMAT: it is damaged. */
int spool_read(struct spool *spool,
               int64_t index,
               const struct statistics *statistics,
               struct zone_record *record,
               struct memory *memory,
               struct error *err);

#endif
