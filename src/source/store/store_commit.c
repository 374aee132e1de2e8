/*
 * From rows that are added to a store: sizes of all ranks together, a layout made by the first, a
 * share of every dataset filled by each, and a name at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/base/thread.h"

#include "store_parts.h"
#include "store_writer.h"

/* What is written between two syncs: of all ranks, for each syncs the whole file, and at least
 * of one. */
enum { SYNC_BYTES = 32 << 20, LEAST_SYNC_BYTES = 8 << 20 };

/* What this rank fills, by parts. */
static void find_ranges(struct collected *c)
{
    for (int part = 0; part < store_writer_parts(c); part++) {
        struct store_range *range = &c->ranges[part];
        int64_t before[1 + SORTER_MOST_WEIGHTS] = { 0 };
        int64_t own[1 + SORTER_MOST_WEIGHTS] = { 0 };
        int64_t all[1 + SORTER_MOST_WEIGHTS] = { 0 };
        if (c->buckets)
            buckets_sums(c->buckets, part, before, own, all);
        else
            sorter_sums(c->sorter, before, own, all);
        c->size.n = all[0];
        c->size.n_wkb = all[1];
        *range = (struct store_range){
            .first = before[0], .n = own[0], .first_wkb = before[1], .n_wkb = own[1]
        };
        for (int i = 0, text = 2; i < c->shape.plan->n_fields; i++)
            if (c->words[i]) {
                c->size.fields[i].n_text = all[text];
                range->first_text[i] = before[text++];
            }
    }
}

/* What this rank has counted of a table becomes what all have. Collective and agreed. */
static int unite(struct store_writer *writer, struct collected *c, struct error *err)
{
    const struct team *team = writer->team;
    int64_t n_null[STORE_MOST_FIELDS];
    int n_fields = c->shape.plan->n_fields;
    for (int i = 0; i < n_fields; i++)
        n_null[i] = c->size.fields[i].n_null;
    if (team_sum(team, n_null, n_fields, err)
        || team_max(team, &c->size.id_bytes, 1, err))
        return -1;
    find_ranges(c);
    for (int i = 0; i < n_fields; i++) {
        c->size.fields[i].n_null = n_null[i];
        if (!c->words[i])
            continue;
        if (words_unite(c->words[i], writer->room, team, err))
            return -1;
        words_sort(c->words[i]);
    }
    return 0;
}

void store_writer_name(const struct store_writer *writer, char *name, size_t n)
{
    snprintf(name, n, "/proc/self/fd/%d", writer->file);
}

static int cannot_write(const struct store_writer *writer, struct error *err)
{
    return error_set(err, ERROR_IO, "%s: %s", writer->path, file_reason(errno));
}

/* Agree that what this rank has written is there for the others to read: on another host
 * only once it has left this one. */
static int settle(const struct store_writer *writer, int status, struct error *err)
{
    bool is_far = writer->has_name && writer->team->size > 1;
    if (status == 0 && is_far && fdatasync(writer->file) != 0)
        status = cannot_write(writer, err);
    return team_agree(writer->team, status, err);
}

/* The first rank makes the layout, all open it. Collective and agreed. */
static int lay_out(struct store_writer *writer, struct error *err)
{
    char name[4096];
    int status = 0;
    store_writer_name(writer, name, sizeof name);
    if (writer->team->rank == 0) {
        struct store_size *size = malloc(sizeof *size);
        if (!size)
            status = error_set(err, ERROR_BUDGET, "no memory for a store");
        else
            *size = (struct store_size){ writer->zones.size,
                                         writer->buildings.size,
                                         writer->extent };
        if (size)
            status = store_create(name, &writer->plan, size, err);
        free(size);
    }
    if (settle(writer, status, err))
        return -1;
    status = store_open(&writer->store, name, true, err);
    return team_agree(writer->team, status, err);
}

/* What all rows of both tables sum up to, from all ranks, in halves so that no sum of
 * theirs overflows. Collective. */
static int put_content(struct store_writer *writer, struct error *err)
{
    uint64_t content[2] = { writer->zones.content, writer->buildings.content };
    int64_t halves[4];
    for (int i = 0; i < 4; i++)
        halves[i] = (int64_t)(content[i / 2] >> i % 2 * 32 & UINT32_MAX);
    if (team_sum(writer->team, halves, 4, err))
        return -1;
    for (int i = 0; i < 2; i++)
        content[i] = (uint64_t)halves[2 * i] + ((uint64_t)halves[2 * i + 1] << 32);
    if (writer->team->rank > 0)
        return 0;
    const struct store *store = writer->store;
    return store_write(store, store->content_at, content, sizeof content, err);
}

/* Blocks of this rank on their way into the store, by parts. */
struct block_filling {
    struct store_writer *writer;
    struct store_parts parts;
    struct memory rooms[BUCKETS_MOST_PARTS];
    int n;
};

/* Every few thousand rows the caller is asked whether to go on. */
static int fill_some_blocks(void *context, int part, struct error *err)
{
    enum { AT_ONCE = 64 };
    struct block_filling *f = context;
    const struct store *store = f->writer->store;
    int64_t share = (int64_t)f->writer->team->rank * f->n + part;
    int64_t n_shares = (int64_t)f->writer->team->size * f->n;
    int64_t end = store->n_blocks * (share + 1) / n_shares, n;
    for (int64_t at = store->n_blocks * share / n_shares; at < end; at += n) {
        n = end - at < AT_ONCE ? end - at : AT_ONCE;
        if (store_fill_blocks(store, at, n, &f->rooms[part], err)
            || store_parts_go_on(&f->parts, store_writer_share(1), err))
            return -1;
    }
    return 0;
}

static int fill_blocks(struct store_writer *writer, struct error *err)
{
    struct memory_mark mark = memory_mark(writer->memory);
    struct block_filling f = { .writer = writer, .n = store_parts(writer->team) };
    int64_t n_bytes = store_fill_blocks_bytes(writer->store);
    int status = 0;
    store_parts_init(&f.parts, &writer->options);
    for (int part = 0; part < f.n && status == 0; part++) {
        f.rooms[part].budget_bytes = n_bytes;
        f.rooms[part].base = memory_take(writer->memory, MEMORY_BATCH, n_bytes, err);
        status = f.rooms[part].base ? 0 : -1;
    }
    if (status == 0)
        status = store_parts_run(&f.parts, f.n, fill_some_blocks, &f, err);
    memory_rewind(writer->memory, &mark);
    return status;
}

static void *free_scratch(void *scratch)
{
    scratch_close(scratch);
    return NULL;
}

/* The blocks; and meanwhile the disk takes the columns, and scratch space is freed, which
 * takes as long. */
static int finish_tables(struct store_writer *writer, struct error *err)
{
    pthread_t thread;
    syncer_begin(writer->syncer);
    bool has_thread = thread_start(&thread, free_scratch, &writer->scratch);
    int status = put_content(writer, err) || fill_blocks(writer, err) ? -1 : 0;
    if (has_thread)
        pthread_join(thread, NULL);
    scratch_close(&writer->scratch);
    return status;
}

/* Buildings that are kept stay where they are, until they are in the file. */
static int take_kept(struct store_writer *writer, struct error *err)
{
    int64_t n = buckets_kept_bytes(writer->buildings.buckets);
    if (n == 0)
        return 0;
    const uint8_t *bytes = memory_take(writer->memory, MEMORY_BATCH, n, err);
    if (bytes && bytes != writer->bytes)
        return error_set(err, ERROR_INTERNAL, "kept buildings have moved");
    return bytes ? 0 : -1;
}

/* Every rank its rows, then, of whole tables, its blocks. Collective and agreed. */
static int fill(struct store_writer *writer, struct error *err)
{
    const struct store *store = writer->store;
    const struct crs *crs = writer->plan.measured_in;
    struct crs own;
    if (!crs && crs_read(&own, writer->plan.crs, err))
        return settle(writer, -1, err);
    if (!crs)
        crs = &own;
    /* what is kept takes the memory that zones are merged in, and makes room for it first */
    int status = take_kept(writer, err);
    bool is_kept = buckets_kept_bytes(writer->buildings.buckets) > 0;
    if (status == 0 && is_kept)
        status = store_writer_fill_table(writer,
                                         &writer->buildings,
                                         &store->buildings,
                                         crs,
                                         err);
    memory_rewind(writer->memory, &writer->added);
    if (status == 0)
        status =
            store_writer_fill_table(writer, &writer->zones, &store->zones, crs, err);
    if (status == 0 && !is_kept)
        status = store_writer_fill_table(writer,
                                         &writer->buildings,
                                         &store->buildings,
                                         crs,
                                         err);
    if (settle(writer, status, err))
        return -1;
    return settle(writer, finish_tables(writer, err), err);
}

static int give_name(struct store_writer *writer, struct error *err)
{
    if (file_publish(writer->has_name ? -1 : writer->file,
                     writer->partial,
                     writer->path,
                     writer->options.force,
                     err))
        return -1;
    writer->has_name = false;
    return 0;
}

/* Every rank sees to it that what it has written is on the disk. Collective and agreed. */
static int publish(struct store_writer *writer, struct error *err)
{
    int status = 0;
    syncer_begin(writer->syncer);
    bool synced = syncer_end(writer->syncer);
    writer->syncer = NULL;
    if (!synced || fsync(writer->file) != 0)
        status = cannot_write(writer, err);
    if (team_agree(writer->team, status, err))
        return -1;
    if (writer->team->rank == 0)
        status = give_name(writer, err);
    return team_agree(writer->team, status, err);
}

int store_writer_fill(struct store_writer *writer,
                      int status,
                      struct store_counts *counts,
                      struct error *err)
{
    const struct team *team = writer->team;
    if (status == 0)
        status = store_writer_need_buckets(writer, err);
    if (team_agree(team, status, err)
        || buckets_end(writer->buildings.buckets,
                       0,
                       writer->n_merge,
                       store_parts(team),
                       err)
        || unite(writer, &writer->zones, err) || unite(writer, &writer->buildings, err)
        || team_sum(writer->team, &writer->n_no_geometry, 1, err)
        || team_sum(writer->team, &writer->n_bare_zones, 1, err))
        return -1;
    memory_rewind(writer->memory, &writer->added);
    if (lay_out(writer, err) || fill(writer, err))
        return -1;
    const struct store *store = writer->store;
    *counts = (struct store_counts){ .n_zones = store->zones.n,
                                     .n_buildings = store->buildings.n,
                                     .n_blocks = store->n_blocks,
                                     .n_no_geometry = writer->n_no_geometry,
                                     .n_bare_zones = writer->n_bare_zones,
                                     .n_bytes = store->n_bytes };
    return 0;
}

int store_writer_commit(struct store_writer *writer,
                        int status,
                        struct store_counts *counts,
                        struct error *err)
{
    struct store_counts filled;
    int64_t n_sync = SYNC_BYTES / writer->team->size;
    writer->syncer =
        syncer_start(writer->file,
                     n_sync < LEAST_SYNC_BYTES ? LEAST_SYNC_BYTES : n_sync);
    if (store_writer_fill(writer, status, &filled, err) || publish(writer, err))
        return -1;
    *counts = filled;
    return 0;
}
