#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/geometry/ewkb.h"

#include "zone_work.h"

static int reject(struct analysis *a,
                  struct zone_work *work,
                  int32_t row,
                  const char *reason,
                  struct error *err)
{
    struct text text = { reason, (int64_t)strlen(reason) };
    uint8_t valid = 1;
    struct column reasons = { .type = TYPE_TEXT, .valid = &valid, .texts = &text };
    int32_t first = 0;
    work->record.n_rejected++;
    if (growing_add(&work->rejected_id, &a->batch.id, &row, 1, a->memory, err) < 0)
        return -1;
    return growing_add(&work->rejected_reason, &reasons, &first, 1, a->memory, err);
}

void work_name_building(struct error *err, const struct batch *batch, int32_t row)
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
                     struct zone_work *work,
                     int32_t row,
                     const struct box *box,
                     const char *reason,
                     struct error *err)
{
    a->decisions[row] = DECISION_OUTSIDE;
    if (box && !zone_meets_box(work->zone, box))
        return 0;
    a->decisions[row] = DECISION_REJECTED;
    if (a->binding->job->invalid != INVALID_FAIL)
        return reject(a, work, row, reason, err);
    error_set(err,
              ERROR_DATA,
              "%s: [buildings] invalid = skip rejects it and goes on",
              reason);
    work_name_building(err, &a->batch, row);
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
refine(struct analysis *a, struct zone_work *work, int32_t row, struct error *err)
{
    struct text wkb = a->batch.geometry[row];
    const struct box *box = &a->batch.boxes[row];
    enum decision decision = DECISION_OUTSIDE;
    char reason[REASON_BYTES];
    struct error why;
    if (is_candidate(work->zone, box) && a->batch.faults[row] == EWKB_COLLECTED)
        decision = DECISION_REFINE;
    else if (is_candidate(work->zone, box))
        decision =
            zone_decide_outline(work->zone, box, (const uint8_t *)wkb.bytes, wkb.n);
    if (decision != DECISION_REFINE) {
        a->decisions[row] = (uint8_t)decision;
        work->record.n_decided++;
        return 0;
    }
    work->record.n_refined++;
    if (zone_refine(work->zone,
                    (const uint8_t *)wkb.bytes,
                    wkb.n,
                    &decision,
                    reason,
                    &why)
        < 0) {
        if (why.code == ERROR_DATA)
            return set_aside(a, work, row, box, why.text, err);
        *err = why;
        work_name_building(err, &a->batch, row);
        return -1;
    }
    a->decisions[row] = (uint8_t)decision;
    return decision == DECISION_REJECTED ? set_aside(a, work, row, box, reason, err)
                                         : 0;
}

/* A row that nobody can decide. */
static int
refuse(struct analysis *a, struct zone_work *work, int32_t row, struct error *err)
{
    struct batch *batch = &a->batch;
    struct box box;
    if (source_geometry(a->source, batch, &row, 1, err) < 0)
        return -1;
    struct text wkb = batch->geometry[row];
    bool is_known = ewkb_bounds((const uint8_t *)wkb.bytes, wkb.n, &box) == 0;
    const char *reason = ewkb_fault_text((enum ewkb_fault)batch->faults[row]);
    return set_aside(a, work, row, is_known ? &box : NULL, reason, err);
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

int work_decide(struct analysis *a, struct zone_work *work, struct error *err)
{
    struct batch *batch = &a->batch;
    int32_t n_open = 0;
    if (decide_boxes(a, work->zone, err) < 0)
        return -1;
    for (int32_t row = 0; row < batch->n_rows; row++) {
        bool collected = batch->faults[row] == EWKB_COLLECTED;
        if (batch->faults[row] != EWKB_FINE && !collected) {
            if (refuse(a, work, row, err) < 0)
                return -1;
        } else if (a->decisions[row] == DECISION_REFINE
                   || (collected && is_candidate(work->zone, &batch->boxes[row]))) {
            a->rows[n_open++] = row;
        }
    }
    work->record.n_decided += batch->n_rows - n_open;
    for (int32_t i = 0, n; i < n_open;) {
        n = source_geometry(a->source, batch, a->rows + i, n_open - i, err);
        if (n < 0)
            return -1;
        for (int32_t end = i + n; i < end; i++)
            if (refine(a, work, a->rows[i], err) < 0)
                return -1;
    }
    return 0;
}
