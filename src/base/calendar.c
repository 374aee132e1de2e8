#include "rooftally/base/calendar.h"

/* An era is 400 years, which begin in March, so that the leap day ends a year. */
enum { DAYS_OF_ERA = 146097, DAYS_TO_1970 = 719468 };

bool calendar_has(int64_t year, int month, int day)
{
    static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= lengths[month - 1]
           && (month != 2 || day < 29 || is_leap);
}

int64_t calendar_day(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year
           - DAYS_TO_1970;
}

void calendar_date(int64_t day, int64_t *year, int *month, int *day_of_month)
{
    day += DAYS_TO_1970;
    int64_t era = (day >= 0 ? day : day - (DAYS_OF_ERA - 1)) / DAYS_OF_ERA;
    int64_t of_era = day - era * DAYS_OF_ERA;
    int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year =
        of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day_of_month = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}
