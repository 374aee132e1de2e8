/*
 * The wish to stop early: a signal (SIGTERM, SIGINT, SIGUSR1, any number of them) or the
 * end of the time that was given. It is a flag that work asks for; and since a rank that
 * is dead, or a server that is gone, may keep work from asking, the process ends by itself
 * with status 75 a few seconds later. What is in the spool then is safe.
 */
#ifndef ROOFTALLY_CLI_STOP_H
#define ROOFTALLY_CLI_STOP_H

#include <stdbool.h>

#include "rooftally/base/error.h"

enum {
    STOP_STATUS = 75,
    STOP_WAIT_S = 3, /* waits for other ranks last at most this long after the wish */
    STOP_END_S = 6,  /* and the process as long */
};

/* Catch the signals. */
void stop_catch(void);
/* When this process has to end by itself, it says so in a line. */
void stop_speak(void);
/* What stands behind such a line, of this process or of one that has lost the others, from
 * "; " on; "" until then. At most 110 bytes; copied. */
void stop_advise(const char *advice);
const char *stop_advice(void);
/* Signals that have come so far; they count up to a thousand. */
int stop_n_signals(void);
/* Wish to stop after so many seconds, from 0. */
void stop_after(double seconds);
/* As if a signal had come: another rank has told of one. */
void stop_now(void);
/* There is nothing left to stop: neither signals nor time end the process any more, but
 * for stop_leave. */
void stop_disarm(void);

/* Nothing is left but to part from the other ranks, one of which may never come: where
 * stop_disarm was called, a signal since then, or from now on, ends the process with this
 * status, STOP_WAIT_S later. */
void stop_leave(int status);

bool stop_is_wished(void);
/* Not only because another rank has told of one. */
bool stop_is_own(void);
/* "stopped by SIGTERM", "stopped by the time limit", "stopped on another rank's request";
 * "" without a wish. */
const char *stop_reason(void);
/* Work that is stopped says where it was: ERROR_STOPPED gets the reason instead, unless it
 * has one. */
void stop_name(struct error *err);
/* Until when waits may last after the wish (clock_wall_s); 0: there is none. */
double stop_until_s(void);

/*
 * Seconds, from now, after which to stop by itself: from the job's limit, given
 * elapsed_s ago, and from Slurm's; early enough to come to an end: a fifth of it before,
 * but no more than 10 s, and 60 s before Slurm's. < 0: no limit.
 */
double stop_time_left_s(double limit_s, double elapsed_s);
/* Wish to stop then, where there is a limit: of a job that began at start_s (clock_wall_s). */
void stop_limit(double limit_s, double start_s);

#endif
