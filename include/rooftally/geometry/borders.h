/*
 * Where the borders of all zones run: a raster over their common extent, one bit a cell,
 * set where an edge of any zone comes near.
 *
 *     # # # . . .      a building whose box meets no cell that is set lies, as a whole,
 *     . . # # . .      inside or outside of each zone: its shape makes no difference to
 *     . . . # # #      what it is within, or what it intersects, and its box can stand
 *     o . . . . #      in for it
 *
 * A zone that is not certainly valid has all cells of its box set.
 */
#ifndef ROOFTALLY_GEOMETRY_BORDERS_H
#define ROOFTALLY_GEOMETRY_BORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/terms.h"

struct borders {
    struct box extent;
    double per_x, per_y; /* cells per unit */
    int32_t n;           /* cells a side; 0: no raster, and no building is apart */
    uint64_t *bits;      /* [n_words], the caller's */
    int64_t n_words;
};

enum { BORDERS_MOST_WORDS = 4096 * 4096 / 64 }; /* more are no use */

/* As many cells as n_words have bits, none set; none at all over an extent without width,
 * without height, or too small or large to be divided. */
void borders_init(struct borders *borders,
                  const struct box *extent,
                  uint64_t *bits,
                  int64_t n_words);

/* Set what a zone, EWKB of a polygon or multipolygon within the extent, takes; is_valid: as
 * zone_is_surely_valid says. */
void borders_add(struct borders *borders,
                 const uint8_t *wkb,
                 int64_t n_bytes,
                 bool is_valid);

/* Whether a box meets no cell that is set, and would not with its sides rounded outwards
 * to floats; false for one that is not wholly over the extent. */
bool borders_are_far(const struct borders *borders, const struct box *box);

#endif
