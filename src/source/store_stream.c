#include <string.h>

#include "store_source.h"

int store_buildings(struct source *source, const struct zone *zone, struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    (void)err;
    s->zone = zone;
    s->box = zone_box(zone);
    s->block = 0;
    s->loaded = -1;
    s->run.n = 0;
    s->n_read = 0;
    return 0;
}

void store_cancel(struct source *source)
{
    struct store_source *s = (struct store_source *)source;
    s->box = (struct box){ 1, 1, 0, 0 };
    s->run.n = 0;
    s->block = s->store->n_blocks;
}

/* Rows of the store that are on their way into a batch, from row `to` on. */
struct piece {
    int64_t first;
    int32_t n, to;
    int32_t *rows; /* [n_rows] of the batch: those that are still in it */
    int32_t n_rows;
};

/* The sides of the boxes of a piece, one after the other. */
static int
read_sides(struct store_source *s, const struct piece *piece, struct error *err)
{
    for (int side = 0; side < 4; side++)
        if (store_fetch(s,
                        s->store->buildings.box_at[side] + 8 * piece->first,
                        s->sides + (int64_t)side * piece->n,
                        8 * (int64_t)piece->n,
                        err))
            return -1;
    return 0;
}

static inline struct box
box_of(const struct store_source *s, const struct piece *piece, int32_t i)
{
    const double *side = s->sides + i;
    int64_t n = piece->n;
    return (struct box){ side[0], side[n], side[2 * n], side[3 * n] };
}

/* Faults, from the file where the run has some. */
static int read_faults(struct store_source *s,
                       const struct piece *piece,
                       struct batch *batch,
                       struct error *err)
{
    uint8_t *faults = batch->faults + piece->to;
    memset(faults, EWKB_FINE, (size_t)piece->n);
    if (!s->run.faulty)
        return 0;
    if (store_fetch(s,
                    s->store->buildings.fault_at + piece->first,
                    faults,
                    piece->n,
                    err))
        return -1;
    for (int32_t i = 0; i < piece->n; i++)
        if (faults[i] > EWKB_COLLECTED)
            return error_set(err,
                             ERROR_FORMAT,
                             "the store is damaged: fault %d of row %lld",
                             faults[i],
                             (long long)piece->first + i);
    return 0;
}

/* Leave the rows whose box meets the zone's: the candidates. */
static int
take_candidates(struct store_source *s, struct piece *piece, struct error *err)
{
    if (!s->run.covered && read_sides(s, piece, err))
        return -1;
    piece->n_rows = 0;
    for (int32_t i = 0; i < piece->n; i++) {
        piece->rows[piece->n_rows++] = piece->to + i;
        if (!s->run.covered) {
            const struct box box = box_of(s, piece, i);
            piece->n_rows -= !store_boxes_meet(&s->box, &box);
        }
    }
    return 0;
}

/* Leave the rows that pass the filter. */
static int evaluate_filter(struct store_source *s,
                           struct piece *piece,
                           struct batch *batch,
                           struct error *err)
{
    int32_t n = expression_select(s->binding->local_filter,
                                  batch->columns,
                                  piece->rows,
                                  piece->n_rows,
                                  batch->capacity,
                                  batch->memory,
                                  err);
    if (n < 0)
        return error_prefix(err, "[buildings] where");
    batch->n_filtered += piece->n_rows - n;
    piece->n_rows = n;
    return 0;
}

static int read_slots(struct store_source *s,
                      const struct piece *piece,
                      struct batch *batch,
                      bool in_filter,
                      struct error *err)
{
    for (int i = 0; i < s->binding->n_slots; i++) {
        if (s->columns[i] == -2 || (s->filters && s->in_filter[i]) != in_filter)
            continue;
        if (store_read_slot(s, batch, i, piece->first, piece->n, piece->to, err))
            return -1;
    }
    return 0;
}

static void
move_column(struct column *column, const int32_t *rows, int32_t n, int32_t to)
{
    for (int32_t i = 0; i < n; i++)
        column->valid[to + i] = column->valid[rows[i]];
    if (column->type == TYPE_TEXT)
        for (int32_t i = 0; i < n; i++)
            column->texts[to + i] = column->texts[rows[i]];
    else
        for (int32_t i = 0; i < n; i++)
            column->integers[to + i] = column->integers[rows[i]];
}

/* The boxes of the rows that are left, where rows are to be decided by them. */
static int put_boxes(struct store_source *s,
                     const struct piece *piece,
                     struct batch *batch,
                     struct error *err)
{
    if (s->run.kind == BLOCK_INSIDE)
        return 0;
    if (s->run.covered && read_sides(s, piece, err))
        return -1;
    for (int32_t i = 0; i < piece->n_rows; i++) {
        uint8_t fault = batch->faults[piece->rows[i]];
        batch->boxes[piece->to + i] = fault == EWKB_FINE || fault == EWKB_COLLECTED
                                          ? box_of(s, piece, piece->rows[i] - piece->to)
                                          : (struct box){ 1, 1, 0, 0 };
    }
    return 0;
}

/* Close the gaps that the others have left; rows never move up. */
static void
compact(const struct store_source *s, const struct piece *piece, struct batch *batch)
{
    const int32_t *rows = piece->rows;
    int32_t n = piece->n_rows, to = piece->to;
    if (n < piece->n) {
        move_column(&batch->id, rows, n, to);
        for (int i = 0; i < s->binding->n_slots; i++)
            if (s->columns[i] != -2)
                move_column(&batch->columns[i], rows, n, to);
    }
    for (int32_t i = 0; i < n; i++) {
        batch->origins[to + i] = piece->first + (rows[i] - to);
        batch->faults[to + i] = batch->faults[rows[i]];
        batch->geometry[to + i] = (struct text){ NULL, 0 };
    }
    memset(batch->inside + to, s->run.kind == BLOCK_INSIDE, (size_t)n);
    batch->n_rows = to + n;
}

/* Take the first n rows of the run into the batch, as far as they belong there. */
static int
read_piece(struct store_source *s, int32_t n, struct batch *batch, struct error *err)
{
    struct piece piece = {
        .first = s->run.first, .n = n, .to = batch->n_rows, .rows = s->rows
    };
    if (take_candidates(s, &piece, err))
        return -1;
    if (s->run.kind == BLOCK_COUNT) {
        batch->n_filtered += piece.n_rows;
        return 0;
    }
    if (piece.n_rows > 0 && s->filters
        && (read_slots(s, &piece, batch, true, err)
            || evaluate_filter(s, &piece, batch, err)))
        return -1;
    if (piece.n_rows == 0)
        return 0;
    if (read_faults(s, &piece, batch, err)
        || store_read_slot(s, batch, -1, piece.first, piece.n, piece.to, err)
        || read_slots(s, &piece, batch, false, err) || put_boxes(s, &piece, batch, err))
        return -1;
    compact(s, &piece, batch);
    return 0;
}

static int
too_big(const struct store_source *s, const struct batch *batch, struct error *err)
{
    char has[24];
    return error_set(err,
                     ERROR_BUDGET,
                     "the texts of row %lld of the store do not fit into half of %s: "
                     "raise [limits] memory",
                     (long long)s->run.first,
                     memory_size_text(has, batch->bytes_capacity));
}

/* How many rows of the run the batch takes now; 0 when it is full. */
static int32_t
rows_to_read(struct store_source *s, const struct batch *batch, struct error *err)
{
    int64_t room = batch->capacity - batch->n_rows, n = s->run.n;
    if (n > STORE_READ_ROWS)
        n = STORE_READ_ROWS;
    if (n > room) {
        /* a little room is not worth a call for every column */
        if (batch->n_rows > 0 && room < s->store->block_rows)
            return 0;
        n = room;
    }
    int32_t fit = store_fit_rows(s, batch, s->run.first, (int32_t)n, err);
    if (fit == 0 && batch->n_rows == 0 && batch->bytes_used == 0)
        return too_big(s, batch, err);
    return fit;
}

int store_next(struct source *source, struct batch *batch, struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    batch_reset(batch);
    batch->is_filtered = s->filters;
    s->first_geometry = s->offsets_first = -1;
    /* a long run of filtered buildings gives the caller a turn as well */
    while (batch->n_filtered < 16 * (int64_t)batch->capacity) {
        if (s->run.n == 0) {
            int more = store_next_run(s, &s->run, err);
            if (more < 0)
                return -1;
            if (more == 0)
                break;
        }
        int32_t n = rows_to_read(s, batch, err);
        if (n < 0 || (n > 0 && read_piece(s, n, batch, err)))
            return -1;
        if (n == 0)
            break;
        s->run.first += n;
        s->run.n -= n;
    }
    batch->n_read = s->n_read;
    s->n_read = 0;
    return batch->n_rows > 0 || batch->n_filtered > 0 || s->run.n > 0;
}
