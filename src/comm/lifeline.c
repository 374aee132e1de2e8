#include "lifeline.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rooftally/base/clock.h"

enum { N_STRANGERS = 64, SPARE_FILES = 256 };

/* A connection whose first bytes are on their way. */
struct stranger {
    int fd; /* -1: none */
    int n;
    bool is_connected;
    uint8_t bytes[LIFELINE_TOKEN_BYTES + sizeof(int32_t)];
};

/* The kernel asks after two seconds of silence, and twice as long when all is well. */
static void keep_alive(int fd)
{
    const int on = 1, idle_s = 4, interval_s = 2;
    const int n_probes = (LIFELINE_SILENT_S - idle_s) / interval_s;
    const unsigned silent_ms = 1000 * LIFELINE_SILENT_S;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &n_probes, sizeof n_probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms);
}

/* A line for every rank, beside what MPI and HDF5 have open. */
static void allow_files(int n_ranks)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)(2 * n_ranks + SPARE_FILES);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int socket_of(int family, int flags)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

/* IPv6, which takes IPv4 as well, or IPv4 where there is no other. */
static int listen_anywhere(in_port_t *port)
{
    struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
    struct sockaddr_in any4 = { .sin_family = AF_INET };
    struct sockaddr_storage bound = { 0 };
    socklen_t n = sizeof bound;
    const int off = 0;
    int fd = socket_of(AF_INET6, SOCK_NONBLOCK);
    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0
        || bind(fd, (struct sockaddr *)&any6, sizeof any6) < 0) {
        if (fd >= 0)
            close(fd);
        fd = socket_of(AF_INET, SOCK_NONBLOCK);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&any4, sizeof any4) < 0) {
            close(fd);
            fd = -1;
        }
    }
    if (fd < 0 || listen(fd, SOMAXCONN) < 0
        || getsockname(fd, (struct sockaddr *)&bound, &n) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                        : ((struct sockaddr_in *)&bound)->sin_port;
    return fd;
}

/* Those that other hosts may know; 0 when this is none of them. */
static size_t usable(const struct ifaddrs *one)
{
    if (!one->ifa_addr || !(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK))
        return 0;
    if (one->ifa_addr->sa_family == AF_INET)
        return sizeof(struct sockaddr_in);
    if (one->ifa_addr->sa_family != AF_INET6
        || IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr))
        return 0;
    return sizeof(struct sockaddr_in6);
}

int lifeline_offer(struct lifeline_offer *offer)
{
    struct ifaddrs *all = NULL;
    in_port_t port = 0;
    int listener = -1;
    memset(offer, 0, sizeof *offer);
    if (getrandom(offer->ours, sizeof offer->ours, 0) == sizeof offer->ours
        && getrandom(offer->theirs, sizeof offer->theirs, 0) == sizeof offer->theirs
        && getifaddrs(&all) == 0)
        listener = listen_anywhere(&port);
    for (const struct ifaddrs *one = listener < 0 ? NULL : all;
         one && offer->n < LIFELINE_ADDRESSES;
         one = one->ifa_next) {
        struct sockaddr_storage *to = &offer->addresses[offer->n];
        size_t n = usable(one);
        if (n == 0)
            continue;
        memcpy(to, one->ifa_addr, n);
        if (to->ss_family == AF_INET6)
            ((struct sockaddr_in6 *)to)->sin6_port = port;
        else
            ((struct sockaddr_in *)to)->sin_port = port;
        offer->n++;
    }
    if (all)
        freeifaddrs(all);
    return listener;
}

static int milliseconds_until(double until_s)
{
    double left_s = until_s - clock_wall_s();
    return left_s > 0 ? (int)(1000 * left_s) + 1 : 0;
}

static void drop(struct stranger *stranger)
{
    close(stranger->fd);
    stranger->fd = -1;
}

/* The token and the number behind it: 1, 0 while they are on their way, -1 when this is
 * somebody else. */
static int hear(struct stranger *stranger, const uint8_t *token, int32_t *number)
{
    ssize_t n = recv(stranger->fd,
                     stranger->bytes + stranger->n,
                     sizeof stranger->bytes - (size_t)stranger->n,
                     0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    stranger->n += (int)n;
    if (stranger->n < (int)sizeof stranger->bytes)
        return 0;
    memcpy(number, stranger->bytes + LIFELINE_TOKEN_BYTES, sizeof *number);
    return memcmp(stranger->bytes, token, LIFELINE_TOKEN_BYTES) == 0 ? 1 : -1;
}

static bool say(int fd, const uint8_t *token, int32_t number)
{
    uint8_t bytes[LIFELINE_TOKEN_BYTES + sizeof number];
    memcpy(bytes, token, LIFELINE_TOKEN_BYTES);
    memcpy(bytes + LIFELINE_TOKEN_BYTES, &number, sizeof number);
    return send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes;
}

/* The first place that is free. */
static struct stranger *place_for(struct stranger *strangers, int n)
{
    for (int i = 0; i < n; i++)
        if (strangers[i].fd < 0)
            return &strangers[i];
    return NULL;
}

int lifeline_accept(int listener,
                    const struct lifeline_offer *offer,
                    int *lines,
                    int n_ranks,
                    double timeout_s)
{
    struct stranger strangers[N_STRANGERS];
    struct pollfd polled[N_STRANGERS + 1];
    double until_s = clock_wall_s() + timeout_s;
    int n_came = 0;
    for (int i = 0; i < n_ranks; i++)
        lines[i] = -1;
    for (int i = 0; i < N_STRANGERS; i++)
        strangers[i].fd = -1;
    if (listener < 0)
        return 0;
    allow_files(n_ranks);
    while (n_came < n_ranks - 1 && clock_wall_s() < until_s) {
        struct stranger *place = place_for(strangers, N_STRANGERS);
        for (int i = 0; i < N_STRANGERS; i++)
            polled[i] = (struct pollfd){ .fd = strangers[i].fd, .events = POLLIN };
        polled[N_STRANGERS] =
            (struct pollfd){ .fd = place ? listener : -1, .events = POLLIN };
        if (poll(polled, N_STRANGERS + 1, milliseconds_until(until_s)) <= 0)
            continue;
        for (int i = 0; i < N_STRANGERS; i++) {
            int32_t rank = 0;
            int heard = polled[i].fd >= 0 && polled[i].revents
                            ? hear(&strangers[i], offer->ours, &rank)
                            : 0;
            if (heard == 0)
                continue;
            if (heard > 0 && rank > 0 && rank < n_ranks && lines[rank] < 0
                && say(strangers[i].fd, offer->theirs, n_came)) {
                keep_alive(strangers[i].fd);
                lines[rank] = strangers[i].fd;
                strangers[i].fd = -1;
                n_came++;
            } else {
                drop(&strangers[i]);
            }
        }
        if (polled[N_STRANGERS].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd >= 0)
                *place = (struct stranger){ .fd = fd };
            else if (errno == EMFILE || errno == ENFILE)
                clock_sleep_s(0.02); /* who has asked stays at the door */
        }
    }
    for (int i = 0; i < N_STRANGERS; i++)
        if (strangers[i].fd >= 0)
            drop(&strangers[i]);
    close(listener);
    return n_came;
}

/* A connection that is made, or refused, or on which an answer has come: the same outcome
 * as hear. */
static int go_on(struct stranger *stranger,
                 const struct lifeline_offer *offer,
                 int32_t rank,
                 int32_t *turn)
{
    int why = 0;
    socklen_t n = sizeof why;
    if (stranger->is_connected)
        return hear(stranger, offer->theirs, turn);
    if (getsockopt(stranger->fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0 || why != 0
        || !say(stranger->fd, offer->ours, rank))
        return -1;
    stranger->is_connected = true;
    return 0;
}

int lifeline_connect(const struct lifeline_offer *offer,
                     int32_t rank,
                     int32_t *turn,
                     double timeout_s)
{
    struct stranger tries[LIFELINE_ADDRESSES];
    struct pollfd polled[LIFELINE_ADDRESSES];
    double until_s = clock_wall_s() + timeout_s;
    int line = -1, n = offer->n, n_left = 0;
    for (int i = 0; i < n; i++) {
        const struct sockaddr_storage *to = &offer->addresses[i];
        tries[i] = (struct stranger){ .fd = socket_of(to->ss_family, SOCK_NONBLOCK) };
        if (tries[i].fd >= 0
            && connect(tries[i].fd, (const struct sockaddr *)to, sizeof *to) < 0
            && errno != EINPROGRESS)
            drop(&tries[i]);
        n_left += tries[i].fd >= 0;
    }
    while (line < 0 && n_left > 0 && clock_wall_s() < until_s) {
        for (int i = 0; i < n; i++)
            polled[i] = (struct pollfd){
                .fd = tries[i].fd,
                .events = tries[i].is_connected ? POLLIN : POLLOUT,
            };
        if (poll(polled, (nfds_t)n, milliseconds_until(until_s)) <= 0)
            continue;
        for (int i = 0; i < n && line < 0; i++) {
            int came = polled[i].fd >= 0 && polled[i].revents
                           ? go_on(&tries[i], offer, rank, turn)
                           : 0;
            if (came > 0) {
                line = tries[i].fd;
                tries[i].fd = -1;
            } else if (came < 0) {
                drop(&tries[i]);
                n_left--;
            }
        }
    }
    for (int i = 0; i < n; i++)
        if (tries[i].fd >= 0)
            drop(&tries[i]);
    if (line >= 0)
        keep_alive(line);
    return line;
}
