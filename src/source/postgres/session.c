#include "session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/thread.h"

#include "copy.h"

enum { NAP_MS = 200 };

/*
 * The server sends 8 KiB at a time. To be woken for each costs both sides more than the
 * rows in it, and the caches are cold each time, so a reader that has caught up lets the
 * socket's buffer of some 200 KiB fill for a moment: a small part of it, as fast as bytes
 * have come so far, for it takes a while to wake, in which a fast server fills the rest and
 * then waits for us. A long moment is lost at the end of the copy, when no more comes.
 * It has caught up when the last look did not fill libpq's buffer of 16 KiB: there is
 * nothing to be had by asking the system then.
 */
static const double shortest_nap_s = 20e-6, longest_nap_s = 2e-3;
enum { GATHER_BYTES = 16 * 1024, FULL_BYTES = 12 * 1024, MESSAGE_HEAD_BYTES = 5 };
enum { ROW_BYTES = 64 * 1024 }; /* longer ones have their own memory */

static bool stopped(const struct session *session)
{
    return session->stop && session->stop(session->stop_context);
}

static void *send_cancel(void *request)
{
    char ignored[256];
    PQcancel(request, ignored, sizeof ignored);
    PQfreeCancel(request);
    return NULL;
}

/* libpq waits until the server has taken the request, which may be forever: a thread of its
 * own waits longer than we do. False where it is still under way, and may cancel what is
 * run next: the connection is not to be used again. */
static bool cancel(struct session *session)
{
    static const double most_s = 1;
    PGcancel *request = PQgetCancel(session->connection);
    pthread_t thread;
    if (!request)
        return true;
    if (!thread_start(&thread, send_cancel, request)) {
        PQfreeCancel(request); /* the server will notice that we are gone */
        return true;
    }
    if (thread_join_until(thread, clock_wall_s() + most_s))
        return true;
    pthread_detach(thread);
    return false;
}

static int lost(struct error *err)
{
    return error_set(err,
                     ERROR_SOURCE,
                     "connection to the server was lost: its log says why");
}

/* What a caller can do about an SQLSTATE: its class decides, with few exceptions. */
static enum error_code sqlstate_code(const char *state)
{
    static const struct {
        const char *prefix;
        enum error_code code;
    } table[] = {
        { "22", ERROR_DATA },     /* overflow, not a number, out of range */
        { "21", ERROR_DATA },     /* a subquery in a view gives two rows */
        { "54", ERROR_DATA },     /* too large for the server */
        { "P0", ERROR_DATA },     /* raised by a function in a view */
        { "XX", ERROR_DATA },     /* PostGIS reports nearly everything so */
        { "42", ERROR_USAGE },    /* names, types, permissions */
        { "3D", ERROR_USAGE },    /* no such database */
        { "3F", ERROR_USAGE },    /* no such schema */
        { "28", ERROR_USAGE },    /* who is that */
        { "0A", ERROR_USAGE },    /* the server cannot do that */
        { "25006", ERROR_USAGE }, /* a view that writes */
    };
    for (size_t i = 0; state && i < sizeof table / sizeof *table; i++)
        if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].code;
    return ERROR_SOURCE;
}

/* The server's words, of which a number may have a hundred thousand digits. */
static int quote(const char *text, enum error_code code, struct error *err)
{
    static const size_t n_most = 40, n_shown = 20;
    const char *at = text;
    size_t n;
    while ((n = strspn(at, "0123456789")) <= n_most && at[n])
        at += n + 1;
    if (n <= n_most)
        return error_set(err, code, "%s", text);
    int n_first = (int)((size_t)(at - text) + n_shown);
    return error_set(err, code, "%.*s...%s", n_first, text, at + n);
}

static int failed(struct session *session, const PGresult *result, struct error *err)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!text) /* libpq's own words: the connection broke */
        return lost(err);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(session->state, sizeof session->state, "%s", state ? state : "");
    return quote(text, sqlstate_code(state), err);
}

/* Sleep until the socket is ready. Returns 0, or -1 with ERROR_STOPPED or _SOURCE. */
static int wait_ready(struct session *session, short events, struct error *err)
{
    for (;;) {
        if (stopped(session)) {
            cancel(session);
            return error_set(err,
                             ERROR_STOPPED,
                             "stopped while waiting for the server");
        }
        struct pollfd ready = { .fd = PQsocket(session->connection), .events = events };
        if (ready.fd < 0)
            return lost(err);
        int n = poll(&ready, 1, NAP_MS);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return lost(err);
    }
}

void session_close(struct session *session)
{
    free(session->row);
    PQfinish(session->connection);
    session->row = NULL;
    session->row_capacity = 0;
    session->connection = NULL;
    session->copying = false;
}

bool session_is_there(struct session *session)
{
    if (!session->connection || PQsocket(session->connection) < 0)
        return false;
    struct pollfd ready = { .fd = PQsocket(session->connection), .events = POLLIN };
    if (poll(&ready, 1, 0) <= 0)
        return true;
    return PQconsumeInput(session->connection)
           && PQstatus(session->connection) == CONNECTION_OK;
}

/* The next result, NULL with *status 0 at the end of the statement, or -1. */
static PGresult *next_result(struct session *session, int *status, struct error *err)
{
    *status = 0;
    while (PQisBusy(session->connection)) {
        if (wait_ready(session, POLLIN, err)) {
            *status = -1;
            return NULL;
        }
        if (!PQconsumeInput(session->connection))
            break; /* PQgetResult says what is known */
    }
    return PQgetResult(session->connection);
}

/* Results up to the end of the statement; the first error is the one that counts. */
static int drain(struct session *session, PGresult **kept, struct error *err)
{
    int status = 0, failure = 0;
    PGresult *result;
    while ((result = next_result(session, &status, err))) {
        ExecStatusType kind = PQresultStatus(result);
        if (kind == PGRES_FATAL_ERROR || kind == PGRES_BAD_RESPONSE) {
            if (!failure)
                failed(session, result, err);
            failure = -1;
        } else if (kept && !*kept) {
            *kept = result;
            continue;
        }
        PQclear(result);
        if (kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH || kind == PGRES_COPY_IN)
            break; /* the copy comes first, which has not ended */
    }
    if (status == 0 && failure == 0 && PQstatus(session->connection) == CONNECTION_BAD)
        return lost(err);
    return status ? status : failure;
}

static int send(struct session *session,
                const char *statement,
                int n_params,
                const char *const *params,
                bool binary,
                struct error *err)
{
    if (!session->connection || session->copying)
        return lost(err);
    if (!PQsendQueryParams(session->connection,
                           statement,
                           n_params,
                           NULL,
                           params,
                           NULL,
                           NULL,
                           binary))
        return lost(err);
    return 0;
}

PGresult *session_run(struct session *session,
                      const char *statement,
                      int n_params,
                      const char *const *params,
                      bool binary,
                      struct error *err)
{
    PGresult *result = NULL;
    if (send(session, statement, n_params, params, binary, err))
        return NULL;
    if (drain(session, &result, err)) {
        PQclear(result);
        return NULL;
    }
    if (!result)
        lost(err);
    return result;
}

int session_do(struct session *session, const char *statement, struct error *err)
{
    PGresult *result = session_run(session, statement, 0, NULL, false, err);
    PQclear(result);
    return result ? 0 : -1;
}

static int begin_copy(struct session *session,
                      const char *statement,
                      ExecStatusType way,
                      struct error *err)
{
    int status;
    if (send(session, statement, 0, NULL, false, err))
        return -1;
    PGresult *result = next_result(session, &status, err);
    if (!result)
        return status ? -1 : lost(err);
    bool begun = PQresultStatus(result) == way;
    if (!begun)
        failed(session, result, err);
    PQclear(result);
    if (!begun)
        drain(session, NULL, NULL);
    return begun ? 0 : -1;
}

int session_copy_in(struct session *session, const char *statement, struct error *err)
{
    return begin_copy(session, statement, PGRES_COPY_IN, err);
}

int session_put(struct session *session,
                const void *bytes,
                int64_t n_bytes,
                struct error *err)
{
    if (PQputCopyData(session->connection, bytes, (int)n_bytes) == 1)
        return 0;
    return drain(session, NULL, err) ? -1 : lost(err);
}

int session_put_end(struct session *session, const char *why_not, struct error *err)
{
    int status = PQputCopyEnd(session->connection, why_not);
    if (drain(session, NULL, why_not ? NULL : err))
        return why_not ? 0 : -1;
    return status == 1 ? 0 : lost(err);
}

int session_copy(struct session *session, const char *statement, struct error *err)
{
    if (begin_copy(session, statement, PGRES_COPY_OUT, err))
        return -1;
    session->copying = true;
    session->n_looked = session->n_copied = 0;
    session->start_s = clock_wall_s();
    return 0;
}

static void gather(const struct session *session)
{
    double spent_s = clock_wall_s() - session->start_s;
    double nap_s =
        session->n_copied > 0 ? GATHER_BYTES * spent_s / (double)session->n_copied : 0;
    clock_sleep_s(nap_s > longest_nap_s    ? longest_nap_s
                  : nap_s < shortest_nap_s ? shortest_nap_s
                                           : nap_s);
}

static int resize_row(struct session *session, int capacity, struct error *err)
{
    char *row = realloc(session->row, (size_t)capacity);
    if (!row)
        return error_set(err,
                         ERROR_BUDGET,
                         "no memory for a row of %d bytes",
                         capacity);
    session->row = row;
    session->row_capacity = capacity;
    return 0;
}

/*
 * The next message that libpq has all of, into session->row: *n bytes, 0 not yet, -1 the end.
 * Unlike PQgetCopyData, PQgetlineAsync takes no memory for each; it gives as much as
 * there is room for, and does not say whether that was all.
 */
static int next_message(struct session *session, int *n, struct error *err)
{
    if (session->row_capacity != ROW_BYTES && resize_row(session, ROW_BYTES, err))
        return -1;
    *n = PQgetlineAsync(session->connection, session->row, ROW_BYTES);
    while (*n == session->row_capacity
           && !copy_is_whole((const uint8_t *)session->row, *n)) {
        if (*n > INT_MAX / 2 || resize_row(session, 2 * *n, err))
            return -1;
        int more = PQgetlineAsync(session->connection, session->row + *n, *n);
        if (more <= 0)
            return error_set(err, ERROR_FORMAT, "COPY: a row is cut off");
        *n += more;
    }
    return 0;
}

int session_copy_row(struct session *session,
                     const uint8_t **bytes,
                     int64_t *n_bytes,
                     struct error *err)
{
    if (!session->copying)
        return lost(err);
    int n, n_looks = 0, status;
    while ((status = next_message(session, &n, err)) == 0 && n == 0) {
        if (n_looks > 0 && wait_ready(session, POLLIN, err))
            return -1;
        if (n_looks == 0 && session->n_looked < FULL_BYTES)
            gather(session);
        n_looks++;
        session->n_looked = 0;
        if (!PQconsumeInput(session->connection)) {
            session->copying = false;
            return drain(session, NULL, err) ? -1 : lost(err);
        }
    }
    if (status)
        return -1;
    if (n > 0) {
        session->n_looked += n + MESSAGE_HEAD_BYTES;
        session->n_copied += n + MESSAGE_HEAD_BYTES;
        *bytes = (const uint8_t *)session->row;
        *n_bytes = n;
        return 1;
    }
    session->copying = false;
    return drain(session, NULL, err);
}

int session_copy_leave(struct session *session, bool cancel_it)
{
    if (!session->copying)
        return session->connection ? 0 : -1;
    if (stopped(session)) /* nothing is read any more: the caller closes */
        return -1;
    if (cancel_it && !cancel(session))
        return -1;
    const uint8_t *bytes;
    int64_t n_bytes;
    while (session_copy_row(session, &bytes, &n_bytes, NULL) == 1)
        ;
    return !session->copying && PQstatus(session->connection) == CONNECTION_OK ? 0 : -1;
}
