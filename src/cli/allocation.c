#include "allocation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rooftally/base/clock.h"

extern char **environ;

enum { ANSWER_BYTES = 64 };
static const double most_s = 3;

static bool is_number(const char *text)
{
    return text && *text && strspn(text, "0123456789") == strlen(text);
}

/* "59", "1:59", "2:01:59" or "3-02:01:59": seconds, or -1 for other words, such as
 * UNLIMITED, NOT_SET and INVALID. */
static double read_time(const char *text)
{
    double days = 0, sum = 0;
    char *end;
    const char *dash = strchr(text, '-');
    if (dash) {
        days = (double)strtoul(text, &end, 10);
        if (end != dash)
            return -1;
        text = dash + 1;
    }
    for (int n = 0; n < 3; n++) {
        if (strspn(text, "0123456789") == 0)
            return -1;
        sum = 60 * sum + (double)strtoul(text, &end, 10);
        if (*end == '\0' || *end == '\n')
            return 86400 * days + sum;
        if (*end != ':')
            return -1;
        text = end + 1;
    }
    return -1;
}

/* What comes from the descriptor until its end, or until the time is up. */
static void read_answer(int fd, char text[ANSWER_BYTES])
{
    double until_s = clock_wall_s() + most_s, left_s;
    size_t n = 0;
    while (n < ANSWER_BYTES - 1 && (left_s = until_s - clock_wall_s()) > 0) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        if (poll(&ready, 1, (int)(1000 * left_s) + 1) <= 0)
            continue;
        ssize_t got = read(fd, text + n, ANSWER_BYTES - 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
}

/* Start "squeue" with its output into the pipe; -1 where there is none. */
static pid_t start_squeue(const char *job, int out)
{
    char *const words[] = { "squeue",   "--noheader", "--jobs", (char *)job,
                            "--format", "%L",         NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0) != 0
        || posix_spawn_file_actions_adddup2(&actions, out, 1) != 0
        || posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0) != 0
        || posix_spawnp(&pid, words[0], &actions, NULL, words, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static double ask_squeue(const char *job)
{
    char text[ANSWER_BYTES];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = start_squeue(job, ends[1]);
    close(ends[1]);
    if (pid > 0) {
        read_answer(ends[0], text);
        kill(pid, SIGKILL); /* it has nothing more to say */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    return pid > 0 ? read_time(text) : -1;
}

double allocation_left_s(void)
{
    const char *end = getenv("SLURM_JOB_END_TIME"), *job = getenv("SLURM_JOB_ID");
    if (is_number(end) && strlen(end) >= 9) {
        double left_s = strtod(end, NULL) - clock_epoch_s();
        return left_s > 0 ? left_s : 0;
    }
    return is_number(job) ? ask_squeue(job) : -1;
}
