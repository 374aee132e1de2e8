#include "rooftally/source/batch.h"

#include <stddef.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static int64_t aligned(int64_t n_bytes)
{
    return (n_bytes + ALIGNMENT - 1) & ~(int64_t)(ALIGNMENT - 1);
}

static int64_t value_size(enum value_type type)
{
    return type == TYPE_TEXT ? (int64_t)sizeof(struct text) : 8;
}

static int64_t column_size(enum value_type type, int64_t capacity)
{
    return aligned(capacity) + aligned(capacity * value_size(type));
}

int64_t batch_size(const struct binding *binding, int32_t capacity)
{
    int64_t n = column_size(binding->id_type, capacity);
    n += aligned(binding->n_slots * (int64_t)sizeof(struct column));
    for (int i = 0; i < binding->n_slots; i++)
        n += column_size(binding->slots[i].type, capacity);
    n += aligned(capacity * (int64_t)sizeof(struct box));
    n += aligned(capacity);
    n += aligned(capacity * (int64_t)sizeof(struct text));
    n += aligned(capacity);
    n += aligned(capacity * (int64_t)sizeof(int64_t));
    return n;
}

/* Take from the one block that was reserved, so that nothing can fail half-way. */
static void *cut(uint8_t **at, int64_t n_bytes)
{
    void *bytes = *at;
    *at += aligned(n_bytes);
    return bytes;
}

static void
cut_column(struct column *column, enum value_type type, int64_t capacity, uint8_t **at)
{
    column->type = type;
    column->valid = cut(at, capacity);
    void *values = cut(at, capacity * value_size(type));
    if (type == TYPE_TEXT)
        column->texts = values;
    else if (type == TYPE_REAL)
        column->reals = values;
    else
        column->integers = values;
}

int batch_init(struct batch *batch,
               const struct binding *binding,
               int32_t capacity,
               int64_t bytes_capacity,
               struct memory *memory,
               struct error *err)
{
    if (capacity < 1 || bytes_capacity < 0)
        return error_set(err, ERROR_INTERNAL, "a batch of %d rows", (int)capacity);
    int64_t n_rows_bytes = batch_size(binding, capacity);
    uint8_t *at = memory_take(memory, MEMORY_BATCH, n_rows_bytes + bytes_capacity, err);
    if (!at)
        return -1;
    struct batch made = { .capacity = capacity,
                          .n_columns = binding->n_slots,
                          .bytes = at + n_rows_bytes,
                          .bytes_capacity = bytes_capacity,
                          .memory = memory };
    made.columns = cut(&at, binding->n_slots * (int64_t)sizeof(struct column));
    cut_column(&made.id, binding->id_type, capacity, &at);
    for (int i = 0; i < binding->n_slots; i++)
        cut_column(&made.columns[i], binding->slots[i].type, capacity, &at);
    made.boxes = cut(&at, capacity * (int64_t)sizeof(struct box));
    made.faults = cut(&at, capacity);
    made.geometry = cut(&at, capacity * (int64_t)sizeof(struct text));
    made.inside = cut(&at, capacity);
    made.origins = cut(&at, capacity * (int64_t)sizeof(int64_t));
    memset(made.inside, 0, (size_t)capacity);
    *batch = made;
    return 0;
}

void batch_reset(struct batch *batch)
{
    batch->n_rows = 0;
    batch->bytes_used = batch->bytes_needed = 0;
    batch->n_filtered = 0;
    batch->is_filtered = false;
    memset(batch->inside, 0, (size_t)batch->capacity);
    batch->n_read = 0;
}

void batch_put_no_id(struct batch *batch, int32_t row)
{
    struct column *id = &batch->id;
    id->valid[row] = 0;
    if (id->type == TYPE_TEXT)
        id->texts[row] = (struct text){ NULL, 0 };
    else
        id->integers[row] = FILL_INTEGER;
    batch->faults[row] = EWKB_NO_ID;
    batch->boxes[row] = box_none();
}

int batch_advise(const struct batch *batch,
                 int64_t share,
                 int64_t most,
                 struct error *err)
{
    const int64_t mib = 1 << 20;
    if (!err || batch->bytes_needed == 0 || err->code != ERROR_BUDGET)
        return -1;
    struct error why = *err;
    if (batch->bytes_needed > most)
        return error_set(err,
                         ERROR_BUDGET,
                         "%s: no [limits] memory makes room for it: make it smaller, "
                         "or leave it out of its table",
                         why.text);
    return error_set(err,
                     ERROR_BUDGET,
                     "%s: raise [limits] memory to about %lld MiB",
                     why.text,
                     (long long)((batch->bytes_needed * share + mib - 1) / mib));
}
