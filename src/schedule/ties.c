/* Buildings whose id is not theirs alone come as the source has them: their other values
 * put them into an order that no source knows of. */

#include <stdlib.h>
#include <string.h>

#include "selection.h"

struct tie {
    const struct column *columns;
    int n_columns;
    int64_t row;
};

/* The bits of a double as an integer of the same order, -0 before 0. */
static int64_t rank_of(const struct column *column, int64_t row)
{
    int64_t bits = column->integers[row];
    return column->type == TYPE_REAL ? bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1)
                                     : bits;
}

/* Nulls last. */
static int compare_cells(const struct column *column, int64_t a, int64_t b)
{
    if (column->valid[a] != column->valid[b])
        return column->valid[b] - column->valid[a];
    if (!column->valid[a])
        return 0;
    if (column->type == TYPE_TEXT)
        return text_compare(&column->texts[a], &column->texts[b]);
    int64_t x = rank_of(column, a), y = rank_of(column, b);
    return (x > y) - (x < y);
}

static int compare_ties(const void *a, const void *b)
{
    const struct tie *p = a, *q = b;
    for (int i = 0; i < p->n_columns; i++) {
        int c = compare_cells(&p->columns[i], p->row, q->row);
        if (c != 0)
            return c;
    }
    return 0;
}

/* Move values to where the ties want them; `spare` has room for one column of them. */
static void permute(const struct column *column,
                    const struct tie *ties,
                    int64_t first,
                    int64_t n,
                    void *spare)
{
    bool text = column->type == TYPE_TEXT;
    int64_t *integers = spare;
    struct text *texts = spare;
    uint8_t *valid = spare;
    for (int64_t i = 0; i < n; i++)
        if (text)
            texts[i] = column->texts[ties[i].row];
        else
            integers[i] = column->integers[ties[i].row];
    if (text)
        memcpy(column->texts + first, texts, (size_t)n * sizeof *texts);
    else
        memcpy(column->integers + first, integers, (size_t)n * sizeof *integers);
    for (int64_t i = 0; i < n; i++)
        valid[i] = column->valid[ties[i].row];
    memcpy(column->valid + first, valid, (size_t)n);
}

/* Where the rows of the id end that row `first` has. */
static int64_t end_of_run(const struct column *id, int64_t first, int64_t n)
{
    int64_t end = first + 1;
    while (end < n && compare_cells(id, first, end) == 0)
        end++;
    return end;
}

int selection_settle(const struct column *id,
                     int64_t n,
                     const struct column *columns,
                     int n_columns,
                     struct memory *memory,
                     struct error *err)
{
    int64_t most = 0;
    struct memory_mark mark = memory_mark(memory);
    for (int64_t first = 0, end; first < n; first = end) {
        end = end_of_run(id, first, n);
        most = end - first > most ? end - first : most;
    }
    if (most < 2)
        return 0;
    struct tie *ties =
        memory_take(memory, MEMORY_SELECTION, most * (int64_t)sizeof *ties, err);
    void *spare = ties ? memory_take(memory,
                                     MEMORY_SELECTION,
                                     most * (int64_t)sizeof(struct text),
                                     err)
                       : NULL;
    if (!spare)
        return -1;
    for (int64_t first = 0, end; first < n; first = end) {
        end = end_of_run(id, first, n);
        for (int64_t row = first; row < end; row++)
            ties[row - first] = (struct tie){ columns, n_columns, row };
        if (end - first < 2)
            continue;
        qsort(ties, (size_t)(end - first), sizeof *ties, compare_ties);
        for (int i = 0; i < n_columns; i++)
            permute(&columns[i], ties, first, end - first, spare);
    }
    memory_rewind(memory, &mark);
    return 0;
}
