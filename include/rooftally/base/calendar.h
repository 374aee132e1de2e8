/* Days of the proleptic Gregorian calendar, of any year; 0 is 1970-01-01. */
#ifndef ROOFTALLY_BASE_CALENDAR_H
#define ROOFTALLY_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

bool calendar_has(int64_t year, int month, int day);
/* Of a day that it has. */
int64_t calendar_day(int64_t year, int month, int day);
void calendar_date(int64_t day, int64_t *year, int *month, int *day_of_month);

#endif
