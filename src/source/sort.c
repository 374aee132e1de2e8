#include "sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sort_entries.h"

enum {
    MOST_RUNS = 1024,
    LEAST_WINDOW = 64 * 1024, /* of a run that is merged: what a disk reads at once */
    PIECE = 64 * 1024,        /* what is written at once */
};

/* A run in the scratch file, and the window of it that is in memory while merging. */
struct run {
    int64_t at, n_left; /* bytes of it not yet in memory */
    uint8_t *buffer;
    int64_t used, filled;
    struct sort_entry entry; /* its least record */
};

/*
 *   bytes  | records ─►            ◄─ entries |     while adding
 *          | buffer of run 0 | of run 1 | … |       while merging
 */
struct sorter {
    char *folder;
    int file; /* -1: none yet */
    int64_t file_bytes;
    uint8_t *piece; /* [PIECE] on its way to the file */
    uint8_t *bytes;
    int64_t n_bytes, used;
    int64_t n_entries;
    int64_t longest; /* record so far */
    struct run runs[MOST_RUNS];
    int n_runs;
    int heap[MOST_RUNS]; /* runs, the one with the least record first */
    int n_heap;
    int64_t next; /* entry, where nothing was written out */
    int last;     /* run whose record was given; -1 none */
};

static struct sort_entry *entries_of(const struct sorter *sorter)
{
    return (struct sort_entry *)(void *)(sorter->bytes + sorter->n_bytes)
           - sorter->n_entries;
}

int sorter_open(struct sorter **sorter,
                const char *folder,
                int64_t n_bytes,
                struct memory *memory,
                struct error *err)
{
    n_bytes &= ~(int64_t)63;
    if (n_bytes < SORTER_LEAST_BYTES)
        return error_set(err, ERROR_BUDGET, "sorting needs 1 MiB of memory");
    struct sorter *made = calloc(1, sizeof *made);
    if (!made || !(made->folder = strdup(folder))) {
        free(made);
        return error_set(err, ERROR_BUDGET, "no memory for sorting");
    }
    made->file = -1;
    made->last = -1;
    made->n_bytes = n_bytes - PIECE;
    made->piece = memory_take(memory, MEMORY_BATCH, n_bytes, err);
    if (!made->piece) {
        sorter_close(made);
        return -1;
    }
    made->bytes = made->piece + PIECE;
    *sorter = made;
    return 0;
}

void sorter_close(struct sorter *sorter)
{
    if (!sorter)
        return;
    if (sorter->file >= 0)
        close(sorter->file);
    free(sorter->folder);
    free(sorter);
}

int64_t sorter_most_bytes(const struct sorter *sorter)
{
    return sorter->n_bytes / 5;
}

int64_t sorter_scratch_bytes(const struct sorter *sorter)
{
    return sorter->file_bytes;
}

static int open_scratch(struct sorter *sorter, struct error *err)
{
    if (sorter->file >= 0)
        return 0;
    sorter->file = open(sorter->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (sorter->file < 0) { /* a file system without nameless files */
        char name[4096];
        int n = snprintf(name, sizeof name, "%s/.rooftally-XXXXXX", sorter->folder);
        if (n > 0 && n < (int)sizeof name)
            sorter->file = mkstemp(name);
        if (sorter->file >= 0)
            unlink(name);
    }
    if (sorter->file < 0)
        return error_set(err,
                         ERROR_IO,
                         "no scratch file in %s: %s",
                         sorter->folder,
                         strerror(errno));
    return 0;
}

static int
append(struct sorter *sorter, const uint8_t *bytes, int64_t n_bytes, struct error *err)
{
    while (n_bytes > 0) {
        ssize_t n = pwrite(sorter->file, bytes, (size_t)n_bytes, sorter->file_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err,
                             ERROR_IO,
                             "scratch file in %s: %s",
                             sorter->folder,
                             n < 0 ? strerror(errno) : "the disk is full");
        bytes += n;
        n_bytes -= n;
        sorter->file_bytes += n;
    }
    return 0;
}

/* Where merging gets too wide, for the list or for windows that hold `longest`. */
static int most_runs(const struct sorter *sorter, int64_t longest)
{
    int64_t window = longest + SORT_LENGTH_BYTES;
    int64_t n = sorter->n_bytes / (window > LEAST_WINDOW ? window : LEAST_WINDOW);
    return n > MOST_RUNS ? MOST_RUNS : (int)n;
}

/* Put a record into the piece that is on its way, and send what is full. */
static int
put(struct sorter *sorter, const uint8_t *record, int64_t *used, struct error *err)
{
    int64_t n = sort_length(record) + SORT_LENGTH_BYTES;
    if (n > PIECE - *used) {
        if (append(sorter, sorter->piece, *used, err))
            return -1;
        *used = 0;
    }
    if (n > PIECE)
        return append(sorter, record, n, err);
    memcpy(sorter->piece + *used, record, (size_t)n);
    *used += n;
    return 0;
}

/* Sort what is in memory and write it out as a run. */
static int spill(struct sorter *sorter, struct error *err)
{
    if (sorter->n_entries == 0)
        return 0;
    if (open_scratch(sorter, err))
        return -1;
    struct sort_entry *entries = entries_of(sorter);
    int64_t used = 0, at = sorter->file_bytes;
    sort_entries(entries, sorter->n_entries);
    for (int64_t i = 0; i < sorter->n_entries; i++)
        if (put(sorter, entries[i].record, &used, err))
            return -1;
    if (append(sorter, sorter->piece, used, err))
        return -1;
    sorter->runs[sorter->n_runs++] =
        (struct run){ .at = at, .n_left = sorter->file_bytes - at };
    sorter->used = sorter->n_entries = 0;
    return 0;
}

static int merge_all(struct sorter *sorter, struct error *err);

/* Make room in memory, and keep the runs so few that one more can join the merge. */
static int make_room(struct sorter *sorter, int64_t longest, struct error *err)
{
    if (spill(sorter, err))
        return -1;
    return sorter->n_runs + 1 > most_runs(sorter, longest) ? merge_all(sorter, err) : 0;
}

int sorter_add(struct sorter *sorter,
               const uint8_t *record,
               int64_t n_bytes,
               struct error *err)
{
    int64_t needed = n_bytes + SORT_LENGTH_BYTES;
    int64_t entry = (int64_t)sizeof(struct sort_entry);
    int64_t longest = n_bytes > sorter->longest ? n_bytes : sorter->longest;
    if (n_bytes > sorter_most_bytes(sorter) || n_bytes > UINT32_MAX) {
        char needs[24], has[24];
        return error_set(err,
                         ERROR_BUDGET,
                         "it needs %s, sorting holds %s of one: raise [limits] memory",
                         memory_size_text(needs, n_bytes),
                         memory_size_text(has, sorter_most_bytes(sorter)));
    }
    bool is_full =
        needed + entry * (sorter->n_entries + 1) > sorter->n_bytes - sorter->used;
    bool is_wide =
        sorter->n_runs > 0 && sorter->n_runs + 1 > most_runs(sorter, longest);
    if ((is_full || is_wide) && make_room(sorter, longest, err))
        return -1;
    sorter->longest = longest;
    uint8_t *to = sorter->bytes + sorter->used;
    uint32_t length = (uint32_t)n_bytes;
    memcpy(to, &length, sizeof length);
    memcpy(to + SORT_LENGTH_BYTES, record, (size_t)n_bytes);
    sorter->used += needed;
    sorter->n_entries++;
    *entries_of(sorter) = sort_entry_of(to);
    return 0;
}

/* Move what is left of a run's window to its front and read on behind it. */
static int
refill(struct sorter *sorter, struct run *run, int64_t size, struct error *err)
{
    int64_t kept = run->filled - run->used;
    memmove(run->buffer, run->buffer + run->used, (size_t)kept);
    run->used = 0;
    run->filled = kept;
    while (run->n_left > 0 && run->filled < size) {
        int64_t n_room = size - run->filled;
        ssize_t n = pread(sorter->file,
                          run->buffer + run->filled,
                          (size_t)(run->n_left < n_room ? run->n_left : n_room),
                          run->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err,
                             ERROR_IO,
                             "scratch file in %s: %s",
                             sorter->folder,
                             n < 0 ? strerror(errno) : "it was cut off");
        run->filled += n;
        run->at += n;
        run->n_left -= n;
    }
    return 0;
}

static int64_t buffer_bytes(const struct sorter *sorter)
{
    return sorter->n_bytes / (sorter->n_runs > 0 ? sorter->n_runs : 1);
}

/* Bring the next record of a run into its window: 1, 0 at its end, -1. */
static int advance(struct sorter *sorter, struct run *run, struct error *err)
{
    int64_t size = buffer_bytes(sorter);
    for (int tries = 0;; tries++) {
        int64_t n = run->filled - run->used;
        if (n == 0 && run->n_left == 0)
            return 0;
        if (n >= SORT_LENGTH_BYTES
            && n - SORT_LENGTH_BYTES >= sort_length(run->buffer + run->used))
            break;
        if (tries > 0)
            return error_set(err,
                             ERROR_IO,
                             "scratch file in %s: it is damaged",
                             sorter->folder);
        if (refill(sorter, run, size, err))
            return -1;
    }
    run->entry = sort_entry_of(run->buffer + run->used);
    return 1;
}

static bool is_less(const struct sorter *sorter, int a, int b)
{
    return sort_compare(&sorter->runs[a].entry, &sorter->runs[b].entry) < 0;
}

static void sift_down(struct sorter *sorter, int at)
{
    for (int child; (child = 2 * at + 1) < sorter->n_heap; at = child) {
        int *heap = sorter->heap, kept = heap[at];
        if (child + 1 < sorter->n_heap && is_less(sorter, heap[child + 1], heap[child]))
            child++;
        if (!is_less(sorter, heap[child], kept))
            return;
        heap[at] = heap[child];
        heap[child] = kept;
    }
}

static int start_merge(struct sorter *sorter, struct error *err)
{
    int64_t size = buffer_bytes(sorter);
    sorter->n_heap = 0;
    sorter->last = -1;
    for (int i = 0; i < sorter->n_runs; i++) {
        struct run *run = &sorter->runs[i];
        run->buffer = sorter->bytes + i * size;
        run->used = run->filled = 0;
        int status = advance(sorter, run, err);
        if (status < 0)
            return -1;
        if (status > 0)
            sorter->heap[sorter->n_heap++] = i;
    }
    for (int i = sorter->n_heap / 2; i-- > 0;)
        sift_down(sorter, i);
    return 0;
}

/* The next record of all runs, with its length in front. */
static int next_merged(struct sorter *sorter, const uint8_t **record, struct error *err)
{
    if (sorter->last >= 0) {
        struct run *run = &sorter->runs[sorter->last];
        run->used += sort_length(run->entry.record) + SORT_LENGTH_BYTES;
        int status = advance(sorter, run, err);
        if (status < 0)
            return -1;
        if (status == 0)
            sorter->heap[0] = sorter->heap[--sorter->n_heap];
        sift_down(sorter, 0);
    }
    if (sorter->n_heap == 0)
        return 0;
    sorter->last = sorter->heap[0];
    *record = sorter->runs[sorter->last].entry.record;
    return 1;
}

/* Merge all runs into one, behind them in the file. */
static int merge_all(struct sorter *sorter, struct error *err)
{
    const uint8_t *record;
    int64_t used = 0, at = sorter->file_bytes;
    int more;
    if (start_merge(sorter, err))
        return -1;
    while ((more = next_merged(sorter, &record, err)) == 1)
        if (put(sorter, record, &used, err))
            return -1;
    if (more < 0 || append(sorter, sorter->piece, used, err))
        return -1;
    sorter->runs[0] = (struct run){ .at = at, .n_left = sorter->file_bytes - at };
    sorter->n_runs = 1;
    return 0;
}

int sorter_end(struct sorter *sorter, struct error *err)
{
    if (sorter->n_runs == 0) {
        sort_entries(entries_of(sorter), sorter->n_entries);
        return 0;
    }
    if (spill(sorter, err))
        return -1;
    return start_merge(sorter, err);
}

int sorter_next(struct sorter *sorter,
                const uint8_t **record,
                int64_t *n_bytes,
                struct error *err)
{
    const uint8_t *found;
    if (sorter->n_runs == 0) {
        if (sorter->next == sorter->n_entries)
            return 0;
        found = entries_of(sorter)[sorter->next++].record;
    } else {
        int status = next_merged(sorter, &found, err);
        if (status <= 0)
            return status;
    }
    *n_bytes = sort_length(found);
    *record = found + SORT_LENGTH_BYTES;
    return 1;
}
