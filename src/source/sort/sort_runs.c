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
    scratch_align(scratch, RUN_PIECE);
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

/* Only whole pieces are written: see RUN_PIECE. */
static int
put(struct run_writer *writer, const uint8_t *bytes, int64_t n, struct error *err)
{
    while (n > 0) {
        int64_t room = RUN_PIECE - writer->used, part = n < room ? n : room;
        memcpy(writer->piece + writer->used, bytes, (size_t)part);
        writer->used += part;
        if (writer->used == RUN_PIECE && flush(writer, err))
            return -1;
        bytes += part;
        n -= part;
    }
    return 0;
}

static void set_mark(struct run_writer *writer, int i, uint64_t prefix)
{
    struct run_mark *mark = &writer->marks[i];
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
        set_mark(writer, writer->run.n_marks++, entry->prefix);
    writer->weights->weigh(writer->weights->context,
                           entry->record + SORT_LENGTH_BYTES,
                           weights);
    writer->sums[0]++;
    for (int i = 0; i < writer->weights->n_weights; i++)
        writer->sums[1 + i] += weights[i];
    writer->written += n;
    return put(writer, entry->record, n, err);
}

int run_end(struct run_writer *writer, struct run *run, struct error *err)
{
    if (flush(writer, err))
        return -1;
    writer->run.n_bytes = writer->written;
    writer->run.marks_at = writer->scratch->n_bytes;
    int64_t n = run_mark_bytes(writer->weights->n_weights);
    set_mark(writer, writer->run.n_marks, UINT64_MAX);
    for (int i = 0; i <= writer->run.n_marks; i++)
        memcpy(writer->piece + i * n, &writer->marks[i], (size_t)n);
    writer->used = (writer->run.n_marks + 1) * n;
    if (flush(writer, err))
        return -1;
    *run = writer->run;
    return 0;
}

/* Move what is left of a window to its front and read on behind it: no more than the
 * caches like, unless a record needs it. */
static int refill(const struct merge *merge, struct reading *reading, struct error *err)
{
    int64_t kept = reading->filled - reading->used, room = merge->window;
    memmove(reading->buffer, reading->buffer + reading->used, (size_t)kept);
    reading->used = 0;
    reading->filled = kept;
    if (room > RUN_WINDOW && kept < RUN_WINDOW)
        room = RUN_WINDOW;
    int64_t n = reading->n_left < room - kept ? reading->n_left : room - kept;
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
    if ((reading->at - n) / RUN_AHEAD != reading->at / RUN_AHEAD && reading->n_left > 0)
        scratch_expect(merge->scratch, reading->rank, reading->at, RUN_AHEAD);
    return 0;
}

static bool has_record(const struct reading *reading)
{
    int64_t n = reading->filled - reading->used;
    return n >= SORT_LENGTH_BYTES
           && n - SORT_LENGTH_BYTES >= sort_length(reading->buffer + reading->used);
}

static bool is_at_end(const struct reading *reading)
{
    return reading->filled == reading->used && reading->n_left == 0;
}

/* The windows of many runs are more streams than a processor foresees: ask for what will
 * be wanted of this one next. */
static void look_ahead(const struct reading *reading)
{
    enum { LINE = 64, FIRST = 256, END = FIRST + 4 * LINE };
    const uint8_t *at = reading->entry.record;
    for (int i = FIRST; i < END; i += LINE)
        __builtin_prefetch(at + i);
}

/* Bring the next record of a run into its window, or note that there is none. */
static int
advance(const struct merge *merge, struct reading *reading, struct error *err)
{
    if (is_at_end(reading)) {
        reading->entry = (struct sort_entry){ UINT64_MAX, NULL };
        return 0;
    }
    for (int64_t before = -1; !has_record(reading);) {
        if (reading->filled - reading->used == before)
            return scratch_damaged(merge->scratch, err);
        before = reading->filled - reading->used;
        if (refill(merge, reading, err))
            return -1;
    }
    reading->entry = sort_entry_of(reading->buffer + reading->used);
    look_ahead(reading);
    return 0;
}

/* One that is at its end comes after all records. */
static bool is_less(const struct merge *merge, int a, int b)
{
    const struct sort_entry *x = &merge->readings[a].entry;
    const struct sort_entry *y = &merge->readings[b].entry;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix;
    if (!x->record || !y->record)
        return x->record != NULL;
    return sort_compare(x, y) < 0;
}

/* A reading that has a new record rises from its leaf for as long as it wins; each loser
 * stays where it lost. While the tree is made, the first to come to a place waits there. */
static void rise(struct merge *merge, int reading)
{
    for (int at = (reading + merge->n_readings) / 2; at > 0; at /= 2) {
        int there = merge->tree[at];
        if (there < 0) {
            merge->tree[at] = reading;
            return;
        }
        if (is_less(merge, there, reading)) {
            merge->tree[at] = reading;
            reading = there;
        }
    }
    merge->tree[0] = reading;
}

int merge_start(struct merge *merge,
                const struct scratch *scratch,
                struct reading *readings,
                int n,
                int *tree,
                uint8_t *bytes,
                int64_t n_bytes,
                struct error *err)
{
    *merge = (struct merge){ .scratch = scratch,
                             .readings = readings,
                             .n_readings = n,
                             .window = n_bytes / (n > 0 ? n : 1),
                             .tree = tree };
    for (int i = 0; i < n; i++) {
        readings[i].buffer = bytes + i * merge->window;
        readings[i].used = readings[i].filled = 0;
        if (advance(merge, &readings[i], err))
            return -1;
        tree[i] = -1;
    }
    for (int i = 0; i < n; i++)
        rise(merge, i);
    return 0;
}

int merge_next(struct merge *merge,
               bool keep,
               struct sort_entry *entry,
               struct error *err)
{
    if (merge->n_readings == 0)
        return 0;
    struct reading *reading = &merge->readings[merge->tree[0]];
    if (merge->is_given) {
        int64_t n = sort_length(reading->entry.record) + SORT_LENGTH_BYTES;
        reading->used += n;
        if (keep && !has_record(reading) && !is_at_end(reading)) {
            reading->used -= n;
            return 0;
        }
        if (advance(merge, reading, err))
            return -1;
        rise(merge, merge->tree[0]);
        reading = &merge->readings[merge->tree[0]];
    }
    merge->is_given = reading->entry.record != NULL;
    *entry = reading->entry;
    return merge->is_given;
}
