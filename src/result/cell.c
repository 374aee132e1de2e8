#include "rooftally/result/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The years 1 to 9999. */
static const int64_t day_us = INT64_C(86400) * 1000000, least_days = -719162,
                     most_days = 2932896;

enum cell_kind cell_kind_of(hid_t dataset, enum cell_kind number)
{
    static const char days[] = "days since 1970-01-01";
    static const char us[] = "microseconds since 1970-01-01";
    char *units = h5_get_text(dataset, "units", NULL);
    enum cell_kind kind = number;
    if (units && strncmp(units, days, sizeof days - 1) == 0)
        kind = CELL_DATE;
    else if (units && strncmp(units, us, sizeof us - 1) == 0)
        kind = CELL_TIMESTAMP;
    free(units);
    return kind;
}

struct cell cell_of_real(enum cell_kind kind, double value)
{
    double us = kind == CELL_DATE ? value * (double)day_us : value;
    if (isnan(value))
        return (struct cell){ .kind = CELL_MISSING };
    bool is_time = kind == CELL_DATE || kind == CELL_TIMESTAMP;
    if (!is_time || us < (double)(least_days * day_us)
        || us >= (double)((most_days + 1) * day_us))
        return (struct cell){ .kind = CELL_REAL, .real = value };
    if (kind == CELL_DATE && value == floor(value))
        return (struct cell){ .kind = CELL_DATE, .integer = (int64_t)value };
    return (struct cell){ .kind = CELL_TIMESTAMP, .integer = llround(us) };
}

void real_to_text(double value, char text[CELL_TEXT_BYTES])
{
    if (!isfinite(value)) {
        snprintf(text,
                 CELL_TEXT_BYTES,
                 "%s",
                 isnan(value) ? "nan"
                 : value > 0  ? "inf"
                              : "-inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits += 2) {
        snprintf(text, CELL_TEXT_BYTES, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

/* ISO 8601; what no calendar reaches stays a number. */
static void
date_to_text(int64_t days, int64_t us, bool with_time, char text[CELL_TEXT_BYTES])
{
    time_t seconds = (time_t)(days * 86400 + us / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    int n = snprintf(text,
                     CELL_TEXT_BYTES,
                     "%04d-%02d-%02d",
                     tm.tm_year + 1900,
                     tm.tm_mon + 1,
                     tm.tm_mday);
    if (!with_time)
        return;
    n += snprintf(text + n,
                  (size_t)(CELL_TEXT_BYTES - n),
                  "T%02d:%02d:%02d",
                  tm.tm_hour,
                  tm.tm_min,
                  tm.tm_sec);
    if (us % 1000000 != 0)
        snprintf(text + n, (size_t)(CELL_TEXT_BYTES - n), ".%06d", (int)(us % 1000000));
}

void cell_to_text(const struct cell *cell, char text[CELL_TEXT_BYTES])
{
    int64_t days, us = 0;
    switch (cell->kind) {
    case CELL_REAL:
        real_to_text(cell->real, text);
        return;
    case CELL_DATE:
        days = cell->integer;
        break;
    case CELL_TIMESTAMP:
        days = cell->integer / day_us - (cell->integer % day_us < 0);
        us = cell->integer % day_us;
        us += us < 0 ? day_us : 0;
        break;
    case CELL_INTEGER:
        days = INT64_MAX;
        break;
    default:
        *text = '\0';
        return;
    }
    if (days < least_days || days > most_days)
        snprintf(text, CELL_TEXT_BYTES, "%" PRId64, cell->integer);
    else
        date_to_text(days, us, cell->kind == CELL_TIMESTAMP, text);
}
