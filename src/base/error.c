#include "rooftally/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "…";
static const char blanks[] = " \n\r\t";

enum { LEAST_LEFT = 40 }; /* of a word that is cut, or it says nothing any more */

struct part {
    size_t first, n;
};

static struct part longest_word(const char *text, size_t n)
{
    struct part longest = { 0, 0 };
    for (size_t at = 0; at < n;) {
        size_t n_word = strcspn(text + at, blanks);
        if (n_word > longest.n)
            longest = (struct part){ at, n_word };
        at += n_word + 1;
    }
    return longest;
}

static int is_inside_letter(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; /* UTF-8 */
}

/* What to leave out, so that the rest and the mark have n_most bytes or a few less. */
static struct part find_cut(const char *text, size_t n, size_t n_most)
{
    struct part from = longest_word(text, n);
    size_t n_cut = n - n_most + sizeof mark - 1;
    if (from.n < n_cut + LEAST_LEFT)
        from = (struct part){ 0, n };
    size_t first = from.first + (from.n - n_cut) / 2, end = first + n_cut;
    while (first > 0 && is_inside_letter(text[first]))
        first--;
    while (end < n && is_inside_letter(text[end]))
        end++;
    return (struct part){ first, end - first };
}

char *error_fit(char *out, size_t n_out, const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && strchr(blanks, text[n - 1]))
        n--;
    if (n < n_out) {
        memcpy(out, text, n);
    } else {
        struct part cut = find_cut(text, n, n_out - 1);
        const char *rest = text + cut.first + cut.n;
        size_t n_rest = n - cut.first - cut.n;
        memcpy(out, text, cut.first);
        memcpy(out + cut.first, mark, sizeof mark - 1);
        memcpy(out + cut.first + sizeof mark - 1, rest, n_rest);
        n = cut.first + sizeof mark - 1 + n_rest;
    }
    out[n] = '\0';
    for (char *c = out; *c; c++)
        *c = strchr(blanks, *c) ? ' ' : *c;
    return out;
}

/* Where there is no memory for the whole, its beginning has to do. */
static void set_text(struct error *err, const char *fmt, va_list args)
{
    char *whole = NULL;
    va_list again;
    va_copy(again, args);
    if (vasprintf(&whole, fmt, args) >= 0) {
        error_fit(err->text, sizeof err->text, whole);
        free(whole);
    } else {
        char text[sizeof err->text]; /* the arguments may point into err */
        vsnprintf(text, sizeof text, fmt, again);
        error_fit(err->text, sizeof err->text, text);
    }
    va_end(again);
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    err->code = code;
    return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    char why[sizeof err->text];
    memcpy(why, err->text, sizeof why);
    va_list args;
    va_start(args, fmt);
    set_text(err, fmt, args);
    va_end(args);
    return error_set(err, err->code, "%s: %s", err->text, why);
}
