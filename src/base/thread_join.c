#include <time.h>

#include "rooftally/base/thread.h"

bool thread_join_until(pthread_t thread, double until_s)
{
    struct timespec until = { .tv_sec = (time_t)until_s };
    until.tv_nsec = (long)(1e9 * (until_s - (double)until.tv_sec));
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}
