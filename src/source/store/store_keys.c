#include "store_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/geometry/hilbert.h"

enum { MOST_SAMPLES = 4096, ALL_SAMPLES = 32768 };

struct sample {
    uint32_t position;
    float weight; /* zones that it stands for; 0: none */
};

void store_keys_init(struct store_keys *seen)
{
    seen->n_seen = 0;
    seen->state = 1;
    seen->n = 0;
}

/* Reservoir sampling: whatever the order of the zones, each is as likely to be among them. */
void store_keys_see(struct store_keys *seen, const struct box *zone)
{
    uint64_t at = (uint64_t)seen->n_seen++;
    if (seen->n < STORE_KEYS_ZONES) {
        seen->boxes[seen->n++] = *zone;
        return;
    }
    seen->state =
        seen->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t drawn = (seen->state >> 33) % (at + 1);
    if (drawn < STORE_KEYS_ZONES)
        seen->boxes[drawn] = *zone;
}

/* At most n samples: a lattice in each box, or the middle of every few. */
static void take_samples(const struct store_keys *seen,
                         const struct box *extent,
                         struct sample *samples,
                         int n)
{
    memset(samples, 0, (size_t)n * sizeof *samples);
    if (seen->n == 0 || n == 0)
        return;
    int step = (seen->n + n - 1) / n, n_zones = (seen->n + step - 1) / step;
    int side = (int)sqrt((double)n / n_zones), taken = 0;
    float weight = (float)((double)seen->n_seen / ((double)n_zones * side * side));
    for (int i = 0; i < seen->n; i += step) {
        const struct box *box = &seen->boxes[i];
        for (int j = 0; j < side * side; j++) {
            double right = (j % side + 0.5) / side, up = (j / side + 0.5) / side;
            double x = (1 - right) * box->xmin + right * box->xmax;
            double y = (1 - up) * box->ymin + up * box->ymax;
            samples[taken++] =
                (struct sample){ hilbert_position(extent, x, y), weight };
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight); /* the same everywhere */
}

static void choose(struct sample *samples, int64_t n_samples, uint32_t *keys, int n)
{
    double all = 0, sum = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n_samples; i++)
        all += (double)samples[i].weight;
    qsort(samples, (size_t)n_samples, sizeof *samples, compare);
    for (int i = 0; i < n; i++) {
        keys[i] = (uint32_t)((UINT64_C(1) << 32) * (uint64_t)i / (uint64_t)n);
        if (all == 0 || i == 0)
            continue;
        while (at + 1 < n_samples && sum + (double)samples[at].weight <= all * i / n)
            sum += (double)samples[at++].weight;
        keys[i] = samples[at].position;
    }
}

int store_keys_choose(const struct store_keys *seen,
                      const struct box *extent,
                      const struct team *team,
                      uint8_t *room,
                      int64_t n_room,
                      uint32_t *keys,
                      int n,
                      struct error *err)
{
    int64_t size = team->size;
    int64_t has = n_room / (int64_t)sizeof(struct sample) / (size + 1);
    int64_t most =
        ALL_SAMPLES / size < MOST_SAMPLES ? ALL_SAMPLES / size : MOST_SAMPLES;
    int64_t least = -(has < most ? has : most);
    if (team_max(team, &least, 1, err))
        return -1;
    int64_t n_own = -least;
    struct sample *own = (struct sample *)(void *)room, *all = own + n_own;
    take_samples(seen, extent, own, (int)n_own);
    if (team_gather_all(team, own, n_own * (int64_t)sizeof *own, all, err))
        return -1;
    choose(all, size * n_own, keys, n);
    return 0;
}
