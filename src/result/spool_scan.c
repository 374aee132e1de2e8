/*
 * Reading a spool: this rank's own file, and those that it has taken over from earlier
 * attempts. One of the others is open at a time, as there may be thousands.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/crc32c.h"
#include "rooftally/base/file.h"

#include "spool_file.h"

int spool_add_file(struct spool *spool, struct spool_file file)
{
    struct spool_file *files =
        realloc(spool->files, (size_t)(spool->n_files + 1) * sizeof *files);
    if (!files)
        return -1;
    files[spool->n_files++] = file;
    spool->files = files;
    return 0;
}

char *spool_file_path(const struct spool *spool, int file)
{
    char *path = NULL;
    const struct spool_file *f = &spool->files[file];
    if (asprintf(&path, "%s/rank-%d.%d", spool->folder, f->rank, f->attempt) < 0)
        return NULL;
    return path;
}

/* `why` is an errno, or 0. */
static int failed(const struct spool *spool,
                  int file,
                  const char *what,
                  int why,
                  struct error *err)
{
    const struct spool_file *f = &spool->files[file];
    return error_set(err,
                     ERROR_IO,
                     "%s/rank-%d.%d %s%s%s",
                     spool->folder,
                     f->rank,
                     f->attempt,
                     what,
                     why ? ": " : "",
                     why ? file_reason(why) : "");
}

/* The descriptor to read a file by, or -1. */
static int open_file(struct spool *spool, int file, struct error *err)
{
    if (file == 0)
        return spool->fd;
    if (spool->reading == file)
        return spool->reading_fd;
    if (spool->reading_fd >= 0)
        close(spool->reading_fd);
    spool->reading = -1;
    char *path = spool_file_path(spool, file);
    spool->reading_fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    free(path);
    if (spool->reading_fd < 0)
        return failed(spool, file, "cannot be opened", errno, err);
    spool->reading = file;
    return spool->reading_fd;
}

static int read_at(struct spool *spool,
                   int file,
                   int64_t offset,
                   void *bytes,
                   int64_t n,
                   struct error *err)
{
    int fd = open_file(spool, file, err);
    if (fd < 0)
        return -1;
    if (!file_read_at(fd, offset, bytes, n))
        return failed(spool,
                      file,
                      errno ? "cannot be read" : "has become shorter",
                      errno,
                      err);
    return 0;
}

static bool is_ours(const struct spool *spool, const struct spool_head *head)
{
    return head->magic == SPOOL_MAGIC && head->n_bytes >= 0
           && (head->run == spool->run || spool->run == SPOOL_ANY_RUN);
}

/* Whether a head that can be one lies at offset, with all its bytes: 1, 0, or -1. */
static int look_at_head(struct spool *spool,
                        int file,
                        int64_t offset,
                        int64_t size,
                        struct spool_head *head,
                        struct error *err)
{
    if (size - offset < (int64_t)sizeof *head)
        return 0;
    if (read_at(spool, file, offset, head, sizeof *head, err) < 0)
        return -1;
    int64_t at = offset + (int64_t)sizeof *head;
    return is_ours(spool, head) && head->n_bytes <= size - at
           && (-head->n_bytes & 7) <= size - at - head->n_bytes;
}

static int64_t past(int64_t offset, const struct spool_head *head)
{
    return offset + (int64_t)sizeof *head + ((head->n_bytes + 7) & ~INT64_C(7));
}

/* Whether a whole record begins at offset; fills *entry. */
static int look(struct spool *spool,
                int file,
                int64_t offset,
                int64_t size,
                struct spool_entry *entry,
                struct error *err)
{
    struct spool_head head;
    int there = look_at_head(spool, file, offset, size, &head, err);
    if (there <= 0)
        return there;
    int64_t at = offset + (int64_t)sizeof head;
    uint32_t crc = spool_head_crc(&head);
    for (int64_t done = 0; done < head.n_bytes;) {
        int64_t n = head.n_bytes - done < SPOOL_BUFFER_BYTES ? head.n_bytes - done
                                                             : SPOOL_BUFFER_BYTES;
        if (read_at(spool, file, at + done, spool->buffer, n, err) < 0)
            return -1;
        crc = crc32c(crc, spool->buffer, (size_t)n);
        done += n;
    }
    if (crc != head.crc)
        return 0;
    *entry = (struct spool_entry){ .row = head.row,
                                   .offset = at,
                                   .n_bytes = head.n_bytes,
                                   .n_selected = head.n_selected,
                                   .n_rejected = head.n_rejected,
                                   .n_wkb = head.n_wkb,
                                   .file = file,
                                   .attempt = spool->files[file].attempt };
    return 1;
}

/* Whether a process that was killed leaves what lies from offset on, behind its last whole
 * record: nothing, or of a record that fits the buffer the beginning, of a longer one all
 * but the head. 1, 0, or -1. */
static int
is_torn(struct spool *spool, int file, int64_t offset, int64_t size, struct error *err)
{
    static const struct spool_head none;
    struct spool_head head;
    if (size - offset < (int64_t)sizeof head)
        return 1;
    if (read_at(spool, file, offset, &head, sizeof head, err) < 0)
        return -1;
    return memcmp(&head, &none, sizeof head) == 0
           || (is_ours(spool, &head) && head.n_bytes < SPOOL_BUFFER_BYTES
               && past(offset, &head) > size);
}

/* A bound on the records of a file, by their heads alone. */
static int
count_heads(struct spool *spool, int file, int64_t size, int64_t *n, struct error *err)
{
    struct spool_head head;
    int there;
    int64_t offset = 0;
    while ((there = look_at_head(spool, file, offset, size, &head, err)) > 0) {
        offset = past(offset, &head);
        ++*n;
    }
    return there;
}

static int file_size(struct spool *spool, int file, int64_t *size, struct error *err)
{
    struct stat stat;
    int fd = open_file(spool, file, err);
    if (fd < 0)
        return -1;
    if (fstat(fd, &stat) < 0)
        return failed(spool, file, "cannot be read", errno, err);
    *size = stat.st_size;
    return 0;
}

/* Of one zone, the record that was written last stands first. */
static int by_row(const void *a, const void *b)
{
    const struct spool_entry *left = a, *right = b;
    if (left->row != right->row)
        return left->row < right->row ? -1 : 1;
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    return left->offset > right->offset ? -1 : left->offset < right->offset;
}

static int
scan_file(struct spool *spool, int file, int64_t n_most, int64_t *n, struct error *err)
{
    int64_t size, offset = 0;
    int found = 0;
    if (file_size(spool, file, &size, err) < 0)
        return -1;
    while (*n < n_most
           && (found = look(spool, file, offset, size, &spool->entries[*n], err)) > 0) {
        const struct spool_entry *entry = &spool->entries[(*n)++];
        offset = entry->offset + ((entry->n_bytes + 7) & ~INT64_C(7));
    }
    int torn = found < 0 ? -1 : is_torn(spool, file, offset, size, err);
    spool->files[file].n_damaged_bytes = torn == 0 ? size - offset : 0;
    return torn < 0 ? -1 : 0;
}

int spool_scan(struct spool *spool, struct memory *memory, struct error *err)
{
    int64_t n_most = spool->n_appended, n = 0, size;
    for (int file = 1; file < spool->n_files; file++)
        if (file_size(spool, file, &size, err) < 0
            || count_heads(spool, file, size, &n_most, err) < 0)
            return -1;
    spool->n_entries = 0;
    spool->entries = memory_take(memory,
                                 MEMORY_GATHER,
                                 n_most * (int64_t)sizeof *spool->entries,
                                 err);
    if (!spool->entries)
        return -1;
    for (int file = spool->n_appended ? 0 : 1; file < spool->n_files; file++)
        if (scan_file(spool, file, file ? n_most : spool->n_appended, &n, err) < 0)
            return -1;
    if (n > 0)
        qsort(spool->entries, (size_t)n, sizeof *spool->entries, by_row);
    for (int64_t i = 0; i < n; i++)
        if (i == 0 || spool->entries[i].row != spool->entries[i - 1].row)
            spool->entries[spool->n_entries++] = spool->entries[i];
    return 0;
}

int spool_next_damage(const struct spool *spool, int *file, struct spool_damage *damage)
{
    while (++*file < spool->n_files) {
        const struct spool_file *f = &spool->files[*file];
        if (f->n_damaged_bytes == 0)
            continue;
        *damage = (struct spool_damage){ f->rank, f->attempt, f->n_damaged_bytes };
        return 1;
    }
    return 0;
}

int64_t spool_n_records(const struct spool *spool)
{
    return spool->n_entries;
}

const struct spool_entry *spool_entry(const struct spool *spool, int64_t index)
{
    return &spool->entries[index];
}

void spool_keep(struct spool *spool, const int64_t *owners, int64_t own)
{
    int64_t n = 0;
    for (int64_t i = 0; i < spool->n_entries; i++)
        if (owners[spool->entries[i].row] == own)
            spool->entries[n++] = spool->entries[i];
    spool->n_entries = n;
}

int spool_read(struct spool *spool,
               int64_t index,
               const struct statistics *statistics,
               struct zone_record *record,
               struct memory *memory,
               struct error *err)
{
    const struct spool_entry *entry = &spool->entries[index];
    struct spool_head head;
    int64_t at = entry->offset - (int64_t)sizeof head;
    uint8_t *bytes = memory_take(memory, MEMORY_GATHER, entry->n_bytes, err);
    if (!bytes)
        return -1;
    if (read_at(spool, entry->file, at, &head, sizeof head, err) < 0
        || read_at(spool, entry->file, entry->offset, bytes, entry->n_bytes, err) < 0)
        return -1;
    if (crc32c(spool_head_crc(&head), bytes, (size_t)entry->n_bytes) != head.crc) {
        failed(spool, entry->file, "holds a damaged record", 0, err);
        if (err)
            err->code = ERROR_FORMAT;
        return -1;
    }
    return record_decode(record, statistics, bytes, entry->n_bytes, memory, err);
}
