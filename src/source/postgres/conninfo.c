#include "conninfo.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <libpq-fe.h>

/* scheme://user:password@host/database?key=value, with one @, before the first / */
static bool is_ambiguous(const char *conninfo)
{
    const char *authority = strstr(conninfo, "://");
    if (!authority || strncasecmp(conninfo, "postgres", 8) != 0)
        return false;
    authority += 3;
    const char *last = strrchr(authority, '@');
    return last && strcspn(authority, "@/?") != (size_t)(last - authority);
}

/* libpq's message repeats a wrong keyword, which may be the rest of a password that holds
 * a blank. */
static bool is_harmless(const char *conninfo, const char *text)
{
    static const char keyword[] = "invalid connection option";
    return text && strncmp(text, keyword, sizeof keyword - 1) == 0
           && !strcasestr(conninfo, "pass");
}

/* Whether there is "; key =" in the value, of a key that libpq has. */
static bool holds_pair(const char *value, const PQconninfoOption *options)
{
    for (const char *at = value; (at = strchr(at, ';'));) {
        at += 1 + strspn(at + 1, " \t");
        size_t n = strcspn(at, "= \t;");
        for (const PQconninfoOption *o = options; o->keyword; o++)
            if (strlen(o->keyword) == n && strncasecmp(o->keyword, at, n) == 0
                && at[n + strspn(at + n, " \t")] == '=')
                return true;
    }
    return false;
}

/* An option that has taken in what was meant for others: libpq's messages, and the server's
 * log, would repeat it. */
static const char *fault_of(const PQconninfoOption *option,
                            const PQconninfoOption *options)
{
    if (!option->val || strcmp(option->keyword, "password") == 0
        || strcmp(option->keyword, "sslpassword") == 0)
        return NULL;
    if (holds_pair(option->val, options))
        return "no ';' parts its key=value pairs: put blanks between them";
    if (strcmp(option->keyword, "port") == 0
        && strspn(option->val, "+0123456789, \t") != strlen(option->val))
        return "its port is not a number: an address has user, ':', password, '@', "
               "host";
    return NULL;
}

static const char advice[] =
    "not a libpq connection string: give key=value pairs (dbname=...), or a "
    "postgresql:// address";

int conninfo_check(const char *conninfo, struct error *err)
{
    if (!strchr(conninfo, '=') && !strstr(conninfo, "://")) {
        if (!strpbrk(conninfo, "@:"))
            return 0; /* the name of a database */
        return error_set(err, ERROR_USAGE, "%s", advice);
    }
    if (is_ambiguous(conninfo))
        return error_set(err,
                         ERROR_USAGE,
                         "an address has one @, before the first /: write %%40 for an "
                         "@ "
                         "and %%2F for a / in a password, or use a passfile");
    char *text = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &text);
    int status = 0;
    if (!options)
        status = error_set(err,
                           ERROR_USAGE,
                           "%s",
                           is_harmless(conninfo, text) ? text : advice);
    for (const PQconninfoOption *o = options; o && o->keyword && status == 0; o++) {
        const char *fault = fault_of(o, options);
        if (fault)
            status = error_set(err, ERROR_USAGE, "%s", fault);
    }
    PQconninfoFree(options);
    PQfreemem(text);
    return status;
}
