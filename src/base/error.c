#include "rooftally/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One line, never longer than the text holds; a cut shows as "+". */
static void finish(char *text, size_t capacity, int n_wanted)
{
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
    if (n_wanted >= (int)capacity)
        text[capacity - 2] = '+';
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, fmt);
    char text[sizeof err->text]; /* the arguments may point into err */
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    finish(text, sizeof text, n);
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    char place[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(place, sizeof place, fmt, args);
    va_end(args);
    char text[2 * sizeof err->text];
    int n = snprintf(text, sizeof text, "%s: %s", place, err->text);
    text[sizeof err->text - 1] = '\0';
    finish(text, sizeof err->text, n);
    memcpy(err->text, text, sizeof err->text);
    return -1;
}
