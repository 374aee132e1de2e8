/* Position along the Hilbert curve of order 16 over a box; near in the plane is
 * near along the curve. Points outside are clamped. */
#ifndef ROOFTALLY_GEOMETRY_HILBERT_H
#define ROOFTALLY_GEOMETRY_HILBERT_H

#include <stdint.h>

#include "rooftally/base/terms.h"

uint32_t hilbert_position(const struct box *extent, double x, double y);

#endif
