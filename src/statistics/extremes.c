#include "order.h"
#include "part.h"

static int64_t size(const struct part *part)
{
    (void)part;
    return sizeof(struct extremes);
}

static void init(const struct part *part, void *state)
{
    (void)part;
    *(struct extremes *)state =
        (struct extremes){ .least = INT64_MAX, .greatest = INT64_MIN };
}

static int add(const struct part *part,
               void *state,
               const struct part_rows *rows,
               struct memory *memory,
               struct error *err)
{
    struct extremes *extremes = state;
    int64_t least = extremes->least, greatest = extremes->greatest;
    (void)memory, (void)err;
    for (int32_t i = 0; i < rows->n; i++) {
        int64_t key =
            part->types[0] == TYPE_REAL ? order_key(rows->reals[i]) : rows->integers[i];
        least = key < least ? key : least;
        greatest = key > greatest ? key : greatest;
    }
    extremes->least = least;
    extremes->greatest = greatest;
    extremes->n += rows->n;
    return 0;
}

static int merge(const struct part *part,
                 void *state,
                 const void *from,
                 struct memory *memory,
                 struct error *err)
{
    struct extremes *extremes = state;
    const struct extremes *other = from;
    (void)part, (void)memory, (void)err;
    if (other->least < extremes->least)
        extremes->least = other->least;
    if (other->greatest > extremes->greatest)
        extremes->greatest = other->greatest;
    extremes->n += other->n;
    return 0;
}

const struct part_kind part_extremes = { .size = size,
                                         .init = init,
                                         .add = add,
                                         .merge = merge };
