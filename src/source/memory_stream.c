#include <stdlib.h>
#include <string.h>

#include "memory_twin.h"

enum ewkb_fault twin_read_row(const struct memory_row *row, struct ewkb *ewkb)
{
    *ewkb = (struct ewkb){ .box = box_none(), .empty = true };
    if (row->n_wkb == 0)
        return EWKB_FINE;
    enum ewkb_fault fault = ewkb_read(row->wkb, row->n_wkb, ewkb);
    if (fault != EWKB_FINE)
        ewkb->box = box_none();
    return fault;
}

bool twin_fault_due(struct twin *twin, bool in_stream, struct error *err)
{
    struct memory_fault *fault = twin->tables->fault;
    if (!fault || fault->n_times == 0 || fault->in_stream != in_stream || !twin->zone_id
        || strcmp(fault->zone, twin->zone_id) != 0)
        return false;
    fault->n_times--;
    error_set(err, fault->code, "a failure on purpose");
    return true;
}

int twin_buildings(struct source *source, const struct zone *open, struct error *err)
{
    struct twin *twin = (struct twin *)source;
    (void)err;
    twin->n_boxes = zone_cover(open, twin->boxes, COVER_MAX, COVER_COST);
    twin->row = 0;
    twin->n_batches = 0;
    return 0;
}

/* Whether a row is a candidate. What cannot be read may be anywhere. */
static bool is_candidate(const struct twin *twin, const struct memory_row *row)
{
    struct ewkb ewkb;
    if (row->n_wkb == 0 || twin->n_boxes == 0)
        return false;
    if (twin_read_row(row, &ewkb) != EWKB_FINE)
        return true;
    for (int i = 0; i < twin->n_boxes; i++)
        if (boxes_meet(&ewkb.box, &twin->boxes[i]))
            return true;
    return false;
}

static struct text keep(struct batch *batch, const void *bytes, int64_t n)
{
    uint8_t *to = batch->bytes + batch->bytes_used;
    memcpy(to, bytes, (size_t)n);
    batch->bytes_used += n;
    return (struct text){ (const char *)to, n };
}

static void
put_value(struct batch *batch, struct column *column, int32_t row, const char *value)
{
    column->valid[row] = value != NULL;
    if (!value)
        return;
    if (column->type == TYPE_TEXT)
        column->texts[row] = keep(batch, value, (int64_t)strlen(value));
    else if (column->type == TYPE_REAL)
        column->reals[row] = strtod(value, NULL);
    else if (column->type == TYPE_BOOLEAN)
        column->integers[row] = value[0] == 't';
    else
        column->integers[row] = strtoll(value, NULL, 10);
}

/* The value of a row that a slot shows; "" never stands for null. */
static const char *slot_value(const struct twin *twin,
                              const struct memory_row *row,
                              const struct slot *slot)
{
    const struct memory_table *table = &twin->tables->buildings;
    if (strcmp(slot->column, "id") == 0)
        return row->id;
    for (int i = 0; i < table->n_columns; i++)
        if (strcmp(table->names[i], slot->column) == 0)
            return row->values[i];
    return NULL;
}

static int64_t row_bytes(const struct twin *twin, const struct memory_row *row)
{
    int64_t n = row->n_wkb;
    if (twin->binding->id_type == TYPE_TEXT && row->id)
        n += (int64_t)strlen(row->id);
    for (int i = 0; i < twin->binding->n_slots; i++) {
        const struct slot *slot = &twin->binding->slots[i];
        if (slot->origin != SLOT_SOURCE || slot->type != TYPE_TEXT)
            continue;
        const char *value = slot_value(twin, row, slot);
        n += value ? (int64_t)strlen(value) : 0;
    }
    return n;
}

static void
add_row(struct twin *twin, const struct memory_row *from, struct batch *batch)
{
    int32_t row = batch->n_rows++;
    struct ewkb ewkb;
    put_value(batch, &batch->id, row, from->id);
    batch->geometry[row] = keep(batch, from->wkb, from->n_wkb);
    batch->faults[row] = (uint8_t)ewkb_fault_of(twin_read_row(from, &ewkb), &ewkb);
    batch->boxes[row] = ewkb.box;
    if (!from->id)
        batch_put_no_id(batch, row);
    for (int i = 0; i < twin->binding->n_slots; i++)
        if (twin->binding->slots[i].origin == SLOT_SOURCE)
            put_value(batch,
                      &batch->columns[i],
                      row,
                      slot_value(twin, from, &twin->binding->slots[i]));
}

int twin_next(struct source *source, struct batch *batch, struct error *err)
{
    struct twin *twin = (struct twin *)source;
    const struct memory_table *table = &twin->tables->buildings;
    batch_reset(batch);
    if (twin->n_batches++ > 0 && twin_fault_due(twin, true, err))
        return -1;
    for (; twin->row < table->n_rows && batch->n_rows < batch->capacity; twin->row++) {
        const struct memory_row *row = &table->rows[twin->row];
        if (!is_candidate(twin, row))
            continue;
        int64_t n_bytes = row_bytes(twin, row);
        if (n_bytes > batch->bytes_capacity - batch->bytes_used) {
            if (batch->n_rows > 0)
                break;
            return error_set(err,
                             ERROR_BUDGET,
                             "building %s needs %lld bytes, a batch holds %lld: raise "
                             "[limits] memory",
                             row->id ? row->id : "without an id",
                             (long long)n_bytes,
                             (long long)batch->bytes_capacity);
        }
        add_row(twin, row, batch);
        batch->n_read += n_bytes;
    }
    return batch->n_rows > 0;
}

void twin_cancel(struct source *source)
{
    struct twin *twin = (struct twin *)source;
    twin->row = twin->tables->buildings.n_rows;
}
