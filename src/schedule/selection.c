#include "selection.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/schedule/analyse.h"

void growing_init(struct growing_column *column,
                  enum value_type type,
                  enum memory_owner owner)
{
    column->type = type;
    chain_init(&column->values,
               type == TYPE_TEXT ? (int64_t)sizeof(struct text) : 8,
               owner);
    chain_init(&column->valid, 1, owner);
}

/* Texts of a batch are gone with the next one: copy their bytes in one piece. */
static int add_texts(struct growing_column *column,
                     const struct column *from,
                     const int32_t *rows,
                     int32_t n_rows,
                     struct memory *memory,
                     struct error *err)
{
    int64_t n_bytes = 0;
    for (int32_t i = 0; i < n_rows; i++)
        if (from->valid[rows[i]])
            n_bytes += from->texts[rows[i]].n;
    char *bytes = memory_take(memory, column->values.owner, n_bytes, err);
    if (!bytes)
        return -1;
    for (int32_t i = 0; i < n_rows; i++) {
        struct text text = { bytes, 0 };
        if (from->valid[rows[i]])
            text.n = from->texts[rows[i]].n;
        if (text.n > 0)
            memcpy(bytes, from->texts[rows[i]].bytes, (size_t)text.n);
        bytes += text.n;
        if (chain_add(&column->values, memory, &text, 1, err) < 0)
            return -1;
    }
    return 0;
}

/* Reals and integers alike: eight bytes each. */
static int add_words(struct chain *chain,
                     const int64_t *from,
                     const int32_t *rows,
                     int32_t n_rows,
                     struct memory *memory,
                     struct error *err)
{
    for (int32_t i = 0; i < n_rows;) {
        void *room;
        int64_t n = chain_extend(chain, memory, n_rows - i, &room, err);
        if (n < 0)
            return -1;
        int64_t *to = room;
        for (int64_t k = 0; k < n; k++)
            to[k] = from[rows[i++]];
    }
    return 0;
}

static int add_flags(struct chain *chain,
                     const uint8_t *from,
                     const int32_t *rows,
                     int32_t n_rows,
                     struct memory *memory,
                     struct error *err)
{
    for (int32_t i = 0; i < n_rows;) {
        void *room;
        int64_t n = chain_extend(chain, memory, n_rows - i, &room, err);
        if (n < 0)
            return -1;
        uint8_t *to = room;
        for (int64_t k = 0; k < n; k++)
            to[k] = from[rows[i++]];
    }
    return 0;
}

int growing_add(struct growing_column *column,
                const struct column *from,
                const int32_t *rows,
                int32_t n_rows,
                struct memory *memory,
                struct error *err)
{
    int status =
        column->type == TYPE_TEXT
            ? add_texts(column, from, rows, n_rows, memory, err)
            : add_words(&column->values, from->integers, rows, n_rows, memory, err);
    return status < 0
               ? -1
               : add_flags(&column->valid, from->valid, rows, n_rows, memory, err);
}

int growing_end(const struct growing_column *column,
                const int32_t *order,
                struct column *out,
                struct memory *memory,
                struct error *err)
{
    int64_t n = column->valid.n, width = column->values.item_bytes;
    enum memory_owner owner = column->values.owner;
    uint8_t *values = memory_take(memory, owner, n * width, err);
    uint8_t *valid = values ? memory_take(memory, owner, n, err) : NULL;
    if (!valid)
        return -1;
    *out = (struct column){ .type = column->type, .valid = valid };
    out->integers = (int64_t *)(void *)values;
    if (!order) {
        chain_copy(&column->values, values);
        chain_copy(&column->valid, valid);
        return 0;
    }
    struct memory_mark mark = memory_mark(memory);
    uint8_t *unordered = memory_take(memory, owner, n * (width + 1), err);
    if (!unordered)
        return -1;
    uint8_t *unordered_valid = unordered + n * width;
    chain_copy(&column->values, unordered);
    chain_copy(&column->valid, unordered_valid);
    if (width == sizeof *out->integers) {
        const int64_t *from = (const int64_t *)(const void *)unordered;
        for (int64_t i = 0; i < n; i++)
            out->integers[i] = from[order[i]];
    } else {
        for (int64_t i = 0; i < n; i++)
            memcpy(values + i * width, unordered + order[i] * width, (size_t)width);
    }
    for (int64_t i = 0; i < n; i++)
        valid[i] = unordered_valid[order[i]];
    memory_rewind(memory, &mark);
    return 0;
}

enum { MOST_DIGIT_BITS = 11 };

struct keyed {
    uint64_t key;
    int32_t row;
};

/* Least significant digit first, of bits that can differ at all; digits are as short as
 * their number allows, since every value of one has a place to be cleared and summed up. */
static struct keyed *
sort_keyed(struct keyed *keys, struct keyed *spare, int64_t n, int n_bits)
{
    int n_digits = (n_bits + MOST_DIGIT_BITS - 1) / MOST_DIGIT_BITS;
    for (int digit = 0; digit < n_digits; digit++) {
        int shift = digit * n_bits / n_digits;
        int32_t n_values = 1 << ((digit + 1) * n_bits / n_digits - shift);
        uint64_t mask = (uint64_t)n_values - 1;
        int32_t starts[1 << MOST_DIGIT_BITS], at = 0;
        memset(starts, 0, (size_t)n_values * sizeof *starts);
        for (int64_t i = 0; i < n; i++)
            starts[keys[i].key >> shift & mask]++;
        for (int32_t value = 0; value < n_values; value++) {
            int32_t count = starts[value];
            starts[value] = at;
            at += count;
        }
        for (int64_t i = 0; i < n; i++)
            spare[starts[keys[i].key >> shift & mask]++] = keys[i];
        struct keyed *sorted = spare;
        spare = keys;
        keys = sorted;
    }
    return keys;
}

static int count_bits(uint64_t value)
{
    return value ? 64 - __builtin_clzll(value) : 0;
}

/* Ids of one zone are near each other: their differences from the least are short. */
static int order_integers(const struct growing_column *id,
                          int32_t *order,
                          bool *ties,
                          struct memory *memory,
                          struct error *err)
{
    int64_t n = id->valid.n, i = 0, least = INT64_MAX, most = INT64_MIN;
    struct memory_mark mark = memory_mark(memory);
    struct keyed *keys =
        memory_take(memory, MEMORY_SELECTION, 2 * n * (int64_t)sizeof *keys, err);
    if (!keys)
        return -1;
    for (const struct chain_chunk *c = id->values.first; c; c = c->next) {
        const int64_t *values = chain_items(c);
        for (int64_t k = 0; k < c->n; k++) {
            least = values[k] < least ? values[k] : least;
            most = values[k] > most ? values[k] : most;
        }
    }
    for (const struct chain_chunk *c = id->values.first; c; c = c->next) {
        const int64_t *values = chain_items(c);
        for (int64_t k = 0; k < c->n; k++, i++)
            keys[i] =
                (struct keyed){ (uint64_t)values[k] - (uint64_t)least, (int32_t)i };
    }
    int n_bits = n > 0 ? count_bits((uint64_t)most - (uint64_t)least) : 0;
    const struct keyed *sorted = sort_keyed(keys, keys + n, n, n_bits);
    for (i = 0; i < n; i++) {
        order[i] = sorted[i].row;
        *ties |= i > 0 && sorted[i].key == sorted[i - 1].key;
    }
    memory_rewind(memory, &mark);
    return 0;
}

struct text_row {
    struct text text;
    int32_t row;
};

static int compare_texts(const void *a, const void *b)
{
    const struct text_row *p = a, *q = b;
    int c = text_compare(&p->text, &q->text);
    return c != 0 ? c : p->row - q->row;
}

static int order_texts(const struct growing_column *id,
                       int32_t *order,
                       bool *ties,
                       struct memory *memory,
                       struct error *err)
{
    int64_t n = id->valid.n, i = 0;
    struct memory_mark mark = memory_mark(memory);
    struct text_row *rows =
        memory_take(memory, MEMORY_SELECTION, n * (int64_t)sizeof *rows, err);
    if (!rows)
        return -1;
    for (const struct chain_chunk *c = id->values.first; c; c = c->next) {
        const struct text *texts = chain_items(c);
        for (int64_t k = 0; k < c->n; k++, i++)
            rows[i] = (struct text_row){ texts[k], (int32_t)i };
    }
    qsort(rows, (size_t)n, sizeof *rows, compare_texts);
    for (i = 0; i < n; i++) {
        order[i] = rows[i].row;
        *ties |= i > 0 && text_compare(&rows[i].text, &rows[i - 1].text) == 0;
    }
    memory_rewind(memory, &mark);
    return 0;
}

int growing_order(const struct growing_column *id,
                  int32_t **order,
                  bool *ties,
                  struct memory *memory,
                  struct error *err)
{
    int64_t n = id->valid.n;
    if (n > INT32_MAX)
        return error_set(err,
                         ERROR_BUDGET,
                         "%lld buildings in one zone, %d are the most",
                         (long long)n,
                         INT32_MAX);
    int32_t *o = memory_take(memory, id->values.owner, n * (int64_t)sizeof *o, err);
    if (!o)
        return -1;
    *order = o;
    *ties = false;
    return id->type == TYPE_TEXT ? order_texts(id, o, ties, memory, err)
                                 : order_integers(id, o, ties, memory, err);
}

static int64_t cell_bytes(enum value_type type)
{
    return (type == TYPE_TEXT ? (int64_t)sizeof(struct text) : 8) + 1;
}

/* Columns as they came and the order; beside them what orders the ids, and then all that is
 * kept in its order, and one column more on its way there. */
int64_t analyse_selection_bytes(const struct binding *binding, int64_t n_selected)
{
    int64_t as_came = cell_bytes(binding->id_type) + (int64_t)sizeof(int32_t);
    int64_t in_order = 0, ordering = 2 * (int64_t)sizeof(struct keyed), widest = 0;
    for (int i = 0; i < binding->n_keep; i++) {
        int slot = binding->keep[i];
        int64_t n = cell_bytes(slot < 0 ? binding->id_type : binding->slots[slot].type);
        as_came += slot < 0 ? 0 : n;
        in_order += n;
        widest = n > widest ? n : widest;
    }
    in_order += widest;
    if (binding->n_keep == 0)
        return 0;
    return n_selected * (as_came + (in_order > ordering ? in_order : ordering));
}

void selection_init(struct selection *selection,
                    const struct binding *binding,
                    struct memory *memory)
{
    selection->binding = binding;
    selection->memory = memory;
    growing_init(&selection->id, binding->id_type, MEMORY_SELECTION);
    for (int i = 0; i < binding->n_keep; i++)
        if (binding->keep[i] >= 0)
            growing_init(&selection->keep[i],
                         binding->slots[binding->keep[i]].type,
                         MEMORY_SELECTION);
}

int selection_add(struct selection *selection,
                  const struct batch *batch,
                  const int32_t *rows,
                  int32_t n_rows,
                  struct error *err)
{
    const struct binding *binding = selection->binding;
    if (binding->n_keep == 0)
        return 0;
    if (growing_add(&selection->id, &batch->id, rows, n_rows, selection->memory, err)
        < 0)
        return -1;
    for (int i = 0; i < binding->n_keep; i++) {
        int slot = binding->keep[i];
        if (slot >= 0
            && growing_add(&selection->keep[i],
                           &batch->columns[slot],
                           rows,
                           n_rows,
                           selection->memory,
                           err)
                   < 0)
            return -1;
    }
    return 0;
}

int selection_end(struct selection *selection, struct column *keep, struct error *err)
{
    const struct binding *binding = selection->binding;
    struct memory *memory = selection->memory;
    int32_t *order = NULL;
    bool ties;
    if (binding->n_keep == 0)
        return 0;
    if (growing_order(&selection->id, &order, &ties, memory, err) < 0)
        return -1;
    for (int i = 0; i < binding->n_keep; i++) {
        const struct growing_column *column =
            binding->keep[i] >= 0 ? &selection->keep[i] : &selection->id;
        if (growing_end(column, order, &keep[i], memory, err) < 0)
            return -1;
    }
    if (!ties)
        return 0;
    struct memory_mark mark = memory_mark(memory);
    struct column id;
    if (growing_end(&selection->id, order, &id, memory, err) < 0
        || selection_settle(&id,
                            selection->id.valid.n,
                            keep,
                            binding->n_keep,
                            memory,
                            err)
               < 0)
        return -1;
    memory_rewind(memory, &mark);
    return 0;
}
