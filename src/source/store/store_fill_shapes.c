/* What a run need not find out again of its zones. */
#include "rooftally/geometry/zone.h"

#include "store_fill.h"

int store_fill_shapes(const struct store *store,
                      const struct store_shape *shape,
                      int64_t first,
                      const uint8_t *const *records,
                      int32_t n,
                      const uint8_t *known_valid,
                      const struct crs *crs,
                      struct memory *room,
                      struct error *err)
{
    double areas_m2[STORE_FILL_ROWS];
    uint8_t valid[STORE_FILL_ROWS];
    for (int32_t i = 0; i < n; i++) {
        const uint8_t *body = store_row_body(shape, records[i]);
        const uint8_t *wkb = body + shape->wkb;
        int64_t n_wkb = store_row_length(body + shape->n_wkb);
        struct measures measures = { 0 };
        if (n_wkb > 0 && measure(crs, wkb, n_wkb, false, &measures, err))
            return -1;
        areas_m2[i] = measures.area_m2;
        valid[i] = known_valid ? known_valid[i]
                               : n_wkb > 0 && zone_is_surely_valid(wkb, n_wkb, room);
    }
    return store_write(store, store->zones.area_at + 8 * first, areas_m2, 8 * n, err)
                   || store_write(store, store->zones.valid_at + first, valid, n, err)
               ? -1
               : 0;
}
