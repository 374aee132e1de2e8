#include "stop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "rooftally/base/clock.h"

#include "allocation.h"

/* Time to come to an end in. Slurm looks at its jobs in intervals, and the clocks of its
 * nodes differ, so that it may be up to a minute early. */
static const double limit_margin_s = 10, slurm_margin_s = 60;

static volatile sig_atomic_t caught; /* number of the first signal */
static volatile sig_atomic_t n_caught;
static volatile sig_atomic_t is_told; /* by another rank, and not by a signal */
static volatile sig_atomic_t is_disarmed;
static volatile sig_atomic_t came_late; /* a signal since then */
static volatile sig_atomic_t leaves_with = -1;
static volatile sig_atomic_t is_speaking;
static char advices[2][112]; /* the one that is used, and the next */
static const char *volatile advice = "";
static double until_s;

/* Only what is safe in a handler, in one write. */
static void say_last(void)
{
    static const char why[] =
        ", without an answer of another rank, the server or a file";
    const char *const parts[] = { "rooftally: ", stop_reason(), why, advice, "\n" };
    char line[sizeof why + sizeof *advices + 64];
    size_t n = 0;
    if (!is_speaking)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n_part = strlen(parts[i]);
        memcpy(line + n, parts[i], n_part);
        n += n_part;
    }
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written;
}

/* Only what is safe in a handler. The alarm that comes first is the time limit, the one
 * after a wish ends the process. */
static void take_signal(int number)
{
    if (is_disarmed) {
        came_late |= number != SIGALRM;
        if (leaves_with < 0)
            return;
        if (number == SIGALRM)
            _exit(leaves_with);
        alarm(STOP_WAIT_S);
        return;
    }
    n_caught = n_caught < 1000 ? n_caught + 1 : n_caught;
    if (!caught) {
        caught = number;
        alarm(STOP_END_S);
    } else if (number == SIGALRM) {
        say_last();
        _exit(STOP_STATUS);
    }
}

void stop_catch(void)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGALRM };
    struct sigaction action = { .sa_handler = take_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&action.sa_mask, signals[i]);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

void stop_speak(void)
{
    is_speaking = 1;
}

void stop_advise(const char *text)
{
    char *next = advice == advices[0] ? advices[1] : advices[0];
    snprintf(next, sizeof *advices, "%s", text);
    advice = next;
}

const char *stop_advice(void)
{
    return advice;
}

int stop_n_signals(void)
{
    return n_caught;
}

void stop_after(double seconds)
{
    struct itimerval timer = { 0 };
    if (caught)
        return; /* the alarm ends the process by now */
    if (seconds <= 0) {
        raise(SIGALRM);
        return;
    }
    timer.it_value.tv_sec = (time_t)seconds;
    timer.it_value.tv_usec =
        (suseconds_t)(1e6 * (seconds - (double)(time_t)seconds)) + 1;
    if (timer.it_value.tv_usec > 999999)
        timer.it_value.tv_usec = 999999;
    setitimer(ITIMER_REAL, &timer, NULL);
    if (caught) /* just now */
        alarm(STOP_END_S);
}

void stop_now(void)
{
    if (caught)
        return;
    is_told = 1;
    raise(SIGUSR1);
}

void stop_disarm(void)
{
    is_disarmed = 1;
    alarm(0);
}

void stop_leave(int status)
{
    leaves_with = status;
    if (is_disarmed && (caught || came_late))
        alarm(STOP_WAIT_S);
}

bool stop_is_wished(void)
{
    return caught != 0;
}

bool stop_is_own(void)
{
    return caught != 0 && !is_told;
}

const char *stop_reason(void)
{
    return is_told             ? "stopped on another rank's request"
           : caught == SIGTERM ? "stopped by SIGTERM"
           : caught == SIGINT  ? "stopped by SIGINT"
           : caught == SIGUSR1 ? "stopped by SIGUSR1"
           : caught == SIGALRM ? "stopped by the time limit"
                               : "";
}

void stop_name(struct error *err)
{
    if (err->code == ERROR_STOPPED && stop_is_wished()
        && strncmp(err->text, "stopped by ", strlen("stopped by ")) != 0)
        error_set(err, ERROR_STOPPED, "%s", stop_reason());
}

double stop_until_s(void)
{
    if (caught && until_s <= 0)
        until_s = clock_wall_s() + STOP_WAIT_S;
    return until_s;
}

/* What is left of `left_s` once a fifth of it, and no more than this, is kept back. */
static double without_margin(double left_s, double most_margin_s)
{
    double margin_s = 0.2 * left_s < most_margin_s ? 0.2 * left_s : most_margin_s;
    return left_s - margin_s;
}

double stop_time_left_s(double limit_s, double elapsed_s)
{
    double left_s = -1, slurm_s = allocation_left_s();
    if (limit_s > 0) {
        left_s = without_margin(limit_s, limit_margin_s) - elapsed_s;
        left_s = left_s > 0 ? left_s : 0;
    }
    if (slurm_s >= 0) {
        slurm_s = without_margin(slurm_s, slurm_margin_s);
        left_s = left_s < 0 || slurm_s < left_s ? slurm_s : left_s;
    }
    return left_s;
}

void stop_limit(double limit_s, double start_s)
{
    double left_s = stop_time_left_s(limit_s, clock_wall_s() - start_s);
    if (left_s >= 0)
        stop_after(left_s);
}
