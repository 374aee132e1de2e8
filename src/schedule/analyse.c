#include "rooftally/schedule/analyse.h"

#include <math.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"
#include "rooftally/geometry/ewkb.h"
#include "rooftally/geometry/measure.h"

#include "zone_work.h"

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

static int take_batch(struct analysis *a, struct zone_work *work, struct error *err)
{
    struct zone_record *record = &work->record;
    const struct batch *batch = &a->batch;
    if (work_decide(a, work, err) < 0)
        return -1;
    int32_t n_inside = 0, n_outside = 0;
    for (int32_t row = 0; row < batch->n_rows; row++) {
        a->rows[n_inside] = row;
        n_inside += a->decisions[row] == DECISION_INSIDE;
        n_outside += a->decisions[row] == DECISION_OUTSIDE;
    }
    int32_t n = n_inside;
    if (work_filter(a, &n, err) < 0)
        return -1;
    record->n_candidates += batch->n_rows + batch->n_filtered;
    record->n_filtered += batch->n_filtered + (n_inside - n);
    record->n_outside += n_outside;
    record->n_selected += n;
    record->n_bytes += batch->n_read;
    if (fold_add(work->fold, batch->columns, &batch->id, a->rows, n, err) < 0)
        return -1;
    return selection_add(&work->selection, batch, a->rows, n, err);
}

/* Open the zone: geometry, area, grid. */
static int open_zone(struct analysis *a,
                     struct zone_work *work,
                     const struct message_zone *zone,
                     struct error *err)
{
    struct zone_record *record = &work->record;
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
    return zone_open(&work->zone,
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

static int read_buildings(struct analysis *a, struct zone_work *work, struct error *err)
{
    if (source_buildings(a->source, work->zone, err) < 0)
        return -1;
    for (;;) {
        int more = source_next(a->source, &a->batch, err);
        if (more == 0)
            return 0;
        if (more < 0)
            return -1; /* the source has ended the stream itself */
        int status = take_batch(a, work, err);
        if (status == 0 && a->stop && a->stop(a->stop_context))
            status = error_set(err, ERROR_STOPPED, "stopped on request");
        if (status < 0) {
            source_cancel(a->source);
            return -1;
        }
    }
}

/* Results of the statistics, the selection in its order, rejected ones in theirs. */
static int close_zone(struct analysis *a, struct zone_work *work, struct error *err)
{
    struct zone_record *record = &work->record;
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
    if (fold_end(work->fold, &facts, record->outputs, err) < 0
        || selection_end(&work->selection, record->keep, err) < 0)
        return -1;
    int32_t *order;
    bool ties;
    struct column reasons;
    if (growing_order(&work->rejected_id, &order, &ties, memory, err) < 0
        || growing_end(&work->rejected_id, order, &record->rejected_id, memory, err) < 0
        || growing_end(&work->rejected_reason, order, &reasons, memory, err) < 0
        || (ties
            && selection_settle(&record->rejected_id,
                                work->rejected_id.valid.n,
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
    struct zone_work work = { .record = { .row = zone->row,
                                          .rank = analysis->rank,
                                          .n_retries = analysis->n_retries } };
    struct zone_record *record = &work.record;
    int status = -1;

    record->start_s = started_s - analysis->start_s;
    strncpy(record->snapshot,
            source_snapshot(analysis->source),
            sizeof record->snapshot - 1);
    growing_init(&work.rejected_id, analysis->binding->id_type, MEMORY_RECORD);
    growing_init(&work.rejected_reason, TYPE_TEXT, MEMORY_RECORD);
    selection_init(&work.selection, analysis->binding, memory);
    if (open_zone(analysis, &work, zone, err) < 0
        || fold_begin(&work.fold, analysis->statistics, memory, err) < 0
        || (!zone_is_empty(work.zone) && read_buildings(analysis, &work, err) < 0)
        || close_zone(analysis, &work, err) < 0)
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
    if (work.zone)
        zone_close(work.zone);
    memory_rewind(memory, &mark);
    return status;
}
