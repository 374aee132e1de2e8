#include <stdbool.h>
#include <string.h>

#include "order.h"
#include "part.h"

static int64_t size(const struct part *part)
{
    return (int64_t)sizeof(struct leaders) + part->n * (int64_t)sizeof(struct leader);
}

/* Copies of ids: one a place, in pieces of 64 bytes. */
static int64_t growth(const struct part *part, int64_t n)
{
    return part->id_type == TYPE_TEXT ? 64 * (n < part->n ? n : part->n) : 0;
}

/* Whether a comes before b: the greater value, then the smaller id. */
static bool before(const struct leader *a, const struct leader *b)
{
    if (a->key != b->key)
        return a->key > b->key;
    if (a->id != b->id)
        return a->id < b->id;
    return text_compare(&a->text, &b->text) < 0;
}

static void swap(struct leader *a, struct leader *b)
{
    struct leader c = *a;
    *a = *b;
    *b = c;
}

static void sift_down(struct leader *places, int64_t n)
{
    for (int64_t at = 0, child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && before(&places[child], &places[child + 1]);
        if (!before(&places[at], &places[child]))
            return;
        swap(&places[at], &places[child]);
    }
}

static void sift_up(struct leader *places, int64_t at)
{
    for (int64_t parent; at > 0 && before(&places[parent = (at - 1) / 2], &places[at]);
         at = parent)
        swap(&places[at], &places[parent]);
}

/* Overwrite a place; its room for an id is used again where the new one fits, so that
 * the room is bounded however often a place changes hands. */
static int
seat(struct leader *place, struct leader next, struct memory *memory, struct error *err)
{
    char *room = (char *)(uintptr_t)place->text.bytes;
    int64_t capacity = place->capacity;
    if (next.text.n > capacity) {
        capacity = (2 * next.text.n + 63) & ~INT64_C(63);
        room = memory_take(memory, MEMORY_STATISTICS, capacity, err);
        if (!room)
            return -1;
    }
    if (next.text.n > 0)
        memcpy(room, next.text.bytes, (size_t)next.text.n);
    *place = next;
    place->text.bytes = room;
    place->capacity = capacity;
    return 0;
}

static int consider(const struct part *part,
                    struct leaders *leaders,
                    const struct leader *next,
                    struct memory *memory,
                    struct error *err)
{
    if (leaders->n < part->n) {
        if (seat(&leaders->places[leaders->n], *next, memory, err) < 0)
            return -1;
        sift_up(leaders->places, leaders->n++);
    } else if (before(next, &leaders->places[0])) {
        if (seat(&leaders->places[0], *next, memory, err) < 0)
            return -1;
        sift_down(leaders->places, leaders->n);
    }
    return 0;
}

static int add(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err)
{
    struct leaders *leaders = state;
    for (int32_t i = 0; i < rows->n; i++) {
        int64_t key =
            part->types[0] == TYPE_REAL ? order_key(rows->reals[i]) : rows->integers[i];
        if (leaders->n == part->n && key < leaders->places[0].key)
            continue;
        struct leader next = { .key = key };
        if (part->id_type == TYPE_TEXT)
            next.text = rows->id->texts[rows->rows[i]];
        else
            next.id = rows->id->integers[rows->rows[i]];
        if (consider(part, leaders, &next, memory, err) < 0)
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
    const struct leaders *other = from;
    for (int64_t i = 0; i < other->n; i++)
        if (consider(part, state, &other->places[i], memory, err) < 0)
            return -1;
    return 0;
}

const struct part_kind part_leaders = { .size = size,
                                        .growth = growth,
                                        .add = add,
                                        .merge = merge };

void leaders_sort(struct leaders *leaders)
{
    for (int64_t n = leaders->sorted ? 0 : leaders->n; n-- > 1;) {
        swap(&leaders->places[0], &leaders->places[n]);
        sift_down(leaders->places, n);
    }
    leaders->sorted = true;
}
