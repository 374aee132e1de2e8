#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/base/partial.h"

enum { PIECE = 8 << 20, MOST_PATH = 4096 };

/* Where the others find the file of rank 0, and how they know that it is this one. */
struct place {
    char path[MOST_PATH];
    uint64_t device, inode;
};

static int no_file(const char *folder, struct error *err)
{
    return error_set(err, ERROR_IO, "folder %s: %s", folder, file_reason(errno));
}

static int make_nameless(int *file,
                         const char *folder,
                         mode_t mode,
                         struct place *place,
                         struct error *err)
{
    *file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
    if (*file < 0)
        return no_file(folder, err);
    snprintf(place->path, MOST_PATH, "/proc/%ld/fd/%d", (long)getpid(), *file);
    return access(place->path, R_OK | W_OK) == 0 ? 0 : no_file(folder, err);
}

static int make_named(int *file,
                      const char *folder,
                      const char *name,
                      mode_t mode,
                      struct place *place,
                      struct error *err)
{
    int n = snprintf(place->path, MOST_PATH, "%s/%s", folder, name);
    if (n >= MOST_PATH)
        return error_set(err, ERROR_IO, "folder %s: its name is too long", folder);
    *file = open(place->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
    if (*file >= 0)
        return 0;
    *place->path = '\0'; /* what is there is another's */
    return no_file(folder, err);
}

static int note(int file, struct place *place, struct error *err)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return error_set(err, ERROR_IO, "%s: %s", place->path, strerror(errno));
    place->device = about.st_dev;
    place->inode = about.st_ino;
    return 0;
}

/* Open what rank 0 has made; on another host the same path may be another file. */
static int follow(int *file, const struct place *place, struct error *err)
{
    struct stat about;
    *file = open(place->path, O_RDWR | O_CLOEXEC);
    if (*file >= 0 && fstat(*file, &about) == 0 && about.st_ino == place->inode
        && (about.st_dev == place->device || strncmp(place->path, "/proc/", 6) != 0))
        return 0;
    if (*file >= 0)
        close(*file);
    *file = -1;
    return error_set(err, ERROR_IO, "%s: another rank's file is not seen", place->path);
}

/* One try, with a name or without. */
static int try_open(int *file,
                    const char *folder,
                    const char *name,
                    mode_t mode,
                    const struct team *team,
                    struct error *err)
{
    struct place place = { .path = "" };
    int status = 0;
    *file = -1;
    if (team->rank == 0) {
        status = name ? make_named(file, folder, name, mode, &place, err)
                      : make_nameless(file, folder, mode, &place, err);
        if (status == 0)
            status = note(*file, &place, err);
    }
    if (team_agree(team, status, err)
        || team_broadcast(team, 0, &place, sizeof place, err))
        goto failed;
    if (team->rank > 0)
        status = follow(file, &place, err);
    if (team_agree(team, status, err) == 0)
        return 0;
failed:
    if (*file >= 0)
        close(*file);
    *file = -1;
    if (team->rank == 0 && name && *place.path)
        unlink(place.path);
    return -1;
}

int nameless_open(int *file,
                  bool *has_name,
                  const char *folder,
                  const char *name,
                  mode_t mode,
                  const struct team *team,
                  struct error *err)
{
    struct error ignored;
    *has_name = false;
    if (try_open(file, folder, NULL, mode, team, &ignored) == 0)
        return 0;
    *has_name = true;
    return try_open(file, folder, name, mode, team, err);
}

/* The path that a rank gives its scratch space if it needs one, after what was left of such is gone;
 * on the heap. Of a store's name it has so much that the rest has room, whatever the host's. */
static char *own_path(const char *path, const char *folder, int rank)
{
    enum { MOST_SHOWN = 100 };
    const char *shown = file_name(path);
    int n = (int)strnlen(shown, MOST_SHOWN);
    char *scratch = NULL, *partial = NULL;
    while (n > 0 && ((unsigned char)shown[n] & 0xc0) == 0x80)
        n--; /* no letter is cut */
    if (folder && asprintf(&scratch, "%s/%.*s.scratch", folder, n, shown) >= 0)
        partial = partial_name(scratch);
    if (partial && rank == 0)
        partial_clear(scratch);
    free(scratch);
    return partial;
}

int scratch_open(struct scratch *scratch,
                 const char *path,
                 const struct team *team,
                 struct error *err)
{
    bool has_name = false;
    struct scratch made = {
        .file = -1, .rank = team->rank, .size = team->size, .folder = file_folder(path)
    };
    char *own = own_path(path, made.folder, team->rank);
    made.path = strdup(path);
    int status = made.folder && made.path && own
                     ? 0
                     : error_set(err, ERROR_BUDGET, "no memory for scratch");
    if (team_agree(team, status, err)
        || nameless_open(&made.file,
                         &has_name,
                         made.folder,
                         file_name(own),
                         0600,
                         team,
                         err)) {
        free(made.folder);
        free(made.path);
        free(own);
        return -1;
    }
    if (has_name && team->rank == 0)
        unlink(own);
    free(own);
    made.is_far = has_name && team->size > 1;
    *scratch = made;
    return 0;
}

void scratch_close(struct scratch *scratch)
{
    if (scratch->folder && scratch->file >= 0)
        close(scratch->file);
    free(scratch->folder);
    free(scratch->path);
    *scratch = (struct scratch){ .file = -1 };
}

/* Where a rank's byte `at` lies in the file, and how many follow it there. */
static int64_t place_of(const struct scratch *scratch, int rank, int64_t at, int64_t *n)
{
    int64_t piece = at / PIECE, within = at % PIECE;
    *n = PIECE - within;
    return (piece * scratch->size + rank) * PIECE + within;
}

static int failed(const struct scratch *scratch, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "scratch file in %s: %s",
                     scratch->folder,
                     errno != 0 ? file_reason(errno) : "it was cut off");
}

int scratch_write(const struct scratch *scratch,
                  int64_t at,
                  const void *bytes,
                  int64_t n_bytes,
                  struct error *err)
{
    const uint8_t *from = bytes;
    while (n_bytes > 0) {
        int64_t n, to = place_of(scratch, scratch->rank, at, &n);
        n = n_bytes < n ? n_bytes : n;
        if (!file_write_at(scratch->file, to, from, n))
            return failed(scratch, err);
        if (scratch->stop && scratch->stop(scratch->stop_context))
            return error_set(err, ERROR_STOPPED, "stopped on request");
        from += n;
        at += n;
        n_bytes -= n;
    }
    return 0;
}

int scratch_append(struct scratch *scratch,
                   const void *bytes,
                   int64_t n_bytes,
                   struct error *err)
{
    if (scratch_write(scratch, scratch->n_bytes, bytes, n_bytes, err))
        return -1;
    scratch->n_bytes += n_bytes;
    return 0;
}

int64_t scratch_reserve(struct scratch *scratch, int64_t n_bytes, int64_t align)
{
    scratch_align(scratch, align);
    scratch->n_bytes += n_bytes;
    return scratch->n_bytes - n_bytes;
}

void scratch_align(struct scratch *scratch, int64_t n_bytes)
{
    scratch->n_bytes = (scratch->n_bytes + n_bytes - 1) & -n_bytes;
}

int scratch_settle(const struct scratch *scratch, struct error *err)
{
    if (scratch->is_far && fdatasync(scratch->file) != 0)
        return failed(scratch, err);
    return 0;
}

int scratch_read(const struct scratch *scratch,
                 int rank,
                 int64_t at,
                 void *bytes,
                 int64_t n_bytes,
                 struct error *err)
{
    uint8_t *to = bytes;
    while (n_bytes > 0) {
        int64_t n, from = place_of(scratch, rank, at, &n);
        n = n_bytes < n ? n_bytes : n;
        if (!file_read_at(scratch->file, from, to, n))
            return failed(scratch, err);
        to += n;
        at += n;
        n_bytes -= n;
    }
    return 0;
}

int scratch_damaged(const struct scratch *scratch, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "scratch file in %s: it is damaged",
                     scratch->folder);
}

void scratch_expect(const struct scratch *scratch,
                    int rank,
                    int64_t at,
                    int64_t n_bytes)
{
    int64_t left, from = place_of(scratch, rank, at, &left);
    if (left >= n_bytes)
        (void)posix_fadvise(scratch->file, from, n_bytes, POSIX_FADV_WILLNEED);
}

void scratch_drop(const struct scratch *scratch, int64_t at, int64_t n_bytes)
{
    while (n_bytes > 0) {
        int64_t left, from = place_of(scratch, scratch->rank, at, &left);
        int64_t n = n_bytes < left ? n_bytes : left;
        (void)fallocate(scratch->file,
                        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        from,
                        n);
        at += n;
        n_bytes -= n;
    }
}
