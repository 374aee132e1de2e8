#include "store_fill.h"

#include <errno.h>
#include <string.h>

#include "rooftally/base/file.h"

enum {
    MOST_CLAIM = 8 * STORE_FILL_ROWS,
    MOST_STREAM_BYTES = 68 * 1024,
    WKB_SHARES = 8
};

/* Bytes on their way to one place in the file. They are written up to a multiple of `unit`, a
 * power of two: a page cache takes whole pieces of a file faster than others. */
struct stream {
    int64_t at, unit;
    uint8_t *bytes;
    int32_t used, capacity;
};

struct field_streams {
    struct stream values, valid, text;
    int64_t n_text;
};

struct store_fill {
    const struct store *store;
    const struct store_table *table;
    const struct store_shape *shape;
    const struct store_table_size *size;
    const struct store_range *range;
    struct syncer *syncer;
    int64_t n;     /* rows so far */
    int64_t n_wkb; /* where the next geometry begins */
    struct stream id, box[4], fault, vertices, offset, wkb;
    struct field_streams *fields;
};

static int cannot_write(struct error *err)
{
    return error_set(err, ERROR_IO, "the store: %s", file_reason(errno));
}

int store_write(const struct store *store,
                int64_t at,
                const void *bytes,
                int64_t n_bytes,
                struct error *err)
{
    if (!file_write_at(store->file, at, bytes, n_bytes))
        return cannot_write(err);
    return 0;
}

static int write_on(const struct store_fill *fill,
                    struct stream *stream,
                    const void *bytes,
                    int64_t n,
                    struct error *err)
{
    if (store_write(fill->store, stream->at, bytes, n, err))
        return -1;
    stream->at += n;
    if (!syncer_wrote(fill->syncer, n))
        return cannot_write(err);
    return 0;
}

static int
flush(const struct store_fill *fill, struct stream *stream, struct error *err)
{
    if (write_on(fill, stream, stream->bytes, stream->used, err))
        return -1;
    stream->used = 0;
    return 0;
}

/* Make room for at most MOST_CLAIM bytes: what lies beyond the last unit stays. */
static int
flush_units(const struct store_fill *fill, struct stream *stream, struct error *err)
{
    int64_t n = ((stream->at + stream->used) & -stream->unit) - stream->at;
    if (n <= 0)
        return flush(fill, stream, err);
    if (write_on(fill, stream, stream->bytes, n, err))
        return -1;
    stream->used -= (int32_t)n;
    memmove(stream->bytes, stream->bytes + n, (size_t)stream->used);
    return 0;
}

static int put(const struct store_fill *fill,
               struct stream *stream,
               const void *bytes,
               int64_t n,
               struct error *err)
{
    if (n > stream->capacity - stream->used && flush_units(fill, stream, err))
        return -1;
    if (n > stream->capacity - stream->used && flush(fill, stream, err))
        return -1;
    if (n > stream->capacity)
        return write_on(fill, stream, bytes, n, err);
    if (n > 0)
        memcpy(stream->bytes + stream->used, bytes, (size_t)n);
    stream->used += (int32_t)n;
    return 0;
}

static int init(struct stream *stream,
                int64_t at,
                int32_t capacity,
                struct memory *memory,
                struct error *err)
{
    *stream = (struct stream){ .at = at, .unit = 1, .capacity = capacity };
    while (2 * stream->unit <= capacity - MOST_CLAIM)
        stream->unit *= 2;
    stream->bytes = memory_take(memory, MEMORY_BATCH, capacity, err);
    return stream->bytes ? 0 : -1;
}

static int init_field(struct field_streams *field,
                      const struct store_column *column,
                      int64_t first,
                      int64_t first_text,
                      int32_t capacity,
                      struct memory *memory,
                      struct error *err)
{
    int64_t width = column->layout == STORE_WORDS ? 2 : 8;
    *field = (struct field_streams){ .n_text = first_text };
    if (init(&field->values, column->at + width * first, capacity, memory, err))
        return -1;
    if (column->valid_at >= 0
        && init(&field->valid, column->valid_at + first, capacity, memory, err))
        return -1;
    if (column->layout == STORE_OFFSETS)
        return init(&field->text, column->text_at + first_text, capacity, memory, err);
    return 0;
}

static int init_streams(struct store_fill *fill,
                        int32_t n,
                        struct memory *memory,
                        struct error *err)
{
    const struct store_table *table = fill->table;
    const struct store_range *range = fill->range;
    int64_t first = range->first;
    if (init(&fill->id, table->id_at + table->id_bytes * first, n, memory, err)
        || init(&fill->offset, table->offset_at + 8 * first, n, memory, err)
        || init(&fill->wkb,
                table->wkb_at + range->first_wkb,
                n * WKB_SHARES,
                memory,
                err)
        || init(&fill->fault, table->fault_at + first, n, memory, err)
        || init(&fill->vertices, table->vertices_at + 8 * first, n, memory, err))
        return -1;
    int64_t width = table->fault_at ? sizeof(float) : sizeof(double);
    for (int side = 0; side < 4; side++)
        if (init(&fill->box[side], table->box_at[side] + width * first, n, memory, err))
            return -1;
    for (int i = 0; i < table->n_columns; i++)
        if (init_field(&fill->fields[i],
                       &table->columns[i],
                       first,
                       range->first_text[i],
                       n,
                       memory,
                       err))
            return -1;
    return 0;
}

static int64_t n_shares(int n_fields)
{
    return 10 + WKB_SHARES + 3 * (int64_t)n_fields;
}

int64_t store_fill_most_bytes(int n_fields)
{
    return (int64_t)sizeof(struct store_fill) + MOST_STREAM_BYTES * n_shares(n_fields)
           + n_fields * (int64_t)sizeof(struct field_streams);
}

/* What one stream gets of n_bytes. */
static int32_t share_of(const struct store_table *table, int64_t n_bytes)
{
    int64_t n = (n_bytes - (int64_t)sizeof(struct store_fill)
                 - table->n_columns * (int64_t)sizeof(struct field_streams))
                    / n_shares(table->n_columns)
                & ~INT64_C(63);
    return (int32_t)(n > MOST_STREAM_BYTES ? MOST_STREAM_BYTES : n - 64);
}

int store_fill_open(struct store_fill **fill,
                    const struct store *store,
                    const struct store_table *table,
                    const struct store_shape *shape,
                    const struct store_table_size *size,
                    const struct store_range *range,
                    struct syncer *syncer,
                    int64_t n_bytes,
                    struct memory *memory,
                    struct error *err)
{
    struct store_fill *made = memory_take(memory, MEMORY_BATCH, sizeof *made, err);
    if (!made)
        return -1;
    *made = (struct store_fill){ .store = store,
                                 .table = table,
                                 .shape = shape,
                                 .size = size,
                                 .range = range,
                                 .syncer = syncer,
                                 .n_wkb = range->first_wkb };
    made->fields = memory_take(memory,
                               MEMORY_BATCH,
                               table->n_columns * (int64_t)sizeof *made->fields,
                               err);
    if (!made->fields || init_streams(made, share_of(table, n_bytes), memory, err))
        return -1;
    *fill = made;
    return 0;
}

/* Room for n values in one piece, which the caller fills: their count is bounded so that a
 * stream holds as many. NULL on failure. */
static uint8_t *claim(const struct store_fill *fill,
                      struct stream *stream,
                      int64_t n_bytes,
                      struct error *err)
{
    if (n_bytes > stream->capacity - stream->used && flush_units(fill, stream, err))
        return NULL;
    uint8_t *to = stream->bytes + stream->used;
    stream->used += (int32_t)n_bytes;
    return to;
}

/* Rows on their way, column by column. */
struct rows {
    const uint8_t *const *records;          /* [n] */
    const uint8_t *bodies[STORE_FILL_ROWS]; /* [n] */
    int32_t n;
};

/* What all rows have at one place of 8 bytes, or of 1. */
static int put_words(const struct store_fill *fill,
                     struct stream *stream,
                     const struct rows *rows,
                     int64_t place,
                     struct error *err)
{
    uint8_t *to = claim(fill, stream, 8 * (int64_t)rows->n, err);
    if (!to)
        return -1;
    for (int32_t i = 0; i < rows->n; i++)
        memcpy(to + 8 * i, rows->bodies[i] + place, 8);
    return 0;
}

static int put_bytes(const struct store_fill *fill,
                     struct stream *stream,
                     const struct rows *rows,
                     int64_t place,
                     struct error *err)
{
    uint8_t *to = claim(fill, stream, rows->n, err);
    if (!to)
        return -1;
    for (int32_t i = 0; i < rows->n; i++)
        to[i] = rows->bodies[i][place];
    return 0;
}

static int put_ids(struct store_fill *fill, const struct rows *rows, struct error *err)
{
    char id[STORE_ID_BYTES];
    size_t n = (size_t)fill->table->id_bytes;
    for (int32_t i = 0; i < rows->n; i++) {
        if (!fill->shape->has_text_id) {
            int64_t value = store_row_id(rows->records[i]);
            if (put(fill, &fill->id, &value, sizeof value, err))
                return -1;
            continue;
        }
        struct text text = store_row_id_text(fill->shape, rows->records[i]);
        memset(id, 0, n);
        memcpy(id, text.bytes, (size_t)text.n);
        if (put(fill, &fill->id, id, (int64_t)n, err))
            return -1;
    }
    return 0;
}

static int
put_geometries(struct store_fill *fill, const struct rows *rows, struct error *err)
{
    uint8_t *offsets = claim(fill, &fill->offset, 8 * (int64_t)rows->n, err);
    if (!offsets)
        return -1;
    for (int32_t i = 0; i < rows->n; i++) {
        const uint8_t *body = rows->bodies[i];
        int64_t n = store_row_length(body + fill->shape->n_wkb);
        memcpy(offsets + 8 * i, &fill->n_wkb, 8);
        if (put(fill, &fill->wkb, body + fill->shape->wkb, n, err))
            return -1;
        fill->n_wkb += n;
    }
    return 0;
}

static int put_text(struct store_fill *fill,
                    int field,
                    bool valid,
                    struct text text,
                    struct error *err)
{
    struct field_streams *to = &fill->fields[field];
    if (fill->table->columns[field].layout == STORE_WORDS) {
        uint16_t rank =
            valid ? words_rank(fill->size->fields[field].words, text) : WORDS_NULL;
        return put(fill, &to->values, &rank, sizeof rank, err);
    }
    if (put(fill, &to->values, &to->n_text, 8, err)
        || put(fill, &to->text, text.bytes, text.n, err))
        return -1;
    to->n_text += text.n;
    return 0;
}

/* The texts of one field; they lie behind each other, so the next field's begin where
 * these end. */
static int put_texts(struct store_fill *fill,
                     int field,
                     const struct rows *rows,
                     const uint8_t **texts,
                     struct error *err)
{
    int64_t place = fill->shape->values + 8 * (int64_t)field;
    for (int32_t i = 0; i < rows->n; i++) {
        const uint8_t *body = rows->bodies[i];
        struct text text = { (const char *)texts[i], store_row_integer(body + place) };
        if (put_text(fill, field, body[fill->shape->valid + field], text, err))
            return -1;
        texts[i] += text.n;
    }
    return 0;
}

static int
put_fields(struct store_fill *fill, const struct rows *rows, struct error *err)
{
    const struct store_shape *shape = fill->shape;
    const uint8_t *texts[STORE_FILL_ROWS];
    for (int32_t i = 0; i < rows->n; i++)
        texts[i] = rows->bodies[i] + shape->wkb
                   + store_row_length(rows->bodies[i] + shape->n_wkb);
    for (int i = 0; i < fill->table->n_columns; i++) {
        const struct store_column *column = &fill->table->columns[i];
        struct field_streams *to = &fill->fields[i];
        if (column->valid_at >= 0
            && put_bytes(fill, &to->valid, rows, shape->valid + i, err))
            return -1;
        if (column->layout == STORE_VALUES ? put_words(fill,
                                                       &to->values,
                                                       rows,
                                                       shape->values + 8 * (int64_t)i,
                                                       err)
                                           : put_texts(fill, i, rows, texts, err))
            return -1;
    }
    return 0;
}

/* One side of the boxes, of buildings as floats that hold them, of zones as it is. */
static int
put_sides(struct store_fill *fill, int side, const struct rows *rows, struct error *err)
{
    int64_t place = (int64_t)sizeof(double) * side;
    if (!fill->shape->is_building)
        return put_words(fill, &fill->box[side], rows, place, err);
    uint8_t *to = claim(fill, &fill->box[side], 4 * (int64_t)rows->n, err);
    if (!to)
        return -1;
    for (int32_t i = 0; i < rows->n; i++) {
        double value;
        memcpy(&value, rows->bodies[i] + place, sizeof value);
        float outer = side < 2 ? store_float_below(value) : store_float_above(value);
        memcpy(to + 4 * i, &outer, sizeof outer);
    }
    return 0;
}

int store_fill_add(struct store_fill *fill,
                   const uint8_t *const *records,
                   int32_t n,
                   struct error *err)
{
    struct rows rows = { .records = records, .n = n };
    for (int32_t i = 0; i < n; i++)
        rows.bodies[i] = store_row_body(fill->shape, records[i]);
    if (put_ids(fill, &rows, err) || put_geometries(fill, &rows, err))
        return -1;
    for (int side = 0; side < 4; side++)
        if (put_sides(fill, side, &rows, err))
            return -1;
    if (fill->table->fault_at
        && put_bytes(fill, &fill->fault, &rows, fill->shape->fault, err))
        return -1;
    if (fill->table->vertices_at
        && put_words(fill, &fill->vertices, &rows, fill->shape->vertices, err))
        return -1;
    fill->n += n;
    return put_fields(fill, &rows, err);
}

/* The rank whose range reaches to the end of the table ends the offsets. */
static int end_offsets(struct store_fill *fill, struct error *err)
{
    if (fill->range->first + fill->n != fill->table->n)
        return 0;
    if (put(fill, &fill->offset, &fill->n_wkb, 8, err))
        return -1;
    for (int i = 0; i < fill->table->n_columns; i++) {
        struct field_streams *field = &fill->fields[i];
        if (fill->table->columns[i].layout == STORE_OFFSETS
            && put(fill, &field->values, &field->n_text, 8, err))
            return -1;
    }
    return 0;
}

int store_fill_end(struct store_fill *fill, struct error *err)
{
    const struct store_range *range = fill->range;
    if (fill->n != range->n || fill->n_wkb != range->first_wkb + range->n_wkb)
        return error_set(err, ERROR_INTERNAL, "%s: rows were lost", fill->table->name);
    if (end_offsets(fill, err) || flush(fill, &fill->id, err)
        || flush(fill, &fill->offset, err) || flush(fill, &fill->wkb, err)
        || flush(fill, &fill->fault, err) || flush(fill, &fill->vertices, err))
        return -1;
    for (int side = 0; side < 4; side++)
        if (flush(fill, &fill->box[side], err))
            return -1;
    for (int i = 0; i < fill->table->n_columns; i++) {
        struct field_streams *field = &fill->fields[i];
        if (flush(fill, &field->values, err) || flush(fill, &field->valid, err)
            || flush(fill, &field->text, err))
            return -1;
    }
    return 0;
}
