#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/job/job.h"

static int refuse(const char *text, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "'%.60s' is not a duration: write it as in '10 s', '3h50m' or "
                     "'3:50:00'",
                     text);
}

/* A number without sign or exponent; *at moves behind it and the blanks after it. */
static bool read_number(const char **at, double *number)
{
    size_t n = strspn(*at, "0123456789.");
    char *end;
    *number = strtod(*at, &end);
    if (n == 0 || end != *at + n)
        return false;
    *at += n;
    *at += strspn(*at, " \t");
    return true;
}

/* Hours, minutes and seconds, or minutes and seconds, as Slurm has them. */
static bool read_clock(const char *at, double *seconds)
{
    double sum = 0, part;
    for (int n = 0; n < 3; n++) {
        if (!read_number(&at, &part) || (n > 0 && part >= 60))
            return false;
        sum = 60 * sum + part;
        if (!*at) {
            *seconds = sum;
            return n > 0;
        }
        if (*at++ != ':')
            return false;
    }
    return false;
}

static bool read_unit(const char **at, double *unit_s)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {
        { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 }
    };
    size_t n = 0;
    while (isalpha((unsigned char)(*at)[n]))
        n++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == n && strncmp(*at, units[i].name, n) == 0) {
            *at += n;
            *at += strspn(*at, " \t");
            *unit_s = units[i].seconds;
            return true;
        }
    return false;
}

/* "3h50m": each unit smaller than the one before; and seconds alone, as "90". */
static bool read_units(const char *at, double *seconds)
{
    double sum = 0, number, unit_s, last_s = 1e9;
    const char *end = at;
    if (read_number(&end, seconds) && !*end)
        return true;
    do {
        if (!read_number(&at, &number) || !read_unit(&at, &unit_s) || unit_s >= last_s)
            return false;
        sum += number * unit_s;
        last_s = unit_s;
    } while (*at);
    *seconds = sum;
    return true;
}

int job_parse_duration(const char *text, double *seconds, struct error *err)
{
    double sum;
    if (!(strchr(text, ':') ? read_clock(text, &sum) : read_units(text, &sum)))
        return refuse(text, err);
    if (sum > 1e8)
        return refuse(text, err);
    *seconds = sum;
    return 0;
}
