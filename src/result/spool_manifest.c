/*
 * The manifest: whose zones a spool holds. Text, so that it can be read, and so that a
 * difference can be named.
 *
 *     rooftally spool 4
 *     crc32c 5e6f7a8b                      of all that follows
 *     run 2026-11-22T10:38:40Z node7 4711
 *     source postgresql, database gis of system 7123456789
 *     zones 351 crc32c 1a2b3c4d
 *     [zones] table = public.zipcode
 *     ...
 *     [buildings] type of height = real
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/crc32c.h"
#include "rooftally/base/file.h"
#include "rooftally/job/job.h"
#include "rooftally/result/spool.h"

enum { SPOOL_VERSION = 4, MOST_BYTES = 2 << 20 };

static int failed(const char *folder, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "%s/manifest cannot be %s: %s",
                     folder,
                     what,
                     file_reason(errno));
}

static char *to_text(const struct spool_manifest *manifest)
{
    char *rest = NULL, *text = NULL;
    if (asprintf(&rest,
                 "run %s\nsource %s\nzones %" PRId64 " crc32c %08" PRIx32 "\n%s",
                 manifest->run,
                 manifest->source,
                 manifest->n_zones,
                 manifest->zones_crc,
                 manifest->job)
        < 0)
        return NULL;
    if (asprintf(&text,
                 "rooftally spool %d\ncrc32c %08" PRIx32 "\n%s",
                 SPOOL_VERSION,
                 crc32c(0, rest, strlen(rest)),
                 rest)
        < 0)
        text = NULL;
    free(rest);
    return text;
}

/* Write and sync a new file. */
static int
write_file(const char *folder, const char *path, const char *text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(folder, "made", err);
    int status = 0;
    if (!file_write_at(fd, 0, text, (int64_t)strlen(text)))
        status = failed(folder, "written", err);
    else if (fsync(fd) < 0)
        status = failed(folder, "put on disk", err);
    close(fd);
    return status;
}

int spool_put_manifest(const char *folder,
                       const struct spool_manifest *manifest,
                       struct error *err)
{
    int status = -1;
    char *text = to_text(manifest), *path = NULL, *partial = NULL;
    char *parent = file_folder(folder);
    if (!text || !parent || asprintf(&path, "%s/manifest", folder) < 0
        || asprintf(&partial, "%s/manifest.partial", folder) < 0) {
        error_set(err, ERROR_BUDGET, "no memory for the spool");
        goto out;
    }
    if (write_file(folder, partial, text, err) < 0)
        goto out;
    if (rename(partial, path) < 0)
        status = failed(folder, "written", err);
    else if (!file_sync_folder(folder) || !file_sync_folder(parent))
        status = failed(folder, "put on disk", err);
    else
        status = 0;
out:
    free(parent);
    free(partial);
    free(path);
    free(text);
    return status;
}

static int refuse_damaged(const char *folder, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "%s: its manifest is damaged and does not tell whose zones these "
                     "are: start anew with --force",
                     folder);
}

/* The manifest's text of *n bytes, or NULL: *status 0 when it is not there, -1 with an
 * error. */
static char *read_file(const char *folder, size_t *n, int *status, struct error *err)
{
    char *path = NULL, *text = malloc(MOST_BYTES + 1);
    *status = 0;
    FILE *file = NULL;
    struct stat there;
    int fd = -1;
    if (!text || asprintf(&path, "%s/manifest", folder) < 0) {
        *status = error_set(err, ERROR_BUDGET, "no memory for the spool");
        goto fail;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        goto fail;
    if (fd < 0 ? errno == ELOOP : fstat(fd, &there) == 0 && !S_ISREG(there.st_mode)) {
        *status = refuse_damaged(folder, err);
        goto fail;
    }
    file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        *status = failed(folder, "read", err);
        goto fail;
    }
    *n = fread(text, 1, MOST_BYTES, file);
    text[*n] = '\0';
    if (ferror(file)) {
        *status = failed(folder, "read", err);
        goto fail;
    }
    fclose(file);
    free(path);
    return text;
fail:
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    free(path);
    free(text);
    return NULL;
}

/* The value of a line "<word> value", cut off from the rest; NULL when it is not one. */
static char *take_line(char **at, const char *word)
{
    size_t n = strlen(word), n_line = strcspn(*at, "\n");
    char *line = *at;
    if (strncmp(line, word, n) != 0 || line[n] != ' ' || line[n_line] != '\n')
        return NULL;
    line[n_line] = '\0';
    *at += n_line + 1;
    return line + n + 1;
}

static int refuse(const char *folder, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "%s holds zones of another job: %s; run that one, or start anew "
                     "with --force",
                     folder,
                     what);
}

static int compare(const char *folder,
                   char *text,
                   const char *end,
                   const struct spool_manifest *manifest,
                   char run[SPOOL_RUN_BYTES],
                   struct error *err)
{
    char what[400]; /* two names of tables */
    const char *version = take_line(&text, "rooftally spool");
    if (!version)
        return refuse_damaged(folder, err);
    if (atoi(version) != SPOOL_VERSION)
        return error_set(err,
                         ERROR_USAGE,
                         "%s holds zones of version %d, this program reads %d: resume "
                         "with that one, or start anew with --force",
                         folder,
                         atoi(version),
                         SPOOL_VERSION);
    const char *sum = take_line(&text, "crc32c");
    char wanted[12];
    snprintf(wanted,
             sizeof wanted,
             "%08" PRIx32,
             crc32c(0, text, (size_t)(end - text)));
    if (!sum || strcmp(sum, wanted) != 0)
        return refuse_damaged(folder, err);
    const char *began = take_line(&text, "run"), *source = take_line(&text, "source");
    const char *zones = take_line(&text, "zones");
    if (!began || !source || !zones)
        return refuse_damaged(folder, err);
    if (job_identity_differs(text, manifest->job, what, sizeof what))
        return refuse(folder, what, err);
    if (strcmp(source, manifest->source) != 0) {
        snprintf(what,
                 sizeof what,
                 "its source was %.60s, now it is %.60s",
                 source,
                 manifest->source);
        return refuse(folder, what, err);
    }
    char *after;
    int64_t n_zones = strtoll(zones, &after, 10);
    if (n_zones != manifest->n_zones) {
        snprintf(what,
                 sizeof what,
                 "there were %" PRId64 " zones, now there are %" PRId64,
                 n_zones,
                 manifest->n_zones);
        return refuse(folder, what, err);
    }
    if (strncmp(after, " crc32c ", 8) != 0
        || strtoul(after + 8, NULL, 16) != manifest->zones_crc)
        return refuse(folder, "the ids of its zones are others", err);
    snprintf(run, SPOOL_RUN_BYTES, "%s", began);
    return 1;
}

int spool_check_manifest(const char *folder,
                         const struct spool_manifest *manifest,
                         char run[SPOOL_RUN_BYTES],
                         struct error *err)
{
    int status;
    size_t n = 0;
    char *text = read_file(folder, &n, &status, err);
    if (text)
        status = compare(folder, text, text + n, manifest, run, err);
    free(text);
    return status;
}
