#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/hilbert.h"

#include "sort.h"
#include "store_fill.h"

/* What one table has collected. */
struct collected {
    struct store_shape shape;
    struct sorter *sorter;
    struct store_table_size size;
    struct words *words[STORE_MOST_FIELDS];
};

struct store_writer {
    struct store_plan plan;
    struct store_options options;
    char *path, *partial, *folder;
    struct memory *memory;
    struct collected zones, buildings;
    struct box extent; /* of all zones; empty while there is none */
    int64_t n_no_geometry;
    uint8_t *record; /* [n_record] the row being added */
    int64_t n_record;
    struct store_row row;
    struct store *store; /* while it is filled */
    bool made_partial;
};

static int check_plan(const struct store_table_plan *plan, struct error *err)
{
    if (plan->n_fields > STORE_MOST_FIELDS)
        return error_set(err, ERROR_USAGE, "more than %d fields", STORE_MOST_FIELDS);
    for (int i = 0; i < plan->n_fields; i++) {
        const char *name = plan->fields[i].name;
        if (store_is_reserved(name) || strchr(name, '/') || strcmp(name, ".") == 0)
            return error_set(err,
                             ERROR_USAGE,
                             "a store cannot have a field named '%s': compute one of "
                             "another name",
                             name);
        for (int j = 0; j < i; j++)
            if (strcmp(plan->fields[j].name, name) == 0)
                return error_set(err, ERROR_INTERNAL, "field '%s' comes twice", name);
    }
    return 0;
}

/* Names beside the output, and that they can be made. */
static int set_paths(struct store_writer *writer, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    writer->path = strdup(path);
    writer->folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (asprintf(&writer->partial, "%s.partial", path) < 0)
        writer->partial = NULL;
    if (!writer->path || !writer->folder || !writer->partial)
        return error_set(err, ERROR_BUDGET, "no memory for a store");
    if (!writer->options.force && access(path, F_OK) == 0)
        return error_set(err, ERROR_USAGE, "%s is there: --force replaces it", path);
    if (access(writer->folder, W_OK | X_OK) != 0)
        return error_set(err,
                         ERROR_IO,
                         "folder %s: %s",
                         writer->folder,
                         strerror(errno));
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

static int collect(struct collected *collected,
                   const struct store_table_plan *plan,
                   bool is_zone,
                   const char *folder,
                   int64_t n_bytes,
                   struct memory *memory,
                   struct error *err)
{
    collected->shape = (struct store_shape){
        .has_position = !is_zone,
        .has_text_id = is_zone || plan->id_type == TYPE_TEXT,
        .plan = plan,
    };
    return sorter_open(&collected->sorter, folder, n_bytes, memory, err);
}

/*
 * Of the memory that words leave: a quarter sorts zones, half sorts buildings, and the
 * rest holds the row being added and, at the end, columns on their way to the file.
 */
static int take_memory(struct store_writer *writer, struct error *err)
{
    struct memory *memory = writer->memory;
    if (take_words(&writer->zones, &writer->plan.zones, memory, err)
        || take_words(&writer->buildings, &writer->plan.buildings, memory, err))
        return -1;
    int64_t n = memory_free_bytes(memory);
    if (n < 4 * 1024 * 1024)
        return error_set(err,
                         ERROR_BUDGET,
                         "a store needs 8 MiB of memory: raise [limits] memory");
    writer->n_record = n / 10;
    if (collect(&writer->zones,
                &writer->plan.zones,
                true,
                writer->folder,
                n / 4,
                memory,
                err)
        || collect(&writer->buildings,
                   &writer->plan.buildings,
                   false,
                   writer->folder,
                   n / 2,
                   memory,
                   err))
        return -1;
    writer->record = memory_take(memory, MEMORY_BATCH, writer->n_record, err);
    return writer->record ? 0 : -1;
}

int store_writer_open(struct store_writer **writer,
                      const char *path,
                      const struct store_plan *plan,
                      const struct store_options *options,
                      struct memory *memory,
                      struct error *err)
{
    struct store_writer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, ERROR_BUDGET, "no memory for a store");
    made->plan = *plan;
    made->options = *options;
    made->memory = memory;
    made->extent = (struct box){ 1, 1, 0, 0 };
    if (check_plan(&plan->zones, err) || check_plan(&plan->buildings, err)
        || set_paths(made, path, err) || take_memory(made, err)) {
        store_writer_close(made);
        return -1;
    }
    *writer = made;
    return 0;
}

void store_writer_close(struct store_writer *writer)
{
    if (!writer)
        return;
    store_close(writer->store);
    if (writer->made_partial)
        unlink(writer->partial);
    sorter_close(writer->zones.sorter);
    sorter_close(writer->buildings.sorter);
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
        values[i] = (struct store_value){ .valid = column->valid[row] };
        size->n_null += !values[i].valid;
        if (!values[i].valid)
            continue;
        if (column->type == TYPE_TEXT) {
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
            return error_set(err,
                             ERROR_USAGE,
                             "an id of %lld bytes: %d is the most, without zeros",
                             (long long)to->id_text.n,
                             STORE_ID_BYTES);
        if (to->id_text.n > collected->size.id_bytes)
            collected->size.id_bytes = to->id_text.n;
    }
    take_fields(collected, columns, row, to->values);
    int64_t n = store_row_bytes(&collected->shape, to);
    if (n > writer->n_record)
        return error_set(err,
                         ERROR_BUDGET,
                         "a row of %lld bytes, %lld fit: raise [limits] memory",
                         (long long)n,
                         (long long)writer->n_record);
    store_row_encode(&collected->shape, to, writer->record);
    if (sorter_add(collected->sorter, writer->record, n, err))
        return -1;
    collected->size.n++;
    collected->size.n_wkb += to->wkb.n;
    return 0;
}

static void grow(struct box *box, const struct box *by)
{
    if (box->xmin > box->xmax) {
        *box = *by;
        return;
    }
    box->xmin = by->xmin < box->xmin ? by->xmin : box->xmin;
    box->ymin = by->ymin < box->ymin ? by->ymin : box->ymin;
    box->xmax = by->xmax > box->xmax ? by->xmax : box->xmax;
    box->ymax = by->ymax > box->ymax ? by->ymax : box->ymax;
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
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] id: a zone's id is %s",
                         id.bytes ? "empty" : "null");
    if (wkb.n > 0
        && (ewkb_read((const uint8_t *)wkb.bytes, wkb.n, &head) != EWKB_FINE
            || (head.type != EWKB_POLYGON && head.type != EWKB_MULTIPOLYGON)))
        return error_set(err,
                         ERROR_DATA,
                         "[zones] geometry: zone '%.*s' is not a polygon",
                         id.n < 80 ? (int)id.n : 80,
                         id.bytes);
    bool empty = wkb.n == 0 || head.empty;
    writer->row.id_text = id;
    writer->row.fault = EWKB_FINE;
    writer->row.box = empty ? (struct box){ 1, 1, 0, 0 } : head.box;
    writer->row.n_vertices = empty ? 0 : head.n_vertices;
    writer->row.wkb = wkb;
    if (!empty)
        grow(&writer->extent, &head.box);
    return add_row(writer, &writer->zones, columns, row, err);
}

int store_writer_building(struct store_writer *writer,
                          const struct column *id,
                          struct text wkb,
                          const struct column *columns,
                          int32_t row,
                          struct error *err)
{
    struct ewkb head = { .box = { 1, 1, 0, 0 } };
    struct store_row *to = &writer->row;
    enum ewkb_fault fault = EWKB_FINE;
    if (wkb.n > 0)
        fault = ewkb_read((const uint8_t *)wkb.bytes, wkb.n, &head);
    if (fault != EWKB_FINE
        && ewkb_bounds((const uint8_t *)wkb.bytes, wkb.n, &head.box)) {
        /* What cannot be read may be anywhere. */
        head.box = (struct box){ -1e308, -1e308, 1e308, 1e308 };
    }
    if (wkb.n == 0 || head.box.xmin > head.box.xmax) {
        writer->n_no_geometry++;
        return 0;
    }
    if (!id->valid[row])
        return error_set(err, ERROR_USAGE, "a building has no id (it is null)");
    if (id->type == TYPE_TEXT)
        to->id_text = id->texts[row];
    else
        to->id = id->integers[row];
    if (fault == EWKB_FINE && head.type == EWKB_COLLECTION)
        fault = EWKB_COLLECTED;
    to->fault = (uint8_t)fault;
    to->box = head.box;
    to->position = 0;
    if (writer->extent.xmin <= writer->extent.xmax)
        to->position = hilbert_position(&writer->extent,
                                        0.5 * head.box.xmin + 0.5 * head.box.xmax,
                                        0.5 * head.box.ymin + 0.5 * head.box.ymax);
    to->wkb = wkb;
    return add_row(writer, &writer->buildings, columns, row, err);
}

/* Whether the caller wants to go on; asked every few thousand rows. */
static int
report(const struct store_writer *writer, int64_t done, int64_t all, struct error *err)
{
    double share = all > 0 ? (double)done / (double)all : 1;
    if (writer->options.progress
        && writer->options.progress(writer->options.context, share))
        return error_set(err, ERROR_STOPPED, "stopped on request");
    return 0;
}

static int fill_table(struct store_writer *writer,
                      struct collected *collected,
                      const struct store_table *table,
                      struct error *err)
{
    struct memory_mark mark = memory_mark(writer->memory);
    struct store_row *row = &writer->row;
    struct store_fill *fill;
    char last[STORE_ID_BYTES];
    const uint8_t *record;
    int64_t n_bytes, n = 0, n_last = -1;
    int more = -1;
    if (store_fill_open(&fill,
                        writer->store,
                        table,
                        &collected->size,
                        writer->memory,
                        err))
        goto out;
    while ((more = sorter_next(collected->sorter, &record, &n_bytes, err)) == 1) {
        store_row_decode(&collected->shape, record, row);
        if (table == &writer->store->zones) {
            if (row->id_text.n == n_last
                && memcmp(row->id_text.bytes, last, (size_t)n_last) == 0) {
                more = error_set(err,
                                 ERROR_USAGE,
                                 "[zones] id: two zones have the id '%.*s'",
                                 n_last < 80 ? (int)n_last : 80,
                                 last);
                goto out;
            }
            n_last = row->id_text.n;
            memcpy(last, row->id_text.bytes, (size_t)n_last);
        }
        if (store_fill_add(fill, row, err)
            || (n++ % 4096 == 0 && report(writer, n, collected->size.n, err))) {
            more = -1;
            goto out;
        }
    }
    if (more == 0)
        more = store_fill_end(fill, err);
out:
    memory_rewind(writer->memory, &mark);
    return more;
}

static int lay_out(struct store_writer *writer, struct error *err)
{
    struct store_size *size = malloc(sizeof *size);
    if (!size)
        return error_set(err, ERROR_BUDGET, "no memory for a store");
    for (int i = 0; i < STORE_MOST_FIELDS; i++) {
        if (writer->zones.words[i])
            words_sort(writer->zones.words[i]);
        if (writer->buildings.words[i])
            words_sort(writer->buildings.words[i]);
    }
    *size = (struct store_size){ writer->zones.size,
                                 writer->buildings.size,
                                 writer->extent };
    unlink(writer->partial); /* of a stage that was killed */
    writer->made_partial = true;
    int status = store_create(writer->partial, &writer->plan, size, err);
    free(size);
    return status ? -1 : store_open(&writer->store, writer->partial, true, err);
}

static int publish(struct store_writer *writer, struct error *err)
{
    if (fsync(writer->store->file) != 0 || rename(writer->partial, writer->path) != 0)
        return error_set(err, ERROR_IO, "%s: %s", writer->path, strerror(errno));
    writer->made_partial = false;
    int folder = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder); /* the name; not every file system can */
        close(folder);
    }
    return 0;
}

int store_writer_commit(struct store_writer *writer,
                        struct store_counts *counts,
                        struct error *err)
{
    if (sorter_end(writer->zones.sorter, err)
        || sorter_end(writer->buildings.sorter, err) || lay_out(writer, err))
        return -1;
    const struct store *store = writer->store;
    if (fill_table(writer, &writer->zones, &store->zones, err)
        || fill_table(writer, &writer->buildings, &store->buildings, err)
        || store_fill_blocks(store, 0, store->n_blocks, writer->memory, err)
        || publish(writer, err))
        return -1;
    *counts = (struct store_counts){ .n_zones = store->zones.n,
                                     .n_buildings = store->buildings.n,
                                     .n_blocks = store->n_blocks,
                                     .n_no_geometry = writer->n_no_geometry,
                                     .n_bytes = store->n_bytes };
    return 0;
}
