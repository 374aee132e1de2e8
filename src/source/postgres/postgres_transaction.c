#include <stdio.h>
#include <string.h>

#include "conninfo.h"
#include "postgres.h"
#include "postgres_probe.h"

/*
 * What every statement of ours needs, whatever the user's or the role's settings are.
 * A timeout that is meant for others would end each try alike. The ranks are the
 * parallelism, so no statement asks for workers of its own; a
 * statement runs for less than compiling it would take.
 */
static int settings(struct postgres *postgres, bool local, struct error *err)
{
    static const char *const statement =
        "SELECT pg_catalog.set_config(v.name, v.value, $1::boolean) FROM (VALUES"
        " ('jit', 'off'), ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'),"
        " ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),"
        " ('bytea_output', 'hex'), ('standard_conforming_strings', 'on'),"
        " ('statement_timeout', '0'), ('lock_timeout', '0'),"
        " ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),"
        " ('max_parallel_workers_per_gather', '0'),"
        " ('default_transaction_read_only', 'on')) v(name, value)"
        " WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL";
    const char *params[] = { local ? "true" : "false" };
    PGresult *result =
        session_run(&postgres->session, statement, 1, params, false, err);
    PQclear(result);
    return result ? 0 : -1;
}

static int gone(const char *snapshot, struct error *err)
{
    return error_set(err,
                     ERROR_GONE,
                     "the shared snapshot %s is gone with the session that exported it "
                     "(server restarted, or connection ended): go on under a new one, "
                     "or "
                     "set snapshot = none",
                     snapshot);
}

static int import(struct postgres *postgres, const char *snapshot, struct error *err)
{
    char statement[128];
    if (strlen(snapshot) >= sizeof postgres->base.snapshot
        || strspn(snapshot, "0123456789ABCDEFabcdef-") != strlen(snapshot))
        return error_set(err, ERROR_INTERNAL, "'%s' names no snapshot", snapshot);
    snprintf(statement, sizeof statement, "SET TRANSACTION SNAPSHOT '%s'", snapshot);
    struct error why = { ERROR_NONE, "" };
    if (session_do(&postgres->session, statement, &why)) {
        /* the server has words for this that differ by version, but it is no failure of
         * the connection */
        if (why.code != ERROR_STOPPED && why.code != ERROR_SOURCE)
            return gone(snapshot, err);
        if (err)
            *err = why;
        return -1;
    }
    strcpy(postgres->base.snapshot, snapshot);
    return 0;
}

static int export(struct postgres *postgres, struct error *err)
{
    PGresult *result = session_run(&postgres->session,
                                   "SELECT pg_catalog.pg_export_snapshot()",
                                   0,
                                   NULL,
                                   false,
                                   err);
    if (!result)
        return error_prefix(err, "no snapshot to share (snapshot = none does without)");
    snprintf(postgres->base.snapshot,
             sizeof postgres->base.snapshot,
             "%s",
             PQgetvalue(result, 0, 0));
    PQclear(result);
    postgres->exports = true;
    return session_do(&postgres->session, "SAVEPOINT rooftally", err);
}

/* What failed on the server since the snapshot was exported is undone, and it lives on;
 * were the transaction itself aborted, it would be gone. */
static int go_back(struct postgres *postgres, struct error *err)
{
    if (session_copy_leave(&postgres->session, true)
        || !session_is_there(&postgres->session)
        || session_do(&postgres->session, "ROLLBACK TO SAVEPOINT rooftally", err))
        return -1;
    return postgres_use_index(postgres, postgres->index_only, err);
}

int postgres_begin(struct postgres *postgres, const char *snapshot, struct error *err)
{
    if (postgres->job->snapshot == SNAPSHOT_NONE)
        return settings(postgres, false, err);
    if (session_do(&postgres->session,
                   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                   err))
        return -1;
    if (snapshot && *snapshot && import(postgres, snapshot, err))
        return -1;
    if (settings(postgres, true, err))
        return -1;
    return snapshot && *snapshot ? 0 : export(postgres, err);
}

int postgres_connect(struct postgres *postgres, struct error *err)
{
    char name[32];
    const char *conninfo = postgres->job->connection;
    struct error why = { ERROR_NONE, "" };
    snprintf(name, sizeof name, "rooftally rank %d", postgres->rank);
    if (conninfo_check(conninfo, err))
        return error_prefix(err, "[source] connection");
    if (session_connect(&postgres->session, conninfo, name, &why) == 0)
        return 0;
    if (why.code != ERROR_SOURCE)
        return error_set(err, why.code, "%s", why.text);
    return error_set(err,
                     ERROR_SOURCE,
                     "[source] connection: %s: check it, and that the server has one "
                     "free for every rank",
                     why.text);
}

int postgres_reopen(struct source *source, struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    char snapshot[sizeof source->snapshot];
    postgres->started = false;
    postgres->pending = NULL;
    if (postgres->exports && go_back(postgres, err) == 0)
        return 0;
    session_close(&postgres->session);
    if (postgres->exports)
        return gone(source->snapshot, err);
    memcpy(snapshot, source->snapshot, sizeof snapshot);
    if (postgres_connect(postgres, err) || postgres_begin(postgres, snapshot, err)
        || postgres_use_index(postgres, postgres->index_only, err)) {
        session_close(&postgres->session);
        return -1;
    }
    return 0;
}

int postgres_check(struct source *source, struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    if (!postgres->exports || session_is_there(&postgres->session))
        return 0;
    gone(source->snapshot, err);
    if (err)
        err->code = ERROR_SOURCE;
    return -1;
}

void postgres_rest(struct source *source)
{
    struct postgres *postgres = (struct postgres *)source;
    session_close(&postgres->session);
    postgres->exports = false;
}
