/* The words of the job that several rooms share. */
#ifndef ROOFTALLY_BASE_TERMS_H
#define ROOFTALLY_BASE_TERMS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { NAME_BYTES = 64 }; /* names of fields and statistics, end of string included */
/* A name as written: in quotes, each quote in it taking two bytes. */
enum { SPELLING_BYTES = 2 * NAME_BYTES + 2 };

/* How a building belongs to a zone. Borders: as ST_Within and ST_Intersects say. */
enum predicate {
    PREDICATE_WITHIN,     /* ST_Within(building, zone) */
    PREDICATE_INTERSECTS, /* ST_Intersects(building, zone) */
    PREDICATE_CENTROID,   /* ST_Within(ST_Centroid(building), zone) */
};

/* What to do with a building that ST_IsValid refuses. */
enum invalid_rule {
    INVALID_TRUST,  /* do not look; what GEOS cannot evaluate is rejected */
    INVALID_FAIL,   /* the job fails, naming the building */
    INVALID_SKIP,   /* reject it, with ST_IsValidReason */
    INVALID_REPAIR, /* decide with ST_MakeValid of it */
};

/* A box of coordinates, closed on all sides; xmin > xmax when empty. */
struct box {
    double xmin, ymin, xmax, ymax;
};

static inline struct box box_none(void)
{
    return (struct box){ 1, 1, 0, 0 };
}

/* With NaN it is not. */
static inline bool box_is_empty(const struct box *box)
{
    return box->xmin > box->xmax;
}

/* Make it hold `other` too, which is not empty. */
static inline void box_merge(struct box *box, const struct box *other)
{
    if (box_is_empty(box)) {
        *box = *other;
        return;
    }
    box->xmin = other->xmin < box->xmin ? other->xmin : box->xmin;
    box->ymin = other->ymin < box->ymin ? other->ymin : box->ymin;
    box->xmax = other->xmax > box->xmax ? other->xmax : box->xmax;
    box->ymax = other->ymax > box->ymax ? other->ymax : box->ymax;
}

/* Whether it has a point; with NaN it has none. */
static inline bool box_has_point(const struct box *box)
{
    return box->xmin <= box->xmax && box->ymin <= box->ymax;
}

/* Whether two boxes that are not empty have a point in common; NaN never has. */
static inline bool boxes_meet(const struct box *a, const struct box *b)
{
    return a->xmin <= b->xmax && b->xmin <= a->xmax && a->ymin <= b->ymax
           && b->ymin <= a->ymax;
}

static inline bool box_holds(const struct box *outer, const struct box *inner)
{
    return outer->xmin <= inner->xmin && inner->xmax <= outer->xmax
           && outer->ymin <= inner->ymin && inner->ymax <= outer->ymax;
}

/* Borrowed bytes, not ended by a zero. */
struct text {
    const char *bytes; /* may be NULL when n is 0 */
    int64_t n;
};

/* Bytewise, a shorter one before what it begins: -1, 0, 1. */
static inline int text_compare(const struct text *a, const struct text *b)
{
    int64_t n = a->n < b->n ? a->n : b->n;
    int c = n > 0 ? memcmp(a->bytes, b->bytes, (size_t)n) : 0;
    return c != 0 ? (c > 0) - (c < 0) : (a->n > b->n) - (a->n < b->n);
}

enum value_type {
    TYPE_NULL,    /* the literal null: fits everywhere */
    TYPE_BOOLEAN, /* 0 or 1 */
    TYPE_INTEGER, /* int64: smallint, integer, bigint */
    TYPE_REAL,    /* double: real, double precision, numeric */
    TYPE_TEXT,    /* UTF-8 bytes, compared bytewise: text, varchar, char, name, uuid */
    TYPE_DATE,    /* days since 1970-01-01 */
    TYPE_TIMESTAMP, /* microseconds since 1970-01-01 00:00, UTC where zoned */
};

/* As files have it. */
static inline const char *value_type_word(enum value_type type)
{
    static const char *const words[] = { "null", "boolean", "integer",  "real",
                                         "text", "date",    "timestamp" };
    return words[type];
}

/*
 * One column of n values.
 *
 * Shape    valid[n]; 0 where the value is null (the value there is undefined)
 *          integers[n] for BOOLEAN, INTEGER, DATE, TIMESTAMP; reals[n] for REAL;
 *          texts[n] for TEXT
 */
struct column {
    enum value_type type;
    uint8_t *valid;
    union {
        int64_t *integers;
        double *reals;
        struct text *texts;
    };
};

/* What a column marks as missing in files: NC_FILL_INT64 and NaN. */
#define FILL_INTEGER INT64_C(-9223372036854775806)

#endif
