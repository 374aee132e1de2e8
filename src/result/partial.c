#include "partial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/result/result.h"

enum { DAY_S = 24 * 60 * 60, HOST_BYTES = 64 };

static void own_host(char host[HOST_BYTES])
{
    memset(host, 0, HOST_BYTES);
    gethostname(host, HOST_BYTES - 1);
}

char *partial_name(const char *path)
{
    char host[HOST_BYTES], *name = NULL;
    own_host(host);
    if (asprintf(&name, "%s.partial-%s-%ld", path, host, (long)getpid()) < 0)
        return NULL;
    return name;
}

/* Gone, or dead and only waiting for a parent to take notice, who may never do. */
static bool is_dead(long pid)
{
    char path[48], state = '?';
    if (kill((pid_t)pid, 0) < 0)
        return errno == ESRCH;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    /* "4711 (name) Z ...", where the name is ours: it has no parenthesis */
    bool is_known = fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    fclose(file);
    return is_known && state == 'Z';
}

/* `rest` is "<host>-<pid>", what follows ".partial-". */
static bool is_stale(const char *rest, const struct stat *stat)
{
    char host[HOST_BYTES];
    own_host(host);
    size_t n = strlen(host);
    if (time(NULL) - stat->st_mtime > DAY_S)
        return true;
    if (strncmp(rest, host, n) != 0 || rest[n] != '-')
        return false;
    char *end;
    long pid = strtol(rest + n + 1, &end, 10);
    if (end == rest + n + 1 || *end)
        return false;
    return pid == getpid() || is_dead(pid);
}

void partial_clear(const char *path)
{
    const char *base = file_name(path);
    size_t n = strlen(base), n_mark = strlen(".partial-");
    char *folder = file_folder(path);
    DIR *entries = folder ? opendir(folder) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat stat;
        if (strncmp(entry->d_name, base, n) == 0
            && strncmp(entry->d_name + n, ".partial-", n_mark) == 0
            && fstatat(dirfd(entries), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISREG(stat.st_mode) && is_stale(entry->d_name + n + n_mark, &stat))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries)
        closedir(entries);
    free(folder);
}

static int failed(const char *path, const char *what, struct error *err)
{
    return error_set(err, ERROR_IO, "%s cannot be %s: %s", path, what, strerror(errno));
}

int partial_reserve(const char *partial, struct error *err)
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

int partial_commit(const char *partial, const char *path, int force, struct error *err)
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
    char *partial = partial_name(path);
    if (!partial)
        return error_set(err, ERROR_BUDGET, "no memory for a file name");
    const char *const endings[] = { partial + strlen(path),
                                    ".spool/manifest.partial",
                                    ".scan.partial" };
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

int result_check(const char *path, int force, struct error *err)
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
