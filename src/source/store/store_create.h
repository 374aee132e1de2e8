/* The layout of a store that is to be filled: every dataset, with no values yet. */
#ifndef ROOFTALLY_SOURCE_STORE_CREATE_H
#define ROOFTALLY_SOURCE_STORE_CREATE_H

#include "store_words.h"

/* How much of everything there will be. */
struct store_field_size {
    int64_t n_null, n_text;    /* n_text: bytes of all rows' texts */
    const struct words *words; /* sorted; NULL: not a text */
};

struct store_table_size {
    int64_t n, n_wkb, id_bytes; /* id_bytes: the longest text id */
    struct store_field_size fields[STORE_MOST_FIELDS];
};

struct store_size {
    struct store_table_size zones, buildings;
    struct box extent; /* of the Hilbert curve */
};

/*
 * Lay out a store in the file `path`, which is there and empty, at its full length, words
 * written, all else to be filled through store_open. Returns 0, or -1 with ERROR_IO.
 */
int store_create(const char *path,
                 const struct store_plan *plan,
                 const struct store_size *size,
                 struct error *err);

#endif
