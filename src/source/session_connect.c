#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"

#include "conninfo.h"
#include "session.h"

enum { NAP_MS = 200 };

/* Options in front of the user's conninfo give way to it, those behind do not. */
static PGconn *start(const char *conninfo, const char *application_name)
{
    const char *const names[] = { "fallback_application_name", "keepalives_idle",
                                  "keepalives_interval",       "keepalives_count",
                                  "tcp_user_timeout",          "dbname",
                                  "client_encoding",           NULL };
    const char *const values[] = { application_name, "30",     "10",   "3",
                                   "60000",          conninfo, "UTF8", NULL };
    return PQconnectStartParams(names, values, 1);
}

/* Again, with what has come of it all, but for hosts that were left out. A service has given
 * what it has to give. */
static PGconn *start_again(const PQconninfoOption *options)
{
    size_t n_most = 0, n = 0;
    while (options[n_most].keyword)
        n_most++;
    const char **words = calloc(2 * (n_most + 1), sizeof *words);
    if (!words)
        return NULL;
    const char **values = words + n_most + 1;
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (o->val && *o->val && strcmp(o->keyword, "service") != 0) {
            words[n] = o->keyword;
            values[n++] = o->val;
        }
    PGconn *connection = PQconnectStartParams(words, values, 0);
    free(words);
    return connection;
}

static int n_entries(const char *list)
{
    int n = list && *list ? 1 : 0;
    for (const char *at = list; n > 0 && (at = strchr(at, ',')); at++)
        n++;
    return n;
}

/* Entry i of a list, which has as many; *n_bytes of it. */
static char *entry_of(char *list, int i, size_t *n_bytes)
{
    for (; i > 0; i--)
        list = strchr(list, ',') + 1;
    *n_bytes = strcspn(list, ",");
    return list;
}

static bool is_entry(char *list, int i, const char *text)
{
    size_t n;
    if (n_entries(list) <= i)
        return true;
    const char *entry = entry_of(list, i, &n);
    return n == 0 || (strncmp(entry, text, n) == 0 && text[n] == '\0');
}

static void drop_entry(char *list, int i)
{
    size_t n;
    char *entry = entry_of(list, i, &n), *rest = entry + n;
    if (*rest == ',')
        memmove(entry, rest + 1, strlen(rest + 1) + 1);
    else
        *(entry > list ? entry - 1 : entry) = '\0';
}

static char *option_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    return NULL;
}

/* The host that is being tried does not answer: leave it out of the lists, and keep all
 * others. Returns whether there are any. */
static bool drop_host(PQconninfoOption *options, PGconn *connection)
{
    char *hosts = option_of(options, "host"), *ports = option_of(options, "port");
    char *addresses = option_of(options, "hostaddr");
    int n_hosts = n_entries(hosts), n_addresses = n_entries(addresses);
    int n = n_hosts > n_addresses ? n_hosts : n_addresses;
    for (int i = 0; i < n && n > 1; i++) {
        char *lists[] = { hosts, addresses, ports };
        if ((n_entries(ports) == n && !is_entry(ports, i, PQport(connection)))
            || (n_addresses > 0 && !is_entry(addresses, i, PQhostaddr(connection)))
            || (n_hosts > 0 && !is_entry(hosts, i, PQhost(connection))))
            continue;
        for (int list = 0; list < 3; list++)
            if (n_entries(lists[list]) == n)
                drop_entry(lists[list], i);
        return true;
    }
    return false;
}

/* connect_timeout, which libpq leaves to those who connect without blocking. */
static double timeout_s(PGconn *connection)
{
    double seconds = 10;
    PQconninfoOption *options = PQconninfo(connection);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, "connect_timeout") == 0 && o->val && *o->val)
            seconds = atof(o->val) > 0 ? atof(o->val) : 1e9;
    PQconninfoFree(options);
    return seconds;
}

/* The first line of libpq's text: "connection to server on socket ... failed: ...". */
static int refused(PGconn *connection, struct error *err)
{
    char text[151] = "no reason given";
    const char *all = connection ? PQerrorMessage(connection) : "out of memory";
    size_t n = strcspn(all, "\n");
    if (n > 0) {
        n = n < sizeof text ? n : sizeof text - 1;
        memcpy(text, all, n);
        text[n] = '\0';
    }
    return error_set(err,
                     ERROR_SOURCE,
                     "[source] connection: %s: check it, and that the server has one "
                     "free "
                     "for every rank",
                     text);
}

/* What is being tried: a host of several, or an address of several of its name. */
static void place_of(PGconn *connection, char place[256])
{
    const char *host = PQhost(connection), *address = PQhostaddr(connection);
    snprintf(place,
             256,
             "%s %s %s",
             host ? host : "",
             address ? address : "",
             PQport(connection) ? PQport(connection) : "");
}

/* Sets *is_silent where it fails since a host does not answer, in the time that each has. */
static int
finish_connecting(struct session *session, bool *is_silent, struct error *err)
{
    PGconn *connection = session->connection;
    double each_s = timeout_s(connection), end_s = clock_wall_s() + each_s;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    char place[256], now[256];
    place_of(connection, place);
    while (status != PGRES_POLLING_OK) {
        struct pollfd ready = { .fd = PQsocket(connection),
                                .events = status == PGRES_POLLING_READING ? POLLIN
                                                                          : POLLOUT };
        int n = poll(&ready, 1, NAP_MS);
        if (n < 0 && errno != EINTR)
            return error_set(err, ERROR_SOURCE, "connection to the server was lost");
        if (session->stop && session->stop(session->stop_context))
            return error_set(err, ERROR_STOPPED, "stopped while connecting");
        if (clock_wall_s() > end_s) {
            *is_silent = true;
            return error_set(err,
                             ERROR_SOURCE,
                             "the server does not answer (connect_timeout): check "
                             "[source] connection");
        }
        if (n > 0)
            status = PQconnectPoll(connection);
        if (status == PGRES_POLLING_FAILED)
            return refused(connection, err);
        place_of(connection, now);
        if (strcmp(place, now) != 0) {
            memcpy(place, now, sizeof place);
            end_s = clock_wall_s() + each_s;
        }
    }
    return 0;
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context, (void)result;
}

int session_connect(struct session *session,
                    const char *conninfo,
                    const char *application_name,
                    struct error *err)
{
    if (conninfo_check(conninfo, err))
        return error_prefix(err, "[source] connection");
    PQconninfoOption *options = NULL; /* once a host was left out */
    int status;
    for (bool again = true; again;) {
        bool is_silent = false;
        session->connection =
            options ? start_again(options) : start(conninfo, application_name);
        if (!session->connection || PQstatus(session->connection) == CONNECTION_BAD)
            status = refused(session->connection, err);
        else
            status = finish_connecting(session, &is_silent, err);
        if (is_silent && !options)
            options = PQconninfo(session->connection);
        again = is_silent && options && drop_host(options, session->connection);
        if (status < 0)
            session_close(session);
    }
    PQconninfoFree(options);
    if (status == 0)
        PQsetNoticeReceiver(session->connection, ignore_notice, NULL);
    return status;
}
