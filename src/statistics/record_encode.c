#include <stdbool.h>
#include <string.h>

#include "rooftally/statistics/record.h"

#include "record_head.h"

typedef int
put_function(void *context, const void *bytes, size_t n_bytes, struct error *err);

/* Gathers small pieces, so that `put` gets few large ones. */
struct writer {
    put_function *put;
    void *context;
    struct error *err;
    int status; /* -1 after the first failure: what follows is skipped */
    size_t n;
    uint8_t bytes[4096];
};

static void flush(struct writer *writer)
{
    if (writer->status == 0 && writer->n > 0)
        writer->status =
            writer->put(writer->context, writer->bytes, writer->n, writer->err);
    writer->n = 0;
}

static void write_bytes(struct writer *writer, const void *bytes, int64_t n_bytes)
{
    size_t n = (size_t)n_bytes;
    if (n > sizeof writer->bytes - writer->n)
        flush(writer);
    if (n > sizeof writer->bytes) {
        if (writer->status == 0)
            writer->status = writer->put(writer->context, bytes, n, writer->err);
    } else if (n > 0) {
        memcpy(writer->bytes + writer->n, bytes, n);
        writer->n += n;
    }
}

static void write_padding(struct writer *writer, int64_t n)
{
    static const char zeros[8] = { 0 };
    write_bytes(writer, zeros, -n & 7);
}

static void write_integer(struct writer *writer, int64_t value)
{
    write_bytes(writer, &value, sizeof value);
}

static bool is_valid(const uint8_t *valid, int64_t i)
{
    return !valid || valid[i];
}

/* A text that is not valid has no bytes; valid == NULL: all are. */
static void write_texts(struct writer *writer,
                        const struct text *texts,
                        const uint8_t *valid,
                        int64_t n)
{
    int64_t n_bytes = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t length = is_valid(valid, i) ? texts[i].n : 0;
        write_integer(writer, length);
        n_bytes += length;
    }
    for (int64_t i = 0; i < n; i++)
        if (is_valid(valid, i))
            write_bytes(writer, texts[i].bytes, texts[i].n);
    write_padding(writer, n_bytes);
}

/* Values of 8 bytes; one that is not valid is 0. */
static void
write_values(struct writer *writer, const void *values, const uint8_t *valid, int64_t n)
{
    const uint8_t *bytes = values;
    if (!valid || n == 0 || !memchr(valid, 0, (size_t)n)) {
        write_bytes(writer, values, 8 * n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        if (is_valid(valid, i))
            write_bytes(writer, bytes + 8 * i, 8);
        else
            write_integer(writer, 0);
    }
}

/* Bytes of 0 and 1. */
static void write_flags(struct writer *writer, const uint8_t *valid, int64_t n)
{
    uint8_t flags[512];
    for (int64_t first = 0; first < n; first += (int64_t)sizeof flags) {
        int64_t fits = n - first;
        fits = fits < (int64_t)sizeof flags ? fits : (int64_t)sizeof flags;
        for (int64_t i = 0; i < fits; i++)
            flags[i] = is_valid(valid, first + i);
        write_bytes(writer, flags, fits);
    }
}

static void write_column(struct writer *writer, const struct column *column, int64_t n)
{
    write_integer(writer, column->type);
    write_flags(writer, column->valid, n);
    write_padding(writer, n);
    if (column->type == TYPE_TEXT)
        write_texts(writer, column->texts, column->valid, n);
    else
        write_values(writer, column->integers, column->valid, n);
}

static void write_output(struct writer *writer,
                         const struct output *output,
                         const struct output_values *values)
{
    write_integer(writer, values->n);
    if (output->type == TYPE_TEXT)
        write_texts(writer, values->texts, NULL, values->n);
    else
        write_values(writer, values->integers, NULL, values->n);
    if (output->form == OUTPUT_CATEGORY)
        write_values(writer, values->counts, NULL, values->n);
}

static struct record_head head_of(const struct zone_record *record)
{
    struct record_head head = { .row = record->row,
                                .n_candidates = record->n_candidates,
                                .n_selected = record->n_selected,
                                .n_outside = record->n_outside,
                                .n_filtered = record->n_filtered,
                                .n_rejected = record->n_rejected,
                                .n_decided = record->n_decided,
                                .n_refined = record->n_refined,
                                .n_bytes = record->n_bytes,
                                .rank = record->rank,
                                .n_retries = record->n_retries,
                                .start_s = record->start_s,
                                .wall_s = record->wall_s,
                                .box = record->box,
                                .area_m2 = record->area_m2,
                                .n_vertices = record->n_vertices,
                                .n_wkb = record->wkb.n,
                                .n_outputs = record->n_outputs,
                                .n_keep = record->n_keep };
    memcpy(head.magic, RECORD_MAGIC, sizeof head.magic);
    memcpy(head.snapshot, record->snapshot, strnlen(record->snapshot, 63));
    return head;
}

int record_encode(const struct zone_record *record,
                  const struct statistics *statistics,
                  put_function *put,
                  void *context,
                  struct error *err)
{
    struct writer writer = { .put = put, .context = context, .err = err };
    struct record_head head = head_of(record);
    write_bytes(&writer, &head, sizeof head);
    write_bytes(&writer, record->wkb.bytes, record->wkb.n);
    write_padding(&writer, record->wkb.n);
    for (int i = 0; i < record->n_outputs; i++)
        write_output(&writer, statistics_output(statistics, i), &record->outputs[i]);
    for (int i = 0; i < record->n_keep; i++)
        write_column(&writer, &record->keep[i], record->n_selected);
    if (record->n_rejected > 0) {
        write_column(&writer, &record->rejected_id, record->n_rejected);
        write_texts(&writer, record->rejected_reason, NULL, record->n_rejected);
    }
    flush(&writer);
    return writer.status;
}

static int count_bytes(void *context, const void *bytes, size_t n, struct error *err)
{
    (void)bytes, (void)err;
    *(int64_t *)context += (int64_t)n;
    return 0;
}

int64_t record_size(const struct zone_record *record,
                    const struct statistics *statistics)
{
    int64_t n_bytes = 0;
    record_encode(record, statistics, count_bytes, &n_bytes, NULL);
    return n_bytes;
}
