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

/* An option that has taken in what was meant for others: libpq's messages, and the server's
 * log, would repeat it. */
static const char *fault_of(const PQconninfoOption *option)
{
    static const char *const named[] = {
        "host", "hostaddr", "user", "dbname", "service"
    };
    if (!option->val)
        return NULL;
    if (strcmp(option->keyword, "port") == 0
        && strspn(option->val, "0123456789, ") != strlen(option->val))
        return "its port is not a number: an address is "
               "postgresql://user:password@host:port/database";
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(option->keyword, named[i]) == 0 && strchr(option->val, ';')
            && strchr(option->val, '='))
            return "no ';' parts its key=value pairs: put blanks between them";
    return NULL;
}

int conninfo_check(const char *conninfo, struct error *err)
{
    if (!strchr(conninfo, '=') && !strstr(conninfo, "://")) {
        if (!strpbrk(conninfo, "@:"))
            return 0; /* the name of a database */
        return error_set(err,
                         ERROR_USAGE,
                         "not a libpq connection string: an address begins with "
                         "postgresql://");
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
                           is_harmless(conninfo, text)
                               ? text
                               : "not a libpq connection string: give key=value pairs, "
                                 "or a postgresql:// address");
    for (const PQconninfoOption *o = options; o && o->keyword && status == 0; o++)
        if (fault_of(o))
            status = error_set(err, ERROR_USAGE, "%s", fault_of(o));
    PQconninfoFree(options);
    PQfreemem(text);
    return status;
}
