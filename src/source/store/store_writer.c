#include "store_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/crc32c.h"
#include "rooftally/base/file.h"
#include "rooftally/base/partial.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/hilbert.h"

#include "store_parts.h"
#include "zone_list.h"

static bool can_be_dataset(const char *name)
{
    return !store_is_reserved(name) && !strchr(name, '/') && strcmp(name, ".") != 0;
}

/* Whether another field has the name, or goes by it. */
static bool is_taken(const struct store_table_plan *plan, int field, const char *name)
{
    for (int i = 0; i < plan->n_fields; i++)
        if (i != field
            && (strcmp(plan->fields[i].name, name) == 0
                || strcmp(plan->datasets[i], name) == 0))
            return true;
    return false;
}

/* Underscores at the end, as many as it takes, in place of what a longest name ends in. */
static void name_dataset(struct store_table_plan *plan, int field)
{
    char *name = plan->datasets[field];
    strcpy(name, plan->fields[field].name);
    if (can_be_dataset(name))
        return;
    for (char *at = name; *at; at++)
        *at = *at == '/' ? '_' : *at;
    char whole[NAME_BYTES];
    size_t n = strlen(name), n_most = NAME_BYTES - 1;
    strcpy(whole, name);
    for (size_t more = 1; more < n_most; more++) {
        size_t first = n + more < n_most ? n : n_most - more;
        while (first < n && first > 0 && ((unsigned char)whole[first] & 0xc0) == 0x80)
            first--; /* no letter is cut */
        memset(name + first, '_', more);
        name[first + more] = '\0';
        if (!is_taken(plan, field, name))
            return;
    }
}

static int check_plan(struct store_table_plan *plan, struct error *err)
{
    if (plan->n_fields > STORE_MOST_FIELDS)
        return error_set(err, ERROR_USAGE, "more than %d fields", STORE_MOST_FIELDS);
    for (int i = 0; i < plan->n_fields; i++) {
        const char *name = plan->fields[i].name;
        for (int j = 0; j < i; j++)
            if (strcmp(plan->fields[j].name, name) == 0)
                return error_set(err, ERROR_INTERNAL, "field '%s' comes twice", name);
        plan->datasets[i][0] = '\0';
    }
    for (int i = 0; i < plan->n_fields; i++)
        name_dataset(plan, i);
    return 0;
}

/* Names beside the output, and that it may be written. */
static int set_paths(struct store_writer *writer, const char *path, struct error *err)
{
    struct stat there;
    writer->path = strdup(path);
    writer->folder = file_folder(path);
    writer->partial = partial_name(path);
    if (!writer->path || !writer->folder || !writer->partial)
        return error_set(err, ERROR_BUDGET, "no memory for a store");
    if (!*path || path[strlen(path) - 1] == '/'
        || (stat(path, &there) == 0 && !S_ISREG(there.st_mode)))
        return error_set(err,
                         ERROR_USAGE,
                         "store '%s' is not the name of a file: choose another",
                         path);
    /* a link that leads nowhere as well: the name is taken */
    if (!writer->options.force && lstat(path, &there) == 0)
        return error_set(err,
                         ERROR_USAGE,
                         "store %s is there already: --force replaces it",
                         path);
    if (access(writer->folder, W_OK | X_OK) != 0)
        return error_set(err,
                         ERROR_USAGE,
                         "store %s: folder %s: %s: choose a folder that is there and "
                         "can be written",
                         path,
                         writer->folder,
                         strerror(errno));
    if (!file_name_fits(writer->partial, ""))
        return error_set(err,
                         ERROR_USAGE,
                         "store %s: the name is too long, for there may have to be a "
                         "file beside it that ends in %s: choose a shorter one",
                         path,
                         writer->partial + strlen(path));
    return 0;
}

static int take_words(struct collected *collected,
                      const struct store_table_plan *plan,
                      struct memory *memory,
                      struct error *err)
{
    for (int i = 0; i < plan->n_fields; i++) {
        if (plan->fields[i].type != TYPE_TEXT)
            continue;
        struct words *words = memory_take(memory, MEMORY_BATCH, sizeof *words, err);
        if (!words)
            return -1;
        words_init(words);
        collected->words[i] = words;
        collected->size.fields[i].words = words;
    }
    return 0;
}

static int collect(struct store_writer *writer, bool is_zone, struct error *err)
{
    struct collected *collected = is_zone ? &writer->zones : &writer->buildings;
    const struct store_table_plan *plan =
        is_zone ? &writer->plan.zones : &writer->plan.buildings;
    store_shape_init(&collected->shape, plan, !is_zone);
    collected->weights =
        (struct sort_weights){ .n_weights = store_row_weights(&collected->shape),
                               .weigh = store_row_weigh,
                               .context = &collected->shape };
    return is_zone ? sorter_open(&collected->sorter,
                                 &writer->scratch,
                                 &collected->weights,
                                 writer->team,
                                 writer->bytes,
                                 writer->n_bytes,
                                 err)
                   : 0;
}

int store_writer_need_buckets(struct store_writer *writer, struct error *err)
{
    static const uint32_t no_key;
    struct collected *buildings = &writer->buildings;
    bool agreed = writer->keys != NULL; /* zones have ended */
    if (buildings->buckets)
        return 0;
    return buckets_open(&buildings->buckets,
                        &writer->scratch,
                        &buildings->weights,
                        writer->team,
                        writer->bytes,
                        agreed ? writer->least_bytes : writer->n_bytes,
                        writer->n_keep,
                        agreed ? writer->least_merge : writer->n_merge,
                        agreed ? writer->keys : &no_key,
                        agreed ? writer->n_keys : 1,
                        err);
}

/* What is touched in the end is touched at once: a small store then has what a large one has. */
static void prefault(struct store_writer *writer)
{
    int n_parts = store_parts(writer->team), n_fields = writer->plan.buildings.n_fields;
    int64_t adding = buckets_resident_bytes(writer->n_bytes, writer->n_keep);
    int64_t filling = buckets_parts_bytes(writer->n_merge, n_parts);
    int64_t columns = n_parts * store_fill_most_bytes(n_fields);
    filling += columns < writer->n_fill ? columns : writer->n_fill;
    memory_prefault(writer->memory,
                    writer->memory->used_bytes + (adding > filling ? adding : filling));
}

/*
 * Words stay. Of what they leave an eighth is the caller's, who makes rows in it, and the
 * rest sorts: first zones, then buildings, and at the end it holds what is merged, or
 * buildings that are kept, and the columns on their way to the file.
 */
static int take_memory(struct store_writer *writer, struct error *err)
{
    /* blocks of each of n ranks are n times as wide as those of all together; and what is
     * kept is resident, however much is allowed */
    enum {
        LEAST_BYTES = 4 << 20,
        MOST_UNMERGED = 4,
        MOST_KEPT = 20 << 20,
        LEAST_ROW = 100, /* of most buildings, a little less */
    };
    struct memory *memory = writer->memory;
    if (take_words(&writer->zones, &writer->plan.zones, memory, err)
        || take_words(&writer->buildings, &writer->plan.buildings, memory, err))
        return -1;
    if (writer->team->size > 1) {
        writer->room = memory_take(memory, MEMORY_BATCH, sizeof *writer->room, err);
        if (!writer->room)
            return -1;
    }
    int64_t n = memory_free_bytes(memory);
    if (n < LEAST_BYTES) {
        char needs[24];
        return error_set(err,
                         ERROR_BUDGET,
                         "a store needs %s of memory: raise [limits] memory",
                         memory_size_text(needs,
                                          memory->budget_bytes - n + LEAST_BYTES));
    }
    int64_t n_all = n;
    n -= n / 8 > 1 << 20 ? n / 8 : 1 << 20;
    writer->n_bytes = n;
    writer->n_merge = n / 8 * 5;
    writer->n_fill = writer->n_merge / 2;
    if (writer->n_fill < STORE_FILL_LEAST)
        writer->n_fill = STORE_FILL_LEAST;
    bool any_order = writer->options.any_order && writer->team->size <= MOST_UNMERGED;
    if (writer->team->size == 1 || any_order)
        writer->n_keep = n_all - writer->n_fill;
    if (writer->n_keep > MOST_KEPT)
        writer->n_keep = MOST_KEPT;
    prefault(writer);
    if (!any_order && writer->plan.n_buildings * LEAST_ROW > (double)writer->n_keep)
        writer->n_keep = 0; /* it would have to go later, while the server waits */
    writer->added = memory_mark(memory);
    writer->bytes = memory_take(memory, MEMORY_BATCH, writer->n_bytes, err);
    return writer->bytes ? 0 : -1;
}

static int prepare(struct store_writer *writer, const char *path, struct error *err)
{
    struct store_plan *plan = &writer->plan;
    return check_plan(&plan->zones, err) || check_plan(&plan->buildings, err)
                   || set_paths(writer, path, err) || take_memory(writer, err)
                   || collect(writer, true, err) || collect(writer, false, err)
               ? -1
               : 0;
}

int store_report(const struct store_options *options, double share, struct error *err)
{
    if (options->progress && options->progress(options->context, share))
        return error_set(err, ERROR_STOPPED, "stopped on request");
    return 0;
}

/* Asked while runs are sorted and merged, however far that is. */
static bool should_stop(void *context)
{
    const struct store_writer *writer = context;
    return writer->options.progress
           && writer->options.progress(writer->options.context, -1);
}

int store_writer_open(struct store_writer **writer,
                      const char *path,
                      const struct store_plan *plan,
                      const struct store_options *options,
                      struct memory *memory,
                      struct error *err)
{
    const struct team *team = options->team ? options->team : &team_alone;
    struct store_writer *made = calloc(1, sizeof *made);
    int status = made ? 0 : error_set(err, ERROR_BUDGET, "no memory for a store");
    if (made) {
        made->plan = *plan;
        made->options = *options;
        made->team = team;
        made->memory = memory;
        made->extent = box_none();
        store_keys_init(&made->seen);
        made->file = made->scratch.file = -1;
        status = prepare(made, path, err);
    }
    if (status == 0 && team->rank == 0)
        partial_clear(path);
    if (team_agree(team, status, err)
        || nameless_open(&made->file,
                         &made->has_name,
                         made->folder,
                         file_name(made->partial),
                         options->any_order ? 0600 : 0666,
                         team,
                         err)
        || scratch_open(&made->scratch, path, team, err)) {
        store_writer_close(made);
        return -1;
    }
    made->scratch.stop = should_stop;
    made->scratch.stop_context = made;
    *writer = made;
    return 0;
}

void store_writer_close(struct store_writer *writer)
{
    if (!writer)
        return;
    store_close(writer->store);
    (void)syncer_end(writer->syncer); /* there is one only where the store has failed */
    if (writer->file >= 0)
        close(writer->file);
    if (writer->has_name && writer->team->rank == 0)
        unlink(writer->partial);
    sorter_close(writer->zones.sorter);
    buckets_close(writer->buildings.buckets);
    free(writer->keys);
    scratch_close(&writer->scratch);
    free(writer->path);
    free(writer->partial);
    free(writer->folder);
    free(writer);
}

/* The fields of a row, counted as they will be laid out. */
static void take_fields(struct collected *collected,
                        const struct column *columns,
                        int32_t row,
                        struct store_value *values)
{
    for (int i = 0; i < collected->shape.plan->n_fields; i++) {
        const struct column *column = &columns[i];
        struct store_field_size *size = &collected->size.fields[i];
        values[i] =
            (struct store_value){ .valid = column->valid[row], .text = { NULL, 0 } };
        if (!values[i].valid) {
            size->n_null++;
        } else if (column->type == TYPE_TEXT) {
            values[i].text = column->texts[row];
            words_add(collected->words[i], values[i].text);
            size->n_text += values[i].text.n;
        } else if (column->type == TYPE_REAL) {
            values[i].real = column->reals[row];
        } else {
            values[i].integer = column->integers[row];
        }
    }
}

/* Adds up in any order, and tells apart rows that have swapped a value, as a mere sum of
 * CRCs, which are linear, might not (the finalizer of SplitMix64). */
static uint64_t row_content(const uint8_t *record, int64_t n_bytes)
{
    uint64_t z = crc32c(0, record, (size_t)n_bytes) + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int at_row(const struct collected *collected,
                  const struct store_row *row,
                  struct error *err)
{
    const char *word = collected->shape.is_building ? "building" : "zone";
    if (!collected->shape.has_text_id)
        return error_prefix(err, "%s %lld", word, (long long)row->id);
    return error_prefix(err,
                        "%s %.*s",
                        word,
                        row->id_text.n < 80 ? (int)row->id_text.n : 80,
                        row->id_text.bytes);
}

static int refuse_id(const struct collected *collected,
                     const struct store_row *row,
                     struct error *err)
{
    error_set(err,
              ERROR_USAGE,
              "its id has %lld bytes: %d are the most, none of them zero",
              (long long)row->id_text.n,
              STORE_ID_BYTES);
    at_row(collected, row, err);
    return error_prefix(err,
                        "[%s] id",
                        collected->shape.is_building ? "buildings" : "zones");
}

static int add_row(struct store_writer *writer,
                   struct collected *collected,
                   const struct column *columns,
                   int32_t row,
                   struct error *err)
{
    struct store_row *to = &writer->row;
    if (collected->shape.has_text_id) {
        if (to->id_text.n > STORE_ID_BYTES
            || (to->id_text.n > 0
                && memchr(to->id_text.bytes, 0, (size_t)to->id_text.n)))
            return refuse_id(collected, to, err);
        if (to->id_text.n > collected->size.id_bytes)
            collected->size.id_bytes = to->id_text.n;
    }
    take_fields(collected, columns, row, to->values);
    int64_t n_bytes = store_row_bytes(&collected->shape, to);
    if (collected->shape.is_building && store_writer_need_buckets(writer, err))
        return -1;
    uint8_t *room = collected->shape.is_building
                        ? buckets_room(collected->buckets, to->position, n_bytes, err)
                        : sorter_room(collected->sorter, n_bytes, err);
    if (!room)
        return err && err->code == ERROR_BUDGET ? at_row(collected, to, err) : -1;
    store_row_encode(&collected->shape, to, room);
    if (!writer->options.any_order) /* who never asks whether it is the same */
        collected->content += row_content(room, n_bytes);
    if (collected->shape.is_building)
        return buckets_add(collected->buckets, err);
    sorter_add(collected->sorter);
    return 0;
}

/* Curves and surfaces are not faulty, but no polygons. */
static int
read_zone(struct text id, struct text wkb, struct ewkb *head, struct error *err)
{
    enum ewkb_fault fault = ewkb_read((const uint8_t *)wkb.bytes, wkb.n, head);
    bool is_polygon = head->type == EWKB_POLYGON || head->type == EWKB_MULTIPOLYGON;
    if (fault == EWKB_FINE && is_polygon)
        return 0;
    int n_id = id.n < 80 ? (int)id.n : 80;
    if (fault == EWKB_FINE || fault == EWKB_UNSUPPORTED)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] geometry: zone '%.*s' is not a polygon",
                         n_id,
                         id.bytes);
    return error_set(err,
                     ERROR_DATA,
                     "[zones] geometry: zone '%.*s': %s: repair it, or leave it out by "
                     "[zones] where",
                     n_id,
                     id.bytes,
                     ewkb_fault_text(fault));
}

int store_writer_zone(struct store_writer *writer,
                      struct text id,
                      struct text wkb,
                      const struct column *columns,
                      int32_t row,
                      struct error *err)
{
    struct ewkb head = { 0 };
    if (!id.bytes || id.n == 0)
        return zone_without_id(!id.bytes, err);
    if (wkb.n > 0 && read_zone(id, wkb, &head, err))
        return -1;
    bool empty = wkb.n == 0 || head.empty;
    writer->row.id_text = id;
    writer->row.fault = EWKB_FINE;
    writer->row.box = empty ? box_none() : head.box;
    writer->row.n_vertices = empty ? 0 : head.n_vertices;
    writer->row.wkb = wkb;
    if (!empty) {
        box_merge(&writer->extent, &head.box);
        store_keys_see(&writer->seen, &head.box);
    }
    writer->n_bare_zones += empty;
    return add_row(writer, &writer->zones, columns, row, err);
}

/* The box of all zones of all ranks; an empty one stays empty. */
static int unite_extents(struct store_writer *writer, struct error *err)
{
    const struct team *team = writer->team;
    struct box *all = calloc((size_t)team->size, sizeof *all);
    int status = all ? 0 : error_set(err, ERROR_BUDGET, "no memory for a store");
    if (team_agree(team, status, err)
        || team_gather_all(team, &writer->extent, sizeof *all, all, err)) {
        free(all);
        return -1;
    }
    for (int rank = 0; rank < team->size; rank++)
        if (all[rank].xmin <= all[rank].xmax)
            box_merge(&writer->extent, &all[rank]);
    free(all);
    return 0;
}

/* Into how many buckets the buildings go, and which. Collective and agreed. */
static int choose_keys(struct store_writer *writer, struct error *err)
{
    enum { GEOMETRY_BYTES = 150 }; /* of most buildings, a little more */
    const struct team *team = writer->team;
    const struct store_shape *shape = &writer->buildings.shape;
    double most = 1e15, about = writer->plan.n_buildings;
    int64_t n_expected = (int64_t)(about < most ? about : most);
    int64_t least[3] = { -writer->n_bytes, -writer->n_merge, n_expected };
    int n_parts = store_parts(team);
    if (team_max(team, least, 3, err))
        return -1;
    writer->least_bytes = -least[0];
    writer->least_merge = -least[1];
    writer->n_keys =
        buckets_number(writer->least_bytes,
                       writer->least_merge,
                       n_parts,
                       team->size,
                       (double)least[2] * (double)(shape->wkb + GEOMETRY_BYTES));
    writer->keys = calloc((size_t)writer->n_keys, sizeof *writer->keys);
    int status =
        writer->keys ? 0 : error_set(err, ERROR_BUDGET, "no memory for a store");
    if (team_agree(team, status, err))
        return -1;
    return store_keys_choose(&writer->seen,
                             &writer->extent,
                             team,
                             writer->bytes,
                             writer->n_bytes,
                             writer->keys,
                             writer->n_keys,
                             err);
}

int store_writer_zones_end(struct store_writer *writer, int status, struct error *err)
{
    return sorter_end(writer->zones.sorter, status, writer->n_merge, err)
                   || unite_extents(writer, err) || choose_keys(writer, err)
               ? -1
               : 0;
}

/* The box of a building, empty where it has no geometry; what cannot be read may be
 * anywhere. */
static enum ewkb_fault read_building(struct text wkb, struct box *box)
{
    struct ewkb head = { .box = box_none() };
    const uint8_t *bytes = (const uint8_t *)wkb.bytes;
    enum ewkb_fault fault = EWKB_FINE;
    if (wkb.n > 0)
        fault = ewkb_read(bytes, wkb.n, &head);
    if (fault != EWKB_FINE && ewkb_bounds(bytes, wkb.n, &head.box))
        head.box = (struct box){ -1e308, -1e308, 1e308, 1e308 };
    *box = head.box;
    return ewkb_fault_of(fault, &head);
}

int store_writer_building(struct store_writer *writer,
                          const struct column *id,
                          struct text wkb,
                          const struct box *known,
                          const struct column *columns,
                          int32_t row,
                          struct error *err)
{
    struct store_row *to = &writer->row;
    enum ewkb_fault fault = EWKB_FINE;
    if (known)
        to->box = *known;
    else
        fault = read_building(wkb, &to->box);
    const struct box *box = &to->box;
    if ((wkb.n == 0 && !known) || box_is_empty(box)) {
        writer->n_no_geometry++;
        return 0;
    }
    if (!id->valid[row])
        fault = EWKB_NO_ID;
    if (id->type == TYPE_TEXT)
        to->id_text = id->valid[row] ? id->texts[row] : (struct text){ "", 0 };
    else
        to->id = id->valid[row] ? id->integers[row] : FILL_INTEGER;
    to->fault = (uint8_t)fault;
    to->position = 0;
    if (writer->extent.xmin <= writer->extent.xmax)
        to->position = hilbert_position(&writer->extent,
                                        0.5 * box->xmin + 0.5 * box->xmax,
                                        0.5 * box->ymin + 0.5 * box->ymax);
    to->wkb = wkb;
    return add_row(writer, &writer->buildings, columns, row, err);
}
