#include "rooftally/schedule/analyse.h"

#include <math.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/measure.h"

#include "selection.h"

enum {
    LEAST_ROWS = 256,
    MOST_ROWS = 2048,
    BATCH_SHARE = 16,
    MOST_BATCH_BYTES = 16 << 20,
    WORKING_BYTES = 4 << 20, /* touched ahead for what a usual zone needs */
};

int32_t analyse_batch_rows(int64_t memory_bytes)
{
    int64_t n = memory_bytes / (32 * 1024);
    return (int32_t)(n < LEAST_ROWS ? LEAST_ROWS : n > MOST_ROWS ? MOST_ROWS : n);
}

int64_t analyse_batch_bytes(int64_t memory_bytes)
{
    int64_t n = memory_bytes / BATCH_SHARE;
    return n > MOST_BATCH_BYTES ? MOST_BATCH_BYTES : n;
}

int analyse_init(struct analysis *analysis, struct error *err)
{
    struct memory *memory = analysis->memory;
    int32_t n = analyse_batch_rows(memory->budget_bytes);
    int64_t n_bytes = analyse_batch_bytes(memory->budget_bytes);
    if (batch_init(&analysis->batch, analysis->binding, n, n_bytes, memory, err) < 0)
        return -1;
    analysis->decisions = memory_take(memory, MEMORY_BATCH, n, err);
    if (!analysis->decisions)
        return -1;
    analysis->rows =
        memory_take(memory, MEMORY_BATCH, n * (int64_t)sizeof *analysis->rows, err);
    if (!analysis->rows)
        return -1;
    analysis->centroids = memory_take(memory,
                                      MEMORY_BATCH,
                                      n * (int64_t)sizeof *analysis->centroids,
                                      err);
    if (!analysis->centroids)
        return -1;
    if (source_prepare(analysis->source, memory, err) < 0)
        return -1;
    memory_prefault(memory, memory->used_bytes + WORKING_BYTES);
    return 0;
}

/* What one zone in work adds up to. */
struct progress {
    struct zone_record record;
    struct zone *zone;
    struct fold *fold;
    struct selection selection;
    struct growing_column rejected_id, rejected_reason;
};

static int reject(struct analysis *a,
                  struct progress *p,
                  int32_t row,
                  const char *reason,
                  struct error *err)
{
    struct text text = { reason, (int64_t)strlen(reason) };
    uint8_t valid = 1;
    struct column reasons = { .type = TYPE_TEXT, .valid = &valid, .texts = &text };
    int32_t first = 0;
    p->record.n_rejected++;
    if (growing_add(&p->rejected_id, &a->batch.id, &row, 1, a->memory, err) < 0)
        return -1;
    return growing_add(&p->rejected_reason, &reasons, &first, 1, a->memory, err);
}

static void name_building(struct error *err, const struct batch *batch, int32_t row)
{
    char id[80];
    if (!batch->id.valid[row]) {
        error_prefix(err, "a building");
    } else if (batch->id.type == TYPE_INTEGER) {
        error_prefix(err, "building %lld", (long long)batch->id.integers[row]);
    } else {
        struct text text = batch->id.texts[row];
        log_clean(id, sizeof id, text.bytes, text.n < 70 ? (int)text.n : 70);
        error_prefix(err, "building %s", id);
    }
}

/*
 * Which buildings come depends on the cover, and that on estimates; which are rejected
 * must not. So a building that cannot be decided counts where its box (NULL: it may be
 * anywhere) meets the zone itself, and is outside elsewhere.
 */
static int set_aside(struct analysis *a,
                     struct progress *p,
                     int32_t row,
                     const struct box *box,
                     const char *reason,
                     struct error *err)
{
    a->decisions[row] = DECISION_OUTSIDE;
    if (box && !zone_meets_box(p->zone, box))
        return 0;
    a->decisions[row] = DECISION_REJECTED;
    if (a->binding->job->invalid != INVALID_FAIL)
        return reject(a, p, row, reason, err);
    error_set(err,
              ERROR_DATA,
              "%s: [buildings] invalid = skip rejects it and goes on",
              reason);
    name_building(err, &a->batch, row);
    return -1;
}

/* The box that a row came with may have met the zone's by its rounding alone. */
static bool is_candidate(const struct zone *zone, const struct box *box)
{
    struct box of_zone = zone_box(zone);
    return boxes_meet(&of_zone, box);
}

/* Decide one row that its box left open: by its outline, or else by GEOS. */
static int
refine(struct analysis *a, struct progress *p, int32_t row, struct error *err)
{
    struct text wkb = a->batch.geometry[row];
    const struct box *box = &a->batch.boxes[row];
    enum decision decision = DECISION_OUTSIDE;
    char reason[REASON_BYTES];
    struct error why;
    if (is_candidate(p->zone, box) && a->batch.faults[row] == EWKB_COLLECTED)
        decision = DECISION_REFINE;
    else if (is_candidate(p->zone, box))
        decision = zone_decide_outline(p->zone, box, (const uint8_t *)wkb.bytes, wkb.n);
    if (decision != DECISION_REFINE) {
        a->decisions[row] = (uint8_t)decision;
        p->record.n_decided++;
        return 0;
    }
    p->record.n_refined++;
    if (zone_refine(p->zone, (const uint8_t *)wkb.bytes, wkb.n, &decision, reason, &why)
        < 0) {
        if (why.code == ERROR_DATA)
            return set_aside(a, p, row, box, why.text, err);
        *err = why;
        name_building(err, &a->batch, row);
        return -1;
    }
    a->decisions[row] = (uint8_t)decision;
    return decision == DECISION_REJECTED ? set_aside(a, p, row, box, reason, err) : 0;
}

/* A row that nobody can decide. */
static int
refuse(struct analysis *a, struct progress *p, int32_t row, struct error *err)
{
    struct batch *batch = &a->batch;
    struct box box;
    if (source_geometry(a->source, batch, &row, 1, err) < 0)
        return -1;
    struct text wkb = batch->geometry[row];
    bool is_known = ewkb_bounds((const uint8_t *)wkb.bytes, wkb.n, &box) == 0;
    const char *reason = ewkb_fault_text((enum ewkb_fault)batch->faults[row]);
    return set_aside(a, p, row, is_known ? &box : NULL, reason, err);
}

static void put_centroid(const struct zone *zone,
                         const struct batch *batch,
                         int32_t row,
                         struct box *box)
{
    const uint8_t *bytes = (const uint8_t *)batch->geometry[row].bytes;
    struct ewkb head;
    *box = batch->boxes[row];
    if (!is_candidate(zone, box))
        *box = box_none();
    else if (batch->faults[row] == EWKB_FINE
             && ewkb_read(bytes, batch->geometry[row].n, &head) == EWKB_FINE
             && !head.empty)
        *box = ewkb_centroid_box(bytes, batch->geometry[row].n, &head);
}

/* The boxes that the grid is to decide: the buildings' own, or, where only the centroid
 * counts and nobody looks whether it can be trusted, boxes of the centroids. */
static int boxes_to_decide(struct analysis *a,
                           const struct zone *zone,
                           const struct box **boxes,
                           struct error *err)
{
    struct batch *batch = &a->batch;
    const struct job *job = a->binding->job;
    *boxes = batch->boxes;
    if (job->predicate != PREDICATE_CENTROID || job->invalid != INVALID_TRUST)
        return 0;
    for (int32_t row = 0; row < batch->n_rows; row++)
        a->rows[row] = row;
    for (int32_t i = 0, n; i < batch->n_rows; i += n) {
        n = source_geometry(a->source, batch, a->rows + i, batch->n_rows - i, err);
        if (n < 0)
            return -1;
        for (int32_t row = i; row < i + n; row++)
            put_centroid(zone, batch, row, &a->centroids[row]);
    }
    *boxes = a->centroids;
    return 0;
}

/* Ask the grid about every row that the source has not decided. */
static int decide_boxes(struct analysis *a, const struct zone *zone, struct error *err)
{
    const struct batch *batch = &a->batch;
    const struct box *boxes;
    if (boxes_to_decide(a, zone, &boxes, err) < 0)
        return -1;
    for (int32_t row = 0, end; row < batch->n_rows; row = end) {
        uint8_t inside = batch->inside[row];
        for (end = row + 1; end < batch->n_rows && batch->inside[end] == inside;)
            end++;
        if (inside)
            memset(a->decisions + row, DECISION_INSIDE, (size_t)(end - row));
        else
            zone_decide(zone, boxes + row, end - row, a->decisions + row);
    }
    return 0;
}

/* Leaves INSIDE, OUTSIDE or REJECTED for every row. */
static int decide(struct analysis *a, struct progress *p, struct error *err)
{
    struct batch *batch = &a->batch;
    int32_t n_open = 0;
    if (decide_boxes(a, p->zone, err) < 0)
        return -1;
    for (int32_t row = 0; row < batch->n_rows; row++) {
        bool collected = batch->faults[row] == EWKB_COLLECTED;
        if (batch->faults[row] != EWKB_FINE && !collected) {
            if (refuse(a, p, row, err) < 0)
                return -1;
        } else if (a->decisions[row] == DECISION_REFINE
                   || (collected && is_candidate(p->zone, &batch->boxes[row]))) {
            a->rows[n_open++] = row;
        }
    }
    p->record.n_decided += batch->n_rows - n_open;
    for (int32_t i = 0, n; i < n_open;) {
        n = source_geometry(a->source, batch, a->rows + i, n_open - i, err);
        if (n < 0)
            return -1;
        for (int32_t end = i + n; i < end; i++)
            if (refine(a, p, a->rows[i], err) < 0)
                return -1;
    }
    return 0;
}

/* Fill the slots that are measured on the geometry of one row, which is there. */
static int
measure_row(struct analysis *a, int32_t row, bool want_length, struct error *err)
{
    const struct binding *binding = a->binding;
    struct text wkb = a->batch.geometry[row];
    struct measures m;
    if (measure(&source_schema(a->source)->crs,
                (const uint8_t *)wkb.bytes,
                wkb.n,
                want_length,
                &m,
                err)
        < 0) {
        name_building(err, &a->batch, row);
        return -1;
    }
    for (int s = 0; s < binding->n_slots; s++) {
        if (binding->slots[s].origin != SLOT_MEASURE)
            continue;
        struct column *column = &a->batch.columns[s];
        column->valid[row] = 1;
        if (binding->slots[s].measure == MEASURE_VERTICES)
            column->integers[row] = m.n_vertices;
        else if (binding->slots[s].measure == MEASURE_PERIMETER_M)
            column->reals[row] = m.perimeter_m;
        else
            column->reals[row] = m.area_m2;
    }
    return 0;
}

/* Fill the slots that are measured on the geometry. */
static int measure_rows(struct analysis *a, int32_t n_rows, struct error *err)
{
    const struct binding *binding = a->binding;
    bool wanted = false, want_length = false;
    for (int s = 0; s < binding->n_slots; s++) {
        wanted = wanted || binding->slots[s].origin == SLOT_MEASURE;
        want_length = want_length
                      || (binding->slots[s].origin == SLOT_MEASURE
                          && binding->slots[s].measure == MEASURE_PERIMETER_M);
    }
    if (!wanted || n_rows == 0)
        return 0;
    for (int32_t i = 0, n; i < n_rows;) {
        n = source_geometry(a->source, &a->batch, a->rows + i, n_rows - i, err);
        if (n < 0)
            return -1;
        for (int32_t end = i + n; i < end; i++)
            if (measure_row(a, a->rows[i], want_length, err) < 0)
                return -1;
    }
    return 0;
}

/* Keep in a->rows those that a half of the filter lets pass. */
static int filter_rows(struct analysis *a,
                       const struct expression *filter,
                       int32_t *n_rows,
                       struct error *err)
{
    if (!filter || *n_rows == 0)
        return 0;
    int32_t n = expression_select(filter,
                                  a->batch.columns,
                                  a->rows,
                                  *n_rows,
                                  a->batch.capacity,
                                  a->memory,
                                  err);
    if (n < 0)
        return error_prefix(err, "[buildings] where");
    *n_rows = n;
    return 0;
}

static int evaluate_fields(struct analysis *a, int32_t n_rows, struct error *err)
{
    for (int s = 0; s < a->binding->n_slots; s++) {
        const struct slot *slot = &a->binding->slots[s];
        if (slot->origin != SLOT_LOCAL)
            continue;
        if (expression_evaluate(slot->expression,
                                a->batch.columns,
                                a->rows,
                                n_rows,
                                a->batch.capacity,
                                &a->batch.columns[s],
                                a->memory,
                                err)
            < 0)
            return error_prefix(err, "[buildings] field %s", slot->name);
    }
    return 0;
}

/*
 * Infinite dates, the greatest and least of integers, order as they do on the server while
 * the filter looks at them. No calendar has them, so what is put out takes them for null.
 */
static void drop_infinite(struct analysis *a, int32_t n_rows)
{
    for (int s = 0; s < a->binding->n_slots; s++) {
        const struct column *column = &a->batch.columns[s];
        if (column->type != TYPE_DATE && column->type != TYPE_TIMESTAMP)
            continue;
        for (int32_t i = 0; i < n_rows; i++) {
            int32_t row = a->rows[i];
            if (column->valid[row]
                && (column->integers[row] == INT64_MAX
                    || column->integers[row] == INT64_MIN))
                column->valid[row] = 0;
        }
    }
}

static int take_batch(struct analysis *a, struct progress *p, struct error *err)
{
    struct zone_record *record = &p->record;
    const struct batch *batch = &a->batch;
    if (decide(a, p, err) < 0)
        return -1;
    int32_t n_inside = 0, n_outside = 0;
    for (int32_t row = 0; row < batch->n_rows; row++) {
        a->rows[n_inside] = row;
        n_inside += a->decisions[row] == DECISION_INSIDE;
        n_outside += a->decisions[row] == DECISION_OUTSIDE;
    }
    const struct binding *binding = a->binding;
    int32_t n = n_inside;
    if ((!batch->is_filtered && filter_rows(a, binding->row_filter, &n, err) < 0)
        || measure_rows(a, n, err) < 0
        || filter_rows(a, binding->local_filter, &n, err) < 0
        || evaluate_fields(a, n, err) < 0)
        return -1;
    drop_infinite(a, n);
    record->n_candidates += batch->n_rows + batch->n_filtered;
    record->n_filtered += batch->n_filtered + (n_inside - n);
    record->n_outside += n_outside;
    record->n_selected += n;
    record->n_bytes += batch->n_read;
    if (fold_add(p->fold, batch->columns, &batch->id, a->rows, n, err) < 0)
        return -1;
    return selection_add(&p->selection, batch, a->rows, n, err);
}

/* Open the zone: geometry, area, grid. */
static int open_zone(struct analysis *a,
                     struct progress *p,
                     const struct message_zone *zone,
                     struct error *err)
{
    struct zone_record *record = &p->record;
    struct text wkb;
    if (source_zone(a->source, zone->id, zone->n_id, &wkb, a->memory, err) < 0)
        return -1;
    if (wkb.n == 0) { /* no geometry: an empty polygon has no candidates either */
        static const char empty[9] = { 1, 3 };
        wkb = (struct text){ empty, sizeof empty };
    }
    const uint8_t *bytes = (const uint8_t *)wkb.bytes;
    struct ewkb shape;
    enum ewkb_fault fault = ewkb_read(bytes, wkb.n, &shape);
    if (fault != EWKB_FINE)
        return error_set(err,
                         ERROR_DATA,
                         "its geometry: %s: repair it, or leave the zone out by "
                         "[zones] where",
                         ewkb_fault_text(fault));
    uint8_t *flat = memory_take(a->memory, MEMORY_GEOMETRY, wkb.n, err);
    if (!flat)
        return -1;
    int64_t n_flat = ewkb_flatten(bytes, wkb.n, flat, wkb.n, err);
    if (n_flat < 0)
        return -1;
    struct measures measures = { 0 };
    const struct zone_shape known = source_zone_shape(a->source);
    measures.area_m2 = known.area_m2;
    if (isnan(known.area_m2)
        && measure(&source_schema(a->source)->crs, bytes, wkb.n, false, &measures, err)
               < 0)
        return -1;
    record->box = shape.box;
    if (shape.empty)
        record->box = (struct box){ NAN, NAN, NAN, NAN };
    record->area_m2 = measures.area_m2;
    record->n_vertices = shape.n_vertices;
    record->wkb = (struct text){ (const char *)flat, shape.empty ? 0 : n_flat };
    return zone_open(&p->zone,
                     a->geos,
                     flat,
                     n_flat,
                     (int64_t)zone->estimate,
                     a->binding->job->predicate,
                     a->binding->job->invalid,
                     known.valid,
                     a->memory,
                     err);
}

static int read_buildings(struct analysis *a, struct progress *p, struct error *err)
{
    if (source_buildings(a->source, p->zone, err) < 0)
        return -1;
    for (;;) {
        int more = source_next(a->source, &a->batch, err);
        if (more == 0)
            return 0;
        if (more < 0)
            return -1; /* the source has ended the stream itself */
        int status = take_batch(a, p, err);
        if (status == 0 && a->stop && a->stop(a->stop_context))
            status = error_set(err, ERROR_STOPPED, "stopped on request");
        if (status < 0) {
            source_cancel(a->source);
            return -1;
        }
    }
}

/* Results of the statistics, the selection in its order, rejected ones in theirs. */
static int close_zone(struct analysis *a, struct progress *p, struct error *err)
{
    struct zone_record *record = &p->record;
    struct memory *memory = a->memory;
    struct zone_facts facts = { .area_m2 = record->area_m2 };
    record->n_outputs = statistics_n_outputs(a->statistics);
    record->outputs = memory_take(memory,
                                  MEMORY_RECORD,
                                  record->n_outputs * (int64_t)sizeof *record->outputs,
                                  err);
    record->n_keep = a->binding->n_keep;
    record->keep = memory_take(memory,
                               MEMORY_RECORD,
                               record->n_keep * (int64_t)sizeof *record->keep,
                               err);
    if (!record->outputs || !record->keep)
        return -1;
    if (fold_end(p->fold, &facts, record->outputs, err) < 0
        || selection_end(&p->selection, record->keep, err) < 0)
        return -1;
    int32_t *order;
    bool ties;
    struct column reasons;
    if (growing_order(&p->rejected_id, &order, &ties, memory, err) < 0
        || growing_end(&p->rejected_id, order, &record->rejected_id, memory, err) < 0
        || growing_end(&p->rejected_reason, order, &reasons, memory, err) < 0
        || (ties
            && selection_settle(&record->rejected_id,
                                p->rejected_id.valid.n,
                                &reasons,
                                1,
                                memory,
                                err)
                   < 0))
        return -1;
    record->rejected_reason = reasons.texts;
    return 0;
}

int analyse_zone(struct analysis *analysis,
                 const struct message_zone *zone,
                 struct message *counts,
                 struct error *err)
{
    struct memory *memory = analysis->memory;
    struct memory_mark mark = memory_mark(memory);
    double started_s = clock_wall_s();
    struct progress p = { .record = { .row = zone->row,
                                      .rank = analysis->rank,
                                      .n_retries = analysis->n_retries } };
    struct zone_record *record = &p.record;
    int status = -1;

    record->start_s = started_s - analysis->start_s;
    strncpy(record->snapshot,
            source_snapshot(analysis->source),
            sizeof record->snapshot - 1);
    growing_init(&p.rejected_id, analysis->binding->id_type, MEMORY_RECORD);
    growing_init(&p.rejected_reason, TYPE_TEXT, MEMORY_RECORD);
    selection_init(&p.selection, analysis->binding, memory);
    if (open_zone(analysis, &p, zone, err) < 0
        || fold_begin(&p.fold, analysis->statistics, memory, err) < 0
        || (!zone_is_empty(p.zone) && read_buildings(analysis, &p, err) < 0)
        || close_zone(analysis, &p, err) < 0)
        goto out;
    record->wall_s = clock_wall_s() - started_s;
    if (analysis->sink(analysis->sink_context, record, err) < 0)
        goto out;
    *counts = (struct message){ .kind = MESSAGE_ZONE,
                                .row = record->row,
                                .n_candidates = record->n_candidates,
                                .n_selected = record->n_selected,
                                .n_outside = record->n_outside,
                                .n_filtered = record->n_filtered,
                                .n_rejected = record->n_rejected,
                                .n_refined = record->n_refined };
    status = 0;
out:
    if (status < 0) {
        char id[80];
        (void)batch_advise(&analysis->batch, BATCH_SHARE, MOST_BATCH_BYTES, err);
        log_clean(id, sizeof id, zone->id, zone->n_id < 70 ? zone->n_id : 70);
        error_prefix(err, "zone %s", id);
    }
    if (p.zone)
        zone_close(p.zone);
    memory_rewind(memory, &mark);
    return status;
}
