#include <stdio.h>

#include "set.h"

static const char *of_value(const struct statistic *statistic)
{
    switch (statistic->types[0]) {
    case TYPE_DATE:
        return "days since 1970-01-01";
    case TYPE_TIMESTAMP:
        return "microseconds since 1970-01-01";
    default:
        break;
    }
    switch (statistic->measure) {
    case MEASURE_AREA_M2:
        return "m2";
    case MEASURE_PERIMETER_M:
        return "m";
    case MEASURE_VERTICES:
        return "1";
    default:
        return "";
    }
}

/* In the singular: of days and microseconds xarray makes numbers of nanoseconds, in which
 * more than 292 years become something else without a word. */
static const char *of_span(const struct statistic *statistic)
{
    switch (statistic->types[0]) {
    case TYPE_DATE:
        return "day";
    case TYPE_TIMESTAMP:
        return "microsecond";
    default:
        return of_value(statistic);
    }
}

static const char *of_square(const struct statistic *statistic)
{
    switch (statistic->measure) {
    case MEASURE_AREA_M2:
        return "m4";
    case MEASURE_PERIMETER_M:
        return "m2";
    default:
        return of_value(statistic);
    }
}

void units_of(const struct statistic *statistic, char units[40])
{
    const char *text = "";
    switch (statistic->kind->unit) {
    case UNIT_ONE:
        text = "1";
        break;
    case UNIT_VALUE:
        text = of_value(statistic);
        break;
    case UNIT_SPAN:
        text = of_span(statistic);
        break;
    case UNIT_SQUARE:
        text = of_square(statistic);
        break;
    case UNIT_DENSITY:
        text = "km-2";
        break;
    }
    snprintf(units, 40, "%s", text);
}

void units_of_values(const struct statistic *statistic, char units[40])
{
    snprintf(units, 40, "%s", of_value(statistic));
}
