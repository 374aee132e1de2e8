#include <string.h>

#include "rooftally/source/synthetic.h"

#include "synthetic_footprint.h"
#include "synthetic_place.h"
#include "synthetic_random.h"

static const struct use {
    double share; /* of all buildings; what is missing to 1 has none */
    const char *name;
    double least_m, most_m; /* length; the larger, the rarer */
} uses[] = {
    { .610, "residential", 10, 22 }, { .120, "garage", 6, 10 },
    { .090, "shed", 4, 8 },          { .060, "commercial", 15, 45 },
    { .045, "apartments", 18, 55 },  { .025, "industrial", 25, 60 },
    { .015, "warehouse", 30, 60 },   { .012, "farm", 12, 40 },
    { .010, "school", 30, 60 },      { .006, "church", 15, 40 },
    { .002, "hospital", 40, 60 },
};

static const struct text note_texts[] = {
#define NOTE(text)                                                                     \
    {                                                                                  \
        text, sizeof text - 1                                                          \
    }
    NOTE("survey 1998"),         NOTE("roof replaced"),
    NOTE("listed, façade only"), NOTE("O'Brien's annex"),
    NOTE("\"the mill\""),        NOTE("10% vacant; see file C:\\plans"),
    NOTE("demolition planned"),  NOTE("vérifié"),
#undef NOTE
};

enum { N_USES = sizeof uses / sizeof uses[0] };
enum { N_NOTES = sizeof note_texts / sizeof note_texts[0] };

static const struct use *pick_use(struct random_stream *random)
{
    double share = random_unit(random);
    for (int i = 0; i < N_USES; i++)
        if ((share -= uses[i].share) < 0)
            return &uses[i];
    return NULL;
}

/* 57 % to 10 m, evenly; the rest beyond with a long tail, to 210 m. With 7 % null, 40 %
 * of all are over 10. */
static double height_of(double u)
{
    double height = u < 0.57 ? 3 + 7 * (u / 0.57) : 0;
    if (u >= 0.57) {
        double v = (u - 0.57) / 0.43;
        height = 10.1 + 8 * v / (1.04 - v);
    }
    return (double)(int64_t)(10 * height) / 10;
}

static void make_fields(struct random_stream *random,
                        struct synthetic_building *building)
{
    building->has_height = random_unit(random) >= 0.07;
    building->height = height_of(random_unit(random));
    building->has_size = random_unit(random) >= 0.02;
    building->has_year = random_unit(random) >= 0.08;
    double age = random_unit(random);
    building->year_built = 2025 - (int32_t)(325 * age * age);
    bool has_notes = random_unit(random) < 0.08;
    int note = random_below(random, N_NOTES);
    building->notes = has_notes ? note_texts[note] : (struct text){ 0 };
}

void synthetic_building(const struct synthetic_zone *zone,
                        int64_t index,
                        struct synthetic_building *building)
{
    const struct synthetic_place *place = zone->place;
    struct random_stream random =
        random_open(zone->state->seed, RANDOM_BUILDING, zone->row, index);
    building->id = zone->first_id + index;
    building->straddles = random_unit(&random) < 0.02;
    make_fields(&random, building);

    const struct use *use = pick_use(&random);
    building->use = use ? (struct text){ use->name, (int64_t)strlen(use->name) }
                        : (struct text){ 0 };
    struct footprint footprint;
    const struct use *like = use ? use : &uses[0];
    footprint_make(&footprint, &random, like->least_m, like->most_m);
    building->size = footprint_area(&footprint);

    double at[2], turn = random_unit(&random);
    if (building->straddles)
        place_on_border(place, &random, &at[0], &at[1]);
    else
        place_inside(place,
                     &random,
                     footprint_radius(&footprint),
                     &at[0],
                     &at[1],
                     &turn);
    footprint_encode(&footprint, place, at, turn, building);
}
