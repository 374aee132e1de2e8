/* From a zone_record to the rows of a dataset. */
#include <math.h>
#include <string.h>

#include "field.h"

static const void *at(const struct field *field, const struct zone_record *record)
{
    return (const uint8_t *)record + field->member;
}

static bool is_null(const struct column *column, int64_t i)
{
    return column->valid && !column->valid[i];
}

static struct text column_text(const struct column *column, int64_t i)
{
    return is_null(column, i) ? (struct text){ 0 } : column->texts[i];
}

/* The i-th TEXT value of the record, counted over all its rows. */
static struct text
text_at(const struct field *field, const struct zone_record *record, int64_t i)
{
    switch (field->origin) {
    case FROM_OUTPUT:
        return record->outputs[field->index].texts[i];
    case FROM_KEEP:
        return column_text(&record->keep[field->index], i);
    case FROM_REJECTED_ID:
        return column_text(&record->rejected_id, i);
    case FROM_REASON:
        return record->rejected_reason[i];
    case FROM_SNAPSHOT:
        return (
            struct text){ record->snapshot,
                          (int64_t)strnlen(record->snapshot, sizeof record->snapshot) };
    default:
        return (struct text){ 0 };
    }
}

static int64_t n_rows(const struct field *field, const struct zone_record *record)
{
    switch (field->family) {
    case FAMILY_BUILDING:
        return record->n_selected;
    case FAMILY_REJECTED:
        return record->n_rejected;
    case FAMILY_BYTE:
        return record->wkb.n;
    default:
        return 1;
    }
}

int64_t field_longest(const struct field *field, const struct zone_record *record)
{
    int64_t longest = 0;
    if (field->type != TYPE_TEXT)
        return 0;
    for (int64_t i = 0; i < field->width * n_rows(field, record); i++) {
        int64_t n = text_at(field, record, i).n;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static int put_texts(const struct field *field,
                     const struct zone_record *record,
                     int64_t first,
                     int64_t n,
                     uint8_t *out,
                     struct error *err)
{
    for (int64_t i = 0; i < n; i++, out += field->text_bytes) {
        struct text text = text_at(field, record, first + i);
        if (text.n > field->text_bytes)
            return error_set(err,
                             ERROR_INTERNAL,
                             "%s: a text was not surveyed",
                             field->name);
        memset(out, 0, (size_t)field->text_bytes);
        if (text.n > 0)
            memcpy(out, text.bytes, (size_t)text.n);
    }
    return 0;
}

/* NaN has many spellings; the file has one, whoever computed it. */
static void put_reals(const double *reals, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        double value = isnan(reals[i]) ? NAN : reals[i];
        memcpy(out + 8 * i, &value, sizeof value);
    }
}

static void
put_column(const struct column *column, int64_t first, int64_t n, uint8_t *out)
{
    for (int64_t i = first; i < first + n; i++, out += 8) {
        if (column->type == TYPE_REAL) {
            double value = is_null(column, i) ? NAN : column->reals[i];
            put_reals(&value, 1, out);
        } else {
            int64_t value = is_null(column, i) ? FILL_INTEGER : column->integers[i];
            memcpy(out, &value, sizeof value);
        }
    }
}

static int put_counts(const struct field *field,
                      const struct output_values *values,
                      uint8_t *out,
                      struct error *err)
{
    memset(out, 0, (size_t)field_row_bytes(field));
    for (int64_t i = 0; i < values->n; i++) {
        int64_t column = categories_find(field->categories, values, i);
        if (column < 0)
            return error_set(err,
                             ERROR_INTERNAL,
                             "%s: a category was not surveyed",
                             field->name);
        memcpy(out + 8 * column, &values->counts[i], sizeof *values->counts);
    }
    return 0;
}

int field_read(const struct field *field,
               const struct zone_record *record,
               int64_t first,
               int64_t n,
               uint8_t *out,
               struct error *err)
{
    if (field->type == TYPE_TEXT)
        return put_texts(field,
                         record,
                         field->width * first,
                         field->width * n,
                         out,
                         err);
    int64_t integer;
    switch (field->origin) {
    case FROM_INT32:
        integer = *(const int32_t *)at(field, record);
        memcpy(out, &integer, sizeof integer);
        return 0;
    case FROM_INTEGER:
        memcpy(out, at(field, record), sizeof(int64_t));
        return 0;
    case FROM_REAL:
        put_reals(at(field, record), 1, out);
        return 0;
    case FROM_BOX:
        put_reals(box_is_empty(&record->box) ? &(double){ NAN } : at(field, record),
                  1,
                  out);
        return 0;
    case FROM_OUTPUT:
        if (field->type == TYPE_REAL)
            put_reals(record->outputs[field->index].reals, field->width, out);
        else
            memcpy(out,
                   record->outputs[field->index].integers,
                   (size_t)field_row_bytes(field));
        return 0;
    case FROM_CATEGORY:
        return put_counts(field, &record->outputs[field->index], out, err);
    case FROM_KEEP:
        put_column(&record->keep[field->index], first, n, out);
        return 0;
    case FROM_REJECTED_ID:
        put_column(&record->rejected_id, first, n, out);
        return 0;
    case FROM_WKB:
        memcpy(out, record->wkb.bytes + first, (size_t)n);
        return 0;
    default:
        return error_set(err, ERROR_INTERNAL, "%s has no origin", field->name);
    }
}
