/* A value of a result's dataset, and its text. */
#ifndef ROOFTALLY_RESULT_CELL_H
#define ROOFTALLY_RESULT_CELL_H

#include <stdint.h>

#include "rooftally/base/terms.h"
#include "rooftally/h5/h5.h"

enum cell_kind {
    CELL_MISSING,
    CELL_INTEGER,
    CELL_REAL,
    CELL_TEXT,
    CELL_DATE,      /* days since 1970-01-01 */
    CELL_TIMESTAMP, /* microseconds since 1970-01-01 */
};

struct cell {
    enum cell_kind kind;
    union {
        int64_t integer;
        double real;
        struct text text; /* borrowed from the block */
    };
};

/* CELL_DATE or CELL_TIMESTAMP where the units of a dataset say so, else `number`. */
enum cell_kind cell_kind_of(hid_t dataset, enum cell_kind number);

/*
 * A double as the values of this kind are: a date, or with a part of a day a timestamp; a
 * timestamp in whole microseconds; a number in all other kinds, and where no calendar
 * reaches. NaN is missing.
 */
struct cell cell_of_real(enum cell_kind kind, double value);

/* A number, date or timestamp as text: a decimal that reads back as the same bits. */
enum { CELL_TEXT_BYTES = 48 };
void cell_to_text(const struct cell *cell, char text[CELL_TEXT_BYTES]);
/* The same of one double. */
void real_to_text(double value, char text[CELL_TEXT_BYTES]);

#endif
