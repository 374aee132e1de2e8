#include "rooftally/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_write_at(int fd, int64_t at, const void *bytes, int64_t n_bytes)
{
    const uint8_t *from = bytes;
    while (n_bytes > 0) {
        ssize_t n = pwrite(fd, from, (size_t)n_bytes, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return false;
        from += n;
        at += n;
        n_bytes -= n;
    }
    return true;
}

bool file_read_at(int fd, int64_t at, void *bytes, int64_t n_bytes)
{
    uint8_t *to = bytes;
    while (n_bytes > 0) {
        ssize_t n = pread(fd, to, (size_t)n_bytes, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = 0;
        if (n <= 0)
            return false;
        to += n;
        at += n;
        n_bytes -= n;
    }
    return true;
}

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

bool file_is_same(const char *one, const char *other)
{
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev
           && a.st_ino == b.st_ino;
}

bool file_name_fits(const char *path, const char *ending)
{
    char *name = NULL;
    struct stat there;
    if (asprintf(&name, "%s%s", path, ending) < 0)
        return false;
    bool fits = lstat(name, &there) == 0 || errno != ENAMETOOLONG;
    free(name);
    return fits;
}
