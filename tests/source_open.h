/* A source with its steps at once, for a rank that waits for no other. */
#ifndef ROOFTALLY_TESTS_SOURCE_OPEN_H
#define ROOFTALLY_TESTS_SOURCE_OPEN_H

#include "rooftally/source/source.h"

static inline int source_open(struct source **source,
                              const struct job *job,
                              const char *snapshot,
                              int rank,
                              bool (*stop)(void *context),
                              void *stop_context,
                              struct error *err)
{
    struct source *reached = NULL;
    if (source_reach(&reached, job, rank, stop, stop_context, err))
        return -1;
    if (source_enter(reached, snapshot, err)) {
        source_close(reached);
        return -1;
    }
    *source = reached;
    return 0;
}

#endif
