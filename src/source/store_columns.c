#include <stdlib.h>
#include <string.h>

#include "store_source.h"
#include "store_words.h"

static int load_words(struct store_source *source,
                      const struct store_column *column,
                      struct store_dictionary *dictionary,
                      struct error *err)
{
    int64_t n = column->n_words;
    int64_t *offsets = calloc((size_t)n + 1, sizeof *offsets);
    dictionary->words = calloc((size_t)n + 1, sizeof *dictionary->words);
    dictionary->bytes = malloc((size_t)column->n_text + 1);
    dictionary->n = (int32_t)n;
    int status = -1;
    if (!offsets || !dictionary->words || !dictionary->bytes)
        error_set(err, ERROR_BUDGET, "no memory for the words of %s", column->name);
    else if (store_read_offsets(source->store,
                                column->words_at,
                                0,
                                n,
                                column->n_text,
                                offsets,
                                err)
             || store_read(source->store,
                           column->text_at,
                           dictionary->bytes,
                           column->n_text,
                           err))
        error_prefix(err, "words of %s", column->name);
    else
        status = 0;
    for (int64_t i = 0; i < n && status == 0; i++)
        dictionary->words[i] = (struct text){ dictionary->bytes + offsets[i],
                                              offsets[i + 1] - offsets[i] };
    free(offsets);
    return status;
}

int store_load_dictionaries(struct store_source *source, struct error *err)
{
    const struct store_table *table = &source->store->buildings;
    if (!source->dictionaries)
        source->dictionaries =
            calloc((size_t)table->n_columns + 1, sizeof *source->dictionaries);
    if (!source->dictionaries)
        return error_set(err, ERROR_BUDGET, "no memory for the words of a store");
    for (int i = 0; i < source->binding->n_slots; i++) {
        int c = source->columns[i];
        if (c >= 0 && table->columns[c].layout == STORE_WORDS
            && !source->dictionaries[c].words
            && load_words(source, &table->columns[c], &source->dictionaries[c], err))
            return -1;
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
