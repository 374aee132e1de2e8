#include <string.h>

#include "store_source.h"

int store_buildings(struct source *source, const struct zone *zone, struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    (void)err;
    s->zone = zone;
    s->box = zone_box(zone);
    s->block = 0;
    s->run.n = 0;
    s->n_read = 0;
    return 0;
}

void store_cancel(struct source *source)
{
    struct store_source *s = (struct store_source *)source;
    s->box = box_none();
    s->run.n = 0;
    s->block = s->store->n_blocks;
}

/* Rows of the store, of one chunk, that are on their way into a batch. */
struct piece {
    int64_t first;
    int32_t n, to; /* the first row of the batch that they may take */
    int32_t *rows; /* [n_rows] those that are still on it, counted from `first` */
    int32_t n_rows;
};

struct sides {
    const float *xmin, *ymin, *xmax, *ymax;
};

static int read_sides(struct store_source *s,
                      const struct piece *piece,
                      struct sides *sides,
                      struct error *err)
{
    const float **side[4] = { &sides->xmin, &sides->ymin, &sides->xmax, &sides->ymax };
    for (int i = 0; i < 4; i++) {
        *side[i] = store_cached(s, s->side_of[i], piece->first, err);
        if (!*side[i])
            return -1;
    }
    return 0;
}

static inline struct box box_at(const struct sides *sides, int32_t i)
{
    return (
        struct box){ sides->xmin[i], sides->ymin[i], sides->xmax[i], sides->ymax[i] };
}

/* Leave the rows whose box meets the zone's: the candidates. */
static int
take_candidates(struct store_source *s, struct piece *piece, struct error *err)
{
    struct sides sides;
    piece->n_rows = piece->n;
    if (s->run.covered) {
        for (int32_t i = 0; i < piece->n; i++)
            piece->rows[i] = i;
        return 0;
    }
    if (read_sides(s, piece, &sides, err))
        return -1;
    /* a float is below a double where it is below the float below it */
    const float xmin = store_float_above(s->box.xmin),
                ymin = store_float_above(s->box.ymin);
    const float xmax = store_float_below(s->box.xmax),
                ymax = store_float_below(s->box.ymax);
    uint8_t meets[STORE_READ_ROWS];
    for (int32_t i = 0; i < piece->n; i++)
        meets[i] = (sides.xmin[i] <= xmax) & (xmin <= sides.xmax[i])
                   & (sides.ymin[i] <= ymax) & (ymin <= sides.ymax[i]);
    int32_t n = 0, *rows = piece->rows;
    for (int32_t i = 0; i < piece->n; i++) {
        rows[n] = i;
        n += meets[i];
    }
    piece->n_rows = n;
    return 0;
}

/* A column of the piece as it lies in the cache; false where it is not kept there. */
static int view_values(struct store_source *s,
                       const struct piece *piece,
                       int value_of,
                       int valid_of,
                       struct column *view,
                       struct error *err)
{
    const void *values = store_cached(s, value_of, piece->first, err);
    const void *valid =
        values && valid_of >= 0 ? store_cached(s, valid_of, piece->first, err) : NULL;
    if (!values || (valid_of >= 0 && !valid))
        return -1;
    view->integers = (int64_t *)(uintptr_t)values;
    view->valid = valid ? (uint8_t *)(uintptr_t)valid : s->all_valid;
    return 0;
}

/* Which rows of the piece, of a run that has faults, have an id. */
static int read_has_id(struct store_source *s,
                       const struct piece *piece,
                       uint8_t *has_id,
                       struct error *err)
{
    const uint8_t *faults = store_cached(s, s->fault_of, piece->first, err);
    if (!faults)
        return -1;
    for (int32_t i = 0; i < piece->n; i++)
        has_id[i] = faults[i] != EWKB_NO_ID;
    return 0;
}

static bool is_text(const struct batch *batch, int slot)
{
    return batch->columns[slot].type == TYPE_TEXT;
}

/* View a slot for the piece: numbers in the cache, texts made in the batch. */
static int view_slot(struct store_source *s,
                     const struct piece *piece,
                     struct batch *batch,
                     int slot,
                     struct error *err)
{
    struct column *view = &s->views[slot], *column = &batch->columns[slot];
    view->type = column->type;
    if (!is_text(batch, slot)) {
        if (view_values(s, piece, s->value_of[slot], s->valid_of[slot], view, err))
            return -1;
    } else {
        if (store_read_texts(s, batch, slot, piece->first, piece->n, piece->to, err))
            return -1;
        view->valid = column->valid + piece->to;
        view->texts = column->texts + piece->to;
    }
    if (s->columns[slot] != -1 || !s->run.faulty)
        return 0;
    view->valid = column->valid + piece->to;
    return read_has_id(s, piece, view->valid, err);
}

/* Leave the rows that pass the filter. */
static int apply_filter(struct store_source *s,
                        struct piece *piece,
                        struct batch *batch,
                        struct error *err)
{
    for (int i = 0; i < s->binding->n_slots; i++)
        if (s->in_filter[i] && view_slot(s, piece, batch, i, err))
            return -1;
    int32_t n = expression_select(s->binding->row_filter,
                                  s->views,
                                  piece->rows,
                                  piece->n_rows,
                                  STORE_READ_ROWS,
                                  batch->memory,
                                  err);
    if (n < 0)
        return error_prefix(err, "[buildings] where");
    batch->n_filtered += piece->n_rows - n;
    piece->n_rows = n;
    return 0;
}

/* Rows of a view to the batch; a text's view lies in the column, at or above its place. */
static void put_column(const struct store_source *s,
                       const struct column *view,
                       const struct piece *piece,
                       struct column *column)
{
    bool all_valid = view->valid == s->all_valid;
    const int32_t *rows = piece->rows;
    int32_t n = piece->n_rows;
    uint8_t *valid = column->valid + piece->to;
    if (all_valid)
        memset(valid, 1, (size_t)n);
    for (int32_t i = 0; i < n && !all_valid; i++)
        valid[i] = view->valid[rows[i]];
    if (column->type == TYPE_TEXT) {
        struct text *texts = column->texts + piece->to;
        for (int32_t i = 0; i < n; i++)
            texts[i] = view->texts[rows[i]];
    } else {
        int64_t *integers = column->integers + piece->to;
        for (int32_t i = 0; i < n; i++)
            integers[i] = view->integers[rows[i]];
    }
}

static int put_id(struct store_source *s,
                  const struct piece *piece,
                  struct batch *batch,
                  struct error *err)
{
    struct column view = { .type = batch->id.type };
    if (view.type == TYPE_TEXT) {
        if (store_read_texts(s, batch, -1, piece->first, piece->n, piece->to, err))
            return -1;
        view.valid = batch->id.valid + piece->to;
        view.texts = batch->id.texts + piece->to;
    } else if (view_values(s, piece, s->id_of, -1, &view, err)) {
        return -1;
    }
    if (s->run.faulty) {
        view.valid = batch->id.valid + piece->to;
        if (read_has_id(s, piece, view.valid, err))
            return -1;
    }
    put_column(s, &view, piece, &batch->id);
    return 0;
}

static int put_slots(struct store_source *s,
                     const struct piece *piece,
                     struct batch *batch,
                     struct error *err)
{
    for (int i = 0; i < s->binding->n_slots; i++) {
        if (s->columns[i] == -2)
            continue;
        if (!(s->filters && s->in_filter[i]) && view_slot(s, piece, batch, i, err))
            return -1;
        put_column(s, &s->views[i], piece, &batch->columns[i]);
    }
    return 0;
}

/* Faults, from the file where the run has some. */
static int put_faults(struct store_source *s,
                      const struct piece *piece,
                      struct batch *batch,
                      struct error *err)
{
    uint8_t *faults = batch->faults + piece->to;
    memset(faults, EWKB_FINE, (size_t)piece->n_rows);
    if (!s->run.faulty)
        return 0;
    const uint8_t *from = store_cached(s, s->fault_of, piece->first, err);
    if (!from)
        return -1;
    for (int32_t i = 0; i < piece->n_rows; i++) {
        faults[i] = from[piece->rows[i]];
        if (faults[i] > EWKB_LAST)
            return store_damaged(err,
                                 "fault %d of row %lld",
                                 faults[i],
                                 (long long)piece->first + piece->rows[i]);
    }
    return 0;
}

/* The boxes, where rows are to be decided by them. */
static int put_boxes(struct store_source *s,
                     const struct piece *piece,
                     struct batch *batch,
                     struct error *err)
{
    struct sides sides;
    struct box *boxes = batch->boxes + piece->to;
    if (s->run.kind == BLOCK_INSIDE)
        return 0;
    if (read_sides(s, piece, &sides, err))
        return -1;
    for (int32_t i = 0; i < piece->n_rows; i++)
        boxes[i] = box_at(&sides, piece->rows[i]);
    for (int32_t i = 0; i < piece->n_rows && s->run.faulty; i++) {
        uint8_t fault = batch->faults[piece->to + i];
        if (fault != EWKB_FINE && fault != EWKB_COLLECTED)
            boxes[i] = box_none();
    }
    return 0;
}

static void
put_places(const struct store_source *s, const struct piece *piece, struct batch *batch)
{
    int64_t *origins = batch->origins + piece->to;
    for (int32_t i = 0; i < piece->n_rows; i++)
        origins[i] = piece->first + piece->rows[i];
    memset(batch->geometry + piece->to,
           0,
           (size_t)piece->n_rows * sizeof *batch->geometry);
    memset(batch->inside + piece->to,
           s->run.kind == BLOCK_INSIDE,
           (size_t)piece->n_rows);
    batch->n_rows = piece->to + piece->n_rows;
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
    if (piece.n_rows > 0 && s->filters && apply_filter(s, &piece, batch, err))
        return -1;
    if (piece.n_rows == 0)
        return 0;
    if (put_faults(s, &piece, batch, err) || put_id(s, &piece, batch, err)
        || put_slots(s, &piece, batch, err) || put_boxes(s, &piece, batch, err))
        return -1;
    put_places(s, &piece, batch);
    return 0;
}

/* Half of the batch is for texts; `n_needed` of them are the first row's. */
static int too_big(struct store_source *s,
                   struct batch *batch,
                   int64_t n_needed,
                   struct error *err)
{
    char name[96], needs[24], has[24];
    if (store_row_name(s, s->run.first, name, err))
        return -1;
    batch->bytes_needed = 2 * n_needed;
    return error_set(err,
                     ERROR_BUDGET,
                     "%s has %s of texts, a batch holds %s",
                     name,
                     memory_size_text(needs, n_needed),
                     memory_size_text(has, batch->bytes_capacity / 2));
}

/* How many rows of the run the batch takes now; 0 when it is full. */
static int32_t
rows_to_read(struct store_source *s, struct batch *batch, struct error *err)
{
    int64_t room = batch->capacity - batch->n_rows, n = s->run.n;
    int64_t left = store_chunk_left(s, s->run.first);
    n = n < left ? n : left;
    if (n > room) {
        /* a little room is not worth a piece */
        if (batch->n_rows > 0 && room < s->store->block_rows)
            return 0;
        n = room;
    }
    int64_t n_bytes = 0;
    int32_t fit = store_fit_rows(s, batch, s->run.first, (int32_t)n, &n_bytes, err);
    if (fit == 0 && batch->n_rows == 0 && batch->bytes_used == 0)
        return too_big(s, batch, n_bytes, err);
    return fit;
}

int store_next(struct source *source, struct batch *batch, struct error *err)
{
    struct store_source *s = (struct store_source *)source;
    batch_reset(batch);
    batch->is_filtered = s->filters;
    s->first_geometry = -1;
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
