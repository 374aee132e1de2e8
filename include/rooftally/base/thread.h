/* A thread beside the one that does the work: it takes no signals, and calls neither MPI nor
 * HDF5. */
#ifndef ROOFTALLY_BASE_THREAD_H
#define ROOFTALLY_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* run(context) in a thread with a stack of 1 MiB, for the caller to join. Returns false where
 * there is none to be had. */
bool thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

/* Join it if it ends before until_s (clock_wall_s). Returns whether it has. */
bool thread_join_until(pthread_t thread, double until_s);

#endif
