#include "team.h"

#include "stop.h"

static int sum(void *context, int64_t *values, int64_t n, struct error *err)
{
    return comm_sum(context, values, n, err);
}

static int max(void *context, int64_t *values, int64_t n, struct error *err)
{
    return comm_max(context, values, n, err);
}

static int gather_all(void *context,
                      const void *mine,
                      int64_t n_bytes,
                      void *all,
                      struct error *err)
{
    return comm_gather_all(context, mine, n_bytes, all, err);
}

static int
broadcast(void *context, int from, void *bytes, int64_t n_bytes, struct error *err)
{
    return comm_broadcast_from(context, from, bytes, n_bytes, err);
}

/* A rank that was told of another's failure comes with a stop that nobody wished for. */
static int agree(void *context, int status, struct error *err)
{
    struct comm *comm = context;
    bool is_stop = status < 0 && err && err->code == ERROR_STOPPED;
    if (is_stop && !stop_is_wished())
        return comm_agree(comm, COMM_FOLLOWS, err);
    if (status < 0 && !is_stop)
        comm_fail(comm);
    return comm_agree(comm, status, err);
}

bool team_should_stop(void *context)
{
    struct comm *comm = context;
    if (!stop_is_wished() && comm_heard(comm))
        stop_now();
    if (stop_is_wished())
        comm_tell(comm);
    return stop_is_wished() || comm_has_failed(comm);
}

struct team team_of(struct comm *comm)
{
    return (struct team){ .context = comm,
                          .rank = comm_rank(comm),
                          .size = comm_size(comm),
                          .sum = sum,
                          .max = max,
                          .gather_all = gather_all,
                          .broadcast = broadcast,
                          .agree = agree };
}
