#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "rooftally/base/thread.h"

#include "lifeline.h"

struct watch {
    pthread_t thread;
    int stop[2]; /* a pipe that is closed to end the thread */
    int n;       /* lines there are */
    void (*lost)(void *context, int line);
    void (*told)(void *context);
    void *context;
    int *numbers; /* [n] of each line, as the caller counts them */
    struct pollfd
        polled[]; /* [n] lines, and the pipe: no more than files may be open */
};

static const char lost_mark = '!';

/* What the kernel says of a peer that has not answered, in contrast to one that has: by
 * closing, or with a reset. */
static bool is_silence(int why)
{
    return why == ETIMEDOUT || why == EHOSTUNREACH || why == ENETUNREACH
           || why == EHOSTDOWN || why == ENETDOWN;
}

static void tell_others(struct watch *watch)
{
    for (int i = 0; i < watch->n; i++)
        if (watch->polled[i].fd >= 0)
            (void)send(watch->polled[i].fd, &lost_mark, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

enum word { WORD_NONE, WORD_LOST, WORD_END };

static enum word hear(int fd)
{
    char byte = 0;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return WORD_NONE;
    return n == 1 && byte == lost_mark ? WORD_LOST : WORD_END;
}

/* Something is to be said of line i: whether that is the end of the watch. */
static bool look(struct watch *watch, int i)
{
    int fd = watch->polled[i].fd, why = 0;
    socklen_t n = sizeof why;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 && is_silence(why)) {
        watch->polled[i].fd = -1;
        close(fd);
        tell_others(watch);
        watch->lost(watch->context, watch->numbers[i]);
        return true;
    }
    enum word word = hear(fd);
    if (word == WORD_LOST)
        watch->told(watch->context);
    if (word == WORD_END) {
        watch->polled[i].fd = -1;
        close(fd);
    }
    return word == WORD_LOST;
}

static void *watch_lines(void *context)
{
    struct watch *watch = context;
    int n = watch->n;
    for (;;) {
        if (poll(watch->polled, (nfds_t)n + 1, -1) < 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            return NULL;
        }
        if (watch->polled[n].revents)
            return NULL;
        for (int i = 0; i < n; i++)
            if (watch->polled[i].fd >= 0 && watch->polled[i].revents && look(watch, i))
                return NULL;
    }
}

static void release(struct watch *watch)
{
    for (int i = 0; i < watch->n; i++)
        if (watch->polled[i].fd >= 0)
            close(watch->polled[i].fd);
    close(watch->stop[0]);
    free(watch->numbers);
    free(watch);
}

struct watch *watch_start(const int *lines,
                          int n,
                          void (*lost)(void *context, int line),
                          void (*told)(void *context),
                          void *context)
{
    struct watch *watch =
        malloc(sizeof *watch + (size_t)(n + 1) * sizeof *watch->polled);
    int *numbers = calloc((size_t)n + 1, sizeof *numbers);
    if (!watch || !numbers || pipe2(watch->stop, O_CLOEXEC) < 0) {
        for (int i = 0; i < n; i++)
            if (lines[i] >= 0)
                close(lines[i]);
        free(watch);
        free(numbers);
        return NULL;
    }
    watch->n = 0;
    watch->numbers = numbers;
    for (int i = 0; i < n; i++) {
        if (lines[i] < 0)
            continue;
        numbers[watch->n] = i;
        watch->polled[watch->n++] = (struct pollfd){ .fd = lines[i], .events = POLLIN };
    }
    watch->polled[watch->n] = (struct pollfd){ .fd = watch->stop[0], .events = POLLIN };
    watch->lost = lost;
    watch->told = told;
    watch->context = context;
    if (watch->n > 0 && thread_start(&watch->thread, watch_lines, watch))
        return watch;
    close(watch->stop[1]);
    release(watch);
    return NULL;
}

void watch_stop(struct watch *watch)
{
    if (!watch)
        return;
    close(watch->stop[1]);
    pthread_join(watch->thread, NULL);
    release(watch);
}
