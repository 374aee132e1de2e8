#include "zone_filter.h"

#include <math.h>

#include "rooftally/geometry/ewkb.h"

int zone_filter(const struct expression *local,
                const struct crs *crs,
                struct text wkb,
                struct column *columns,
                struct memory *memory,
                struct error *err)
{
    if (!local)
        return 1;
    struct measures measures = { 0 };
    struct ewkb ewkb;
    const uint8_t *bytes = (const uint8_t *)wkb.bytes;
    uint8_t known = wkb.n > 0 && ewkb_read(bytes, wkb.n, &ewkb) == EWKB_FINE;
    if (known && measure(crs, bytes, wkb.n, false, &measures, err))
        return -1;
    uint8_t valid = 0;
    int64_t passed = 0;
    const int32_t row = 0;
    struct column own;
    struct column *area = columns ? columns : &own;
    *area = (struct column){ .type = TYPE_REAL,
                             .valid = &known,
                             .reals = &measures.area_m2 };
    struct column out = { .type = TYPE_BOOLEAN, .valid = &valid, .integers = &passed };
    struct memory_mark mark = memory_mark(memory);
    int status = expression_evaluate(local, area, &row, 1, 1, &out, memory, err);
    memory_rewind(memory, &mark);
    return status ? -1 : valid && passed;
}
