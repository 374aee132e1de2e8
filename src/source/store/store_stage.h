/* Copying the tables of a source into a store: what stage and fetch = scan share. */
#ifndef ROOFTALLY_SOURCE_STORE_STAGE_H
#define ROOFTALLY_SOURCE_STORE_STAGE_H

#include "rooftally/geometry/borders.h"
#include "rooftally/source/source.h"
#include "rooftally/source/store.h"

struct staging {
    struct source *source;
    const struct store_options *options;
    const struct team *team;
    struct memory *memory;
    struct memory_mark mark;
    struct store_plan plan;
    struct store_writer *writer;
    struct job zone_job; /* the zones' keys where buildings have theirs */
    struct binding zones, buildings;
    int zone_slots[STORE_MOST_FIELDS], building_slots[STORE_MOST_FIELDS];
    int64_t n_rows, n_no_geometry;
    /* for a copy: buildings far from all borders are copied without their shape, which no
     * question will need that their box does not answer */
    bool leaves_shapes;
    struct borders borders;
    uint8_t *pieces; /* [team->size * n_piece] what the ranks tell of their borders */
    int64_t n_piece;
    uint8_t *valid; /* of the first zones of this rank's range, for store_writer */
};

/* To be filled then: the bindings, the plan's tables, the slots of their fields. */
void staging_init(struct staging *staging,
                  struct source *source,
                  const struct store_options *options,
                  struct memory *memory);
void staging_release(struct staging *staging);

/* Plan a field for each slot that the source fills, or that is computed from these.
 * Columns come first: a field that is
 * computed under the name of a column is computed again from the store. */
int staging_plan(struct store_table_plan *plan,
                 const struct binding *binding,
                 const char *id_name,
                 enum value_type id_type,
                 int *slots,
                 struct error *err);

/* Bind zones as buildings are bound, by keys of the same meaning; their fields or none. */
int staging_bind_zones(struct staging *staging,
                       const struct job *job,
                       bool fields,
                       struct error *err);

/* store_borders.c: memory for the borders, before the writer takes what is left, if there is
 * plenty; local. */
void staging_take_borders(struct staging *staging);
/* Mark the borders of all zones of all ranks, once these have their zones; where one has no
 * memory for that, no shape is left. Collective and agreed. */
int staging_mark_borders(struct staging *staging, struct error *err);

/* Open the writer and read both tables. Collective and agreed; `status` is this rank's so
 * far. */
int staging_read(struct staging *staging,
                 int status,
                 const char *path,
                 struct error *err);

#endif
