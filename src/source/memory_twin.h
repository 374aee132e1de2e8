/* The state of a source in memory, and its stream of buildings. */
#ifndef ROOFTALLY_SOURCE_MEMORY_TWIN_H
#define ROOFTALLY_SOURCE_MEMORY_TWIN_H

#include "rooftally/source/memory.h"

#include "source_calls.h"

struct twin {
    struct source base;
    const struct job *job;
    const struct memory_tables *tables;
    const struct binding *binding;
    char *zone_id; /* of the zone last fetched, for faults */
    struct box boxes[COVER_MAX];
    int n_boxes;
    int64_t row; /* next building to look at; n_rows: no stream */
    int n_batches;
};

/* An empty box where there is no geometry, or none that can be read. */
enum ewkb_fault twin_read_row(const struct memory_row *row, struct ewkb *ewkb);
/* Whether the failure on purpose is due here; counts it down and sets err. */
bool twin_fault_due(struct twin *twin, bool in_stream, struct error *err);

int twin_buildings(struct source *source, const struct zone *open, struct error *err);
int twin_next(struct source *source, struct batch *batch, struct error *err);
void twin_cancel(struct source *source);

#endif
