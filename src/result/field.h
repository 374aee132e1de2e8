/*
 * The datasets that hold one row for every zone, building, rejected building or byte of
 * geometry, as a table: what a row is called, means and comes from. Layout, survey and
 * writer all follow it.
 */
#ifndef ROOFTALLY_RESULT_FIELD_H
#define ROOFTALLY_RESULT_FIELD_H

#include <hdf5.h>

#include "rooftally/result/result.h"

#include "category.h"

/* What the rows of a dataset are. */
enum family {
    FAMILY_ZONE,
    FAMILY_BUILDING, /* the selection */
    FAMILY_REJECTED,
    FAMILY_BYTE, /* geometry of zones */
    N_FAMILIES
};

/* Where in a zone_record its values are. */
enum origin {
    FROM_INTEGER,  /* int64_t at `member` */
    FROM_INT32,    /* int32_t at `member` */
    FROM_REAL,     /* double at `member` */
    FROM_BOX,      /* double at `member`, of the box: NaN when it is empty */
    FROM_SNAPSHOT, /* the text */
    FROM_OUTPUT,   /* outputs[index] */
    FROM_CATEGORY, /* outputs[index], counts at their category's column */
    FROM_KEEP,     /* keep[index] */
    FROM_REJECTED_ID,
    FROM_REASON,
    FROM_WKB,
};

struct field {
    const char *group; /* "/", "/selection" */
    char name[NAME_BYTES + 8];
    enum family family;
    enum origin origin;
    enum value_type type; /* INTEGER, REAL or TEXT; of WKB none: its values are u8 */
    char units[48];       /* "": none */
    char long_name[160];
    bool has_fill;
    size_t member;
    int index;
    int64_t width;      /* values a row */
    int64_t text_bytes; /* of one TEXT value: the longest, once surveyed */
    char axis[NAME_BYTES
              + 24]; /* scale of the second axis, "/uses_category"; "": none */
    struct categories *categories;
};

struct field_table {
    struct field *fields;
    int n;
    struct categories *categories; /* one a frequency */
    int n_categories;
};

/* Make the table of a job (MEMORY_GATHER). */
int field_table_init(struct field_table *table,
                     const struct result_input *input,
                     struct memory *memory,
                     struct error *err);

int64_t field_value_bytes(const struct field *field);
int64_t field_row_bytes(const struct field *field);
/* A type to close. */
hid_t field_type(const struct field *field);

/* Length of the longest text of the field in a record. */
int64_t field_longest(const struct field *field, const struct zone_record *record);

/* Rows first to first + n of the field, as bytes of the dataset, to out. */
int field_read(const struct field *field,
               const struct zone_record *record,
               int64_t first,
               int64_t n,
               uint8_t *out,
               struct error *err);

/* Name of a kept slot in /selection. */
const char *field_keep_name(const struct binding *binding, int keep);

#endif
