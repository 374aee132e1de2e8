#include "datetime.h"

#include <stdbool.h>
#include <stdio.h>

#include "rooftally/base/calendar.h"

static const int64_t DAY_US = INT64_C(86400000000);

struct reader {
    const char *at, *end;
};

/* Exactly n digits, at most `most`; -1 otherwise. */
static int read_digits(struct reader *reader, int n, int most)
{
    int value = 0;
    for (; n > 0; n--, reader->at++) {
        if (reader->at == reader->end || *reader->at < '0' || *reader->at > '9')
            return -1;
        value = 10 * value + (*reader->at - '0');
    }
    return value <= most ? value : -1;
}

static bool read_char(struct reader *reader, char c)
{
    bool found = reader->at < reader->end && *reader->at == c;
    reader->at += found;
    return found;
}

static int read_date(struct reader *reader, int64_t *days)
{
    int year = read_digits(reader, 4, 9999);
    if (year < 1 || !read_char(reader, '-'))
        return -1;
    int month = read_digits(reader, 2, 12);
    if (month < 1 || !read_char(reader, '-'))
        return -1;
    int day = read_digits(reader, 2, 31);
    if (!calendar_has(year, month, day))
        return -1;
    *days = calendar_day(year, month, day);
    return 0;
}

static int read_time(struct reader *reader, int64_t *microseconds)
{
    int hour = read_digits(reader, 2, 23);
    if (hour < 0 || !read_char(reader, ':'))
        return -1;
    int minute = read_digits(reader, 2, 59), second = 0;
    int64_t fraction = 0;
    if (minute >= 0 && read_char(reader, ':')) {
        second = read_digits(reader, 2, 59);
        if (second >= 0 && read_char(reader, '.')) {
            int64_t unit = 100000;
            int n = 0;
            for (; n < 6 && reader->at < reader->end; n++, unit /= 10) {
                int digit = read_digits(reader, 1, 9);
                if (digit < 0)
                    return -1;
                fraction += unit * digit;
            }
            if (n == 0)
                return -1;
        }
    }
    if (minute < 0 || second < 0)
        return -1;
    *microseconds = ((hour * 60 + minute) * 60 + second) * INT64_C(1000000) + fraction;
    return 0;
}

int date_decode(struct text text, int64_t *days)
{
    struct reader reader = { text.bytes, text.bytes + text.n };
    int64_t read;
    if (read_date(&reader, &read) || reader.at != reader.end)
        return -1;
    *days = read;
    return 0;
}

int timestamp_decode(struct text text, int64_t *microseconds)
{
    struct reader reader = { text.bytes, text.bytes + text.n };
    int64_t days, time = 0;
    if (read_date(&reader, &days))
        return -1;
    if (reader.at != reader.end
        && ((!read_char(&reader, ' ') && !read_char(&reader, 'T'))
            || read_time(&reader, &time) || reader.at != reader.end))
        return -1;
    *microseconds = days * DAY_US + time;
    return 0;
}

int date_encode(char text[16], int64_t days)
{
    int64_t year;
    int month, day;
    if (days < calendar_day(1, 1, 1) || days > calendar_day(9999, 12, 31))
        return -1;
    calendar_date(days, &year, &month, &day);
    snprintf(text,
             16,
             "%04u-%02u-%02u",
             (unsigned)year % 10000,
             (unsigned)month % 100,
             (unsigned)day % 100);
    return 0;
}

int timestamp_encode(char text[40], int64_t microseconds)
{
    int64_t days = microseconds / DAY_US, time = microseconds % DAY_US;
    if (time < 0) {
        time += DAY_US;
        days--;
    }
    char date[16];
    if (date_encode(date, days))
        return -1;
    snprintf(text,
             40,
             "%s %02d:%02d:%02d.%06d",
             date,
             (int)(time / INT64_C(3600000000)),
             (int)(time / 60000000 % 60),
             (int)(time / 1000000 % 60),
             (int)(time % 1000000));
    return 0;
}
