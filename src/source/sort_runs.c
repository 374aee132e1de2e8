#include "sort_runs.h"

#include <stddef.h>
#include <string.h>

int64_t run_mark_bytes(int n_weights)
{
    return (int64_t)offsetof(struct run_mark, sums) + 8 * (1 + (int64_t)n_weights);
}

void run_begin(struct run_writer *writer,
               struct scratch *scratch,
               const struct sort_weights *weights,
               uint8_t *piece,
               int64_t n_bytes)
{
    writer->scratch = scratch;
    writer->weights = weights;
    writer->run = (struct run){ .at = scratch->n_bytes };
    writer->interval = n_bytes / RUN_MARKS + 1;
    writer->next_mark = writer->written = writer->used = 0;
    memset(writer->sums, 0, sizeof writer->sums);
    writer->piece = piece;
}

static int flush(struct run_writer *writer, struct error *err)
{
    int64_t n = writer->used;
    writer->used = 0;
    return scratch_append(writer->scratch, writer->piece, n, err);
}

static void set_mark(struct run_writer *writer, uint64_t prefix)
{
    struct run_mark *mark = &writer->marks[writer->run.n_marks++];
    mark->prefix = prefix;
    mark->at = writer->run.at + writer->written;
    memcpy(mark->sums, writer->sums, sizeof mark->sums);
    writer->next_mark = writer->written + writer->interval;
}

int run_put(struct run_writer *writer,
            const struct sort_entry *entry,
            struct error *err)
{
    int64_t weights[SORTER_MOST_WEIGHTS];
    int64_t n = sort_length(entry->record) + SORT_LENGTH_BYTES;
    if (writer->written >= writer->next_mark && writer->run.n_marks < RUN_MARKS)
        set_mark(writer, entry->prefix);
    writer->weights->weigh(writer->weights->context,
                           entry->record + SORT_LENGTH_BYTES,
                           weights);
    writer->sums[0]++;
    for (int i = 0; i < writer->weights->n_weights; i++)
        writer->sums[1 + i] += weights[i];
    writer->written += n;
    if (n > RUN_PIECE - writer->used && flush(writer, err))
        return -1;
    if (n > RUN_PIECE)
        return scratch_append(writer->scratch, entry->record, n, err);
    memcpy(writer->piece + writer->used, entry->record, (size_t)n);
    writer->used += n;
    return 0;
}

int run_end(struct run_writer *writer, struct run *run, struct error *err)
{
    if (flush(writer, err))
        return -1;
    writer->run.n_bytes = writer->written;
    writer->run.marks_at = writer->scratch->n_bytes;
    for (int i = 0; i < writer->run.n_marks; i++)
        if (scratch_append(writer->scratch,
                           &writer->marks[i],
                           run_mark_bytes(writer->weights->n_weights),
                           err))
            return -1;
    memcpy(writer->run.sums, writer->sums, sizeof writer->run.sums);
    *run = writer->run;
    return 0;
}

/* Move what is left of a window to its front and read on behind it. */
static int refill(const struct merge *merge, struct reading *reading, struct error *err)
{
    int64_t kept = reading->filled - reading->used, room = merge->window - kept;
    int64_t n = reading->n_left < room ? reading->n_left : room;
    memmove(reading->buffer, reading->buffer + reading->used, (size_t)kept);
    reading->used = 0;
    reading->filled = kept;
    if (scratch_read(merge->scratch,
                     reading->rank,
                     reading->at,
                     reading->buffer + kept,
                     n,
                     err))
        return -1;
    reading->filled += n;
    reading->at += n;
    reading->n_left -= n;
    return 0;
}

static bool has_record(const struct reading *reading)
{
    int64_t n = reading->filled - reading->used;
    return n >= SORT_LENGTH_BYTES
           && n - SORT_LENGTH_BYTES >= sort_length(reading->buffer + reading->used);
}

/* Bring the next record of a run into its window: 1, 0 at its end, -1. */
static int
advance(const struct merge *merge, struct reading *reading, struct error *err)
{
    if (!has_record(reading)) {
        if (reading->filled == reading->used && reading->n_left == 0)
            return 0;
        if (refill(merge, reading, err))
            return -1;
        if (!has_record(reading))
            return error_set(err,
                             ERROR_IO,
                             "scratch file in %s: it is damaged",
                             merge->scratch->folder);
    }
    reading->entry = sort_entry_of(reading->buffer + reading->used);
    return 1;
}

static bool is_less(const struct merge *merge, int a, int b)
{
    return sort_compare(&merge->readings[a].entry, &merge->readings[b].entry) < 0;
}

static void sift_down(struct merge *merge, int at)
{
    int *heap = merge->heap;
    for (int child; (child = 2 * at + 1) < merge->n_heap; at = child) {
        int kept = heap[at];
        if (child + 1 < merge->n_heap && is_less(merge, heap[child + 1], heap[child]))
            child++;
        if (!is_less(merge, heap[child], kept))
            return;
        heap[at] = heap[child];
        heap[child] = kept;
    }
}

int merge_start(struct merge *merge,
                const struct scratch *scratch,
                struct reading *readings,
                int n,
                int *heap,
                uint8_t *bytes,
                int64_t n_bytes,
                struct error *err)
{
    *merge = (struct merge){ .scratch = scratch,
                             .readings = readings,
                             .n_readings = n,
                             .window = n_bytes / (n > 0 ? n : 1),
                             .heap = heap,
                             .last = -1 };
    for (int i = 0; i < n; i++) {
        readings[i].buffer = bytes + i * merge->window;
        readings[i].used = readings[i].filled = 0;
        int status = advance(merge, &readings[i], err);
        if (status < 0)
            return -1;
        if (status > 0)
            heap[merge->n_heap++] = i;
    }
    for (int i = merge->n_heap / 2; i-- > 0;)
        sift_down(merge, i);
    return 0;
}

int merge_next(struct merge *merge, const struct sort_entry **entry, struct error *err)
{
    if (merge->last >= 0) {
        struct reading *reading = &merge->readings[merge->last];
        reading->used += sort_length(reading->entry.record) + SORT_LENGTH_BYTES;
        int status = advance(merge, reading, err);
        if (status < 0)
            return -1;
        if (status == 0)
            merge->heap[0] = merge->heap[--merge->n_heap];
        sift_down(merge, 0);
    }
    if (merge->n_heap == 0) {
        merge->last = -1;
        return 0;
    }
    merge->last = merge->heap[0];
    *entry = &merge->readings[merge->last].entry;
    return 1;
}
