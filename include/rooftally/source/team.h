/*
 * What staging needs of the other ranks, who together write one store: a handful of
 * collectives, as function pointers, so that this room knows nothing of MPI. The cli
 * fills a team from comm; team_alone is the twin of one process.
 *
 * Every call is collective: all ranks make the same calls in the same order. A rank that
 * has failed owes the others its part: agree first, then go on together or leave
 * together. Each returns 0, or -1 with ERROR_COMM.
 */
#ifndef ROOFTALLY_SOURCE_TEAM_H
#define ROOFTALLY_SOURCE_TEAM_H

#include <stdint.h>

#include "rooftally/base/error.h"

struct team {
    void *context;
    int rank, size;
    /* Add, or take the greatest, value by value; every rank has the outcome. */
    int (*sum)(void *context, int64_t *values, int64_t n, struct error *err);
    int (*max)(void *context, int64_t *values, int64_t n, struct error *err);
    /* n_bytes of every rank to every rank, in rank order: all[size * n_bytes]. */
    int (*gather_all)(void *context,
                      const void *mine,
                      int64_t n_bytes,
                      void *all,
                      struct error *err);
    /* Bytes of one rank to all. */
    int (*broadcast)(void *context,
                     int from,
                     void *bytes,
                     int64_t n_bytes,
                     struct error *err);
    /* 0 only if every rank brought 0; else -1 with the error of the lowest that failed. Others
     * may hear of a failure before, as a wish to stop. */
    int (*agree)(void *context, int status, struct error *err);
};

extern const struct team team_alone;

static inline int team_agree(const struct team *team, int status, struct error *err)
{
    return team->agree(team->context, status, err);
}

static inline int
team_sum(const struct team *team, int64_t *values, int64_t n, struct error *err)
{
    return team->sum(team->context, values, n, err);
}

static inline int
team_max(const struct team *team, int64_t *values, int64_t n, struct error *err)
{
    return team->max(team->context, values, n, err);
}

static inline int team_gather_all(const struct team *team,
                                  const void *mine,
                                  int64_t n_bytes,
                                  void *all,
                                  struct error *err)
{
    return team->gather_all(team->context, mine, n_bytes, all, err);
}

static inline int team_broadcast(const struct team *team,
                                 int from,
                                 void *bytes,
                                 int64_t n_bytes,
                                 struct error *err)
{
    return team->broadcast(team->context, from, bytes, n_bytes, err);
}

#endif
