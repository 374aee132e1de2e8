#include "rooftally/result/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/crc32c.h"

static const uint32_t MAGIC = 0x315a5452; /* "RTZ1", little-endian */

struct head {
    uint32_t magic, crc;
    int64_t n_bytes, row, n_selected, n_rejected, n_wkb;
};

enum { BUFFER_BYTES = 64 * 1024, CRC_FROM = 8 };

struct spool {
    int fd;
    char *path;
    int64_t n_appended;
    int64_t end;      /* of the last whole record */
    int64_t flushed;  /* bytes that the file holds; the buffer follows */
    int64_t n_buffer; /* bytes in the buffer */
    uint32_t crc;     /* of the payload that is being put */

    const struct spool_entry *entries; /* of the last scan, borrowed */
    int64_t n_entries;
    uint8_t buffer[BUFFER_BYTES];
};

static int failed(const struct spool *spool, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "%s cannot be %s: %s",
                     spool->path,
                     what,
                     strerror(errno));
}

int spool_open(struct spool **spool, const char *folder, int rank, struct error *err)
{
    struct spool *s = calloc(1, sizeof *s);
    size_t n = strlen(folder) + 24;
    char *path = malloc(n);
    if (!s || !path) {
        free(s);
        free(path);
        return error_set(err, ERROR_BUDGET, "no memory for the spool");
    }
    snprintf(path, n, "%s/rank-%d", folder, rank);
    s->path = path;
    s->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0) {
        failed(s, "opened", err);
        spool_close(s);
        return -1;
    }
    *spool = s;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->path);
    free(spool);
}

static int write_at(struct spool *spool,
                    int64_t offset,
                    const uint8_t *bytes,
                    int64_t n,
                    struct error *err)
{
    while (n > 0) {
        ssize_t done = pwrite(spool->fd, bytes, (size_t)n, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            if (done == 0)
                errno = ENOSPC;
            return failed(spool, "written", err);
        }
        bytes += done;
        offset += done;
        n -= done;
    }
    return 0;
}

static int
read_at(struct spool *spool, int64_t offset, void *bytes, int64_t n, struct error *err)
{
    uint8_t *to = bytes;
    while (n > 0) {
        ssize_t done = pread(spool->fd, to, (size_t)n, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(spool, "read", err);
        if (done == 0)
            return error_set(err, ERROR_IO, "%s has become shorter", spool->path);
        to += done;
        offset += done;
        n -= done;
    }
    return 0;
}

static int flush(struct spool *spool, struct error *err)
{
    if (write_at(spool, spool->flushed, spool->buffer, spool->n_buffer, err) < 0)
        return -1;
    spool->flushed += spool->n_buffer;
    spool->n_buffer = 0;
    return 0;
}

static int
put(struct spool *spool, const void *bytes, size_t n_bytes, struct error *err)
{
    const uint8_t *from = bytes;
    for (int64_t n = (int64_t)n_bytes; n > 0;) {
        if (spool->n_buffer == BUFFER_BYTES && flush(spool, err) < 0)
            return -1;
        int64_t fits = BUFFER_BYTES - spool->n_buffer;
        if (fits > n)
            fits = n;
        memcpy(spool->buffer + spool->n_buffer, from, (size_t)fits);
        spool->n_buffer += fits;
        from += fits;
        n -= fits;
    }
    return 0;
}

static int
put_payload(void *context, const void *bytes, size_t n_bytes, struct error *err)
{
    struct spool *spool = context;
    spool->crc = crc32c(spool->crc, bytes, n_bytes);
    return put(spool, bytes, n_bytes, err);
}

/* CRC of a head without its payload, to go on from. */
static uint32_t head_crc(const struct head *head)
{
    return crc32c(0, (const uint8_t *)head + CRC_FROM, sizeof *head - CRC_FROM);
}

/* The head goes last, into the place that was kept for it: until then the magic is
 * zero and the record does not count. */
static int append(struct spool *spool,
                  const struct zone_record *record,
                  const struct statistics *statistics,
                  struct error *err)
{
    struct head head = { .n_bytes = record_size(record, statistics),
                         .row = record->row,
                         .n_selected = record->n_selected,
                         .n_rejected = record->n_rejected,
                         .n_wkb = record->wkb.n };
    static const struct head none;
    static const uint8_t padding[8];
    size_t n_padding = (size_t)(-head.n_bytes & 7);

    spool->crc = head_crc(&head);
    if (put(spool, &none, sizeof none, err) < 0
        || record_encode(record, statistics, put_payload, spool, err) < 0)
        return -1;
    int64_t n_put = spool->flushed + spool->n_buffer - spool->end;
    if (n_put - (int64_t)sizeof head != head.n_bytes)
        return error_set(err,
                         ERROR_INTERNAL,
                         "a record of %lld bytes was encoded as %lld",
                         (long long)head.n_bytes,
                         (long long)n_put - (long long)sizeof head);
    if (put(spool, padding, n_padding, err) < 0)
        return -1;
    head.magic = MAGIC;
    head.crc = spool->crc;
    if (spool->flushed == spool->end) {
        memcpy(spool->buffer, &head, sizeof head);
        return flush(spool, err);
    }
    if (flush(spool, err) < 0)
        return -1;
    return write_at(spool, spool->end, (const uint8_t *)&head, sizeof head, err);
}

int spool_append(struct spool *spool,
                 const struct zone_record *record,
                 const struct statistics *statistics,
                 struct error *err)
{
    spool->entries = NULL;
    spool->n_entries = 0;
    int status = append(spool, record, statistics, err);
    spool->n_buffer = 0;
    if (status < 0) {
        /* give its room back to a full disk; where that fails, the next one writes
         * over it */
        int cut = ftruncate(spool->fd, spool->end);
        (void)cut;
        spool->flushed = spool->end;
        return -1;
    }
    spool->end = spool->flushed;
    spool->n_appended++;
    return 0;
}

int spool_sync(struct spool *spool, struct error *err)
{
    return fdatasync(spool->fd) < 0 ? failed(spool, "written", err) : 0;
}

/* Whether a whole record begins at offset; fills *entry. */
static int look(struct spool *spool,
                int64_t offset,
                int64_t size,
                struct spool_entry *entry,
                struct error *err)
{
    struct head head;
    if (size - offset < (int64_t)sizeof head)
        return 0;
    if (read_at(spool, offset, &head, sizeof head, err) < 0)
        return -1;
    int64_t at = offset + (int64_t)sizeof head;
    if (head.magic != MAGIC || head.n_bytes < 0 || head.n_bytes > size - at
        || (-head.n_bytes & 7) > size - at - head.n_bytes)
        return 0;
    uint32_t crc = head_crc(&head);
    for (int64_t done = 0; done < head.n_bytes;) {
        int64_t n =
            head.n_bytes - done < BUFFER_BYTES ? head.n_bytes - done : BUFFER_BYTES;
        if (read_at(spool, at + done, spool->buffer, n, err) < 0)
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
                                   .n_wkb = head.n_wkb };
    return 1;
}

static int by_row(const void *a, const void *b)
{
    const struct spool_entry *left = a, *right = b;
    if (left->row != right->row)
        return left->row < right->row ? -1 : 1;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

int spool_scan(struct spool *spool, struct memory *memory, struct error *err)
{
    struct stat stat;
    if (fstat(spool->fd, &stat) < 0)
        return failed(spool, "read", err);
    struct spool_entry *entries =
        memory_take(memory,
                    MEMORY_GATHER,
                    spool->n_appended * (int64_t)sizeof *entries,
                    err);
    if (!entries)
        return -1;
    int64_t n = 0, offset = 0;
    for (int found = 1; n < spool->n_appended; n++) {
        found = look(spool, offset, stat.st_size, &entries[n], err);
        if (found < 0)
            return -1;
        if (found == 0)
            break;
        offset = entries[n].offset + ((entries[n].n_bytes + 7) & ~INT64_C(7));
    }
    if (n > 0)
        qsort(entries, (size_t)n, sizeof *entries, by_row);
    spool->entries = entries;
    spool->n_entries = n;
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

int spool_read(struct spool *spool,
               int64_t index,
               const struct statistics *statistics,
               struct zone_record *record,
               struct memory *memory,
               struct error *err)
{
    const struct spool_entry *entry = &spool->entries[index];
    struct head head;
    uint8_t *bytes = memory_take(memory, MEMORY_GATHER, entry->n_bytes, err);
    if (!bytes)
        return -1;
    if (read_at(spool, entry->offset - (int64_t)sizeof head, &head, sizeof head, err)
            < 0
        || read_at(spool, entry->offset, bytes, entry->n_bytes, err) < 0)
        return -1;
    if (crc32c(head_crc(&head), bytes, (size_t)entry->n_bytes) != head.crc)
        return error_set(err,
                         ERROR_FORMAT,
                         "%s: the record of zone %lld is damaged",
                         spool->path,
                         (long long)entry->row);
    return record_decode(record, statistics, bytes, entry->n_bytes, memory, err);
}
