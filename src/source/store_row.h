/*
 * A row of a store on its way through sorting, as bytes that sort as rows do:
 *
 *   building  Hilbert position 4, id, fault 1, box 32, vertices 8, length 4, wkb, fields
 *   zone                          id, …
 *
 * Positions and integer ids are big-endian, the latter with the sign turned; a text id
 * ends in a zero. What follows only breaks ties. A field is 1 byte (valid) and 8 bytes,
 * or for a text its length in 4 and itself.
 */
#ifndef ROOFTALLY_SOURCE_STORE_ROW_H
#define ROOFTALLY_SOURCE_STORE_ROW_H

#include <stdint.h>

#include "rooftally/source/store.h"

struct store_value {
    bool valid;
    union {
        int64_t integer;
        double real;
        struct text text;
    };
};

struct store_row {
    uint32_t position; /* along the curve; not of zones */
    int64_t id;        /* where integer */
    struct text id_text;
    uint8_t fault;
    struct box box;
    int64_t n_vertices;
    struct text wkb;
    struct store_value values[STORE_MOST_FIELDS];
};

/* How rows of one table are written. */
struct store_shape {
    bool has_position, has_text_id;
    const struct store_table_plan *plan;
};

int64_t store_row_bytes(const struct store_shape *shape, const struct store_row *row);
/* For sorting: bytes of the geometry, then those of each text field. */
void store_row_weigh(const void *shape, const uint8_t *bytes, int64_t *weights);
int store_row_weights(const struct store_shape *shape); /* how many these are */
void store_row_encode(const struct store_shape *shape,
                      const struct store_row *row,
                      uint8_t *bytes);
/* Texts point into the bytes, which store_row_encode has made. */
void store_row_decode(const struct store_shape *shape,
                      const uint8_t *bytes,
                      struct store_row *row);

#endif
