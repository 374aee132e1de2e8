#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/thread.h"

#include "session.h"

/*
 * libpq connects in a thread, since only its call that waits gives each host and address the
 * time of connect_timeout, and goes on to the next as every program with libpq does. Who
 * does not wait any longer leaves it alone: the last of both to leave cleans up.
 */
struct connecting {
    PGconn *connection;
    atomic_bool is_left; /* by one of the two */
    char application_name[64];
    char conninfo[];
};

/* What the environment, or the service that it names, says of an option, or else ours: libpq would
 * take ours first. */
static const char *
chosen(const PQconninfoOption *defaults, const char *name, const char *ours)
{
    for (const PQconninfoOption *at = defaults; at && at->keyword; at++)
        if (strcmp(at->keyword, name) == 0 && at->val && *at->val)
            return at->val;
    return ours;
}

/* Options in front of the user's conninfo give way to it, those behind do not. */
static PGconn *connect_now(const struct connecting *c)
{
    PQconninfoOption *defaults = PQconndefaults();
    const char *const names[] = { "fallback_application_name",
                                  "connect_timeout",
                                  "keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  "tcp_user_timeout",
                                  "dbname",
                                  "client_encoding",
                                  NULL };
    const char *const values[] = { c->application_name,
                                   chosen(defaults, names[1], "10"),
                                   chosen(defaults, names[2], "30"),
                                   chosen(defaults, names[3], "10"),
                                   chosen(defaults, names[4], "3"),
                                   chosen(defaults, names[5], "60000"),
                                   c->conninfo,
                                   "UTF8",
                                   NULL };
    PGconn *connection = PQconnectdbParams(names, values, 1);
    PQconninfoFree(defaults);
    return connection;
}

static void leave(struct connecting *c)
{
    if (!atomic_exchange(&c->is_left, true))
        return;
    PQfinish(c->connection);
    free(c);
}

static void *connect_in_thread(void *connecting)
{
    struct connecting *c = connecting;
    c->connection = connect_now(c);
    leave(c);
    return NULL;
}

/* The first line of libpq's text: "connection to server on socket ... failed: ...". */
static int refused(PGconn *connection, struct error *err)
{
    static const size_t n_most = 400;
    const char *all = connection ? PQerrorMessage(connection) : "out of memory";
    size_t n = strcspn(all, "\n");
    if (n == 0)
        return error_set(err, ERROR_SOURCE, "no reason given");
    return error_set(err, ERROR_SOURCE, "%.*s", (int)(n < n_most ? n : n_most), all);
}

/* Wait for the thread, and ask meanwhile whether to stop. */
static int await(struct session *session, pthread_t thread, struct error *err)
{
    static const double nap_s = 0.2;
    while (!thread_join_until(thread, clock_wall_s() + nap_s))
        if (session->stop && session->stop(session->stop_context)) {
            pthread_detach(thread);
            return error_set(err, ERROR_STOPPED, "stopped while connecting");
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
    size_t n = strlen(conninfo) + 1;
    struct connecting *c = calloc(1, sizeof *c + n);
    if (!c)
        return error_set(err, ERROR_BUDGET, "no memory for a connection");
    memcpy(c->conninfo, conninfo, n);
    strncat(c->application_name, application_name, sizeof c->application_name - 1);
    pthread_t thread;
    if (!thread_start(&thread, connect_in_thread, c))
        connect_in_thread(c);
    else if (await(session, thread, err)) {
        leave(c);
        return -1;
    }
    session->connection = c->connection;
    c->connection = NULL;
    leave(c);
    if (PQstatus(session->connection) != CONNECTION_OK) {
        refused(session->connection, err);
        session_close(session);
        return -1;
    }
    PQsetNoticeReceiver(session->connection, ignore_notice, NULL);
    return 0;
}
