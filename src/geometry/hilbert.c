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
 * at the diagonal, the right one of them at the other one too: two bits say how the plane
 * lies. Four such steps, and how it lies behind them, are looked up at once.
 */
enum { SWAPPED = 1, TURNED = 2, STEPS = 4, PART = 1 << STEPS };

static uint16_t turns[4][PART * PART]; /* lie << 8 | place along the curve */

static uint16_t follow(uint32_t lie, uint32_t column, uint32_t row)
{
    uint32_t position = 0;
    for (uint32_t half = PART / 2; half > 0; half /= 2) {
        uint32_t across = lie & SWAPPED ? row : column;
        uint32_t up = lie & SWAPPED ? column : row;
        uint32_t turned = (lie & TURNED) != 0;
        uint32_t right = ((across & half) != 0) ^ turned;
        uint32_t upper = ((up & half) != 0) ^ turned;
        position = 4 * position + ((3 * right) ^ upper);
        if (!upper)
            lie ^= SWAPPED | (right ? TURNED : 0);
    }
    return (uint16_t)(lie << 8 | position);
}

static void fill_turns(void)
{
    for (uint32_t lie = 0; lie < 4; lie++)
        for (uint32_t i = 0; i < PART * PART; i++)
            turns[lie][i] = follow(lie, i / PART, i % PART);
}

uint32_t hilbert_position(const struct box *extent, double x, double y)
{
    uint32_t column = cell_of(x, extent->xmin, extent->xmax);
    uint32_t row = cell_of(y, extent->ymin, extent->ymax);
    uint32_t position = 0, lie = 0;
    if (turns[0][1] == 0)
        fill_turns();
    for (int shift = ORDER - STEPS; shift >= 0; shift -= STEPS) {
        uint32_t i = (column >> shift) % PART * PART + (row >> shift) % PART;
        uint32_t turn = turns[lie][i];
        position = position << 8 | turn % 256;
        lie = turn / 256;
    }
    return position;
}
