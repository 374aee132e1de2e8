#include "rooftally/base/syncer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/thread.h"

struct syncer {
    int fd;
    int64_t step_bytes;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    int64_t n_new;              /* bytes since the last sync began */
    bool at_work, begins, ends; /* begins: whatever has been written is to be synced */
    int failed;                 /* errno of the first sync that did */
};

static void *sync_steps(void *context)
{
    struct syncer *syncer = context;
    pthread_mutex_lock(&syncer->lock);
    while (!syncer->ends || syncer->begins) {
        if (syncer->n_new < syncer->step_bytes && !syncer->begins) {
            pthread_cond_wait(&syncer->changed, &syncer->lock);
            continue;
        }
        syncer->n_new = 0;
        syncer->begins = false;
        syncer->at_work = true;
        pthread_mutex_unlock(&syncer->lock);
        int failed = fdatasync(syncer->fd) == 0 ? 0 : errno;
        pthread_mutex_lock(&syncer->lock);
        syncer->at_work = false;
        if (failed && !syncer->failed)
            syncer->failed = failed;
        pthread_cond_broadcast(&syncer->changed);
    }
    pthread_mutex_unlock(&syncer->lock);
    return NULL;
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
    if (thread_start(&syncer->thread, sync_steps, syncer))
        return syncer;
    release(syncer);
    return NULL;
}

/* What has failed, as errno and false. */
static bool tell(int failed)
{
    if (failed)
        errno = failed;
    return failed == 0;
}

bool syncer_wrote(struct syncer *syncer, int64_t n_bytes)
{
    if (!syncer)
        return true;
    pthread_mutex_lock(&syncer->lock);
    syncer->n_new += n_bytes;
    if (syncer->n_new >= syncer->step_bytes)
        pthread_cond_broadcast(&syncer->changed);
    while (syncer->at_work && syncer->n_new >= syncer->step_bytes)
        pthread_cond_wait(&syncer->changed, &syncer->lock);
    int failed = syncer->failed;
    pthread_mutex_unlock(&syncer->lock);
    return tell(failed);
}

void syncer_begin(struct syncer *syncer)
{
    if (!syncer)
        return;
    pthread_mutex_lock(&syncer->lock);
    syncer->begins = true;
    pthread_cond_broadcast(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
}

bool syncer_end(struct syncer *syncer)
{
    if (!syncer)
        return true;
    pthread_mutex_lock(&syncer->lock);
    syncer->ends = true;
    pthread_cond_broadcast(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
    pthread_join(syncer->thread, NULL);
    int failed = syncer->failed;
    release(syncer);
    return tell(failed);
}
