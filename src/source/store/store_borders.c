/* Which buildings of a copy can do without their shape: see geometry/borders.h. */
#include <string.h>

#include "rooftally/geometry/zone.h"

#include "store_stage.h"
#include "store_writer.h"

enum {
    SHARE = 128, /* of the memory, for the raster: 2048 by 2048 cells of 64 MiB */
    LEAST_WORDS = 8 * 1024,
    MOST_PIECE = 64 * 1024, /* what a rank tells the others at once */
    ALL_PIECES = 256 * 1024,
    MOST_RANKS = 64, /* with more, telling takes longer than is saved */
    N_VALID = 32 * 1024,
    LEFT_BYTES = 12 << 20, /* for the writer, at the least */
};

static int64_t limited(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

void staging_take_borders(struct staging *s)
{
    struct memory_mark mark = memory_mark(s->memory);
    struct error ignored;
    int64_t n_words = s->memory->budget_bytes / SHARE / 8;
    if (s->team->size > MOST_RANKS)
        return;
    n_words = limited(n_words, LEAST_WORDS, BORDERS_MOST_WORDS);
    s->n_piece = limited(ALL_PIECES / s->team->size, 8, MOST_PIECE) & ~(int64_t)7;
    s->borders.bits = memory_take(s->memory, MEMORY_GRID, 8 * n_words, &ignored);
    s->pieces =
        memory_take(s->memory, MEMORY_GRID, s->n_piece * s->team->size, &ignored);
    s->valid = memory_take(s->memory, MEMORY_GRID, N_VALID, &ignored);
    if (s->borders.bits && s->pieces && s->valid
        && memory_free_bytes(s->memory) >= LEFT_BYTES)
        s->borders.n_words = n_words;
    else
        memory_rewind(s->memory, &mark);
}

static void mark(void *context, int64_t row, struct text wkb, struct memory *room)
{
    struct staging *s = context;
    const uint8_t *bytes = (const uint8_t *)wkb.bytes;
    bool is_valid = zone_is_surely_valid(bytes, wkb.n, room);
    borders_add(&s->borders, bytes, wkb.n, is_valid);
    if (row < N_VALID)
        s->valid[row] = is_valid;
}

/* What any rank has set, all have. Collective. */
static int unite(struct staging *s, struct error *err)
{
    int64_t n_bytes = 8 * s->borders.n_words, n, has_none = s->borders.n == 0;
    uint8_t *bits = (uint8_t *)s->borders.bits;
    if (team_max(s->team, &has_none, 1, err))
        return -1;
    if (has_none)
        s->borders.n = 0;
    for (int64_t at = 0; at < n_bytes && !has_none && s->team->size > 1; at += n) {
        n = n_bytes - at < s->n_piece ? n_bytes - at : s->n_piece;
        if (team_gather_all(s->team, bits + at, n, s->pieces, err))
            return -1;
        for (int rank = 0; rank < s->team->size; rank++)
            for (int64_t i = 0; i < n; i++)
                bits[at + i] |= s->pieces[rank * n + i];
    }
    return 0;
}

int staging_mark_borders(struct staging *s, struct error *err)
{
    int64_t n_words = -s->borders.n_words; /* the least of all: memories may differ */
    if (team_max(s->team, &n_words, 1, err))
        return -1;
    s->leaves_shapes = n_words < 0;
    if (!s->leaves_shapes)
        return 0;
    borders_init(&s->borders, &s->writer->extent, s->borders.bits, -n_words);
    memset(s->valid, 0, N_VALID); /* of zones without a shape, too */
    int status = store_writer_each_zone(s->writer, mark, s, err);
    if (team_agree(s->team, status, err) || unite(s, err))
        return -1;
    s->writer->valid = s->valid;
    s->writer->n_valid = N_VALID;
    return 0;
}
