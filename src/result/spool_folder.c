/* The folder of the spools: made before the work, kept for the next attempt when it
 * fails, removed when the result is there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/file.h"

#include "spool_file.h"

char *spool_folder(const char *output)
{
    size_t n = strlen(output) + sizeof ".spool";
    char *folder = malloc(n);
    if (folder)
        snprintf(folder, n, "%s.spool", output);
    return folder;
}

static int failed(const char *folder, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "%s cannot be %s: %s",
                     folder,
                     what,
                     file_reason(errno));
}

/* The folder, open; a link in its place is not followed. */
static DIR *open_folder(const char *folder, struct error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        failed(folder, "opened", err);
        if (fd >= 0)
            close(fd);
    }
    return entries;
}

/* Whoever put a folder there may have put something into it. */
static int remove_entry(const char *folder, int fd, const char *name, struct error *err)
{
    if (unlinkat(fd, name, 0) == 0
        || (errno == EISDIR && unlinkat(fd, name, AT_REMOVEDIR) == 0))
        return 0;
    return error_set(err,
                     ERROR_IO,
                     "%s/%s cannot be removed: %s: remove it by hand",
                     folder,
                     name,
                     strerror(errno));
}

/* Remove the rank files, and of what lies beside them all but the lock. The manifest goes
 * last: a run that is killed here leaves no zones without it. */
static int clear(const char *folder, struct error *err)
{
    static const char *const beginnings[] = { "rank-", "manifest" };
    DIR *entries = open_folder(folder, err);
    int status = entries ? 0 : -1;
    for (int i = 0; i < 2 && status == 0; i++) {
        rewinddir(entries);
        for (struct dirent *entry; status == 0 && (entry = readdir(entries));)
            if (strncmp(entry->d_name, beginnings[i], strlen(beginnings[i])) == 0)
                status = remove_entry(folder, dirfd(entries), entry->d_name, err);
    }
    if (entries)
        closedir(entries);
    return status;
}

int spool_create(const char *folder, struct error *err)
{
    if (mkdir(folder, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return failed(folder, "made", err);
    return clear(folder, err);
}

int spool_remove(const char *folder, struct error *err)
{
    struct stat stat;
    char *lock = NULL;
    if (lstat(folder, &stat) < 0 && errno == ENOENT)
        return 0;
    if (clear(folder, err) < 0)
        return -1;
    if (asprintf(&lock, "%s/lock", folder) >= 0)
        unlink(lock);
    free(lock);
    return rmdir(folder) < 0 ? failed(folder, "removed", err) : 0;
}

/* Whether the lock that is held is still the folder's: its holder removes it. */
static bool is_current(int lock, const char *path)
{
    struct stat ours, there;
    return fstat(lock, &ours) == 0 && stat(path, &there) == 0
           && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* The descriptor of the lock once it is held, or -1; *busy when another one has it. */
static int try_lock(const char *folder, const char *path, bool *busy)
{
    *busy = false;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return -1;
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return -1;
    /* a file system without locks cannot tell: that is no reason to refuse */
    if (flock(lock, LOCK_EX | LOCK_NB) == 0 ? is_current(lock, path)
                                            : errno != EWOULDBLOCK)
        return lock;
    *busy = true;
    close(lock);
    return -1;
}

static int refuse_folder(const char *folder, int why, struct error *err)
{
    struct stat stat;
    bool is_there = lstat(folder, &stat) == 0;
    errno = why;
    if (!is_there)
        return failed(folder, "made", err);
    return error_set(err,
                     ERROR_IO,
                     "%s/lock cannot be opened: %s: remove that folder, or choose "
                     "another output",
                     folder,
                     strerror(why));
}

int spool_lock(const char *folder,
               double wait_s,
               bool (*stop)(void *context),
               void *context,
               int *lock,
               struct error *err)
{
    double until_s = clock_wall_s() + wait_s;
    char *path = NULL;
    struct stat stat;
    bool busy = true, stopped = false;
    int fd = -1;
    if (lstat(folder, &stat) == 0 && !S_ISDIR(stat.st_mode))
        return error_set(err,
                         ERROR_IO,
                         "%s is there and not a folder: remove it, or choose another "
                         "output",
                         folder);
    if (asprintf(&path, "%s/lock", folder) < 0)
        return error_set(err, ERROR_BUDGET, "no memory for the spool");
    for (;;) {
        fd = try_lock(folder, path, &busy);
        if (fd >= 0 || !busy || clock_wall_s() > until_s)
            break;
        stopped = stop && stop(context);
        if (stopped)
            break;
        clock_sleep_s(0.1);
    }
    free(path);
    if (stopped)
        return error_set(err, ERROR_STOPPED, "stopped while another run is at work");
    if (fd < 0 && busy)
        return error_set(err,
                         ERROR_USAGE,
                         "%s: another run is at work on it: wait for its end, or end "
                         "it",
                         folder);
    if (fd < 0)
        return refuse_folder(folder, errno, err);
    *lock = fd;
    return 0;
}

/* The name of a rank file is one's own: a pipe there would be waited for, a link is not
 * followed. */
static int
check_regular(const char *folder, int fd, const char *name, struct error *err)
{
    struct stat there;
    if (fstatat(fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(there.st_mode))
        return 0;
    return error_set(err,
                     ERROR_IO,
                     "%s/%s is no regular file: remove it, or start anew with --force",
                     folder,
                     name);
}

int spool_each_file(const char *folder,
                    int (*each)(void *context, struct spool_file file),
                    void *context,
                    struct error *err)
{
    DIR *entries = open_folder(folder, err);
    int status = entries ? 0 : -1;
    for (struct dirent *entry; status == 0 && (entry = readdir(entries));) {
        struct spool_file file = { 0 };
        int n = 0;
        if (sscanf(entry->d_name, "rank-%d.%d%n", &file.rank, &file.attempt, &n) == 2
            && !entry->d_name[n] && file.rank >= 0 && file.attempt > 0) {
            status = check_regular(folder, dirfd(entries), entry->d_name, err);
            status = status == 0 ? each(context, file) : status;
        }
    }
    if (entries)
        closedir(entries);
    return status;
}

struct taking {
    struct spool *spool;
    int n_ranks;
};

static int take_share(void *context, struct spool_file file)
{
    struct taking *taking = context;
    struct spool *spool = taking->spool;
    int share = (int)(((int64_t)file.rank + file.attempt) % taking->n_ranks);
    if (file.attempt >= spool->files[0].attempt || share != spool->files[0].rank)
        return 0;
    return spool_add_file(spool, file);
}

int spool_inherit(struct spool *spool, int n_ranks, struct error *err)
{
    struct taking taking = { spool, n_ranks };
    struct error why = { ERROR_BUDGET, "no memory for the spool" };
    int status = spool_each_file(spool->folder, take_share, &taking, &why);
    if (status < 0 && err)
        *err = why;
    return status;
}

static int find_last(void *context, struct spool_file file)
{
    int *attempt = context;
    *attempt = file.attempt > *attempt ? file.attempt : *attempt;
    return 0;
}

int spool_count(const char *folder,
                struct spool_contents *contents,
                struct memory *memory,
                struct error *err)
{
    struct memory_mark mark = memory_mark(memory);
    int last = 0, status = -1;
    /* a spool without a file of its own, that takes over all others */
    struct spool *all = calloc(1, sizeof *all);
    if (all) {
        all->fd = all->reading_fd = all->reading = -1;
        all->run = SPOOL_ANY_RUN;
    }
    if (!all || !(all->folder = strdup(folder))
        || spool_add_file(all, (struct spool_file){ 0, INT_MAX, 0 }) < 0)
        error_set(err, ERROR_BUDGET, "no memory for the spool");
    else if (spool_each_file(folder, find_last, &last, err) == 0
             && spool_inherit(all, 1, err) == 0)
        status = spool_scan(all, memory, err);
    if (status == 0) {
        struct spool_damage damage;
        *contents = (struct spool_contents){ spool_n_records(all), 0, last };
        for (int file = 0; spool_next_damage(all, &file, &damage);)
            contents->n_damaged_bytes += damage.n_bytes;
    }
    memory_rewind(memory, &mark);
    spool_close(all);
    return status;
}
