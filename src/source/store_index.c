#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_source.h"

static bool holds(const struct box *outer, const struct box *inner)
{
    return outer->xmin <= inner->xmin && inner->xmax <= outer->xmax
           && outer->ymin <= inner->ymin && inner->ymax <= outer->ymax;
}

static int64_t group_blocks(const struct store *store, int64_t group)
{
    int64_t left = store->n_blocks - group * STORE_GROUP_BLOCKS;
    return left < STORE_GROUP_BLOCKS ? left : STORE_GROUP_BLOCKS;
}

static int load_boxes(struct store_source *source, int64_t group, struct error *err)
{
    const struct store *store = source->store;
    int64_t first = group * STORE_GROUP_BLOCKS, n = group_blocks(store, group);
    source->n_read += 32 * n;
    return store_read_boxes(store,
                            store->block_box_at,
                            first,
                            n,
                            source->scratch,
                            source->boxes,
                            err);
}

int store_load_groups(struct store_source *source, struct error *err)
{
    const struct store *store = source->store;
    source->n_groups = (store->n_blocks + STORE_GROUP_BLOCKS - 1) / STORE_GROUP_BLOCKS;
    source->groups = calloc((size_t)source->n_groups + 1, sizeof *source->groups);
    if (!source->groups)
        return error_set(err, ERROR_BUDGET, "no memory for the index of the store");
    for (int64_t group = 0; group < source->n_groups; group++) {
        struct box all = { INFINITY, INFINITY, -INFINITY, -INFINITY };
        if (load_boxes(source, group, err))
            return -1;
        for (int64_t i = 0; i < group_blocks(store, group); i++) {
            const struct box *box = &source->boxes[i];
            all.xmin = fmin(all.xmin, box->xmin);
            all.ymin = fmin(all.ymin, box->ymin);
            all.xmax = fmax(all.xmax, box->xmax);
            all.ymax = fmax(all.ymax, box->ymax);
        }
        source->groups[group] = all;
    }
    source->n_read = 0;
    return 0;
}

/* Which blocks of the loaded group the filter's bounds leave any row of. */
static int
load_possible(struct store_source *source, int64_t first, int64_t n, struct error *err)
{
    const struct store *store = source->store;
    memset(source->possible, 1, sizeof source->possible);
    for (int i = 0; i < source->n_bounds; i++) {
        const struct expression_bound *bound = &source->bounds[i];
        int c = source->columns[bound->slot];
        if (c < 0)
            continue; /* the id has no ranges */
        const struct store_column *column = &store->buildings.columns[c];
        double *least = source->scratch, *greatest = source->scratch + n;
        if (store_fetch(source, column->min_at + 8 * first, least, 8 * n, err)
            || store_fetch(source, column->max_at + 8 * first, greatest, 8 * n, err))
            return -1;
        for (int64_t b = 0; b < n; b++) {
            double low = least[b], high = greatest[b];
            if (column->type != TYPE_REAL) {
                int64_t word;
                memcpy(&word, &least[b], sizeof word);
                low = (double)word;
                memcpy(&word, &greatest[b], sizeof word);
                high = (double)word;
            }
            /* written so that a NaN leaves the block possible */
            if (low > high || high < bound->least || low > bound->greatest)
                source->possible[b] = 0;
        }
    }
    return 0;
}

static int load_group(struct store_source *source, int64_t group, struct error *err)
{
    const struct store *store = source->store;
    int64_t first = group * STORE_GROUP_BLOCKS, n = group_blocks(store, group);
    source->loaded = -1;
    if (load_boxes(source, group, err)
        || store_fetch(source, store->faults_at + 8 * first, source->faults, 8 * n, err)
        || load_possible(source, first, n, err))
        return -1;
    source->loaded = group;
    return 0;
}

/* What is to be done with a block of the loaded group. A centroid may lie outside its
 * building's box, and a rule other than trust wants to see every building. */
static enum store_block
classify(const struct store_source *source, int64_t i, bool *covered)
{
    const struct box *box = &source->boxes[i];
    const struct job *job = source->job;
    if (!store_boxes_meet(&source->box, box))
        return BLOCK_LEAVE;
    *covered = holds(&source->box, box);
    bool by_box = job->predicate != PREDICATE_CENTROID && job->invalid == INVALID_TRUST
                  && source->faults[i] == 0;
    if (by_box && zone_excludes_box(source->zone, box))
        return BLOCK_LEAVE;
    if (!source->possible[i])
        return BLOCK_COUNT;
    if (by_box && zone_contains_box(source->zone, box)) {
        *covered = true;
        return BLOCK_INSIDE;
    }
    return BLOCK_READ;
}

static void start_run(const struct store_source *source,
                      enum store_block kind,
                      bool covered,
                      struct store_run *run)
{
    const struct store *store = source->store;
    int64_t first = source->block * store->block_rows;
    int64_t left = store->buildings.n - first;
    *run = (struct store_run){ .kind = kind,
                               .first = first,
                               .n = left < store->block_rows ? left : store->block_rows,
                               .covered = covered };
    run->faulty = source->faults[source->block % STORE_GROUP_BLOCKS] > 0;
}

int store_next_run(struct store_source *source,
                   struct store_run *run,
                   struct error *err)
{
    const struct store *store = source->store;
    struct store_run found = { .n = 0 };
    while (source->block < store->n_blocks) {
        int64_t group = source->block / STORE_GROUP_BLOCKS;
        if (found.n > 0 && group != source->loaded)
            break; /* runs end with their group */
        if (!store_boxes_meet(&source->box, &source->groups[group])) {
            source->block = (group + 1) * STORE_GROUP_BLOCKS;
            continue;
        }
        if (group != source->loaded && load_group(source, group, err))
            return -1;
        struct store_run next;
        bool covered = false;
        enum store_block kind =
            classify(source, source->block % STORE_GROUP_BLOCKS, &covered);
        if (kind == BLOCK_LEAVE) {
            source->block++;
            if (found.n > 0)
                break;
            continue;
        }
        start_run(source, kind, covered, &next);
        if (found.n > 0
            && (next.kind != found.kind || next.covered != found.covered
                || next.faulty != found.faulty || found.n + next.n > STORE_READ_ROWS))
            break;
        if (found.n == 0)
            found = next;
        else
            found.n += next.n;
        source->block++;
    }
    *run = found;
    return found.n > 0;
}

/* The share of a block's area that a box covers; of a block without area, all. */
static double share(const struct box *block, const struct box *box)
{
    double width = block->xmax - block->xmin, height = block->ymax - block->ymin;
    double w = fmin(block->xmax, box->xmax) - fmax(block->xmin, box->xmin);
    double h = fmin(block->ymax, box->ymax) - fmax(block->ymin, box->ymin);
    double of_width = width > 0 ? w / width : 1,
           of_height = height > 0 ? h / height : 1;
    return of_width * of_height;
}

int store_estimate(struct store_source *source,
                   const struct box *box,
                   double *n,
                   struct error *err)
{
    const struct store *store = source->store;
    double sum = 0;
    for (int64_t group = 0; group < source->n_groups; group++) {
        if (!store_boxes_meet(&source->groups[group], box))
            continue;
        if (group != source->loaded) {
            source->loaded = -1;
            if (load_boxes(source, group, err))
                return -1;
        }
        for (int64_t i = 0; i < group_blocks(store, group); i++) {
            int64_t left = store->buildings.n
                           - (group * STORE_GROUP_BLOCKS + i) * store->block_rows;
            if (store_boxes_meet(&source->boxes[i], box))
                sum += (double)(left < store->block_rows ? left : store->block_rows)
                       * share(&source->boxes[i], box);
        }
    }
    *n = sum;
    return 0;
}
