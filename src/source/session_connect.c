#include <errno.h>
#include <poll.h>
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

static int finish_connecting(struct session *session, struct error *err)
{
    PGconn *connection = session->connection;
    double end_s = clock_wall_s() + timeout_s(connection);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        struct pollfd ready = { .fd = PQsocket(connection),
                                .events = status == PGRES_POLLING_READING ? POLLIN
                                                                          : POLLOUT };
        int n = poll(&ready, 1, NAP_MS);
        if (n < 0 && errno != EINTR)
            return error_set(err, ERROR_SOURCE, "connection to the server was lost");
        if (session->stop && session->stop(session->stop_context))
            return error_set(err, ERROR_STOPPED, "stopped while connecting");
        if (clock_wall_s() > end_s)
            return error_set(err,
                             ERROR_SOURCE,
                             "the server does not answer (connect_timeout): check "
                             "[source] connection");
        if (n > 0)
            status = PQconnectPoll(connection);
        if (status == PGRES_POLLING_FAILED)
            return refused(connection, err);
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
    session->connection = start(conninfo, application_name);
    if (!session->connection || PQstatus(session->connection) == CONNECTION_BAD)
        refused(session->connection, err);
    else if (finish_connecting(session, err) == 0) {
        PQsetNoticeReceiver(session->connection, ignore_notice, NULL);
        return 0;
    }
    session_close(session);
    return -1;
}
