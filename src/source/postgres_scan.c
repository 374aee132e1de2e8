#include <stdlib.h>

#include "postgres.h"

int postgres_blocks(struct postgres *postgres,
                    const struct postgres_table *table,
                    int64_t *n,
                    struct error *err)
{
    static const char *const statement =
        "SELECT CASE WHEN relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(oid)"
        " / current_setting('block_size')::int8 ELSE 0 END"
        " FROM pg_catalog.pg_class WHERE oid = $1::oid";
    const char *params[] = { table->oid };
    PGresult *result =
        session_run(&postgres->session, statement, 1, params, false, err);
    if (!result)
        return -1;
    *n = PQntuples(result) == 1 ? atoll(PQgetvalue(result, 0, 0)) : 0;
    PQclear(result);
    return 0;
}

/* The rows of one part: a range of blocks, the last one open, since the table may have
 * grown; all of a table without blocks belongs to the first part. */
static int add_part(struct postgres *postgres,
                    const struct postgres_table *table,
                    int part,
                    int n_parts,
                    struct sql *sql,
                    struct error *err)
{
    int64_t n;
    if (n_parts == 1)
        return 0;
    if (postgres_blocks(postgres, table, &n, err))
        return -1;
    if (n == 0) {
        sql_add(sql, " AND %s", part == 0 ? "true" : "false");
        return 0;
    }
    sql_add(sql,
            " AND %s.ctid >= '(%lld,0)'",
            table->alias,
            (long long)(n * part / n_parts));
    if (part < n_parts - 1)
        sql_add(sql,
                " AND %s.ctid < '(%lld,0)'",
                table->alias,
                (long long)(n * (part + 1) / n_parts));
    return 0;
}

static void
add_own(struct sql *sql, const struct postgres_table *table, const char *column)
{
    sql_add(sql, "%s.", table->alias);
    sql_identifier(sql, column);
}

/* A zone without geometry is still a zone. */
static void add_geometry(const struct postgres *postgres,
                         const struct postgres_table *table,
                         struct sql *sql)
{
    bool is_zone = table == &postgres->zones;
    sql_add(sql, is_zone ? "COALESCE(" : "");
    add_own(sql, table, table->geometry);
    if (is_zone)
        sql_add(sql,
                ", %sST_GeomFromText('POLYGON EMPTY', %d))",
                postgres->postgis,
                (int)postgres->base.schema.srid);
}

static int scan_sql(struct postgres *postgres,
                    const struct postgres_table *table,
                    const struct binding *binding,
                    int part,
                    int n_parts,
                    struct sql *sql,
                    struct error *err)
{
    struct sql id = { 0 };
    struct copy_shape shape = { .srid = postgres->base.schema.srid };
    add_own(&id, table, table->id);
    sql_add(sql, "COPY (SELECT ");
    if (id.text)
        postgres_add_value(sql, id.text, binding->id_type);
    sql_add(sql, ", ");
    add_geometry(postgres, table, sql);
    for (int i = 0; i < binding->n_slots; i++) {
        const struct slot *slot = &binding->slots[i];
        if (slot->origin != SLOT_SOURCE)
            continue;
        sql_add(sql, ", ");
        postgres_add_value(sql, slot->sql, slot->type);
        shape.slot[shape.n_columns++] = i;
    }
    sql_add(sql,
            " FROM %s %s WHERE (%s)",
            table->sql,
            table->alias,
            binding->source_filter ? binding->source_filter : "true");
    int status = id.text ? add_part(postgres, table, part, n_parts, sql, err)
                         : error_set(err, ERROR_BUDGET, "no memory for a statement");
    sql_add(sql, ") TO STDOUT (FORMAT binary)");
    sql_release(&id);
    postgres->shape = shape;
    return status || !sql_end(sql, err) ? -1 : 0;
}

int postgres_scan(struct source *source,
                  enum source_table table,
                  const struct binding *binding,
                  int part,
                  int n_parts,
                  struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    const struct postgres_table *from =
        table == SOURCE_ZONES ? &postgres->zones : &postgres->buildings;
    struct sql sql = { 0 };
    int status = scan_sql(postgres, from, binding, part, n_parts, &sql, err);
    postgres->started = false;
    postgres->pending = NULL;
    if (status == 0 && session_copy(&postgres->session, sql.text, err))
        status = error_prefix(err, "%s", from->name);
    sql_release(&sql);
    return status;
}
