#include <stdbool.h>
#include <string.h>

#include "rooftally/job/binding.h"
#include "rooftally/statistics/record.h"

#include "record_head.h"

/* Where decoding stands; after the first failure everything reads as nothing. */
struct reader {
    const uint8_t *bytes;
    int64_t n, at;
    struct memory *memory;
    struct error *err;
    int status;
};

static void fail(struct reader *reader, const char *what)
{
    if (reader->status == 0)
        error_set(reader->err,
                  ERROR_FORMAT,
                  "the record of a zone is damaged: %s at byte %lld of %lld",
                  what,
                  (long long)reader->at,
                  (long long)reader->n);
    reader->status = -1;
}

/* The next n items, and the padding after them; NULL when they are not there. */
static void *read_items(struct reader *reader, int64_t n, int64_t item_bytes)
{
    int64_t left = reader->n - reader->at;
    if (reader->status < 0)
        return NULL;
    if (n < 0 || n > left / item_bytes
        || (-(n * item_bytes) & 7) > left - n * item_bytes) {
        fail(reader, "a count that does not fit");
        return NULL;
    }
    void *items = (void *)(uintptr_t)(reader->bytes + reader->at);
    reader->at += (n * item_bytes + 7) & ~INT64_C(7);
    return items;
}

static int64_t read_integer(struct reader *reader)
{
    const int64_t *value = read_items(reader, 1, sizeof *value);
    return value ? *value : 0;
}

static void *take(struct reader *reader, int64_t n, size_t item_bytes)
{
    void *items = NULL;
    if (reader->status == 0)
        items = memory_take(reader->memory,
                            MEMORY_RECORD,
                            n * (int64_t)item_bytes,
                            reader->err);
    if (!items)
        reader->status = -1;
    return items;
}

static struct text *read_texts(struct reader *reader, int64_t n)
{
    const int64_t *lengths = read_items(reader, n, sizeof *lengths);
    struct text *texts = lengths ? take(reader, n, sizeof *texts) : NULL;
    if (!texts)
        return NULL;
    int64_t n_bytes = 0, left = reader->n - reader->at;
    const char *bytes = (const char *)reader->bytes + reader->at;
    for (int64_t i = 0; i < n; i++) {
        if (lengths[i] < 0 || lengths[i] > left - n_bytes) {
            fail(reader, "a text that does not fit");
            return NULL;
        }
        texts[i] = (struct text){ .bytes = bytes + n_bytes, .n = lengths[i] };
        n_bytes += lengths[i];
    }
    return read_items(reader, n_bytes, 1) ? texts : NULL;
}

static void read_column(struct reader *reader, struct column *column, int64_t n)
{
    int64_t type = read_integer(reader);
    if (reader->status == 0 && (type < TYPE_BOOLEAN || type > TYPE_TIMESTAMP))
        fail(reader, "no type of a column");
    column->type = (enum value_type)type;
    column->valid = read_items(reader, n, 1);
    if (type == TYPE_TEXT)
        column->texts = read_texts(reader, n);
    else
        column->integers = read_items(reader, n, sizeof *column->integers);
}

static void read_output(struct reader *reader,
                        const struct output *output,
                        struct output_values *values)
{
    bool category = output->form == OUTPUT_CATEGORY;
    values->n = read_integer(reader);
    values->counts = NULL;
    if (!category && values->n != output->width)
        fail(reader, "a statistic of another width");
    if (output->type == TYPE_TEXT)
        values->texts = read_texts(reader, values->n);
    else
        values->integers = read_items(reader, values->n, sizeof *values->integers);
    if (category)
        values->counts = read_items(reader, values->n, sizeof *values->counts);
}

static struct zone_record record_of(const struct record_head *head)
{
    struct zone_record record = { .row = head->row,
                                  .n_candidates = head->n_candidates,
                                  .n_selected = head->n_selected,
                                  .n_outside = head->n_outside,
                                  .n_filtered = head->n_filtered,
                                  .n_rejected = head->n_rejected,
                                  .n_decided = head->n_decided,
                                  .n_refined = head->n_refined,
                                  .n_bytes = head->n_bytes,
                                  .rank = head->rank,
                                  .n_retries = head->n_retries,
                                  .start_s = head->start_s,
                                  .wall_s = head->wall_s,
                                  .box = head->box,
                                  .area_m2 = head->area_m2,
                                  .n_vertices = head->n_vertices,
                                  .n_outputs = (int)head->n_outputs,
                                  .n_keep = (int)head->n_keep };
    memcpy(record.snapshot, head->snapshot, sizeof record.snapshot);
    return record;
}

static const struct record_head *read_head(struct reader *reader,
                                           const struct statistics *statistics)
{
    const struct record_head *head = read_items(reader, 1, sizeof *head);
    if (!head)
        return NULL;
    if (memcmp(head->magic, RECORD_MAGIC, sizeof head->magic) != 0)
        fail(reader, "it does not begin like one");
    else if (head->n_outputs != statistics_n_outputs(statistics))
        fail(reader, "it is of another set of statistics");
    else if (head->n_keep < 0 || head->n_keep > BINDING_MAX_SLOTS)
        fail(reader, "too many kept columns");
    else if (head->n_selected < 0 || head->n_rejected < 0)
        fail(reader, "a negative count");
    else if (!memchr(head->snapshot, 0, sizeof head->snapshot))
        fail(reader, "a snapshot without an end");
    return reader->status == 0 ? head : NULL;
}

int record_decode(struct zone_record *record,
                  const struct statistics *statistics,
                  const uint8_t *bytes,
                  int64_t n_bytes,
                  struct memory *memory,
                  struct error *err)
{
    struct reader reader = {
        .bytes = bytes, .n = n_bytes, .memory = memory, .err = err
    };
    const struct record_head *head = read_head(&reader, statistics);
    if (!head)
        return -1;
    struct zone_record decoded = record_of(head);
    decoded.wkb.n = head->n_wkb;
    decoded.wkb.bytes = read_items(&reader, head->n_wkb, 1);
    decoded.outputs = take(&reader, decoded.n_outputs, sizeof *decoded.outputs);
    for (int i = 0; i < decoded.n_outputs && reader.status == 0; i++)
        read_output(&reader, statistics_output(statistics, i), &decoded.outputs[i]);
    decoded.keep = take(&reader, decoded.n_keep, sizeof *decoded.keep);
    for (int i = 0; i < decoded.n_keep && reader.status == 0; i++)
        read_column(&reader, &decoded.keep[i], decoded.n_selected);
    if (decoded.n_rejected > 0) {
        read_column(&reader, &decoded.rejected_id, decoded.n_rejected);
        decoded.rejected_reason = read_texts(&reader, decoded.n_rejected);
    }
    if (reader.status == 0 && reader.at != n_bytes)
        fail(&reader, "more bytes than it needs");
    if (reader.status < 0)
        return -1;
    *record = decoded;
    return 0;
}
