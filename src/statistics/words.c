#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "part.h"

enum { FIRST_TABLE = 64, FIRST_BYTES = 448, MOST_BYTES = 64 * 1024 };

/* For estimates: how many different texts of what length a field is taken to have. */
enum { USUAL_WORDS = 1000, USUAL_BYTES = 32 };

static int64_t size(const struct part *part)
{
    (void)part;
    return sizeof(struct words);
}

static int64_t growth(const struct part *part, int64_t n)
{
    int64_t n_words = n < USUAL_WORDS ? n : USUAL_WORDS;
    (void)part;
    return 4096
           + n_words * (2 * (int64_t)sizeof(struct word) + 9 * 8 + 2 * USUAL_BYTES);
}

static void init(const struct part *part, void *state)
{
    struct words *words = state;
    (void)part;
    *words = (struct words){ .next_bytes = FIRST_BYTES };
    chain_init(&words->kept, sizeof(struct word), MEMORY_STATISTICS);
}

/* Up to eight bytes as a number, without a loop: short texts are the rule. */
static inline uint64_t load(const char *bytes, int64_t n)
{
    uint64_t whole;
    uint32_t head, tail;
    if (n >= 8) {
        memcpy(&whole, bytes, 8);
        return whole;
    }
    if (n >= 4) {
        memcpy(&head, bytes, 4);
        memcpy(&tail, bytes + n - 4, 4);
        return (uint64_t)head << 32 | tail;
    }
    return (uint64_t)(uint8_t)bytes[0] << 16 | (uint64_t)(uint8_t)bytes[n / 2] << 8
           | (uint8_t)bytes[n - 1];
}

/* Eight bytes a step, mixed by a multiplication (the constants of splitmix64). */
static inline uint64_t hash_of(struct text text)
{
    uint64_t hash = (uint64_t)text.n;
    for (int64_t at = 0; at < text.n; at += 8) {
        hash =
            (hash ^ load(text.bytes + at, text.n - at)) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 29;
    }
    hash *= UINT64_C(0x94d049bb133111eb);
    return hash ^ hash >> 31;
}

static bool same(const struct word *word, uint64_t hash, struct text text)
{
    return word->hash == hash && word->text.n == text.n
           && (text.n == 0
               || memcmp(word->text.bytes, text.bytes, (size_t)text.n) == 0);
}

/* Where the text is in the table, or would be. */
static struct word **find(const struct words *words, uint64_t hash, struct text text)
{
    uint64_t mask = (uint64_t)words->capacity - 1, at = hash & mask;
    while (words->table[at] && !same(words->table[at], hash, text))
        at = (at + 1) & mask;
    return &words->table[at];
}

/* At most half of the table is in use. The smaller tables stay behind until the zone
 * ends: together they are no larger than this one. */
static int grow(struct words *words, struct memory *memory, struct error *err)
{
    int64_t capacity = words->capacity ? 2 * words->capacity : FIRST_TABLE;
    size_t n_bytes = (size_t)capacity * sizeof *words->table;
    struct word **table = memory_take(memory, MEMORY_STATISTICS, (int64_t)n_bytes, err);
    if (!table)
        return -1;
    memset(table, 0, n_bytes);
    struct words larger = { .table = table, .capacity = capacity };
    for (int64_t i = 0; i < words->capacity; i++)
        if (words->table[i])
            *find(&larger, words->table[i]->hash, words->table[i]->text) =
                words->table[i];
    words->table = table;
    words->capacity = capacity;
    return 0;
}

/* A copy of the text: batches lend theirs only until the next one. */
static int
copy(struct words *words, struct text *text, struct memory *memory, struct error *err)
{
    if (text->n > words->n_bytes) {
        int64_t n = words->next_bytes > text->n ? words->next_bytes : text->n;
        char *bytes = memory_take(memory, MEMORY_STATISTICS, n, err);
        if (!bytes)
            return -1;
        words->bytes = bytes;
        words->n_bytes = n;
        if (words->next_bytes < MOST_BYTES)
            words->next_bytes *= 2;
    }
    const char *from = text->bytes;
    text->bytes = words->bytes; /* NULL while all texts have been empty */
    if (text->n > 0) {
        memcpy(words->bytes, from, (size_t)text->n);
        words->bytes += text->n;
        words->n_bytes -= text->n;
    }
    return 0;
}

static int add_word(struct words *words,
                    const struct word *word,
                    struct memory *memory,
                    struct error *err)
{
    if (words->capacity > 0) {
        struct word *known = *find(words, word->hash, word->text);
        if (known) {
            known->n += word->n;
            return 0;
        }
    }
    if (2 * (words->kept.n + 1) > words->capacity && grow(words, memory, err) < 0)
        return -1;
    struct word fresh = *word;
    if (copy(words, &fresh.text, memory, err) < 0
        || chain_add(&words->kept, memory, &fresh, 1, err) < 0)
        return -1;
    struct chain_chunk *last = words->kept.last;
    struct word *items = chain_items(last);
    *find(words, fresh.hash, fresh.text) = &items[last->n - 1];
    return 0;
}

static int add(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err)
{
    (void)part;
    for (int32_t i = 0; i < rows->n; i++) {
        struct word word = { .text = rows->texts[i],
                             .hash = hash_of(rows->texts[i]),
                             .n = 1 };
        if (add_word(state, &word, memory, err) < 0)
            return -1;
    }
    return 0;
}

static int merge(const struct part *part,
                 void *state,
                 const void *from,
                 struct memory *memory,
                 struct error *err)
{
    const struct words *other = from;
    (void)part;
    for (const struct chain_chunk *c = other->kept.first; c; c = c->next) {
        const struct word *items = chain_items(c);
        for (int64_t i = 0; i < c->n; i++)
            if (add_word(state, &items[i], memory, err) < 0)
                return -1;
    }
    return 0;
}

const struct part_kind part_words = { .size = size,
                                      .growth = growth,
                                      .init = init,
                                      .add = add,
                                      .merge = merge };

static int by_text(const void *a, const void *b)
{
    const struct word *const *x = a, *const *y = b;
    return text_compare(&(*x)->text, &(*y)->text);
}

int words_sorted(struct words *words, struct memory *memory, struct error *err)
{
    if (words->sorted)
        return 0;
    struct word **sorted = memory_take(memory,
                                       MEMORY_STATISTICS,
                                       words->kept.n * (int64_t)sizeof *sorted,
                                       err);
    if (!sorted)
        return -1;
    int64_t n = 0;
    for (const struct chain_chunk *c = words->kept.first; c; c = c->next) {
        struct word *items = chain_items(c);
        for (int64_t i = 0; i < c->n; i++)
            sorted[n++] = &items[i];
    }
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    words->sorted = sorted;
    return 0;
}
