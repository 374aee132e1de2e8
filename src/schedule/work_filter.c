#include "rooftally/geometry/measure.h"

#include "zone_work.h"

/* Fill the slots that are measured on the geometry of one row, which is there. */
static int
measure_row(struct analysis *a, int32_t row, bool want_length, struct error *err)
{
    const struct binding *binding = a->binding;
    struct text wkb = a->batch.geometry[row];
    struct measures m;
    if (measure(&source_schema(a->source)->crs,
                (const uint8_t *)wkb.bytes,
                wkb.n,
                want_length,
                &m,
                err)
        < 0) {
        work_name_building(err, &a->batch, row);
        return -1;
    }
    for (int s = 0; s < binding->n_slots; s++) {
        if (binding->slots[s].origin != SLOT_MEASURE)
            continue;
        struct column *column = &a->batch.columns[s];
        column->valid[row] = 1;
        if (binding->slots[s].measure == MEASURE_VERTICES)
            column->integers[row] = m.n_vertices;
        else if (binding->slots[s].measure == MEASURE_PERIMETER_M)
            column->reals[row] = m.perimeter_m;
        else
            column->reals[row] = m.area_m2;
    }
    return 0;
}

/* Fill the slots that are measured on the geometry. */
static int measure_rows(struct analysis *a, int32_t n_rows, struct error *err)
{
    const struct binding *binding = a->binding;
    bool wanted = false, want_length = false;
    for (int s = 0; s < binding->n_slots; s++) {
        wanted = wanted || binding->slots[s].origin == SLOT_MEASURE;
        want_length = want_length
                      || (binding->slots[s].origin == SLOT_MEASURE
                          && binding->slots[s].measure == MEASURE_PERIMETER_M);
    }
    if (!wanted || n_rows == 0)
        return 0;
    for (int32_t i = 0, n; i < n_rows;) {
        n = source_geometry(a->source, &a->batch, a->rows + i, n_rows - i, err);
        if (n < 0)
            return -1;
        for (int32_t end = i + n; i < end; i++)
            if (measure_row(a, a->rows[i], want_length, err) < 0)
                return -1;
    }
    return 0;
}

/* Keep in a->rows those that a half of the filter lets pass. */
static int filter_rows(struct analysis *a,
                       const struct expression *filter,
                       int32_t *n_rows,
                       struct error *err)
{
    if (!filter || *n_rows == 0)
        return 0;
    int32_t n = expression_select(filter,
                                  a->batch.columns,
                                  a->rows,
                                  *n_rows,
                                  a->batch.capacity,
                                  a->memory,
                                  err);
    if (n < 0)
        return error_prefix(err, "[buildings] where");
    *n_rows = n;
    return 0;
}

static int evaluate_fields(struct analysis *a, int32_t n_rows, struct error *err)
{
    for (int s = 0; s < a->binding->n_slots; s++) {
        const struct slot *slot = &a->binding->slots[s];
        if (slot->origin != SLOT_LOCAL)
            continue;
        if (expression_evaluate(slot->expression,
                                a->batch.columns,
                                a->rows,
                                n_rows,
                                a->batch.capacity,
                                &a->batch.columns[s],
                                a->memory,
                                err)
            < 0)
            return error_prefix(err, "[buildings] field %s", slot->name);
    }
    return 0;
}

/*
 * Infinite dates, the greatest and least of integers, order as they do on the server while
 * the filter looks at them. No calendar has them, so what is put out takes them for null.
 */
static void drop_infinite(struct analysis *a, int32_t n_rows)
{
    for (int s = 0; s < a->binding->n_slots; s++) {
        const struct column *column = &a->batch.columns[s];
        if (column->type != TYPE_DATE && column->type != TYPE_TIMESTAMP)
            continue;
        for (int32_t i = 0; i < n_rows; i++) {
            int32_t row = a->rows[i];
            if (column->valid[row]
                && (column->integers[row] == INT64_MAX
                    || column->integers[row] == INT64_MIN))
                column->valid[row] = 0;
        }
    }
}

int work_filter(struct analysis *a, int32_t *n_rows, struct error *err)
{
    const struct binding *binding = a->binding;
    if ((!a->batch.is_filtered && filter_rows(a, binding->row_filter, n_rows, err) < 0)
        || measure_rows(a, *n_rows, err) < 0
        || filter_rows(a, binding->local_filter, n_rows, err) < 0
        || evaluate_fields(a, *n_rows, err) < 0)
        return -1;
    drop_infinite(a, *n_rows);
    return 0;
}
