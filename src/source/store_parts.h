/*
 * Work on parts of a table by as many threads, where one process is alone and may use more
 * than one processor: with more ranks, these are the threads.
 */
#ifndef ROOFTALLY_SOURCE_STORE_PARTS_H
#define ROOFTALLY_SOURCE_STORE_PARTS_H

#include <stdatomic.h>

#include "rooftally/source/store.h"

/* Parts that are worth it, at most BUCKETS_MOST_PARTS; the same on all ranks. */
int store_parts(const struct team *team);

/* What the threads have in common, all zeros at first but for options. */
struct store_parts {
    const struct store_options
        *options;      /* asked whether to go on while threads are waited for */
    atomic_bool ended; /* by a part that failed: the others need not go on */
};

/* Work on a part; it looks at `ended` now and then. Returns 0, or -1 with *err. */
typedef int
store_part_work(void *context, int part, struct store_parts *parts, struct error *err);

/*
 * work(context, part, …) for parts 0 to n - 1, all at once; the first in the calling thread, so
 * that it alone may call MPI, HDF5 or what options has.
 *
 * Returns  0, or -1 with the first failure of a part, or ERROR_STOPPED
 */
int store_parts_run(struct store_parts *parts,
                    int n,
                    store_part_work *work,
                    void *context,
                    struct error *err);

#endif
