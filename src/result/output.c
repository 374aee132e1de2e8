#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/base/partial.h"
#include "rooftally/result/result.h"

static int failed(const char *path, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "%s cannot be %s: %s",
                     path,
                     what,
                     file_reason(errno));
}

/* On the heap; NULL without memory. */
static char *copy_name(const char *path)
{
    char *name = NULL;
    return asprintf(&name, "%s%s", path, result_copy_ending) < 0 ? NULL : name;
}

void output_clear(const char *path)
{
    char *copy = copy_name(path);
    partial_clear(path);
    if (copy)
        partial_clear(copy);
    free(copy);
}

int output_reserve(const char *partial, struct error *err)
{
    struct stat stat_partial;
    int fd = open(partial, O_RDWR | O_CLOEXEC), status = -1;
    if (fd < 0 || fstat(fd, &stat_partial) < 0) {
        failed(partial, "opened", err);
    } else {
        /* returns the reason, does not set errno; nothing to take is EINVAL */
        errno =
            stat_partial.st_size > 0 ? posix_fallocate(fd, 0, stat_partial.st_size) : 0;
        status = errno ? failed(partial, "given its space", err) : 0;
    }
    if (fd >= 0)
        close(fd);
    return status;
}

int output_commit(const char *partial, const char *path, bool force, struct error *err)
{
    int fd = open(partial, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(partial, "opened", err);
    int status = fsync(fd) < 0 ? failed(partial, "put on disk", err) : 0;
    close(fd);
    return status < 0 ? -1 : file_publish(-1, partial, path, force, err);
}

static int check_folder(const char *path, const char *folder, struct error *err)
{
    struct stat stat_folder;
    if (stat(folder, &stat_folder) < 0)
        return error_set(err,
                         ERROR_USAGE,
                         "output %s: folder %s: %s: make it, or choose another output",
                         path,
                         folder,
                         strerror(errno));
    if (!S_ISDIR(stat_folder.st_mode))
        return error_set(err,
                         ERROR_USAGE,
                         "output %s: %s is not a folder",
                         path,
                         folder);
    if (access(folder, W_OK | X_OK) < 0)
        return error_set(err,
                         ERROR_USAGE,
                         "output %s: folder %s is not writable: %s",
                         path,
                         folder,
                         strerror(errno));
    return 0;
}

int result_check_names(const char *path, struct error *err)
{
    char *copy = copy_name(path), *partial = copy ? partial_name(copy) : NULL;
    free(copy);
    if (!partial)
        return error_set(err, ERROR_BUDGET, "no memory for a file name");
    const char *const endings[] = { partial + strlen(path), ".spool/manifest.partial" };
    int status = 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && status == 0; i++)
        if (!file_name_fits(path, endings[i]))
            status = error_set(err,
                               ERROR_USAGE,
                               "output %s: the name is too long, for there have to be "
                               "files beside it that end in %s: choose a shorter one",
                               path,
                               endings[i]);
    free(partial);
    return status;
}

int result_check(const char *path, bool force, struct error *err)
{
    struct stat there;
    size_t n = strlen(path);
    if (n == 0 || path[n - 1] == '/')
        return error_set(err,
                         ERROR_USAGE,
                         "output '%s' is not the name of a file",
                         path);
    char *folder = file_folder(path);
    if (!folder)
        return error_set(err, ERROR_BUDGET, "no memory for a file name");
    int status = check_folder(path, folder, err);
    free(folder);
    if (status < 0)
        return -1;
    /* a link is replaced itself, but not where it stands for a device or folder */
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return error_set(err,
                         ERROR_USAGE,
                         "output %s is there and not a file: choose another output",
                         path);
    if (!force && lstat(path, &there) == 0)
        return error_set(err,
                         ERROR_USAGE,
                         "output %s is there already: --force replaces it",
                         path);
    return 0;
}
