/*
 * Where the buildings of a store are likely to be, before one of them has been seen: where its
 * zones are, each as likely as another, and everywhere in the box of a zone. Keys that part them
 * into buckets (buckets.h) of about the same size follow from that.
 */
#ifndef ROOFTALLY_SOURCE_STORE_KEYS_H
#define ROOFTALLY_SOURCE_STORE_KEYS_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"
#include "rooftally/source/team.h"

/* Boxes of the zones that a rank has seen: of all, or of so many that are drawn from them. */
enum { STORE_KEYS_ZONES = 1024 };
struct store_keys {
    int64_t n_seen;
    uint64_t state; /* of the drawing */
    int n;
    struct box boxes[STORE_KEYS_ZONES];
};

void store_keys_init(struct store_keys *seen);
void store_keys_see(struct store_keys *seen, const struct box *zone);

/*
 * keys[n], for positions along the curve through `extent`, the first 0, in order. Collective
 * and agreed; the same on all ranks.
 *
 * room     [n_room] to work in, aligned to 8; with little of it the keys are poor
 */
int store_keys_choose(const struct store_keys *seen,
                      const struct box *extent,
                      const struct team *team,
                      uint8_t *room,
                      int64_t n_room,
                      uint32_t *keys,
                      int n,
                      struct error *err);

#endif
