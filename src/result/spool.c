#include "rooftally/result/spool.h"

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

static int failed(const struct spool *spool, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_IO,
                     "%s cannot be %s: %s",
                     spool->path,
                     what,
                     file_reason(errno));
}

int spool_open(struct spool **spool,
               const char *folder,
               const char *run,
               int attempt,
               int rank,
               struct error *err)
{
    struct spool *s = calloc(1, sizeof *s);
    if (s)
        s->fd = s->reading_fd = s->reading = -1;
    if (!s || !(s->folder = strdup(folder))
        || spool_add_file(s, (struct spool_file){ rank, attempt, 0 }) < 0) {
        spool_close(s);
        return error_set(err, ERROR_BUDGET, "no memory for the spool");
    }
    s->run = crc32c(0, run, strlen(run));
    s->path = spool_file_path(s, 0);
    if (!s->path) {
        spool_close(s);
        return error_set(err, ERROR_BUDGET, "no memory for the spool");
    }
    s->fd = open(s->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
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
    if (spool->reading_fd >= 0)
        close(spool->reading_fd);
    free(spool->files);
    free(spool->folder);
    free(spool->path);
    free(spool);
}

static int flush(struct spool *spool, struct error *err)
{
    if (!file_write_at(spool->fd, spool->flushed, spool->buffer, spool->n_buffer))
        return failed(spool, "written", err);
    spool->flushed += spool->n_buffer;
    spool->n_buffer = 0;
    return 0;
}

static int
put(struct spool *spool, const void *bytes, size_t n_bytes, struct error *err)
{
    const uint8_t *from = bytes;
    for (int64_t n = (int64_t)n_bytes; n > 0;) {
        if (spool->n_buffer == SPOOL_BUFFER_BYTES && flush(spool, err) < 0)
            return -1;
        int64_t fits = SPOOL_BUFFER_BYTES - spool->n_buffer;
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
uint32_t spool_head_crc(const struct spool_head *head)
{
    return crc32c(0,
                  (const uint8_t *)head + SPOOL_CRC_FROM,
                  sizeof *head - SPOOL_CRC_FROM);
}

/* The head goes last, into the place that was kept for it: until then the magic is
 * zero and the record does not count. */
static int append(struct spool *spool,
                  const struct zone_record *record,
                  const struct statistics *statistics,
                  struct error *err)
{
    struct spool_head head = { .run = spool->run,
                               .n_bytes = record_size(record, statistics),
                               .row = record->row,
                               .n_selected = record->n_selected,
                               .n_rejected = record->n_rejected,
                               .n_wkb = record->wkb.n };
    static const struct spool_head none;
    static const uint8_t padding[8];
    size_t n_padding = (size_t)(-head.n_bytes & 7);

    spool->crc = spool_head_crc(&head);
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
    head.magic = SPOOL_MAGIC;
    head.crc = spool->crc;
    if (spool->flushed == spool->end) {
        memcpy(spool->buffer, &head, sizeof head);
        return flush(spool, err);
    }
    if (flush(spool, err) < 0)
        return -1;
    if (!file_write_at(spool->fd, spool->end, &head, sizeof head))
        return failed(spool, "written", err);
    return 0;
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

void spool_start_sync(struct spool *spool)
{
#ifdef SYNC_FILE_RANGE_WRITE
    int64_t n = spool->end - spool->started;
    if (n < SPOOL_START_BYTES)
        return;
    /* a failure is for spool_sync to tell: this call takes no note of it away */
    (void)sync_file_range(spool->fd, spool->started, n, SYNC_FILE_RANGE_WRITE);
    spool->started = spool->end;
#else
    (void)spool;
#endif
}

int spool_sync(struct spool *spool, struct error *err)
{
    if (fdatasync(spool->fd) < 0)
        return failed(spool, "written", err);
    if (!spool->is_named && !file_sync_folder(spool->folder))
        return failed(spool, "put on disk", err);
    spool->is_named = true; /* a new file is on disk once its name is as well */
    return 0;
}
