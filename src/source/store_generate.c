#include <stdio.h>
#include <string.h>

#include "rooftally/source/store.h"
#include "rooftally/source/synthetic.h"

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
    return store_writer_building(writer, &id, wkb, columns, 0, err);
}

/* What a zone is for: itself, or its buildings. */
static int add_all(struct store_writer *writer,
                   const struct synthetic_state *state,
                   bool buildings,
                   const struct store_options *options,
                   struct memory *memory,
                   struct error *err)
{
    int64_t n = 0;
    for (int64_t row = 0; row < state->n_zones; row++) {
        struct memory_mark mark = memory_mark(memory);
        struct synthetic_zone zone;
        struct synthetic_building building;
        int status = synthetic_zone(&zone, state, row, memory, err);
        if (status == 0 && !buildings)
            status = add_zone(writer, &zone, err);
        for (int64_t i = 0; i < zone.n_buildings && buildings && status == 0; i++) {
            synthetic_building(&zone, i, &building);
            status = add_building(writer, &building, err);
            if (status == 0 && n++ % 4096 == 0 && options->progress
                && options->progress(options->context,
                                     0.6 * (double)n / (double)state->n_buildings))
                status = error_set(err, ERROR_STOPPED, "stopped on request");
        }
        memory_rewind(memory, &mark);
        if (status)
            return -1;
    }
    return 0;
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
                                     .zones = zone_plan,
                                     .buildings = building_plan };
    if (store_writer_open(&writer, path, &plan, options, memory, err)
        || add_all(writer, state, false, options, memory, err)
        || add_all(writer, state, true, options, memory, err)
        || store_writer_commit(writer, counts, err))
        goto out;
    status = 0;
out:
    store_writer_close(writer);
    memory_rewind(memory, &mark);
    return status;
}
