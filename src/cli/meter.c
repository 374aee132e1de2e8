#include "meter.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "rooftally/base/clock.h"

#include "progress.h"
#include "team.h"

static const double live_interval_s = 0.2, log_interval_s = 10;

static double next_s(const struct meter *meter, double now_s)
{
    return now_s + (meter->terminal ? live_interval_s : log_interval_s);
}

void meter_init(struct meter *meter, struct comm *comm, const char *what, bool quiet)
{
    *meter = (struct meter){ .what = what,
                             .comm = comm,
                             .quiet = quiet,
                             .terminal = isatty(STDERR_FILENO),
                             .start_s = clock_wall_s() };
    meter->next_s = next_s(meter, meter->start_s);
}

bool meter_show(void *context, double share)
{
    struct meter *meter = context;
    double now_s = clock_wall_s(), spent_s = now_s - meter->start_s;
    if (!meter->quiet && share >= 0 && now_s >= meter->next_s) {
        char eta[24];
        fprintf(stderr,
                meter->terminal ? "\r%s: %3.0f %%, ETA %s\033[K"
                                : "%s: %.0f %%, ETA %s\n",
                meter->what,
                progress_percent(share),
                progress_duration(eta,
                                  share > 0 ? spent_s * (1 - share) / share : NAN));
        fflush(stderr);
        meter->next_s = next_s(meter, now_s);
        meter->shown = true;
    }
    return team_should_stop(meter->comm);
}

void meter_end(struct meter *meter)
{
    if (meter->shown && meter->terminal)
        fputs("\r\033[K", stderr);
    meter->shown = false;
}
