#include "rooftally/base/syncer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024 };

struct syncer {
    int fd;
    int64_t step_bytes;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    int64_t n_new; /* bytes since the last sync began */
    bool ends;
    int failed; /* errno of the first sync that did */
};

static void *sync_steps(void *context)
{
    struct syncer *syncer = context;
    pthread_mutex_lock(&syncer->lock);
    while (!syncer->ends) {
        if (syncer->n_new < syncer->step_bytes) {
            pthread_cond_wait(&syncer->changed, &syncer->lock);
            continue;
        }
        syncer->n_new = 0;
        pthread_mutex_unlock(&syncer->lock);
        int failed = fdatasync(syncer->fd) == 0 ? 0 : errno;
        pthread_mutex_lock(&syncer->lock);
        if (failed && !syncer->failed)
            syncer->failed = failed;
    }
    pthread_mutex_unlock(&syncer->lock);
    return NULL;
}

/* Signals are for the thread that knows what to do about them. */
static bool begin(struct syncer *syncer)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&syncer->thread, &attributes, sync_steps, syncer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return status == 0;
}

static void release(struct syncer *syncer)
{
    pthread_cond_destroy(&syncer->changed);
    pthread_mutex_destroy(&syncer->lock);
    free(syncer);
}

struct syncer *syncer_start(int fd, int64_t step_bytes)
{
    struct syncer *syncer = malloc(sizeof *syncer);
    if (!syncer)
        return NULL;
    *syncer = (struct syncer){ .fd = fd,
                               .step_bytes = step_bytes,
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER };
    if (begin(syncer))
        return syncer;
    release(syncer);
    return NULL;
}

void syncer_wrote(struct syncer *syncer, int64_t n_bytes)
{
    if (!syncer)
        return;
    pthread_mutex_lock(&syncer->lock);
    syncer->n_new += n_bytes;
    if (syncer->n_new >= syncer->step_bytes)
        pthread_cond_signal(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
}

bool syncer_end(struct syncer *syncer)
{
    if (!syncer)
        return true;
    pthread_mutex_lock(&syncer->lock);
    syncer->ends = true;
    pthread_cond_signal(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
    pthread_join(syncer->thread, NULL);
    int failed = syncer->failed;
    release(syncer);
    if (failed)
        errno = failed;
    return failed == 0;
}
