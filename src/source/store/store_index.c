#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_source.h"

static int64_t group_blocks(const struct store *store, int64_t group)
{
    int64_t left = store->n_blocks - group * STORE_GROUP_BLOCKS;
    return left < STORE_GROUP_BLOCKS ? left : STORE_GROUP_BLOCKS;
}

void store_forget_groups(struct store_source *source)
{
    for (int i = 0; i < STORE_KNOWN_GROUPS; i++)
        source->known[i].group = -1;
}

/* The boxes of the blocks of a group. */
static struct store_group *
load_boxes(struct store_source *source, int64_t group, struct error *err)
{
    const struct store *store = source->store;
    struct store_group *known = &source->known[group % STORE_KNOWN_GROUPS];
    int64_t first = group * STORE_GROUP_BLOCKS, n = group_blocks(store, group);
    if (known->group == group)
        return known;
    known->group = -1;
    source->n_read += 32 * n;
    if (store_read_boxes(store,
                         store->block_box_at,
                         first,
                         n,
                         source->scratch,
                         known->boxes,
                         err))
        return NULL;
    for (int64_t i = 0; i < n;
         i++) /* no block is without a row, no row without a box */
        if (!box_has_point(&known->boxes[i])) {
            store_damaged(err, "the box of block %lld", (long long)(first + i));
            return NULL;
        }
    known->group = group;
    known->complete = false;
    return known;
}

int store_load_groups(struct store_source *source, struct error *err)
{
    const struct store *store = source->store;
    store_forget_groups(source);
    source->n_groups = (store->n_blocks + STORE_GROUP_BLOCKS - 1) / STORE_GROUP_BLOCKS;
    source->groups = calloc((size_t)source->n_groups + 1, sizeof *source->groups);
    if (!source->groups)
        return error_set(err, ERROR_BUDGET, "no memory for the index of the store");
    for (int64_t group = 0; group < source->n_groups; group++) {
        struct box all = { INFINITY, INFINITY, -INFINITY, -INFINITY };
        const struct store_group *known = load_boxes(source, group, err);
        if (!known)
            return -1;
        for (int64_t i = 0; i < group_blocks(store, group); i++) {
            const struct box *box = &known->boxes[i];
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

/* Which blocks of a group the filter's bounds leave any row of. */
static int load_possible(struct store_source *source,
                         struct store_group *known,
                         int64_t first,
                         int64_t n,
                         struct error *err)
{
    const struct store *store = source->store;
    memset(known->possible, 1, sizeof known->possible);
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
                known->possible[b] = 0;
        }
    }
    return 0;
}

static const struct store_group *
load_group(struct store_source *source, int64_t group, struct error *err)
{
    const struct store *store = source->store;
    int64_t first = group * STORE_GROUP_BLOCKS, n = group_blocks(store, group);
    struct store_group *known = load_boxes(source, group, err);
    if (!known || known->complete)
        return known;
    if (store_fetch(source, store->faults_at + 8 * first, known->faults, 8 * n, err)
        || load_possible(source, known, first, n, err))
        return NULL;
    known->complete = true;
    return known;
}

/* What is to be done with a block of a group. A centroid may lie outside its
 * building's box, and a rule other than trust wants to see every building. */
static enum store_block classify(const struct store_source *source,
                                 const struct store_group *known,
                                 int64_t i,
                                 bool *covered)
{
    const struct box *box = &known->boxes[i];
    const struct job *job = source->job;
    if (!boxes_meet(&source->box, box))
        return BLOCK_LEAVE;
    *covered = box_holds(&source->box, box);
    bool by_box = job->predicate != PREDICATE_CENTROID && job->invalid == INVALID_TRUST
                  && known->faults[i] == 0;
    if (by_box && zone_excludes_box(source->zone, box))
        return BLOCK_LEAVE;
    if (!known->possible[i])
        return BLOCK_COUNT;
    if (by_box && zone_contains_box(source->zone, box)) {
        *covered = true;
        return BLOCK_INSIDE;
    }
    return BLOCK_READ;
}

static void start_run(const struct store_source *source,
                      const struct store_group *known,
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
    run->faulty = known->faults[source->block % STORE_GROUP_BLOCKS] > 0;
}

int store_next_run(struct store_source *source,
                   struct store_run *run,
                   struct error *err)
{
    const struct store *store = source->store;
    struct store_run found = { .n = 0 };
    const struct store_group *known = NULL;
    while (source->block < store->n_blocks) {
        int64_t group = source->block / STORE_GROUP_BLOCKS;
        if (found.n > 0 && known->group != group)
            break; /* runs end with their group */
        if (!boxes_meet(&source->box, &source->groups[group])) {
            source->block = (group + 1) * STORE_GROUP_BLOCKS;
            continue;
        }
        if (!known || known->group != group)
            known = load_group(source, group, err);
        if (!known)
            return -1;
        struct store_run next;
        bool covered = false;
        enum store_block kind =
            classify(source, known, source->block % STORE_GROUP_BLOCKS, &covered);
        if (kind == BLOCK_LEAVE) {
            source->block++;
            if (found.n > 0)
                break;
            continue;
        }
        start_run(source, known, kind, covered, &next);
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
        if (!boxes_meet(&source->groups[group], box))
            continue;
        const struct store_group *known = load_boxes(source, group, err);
        if (!known)
            return -1;
        for (int64_t i = 0; i < group_blocks(store, group); i++) {
            int64_t left = store->buildings.n
                           - (group * STORE_GROUP_BLOCKS + i) * store->block_rows;
            if (boxes_meet(&known->boxes[i], box))
                sum += (double)(left < store->block_rows ? left : store->block_rows)
                       * share(&known->boxes[i], box);
        }
    }
    *n = sum;
    return 0;
}
