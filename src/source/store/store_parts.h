/*
 * Work on parts of a table by as many threads, where one process is alone and may use more
 * than one processor: with more ranks, these are the threads.
 */
#ifndef ROOFTALLY_SOURCE_STORE_PARTS_H
#define ROOFTALLY_SOURCE_STORE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "rooftally/source/store.h"

/* Parts that are worth it, at most BUCKETS_MOST_PARTS; the same on all ranks. */
int store_parts(const struct team *team);

/* What the threads have in common. */
struct store_parts {
    const struct store_options
        *options;      /* asked, by the calling thread, whether to go on */
    pthread_t caller;  /* of store_parts_init */
    atomic_bool ended; /* a part has failed: the others need not go on */
};

void store_parts_init(struct store_parts *parts, const struct store_options *options);

/*
 * Whether the thread that asks may go on with its part; asked now and then.
 *
 * share    of the work, as options' progress wants it; only the calling thread tells
 * Returns  0, or -1: without an error where another part has failed, or ERROR_STOPPED
 */
int store_parts_go_on(struct store_parts *parts, double share, struct error *err);

/* The same for those that ask for a bool, with parts as context: true where it may not. */
bool store_parts_stop(void *parts);

/* Work on a part. Returns 0, or -1 with *err. */
typedef int store_part_work(void *context, int part, struct error *err);

/*
 * work(context, part, …) for parts 0 to n - 1, all at once; the first in the calling thread, so
 * that it alone may call MPI, HDF5 or what options has.
 *
 * Returns  0, or -1 with the failure of a part, ERROR_STOPPED only if that is all there is
 */
int store_parts_run(struct store_parts *parts,
                    int n,
                    store_part_work *work,
                    void *context,
                    struct error *err);

#endif
