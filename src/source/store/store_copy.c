#include <stdlib.h>
#include <string.h>

#include "rooftally/source/store.h"

#include "source_calls.h"
#include "store_source.h"
#include "store_stage.h"
#include "store_writer.h"

/* The columns that are wanted, in the words of the source that is read. */
static int bind_columns(struct staging *s,
                        const struct binding *wanted,
                        const char *source_filter,
                        struct error *err)
{
    const struct source_schema *schema = source_schema(s->source);
    struct binding *made = &s->buildings;
    *made = (struct binding){ .job = wanted->job,
                              .columns = &schema->buildings,
                              .id_type = schema->building_id_type };
    if (source_filter && !(made->source_filter = strdup(source_filter)))
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    for (int i = 0; i < wanted->n_slots; i++) {
        const struct slot *slot = &wanted->slots[i];
        if (slot->origin != SLOT_SOURCE)
            continue;
        const struct source_column *column =
            source_columns_find(&schema->buildings, slot->column);
        if (!column || !column->sql)
            return error_set(err, ERROR_INTERNAL, "no column for '%s'", slot->name);
        struct slot *to = &made->slots[made->n_slots++];
        *to = *slot;
        to->sql = strdup(column->sql);
        if (!to->sql)
            return error_set(err, ERROR_BUDGET, "no memory for the job");
    }
    return 0;
}

static int bind_copy(struct staging *s,
                     const struct job *job,
                     const struct binding *wanted,
                     const char *source_filter,
                     struct error *err)
{
    return staging_bind_zones(s, job, false, err)
                   || bind_columns(s, wanted, source_filter, err)
                   || staging_plan(&s->plan.buildings,
                                   &s->buildings,
                                   wanted->id,
                                   s->buildings.id_type,
                                   s->building_slots,
                                   err)
               ? -1
               : 0;
}

/* Whether a building's box can stand in for its shape where no border is near. */
static bool are_boxes_enough(const struct binding *wanted)
{
    const struct job *job = wanted->job;
    bool enough = job->predicate != PREDICATE_CENTROID && job->invalid == INVALID_TRUST;
    for (int i = 0; i < wanted->n_slots; i++)
        enough = enough && wanted->slots[i].origin != SLOT_MEASURE;
    return enough;
}

/* Every rank opens the copy; only then may a name of it go. Collective and agreed. */
static int open_copy(struct staging *s,
                     struct source **copy,
                     const struct binding *wanted,
                     struct error *err)
{
    char name[4096];
    struct source *made = NULL;
    store_writer_name(s->writer, name, sizeof name);
    const struct crs *crs = &source_schema(s->source)->crs;
    int status = store_source_open(&made, wanted->job, name, crs, err);
    if (status == 0)
        status = source_bind(made, wanted, err);
    if (status == 0) {
        memcpy(made->snapshot, s->source->snapshot, sizeof made->snapshot);
        ((struct store_source *)made)->leaves_shapes = s->leaves_shapes;
    }
    if (team_agree(s->team, status, err)) {
        source_close(made);
        return -1;
    }
    *copy = made;
    return 0;
}

int store_copy(struct source **copy,
               struct source *source,
               const struct job *job,
               const struct binding *wanted,
               const char *source_filter,
               const char *path,
               const struct store_options *options,
               struct memory *memory,
               struct error *err)
{
    struct staging s;
    struct store_counts counts;
    staging_init(&s, source, options, memory);
    s.leaves_shapes = are_boxes_enough(wanted);
    int status = bind_copy(&s, job, wanted, source_filter, err);
    status = staging_read(&s, status, path, err)
                     || store_writer_fill(s.writer, 0, &counts, err)
                     || open_copy(&s, copy, wanted, err)
                 ? -1
                 : 0;
    staging_release(&s);
    return status;
}

int store_copy_explain(struct source *source,
                       const struct job *job,
                       const struct binding *wanted,
                       const char *source_filter,
                       FILE *out,
                       int n_ranks,
                       int64_t *n_free,
                       struct memory *memory,
                       struct error *err)
{
    const struct store_options options = { 0 };
    struct staging s;
    staging_init(&s, source, &options, memory);
    const struct source_scans scans = { &s.zones, &s.buildings };
    int status = bind_copy(&s, job, wanted, source_filter, err);
    if (status == 0)
        status = source_explain(source, &scans, out, n_ranks, n_free, err);
    staging_release(&s);
    return status;
}
