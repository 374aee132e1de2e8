#include "store_words.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/base/crc32c.h"

void words_init(struct words *words)
{
    words->n = 0;
    words->too_many = false;
    words->offsets[0] = 0;
    memset(words->slots, 0, sizeof words->slots);
}

static struct text word(const struct words *words, int32_t i)
{
    return (struct text){ words->bytes + words->offsets[i],
                          words->offsets[i + 1] - words->offsets[i] };
}

/* All bytes of a short text, given how many they are: its first and its last ones. */
struct ends {
    uint64_t first, last;
};

enum { SHORT_BYTES = 16 };

static struct ends ends_of(struct text text)
{
    const char *at = text.bytes, *end = text.n > 0 ? at + text.n : at;
    struct ends ends = { 0, 0 };
    if (text.n >= 8) {
        memcpy(&ends.first, at, 8);
        memcpy(&ends.last, end - 8, 8);
    } else if (text.n >= 4) {
        memcpy(&ends.first, at, 4);
        memcpy(&ends.last, end - 4, 4);
    } else if (text.n > 0) {
        ends.first = (uint64_t)(uint8_t)at[0] << 8 | (uint8_t)at[text.n / 2];
        ends.last = (uint8_t)end[-1];
    }
    return ends;
}

static uint32_t slot_of(struct text text, struct ends ends)
{
    const uint64_t odd[2] = { UINT64_C(0x9e3779b97f4a7c15),
                              UINT64_C(0xc2b2ae3d27d4eb4f) };
    if (text.n > SHORT_BYTES)
        return crc32c(0, text.bytes, (size_t)text.n) % WORDS_SLOTS;
    uint64_t mixed = (ends.first ^ (uint64_t)text.n) * odd[0] + ends.last;
    return (uint32_t)((mixed ^ mixed >> 32) * odd[1] >> 32) % WORDS_SLOTS;
}

static bool is_word(struct text known, struct text text, struct ends ends)
{
    if (known.n != text.n)
        return false;
    if (text.n > SHORT_BYTES)
        return memcmp(known.bytes, text.bytes, (size_t)text.n) == 0;
    struct ends of_known = ends_of(known);
    return of_known.first == ends.first && of_known.last == ends.last;
}

/* The slot of a word, or the empty one where it belongs. */
static uint32_t find(const struct words *words, struct text text)
{
    struct ends ends = ends_of(text);
    uint32_t slot = slot_of(text, ends);
    while (words->slots[slot]
           && !is_word(word(words, words->slots[slot] - 1), text, ends))
        slot = (slot + 1) % WORDS_SLOTS;
    return slot;
}

void words_add(struct words *words, struct text text)
{
    if (words->too_many)
        return;
    uint32_t slot = find(words, text);
    if (words->slots[slot])
        return;
    int32_t used = words->offsets[words->n];
    if (words->n == STORE_MOST_WORDS || text.n > STORE_WORDS_BYTES - used) {
        words->too_many = true;
        return;
    }
    if (text.n > 0)
        memcpy(words->bytes + used, text.bytes, (size_t)text.n);
    words->offsets[++words->n] = used + (int32_t)text.n;
    words->slots[slot] = (uint16_t)words->n;
}

/* Only what counts of them goes around: how many, and their bytes. */
static int
share(struct words *words, int from, const struct team *team, struct error *err)
{
    int64_t head[2] = { words->n, words->too_many };
    if (team_broadcast(team, from, head, sizeof head, err))
        return -1;
    words->n = (int32_t)head[0];
    words->too_many = head[1] != 0;
    if (words->too_many)
        return 0;
    if (team_broadcast(team,
                       from,
                       words->offsets,
                       (words->n + 1) * (int64_t)sizeof *words->offsets,
                       err))
        return -1;
    return team_broadcast(team, from, words->bytes, words->offsets[words->n], err);
}

int words_unite(struct words *words,
                struct words *room,
                const struct team *team,
                struct error *err)
{
    for (int rank = 0; rank < team->size && team->size > 1; rank++) {
        struct words *from = team->rank == rank ? words : room;
        if (share(from, rank, team, err))
            return -1;
        words->too_many = words->too_many || from->too_many;
        for (int32_t i = 0; i < from->n && !words->too_many && from == room; i++)
            words_add(words, word(from, i));
    }
    return 0;
}

static int compare(const void *a, const void *b, void *words)
{
    struct text x = word(words, *(const uint16_t *)a);
    struct text y = word(words, *(const uint16_t *)b);
    return text_compare(&x, &y);
}

void words_sort(struct words *words)
{
    for (int32_t i = 0; i < words->n; i++)
        words->order[i] = (uint16_t)i;
    qsort_r(words->order, (size_t)words->n, sizeof *words->order, compare, words);
    for (int32_t i = 0; i < words->n; i++)
        words->ranks[words->order[i]] = (uint16_t)i;
}

uint16_t words_rank(const struct words *words, struct text text)
{
    uint32_t slot = find(words, text);
    return words->slots[slot] ? words->ranks[words->slots[slot] - 1] : WORDS_NULL;
}

struct text words_at(const struct words *words, int32_t rank)
{
    return word(words, words->order[rank]);
}
