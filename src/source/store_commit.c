/*
 * From sorted runs to a store: sizes of all ranks together, a layout made by the first, a
 * share of every dataset filled by each, and a name at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_writer.h"

/* What is written between two syncs: of all ranks, for each syncs the whole file, and at least
 * of one. */
enum { SYNC_BYTES = 32 << 20, LEAST_SYNC_BYTES = 8 << 20 };

/* Whether the caller wants to go on; asked every few thousand rows. */
static int
report(const struct store_writer *writer, int64_t done, int64_t all, struct error *err)
{
    double share = all > 0 ? (double)done / (double)all : 1;
    return store_report(&writer->options,
                        store_collected_share + (1 - store_collected_share) * share,
                        err);
}

/* What this rank has counted of a table becomes what all have. Collective and agreed. */
static int unite(struct store_writer *writer, struct collected *c, struct error *err)
{
    const struct team *team = writer->team;
    int64_t before[1 + SORTER_MOST_WEIGHTS] = { 0 };
    int64_t own[1 + SORTER_MOST_WEIGHTS] = { 0 };
    int64_t all[1 + SORTER_MOST_WEIGHTS] = { 0 };
    int64_t n_null[STORE_MOST_FIELDS];
    int n_fields = c->shape.plan->n_fields;
    for (int i = 0; i < n_fields; i++)
        n_null[i] = c->size.fields[i].n_null;
    if (team_sum(team, n_null, n_fields, err)
        || team_max(team, &c->size.id_bytes, 1, err))
        return -1;
    sorter_sums(c->sorter, before, own, all);
    c->size.n = all[0];
    c->size.n_wkb = all[1];
    c->range = (struct store_range){
        .first = before[0], .n = own[0], .first_wkb = before[1], .n_wkb = own[1]
    };
    for (int i = 0, text = 2; i < n_fields; i++) {
        c->size.fields[i].n_null = n_null[i];
        if (!c->words[i])
            continue;
        c->size.fields[i].n_text = all[text];
        c->range.first_text[i] = before[text++];
        if (words_unite(c->words[i], writer->room, team, err))
            return -1;
        words_sort(c->words[i]);
    }
    return 0;
}

/* Two zones of one id come one after the other, on one rank. */
struct last_id {
    char bytes[STORE_ID_BYTES];
    int64_t n;
};

static int check_ids(struct last_id *last,
                     const struct store_shape *shape,
                     const uint8_t *const *records,
                     int32_t n,
                     struct error *err)
{
    for (int32_t i = 0; i < n; i++) {
        struct text id = store_row_id_text(shape, records[i]);
        if (id.n == last->n && memcmp(id.bytes, last->bytes, (size_t)last->n) == 0)
            return error_set(err,
                             ERROR_USAGE,
                             "[zones] id: two zones have the id '%.*s'",
                             last->n < 80 ? (int)last->n : 80,
                             last->bytes);
        last->n = id.n;
        memcpy(last->bytes, id.bytes, (size_t)id.n);
    }
    return 0;
}

/* What is known already of n zones of the range. */
static const uint8_t *
known_valid(const struct store_writer *writer, int64_t first, int32_t n)
{
    return first + n <= writer->n_valid ? writer->valid + first : NULL;
}

static int fill_rows(struct store_writer *writer,
                     struct collected *collected,
                     const struct crs *crs,
                     struct store_fill *fill,
                     struct error *err)
{
    bool is_zone = collected == &writer->zones;
    struct last_id last = { .n = -1 };
    const uint8_t *records[STORE_FILL_ROWS];
    int64_t n_rows = 0;
    int32_t n;
    struct memory room = { .budget_bytes = STORE_SHAPES_ROOM };
    if (is_zone)
        room.base = memory_take(writer->memory, MEMORY_GRID, room.budget_bytes, err);
    if (is_zone && !room.base)
        return -1;
    for (int64_t turn = 0;; turn++) {
        if (sorter_next(collected->sorter, STORE_FILL_ROWS, records, &n, err))
            return -1;
        if (n == 0)
            return 0;
        if ((is_zone
             && (check_ids(&last, &collected->shape, records, n, err)
                 || store_fill_shapes(writer->store,
                                      &collected->shape,
                                      collected->range.first + n_rows,
                                      records,
                                      n,
                                      known_valid(writer, n_rows, n),
                                      crs,
                                      &room,
                                      err)))
            || store_fill_add(fill, records, n, err)
            || (turn % 32 == 0 && report(writer, n_rows, collected->range.n, err)))
            return -1;
        n_rows += n;
    }
}

int store_writer_each_zone(struct store_writer *writer,
                           store_zone_seen *seen,
                           void *context,
                           struct error *err)
{
    struct collected *zones = &writer->zones;
    struct memory all = { .base = writer->bytes, .budget_bytes = writer->n_bytes };
    struct memory room = { .budget_bytes = STORE_SHAPES_ROOM };
    const uint8_t *records[STORE_FILL_ROWS];
    int64_t row = 0;
    int32_t n = 0;
    room.base = memory_take(&all, MEMORY_GRID, room.budget_bytes, err);
    if (!room.base || sorter_start(zones->sorter, writer->n_merge, &all, err))
        return -1;
    do {
        if (sorter_next(zones->sorter, STORE_FILL_ROWS, records, &n, err)
            || store_report(&writer->options, -1, err))
            return -1;
        for (int32_t i = 0; i < n; i++, row++) {
            const uint8_t *body = store_row_body(&zones->shape, records[i]);
            const char *wkb = (const char *)body + zones->shape.wkb;
            int64_t n_wkb = store_row_length(body + zones->shape.n_wkb);
            if (n_wkb > 0)
                seen(context, row, (struct text){ wkb, n_wkb }, &room);
        }
    } while (n > 0);
    return 0;
}

static int fill_table(struct store_writer *writer,
                      struct collected *collected,
                      const struct store_table *table,
                      const struct crs *crs,
                      struct error *err)
{
    struct memory_mark mark = memory_mark(writer->memory);
    struct store_fill *fill;
    int status =
        store_fill_open(&fill,
                        writer->store,
                        table,
                        &collected->shape,
                        &collected->size,
                        &collected->range,
                        writer->syncer,
                        writer->n_fill,
                        writer->memory,
                        err)
                || sorter_start(collected->sorter, writer->n_merge, writer->memory, err)
                || fill_rows(writer, collected, crs, fill, err)
                || store_fill_end(fill, err)
            ? -1
            : 0;
    memory_rewind(writer->memory, &mark);
    return status;
}

void store_writer_name(const struct store_writer *writer, char *name, size_t n)
{
    if (writer->has_name)
        snprintf(name, n, "%s", writer->partial);
    else
        snprintf(name, n, "/proc/self/fd/%d", writer->file);
}

/* Agree that what this rank has written is there for the others to read: on another host
 * only once it has left this one. */
static int settle(const struct store_writer *writer, int status, struct error *err)
{
    bool is_far = writer->has_name && writer->team->size > 1;
    if (status == 0 && is_far && fdatasync(writer->file) != 0)
        status = error_set(err, ERROR_IO, "%s: %s", writer->path, strerror(errno));
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

/* Every few thousand rows the caller is asked whether to go on. */
static int fill_blocks(struct store_writer *writer, struct error *err)
{
    enum { AT_ONCE = 64 };
    const struct store *store = writer->store;
    const struct team *team = writer->team;
    int64_t end = store->n_blocks * (team->rank + 1) / team->size, n;
    for (int64_t at = store->n_blocks * team->rank / team->size; at < end; at += n) {
        n = end - at < AT_ONCE ? end - at : AT_ONCE;
        if (store_fill_blocks(store, at, n, writer->memory, err)
            || report(writer, 1, 1, err))
            return -1;
    }
    return 0;
}

/* Buildings that are kept stay where they are, until they are in the file. */
static int take_kept(struct store_writer *writer, struct error *err)
{
    int64_t n = sorter_kept_bytes(writer->buildings.sorter);
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
    bool is_kept = sorter_kept_bytes(writer->buildings.sorter) > 0;
    if (status == 0 && is_kept)
        status = fill_table(writer, &writer->buildings, &store->buildings, crs, err);
    memory_rewind(writer->memory, &writer->added);
    if (status == 0)
        status = fill_table(writer, &writer->zones, &store->zones, crs, err);
    if (status == 0 && !is_kept)
        status = fill_table(writer, &writer->buildings, &store->buildings, crs, err);
    if (settle(writer, status, err))
        return -1;
    status = put_content(writer, err) || fill_blocks(writer, err) ? -1 : 0;
    return settle(writer, status, err);
}

/* Without --force a store that another has made meanwhile stays. Not every file system
 * can rename like that; those that cannot have links. */
static int put_in_place(const struct store_writer *writer)
{
    const char *from = writer->partial, *to = writer->path;
    if (writer->options.force)
        return rename(from, to);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return link(from, to) == 0 ? unlink(from) : -1;
}

/* A file that has none gets its name; one that is replaced is there until it is. */
static int give_name(struct store_writer *writer, struct error *err)
{
    char own[32];
    bool direct = !writer->has_name && !writer->options.force;
    snprintf(own, sizeof own, "/proc/self/fd/%d", writer->file);
    if (!writer->has_name) {
        unlink(writer->partial);
        if (linkat(AT_FDCWD,
                   own,
                   AT_FDCWD,
                   direct ? writer->path : writer->partial,
                   AT_SYMLINK_FOLLOW)
            != 0)
            return error_set(err, ERROR_IO, "%s: %s", writer->path, strerror(errno));
    }
    if (!direct && put_in_place(writer) != 0) {
        error_set(err, ERROR_IO, "%s: %s", writer->path, strerror(errno));
        unlink(writer->partial);
        return -1;
    }
    writer->has_name = false;
    int folder = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder); /* the name; not every file system can */
        close(folder);
    }
    return 0;
}

/* Every rank sees to it that what it has written is on the disk. Collective and agreed. */
static int publish(struct store_writer *writer, struct error *err)
{
    bool synced = syncer_end(writer->syncer);
    int status = 0;
    writer->syncer = NULL;
    if (!synced || fsync(writer->file) != 0)
        status = error_set(err, ERROR_IO, "%s: %s", writer->path, strerror(errno));
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
    if (sorter_end(writer->buildings.sorter, status, writer->n_merge, err)
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
