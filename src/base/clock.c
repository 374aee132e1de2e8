#include "rooftally/base/clock.h"

#include <sys/resource.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_wall_s(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double clock_epoch_s(void)
{
    return seconds(CLOCK_REALTIME);
}

double clock_cpu_s(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_sleep_s(double s)
{
    if (s <= 0)
        return;
    struct timespec t = { .tv_sec = (time_t)s };
    t.tv_nsec = (long)(1e9 * (s - (double)t.tv_sec));
    nanosleep(&t, NULL);
}

void clock_utc(char text[21])
{
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
