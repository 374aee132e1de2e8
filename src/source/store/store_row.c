#include "store_row.h"

#include <string.h>

enum { POSITION_BYTES = 4, INTEGER_ID_BYTES = 8 };

void store_shape_init(struct store_shape *shape,
                      const struct store_table_plan *plan,
                      bool is_building)
{
    int64_t at = (int64_t)sizeof(struct box);
    *shape = (struct store_shape){ .is_building = is_building, .plan = plan };
    shape->has_text_id = !is_building || plan->id_type == TYPE_TEXT;
    shape->vertices = at;
    shape->values = at += is_building ? 0 : 8;
    shape->n_wkb = at += 8 * (int64_t)plan->n_fields;
    shape->fault = at += 4;
    shape->valid = at += 1;
    shape->wkb = at + plan->n_fields;
}

static void put(uint8_t **at, const void *bytes, int64_t n)
{
    if (n > 0)
        memcpy(*at, bytes, (size_t)n);
    *at += n;
}

int64_t store_row_integer(const uint8_t *at)
{
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

uint32_t store_row_length(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_text(const struct store_shape *shape, int field)
{
    return shape->plan->fields[field].type == TYPE_TEXT;
}

int64_t store_row_bytes(const struct store_shape *shape, const struct store_row *row)
{
    int64_t n = shape->is_building ? POSITION_BYTES : 0;
    n += shape->has_text_id ? row->id_text.n + 1 : INTEGER_ID_BYTES;
    n += shape->wkb + row->wkb.n;
    for (int i = 0; i < shape->plan->n_fields; i++)
        n += is_text(shape, i) ? row->values[i].text.n : 0;
    return n;
}

int store_row_weights(const struct store_shape *shape)
{
    int n = 1;
    for (int i = 0; i < shape->plan->n_fields; i++)
        n += is_text(shape, i);
    return n;
}

void store_row_weigh(const void *context, const uint8_t *bytes, int64_t *weights)
{
    const struct store_shape *shape = context;
    const uint8_t *body = store_row_body(shape, bytes);
    *weights++ = store_row_length(body + shape->n_wkb);
    for (int i = 0; i < shape->plan->n_fields; i++)
        if (is_text(shape, i))
            *weights++ = store_row_integer(body + shape->values + 8 * i);
}

int64_t store_row_id(const uint8_t *bytes)
{
    uint64_t id = (uint64_t)store_row_integer(bytes + POSITION_BYTES);
    return (int64_t)(__builtin_bswap64(id) ^ UINT64_C(1) << 63);
}

struct text store_row_id_text(const struct store_shape *shape, const uint8_t *bytes)
{
    const char *id = (const char *)bytes + (shape->is_building ? POSITION_BYTES : 0);
    return (struct text){ id, (int64_t)strlen(id) };
}

const uint8_t *store_row_body(const struct store_shape *shape, const uint8_t *bytes)
{
    if (!shape->has_text_id)
        return bytes + POSITION_BYTES + INTEGER_ID_BYTES;
    struct text id = store_row_id_text(shape, bytes);
    return (const uint8_t *)id.bytes + id.n + 1;
}

static void
put_key(const struct store_shape *shape, const struct store_row *row, uint8_t **at)
{
    uint32_t position = __builtin_bswap32(row->position);
    uint64_t id = __builtin_bswap64((uint64_t)row->id ^ UINT64_C(1) << 63);
    if (shape->is_building)
        put(at, &position, sizeof position);
    if (shape->has_text_id) {
        put(at, row->id_text.bytes, row->id_text.n);
        put(at, "", 1);
    } else {
        put(at, &id, sizeof id);
    }
}

void store_row_encode(const struct store_shape *shape,
                      const struct store_row *row,
                      uint8_t *bytes)
{
    const struct store_value *values = row->values;
    int n = shape->plan->n_fields;
    uint32_t n_wkb = (uint32_t)row->wkb.n;
    put_key(shape, row, &bytes);
    put(&bytes, &row->box, sizeof row->box);
    if (!shape->is_building)
        put(&bytes, &row->n_vertices, sizeof row->n_vertices);
    for (int i = 0; i < n; i++)
        put(&bytes, is_text(shape, i) ? &values[i].text.n : &values[i].integer, 8);
    put(&bytes, &n_wkb, sizeof n_wkb);
    *bytes++ = row->fault;
    for (int i = 0; i < n; i++)
        *bytes++ = values[i].valid;
    put(&bytes, row->wkb.bytes, row->wkb.n);
    for (int i = 0; i < n; i++)
        if (is_text(shape, i))
            put(&bytes, values[i].text.bytes, values[i].text.n);
}
