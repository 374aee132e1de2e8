/* Which buildings of a copy can do without their shape: see geometry/borders.h. */
#include <string.h>

#include "store_stage.h"
#include "store_writer.h"

enum {
    SHARE = 128, /* of the memory, for the raster: 2048 by 2048 cells of 64 MiB */
    LEAST_WORDS = 8 * 1024,
    MOST_PIECE = 64 * 1024, /* what a rank tells the others at once */
    LEAST_PIECE = 1024,
    ALL_PIECES = 256 * 1024,
};

int staging_take_borders(struct staging *s, struct error *err)
{
    int64_t n_words = s->memory->budget_bytes / SHARE / 8,
            n = ALL_PIECES / s->team->size;
    n_words = n_words > LEAST_WORDS ? n_words : LEAST_WORDS;
    n = n > MOST_PIECE ? MOST_PIECE : n < LEAST_PIECE ? LEAST_PIECE : n;
    s->n_piece = n & ~(int64_t)7;
    s->borders.n_words = n_words;
    s->borders.bits = memory_take(s->memory, MEMORY_GRID, 8 * n_words, err);
    if (!s->borders.bits)
        return -1;
    if (s->team->size > 1)
        s->pieces =
            memory_take(s->memory, MEMORY_GRID, s->n_piece * s->team->size, err);
    return s->team->size > 1 && !s->pieces ? -1 : 0;
}

static void mark(void *context, struct text wkb, struct memory *room)
{
    borders_add(context, (const uint8_t *)wkb.bytes, wkb.n, room);
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
        if (team_gather(s->team, bits + at, n, s->pieces, err))
            return -1;
        for (int rank = 0; rank < s->team->size; rank++)
            for (int64_t i = 0; i < n; i++)
                bits[at + i] |= s->pieces[rank * n + i];
    }
    return 0;
}

int staging_mark_borders(struct staging *s, struct error *err)
{
    uint64_t *bits = s->borders.bits;
    borders_init(&s->borders, &s->writer->extent, bits, s->borders.n_words);
    int status = store_writer_each_zone(s->writer, mark, &s->borders, err);
    return team_agree(s->team, status, err) || unite(s, err) ? -1 : 0;
}
