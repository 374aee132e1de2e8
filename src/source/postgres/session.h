/*
 * One connection to PostgreSQL that never blocks for long: every wait asks stop() at
 * least every 0.2 s. Statements go through the extended protocol, one at a time.
 *
 * Failures of all calls
 *     ERROR_SOURCE   connection lost, refused, out of resources, cancelled
 *     ERROR_USAGE    a name, type or permission that does not fit
 *     ERROR_DATA     a value that cannot be computed: a retry fails again
 *     ERROR_STOPPED  stop() said so; what ran is cancelled
 *   The text is the server's primary message, one line; never a conninfo.
 */
#ifndef ROOFTALLY_SOURCE_SESSION_H
#define ROOFTALLY_SOURCE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "rooftally/base/error.h"

struct session {
    PGconn *connection; /* NULL: closed */
    bool (*stop)(void *context);
    void *stop_context;
    bool copying; /* between session_copy and its end */
    char *row;    /* of session_copy_row */
    int row_capacity;
    int64_t n_looked; /* bytes of rows, of what the last look at the socket brought */
    int64_t n_copied; /* bytes of rows of this copy so far */
    double start_s;   /* of this copy */
    char state[6];    /* SQLSTATE of the last statement that the server refused */
};

/*
 * Connect, with a time limit and keepalives unless the user chose others.
 *
 * conninfo          that conninfo_check has passed
 * application_name  where the user chose none
 * Returns           0, or -1: ERROR_SOURCE has the first line of libpq's reason, which
 *                   names the host
 */
int session_connect(struct session *session,
                    const char *conninfo,
                    const char *application_name,
                    struct error *err);
void session_close(struct session *session);

/* Whether an idle connection is still there, as far as this side knows; does not wait. */
bool session_is_there(struct session *session);

/*
 * Run one statement to its end.
 *
 * params   texts, or NULL for null; their types are what the statement asks for
 * Returns  the result (rows, or none), which the caller clears; NULL on failure
 */
PGresult *session_run(struct session *session,
                      const char *statement,
                      int n_params,
                      const char *const *params,
                      bool binary,
                      struct error *err);
/* As session_run, for a statement whose result does not matter: 0 or -1. */
int session_do(struct session *session, const char *statement, struct error *err);

/*
 * Start "COPY ... FROM STDIN"; send some of it, which waits as long as the server takes
 * to read it; end it, or, with a reason, give it up, which is no failure. 0 or -1.
 */
int session_copy_in(struct session *session, const char *statement, struct error *err);
int session_put(struct session *session,
                const void *bytes,
                int64_t n_bytes,
                struct error *err);
int session_put_end(struct session *session, const char *why_not, struct error *err);

/* Start "COPY ... TO STDOUT". */
int session_copy(struct session *session, const char *statement, struct error *err);

/*
 * The next message of the copy.
 *
 * Owner    bytes are valid until the next call
 * Returns  1, 0 at its end, -1 failed
 */
int session_copy_row(struct session *session,
                     const uint8_t **bytes,
                     int64_t *n_bytes,
                     struct error *err);

/*
 * Leave a copy before its end. `cancel` ends it on the server, which aborts the
 * transaction; without, what is left is read and dropped, unless stop() says that there
 * is no time. Returns 0 when the connection can be used again.
 */
int session_copy_leave(struct session *session, bool cancel);

#endif
