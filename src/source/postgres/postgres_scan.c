#include "postgres.h"
#include "postgres_probe.h"

/*
 * The rows of one part: a range of blocks, the last one open, since the table may have
 * grown; all of a table without blocks belongs to the first part. The blocks are as the
 * first rank has found them: a number asked for again would part the table otherwise.
 */
static void
add_part(const struct postgres_table *table, int part, int n_parts, struct sql *sql)
{
    int64_t n = table->n_blocks;
    if (n_parts == 1)
        return;
    if (n == 0) {
        sql_add(sql, " AND %s", part == 0 ? "true" : "false");
        return;
    }
    sql_add(sql,
            " AND %s.ctid OPERATOR(pg_catalog.>=) '(%lld,0)'",
            table->alias,
            (long long)(n * part / n_parts));
    if (part < n_parts - 1)
        sql_add(sql,
                " AND %s.ctid OPERATOR(pg_catalog.<) '(%lld,0)'",
                table->alias,
                (long long)(n * (part + 1) / n_parts));
}

static void
add_own(struct sql *sql, const struct postgres_table *table, const char *column)
{
    sql_add(sql, "%s.", table->alias);
    sql_identifier(sql, column);
}

int postgres_scan_sql(struct postgres *postgres,
                      const struct postgres_table *table,
                      const struct binding *binding,
                      int part,
                      int n_parts,
                      struct sql *sql,
                      struct error *err)
{
    struct sql id = { 0 };
    struct copy_shape shape = { .is_zone = table == &postgres->zones,
                                .srid = postgres->base.schema.srid };
    add_own(&id, table, table->id);
    sql_add(sql, "COPY (SELECT ");
    if (id.text)
        postgres_add_value(sql, id.text, binding->id_type);
    sql_add(sql, ", ");
    add_own(sql, table, table->geometry);
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
    add_part(table, part, n_parts, sql);
    sql_add(sql, ") TO STDOUT (FORMAT binary)");
    bool failed = id.failed;
    sql_release(&id);
    postgres->shape = shape;
    postgres_list_numbers(postgres, binding);
    if (failed)
        return error_set(err, ERROR_BUDGET, "no memory for a statement");
    return sql_end(sql, err) ? 0 : -1;
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
    int status = postgres_scan_sql(postgres, from, binding, part, n_parts, &sql, err);
    postgres->started = false;
    postgres->pending = NULL;
    if (status == 0)
        status = postgres_use_scan(postgres, err);
    if (status == 0 && session_copy(&postgres->session, sql.text, err))
        status = postgres_name_place(postgres, err);
    sql_release(&sql);
    return status;
}
