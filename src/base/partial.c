#include "rooftally/base/partial.h"

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

/* `rest` is what follows ".partial-": of any other form than "<host>-<pid>" the file is not ours,
 * whatever its age. */
static bool is_stale(const char *rest, const struct stat *stat)
{
    char host[HOST_BYTES];
    const char *dash = strrchr(rest, '-');
    size_t n_digits = dash ? strspn(dash + 1, "0123456789") : 0;
    own_host(host);
    if (!dash || dash == rest || n_digits == 0 || dash[1 + n_digits] != '\0')
        return false;
    size_t n = (size_t)(dash - rest);
    if (n != strlen(host) || strncmp(rest, host, n) != 0)
        return time(NULL) - stat->st_mtime > DAY_S;
    long pid = strtol(dash + 1, NULL, 10);
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
