/* The folder of the spools: made before the work, removed when the result is there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/result/spool.h"

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
                     strerror(errno));
}

/* Remove the rank files. A link in the folder's place is not followed. */
static int clear(const char *folder, struct error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        failed(folder, "opened", err);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int status = 0;
    for (struct dirent *entry; status == 0 && (entry = readdir(entries));)
        if (strncmp(entry->d_name, "rank-", 5) == 0
            && unlinkat(fd, entry->d_name, 0) < 0)
            status = failed(folder, "cleared", err);
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
    if (lstat(folder, &stat) < 0 && errno == ENOENT)
        return 0;
    if (clear(folder, err) < 0)
        return -1;
    return rmdir(folder) < 0 ? failed(folder, "removed", err) : 0;
}
