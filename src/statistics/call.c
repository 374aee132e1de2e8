#include "call.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool starts_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool in_name(char c)
{
    return starts_name(c) || isdigit((unsigned char)c) || c == '$';
}

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static int refuse(const char *text, const char *at, const char *what, struct error *err)
{
    return error_set(err,
                     ERROR_USAGE,
                     "column %d: expected %s in '%s'",
                     (int)(at - text) + 1,
                     what,
                     text);
}

/* A bare name, ASCII letters folded as in SQL; where it ends, NULL when too long. */
static const char *bare_name(char name[NAME_BYTES], const char *at)
{
    int n = 0;
    for (; in_name(*at); at++) {
        if (n == NAME_BYTES - 1)
            return NULL;
        name[n++] =
            (char)((unsigned char)*at < 0x80 ? tolower((unsigned char)*at) : *at);
    }
    name[n] = 0;
    return at;
}

/* A "quoted" name, "" for a quote in it; NULL when too long, empty or open. */
static const char *quoted_name(char name[NAME_BYTES], const char *at)
{
    int n = 0;
    for (at++; *at; at++) {
        if (*at == '"' && *++at != '"') {
            name[n] = 0;
            return n > 0 ? at : NULL;
        }
        if (n == NAME_BYTES - 1)
            return NULL;
        name[n++] = *at;
    }
    return NULL;
}

/* Decimal digits, a point, an exponent: nothing else that strtod would take. */
static const char *number(double *value, const char *at)
{
    size_t n = strspn(at, "+-0123456789.eE");
    char digits[32], *end;
    if (n == 0 || n >= sizeof digits)
        return NULL;
    memcpy(digits, at, n);
    digits[n] = 0;
    *value = strtod(digits, &end);
    return *end || !isfinite(*value) ? NULL : at + n;
}

static const char *
argument(struct call_argument *out, const char *text, const char *at, struct error *err)
{
    const char *end, *what = "a field or a number";
    char name[NAME_BYTES];
    *out = (struct call_argument){ 0 };
    if (*at == '"') {
        what = "a \"quoted\" name of 1 to 63 bytes";
        end = quoted_name(name, at);
    } else if (starts_name(*at)) {
        what = "a name of at most 63 bytes";
        end = bare_name(name, at);
    } else {
        out->is_number = true;
        end = number(&out->number, at);
    }
    if (!end) {
        refuse(text, at, what, err);
        return NULL;
    }
    size_t n = (size_t)(end - at);
    n = n < sizeof out->text ? n : sizeof out->text - 1;
    memcpy(out->text, at, n);
    out->text[n] = 0;
    return end;
}

static const char *
arguments(struct call *call, const char *text, const char *at, struct error *err)
{
    at = skip_space(at + 1);
    while (*at != ')' || call->n > 0) {
        if (call->n == CALL_ARGUMENTS) {
            refuse(text, at, "at most 4 arguments", err);
            return NULL;
        }
        at = argument(&call->arguments[call->n++], text, at, err);
        if (!at)
            return NULL;
        at = skip_space(at);
        if (*at == ')')
            break;
        if (*at != ',') {
            refuse(text, at, "',' or ')'", err);
            return NULL;
        }
        at = skip_space(at + 1);
    }
    return at + 1;
}

int call_parse(struct call *call, const char *text, struct error *err)
{
    struct call parsed = { 0 };
    const char *at = skip_space(text);
    if (!starts_name(*at))
        return refuse(text, at, "a statistic", err);
    const char *end = bare_name(parsed.function, at);
    if (!end)
        return refuse(text, at, "a name of at most 63 bytes", err);
    at = skip_space(end);
    if (*at == '(') {
        at = arguments(&parsed, text, at, err);
        if (!at)
            return -1;
        at = skip_space(at);
    }
    if (*at)
        return refuse(text, at, "nothing more", err);
    *call = parsed;
    return 0;
}
