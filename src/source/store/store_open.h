/* Finding the columns of a store that is being opened. */
#ifndef ROOFTALLY_SOURCE_STORE_OPEN_H
#define ROOFTALLY_SOURCE_STORE_OPEN_H

#include "rooftally/h5/h5.h"

#include "store_format.h"

struct store_opening {
    hid_t file;
    struct store *store; /* n_bytes is known */
};

/* As h5_locate, with n values (-1: any number), all within the file. */
int store_place(const struct store_opening *opening,
                const char *name,
                hid_t type,
                int64_t n,
                struct h5_extent *extent,
                struct error *err);

/* store_fields.c: the fields of a table, in the order they were made; table->n is known. */
int store_place_columns(const struct store_opening *opening,
                        struct store_table *table,
                        struct error *err);
/* The ranges of the buildings' fields in the blocks. */
int store_place_ranges(const struct store_opening *opening, struct error *err);

#endif
