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

int conninfo_check(const char *conninfo, struct error *err)
{
    if (!strchr(conninfo, '=') && !strstr(conninfo, "://"))
        return 0; /* the name of a database */
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
    PQconninfoFree(options);
    PQfreemem(text);
    return status;
}
