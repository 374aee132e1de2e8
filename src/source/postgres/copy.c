#include "copy.h"

#include <stdio.h>
#include <string.h>

#include "zone_list.h"

enum { SIGNATURE_BYTES = 11, HEADER_BYTES = SIGNATURE_BYTES + 8 };

static const uint8_t signature[SIGNATURE_BYTES] = { 'P',  'G',  'C',  'O',  'P', 'Y',
                                                    '\n', 0xff, '\r', '\n', 0 };
/* 2000-01-01, where PostgreSQL counts from, after 1970-01-01. */
static const int64_t epoch_days = 10957;
static const int64_t epoch_us = INT64_C(10957) * 86400 * 1000000;

static int16_t copy_int16(const uint8_t *bytes)
{
    uint16_t word;
    memcpy(&word, bytes, sizeof word);
    return (int16_t)__builtin_bswap16(word);
}

int32_t copy_int32(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return (int32_t)__builtin_bswap32(word);
}

int64_t copy_int64(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return (int64_t)__builtin_bswap64(word);
}

double copy_float8(const uint8_t *bytes)
{
    int64_t word = copy_int64(bytes);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

int64_t copy_header(const uint8_t *bytes, int64_t n_bytes, struct error *err)
{
    if (n_bytes < HEADER_BYTES || memcmp(bytes, signature, SIGNATURE_BYTES) != 0)
        return error_set(err, ERROR_FORMAT, "COPY: no binary signature");
    int32_t flags = copy_int32(bytes + SIGNATURE_BYTES);
    int32_t n_extension = copy_int32(bytes + SIGNATURE_BYTES + 4);
    if (flags & ~0xffff || (flags & 0xffff) != 0)
        return error_set(err, ERROR_FORMAT, "COPY: unknown flags %#x", (unsigned)flags);
    if (n_extension < 0 || n_extension > n_bytes - HEADER_BYTES)
        return error_set(err,
                         ERROR_FORMAT,
                         "COPY: header extension of %d bytes",
                         (int)n_extension);
    return HEADER_BYTES + n_extension;
}

int copy_row(const uint8_t *bytes,
             int64_t n_bytes,
             struct copy_field *fields,
             int n_fields,
             struct error *err)
{
    if (n_bytes < 2)
        return error_set(err, ERROR_FORMAT, "COPY: a row of %d bytes", (int)n_bytes);
    int n = copy_int16(bytes);
    if (n == -1 && n_bytes == 2)
        return 0;
    if (n != n_fields)
        return error_set(err,
                         ERROR_FORMAT,
                         "COPY: a row of %d fields where %d were asked for",
                         n,
                         n_fields);
    const uint8_t *at = bytes + 2, *end = bytes + n_bytes;
    for (int i = 0; i < n_fields; i++) {
        if (end - at < 4)
            return error_set(err, ERROR_FORMAT, "COPY: field %d is cut off", i + 1);
        int32_t length = copy_int32(at);
        at += 4;
        fields[i] = (struct copy_field){ at, length };
        if (length == -1)
            continue;
        if (length < 0 || length > end - at)
            return error_set(err,
                             ERROR_FORMAT,
                             "COPY: field %d of %d bytes where %d are left",
                             i + 1,
                             (int)length,
                             (int)(end - at));
        at += length;
    }
    if (at != end)
        return error_set(err,
                         ERROR_FORMAT,
                         "COPY: %d bytes after the last field",
                         (int)(end - at));
    return 1;
}

bool copy_is_null(const uint8_t *bytes, int64_t n_bytes, int n_fields)
{
    if (n_bytes != 2 + 4 * (int64_t)n_fields || copy_int16(bytes) != n_fields)
        return false;
    for (int i = 0; i < n_fields; i++)
        if (copy_int32(bytes + 2 + 4 * i) != -1)
            return false;
    return true;
}

bool copy_is_whole(const uint8_t *bytes, int64_t n_bytes)
{
    int64_t at = copy_header(bytes, n_bytes, NULL);
    if (at == n_bytes) /* a header alone */
        return true;
    at = at < 0 ? 0 : at;
    if (n_bytes - at < 2)
        return false;
    int n = copy_int16(bytes + at);
    for (at += 2; n > 0; n--) {
        if (n_bytes - at < 4)
            return false;
        int32_t length = copy_int32(bytes + at);
        at += 4;
        if (length > n_bytes - at)
            return false;
        at += length > 0 ? length : 0;
    }
    return at == n_bytes;
}

/* Bytes that the row puts into batch->bytes. */
static int64_t row_bytes(const struct copy_field *fields,
                         const struct copy_shape *shape,
                         const struct batch *batch)
{
    int64_t n = fields[1].n > 0 ? fields[1].n : 0;
    if (batch->id.type == TYPE_TEXT && fields[0].n > 0)
        n += fields[0].n;
    for (int i = 0; i < shape->n_columns; i++)
        if (batch->columns[shape->slot[i]].type == TYPE_TEXT && fields[i + 2].n > 0)
            n += fields[i + 2].n;
    return n;
}

static struct text keep(struct batch *batch, const struct copy_field *field)
{
    uint8_t *to = batch->bytes + batch->bytes_used;
    memcpy(to, field->bytes, (size_t)field->n);
    batch->bytes_used += field->n;
    return (struct text){ (const char *)to, field->n };
}

/* 'infinity' and what passes 64 bits stay the greatest and least of values. */
static int64_t date_value(int32_t days)
{
    if (days == INT32_MAX || days == INT32_MIN)
        return days == INT32_MAX ? INT64_MAX : INT64_MIN;
    return days + epoch_days;
}

static int64_t timestamp_value(int64_t us)
{
    int64_t value;
    if (us == INT64_MIN || __builtin_add_overflow(us, epoch_us, &value))
        return us < 0 ? INT64_MIN : INT64_MAX;
    return value;
}

/* Returns 0, or -1 when the length is not the type's. */
static int put_value(struct batch *batch,
                     struct column *column,
                     int32_t row,
                     const struct copy_field *field)
{
    column->valid[row] = field->n >= 0;
    if (field->n < 0)
        return 0;
    switch (column->type) {
    case TYPE_REAL:
        if (field->n != 8)
            return -1;
        column->reals[row] = copy_float8(field->bytes);
        return 0;
    case TYPE_INTEGER:
        if (field->n != 8)
            return -1;
        column->integers[row] = copy_int64(field->bytes);
        return 0;
    case TYPE_TEXT:
        column->texts[row] = keep(batch, field);
        return 0;
    case TYPE_BOOLEAN:
        if (field->n != 1 || field->bytes[0] > 1)
            return -1;
        column->integers[row] = field->bytes[0];
        return 0;
    case TYPE_DATE:
        if (field->n != 4)
            return -1;
        column->integers[row] = date_value(copy_int32(field->bytes));
        return 0;
    case TYPE_TIMESTAMP:
        if (field->n != 8)
            return -1;
        column->integers[row] = timestamp_value(copy_int64(field->bytes));
        return 0;
    case TYPE_NULL:
        break;
    }
    return -1;
}

/* "building 4711" into name; returns name. */
static const char *row_name(char name[96],
                            const struct copy_shape *shape,
                            enum value_type id_type,
                            const struct copy_field *id)
{
    const char *word = shape->is_zone ? "zone" : "building";
    if (id->n < 0)
        snprintf(name, 96, "%s without an id", word);
    else if (id_type == TYPE_TEXT)
        snprintf(name,
                 96,
                 "%s %.*s",
                 word,
                 id->n > 80 ? 80 : (int)id->n,
                 (const char *)id->bytes);
    else
        snprintf(name, 96, "%s %lld", word, (long long)copy_int64(id->bytes));
    return name;
}

int copy_add(const struct copy_field *fields,
             const struct copy_shape *shape,
             struct batch *batch,
             struct error *err)
{
    bool is_bare = fields[1].n < 0;
    if (is_bare && !shape->is_zone) {
        batch->n_filtered++;
        return 1;
    }
    if (fields[0].n < 0 && shape->is_zone)
        return zone_without_id(true, err);
    if (batch->n_rows == batch->capacity)
        return 0;
    int64_t n_needed = row_bytes(fields, shape, batch);
    char name[96], needs[24], has[24];
    if (n_needed > batch->bytes_capacity - batch->bytes_used) {
        if (batch->n_rows > 0)
            return 0;
        batch->bytes_needed = n_needed;
        return error_set(err,
                         ERROR_BUDGET,
                         "%s needs %s, a batch holds %s",
                         row_name(name, shape, batch->id.type, &fields[0]),
                         memory_size_text(needs, n_needed),
                         memory_size_text(has, batch->bytes_capacity));
    }

    int32_t row = batch->n_rows;
    if (put_value(batch, &batch->id, row, &fields[0]))
        return error_set(err, ERROR_FORMAT, "an id of %d bytes", (int)fields[0].n);
    batch->geometry[row] = is_bare ? (struct text){ NULL, 0 } : keep(batch, &fields[1]);
    for (int i = 0; i < shape->n_columns; i++)
        if (put_value(batch, &batch->columns[shape->slot[i]], row, &fields[i + 2]))
            return error_set(err,
                             ERROR_FORMAT,
                             "column %d: a value of %d bytes",
                             i + 1,
                             (int)fields[i + 2].n);
    struct ewkb ewkb = { .srid = shape->srid, .box = box_none() };
    enum ewkb_fault fault =
        is_bare ? EWKB_FINE : ewkb_read(fields[1].bytes, fields[1].n, &ewkb);
    if (fault == EWKB_FINE && ewkb.srid != shape->srid)
        return error_set(err,
                         ERROR_DATA,
                         "%s is in SRID %d, others in SRID %d: transform it "
                         "(ST_Transform)",
                         row_name(name, shape, batch->id.type, &fields[0]),
                         ewkb.srid,
                         shape->srid);
    batch->faults[row] = (uint8_t)ewkb_fault_of(fault, &ewkb);
    batch->boxes[row] = fault == EWKB_FINE ? ewkb.box : box_none();
    if (fields[0].n < 0)
        batch_put_no_id(batch, row);
    batch->n_rows++;
    return 1;
}
