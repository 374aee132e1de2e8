#include "synthetic_place.h"

enum { MOST_BANDS = 256, MOST_TRIES = 200 };

/* cos, to 2e-8 for the latitudes at hand, from + - * alone. */
static double cosine_of_degrees(double degrees)
{
    double x = degrees * (3.14159265358979323846 / 180), s = x * x;
    return 1 - s / 2 * (1 - s / 12 * (1 - s / 30 * (1 - s / 56)));
}

static void measure(struct synthetic_place *place, const struct rings *rings)
{
    const struct place_point *points = rings->points;
    struct place_point least = points[0], most = points[0];
    for (int i = 1; i < rings->first[rings->n_rings]; i++) {
        least.lon = points[i].lon < least.lon ? points[i].lon : least.lon;
        least.lat = points[i].lat < least.lat ? points[i].lat : least.lat;
        most.lon = points[i].lon > most.lon ? points[i].lon : most.lon;
        most.lat = points[i].lat > most.lat ? points[i].lat : most.lat;
    }
    double middle = 0.5e-7 * ((double)least.lat + (double)most.lat);
    place->origin = least;
    place->m_per_lat = 111195e-7; /* a sphere of 6371 km */
    place->m_per_lon = place->m_per_lat * cosine_of_degrees(middle);
    place->width_m = place->m_per_lon * (double)(most.lon - least.lon);
    place->height_m = place->m_per_lat * (double)(most.lat - least.lat);
}

static void to_metres(const struct synthetic_place *place,
                      struct place_point p,
                      double *x,
                      double *y)
{
    *x = place->m_per_lon * (double)(p.lon - place->origin.lon);
    *y = place->m_per_lat * (double)(p.lat - place->origin.lat);
}

static void make_edges(struct synthetic_place *place, const struct rings *rings)
{
    int n = 0;
    for (int ring = 0; ring < rings->n_rings; ring++) {
        int first = rings->first[ring], end = rings->first[ring + 1];
        for (int i = first; i < end; i++, n++) {
            struct place_edge *edge = &place->edges[n];
            to_metres(place, rings->points[i], &edge->x0, &edge->y0);
            struct place_point next = rings->points[i + 1 < end ? i + 1 : first];
            to_metres(place, next, &edge->x1, &edge->y1);
        }
    }
    place->n_edges = n;
}

static int band_of(const struct synthetic_place *place, double y)
{
    double band = y / place->band_m;
    return band < 0 ? 0 : band >= place->n_bands ? place->n_bands - 1 : (int)band;
}

static void
bands_of(const struct synthetic_place *place, int edge_index, int *first, int *last)
{
    const struct place_edge *edge = &place->edges[edge_index];
    double low = edge->y0 < edge->y1 ? edge->y0 : edge->y1;
    double high = edge->y0 < edge->y1 ? edge->y1 : edge->y0;
    *first = band_of(place, low - PLACE_MOST_RADIUS_M);
    *last = band_of(place, high + PLACE_MOST_RADIUS_M);
}

/* Counting sort of the edges into their bands. */
static int
make_bands(struct synthetic_place *place, struct memory *memory, struct error *err)
{
    double bands = place->height_m / PLACE_MOST_RADIUS_M;
    place->n_bands = bands < 1 ? 1 : bands > MOST_BANDS ? MOST_BANDS : (int)bands;
    place->band_m = place->height_m / place->n_bands;
    int64_t n_bytes = (place->n_bands + 1) * (int64_t)sizeof *place->band_first;
    place->band_first = memory_take(memory, MEMORY_GRID, n_bytes, err);
    if (!place->band_first)
        return -1;
    int32_t *at = place->band_first;
    for (int band = 0; band <= place->n_bands; band++)
        at[band] = 0;
    int first, last;
    for (int i = 0; i < place->n_edges; i++) {
        bands_of(place, i, &first, &last);
        for (int band = first; band <= last; band++)
            at[band]++;
    }
    int32_t n = 0;
    for (int band = 0; band <= place->n_bands; band++)
        at[band] = n += at[band];
    n_bytes = n * (int64_t)sizeof *place->band_edges;
    place->band_edges = memory_take(memory, MEMORY_GRID, n_bytes, err);
    if (!place->band_edges)
        return -1;
    for (int i = place->n_edges - 1; i >= 0;
         i--) { /* each start moves down to its place */
        bands_of(place, i, &first, &last);
        for (int band = first; band <= last; band++)
            place->band_edges[--at[band]] = i;
    }
    return 0;
}

static bool is_near(const struct place_edge *edge, double x, double y, double radius_m)
{
    double dx = edge->x1 - edge->x0, dy = edge->y1 - edge->y0;
    double along = (x - edge->x0) * dx + (y - edge->y0) * dy,
           length2 = dx * dx + dy * dy;
    double t = along <= 0 ? 0 : along >= length2 ? 1 : along / length2;
    double ex = edge->x0 + t * dx - x, ey = edge->y0 + t * dy - y;
    return ex * ex + ey * ey <= radius_m * radius_m;
}

bool place_is_clear(const struct synthetic_place *place,
                    double x,
                    double y,
                    double radius_m)
{
    if (x < 0 || y < 0 || x > place->width_m || y > place->height_m)
        return false;
    int band = band_of(place, y);
    bool inside = false;
    for (int32_t i = place->band_first[band]; i < place->band_first[band + 1]; i++) {
        const struct place_edge *edge = &place->edges[place->band_edges[i]];
        double left = edge->x0 < edge->x1 ? edge->x0 : edge->x1;
        double right = edge->x0 < edge->x1 ? edge->x1 : edge->x0;
        if (right < x - radius_m)
            continue;
        if (left <= x + radius_m && is_near(edge, x, y, radius_m))
            return false;
        if ((edge->y0 > y) == (edge->y1 > y))
            continue;
        /* The ray to the east crosses where the edge passes y right of x. */
        double side = (edge->x0 - x) * (edge->y1 - edge->y0)
                      + (y - edge->y0) * (edge->x1 - edge->x0);
        inside ^= (side > 0) == (edge->y1 > edge->y0);
    }
    return inside;
}

static void make_towns(struct synthetic_place *place,
                       const struct synthetic_state *state,
                       int64_t row)
{
    struct random_stream random = random_open(state->seed, RANDOM_TOWNS, row, 0);
    double width = place->width_m < place->height_m ? place->width_m : place->height_m;
    int n_towns = 1 + random_below(&random, MOST_TOWNS);
    place->n_towns = 0; /* while there is none, points are uniform in the zone */
    for (int i = 0; i < n_towns; i++) {
        struct town *town = &place->towns[i];
        place_inside(place,
                     &random,
                     PLACE_MOST_RADIUS_M,
                     &town->x,
                     &town->y,
                     &town->turn);
        town->radius_m = width * (0.04 + 0.12 * random_unit(&random));
    }
    place->n_towns = n_towns;
}

int place_init(struct synthetic_place *place,
               const struct synthetic_state *state,
               int64_t row,
               const struct rings *rings,
               struct memory *memory,
               struct error *err)
{
    measure(place, rings);
    int64_t n_edges = rings->first[rings->n_rings];
    place->edges =
        memory_take(memory, MEMORY_GRID, n_edges * (int64_t)sizeof *place->edges, err);
    if (!place->edges)
        return -1;
    make_edges(place, rings);
    if (make_bands(place, memory, err))
        return -1;
    double u = (double)(row % state->n_columns) + 0.5 + RINGS_SAFE_SPOT;
    double v = (double)(row / state->n_columns) + 0.5 + RINGS_SAFE_SPOT;
    to_metres(place, rings_point(state, u, v), &place->safe_x, &place->safe_y);
    make_towns(place, state, row);
    return 0;
}

/* A sum of three: close to a bell around the middle of the town, and bounded. */
static double spread(struct random_stream *random)
{
    double sum = 0; /* one after the other: the order of operands is the compiler's */
    for (int i = 0; i < 3; i++)
        sum += random_signed(random);
    return sum;
}

void place_inside(const struct synthetic_place *place,
                  struct random_stream *random,
                  double radius_m,
                  double *x,
                  double *y,
                  double *turn)
{
    bool in_town = place->n_towns > 0 && random_unit(random) < 0.7;
    for (int try = 0; try < MOST_TRIES; try++) {
        if (in_town && try < MOST_TRIES / 4) {
            /* The first town is the largest. */
            int a = random_below(random, place->n_towns);
            int b = random_below(random, place->n_towns);
            const struct town *town = &place->towns[a < b ? a : b];
            *x = town->x + town->radius_m * spread(random);
            *y = town->y + town->radius_m * spread(random);
            *turn = town->turn;
        } else {
            *x = place->width_m * random_unit(random);
            *y = place->height_m * random_unit(random);
            *turn = random_unit(random);
        }
        if (place_is_clear(place, *x, *y, radius_m))
            return;
    }
    /* A zone fills a third of its box or more: hardly one in 10^30 comes here. */
    *x = place->safe_x;
    *y = place->safe_y;
}

void place_on_border(const struct synthetic_place *place,
                     struct random_stream *random,
                     double *x,
                     double *y)
{
    const struct place_edge *edge = &place->edges[random_below(random, place->n_edges)];
    double t = random_unit(random);
    *x = edge->x0 + t * (edge->x1 - edge->x0);
    *y = edge->y0 + t * (edge->y1 - edge->y0);
}
