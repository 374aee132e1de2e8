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
    for (int64_t i = 0; i < sequence->n; i++) {
        double x, y;
        sequence_point(sequence, i, &x, &y);
        put_point(writer, x, y);
    }
}

/* Where the counts of the open multi and of its open polygon stand; -1 for none. */
struct counts {
    int64_t at_parts, at_rings;
    uint32_t n_parts, n_rings;
};

/* A part is opened at its first sequence that has points, so empty ones leave no
 * trace. */
static void put_sequence(struct writer *writer,
                         const struct sequence *sequence,
                         struct counts *counts)
{
    if (sequence->i_ring == 0 && counts->at_parts >= 0) {
        put_head(writer, sequence->part);
        put_u32_at(writer, counts->at_parts, ++counts->n_parts);
        if (sequence->part == EWKB_POLYGON) {
            counts->at_rings = writer->n;
            counts->n_rings = 0;
            put_u32(writer, 0);
        }
    }
    if (sequence->part == EWKB_POLYGON)
        put_u32_at(writer, counts->at_rings, ++counts->n_rings);
    if (sequence->part != EWKB_POINT)
        put_u32(writer, (uint32_t)sequence->n);
    put_points(writer, sequence);
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
    struct counts counts = { -1, -1, 0, 0 };
    int more;

    if (walk_open(&walk, bytes, n_bytes))
        return error_set(err, ERROR_FORMAT, "%s", ewkb_fault_text(walk.fault));
    put_head(&writer, walk.type);
    int64_t n_head = writer.n;
    if (walk.type >= EWKB_MULTIPOINT)
        counts.at_parts = writer.n;
    else if (walk.type == EWKB_POLYGON)
        counts.at_rings = writer.n;
    if (walk.type >= EWKB_POLYGON)
        put_u32(&writer, 0);
    while ((more = walk_next(&walk, &sequence)) > 0)
        if (sequence.n > 0)
            put_sequence(&writer, &sequence, &counts);
    if (more < 0)
        return error_set(err, ERROR_FORMAT, "%s", ewkb_fault_text(walk.fault));
    if (writer.n == n_head && walk.type == EWKB_POINT)
        put_point(&writer, NAN, NAN);
    if (writer.n == n_head && walk.type == EWKB_LINESTRING)
        put_u32(&writer, 0);
    if (writer.n > capacity)
        return error_set(err,
                         ERROR_BUDGET,
                         "a geometry of %lld bytes does not fit into %lld",
                         (long long)writer.n,
                         (long long)capacity);
    return writer.n;
}
