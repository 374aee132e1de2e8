/* Writing plain WKB: what GEOS is given to read. */
#include <math.h>
#include <string.h>

#include "walk.h"

struct writer {
    uint8_t *bytes;
    int64_t n, capacity; /* n counts on where the bytes no longer fit */
};

static void put_u32_at(struct writer *writer, int64_t at, uint32_t value)
{
    const uint8_t bytes[4] = { (uint8_t)value,
                               (uint8_t)(value >> 8),
                               (uint8_t)(value >> 16),
                               (uint8_t)(value >> 24) };
    if (at + 4 <= writer->capacity)
        memcpy(writer->bytes + at, bytes, 4);
}

static void put_u32(struct writer *writer, uint32_t value)
{
    put_u32_at(writer, writer->n, value);
    writer->n += 4;
}

static void put_head(struct writer *writer, enum ewkb_type type)
{
    if (writer->n < writer->capacity)
        writer->bytes[writer->n] = 1;
    writer->n++;
    put_u32(writer, (uint32_t)type);
}

static void put_point(struct writer *writer, double x, double y)
{
    uint64_t bits[2];
    memcpy(&bits[0], &x, 8);
    memcpy(&bits[1], &y, 8);
    for (int i = 0; i < 2; i++) {
        put_u32(writer, (uint32_t)bits[i]);
        put_u32(writer, (uint32_t)(bits[i] >> 32));
    }
}

static void put_points(struct writer *writer, const struct sequence *sequence)
{
    bool plain = sequence->stride == 16 && !sequence->swap
                 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    if (plain && sequence->n <= (writer->capacity - writer->n) / 16) {
        memcpy(writer->bytes + writer->n, sequence->points, (size_t)sequence->n * 16);
        writer->n += sequence->n * 16;
        return;
    }
    for (int64_t i = 0; i < sequence->n; i++) {
        double x, y;
        sequence_point(sequence, i, &x, &y);
        put_point(writer, x, y);
    }
}

/* Where the counts of what is open in the output stand. */
struct counts {
    int n_levels; /* open multis and collections; those of walk->levels, or the first */
    struct {
        const uint8_t *start; /* in the input: which it is */
        int64_t at;
        uint32_t n;
    } levels[WALK_LEVELS];
    int64_t at_rings; /* of the polygon */
    uint32_t n_rings;
};

/* The head of a member, which the innermost open level counts. */
static void
put_member(struct writer *writer, struct counts *counts, enum ewkb_type type)
{
    put_head(writer, type);
    if (counts->n_levels > 0) {
        int last = counts->n_levels - 1;
        put_u32_at(writer, counts->levels[last].at, ++counts->levels[last].n);
    }
}

static void
open_level(struct writer *writer, struct counts *counts, const struct level *level)
{
    put_member(writer, counts, level->type);
    int last = counts->n_levels++;
    counts->levels[last].start = level->start;
    counts->levels[last].at = writer->n;
    counts->levels[last].n = 0;
    put_u32(writer, 0);
}

/* Leave the levels that the walk has left, and enter those it is in. */
static void
follow(struct writer *writer, struct counts *counts, const struct walk *walk)
{
    int n = 0;
    while (n < counts->n_levels && n < walk->n_levels
           && counts->levels[n].start == walk->levels[n].start)
        n++;
    counts->n_levels = n;
    while (counts->n_levels < walk->n_levels)
        open_level(writer, counts, &walk->levels[counts->n_levels]);
}

static void open_part(struct writer *writer, struct counts *counts, enum ewkb_type part)
{
    put_member(writer, counts, part);
    if (part == EWKB_POLYGON) {
        counts->at_rings = writer->n;
        counts->n_rings = 0;
        put_u32(writer, 0);
    }
}

/* A part, and what it lies in, is opened at its first sequence that has points, so empty
 * ones leave no trace. */
static void put_sequence(struct writer *writer,
                         const struct walk *walk,
                         const struct sequence *sequence,
                         struct counts *counts)
{
    if (sequence->i_ring == 0) {
        follow(writer, counts, walk);
        open_part(writer, counts, sequence->part);
    }
    if (sequence->part == EWKB_POLYGON)
        put_u32_at(writer, counts->at_rings, ++counts->n_rings);
    if (sequence->part != EWKB_POINT)
        put_u32(writer, (uint32_t)sequence->n);
    put_points(writer, sequence);
}

static void put_empty(struct writer *writer, enum ewkb_type type)
{
    put_head(writer, type);
    if (type == EWKB_POINT)
        put_point(writer, NAN, NAN);
    else
        put_u32(writer, 0);
}

int64_t ewkb_flatten(const uint8_t *bytes,
                     int64_t n_bytes,
                     uint8_t *out,
                     int64_t capacity,
                     struct error *err)
{
    struct walk walk;
    struct sequence sequence;
    struct writer writer = { out, 0, capacity };
    struct counts counts;
    int more = -1;

    counts.n_levels = 0;
    counts.at_rings = 0;
    counts.n_rings = 0;
    if (walk_open(&walk, bytes, n_bytes) == 0)
        while ((more = walk_next(&walk, &sequence)) > 0)
            if (sequence.n > 0)
                put_sequence(&writer, &walk, &sequence, &counts);
    if (more < 0)
        return error_set(err, ERROR_FORMAT, "%s", ewkb_fault_text(walk.fault));
    if (writer.n == 0)
        put_empty(&writer, walk.type);
    if (writer.n > capacity)
        return error_set(err,
                         ERROR_BUDGET,
                         "a geometry of %lld bytes does not fit into %lld",
                         (long long)writer.n,
                         (long long)capacity);
    return writer.n;
}
