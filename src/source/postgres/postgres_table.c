#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/nearest.h"

#include "postgres.h"

/* "[zones] table: no table 'x': did you mean 'y'?" */
static int no_table(struct postgres *postgres,
                    const struct postgres_table *table,
                    struct error *err)
{
    /* bare names where they are in reach, with their schema where asked with one */
    static const char *const statement =
        "SELECT CASE WHEN position('.' in $1) > 0"
        " THEN pg_catalog.format('%I.%I', nspname, relname)"
        " ELSE pg_catalog.quote_ident(relname) END"
        " FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND nspname !~ '^pg_'"
        " AND nspname <> 'information_schema'"
        " AND (position('.' in $1) > 0 OR pg_catalog.pg_table_is_visible(c.oid))"
        " ORDER BY 1 LIMIT 10000";
    const char *params[] = { table->name }, *nearest = NULL;
    PGresult *result =
        session_run(&postgres->session, statement, 1, params, false, err);
    if (!result)
        return -1;
    int n = PQntuples(result);
    const char **names = calloc((size_t)n + 1, sizeof *names);
    for (int i = 0; names && i < n; i++)
        names[i] = PQgetvalue(result, i, 0);
    if (names)
        nearest = nearest_word(table->name, names, n);
    error_set(err,
              ERROR_USAGE,
              nearest ? "[%s] table: no table '%s': did you mean '%s'?"
                      : "[%s] table: no table '%s': check its name and schema, and "
                        "the database of [source] connection",
              table->section,
              table->name,
              nearest);
    free(names);
    PQclear(result);
    return -1;
}

static int
set_table(struct postgres_table *table, const PGresult *found, struct error *err)
{
    struct sql sql = { 0 };
    snprintf(table->oid, sizeof table->oid, "%s", PQgetvalue(found, 0, 0));
    table->kind = PQgetvalue(found, 0, 3)[0];
    table->n_blocks = atoll(PQgetvalue(found, 0, 4));
    sql_identifier(&sql, PQgetvalue(found, 0, 1));
    sql_add(&sql, ".");
    sql_identifier(&sql, PQgetvalue(found, 0, 2));
    table->sql = sql.text;
    if (!sql_end(&sql, err))
        return -1;
    if (!strchr("rvmpf", table->kind))
        return error_set(err,
                         ERROR_USAGE,
                         "[%s] table: '%s' is neither a table nor a view",
                         table->section,
                         table->name);
    return 0;
}

int postgres_find_table(struct postgres *postgres,
                        struct postgres_table *table,
                        struct error *err)
{
    static const char *const statement =
        "SELECT c.oid, n.nspname, c.relname, c.relkind, CASE WHEN relkind IN ('r', 'm')"
        " AND pg_catalog.has_column_privilege(c.oid, 'ctid'::pg_catalog.text, 'SELECT')"
        " THEN pg_catalog.pg_relation_size(c.oid)"
        " OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::bigint"
        " ELSE 0 END FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = pg_catalog.to_regclass($1)";
    const char *params[] = { table->name };
    PGresult *result =
        session_run(&postgres->session, statement, 1, params, false, err);
    if (!result)
        return error_prefix(err, "[%s] table: '%s'", table->section, table->name);
    int status = PQntuples(result) == 0 ? no_table(postgres, table, err)
                                        : set_table(table, result, err);
    PQclear(result);
    return status;
}
