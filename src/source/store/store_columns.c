#include <string.h>

#include "store_source.h"
#include "store_words.h"

/* Words go by their order, bytewise: one that comes twice would be two. */
static bool are_ordered(const struct store_dictionary *dictionary)
{
    for (int32_t i = 1; i < dictionary->n; i++)
        if (text_compare(&dictionary->words[i - 1], &dictionary->words[i]) >= 0)
            return false;
    return true;
}

static int load_words(struct store_source *source,
                      const struct store_column *column,
                      struct store_dictionary *dictionary,
                      struct memory *memory,
                      struct error *err)
{
    const struct store *store = source->store;
    int64_t n = column->n_words, n_text = column->n_text;
    struct text *words =
        memory_take(memory, MEMORY_BATCH, (n + 1) * (int64_t)sizeof *words, err);
    char *bytes = words ? memory_take(memory, MEMORY_BATCH, n_text + 1, err) : NULL;
    if (!bytes)
        return -1;
    struct memory_mark mark = memory_mark(memory);
    int64_t *offsets = memory_take(memory, MEMORY_BATCH, 8 * (n + 1), err);
    int status = -1;
    if (offsets
        && store_read_offsets(store, column->words_at, 0, n, n_text, offsets, err) == 0)
        status = store_read(store, column->text_at, bytes, n_text, err);
    for (int64_t i = 0; i < n && status == 0; i++)
        words[i] = (struct text){ bytes + offsets[i], offsets[i + 1] - offsets[i] };
    memory_rewind(memory, &mark);
    *dictionary = (struct store_dictionary){ words, (int32_t)n };
    if (status == 0 && !are_ordered(dictionary))
        status = store_damaged(err, "they are not in order");
    return status ? error_prefix(err, "words of %s", column->name) : 0;
}

int store_load_dictionaries(struct store_source *source,
                            struct memory *memory,
                            struct error *err)
{
    const struct store_table *table = &source->store->buildings;
    int64_t n_bytes = (table->n_columns + 1) * (int64_t)sizeof *source->dictionaries;
    source->dictionaries = memory_take(memory, MEMORY_BATCH, n_bytes, err);
    if (!source->dictionaries)
        return -1;
    memset(source->dictionaries, 0, (size_t)n_bytes);
    for (int i = 0; i < source->binding->n_slots; i++) {
        int c = source->columns[i];
        if (c >= 0 && table->columns[c].layout == STORE_WORDS
            && !source->dictionaries[c].words
            && load_words(source,
                          &table->columns[c],
                          &source->dictionaries[c],
                          memory,
                          err))
            return -1;
    }
    return 0;
}

int64_t store_dictionary_bytes(const struct store_source *source)
{
    const struct store_table *table = &source->store->buildings;
    int64_t n_bytes = (table->n_columns + 1) * (int64_t)sizeof *source->dictionaries;
    for (int c = 0; c < table->n_columns; c++) {
        bool is_used = false;
        for (int i = 0; i < source->binding->n_slots; i++)
            is_used = is_used || source->columns[i] == c;
        if (is_used && table->columns[c].layout == STORE_WORDS)
            n_bytes += table->columns[c].n_words * (int64_t)sizeof(struct text)
                       + table->columns[c].n_text;
    }
    return n_bytes;
}

int store_check_nulls(const struct store_source *source, int column, struct error *err)
{
    enum { CHUNK = 512 };
    const struct store *store = source->store;
    const struct store_column *c = &store->buildings.columns[column];
    int64_t nulls[CHUNK];
    if (c->layout == STORE_WORDS || c->valid_at >= 0)
        return 0;
    for (int64_t i = 0; i < store->n_blocks; i += CHUNK) {
        int64_t n = store->n_blocks - i < CHUNK ? store->n_blocks - i : CHUNK;
        if (store_read(store, c->nulls_at + 8 * i, nulls, 8 * n, err))
            return -1;
        for (int64_t j = 0; j < n; j++)
            if (nulls[j] != 0)
                return store_damaged(err,
                                     "which values of %s are null is lost",
                                     c->name);
    }
    return 0;
}

/* Bytes of the texts of n rows of a column that keeps them one by one. */
static int text_bytes(struct store_source *source,
                      int slot,
                      int64_t first,
                      int32_t n,
                      int64_t *n_bytes,
                      struct error *err)
{
    const struct store_column *column =
        &source->store->buildings.columns[source->columns[slot]];
    const int64_t *offsets = store_cached(source, source->value_of[slot], first, err);
    if (!offsets)
        return -1;
    if (offsets[0] < 0 || offsets[n] < offsets[0] || offsets[n] > column->n_text)
        return store_damaged(err,
                             "texts of %s at row %lld",
                             column->name,
                             (long long)first);
    *n_bytes = offsets[n] - offsets[0];
    return 0;
}

/* Geometry needs room as well, so texts have half of the bytes. */
int32_t store_fit_rows(struct store_source *source,
                       const struct batch *batch,
                       int64_t first,
                       int32_t n,
                       int64_t *n_bytes,
                       struct error *err)
{
    const struct store_table *table = &source->store->buildings;
    int64_t room = batch->bytes_capacity / 2 - batch->bytes_used;
    while (n > 0) {
        int64_t sum = 0, one = 0;
        if (table->id_type == TYPE_TEXT)
            sum += (int64_t)n * table->id_bytes;
        for (int i = 0; i < source->binding->n_slots; i++) {
            int c = source->columns[i];
            if (c == -1 && table->id_type == TYPE_TEXT)
                sum += (int64_t)n * table->id_bytes;
            if (c < 0 || table->columns[c].layout != STORE_OFFSETS)
                continue;
            if (text_bytes(source, i, first, n, &one, err))
                return -1;
            sum += one;
        }
        *n_bytes = sum;
        if (sum <= room)
            break;
        n /= 2;
    }
    return n;
}

int store_row_name(struct store_source *source,
                   int64_t row,
                   char name[96],
                   struct error *err)
{
    const struct store_table *table = &source->store->buildings;
    char text[STORE_ID_BYTES];
    int64_t id;
    uint8_t fault;
    if (store_fetch(source, table->fault_at + row, &fault, 1, err))
        return -1;
    if (fault == EWKB_NO_ID) {
        snprintf(name, 96, "a building without an id");
        return 0;
    }
    int64_t n = table->id_type == TYPE_TEXT ? table->id_bytes : (int64_t)sizeof id;
    void *to = table->id_type == TYPE_TEXT ? (void *)text : (void *)&id;
    if (store_fetch(source, table->id_at + n * row, to, n, err))
        return -1;
    if (table->id_type == TYPE_TEXT)
        snprintf(name, 96, "building %.*s", n < 80 ? (int)n : 80, text);
    else
        snprintf(name, 96, "building %lld", (long long)id);
    return 0;
}

static int read_words(struct store_source *source,
                      int slot,
                      int64_t first,
                      int32_t n,
                      uint8_t *valid,
                      struct text *texts,
                      struct error *err)
{
    int c = source->columns[slot];
    const struct store_column *column = &source->store->buildings.columns[c];
    const struct store_dictionary *dictionary = &source->dictionaries[c];
    const uint16_t *ranks = store_cached(source, source->value_of[slot], first, err);
    if (!ranks)
        return -1;
    for (int32_t i = 0; i < n; i++) {
        valid[i] = ranks[i] != WORDS_NULL;
        if (valid[i] && ranks[i] >= dictionary->n)
            return store_damaged(err,
                                 "word %d of %s, which has %d",
                                 ranks[i],
                                 column->name,
                                 dictionary->n);
        texts[i] = valid[i] ? dictionary->words[ranks[i]] : (struct text){ NULL, 0 };
    }
    return 0;
}

static int read_texts(struct store_source *source,
                      struct batch *batch,
                      int slot,
                      int64_t first,
                      int32_t n,
                      uint8_t *valid,
                      struct text *texts,
                      struct error *err)
{
    const struct store_column *column =
        &source->store->buildings.columns[source->columns[slot]];
    const uint8_t *is_valid = source->all_valid;
    const int64_t *offsets = store_cached(source, source->value_of[slot], first, err);
    if (offsets && column->valid_at >= 0)
        is_valid = store_cached(source, source->valid_of[slot], first, err);
    if (!offsets || !is_valid)
        return -1;
    memcpy(valid, is_valid, (size_t)n);
    if (store_check_offsets(offsets, first, n, column->n_text, err))
        return error_prefix(err, "texts of %s", column->name);
    int64_t n_bytes = offsets[n] - offsets[0];
    if (n_bytes > batch->bytes_capacity - batch->bytes_used)
        return error_set(err, ERROR_FORMAT, "the store changed while it was read");
    char *bytes = (char *)batch->bytes + batch->bytes_used;
    if (store_fetch(source, column->text_at + offsets[0], bytes, n_bytes, err))
        return -1;
    batch->bytes_used += n_bytes;
    for (int32_t i = 0; i < n; i++)
        texts[i] = (struct text){ bytes + (offsets[i] - offsets[0]),
                                  offsets[i + 1] - offsets[i] };
    return 0;
}

static int read_id(struct store_source *source,
                   struct batch *batch,
                   struct column *column,
                   int64_t first,
                   int32_t n,
                   int32_t to,
                   struct error *err)
{
    const struct store_table *table = &source->store->buildings;
    int64_t size = table->id_bytes;
    memset(column->valid + to, 1, (size_t)n);
    char *bytes = (char *)batch->bytes + batch->bytes_used;
    if (n * size > batch->bytes_capacity - batch->bytes_used)
        return error_set(err, ERROR_INTERNAL, "ids do not fit into the batch");
    if (store_fetch(source, table->id_at + size * first, bytes, n * size, err))
        return -1;
    batch->bytes_used += n * size;
    for (int32_t i = 0; i < n; i++) {
        const char *id = bytes + i * size;
        column->texts[to + i] = (struct text){ id, (int64_t)strnlen(id, (size_t)size) };
    }
    return 0;
}

int store_read_texts(struct store_source *source,
                     struct batch *batch,
                     int slot,
                     int64_t first,
                     int32_t n,
                     int32_t to,
                     struct error *err)
{
    struct column *column = slot < 0 ? &batch->id : &batch->columns[slot];
    int c = slot < 0 ? -1 : source->columns[slot];
    if (c < 0)
        return read_id(source, batch, column, first, n, to, err);
    const struct store_column *from = &source->store->buildings.columns[c];
    uint8_t *valid = column->valid + to;
    struct text *texts = column->texts + to;
    return from->layout == STORE_WORDS
               ? read_words(source, slot, first, n, valid, texts, err)
               : read_texts(source, batch, slot, first, n, valid, texts, err);
}
