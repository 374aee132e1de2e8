#include <stdio.h>
#include <string.h>

#include "rooftally/source/store.h"
#include "rooftally/source/synthetic.h"

#include "store_writer.h"

enum { N_ZONE_FIELDS = 2, N_FIELDS = 5 };

static const struct store_table_plan zone_plan = {
    .id_name = "zip",
    .id_type = TYPE_TEXT,
    .fields = { { "name", TYPE_TEXT }, { "state", TYPE_TEXT } },
    .n_fields = N_ZONE_FIELDS,
};

static const struct store_table_plan building_plan = {
    .id_name = "id",
    .id_type = TYPE_INTEGER,
    .fields = { { "height", TYPE_REAL },
                { "size", TYPE_REAL },
                { "year_built", TYPE_INTEGER },
                { "use", TYPE_TEXT },
                { "notes", TYPE_TEXT } },
    .n_fields = N_FIELDS,
};

static struct text text_of(const char *word)
{
    return (struct text){ word, (int64_t)strlen(word) };
}

static int add_zone(struct store_writer *writer,
                    const struct synthetic_zone *zone,
                    struct error *err)
{
    uint8_t valid[N_ZONE_FIELDS] = { 1, 1 };
    struct text texts[N_ZONE_FIELDS] = { text_of(zone->name), text_of(zone->code) };
    struct column columns[N_ZONE_FIELDS];
    for (int i = 0; i < N_ZONE_FIELDS; i++)
        columns[i] = (struct column){ .type = TYPE_TEXT,
                                      .valid = &valid[i],
                                      .texts = &texts[i] };
    return store_writer_zone(writer, text_of(zone->zip), zone->wkb, columns, 0, err);
}

static int add_building(struct store_writer *writer,
                        struct synthetic_building *building,
                        struct error *err)
{
    uint8_t valid[N_FIELDS + 1] = {
        building->has_height, building->has_size,    building->has_year,
        building->use.n > 0,  building->notes.n > 0, 1,
    };
    int64_t year = building->year_built;
    const struct column columns[N_FIELDS] = {
        { .type = TYPE_REAL, .valid = &valid[0], .reals = &building->height },
        { .type = TYPE_REAL, .valid = &valid[1], .reals = &building->size },
        { .type = TYPE_INTEGER, .valid = &valid[2], .integers = &year },
        { .type = TYPE_TEXT, .valid = &valid[3], .texts = &building->use },
        { .type = TYPE_TEXT, .valid = &valid[4], .texts = &building->notes },
    };
    const struct column id = { .type = TYPE_INTEGER,
                               .valid = &valid[5],
                               .integers = &building->id };
    struct text wkb = { (const char *)building->wkb, building->n_wkb };
    return store_writer_building(writer, &id, wkb, NULL, columns, 0, err);
}

/* The zones that a rank makes, or the buildings: those whose turn is in [first, end) of
 * all that there are. */
struct share {
    int64_t first, end;
    const struct store_options *options;
};

static struct share share_of(const struct store_options *options, int64_t n)
{
    int64_t rank = options->team ? options->team->rank : 0;
    int64_t size = options->team ? options->team->size : 1;
    return (struct share){ .first = n / size * rank + n % size * rank / size,
                           .end = n / size * (rank + 1) + n % size * (rank + 1) / size,
                           .options = options };
}

static int add_zones(struct store_writer *writer,
                     const struct synthetic_state *state,
                     const struct store_options *options,
                     struct memory *memory,
                     struct error *err)
{
    const struct share share = share_of(options, state->n_zones);
    int status = 0;
    for (int64_t row = share.first; row < share.end && status == 0; row++) {
        struct memory_mark mark = memory_mark(memory);
        struct synthetic_zone zone;
        status = synthetic_zone(&zone, state, row, memory, err);
        if (status == 0)
            status = add_zone(writer, &zone, err);
        if (status == 0)
            status = store_report(options, -1, err);
        memory_rewind(memory, &mark);
    }
    return status;
}

/* Buildings [first, end) of one zone, which are [.., ..) of the share. */
static int add_buildings_of(struct store_writer *writer,
                            const struct synthetic_zone *zone,
                            const struct share *share,
                            struct error *err)
{
    int64_t first = share->first - (zone->first_id - 1);
    int64_t end = share->end - (zone->first_id - 1), n = share->end - share->first;
    first = first > 0 ? first : 0;
    end = end < zone->n_buildings ? end : zone->n_buildings;
    for (int64_t i = first; i < end; i++) {
        struct synthetic_building building;
        synthetic_building(zone, i, &building);
        if (add_building(writer, &building, err))
            return -1;
        int64_t done = zone->first_id + i - share->first;
        if (done % 4096 == 0
            && store_report(share->options,
                            store_collected_share * (double)done / (double)n,
                            err))
            return -1;
    }
    return 0;
}

static int add_buildings(struct store_writer *writer,
                         const struct synthetic_state *state,
                         const struct store_options *options,
                         struct memory *memory,
                         struct error *err)
{
    const struct share share = share_of(options, state->n_buildings);
    int status = 0;
    for (int64_t row = 0; row < state->n_zones && status == 0; row++) {
        struct memory_mark mark = memory_mark(memory);
        struct synthetic_zone zone;
        if (state->first_id[row + 1] - 1 <= share.first
            || state->first_id[row] - 1 >= share.end)
            continue;
        status = synthetic_zone(&zone, state, row, memory, err);
        if (status == 0)
            status = add_buildings_of(writer, &zone, &share, err);
        memory_rewind(memory, &mark);
    }
    return status;
}

int store_generate(const struct synthetic_state *state,
                   const char *path,
                   const struct store_options *options,
                   struct store_counts *counts,
                   struct memory *memory,
                   struct error *err)
{
    struct memory_mark mark = memory_mark(memory);
    struct store_writer *writer = NULL;
    char origin[160];
    int status = -1;
    snprintf(origin,
             sizeof origin,
             "a synthetic state: %lld zones, %lld buildings, seed %llu",
             (long long)state->n_zones,
             (long long)state->n_buildings,
             (unsigned long long)state->seed);
    const struct store_plan plan = { .origin = origin,
                                     .srid = SYNTHETIC_SRID,
                                     .crs = "EPSG:4326",
                                     .n_buildings = (double)state->n_buildings,
                                     .zones = zone_plan,
                                     .buildings = building_plan };
    if (store_writer_open(&writer, path, &plan, options, memory, err))
        goto out;
    status = add_zones(writer, state, options, memory, err);
    status = store_writer_zones_end(writer, status, err);
    if (status)
        goto out;
    status = add_buildings(writer, state, options, memory, err);
    status = store_writer_commit(writer, status, counts, err);
out:
    store_writer_close(writer);
    memory_rewind(memory, &mark);
    return status;
}
