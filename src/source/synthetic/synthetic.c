#include "rooftally/source/synthetic.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "synthetic_place.h"
#include "synthetic_random.h"
#include "synthetic_rings.h"

/* Massachusetts, and about as many zones as it has. More zones make it grow to the west
 * and south, until it is as large as the United States to the Mississippi and beyond. */
static const double EAST = -69.9, NORTH = 42.9, WIDTH = 3.6, HEIGHT = 1.7;
enum { STATE_ZONES = 640, MOST_GROWTH = 8, STATE_CELLS = 32 };

static void lay_lattice(struct synthetic_state *state)
{
    int64_t n = state->n_zones;
    int64_t columns = (int64_t)(sqrt(1.5 * (double)n) + 0.5);
    state->n_columns = columns < 1 ? 1 : columns > n ? n : columns;
    int64_t n_rows = (n + state->n_columns - 1) / state->n_columns;

    double growth = n <= STATE_ZONES ? 1 : sqrt((double)n / STATE_ZONES);
    if (growth > MOST_GROWTH)
        growth = MOST_GROWTH;
    state->west = (int32_t)((EAST - growth * WIDTH) * 1e7);
    state->south = (int32_t)((NORTH - growth * HEIGHT) * 1e7);
    double margins = 2 * RINGS_MARGIN;
    state->lon_scale = growth * WIDTH * 1e7 / ((double)state->n_columns + margins);
    state->lat_scale = growth * HEIGHT * 1e7 / ((double)n_rows + margins);
}

/* About e^x, and the same bits everywhere: (1 + x / 1024)^1024. */
static double exponential(double x)
{
    double y = 1 + x / 1024;
    for (int i = 0; i < 10; i++)
        y *= y;
    return y;
}

/* The share of a zone: log-normal with a sigma of 0.95. The sum of twelve uniform
 * numbers, less six, is close to normal. */
static double weight_of(const struct synthetic_state *state, int64_t row)
{
    struct random_stream random = random_open(state->seed, RANDOM_WEIGHT, row, 0);
    double normal = -6;
    for (int i = 0; i < 12; i++)
        normal += random_unit(&random);
    return exponential(0.95 * normal);
}

/* The share up to zone i, times n, never falls with i, rounded or not, and ends at n. */
static void share_buildings(struct synthetic_state *state)
{
    double total = 0, sum = 0;
    for (int64_t row = 0; row < state->n_zones; row++)
        total += weight_of(state, row);
    state->first_id[0] = 1;
    for (int64_t row = 0; row < state->n_zones; row++) {
        sum += weight_of(state, row);
        state->first_id[row + 1] =
            1 + (int64_t)((double)state->n_buildings * (sum / total));
    }
}

int synthetic_init(struct synthetic_state *state,
                   int64_t n_zones,
                   int64_t n_buildings,
                   uint64_t seed,
                   struct memory *memory,
                   struct error *err)
{
    if (n_zones < 1 || n_zones > SYNTHETIC_MOST_ZONES)
        return error_set(err,
                         ERROR_USAGE,
                         "%" PRId64 " zones: 1 to %d are possible",
                         n_zones,
                         SYNTHETIC_MOST_ZONES);
    if (n_buildings < 0 || n_buildings > SYNTHETIC_MOST_BUILDINGS)
        return error_set(err,
                         ERROR_USAGE,
                         "%" PRId64 " buildings: 0 to %" PRId64 " are possible",
                         n_buildings,
                         SYNTHETIC_MOST_BUILDINGS);
    int64_t n_bytes = (n_zones + 1) * (int64_t)sizeof(int64_t);
    int64_t *first_id = memory_take(memory, MEMORY_ZONES, n_bytes, err);
    if (!first_id)
        return -1;
    *state = (struct synthetic_state){
        .seed = seed,
        .n_zones = n_zones,
        .n_buildings = n_buildings,
        .first_id = first_id,
    };
    lay_lattice(state);
    share_buildings(state);
    return 0;
}

int64_t synthetic_n_buildings(const struct synthetic_state *state, int64_t row)
{
    return state->first_id[row + 1] - state->first_id[row];
}

/* Zip codes as they are in Massachusetts, from 01001; the state of the first block of
 * cells is Massachusetts, of the others some other. */
static void name_zone(struct synthetic_zone *zone)
{
    static const char codes[][3] = {
        "MA", "CT", "RI", "NH", "VT", "NY", "NJ", "PA", "DE", "MD", "VA", "WV",
        "OH", "KY", "TN", "NC", "SC", "GA", "AL", "MS", "IN", "IL", "MO", "AR",
    };
    static const char *const before[] = { "",      "North ", "South ",
                                          "East ", "West ",  "New " };
    static const char *const first[] = { "Ash",  "Brook", "Clear", "Deer",
                                         "Elm",  "Fair",  "Glen",  "Hart",
                                         "Lake", "Mill",  "Oak",   "Stone" };
    static const char *const last[] = { "field", "ton", "bury", "ford", "ham", "wood" };
    const struct synthetic_state *state = zone->state;

    snprintf(zone->zip, sizeof zone->zip, "%05" PRId64, 1001 + zone->row);
    struct random_stream random = random_open(state->seed, RANDOM_NAME, zone->row, 0);
    int a = random_below(&random, 6), b = random_below(&random, 12);
    int c = random_below(&random, 6);
    snprintf(zone->name, sizeof zone->name, "%s%s%s", before[a], first[b], last[c]);
    int64_t n_blocks = (state->n_columns + STATE_CELLS - 1) / STATE_CELLS;
    int64_t column = zone->row % state->n_columns, line = zone->row / state->n_columns;
    int64_t block = line / STATE_CELLS * n_blocks + column / STATE_CELLS;
    int64_t n_codes = sizeof codes / sizeof codes[0];
    memcpy(zone->code, codes[block % n_codes], sizeof zone->code);
}

static uint8_t *put_head(uint8_t *at, uint32_t type)
{
    *at++ = 1; /* little-endian */
    memcpy(at, &type, 4);
    return at + 4;
}

static uint8_t *put_count(uint8_t *at, int n)
{
    uint32_t count = (uint32_t)n;
    memcpy(at, &count, 4);
    return at + 4;
}

static uint8_t *put_ring(uint8_t *at, const struct rings *rings, int ring)
{
    int first = rings->first[ring], n = rings->first[ring + 1] - first;
    at = put_count(at, n + 1);
    for (int i = 0; i <= n; i++) {
        struct place_point p = rings->points[first + i % n];
        double xy[2] = { (double)p.lon / 1e7, (double)p.lat / 1e7 };
        memcpy(at, xy, sizeof xy);
        at += sizeof xy;
    }
    return at;
}

/* MultiPolygon with SRID; the polygons in it have none. */
static int64_t encode_zone(const struct rings *rings, uint8_t *wkb)
{
    uint8_t *at = put_head(wkb, UINT32_C(0x20000006));
    at = put_count(at, SYNTHETIC_SRID);
    at = put_count(at, rings->n_parts);
    for (int ring = 0; ring < rings->n_rings;) {
        int part = rings->part[ring], end = ring;
        while (end < rings->n_rings && rings->part[end] == part)
            end++;
        at = put_head(at, 3);
        at = put_count(at, end - ring);
        for (; ring < end; ring++)
            at = put_ring(at, rings, ring);
    }
    return at - wkb;
}

int synthetic_zone(struct synthetic_zone *zone,
                   const struct synthetic_state *state,
                   int64_t row,
                   struct memory *memory,
                   struct error *err)
{
    struct synthetic_zone made = { .state = state, .row = row };
    struct rings *rings = memory_take(memory, MEMORY_GEOMETRY, sizeof *rings, err);
    uint8_t *wkb =
        memory_take(memory, MEMORY_GEOMETRY, 64 + 16 * (MOST_POINTS + MOST_RINGS), err);
    made.place = memory_take(memory, MEMORY_GRID, sizeof *made.place, err);
    if (!rings || !wkb || !made.place)
        return -1;
    rings_make(state, row, rings);
    made.wkb = (struct text){ (const char *)wkb, encode_zone(rings, wkb) };
    made.n_vertices = rings->first[rings->n_rings] + rings->n_rings;
    if (place_init(made.place, state, row, rings, memory, err))
        return -1;
    made.first_id = state->first_id[row];
    made.n_buildings = synthetic_n_buildings(state, row);
    name_zone(&made);
    *zone = made;
    return 0;
}
