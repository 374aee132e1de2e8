#include "vector.h"

static void move_column(struct column *column, const int32_t *rows, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        column->valid[i] = column->valid[rows[i]];
        if (column->type == TYPE_TEXT)
            column->texts[i] = column->texts[rows[i]];
        else
            column->integers[i] = column->integers[rows[i]];
    }
}

/* Close the gaps; texts and geometry stay where they are. */
static void compact(const struct binding *binding,
                    struct batch *batch,
                    const int32_t *rows,
                    int32_t n)
{
    if (n == batch->n_rows)
        return;
    move_column(&batch->id, rows, n);
    for (int i = 0; i < binding->n_slots; i++)
        if (binding->slots[i].origin == SLOT_SOURCE)
            move_column(&batch->columns[i], rows, n);
    for (int32_t i = 0; i < n; i++) {
        batch->boxes[i] = batch->boxes[rows[i]];
        batch->faults[i] = batch->faults[rows[i]];
        batch->geometry[i] = batch->geometry[rows[i]];
    }
    batch->n_rows = n;
}

/* As in a WHERE, what fails is not there: it is not counted as filtered. What passes and has
 * no geometry is, and goes. */
int vector_filter(const struct binding *binding, struct batch *batch, struct error *err)
{
    struct memory *memory = batch->memory;
    struct memory_mark mark = memory_mark(memory);
    int64_t n_bytes = batch->capacity * (int64_t)sizeof(int32_t);
    int32_t n = 0, *rows = memory_take(memory, MEMORY_BATCH, n_bytes, err);
    uint8_t *valid =
        rows ? memory_take(memory, MEMORY_BATCH, batch->capacity, err) : NULL;
    int64_t *passed =
        valid ? memory_take(memory, MEMORY_BATCH, 2 * n_bytes, err) : NULL;
    int status = -1;
    if (!passed)
        goto out;
    struct column out = { .type = TYPE_BOOLEAN, .valid = valid, .integers = passed };
    for (int32_t row = 0; row < batch->n_rows; row++)
        rows[row] = row;
    if (expression_evaluate(binding->row_filter,
                            batch->columns,
                            rows,
                            batch->n_rows,
                            batch->capacity,
                            &out,
                            memory,
                            err))
        goto out;
    for (int32_t row = 0; row < batch->n_rows; row++) {
        bool passes = valid[row] && passed[row];
        bool is_bare = batch->geometry[row].n == 0;
        rows[n] = row;
        n += passes && !is_bare;
        batch->n_filtered += passes && is_bare;
    }
    compact(binding, batch, rows, n);
    status = 0;
out:
    memory_rewind(memory, &mark);
    return status;
}
