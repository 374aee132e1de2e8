#include <string.h>

#include "gather.h"

void reader_init(struct reader *reader, struct gather *gather)
{
    *reader = (struct reader){ .gather = gather,
                               .mark = memory_mark(gather->memory),
                               .index = -1 };
}

int reader_get(struct reader *reader, int64_t index, struct error *err)
{
    struct gather *g = reader->gather;
    if (index == reader->index)
        return 0;
    reader->index = -1;
    memory_rewind(g->memory, &reader->mark);
    const struct spool_entry *entry = spool_entry(g->spool, index);
    struct zone_record *record = &reader->record;
    if (spool_read(g->spool, index, g->input->statistics, record, g->memory, err) < 0)
        return error_prefix(err, "zone in row %lld", (long long)entry->row);
    if (record->row != entry->row || record->n_selected != entry->n_selected
        || record->n_rejected != entry->n_rejected || record->wkb.n != entry->n_wkb
        || record->n_outputs != statistics_n_outputs(g->input->statistics)
        || (record->n_keep != g->input->binding->n_keep && record->n_selected > 0))
        return error_set(err,
                         ERROR_INTERNAL,
                         "the record of the zone in row %lld is not of this job",
                         (long long)entry->row);
    record->attempt = entry->attempt;
    reader->index = index;
    return 0;
}

int64_t gather_first(const struct gather *gather, enum family family, int64_t zone)
{
    return gather->first[family] ? gather->first[family][zone] : zone;
}

/* Each rank with records of a row says so, the highest keeps it: a zone that an earlier
 * attempt and a later one finished, or two of them, counts once. */
static int check_zones(struct gather *g, struct error *err)
{
    int64_t n = g->input->n_zones, *owners = g->first[FAMILY_BUILDING];
    int64_t own = comm_rank(g->comm) + 1;
    int status = 0;
    memset(owners, 0, (size_t)(n + 1) * sizeof *owners);
    for (int64_t i = 0; i < spool_n_records(g->spool); i++) {
        int64_t row = spool_entry(g->spool, i)->row;
        if (row >= 0 && row < n)
            owners[row] = own;
        else
            status = error_set(err,
                               ERROR_INTERNAL,
                               "a record of row %lld, there are %lld zones",
                               (long long)row,
                               (long long)n);
    }
    if (comm_agree(g->comm, status, err) < 0 || comm_max(g->comm, owners, n, err) < 0)
        return -1;
    for (int64_t row = 0; row < n && status == 0; row++)
        if (owners[row] == 0)
            status = error_set(err,
                               ERROR_INTERNAL,
                               "the zone in row %lld has no record",
                               (long long)row);
    if (status == 0)
        spool_keep(g->spool, owners, own);
    return comm_agree(g->comm, status, err);
}

/* Whether all zones show the source as it was at one time. */
static int find_attempts(struct gather *g, struct error *err)
{
    int64_t bounds[2] = { INT64_MIN, INT64_MIN }; /* last, minus first */
    for (int64_t i = 0; i < spool_n_records(g->spool); i++) {
        int64_t attempt = spool_entry(g->spool, i)->attempt;
        bounds[0] = attempt > bounds[0] ? attempt : bounds[0];
        bounds[1] = -attempt > bounds[1] ? -attempt : bounds[1];
    }
    if (comm_max(g->comm, bounds, 2, err) < 0)
        return -1;
    enum result_reading reading = g->input->reading;
    g->is_consistent = g->input->n_zones == 0 || reading == RESULT_FIXED
                       || (reading == RESULT_SNAPSHOT && bounds[0] == -bounds[1]);
    return 0;
}

/* Where the rows of each zone begin: all counts, summed up along the zones. */
static int sum_rows(struct gather *g, struct error *err)
{
    int64_t n = g->input->n_zones;
    int64_t **first = g->first;
    for (int family = FAMILY_BUILDING; family < N_FAMILIES; family++)
        memset(first[family], 0, (size_t)(n + 1) * sizeof *first[family]);
    for (int64_t i = 0; i < spool_n_records(g->spool); i++) {
        const struct spool_entry *entry = spool_entry(g->spool, i);
        first[FAMILY_BUILDING][entry->row + 1] = entry->n_selected;
        first[FAMILY_REJECTED][entry->row + 1] = entry->n_rejected;
        first[FAMILY_BYTE][entry->row + 1] = entry->n_wkb;
    }
    for (int family = FAMILY_BUILDING; family < N_FAMILIES; family++) {
        if (comm_sum(g->comm, first[family], n + 1, err) < 0)
            return -1;
        for (int64_t row = 0; row < n; row++)
            first[family][row + 1] += first[family][row];
        g->n_rows[family] = first[family][n];
    }
    g->n_rows[FAMILY_ZONE] = n;
    return 0;
}

/* Longest text of every field, and the categories, of this rank's records. */
static int look_through(struct gather *g, int64_t *longest, struct error *err)
{
    struct reader reader;
    int status = 0;
    reader_init(&reader, g);
    memset(longest, 0, (size_t)g->table.n * sizeof *longest);
    for (int64_t i = 0; status == 0 && i < spool_n_records(g->spool); i++) {
        status = reader_get(&reader, i, err);
        for (int k = 0; status == 0 && k < g->table.n; k++) {
            const struct field *field = &g->table.fields[k];
            int64_t n = field_longest(field, &reader.record);
            longest[k] = n > longest[k] ? n : longest[k];
            if (field->origin == FROM_CATEGORY)
                status = categories_add(field->categories,
                                        &reader.record.outputs[field->index],
                                        err);
        }
    }
    memory_rewind(g->memory, &reader.mark);
    return status;
}

static int measure(struct gather *g, struct error *err)
{
    struct field_table *table = &g->table;
    struct memory_mark mark = memory_mark(g->memory);
    int64_t *longest =
        memory_take(g->memory, MEMORY_GATHER, table->n * (int64_t)sizeof *longest, err);
    int status = longest ? look_through(g, longest, err) : -1;
    if (comm_agree(g->comm, status, err) < 0
        || comm_max(g->comm, longest, table->n, err) < 0) {
        memory_rewind(g->memory, &mark);
        return -1;
    }
    for (int k = 0; k < table->n; k++) /* two bytes at least, see h5_text_type */
        table->fields[k].text_bytes = longest[k] < 2 ? 2 : longest[k];
    memory_rewind(g->memory, &mark);
    for (int k = 0; k < table->n; k++) {
        struct field *field = &table->fields[k];
        if (field->origin != FROM_CATEGORY)
            continue;
        if (categories_merge(field->categories, g->comm, g->memory, err) < 0)
            return -1;
        field->width = field->categories->n;
    }
    return 0;
}

static int make_room(struct gather *g, struct error *err)
{
    int64_t n_bytes = (g->input->n_zones + 1) * (int64_t)sizeof(int64_t);
    if (field_table_init(&g->table, g->input, g->memory, err) < 0
        || spool_scan(g->spool, g->memory, err) < 0)
        return -1;
    for (int family = FAMILY_BUILDING; family < N_FAMILIES; family++) {
        g->first[family] = memory_take(g->memory, MEMORY_GATHER, n_bytes, err);
        if (!g->first[family])
            return -1;
    }
    /* an eighth of what is left, for all categories */
    int64_t n_share = memory_free_bytes(g->memory) / 8;
    for (int k = 0; k < g->table.n; k++) {
        struct field *field = &g->table.fields[k];
        if (field->origin == FROM_CATEGORY
            && categories_init(field->categories,
                               field->categories->output,
                               n_share / g->table.n_categories,
                               g->memory,
                               err)
                   < 0)
            return -1;
    }
    return 0;
}

int gather_survey(struct gather *gather, struct error *err)
{
    if (comm_agree(gather->comm, make_room(gather, err), err) < 0
        || check_zones(gather, err) < 0 || find_attempts(gather, err) < 0)
        return -1;
    if (comm_agree(gather->comm, sum_rows(gather, err), err) < 0)
        return -1;
    return measure(gather, err);
}
