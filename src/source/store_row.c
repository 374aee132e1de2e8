#include "store_row.h"

#include <string.h>

static void put(uint8_t **at, const void *bytes, int64_t n)
{
    if (n > 0)
        memcpy(*at, bytes, (size_t)n);
    *at += n;
}

static void get(const uint8_t **at, void *bytes, size_t n)
{
    memcpy(bytes, *at, n);
    *at += n;
}

static void put_text(uint8_t **at, struct text text)
{
    uint32_t n = (uint32_t)text.n;
    put(at, &n, sizeof n);
    put(at, text.bytes, text.n);
}

static struct text get_text(const uint8_t **at)
{
    uint32_t n;
    get(at, &n, sizeof n);
    struct text text = { (const char *)*at, n };
    *at += n;
    return text;
}

int64_t store_row_bytes(const struct store_shape *shape, const struct store_row *row)
{
    int64_t n = shape->has_position ? 4 : 0;
    n += shape->has_text_id ? row->id_text.n + 1 : 8;
    n += 1 + (int64_t)sizeof row->box + 8 + 4 + row->wkb.n;
    for (int i = 0; i < shape->plan->n_fields; i++) {
        n += 1;
        if (!row->values[i].valid)
            continue;
        bool text = shape->plan->fields[i].type == TYPE_TEXT;
        n += text ? 4 + row->values[i].text.n : 8;
    }
    return n;
}

int store_row_weights(const struct store_shape *shape)
{
    int n = 1;
    for (int i = 0; i < shape->plan->n_fields; i++)
        n += shape->plan->fields[i].type == TYPE_TEXT;
    return n;
}

void store_row_weigh(const void *context, const uint8_t *bytes, int64_t *weights)
{
    const struct store_shape *shape = context;
    const struct store_table_plan *plan = shape->plan;
    uint32_t n;
    bytes += shape->has_position ? 4 : 0;
    bytes += shape->has_text_id ? strlen((const char *)bytes) + 1 : 8;
    bytes += 1 + sizeof(struct box) + 8;
    memcpy(&n, bytes, sizeof n);
    *weights++ = n;
    bytes += sizeof n + n;
    for (int i = 0; i < plan->n_fields; i++) {
        bool text = plan->fields[i].type == TYPE_TEXT, valid = *bytes++;
        n = 0;
        if (text && valid)
            memcpy(&n, bytes, sizeof n);
        if (text)
            *weights++ = n;
        if (valid)
            bytes += text ? sizeof n + n : 8;
    }
}

void store_row_encode(const struct store_shape *shape,
                      const struct store_row *row,
                      uint8_t *bytes)
{
    uint32_t position = __builtin_bswap32(row->position);
    uint64_t id = __builtin_bswap64((uint64_t)row->id ^ UINT64_C(1) << 63);
    if (shape->has_position)
        put(&bytes, &position, sizeof position);
    if (shape->has_text_id) {
        put(&bytes, row->id_text.bytes, row->id_text.n);
        put(&bytes, "", 1);
    } else {
        put(&bytes, &id, sizeof id);
    }
    put(&bytes, &row->fault, 1);
    put(&bytes, &row->box, sizeof row->box);
    put(&bytes, &row->n_vertices, sizeof row->n_vertices);
    put_text(&bytes, row->wkb);
    for (int i = 0; i < shape->plan->n_fields; i++) {
        const struct store_value *value = &row->values[i];
        uint8_t valid = value->valid;
        put(&bytes, &valid, 1);
        if (!valid)
            continue;
        if (shape->plan->fields[i].type == TYPE_TEXT)
            put_text(&bytes, value->text);
        else
            put(&bytes, &value->integer, 8);
    }
}

void store_row_decode(const struct store_shape *shape,
                      const uint8_t *bytes,
                      struct store_row *row)
{
    if (shape->has_position) {
        get(&bytes, &row->position, sizeof row->position);
        row->position = __builtin_bswap32(row->position);
    }
    if (shape->has_text_id) {
        row->id_text =
            (struct text){ (const char *)bytes, (int64_t)strlen((const char *)bytes) };
        bytes += row->id_text.n + 1;
    } else {
        uint64_t id;
        get(&bytes, &id, sizeof id);
        row->id = (int64_t)(__builtin_bswap64(id) ^ UINT64_C(1) << 63);
    }
    get(&bytes, &row->fault, 1);
    get(&bytes, &row->box, sizeof row->box);
    get(&bytes, &row->n_vertices, sizeof row->n_vertices);
    row->wkb = get_text(&bytes);
    for (int i = 0; i < shape->plan->n_fields; i++) {
        struct store_value *value = &row->values[i];
        uint8_t valid;
        get(&bytes, &valid, 1);
        value->valid = valid;
        if (!valid)
            continue;
        if (shape->plan->fields[i].type == TYPE_TEXT)
            value->text = get_text(&bytes);
        else
            get(&bytes, &value->integer, 8);
    }
}
