/*
 * A row of a store on its way through sorting, as bytes that sort as rows do:
 *
 *   building  Hilbert position 4, id | box 32,             values, length 4, fault 1, …
 *   zone                          id | box 32, vertices 8, values, …
 *                                    … valid 1 for each field, wkb, texts
 *
 * Positions and integer ids are big-endian, the latter with the sign turned; a text id
 * ends in a zero. What follows only breaks ties; up to the wkb it has its places, the same
 * in all rows, counted from the end of the id. A value is 8 bytes, of a text its length,
 * and 0 where it is null.
 */
#ifndef ROOFTALLY_SOURCE_STORE_ROW_H
#define ROOFTALLY_SOURCE_STORE_ROW_H

#include <stdint.h>

#include "rooftally/source/store.h"

struct store_value {
    bool valid;
    union {
        int64_t integer; /* 0 where null */
        double real;
        struct text text; /* n = 0 where null */
    };
};

struct store_row {
    uint32_t position; /* along the curve; not of zones */
    int64_t id;        /* where integer */
    struct text id_text;
    uint8_t fault;
    struct box box;
    int64_t n_vertices; /* of zones only */
    struct text wkb;
    struct store_value values[STORE_MOST_FIELDS];
};

/* How rows of one table are written. */
struct store_shape {
    bool is_building, has_text_id;
    const struct store_table_plan *plan;
    int64_t vertices, values, n_wkb, fault, valid, wkb; /* places behind the id */
};

void store_shape_init(struct store_shape *shape,
                      const struct store_table_plan *plan,
                      bool is_building);

int64_t store_row_bytes(const struct store_shape *shape, const struct store_row *row);
/* For sorting: bytes of the geometry, then those of each text field. */
void store_row_weigh(const void *shape, const uint8_t *bytes, int64_t *weights);
int store_row_weights(const struct store_shape *shape); /* how many these are */
void store_row_encode(const struct store_shape *shape,
                      const struct store_row *row,
                      uint8_t *bytes);

/* What can be had of a row's bytes: its id, and what lies behind it. */
int64_t store_row_id(const uint8_t *bytes); /* of a building, where integer */
struct text store_row_id_text(const struct store_shape *shape, const uint8_t *bytes);
const uint8_t *store_row_body(const struct store_shape *shape, const uint8_t *bytes);

/* Numbers at a place. */
int64_t store_row_integer(const uint8_t *at);
uint32_t store_row_length(const uint8_t *at);

#endif
