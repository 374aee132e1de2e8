/*
 * A file that goes to the disk while it is written: a thread calls fdatasync(2) whenever a step
 * more of it has been, so that the sync at the end finds little left to do. Telling the kernel
 * to begin (sync_file_range(2)) is less: a disk with a cache of its own takes the bytes, and
 * writes them when it is told to flush.
 */
#ifndef ROOFTALLY_BASE_SYNCER_H
#define ROOFTALLY_BASE_SYNCER_H

#include <stdbool.h>
#include <stdint.h>

struct syncer;

/*
 * fd          the caller's, open until syncer_end
 * step_bytes  after so many a sync begins
 *
 * Returns NULL where no thread is to be had: nothing is lost but time, and the other calls
 * take that.
 */
struct syncer *syncer_start(int fd, int64_t step_bytes);

/*
 * n_bytes more have been written. Where a sync is still under way and a step has been written
 * since it began, wait for it: what one sync has to do, and with it how long a caller that
 * wants to stop has to wait, is bounded. Returns false, with errno, where a sync has failed.
 */
bool syncer_wrote(struct syncer *syncer, int64_t n_bytes);

/* Sync what has been written so far, however little, and do not wait for it. */
void syncer_begin(struct syncer *syncer);

/* Wait for a sync that is under way, and end the thread; what was written since is not synced,
 * but by syncer_begin. Returns false, with errno, where one has failed: the kernel says so only
 * once, and a later sync of the same file may succeed. */
bool syncer_end(struct syncer *syncer);

#endif
