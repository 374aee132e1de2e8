/* Passwords out of connection strings: where in doubt, more is hidden than needed. */

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rooftally/job/job.h"

/* Output never outgrows this: each secret, however short, may become "***". */
struct redaction {
    char *text;
    size_t n;
};

static void put(struct redaction *out, const char *from, const char *to)
{
    memcpy(out->text + out->n, from, (size_t)(to - from));
    out->n += (size_t)(to - from);
}

static void put_stars(struct redaction *out)
{
    put(out, "***", "***" + 3);
}

/* "password", "sslpassword", and names that are written in some other way. */
static bool is_secret(const char *key, const char *end)
{
    for (const char *at = key; at < end; at++)
        if (*at == '%' || (end - at >= 4 && strncasecmp(at, "pass", 4) == 0))
            return end - key != 8 || strncasecmp(key, "passfile", 8) != 0;
    return false;
}

static const char *find_in(const char *from, const char *to, const char *text)
{
    size_t n = strlen(text);
    for (; (size_t)(to - from) >= n; from++)
        if (strncasecmp(from, text, n) == 0)
            return from;
    return NULL;
}

/*
 * scheme://user:SECRET@host/database?key=value&password=SECRET
 *
 * A password may itself hold an '@'. With a '?' before the last '@' there is no telling
 * which of them belongs to the password: nothing of it is shown.
 */
static void redact_uri(struct redaction *out, const char *uri)
{
    const char *authority = strstr(uri, "://") + 3, *end = uri + strlen(uri);
    const char *at = strrchr(authority, '@'), *question = strchr(authority, '?');
    const char *user_end = authority + strcspn(authority, ":@");
    const char *rest = authority;
    put(out, uri, authority);
    if (at && question && question < at) {
        put_stars(out);
        return;
    }
    if (at && *user_end == ':') {
        put(out, authority, user_end + 1);
        put_stars(out);
        rest = at;
    }
    if (!question) {
        put(out, rest, end);
        return;
    }
    put(out, rest, question);
    for (const char *key = question; key < end;) {
        const char *next = key + 1 + strcspn(key + 1, "&");
        const char *equals = key; /* a host in [] may have one of its own */
        do {
            equals = memchr(equals + 1, '=', (size_t)(next - equals - 1));
        } while (equals && !is_secret(key + 1, equals));
        put(out, key, equals ? equals + 1 : next);
        if (equals)
            put_stars(out);
        key = next;
    }
}

/* The end of a value, quoted or bare, with its backslash escapes; NULL: none. */
static const char *value_end(const char *value)
{
    bool quoted = *value == '\'';
    for (value += quoted; *value; value++) {
        if (*value == '\\' && value[1])
            value++;
        else if (quoted ? *value == '\'' : isspace((unsigned char)*value) != 0)
            return value + quoted;
    }
    return quoted ? NULL : value;
}

/* key = value key = 'value' …; returns -1 when it is not. */
static int redact_pairs(struct redaction *out, const char *text)
{
    const char *at = text;
    while (true) {
        const char *key = at + strspn(at, " \t\r\n\f\v");
        put(out, at, key);
        if (!*key)
            return 0;
        const char *key_end = key + strcspn(key, "= \t\r\n\f\v");
        const char *value = key_end + strspn(key_end, " \t\r\n\f\v");
        if (*value != '=' || key == key_end)
            return -1;
        value++;
        value += strspn(value, " \t\r\n\f\v");
        at = value_end(value);
        if (!at)
            return -1;
        put(out, key, value);
        if (is_secret(key, key_end) || find_in(value, at, "://")
            || find_in(value, at, "password"))
            put_stars(out);
        else
            put(out, value, at);
    }
}

char *job_redact(const char *conninfo)
{
    struct redaction out = { .text = malloc(4 * strlen(conninfo) + 8) };
    if (!out.text)
        return NULL;
    const char *scheme = conninfo + strspn(conninfo, " \t\r\n");
    if (strncasecmp(scheme, "postgres", 8) == 0 && strstr(scheme, "://")
        && strstr(scheme, "://") - scheme <= 10) {
        redact_uri(&out, scheme);
    } else if (redact_pairs(&out, conninfo)) {
        out.n = 0;
        put_stars(&out);
    }
    out.text[out.n] = '\0';
    return out.text;
}

/* Stars in place of [from, to), no more than there is room for. */
static void star_out(char *from, char *to)
{
    size_t n = to - from < 3 ? (size_t)(to - from) : 3;
    memset(from, '*', n);
    memmove(from + n, to, strlen(to) + 1);
}

/* What could be the end of a value that stands in a sentence. */
static char *word_end(char *word)
{
    return word + strcspn(word, " \t'\"");
}

void job_redact_message(char *text)
{
    for (char *at = text; (at = strstr(at, "://"));) {
        at += 3;
        char *colon = at + strcspn(at, ":/?@ \t'\""), *end = word_end(at), *last = NULL;
        for (char *c = colon; c < end; c++)
            last = *c == '@' ? c : last;
        if (*colon != ':')
            continue;
        if (last) /* user:SECRET@host */
            star_out(colon + 1, last);
        else if (!strchr("/?: \t'\"", colon[1 + strspn(colon + 1, "0123456789,")]))
            star_out(colon + 1, colon + 1 + strcspn(colon + 1, "/? \t'\""));
    }
    for (char *at = text; (at = strcasestr(at, "password"));) {
        at += strlen("password");
        char *value = at + strspn(at, " \t");
        if (*value++ != '=')
            continue;
        value += strspn(value, " \t");
        char *end = *value == '\'' ? strchr(value + 1, '\'') : NULL;
        star_out(value, end ? end + 1 : value + strcspn(value, " \t&"));
    }
}

/* "password = x": GDAL's drivers take blanks as libpq does. */
static bool is_given(const char *path, const char *key)
{
    const char *end = path + strlen(path);
    while ((path = find_in(path, end, key))) {
        path += strlen(key);
        if (path[strspn(path, " \t\r\n\f\v")] == '=')
            return true;
    }
    return false;
}

char *job_redact_path(const char *path)
{
    const char *scheme = strstr(path, "://");
    bool has_secret = is_given(path, "password") || is_given(path, "passwd")
                      || is_given(path, "pwd") || (scheme && strchr(scheme, '@'));
    return strdup(has_secret ? "***" : path);
}
