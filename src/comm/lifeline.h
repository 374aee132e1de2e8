/*
 * Lines between rank 0 and the others, by which the end of a host is noticed: TCP
 * connections that carry nothing but what the kernel sends by itself. It is the kernel
 * that answers for a rank, be that busy, stopped, or in a long write: silence means that
 * the host is gone, or the way to it. No MPI.
 *
 *     rank 0                                 another rank
 *     lifeline_offer ── offer, over MPI ──►
 *     lifeline_accept ◄── token, rank ─────  lifeline_connect
 *                     ─── token, turn ────►
 *     watch_start                            watch_start
 */
#ifndef ROOFTALLY_COMM_LIFELINE_H
#define ROOFTALLY_COMM_LIFELINE_H

#include <stdint.h>
#include <sys/socket.h>

#include "rooftally/comm/comm.h"

enum {
    LIFELINE_SILENT_S = COMM_SILENT_S, /* a host silent for so long is gone */
    LIFELINE_ADDRESSES = 16,
    LIFELINE_TOKEN_BYTES = 16,
};

/* Where rank 0 can be reached, and by what the two know each other; sent as it is. */
struct lifeline_offer {
    uint8_t ours[LIFELINE_TOKEN_BYTES], theirs[LIFELINE_TOKEN_BYTES];
    int32_t n; /* 0: nowhere */
    struct sockaddr_storage addresses[LIFELINE_ADDRESSES];
};

/* Listen on a port that the kernel chooses, on every interface. Returns the socket, or
 * -1 with offer->n = 0. */
int lifeline_offer(struct lifeline_offer *offer);

/*
 * Take the lines of all ranks but 0, waiting for them at most so long; strangers are sent
 * away. Closes the listening socket.
 *
 * lines    [n_ranks]: sockets, -1 where none came
 * Returns  how many came
 */
int lifeline_accept(int listener,
                    const struct lifeline_offer *offer,
                    int *lines,
                    int n_ranks,
                    double timeout_s);

/* Reach rank 0 at the first of its addresses that answers. Returns the socket, and in
 * *turn a number that no other rank has, from 0; or -1. */
int lifeline_connect(const struct lifeline_offer *offer,
                     int32_t rank,
                     int32_t *turn,
                     double timeout_s);

/*
 * Watch lines on a thread of its own, which takes no signals.
 *
 * lines    [n], -1 where there is none; the watch closes them
 * lost     called once, on that thread, when the host at the other end of a line is gone;
 *          all others are told then. A line that is closed, or lost by a process that
 *          ended, says nothing: launchers see to that.
 * told     called once, likewise, when the other end has told so
 * Returns  the watch, or NULL where there is nothing to watch or no thread
 */
struct watch;
struct watch *watch_start(const int *lines,
                          int n,
                          void (*lost)(void *context, int line),
                          void (*told)(void *context),
                          void *context);
void watch_stop(struct watch *watch);

#endif
