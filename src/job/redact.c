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

/* Where the secret of user:SECRET@host begins, and *end, the '@' behind it; NULL: there is none.
 * Either may have an '@' of its own. */
static const char *secret_of(const char *authority, const char **end)
{
    const char *colon = strchr(authority, ':');
    *end = strrchr(authority, '@');
    return colon && *end && colon < *end ? colon + 1 : NULL;
}

/*
 * scheme://user:SECRET@host/database?key=value&password=SECRET
 *
 * With a '?' before the last '@' there is no telling which of them belongs to the password:
 * nothing of it is shown.
 */
static void redact_uri(struct redaction *out, const char *uri)
{
    const char *authority = strstr(uri, "://") + 3, *end = uri + strlen(uri);
    const char *at, *secret = secret_of(authority, &at);
    const char *question = strchr(authority, '?'), *rest = authority;
    put(out, uri, authority);
    if (at && question && question < at) {
        put_stars(out);
        return;
    }
    if (secret) {
        put(out, authority, secret);
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

/* user:SECRET@host, up to the last '@' of the text, for a secret may have blanks and quotes;
 * and what stands in the place of a port, but is no number. */
static void star_out_address(char *authority)
{
    const char *at, *secret = secret_of(authority, &at);
    if (secret) {
        star_out(authority + (secret - authority), authority + (at - authority));
        return;
    }
    char *host = at ? authority + (at + 1 - authority) : authority;
    if (*host == '[')
        host += strcspn(host, "]");
    char *port = host + strcspn(host, ":/? \t'\"");
    if (*port++ == ':' && !strchr("/?: \t'\"", port[strspn(port, "0123456789,")]))
        star_out(port, port + strcspn(port, "/? \t'\""));
}

void job_redact_message(char *text)
{
    static const char *const keys[] = { "password", "passwd", "pwd" };
    for (char *at = text; (at = strstr(at, "://"));) {
        at += 3;
        star_out_address(at);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (char *at = text; (at = strcasestr(at, keys[i]));) {
            at += strlen(keys[i]);
            char *value = at + strspn(at, " \t");
            if (*value++ != '=')
                continue;
            value += strspn(value, " \t");
            const char *end = value_end(value);
            star_out(value, end ? value + (end - value) : value + strlen(value));
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
