/* Dates and timestamps as literals write them, proleptic Gregorian. */
#ifndef ROOFTALLY_JOB_DATETIME_H
#define ROOFTALLY_JOB_DATETIME_H

#include <stdint.h>

#include "rooftally/base/terms.h"

/* Dates that PostgreSQL holds, 4714-11-24 BC to 5874897-12-31, in days since
 * 1970-01-01. What lies outside stands for an infinite date. */
#define DATE_FIRST INT64_C(-2440588)
#define DATE_LAST INT64_C(2145042905)

/* "1990-01-31": days since 1970-01-01. Returns 0, or -1 when it is not a date of the
 * years 1 to 9999. */
int date_decode(struct text text, int64_t *days);

/* "1990-01-31", "1990-01-31 12:30", "1990-01-31T12:30:05.25": microseconds since
 * 1970-01-01 00:00. Returns 0 or -1. */
int timestamp_decode(struct text text, int64_t *microseconds);

/* The inverse, for the years 1 to 9999; -1 for others. */
int date_encode(char text[16], int64_t days);
int timestamp_encode(char text[40], int64_t microseconds);

#endif
