#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/utf8.h"

#include "vector.h"

/* A zone without geometry is still a zone. */
static const uint8_t empty_polygon[] = { 1, 3, 0, 0, 0, 0, 0, 0, 0 };

/* The field behind a column of the schema. */
static int find_field(const struct vector_table *table, const char *column)
{
    const struct vector_about *about = table->about;
    for (int i = 0; i < about->n_fields; i++)
        if (strcmp(about->fields[i].name, column) == 0)
            return i;
    return VECTOR_ROW;
}

int vector_scan(struct source *source,
                enum source_table table,
                const struct binding *binding,
                int part,
                int n_parts,
                struct error *err)
{
    struct vector *vector = (struct vector *)source;
    struct vector_table *from =
        table == SOURCE_ZONES ? &vector->zones : &vector->buildings;
    uint8_t *wanted = calloc((size_t)from->about->n_fields + 1, 1);
    if (!wanted)
        return error_set(err, ERROR_BUDGET, "no memory for a scan");
    for (int i = 0; i < binding->n_slots; i++) {
        const struct slot *slot = &binding->slots[i];
        vector->fields[i] = VECTOR_NONE;
        if (slot->origin == SLOT_SOURCE)
            vector->fields[i] = find_field(from, slot->column);
        if (vector->fields[i] >= 0)
            wanted[vector->fields[i]] = 1;
    }
    if (from->id >= 0)
        wanted[from->id] = 1;
    vector->binding = binding;
    vector->filters = binding->row_filter != NULL;
    memset(vector->in_filter, 0, sizeof vector->in_filter);
    if (vector->filters)
        expression_slots(binding->row_filter, vector->in_filter, binding->n_slots);
    vector->pending = vector->is_unusable = false;
    int status =
        vector->module->start(from->layer, wanted, part, n_parts, &vector->row, err);
    free(wanted);
    vector->table = status ? NULL : from;
    return status ? error_prefix(err, "[%s] %.100s", from->section, from->shown) : 0;
}

void vector_cancel(struct source *source)
{
    struct vector *vector = (struct vector *)source;
    vector->table = NULL;
    vector->pending = false;
}

static struct vector_value value_of(struct vector *vector, int field)
{
    struct vector_value value = { .valid = true, .integer = vector->row };
    if (field >= 0)
        vector->module->value(vector->table->layer, field, &value);
    return value;
}

/* "zone '02139'" or "building 17", with the number of its row. */
static int at_row(struct vector *vector, struct error *err)
{
    struct vector_table *table = vector->table;
    const char *word = table == &vector->zones ? "zone" : "building";
    if (table->id == VECTOR_ROW)
        return error_prefix(err, "%s in row %" PRId64, word, vector->row);
    struct vector_value id = value_of(vector, table->id);
    if (!id.valid)
        return error_prefix(err, "%s in row %" PRId64, word, vector->row);
    if (table->about->fields[table->id].type == TYPE_TEXT)
        return error_prefix(err,
                            "%s '%.*s'",
                            word,
                            id.text.n < 60 ? (int)id.text.n : 60,
                            id.text.bytes);
    return error_prefix(err, "%s %" PRId64, word, id.integer);
}

static bool is_text(const struct vector *vector, int field)
{
    return field >= 0 && vector->table->about->fields[field].type == TYPE_TEXT;
}

/* Bytes of a text that the row needs, or -1 where it is none that can be used. */
static int64_t text_bytes(struct vector *vector, int field, struct error *err)
{
    if (!is_text(vector, field))
        return 0;
    struct vector_value value = value_of(vector, field);
    if (value.valid && !utf8_is_text(value.text.bytes, (size_t)value.text.n))
        return error_set(err,
                         ERROR_DATA,
                         "field '%s' is not UTF-8 text: convert the file, or name the "
                         "encoding of a Shapefile, as GDAL calls it, in a .cpg file",
                         vector->table->about->fields[field].name);
    return value.valid ? value.text.n : 0;
}

/* Of a building that will go for want of a geometry only what its filter reads counts. */
static int field_of(const struct vector *vector, int slot, bool is_bare)
{
    return is_bare && !vector->in_filter[slot] ? VECTOR_NONE : vector->fields[slot];
}

/* Bytes that the row puts into the batch, or -1. */
static int64_t row_bytes(struct vector *vector, bool is_bare, struct error *err)
{
    int64_t n = vector->module->geometry_bytes(vector->table->layer);
    n = n > 0 ? n : (int64_t)sizeof empty_polygon;
    int64_t more = is_bare ? 0 : text_bytes(vector, vector->table->id, err);
    for (int i = 0; more >= 0; i++) {
        n += more;
        if (i == vector->binding->n_slots)
            return n;
        more = text_bytes(vector, field_of(vector, i, is_bare), err);
    }
    return -1;
}

static void
put_value(struct vector *vector, struct batch *batch, struct column *column, int field)
{
    int32_t row = batch->n_rows;
    struct vector_value value = value_of(vector, field);
    column->valid[row] = value.valid;
    if (!value.valid)
        return;
    if (column->type == TYPE_TEXT) {
        uint8_t *to = batch->bytes + batch->bytes_used;
        memcpy(to, value.text.bytes, (size_t)value.text.n);
        column->texts[row] = (struct text){ (const char *)to, value.text.n };
        batch->bytes_used += value.text.n;
    } else if (column->type == TYPE_REAL) {
        column->reals[row] = value.real;
    } else {
        column->integers[row] = value.integer;
    }
}

static int put_geometry(struct vector *vector,
                        struct batch *batch,
                        struct ewkb *head,
                        struct error *err)
{
    int32_t row = batch->n_rows;
    uint8_t *to = batch->bytes + batch->bytes_used;
    int64_t n = vector->module->geometry_bytes(vector->table->layer);
    if (n > 0) {
        if (vector->module->geometry(vector->table->layer, to, err) < 0)
            return -1;
    } else {
        n = sizeof empty_polygon;
        memcpy(to, empty_polygon, sizeof empty_polygon);
    }
    batch->bytes_used += n;
    batch->geometry[row] = (struct text){ (const char *)to, n };
    enum ewkb_fault fault = ewkb_read(to, n, head);
    batch->faults[row] = (uint8_t)ewkb_fault_of(fault, head);
    batch->boxes[row] = fault == EWKB_FINE ? head->box : box_none();
    return 0;
}

static bool is_usable(enum ewkb_fault fault, const struct ewkb *head)
{
    return (fault == EWKB_FINE || fault == EWKB_COLLECTED)
           && (head->type == EWKB_POLYGON || head->type == EWKB_MULTIPOLYGON);
}

/* Of a zone; a building that cannot be used will be rejected, with its reason. */
static int no_polygon(struct vector *vector, enum ewkb_fault fault, struct error *err)
{
    const char *name = vector->module->geometry_name(vector->table->layer);
    if (fault == EWKB_FINE || fault == EWKB_COLLECTED || fault == EWKB_UNSUPPORTED)
        error_set(err, ERROR_USAGE, "is not a polygon but %s", name);
    else
        error_set(err, ERROR_USAGE, "%s: %s", name, ewkb_fault_text(fault));
    return at_row(vector, err);
}

/* Of a zone; a building without an id is rejected. */
static int no_id(const struct vector *vector, struct error *err)
{
    const struct vector_table *table = vector->table;
    const char *id = table->about->fields[table->id].name;
    return error_set(err,
                     ERROR_USAGE,
                     "row %" PRId64 " (feature %" PRId64
                     ") has no id: '%.40s' is null: "
                     "fill it in, or leave it out: [%s] where = \"%.40s\" is not null",
                     vector->row,
                     vector->module->feature_number(table->layer),
                     id,
                     table->section,
                     id);
}

static int
too_big(struct vector *vector, struct batch *batch, int64_t n_needed, struct error *err)
{
    char needs[24], has[24];
    batch->bytes_needed = n_needed;
    error_set(err,
              ERROR_BUDGET,
              "needs %s, a batch holds %s",
              memory_size_text(needs, n_needed),
              memory_size_text(has, batch->bytes_capacity));
    return at_row(vector, err);
}

/* What is wrong with the zone at hand, which is the last of the batch. */
static int unusable(struct vector *vector, const struct batch *batch, struct error *err)
{
    int32_t row = batch->n_rows - 1;
    if (!batch->id.valid[row])
        return no_id(vector, err);
    return no_polygon(vector, (enum ewkb_fault)batch->faults[row], err);
}

/* Put the feature at hand into the batch: 1, 0 when it has to wait for the next, -1. A zone
 * that cannot be used gets a batch of its own, in which the filter may drop it. */
static int add_row(struct vector *vector, struct batch *batch, struct error *err)
{
    bool is_zone = vector->table == &vector->zones;
    struct ewkb head = { 0 };
    bool is_bare =
        !is_zone && vector->module->geometry_bytes(vector->table->layer) == 0;
    if (is_bare && !vector->filters) {
        batch->n_filtered++;
        return 1;
    }
    if (batch->n_rows == batch->capacity)
        return 0;
    int64_t n = row_bytes(vector, is_bare, err);
    if (n < 0)
        return at_row(vector, err);
    if (n > batch->bytes_capacity - batch->bytes_used)
        return batch->n_rows > 0 ? 0 : too_big(vector, batch, n, err);
    int64_t bytes_before = batch->bytes_used;
    int32_t row = batch->n_rows;
    if (!is_bare)
        put_value(vector, batch, &batch->id, vector->table->id);
    if (put_geometry(vector, batch, &head, err) < 0)
        return at_row(vector, err);
    if (is_bare) /* the filter says whether it is counted */
        batch->geometry[row].n = 0;
    vector->is_unusable =
        is_zone
        && (!batch->id.valid[row]
            || !is_usable((enum ewkb_fault)batch->faults[row], &head));
    if (vector->is_unusable && row > 0) {
        batch->bytes_used = bytes_before;
        return 0;
    }
    for (int i = 0; i < vector->binding->n_slots; i++)
        if (field_of(vector, i, is_bare) != VECTOR_NONE)
            put_value(vector, batch, &batch->columns[i], vector->fields[i]);
    if (!is_bare && !batch->id.valid[row])
        batch_put_no_id(batch, row);
    batch->n_rows++;
    batch->n_read += n;
    if (vector->is_unusable && !vector->filters)
        return unusable(vector, batch, err);
    return 1;
}

/* The next feature, unless one waits: 1, 0 at the end, -1. */
static int next_feature(struct vector *vector, struct error *err)
{
    const struct vector_table *table = vector->table;
    if (vector->pending)
        return 1;
    int more = vector->module->next(table->layer, &vector->row, err);
    if (more < 0)
        return error_prefix(err,
                            "[%s] %.80s: after row %" PRId64,
                            table->section,
                            table->shown,
                            vector->row);
    return more;
}

static int in_layer(const struct vector *vector, struct error *err)
{
    const struct vector_table *table = vector->table;
    return error_prefix(err,
                        "[%s] %.80s: layer '%.40s'",
                        table->section,
                        table->shown,
                        table->about->name);
}

int vector_next(struct source *source, struct batch *batch, struct error *err)
{
    struct vector *vector = (struct vector *)source;
    batch_reset(batch);
    if (!vector->table)
        return 0;
    bool is_end = false;
    /* a long run of filtered buildings gives the caller a turn as well */
    while (batch->n_filtered < 4 * (int64_t)batch->capacity) {
        int more = next_feature(vector, err);
        if (more < 0)
            return -1;
        is_end = more == 0;
        if (is_end)
            break;
        int added = add_row(vector, batch, err);
        if (added < 0)
            return in_layer(vector, err);
        vector->pending = added == 0;
        if (vector->pending || vector->is_unusable)
            break;
    }
    int has_read = batch->n_rows > 0 || batch->n_filtered > 0;
    bool is_unusable = vector->is_unusable && !vector->pending && !is_end;
    if (vector->filters && vector_filter(vector->binding, batch, err))
        return error_prefix(err, "[%s] where", vector->table->section);
    if (is_unusable && batch->n_rows > 0) {
        unusable(vector, batch, err);
        return in_layer(vector, err);
    }
    if (is_end)
        vector->table = NULL;
    return has_read;
}
