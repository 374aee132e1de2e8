#include "retry.h"

#include <math.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"

#include "stop.h"
#include "team.h"

enum { LONGEST_WAIT = 5 }; /* doublings of half a second */

int retry_prefix(int n, struct error *err)
{
    return n > 0 ? error_prefix(err, "after %d %s", n, n == 1 ? "retry" : "retries")
                 : -1;
}

bool retry_begins(struct comm *comm, int n, int n_most, struct error *err)
{
    struct error why = { ERROR_NONE, "" };
    if (err->code != ERROR_SOURCE)
        return false;
    if (n == n_most) {
        (void)retry_prefix(n, err);
        return false;
    }
    if (comm_rank(comm) == 0)
        log_warn("retry", "n=%d why=\"%s\"", n + 1, err->text);
    double until_s = clock_wall_s() + ldexp(0.5, n < LONGEST_WAIT ? n : LONGEST_WAIT);
    while (clock_wall_s() < until_s && !team_should_stop(comm))
        clock_sleep_s(0.05);
    int status = 0;
    if (stop_is_own())
        status = error_set(&why, ERROR_STOPPED, "%s", stop_reason());
    if (comm_agree(comm, status, &why) == 0)
        return true;
    *err = why;
    return false;
}
