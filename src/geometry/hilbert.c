#include "rooftally/geometry/hilbert.h"

enum { ORDER = 16, SIDE = 1 << ORDER };

/* The cell of v; halves, so that the widest box of doubles does not overflow. */
static uint32_t cell_of(double v, double least, double most)
{
    double width = most / 2 - least / 2;
    double at = (v / 2 - least / 2) / width * SIDE;
    if (!(width > 0) || !(at > 0))
        return 0;
    return at < SIDE - 1 ? (uint32_t)at : SIDE - 1;
}

/*
 * From the largest quadrant to the smallest: which of the four along the curve, then
 * turn the plane so that the curve in it runs like the first. The lower two are mirrored
 * at the diagonal, the right one of them at the other one. Without branches: which
 * quadrant comes next is anybody's guess.
 */
uint32_t hilbert_position(const struct box *extent, double x, double y)
{
    uint32_t column = cell_of(x, extent->xmin, extent->xmax);
    uint32_t row = cell_of(y, extent->ymin, extent->ymax);
    uint32_t position = 0;
    for (uint32_t half = SIDE / 2; half > 0; half /= 2) {
        uint32_t right = (column & half) != 0, upper = (row & half) != 0;
        position = 4 * position + ((3 * right) ^ upper);
        uint32_t lower = upper - 1, turned = lower & (0 - right);
        uint32_t swapped = (column ^ row) & lower;
        column ^= swapped ^ turned;
        row ^= swapped ^ turned;
    }
    return position;
}
