#include "sort.h"

#include <stdlib.h>
#include <string.h>

#include "sort_parts.h"

enum {
    LEAST_WINDOW = 64 * 1024, /* of a run that is merged: what a disk reads at once */
    LEAST_RUN = 1 << 20,
    MOST_RUN = 64 << 20, /* longer ones sort no faster, and keep the disk idle */
    MOST_SHARE = 64,     /* of what came before a run: a 64th */
};

static struct sort_entry *entries_of(const struct sorter *sorter)
{
    return (struct sort_entry *)(void *)(sorter->bytes + sorter->n_run)
           - sorter->n_entries;
}

/*
 * What the next run may take. Short runs are sorted where the caches reach, and whoever
 * sends the records does not wait long; but the more there are, the more has to be merged
 * at once. So a run is a fixed share of all that has come before it.
 */
static void begin_run(struct sorter *sorter, int most, int64_t needed)
{
    int64_t share = most / (16 * (int64_t)sorter->team->size);
    share = share > MOST_SHARE ? MOST_SHARE : share < 1 ? 1 : share;
    int64_t n = sorter->n_spilled / share;
    n = n > LEAST_RUN ? n < MOST_RUN ? n : MOST_RUN : LEAST_RUN;
    n = (n > 4 * needed ? n : 4 * needed) & ~(int64_t)63;
    sorter->n_run = n < sorter->n_bytes - RUN_PIECE ? RUN_PIECE + n : sorter->n_bytes;
}

int sorter_open(struct sorter **sorter,
                struct scratch *scratch,
                const struct sort_weights *weights,
                const struct team *team,
                uint8_t *bytes,
                int64_t n_bytes,
                struct error *err)
{
    char needs[24];
    n_bytes &= ~(int64_t)63;
    if (n_bytes < SORTER_LEAST_BYTES)
        return error_set(err,
                         ERROR_BUDGET,
                         "sorting needs %s at least: raise [limits] memory",
                         memory_size_text(needs, SORTER_LEAST_BYTES));
    struct sorter *made = calloc(1, sizeof *made);
    if (made)
        made->tables = calloc((size_t)team->size, sizeof *made->tables);
    if (!made || !made->tables) {
        sorter_close(made);
        return error_set(err, ERROR_BUDGET, "no memory for sorting");
    }
    made->scratch = scratch;
    made->weights = weights;
    made->team = team;
    made->bytes = bytes;
    made->n_bytes = n_bytes;
    made->used = RUN_PIECE;
    *sorter = made;
    return 0;
}

void sorter_close(struct sorter *sorter)
{
    if (!sorter)
        return;
    free(sorter->tables);
    free(sorter);
}

int64_t sorter_most_bytes(const struct sorter *sorter)
{
    return (sorter->n_bytes - RUN_PIECE) / 5;
}

/* What merging takes of memory for one run, at the least. */
static int64_t least_of_run(int64_t longest)
{
    return longest + SORT_LENGTH_BYTES
           + (int64_t)(sizeof(struct reading) + sizeof(int));
}

/* Where merging gets too wide, for the list or for windows that hold `longest`. */
static int most_runs(int64_t n_bytes, int64_t longest)
{
    int64_t each = least_of_run(longest);
    int64_t n = n_bytes / (each > LEAST_WINDOW ? each : LEAST_WINDOW);
    return n > SORTER_MOST_RUNS ? SORTER_MOST_RUNS : (int)n;
}

static void insert_run(struct sorter *sorter, const struct run *run)
{
    int i = sorter->n_runs++;
    for (; i > 0 && sorter->runs[i - 1].n_bytes < run->n_bytes; i--)
        sorter->runs[i] = sorter->runs[i - 1];
    sorter->runs[i] = *run;
}

/* Sort what is in memory and write it out as a run. */
static int spill(struct sorter *sorter, struct error *err)
{
    enum { AHEAD = 8, LINE = 64, LINES = 4 };
    struct sort_entry *entries = entries_of(sorter);
    struct run run;
    if (sorter->n_entries == 0)
        return 0;
    sort_entries(entries, sorter->n_entries);
    run_begin(&sorter->writer,
              sorter->scratch,
              sorter->weights,
              sorter->bytes,
              sorter->used - RUN_PIECE);
    for (int64_t i = 0; i < sorter->n_entries; i++) {
        for (int line = 0; i + AHEAD < sorter->n_entries && line < LINES; line++)
            __builtin_prefetch(entries[i + AHEAD].record + LINE * line);
        if (run_put(&sorter->writer, &entries[i], err))
            return -1;
    }
    if (run_end(&sorter->writer, &run, err))
        return -1;
    insert_run(sorter, &run);
    sorter->n_spilled += run.n_bytes;
    sorter->used = RUN_PIECE;
    sorter->n_entries = 0;
    return 0;
}

static int merge_into(struct sorter *sorter, struct merge *merge, struct error *err)
{
    struct sort_entry entry;
    int more;
    while ((more = merge_next(merge, false, &entry, err)) == 1)
        if (run_put(&sorter->writer, &entry, err))
            return -1;
    return more;
}

/* Where the windows begin behind n readings and the tree of them. */
static int64_t lay_merge(uint8_t *bytes, int n, struct reading **readings, int **tree)
{
    *readings = (struct reading *)(void *)bytes;
    *tree = (int *)(void *)(*readings + n);
    return (int64_t)n * (int64_t)(sizeof **readings + sizeof **tree);
}

/* Merge the n shortest runs into one; nothing is in memory. */
static int merge_shortest(struct sorter *sorter, int n, struct error *err)
{
    struct merge merge;
    struct reading *readings;
    struct run run, *from = &sorter->runs[sorter->n_runs - n];
    int *tree;
    int64_t sum = 0;
    int64_t at = RUN_PIECE + lay_merge(sorter->bytes + RUN_PIECE, n, &readings, &tree);
    for (int i = 0; i < n; i++) {
        readings[i] = (struct reading){ .rank = sorter->scratch->rank,
                                        .at = from[i].at,
                                        .n_left = from[i].n_bytes };
        sum += from[i].n_bytes;
    }
    run_begin(&sorter->writer, sorter->scratch, sorter->weights, sorter->bytes, sum);
    if (merge_start(&merge,
                    sorter->scratch,
                    readings,
                    n,
                    tree,
                    sorter->bytes + at,
                    sorter->n_bytes - at,
                    err)
        || merge_into(sorter, &merge, err) || run_end(&sorter->writer, &run, err))
        return -1;
    for (int i = 0; i < n; i++)
        scratch_drop(sorter->scratch, from[i].at, from[i].n_bytes);
    sorter->n_runs -= n;
    insert_run(sorter, &run);
    return 0;
}

/* Make room in memory, and keep the runs so few that one more can join the merge. */
static int make_room(struct sorter *sorter, int most, struct error *err)
{
    int at_once = most_runs(sorter->n_bytes - RUN_PIECE, sorter->longest);
    if (spill(sorter, err))
        return -1;
    while (sorter->n_runs >= most) {
        int half = sorter->n_runs / 2 < 2 ? 2 : sorter->n_runs / 2;
        if (merge_shortest(sorter, half < at_once ? half : at_once, err))
            return -1;
    }
    return 0;
}

uint8_t *sorter_room(struct sorter *sorter, int64_t n_bytes, struct error *err)
{
    int64_t needed = n_bytes + SORT_LENGTH_BYTES;
    int64_t entry = (int64_t)sizeof(struct sort_entry);
    int64_t longest = n_bytes > sorter->longest ? n_bytes : sorter->longest;
    if (n_bytes > sorter_most_bytes(sorter) || n_bytes > UINT32_MAX) {
        char needs[24], has[24];
        error_set(err,
                  ERROR_BUDGET,
                  "it needs %s, sorting holds %s of one: raise [limits] memory",
                  memory_size_text(needs, n_bytes),
                  memory_size_text(has, sorter_most_bytes(sorter)));
        return NULL;
    }
    int most = most_runs(sorter->n_bytes - RUN_PIECE, longest);
    bool is_full =
        needed + entry * (sorter->n_entries + 1) > sorter->n_run - sorter->used;
    bool is_wide = longest > sorter->longest && sorter->n_runs >= most;
    if ((is_full || is_wide) && make_room(sorter, most, err))
        return NULL;
    if (sorter->n_entries == 0)
        begin_run(sorter, most, needed);
    sorter->longest = longest;
    uint8_t *to = sorter->bytes + sorter->used;
    uint32_t length = (uint32_t)n_bytes;
    memcpy(to, &length, sizeof length);
    return to + SORT_LENGTH_BYTES;
}

void sorter_add(struct sorter *sorter)
{
    const uint8_t *record = sorter->bytes + sorter->used;
    sorter->used += sort_length(record) + SORT_LENGTH_BYTES;
    sorter->n_entries++;
    *entries_of(sorter) = sort_entry_of(record);
}

/* Leave at most n runs; the memory merges `most` of them at once. */
static int shrink(struct sorter *sorter, int n, struct error *err)
{
    int most = most_runs(sorter->n_bytes - RUN_PIECE, sorter->longest);
    while (sorter->n_runs > n) {
        int too_many = sorter->n_runs - n + 1;
        if (merge_shortest(sorter, too_many < most ? too_many : most, err))
            return -1;
    }
    return 0;
}

int sorter_end(struct sorter *sorter, int status, int64_t n_bytes, struct error *err)
{
    const struct team *team = sorter->team;
    if (status == 0)
        status = spill(sorter, err);
    int64_t greatest[2] = { sorter->longest, -n_bytes };
    if (team_agree(team, status, err) || team_max(team, greatest, 2, err))
        return -1;
    int64_t least = least_of_run(greatest[0]) * team->size;
    if (least > -greatest[1]) {
        char needs[24], has[24];
        return error_set(err,
                         ERROR_BUDGET,
                         "sorting on %d ranks needs %s, %s are there: raise [limits] "
                         "memory, or start fewer",
                         team->size,
                         memory_size_text(needs, least),
                         memory_size_text(has, -greatest[1]));
    }
    int most = most_runs(-greatest[1], greatest[0]) / team->size;
    status = shrink(sorter, most < 1 ? 1 : most, err);
    sorter->longest = greatest[0];
    return sort_deal(sorter, status, err);
}

void sorter_sums(const struct sorter *sorter,
                 int64_t *before,
                 int64_t *own,
                 int64_t *all)
{
    size_t n = (1 + (size_t)sorter->weights->n_weights) * sizeof *before;
    memcpy(before, sorter->before, n);
    memcpy(own, sorter->own, n);
    memcpy(all, sorter->all, n);
}

/* This rank's range of every run of every rank. */
static int
find_ranges(const struct sorter *sorter, struct reading *readings, struct error *err)
{
    int rank = sorter->team->rank, size = sorter->team->size, n = 0;
    for (int from = 0; from < size; from++)
        for (int64_t run = 0; run < sorter->tables[from].n_runs; run++) {
            int64_t cuts[2];
            int64_t at = sorter->tables[from].at + 8 * (run * (size + 1) + rank);
            if (scratch_read(sorter->scratch, from, at, cuts, sizeof cuts, err))
                return -1;
            readings[n++] = (struct reading){ .rank = from,
                                              .at = cuts[0],
                                              .n_left = cuts[1] - cuts[0] };
        }
    return 0;
}

int sorter_start(struct sorter *sorter,
                 int64_t n_bytes,
                 struct memory *memory,
                 struct error *err)
{
    struct reading *readings;
    int *tree, n = 0;
    uint8_t *bytes = memory_take(memory, MEMORY_BATCH, n_bytes, err);
    if (!bytes)
        return -1;
    for (int rank = 0; rank < sorter->team->size; rank++)
        n += (int)sorter->tables[rank].n_runs;
    int64_t at = lay_merge(bytes, n, &readings, &tree);
    if (find_ranges(sorter, readings, err))
        return -1;
    return merge_start(&sorter->merge,
                       sorter->scratch,
                       readings,
                       n,
                       tree,
                       bytes + at,
                       n_bytes - at,
                       err);
}

int sorter_next(struct sorter *sorter,
                int32_t most,
                const uint8_t **records,
                int32_t *n,
                struct error *err)
{
    int32_t taken = 0;
    while (taken < most) {
        struct sort_entry entry;
        int status = merge_next(&sorter->merge, taken > 0, &entry, err);
        if (status < 0)
            return -1;
        if (status == 0)
            break;
        records[taken++] = entry.record + SORT_LENGTH_BYTES;
    }
    *n = taken;
    return 0;
}
