#include "rooftally/base/file.h"

#include <errno.h>
#include <fcntl.h>
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

static const char *remedy_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return ": free some space there, or choose another disk";
    case EFBIG:
        return ": raise the limit on the size of files (ulimit -f)";
    case EMFILE:
        return ": raise the limit on open files (ulimit -n)";
    case ENOENT:
    case ENOTDIR:
        return ": check its path";
    case EACCES:
    case EPERM:
        return ": check its permissions and those of its folder";
    case EROFS:
        return ": choose another place";
    default:
        return "";
    }
}

const char *file_reason(int error)
{
    static _Thread_local char text[160];
    snprintf(text, sizeof text, "%s%s", strerror(error), remedy_of(error));
    return text;
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

bool file_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES || errno == EPERM; /* it can be written, that is all */
    int failed = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    errno = failed;
    return failed == 0;
}

/* Not every file system can refuse to replace; those that cannot have links, or neither. */
static bool put_in_place(const char *from, const char *to, bool replace)
{
    struct stat there;
    if (replace)
        return rename(from, to) == 0;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (link(from, to) == 0)
        return unlink(from) == 0;
    if (errno == EEXIST || lstat(to, &there) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

/* A file that is replaced is there until the other is. */
static bool name_nameless(int fd, const char *partial, const char *path, bool replace)
{
    char own[32];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    unlink(partial);
    if (linkat(AT_FDCWD, own, AT_FDCWD, replace ? partial : path, AT_SYMLINK_FOLLOW)
        != 0)
        return false;
    if (!replace || put_in_place(partial, path, true))
        return true;
    int failed = errno;
    unlink(partial);
    errno = failed;
    return false;
}

int file_publish(int fd,
                 const char *partial,
                 const char *path,
                 bool replace,
                 struct error *err)
{
    bool done = fd < 0 ? put_in_place(partial, path, replace)
                       : name_nameless(fd, partial, path, replace);
    if (!done && errno == EEXIST) /* the work is done: no mistake in the call */
        return error_set(err,
                         ERROR_IO,
                         "%s came into being meanwhile: --force replaces it",
                         path);
    if (!done)
        return error_set(err,
                         ERROR_IO,
                         "%s cannot be given its name: %s",
                         path,
                         file_reason(errno));
    char *folder = file_folder(path);
    bool on_disk = folder && file_sync_folder(folder);
    free(folder);
    return on_disk ? 0
                   : error_set(err,
                               ERROR_IO,
                               "%s is there, but its name may not be on the disk: %s",
                               path,
                               file_reason(errno));
}
