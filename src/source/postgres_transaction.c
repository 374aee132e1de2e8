#include <stdio.h>
#include <string.h>

#include "postgres.h"

/*
 * What every statement of ours needs, whatever the user's or the role's settings are.
 * The ranks are the parallelism, so no statement asks for workers of its own; a
 * statement runs for less than compiling it would take.
 */
static int settings(struct postgres *postgres, bool local, struct error *err)
{
    static const char *const statement =
        "SELECT set_config(s.name, v.value, $1::bool) FROM (VALUES"
        " ('jit', 'off'), ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'),"
        " ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),"
        " ('bytea_output', 'hex'), ('standard_conforming_strings', 'on'),"
        " ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),"
        " ('max_parallel_workers_per_gather', '0'),"
        " ('default_transaction_read_only', 'on')) v(name, value)"
        " JOIN pg_catalog.pg_settings s ON lower(s.name) = lower(v.name)";
    const char *params[] = { local ? "true" : "false" };
    PGresult *result =
        session_run(&postgres->session, statement, 1, params, false, err);
    PQclear(result);
    return result ? 0 : -1;
}

static int import(struct postgres *postgres, const char *snapshot, struct error *err)
{
    char statement[128];
    if (strlen(snapshot) >= sizeof postgres->base.snapshot
        || strspn(snapshot, "0123456789ABCDEFabcdef-") != strlen(snapshot))
        return error_set(err, ERROR_INTERNAL, "'%s' names no snapshot", snapshot);
    snprintf(statement, sizeof statement, "SET TRANSACTION SNAPSHOT '%s'", snapshot);
    if (session_do(&postgres->session, statement, err)) {
        /* the server has words for this that differ by version */
        if (err && err->code != ERROR_STOPPED)
            err->code = ERROR_SOURCE;
        return error_prefix(err, "the shared snapshot %s is gone", snapshot);
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
    return 0;
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
