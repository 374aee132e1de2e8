/*
 * Preloaded, makes every write into a file whose path holds SLOW_PATH take SLOW_MS, as long as the
 * file that SLOW_WHILE names is there: a run that takes the time a test needs, and no processor.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int is_meant(int fd, const char *part)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return strstr(path, part) != NULL;
}

static void be_slow(int fd)
{
    const char *on = getenv("SLOW_WHILE"), *ms = getenv("SLOW_MS");
    const char *part = getenv("SLOW_PATH");
    if (!on || !ms || !part || !is_meant(fd, part))
        return;
    for (long left = atol(ms); left > 0 && access(on, F_OK) == 0; left -= 10)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

ssize_t pwrite(int fd, const void *bytes, size_t n_bytes, off_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off_t);
    *(void **)&next = dlsym(RTLD_NEXT, "pwrite");
    be_slow(fd);
    return next(fd, bytes, n_bytes, offset);
}
