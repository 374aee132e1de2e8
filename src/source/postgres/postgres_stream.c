#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres.h"

void postgres_add_value(struct sql *sql, const char *value, enum value_type type)
{
    static const char *const casts[] = {
        [TYPE_NULL] = "pg_catalog.text", [TYPE_BOOLEAN] = "boolean",
        [TYPE_INTEGER] = "bigint",       [TYPE_REAL] = "double precision",
        [TYPE_TEXT] = "pg_catalog.text", [TYPE_DATE] = "pg_catalog.date",
        [TYPE_TIMESTAMP] = "timestamp",
    };
    sql_add(sql, "(%s)::%s", value, casts[type]);
}

/*
 * A building that fails the filter still has to be counted, so the filter does not
 * choose rows: it blanks them. Every value is behind it, so that a computed field is
 * not computed, and cannot overflow, for a building that is filtered out.
 */
static void
add_column(struct sql *sql, const char *filter, const char *value, enum value_type type)
{
    if (filter)
        sql_add(sql, "CASE WHEN (%s) THEN ", filter);
    if (type == TYPE_NULL)
        sql_add(sql, "%s", value);
    else
        postgres_add_value(sql, value, type);
    if (filter)
        sql_add(sql, " END");
}

static void add_own_column(struct sql *sql,
                           const char *filter,
                           const char *name,
                           enum value_type type)
{
    struct sql value = { 0 };
    sql_add(&value, "b.");
    sql_identifier(&value, name);
    if (value.failed)
        sql->failed = true;
    else
        add_column(sql, filter, value.text, type);
    sql_release(&value);
}

/* Whether the server computes a number for it, or makes one of a type that holds more. */
static bool may_overflow(const struct binding *binding, const struct slot *slot)
{
    if (slot->origin != SLOT_SOURCE
        || (slot->type != TYPE_REAL && slot->type != TYPE_INTEGER))
        return false;
    if (!slot->column)
        return true;
    const struct source_column *column =
        source_columns_find(binding->columns, slot->column);
    return column && slot->type == TYPE_REAL && strcmp(column->type_name, "real") != 0
           && strcmp(column->type_name, "double precision") != 0;
}

/* "volume, where": a number that is out of range may be of any of them. */
void postgres_list_numbers(struct postgres *postgres, const struct binding *binding)
{
    char *to = postgres->numbers;
    size_t n = 0, n_most = sizeof postgres->numbers;
    *to = '\0';
    for (int i = 0; i < binding->n_slots && n < n_most; i++)
        if (may_overflow(binding, &binding->slots[i]))
            n += (size_t)snprintf(to + n,
                                  n_most - n,
                                  "%s%s",
                                  n ? ", " : "",
                                  binding->slots[i].name);
    if (binding->source_filter && n < n_most)
        snprintf(to + n, n_most - n, "%s%s", n ? ", " : "", "where");
}

/* The server does not say which value it was that it failed at. */
int postgres_name_place(const struct postgres *postgres, struct error *err)
{
    static const char out_of_range[] = "22003";
    const struct postgres_table *table =
        postgres->shape.is_zone ? &postgres->zones : &postgres->buildings;
    if (!err)
        return -1;
    bool is_number = err->code == ERROR_DATA && *postgres->numbers
                     && strcmp(postgres->session.state, out_of_range) == 0;
    /* what a column holds is cast before any use of it; in what is computed the server
     * has no type to name */
    bool is_cast = strstr(err->text, "double precision") != NULL;
    if (is_number)
        error_set(err,
                  err->code,
                  "%s, in [%s] %s: %s",
                  err->text,
                  table->section,
                  postgres->numbers,
                  is_cast ? "a view can make such values null, or leave their rows out"
                          : "leave such rows out by where");
    return error_prefix(err, "%s", table->name);
}

/*
 * The cover is an array that the planner cannot see through: it would ask PostGIS's
 * estimator about every box of a constant, which takes longer than reading many a zone.
 * The executor descends the index once a box and joins the answers in a bitmap, so each
 * building comes once.
 */
int postgres_bind(struct source *source,
                  const struct binding *binding,
                  struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    const struct postgres_table *table = &postgres->buildings;
    struct sql *sql = &postgres->statement;
    const char *filter = binding->source_filter;
    struct copy_shape shape = { .srid = postgres->base.schema.srid };

    postgres->filter = filter;
    postgres_list_numbers(postgres, binding);
    sql_reset(sql);
    sql_add(sql, "COPY (SELECT ");
    add_own_column(sql, filter, table->id, binding->id_type);
    sql_add(sql, ", ");
    add_own_column(sql, filter, table->geometry, TYPE_NULL);
    for (int i = 0; i < binding->n_slots; i++) {
        const struct slot *slot = &binding->slots[i];
        if (slot->origin != SLOT_SOURCE)
            continue;
        sql_add(sql, ", ");
        add_column(sql, filter, slot->sql, slot->type);
        shape.slot[shape.n_columns++] = i;
    }
    sql_add(sql, " FROM %s b WHERE b.", table->sql);
    sql_identifier(sql, table->geometry);
    sql_add(sql, " OPERATOR(%s&&) ANY ((SELECT '{", postgres->postgis);
    if (!sql_end(sql, err))
        return -1;
    postgres->n_prefix = sql->n;
    postgres->shape = shape;
    return 0;
}

const char *postgres_buildings_sql(struct postgres *postgres,
                                   const struct box *boxes,
                                   int n,
                                   struct error *err)
{
    struct sql *sql = &postgres->statement;
    char hex[BOX_HEX_BYTES];
    sql->n = postgres->n_prefix;
    for (int i = 0; i < n; i++) {
        postgres_box_hex(hex, &boxes[i], postgres->base.schema.srid);
        sql_add(sql, "%s%s", i > 0 ? ":" : "", hex);
    }
    sql_add(sql,
            "}'::%sgeometry[])::%sgeometry[])) TO STDOUT (FORMAT binary)",
            postgres->postgis,
            postgres->postgis);
    return sql_end(sql, err);
}

int postgres_buildings(struct source *source,
                       const struct zone *zone,
                       struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    struct box boxes[COVER_MAX];
    /* a building that is repaired may reach beyond the box that it has so far */
    bool is_whole = postgres->job->predicate == PREDICATE_INTERSECTS
                    && postgres->job->invalid == INVALID_REPAIR;
    int n = zone_cover(zone, boxes, is_whole ? 1 : COVER_MAX, COVER_COST);
    postgres->started = false;
    postgres->pending = NULL;
    if (n == 0) /* an empty zone has no candidates and no stream */
        return 0;
    const char *statement = postgres_buildings_sql(postgres, boxes, n, err);
    if (!statement)
        return -1;
    if (session_copy(&postgres->session, statement, err))
        return postgres_name_place(postgres, err);
    return 0;
}

/* The next row, skipping header and trailer: 1, 0 at the end, -1. */
static int next_row(struct postgres *postgres,
                    const uint8_t **bytes,
                    int64_t *n_bytes,
                    struct error *err)
{
    int status = session_copy_row(&postgres->session, bytes, n_bytes, err);
    if (status < 0)
        return postgres_name_place(postgres, err);
    if (status == 1 && !postgres->started) {
        int64_t n = copy_header(*bytes, *n_bytes, err);
        if (n < 0)
            return -1;
        postgres->started = true;
        *bytes += n;
        *n_bytes -= n;
        if (*n_bytes == 0)
            return next_row(postgres, bytes, n_bytes, err);
    }
    return status;
}

/* Put one message into the batch: 1, 0 when it has to wait for the next batch, -1. */
static int add_row(struct postgres *postgres,
                   const uint8_t *bytes,
                   int64_t n_bytes,
                   struct batch *batch,
                   struct error *err)
{
    struct copy_field fields[COPY_MAX_FIELDS];
    int n_fields = postgres->shape.n_columns + 2;
    if (!postgres->shape.is_zone && copy_is_null(bytes, n_bytes, n_fields)) {
        batch->n_filtered++;
        batch->n_read += n_bytes;
        return 1;
    }
    int status = copy_row(bytes, n_bytes, fields, n_fields, err);
    if (status <= 0)
        return status < 0 ? -1 : 1; /* the trailer takes no room */
    status = copy_add(fields, &postgres->shape, batch, err);
    if (status == 1)
        batch->n_read += n_bytes;
    return status;
}

int postgres_next(struct source *source, struct batch *batch, struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    const uint8_t *bytes = postgres->pending;
    int64_t n_bytes = postgres->n_pending;
    batch_reset(batch);
    if (!bytes && !postgres->session.copying)
        return 0;
    /* a long run of filtered buildings gives the caller a turn as well */
    while (batch->n_filtered < 4 * (int64_t)batch->capacity) {
        int status = bytes ? 1 : next_row(postgres, &bytes, &n_bytes, err);
        if (status < 0)
            return -1;
        if (status == 0)
            break;
        status = add_row(postgres, bytes, n_bytes, batch, err);
        postgres->pending = status == 0 ? bytes : NULL;
        postgres->n_pending = n_bytes;
        if (status < 0)
            return -1;
        if (status == 0)
            break;
        bytes = NULL;
    }
    return batch->n_rows > 0 || batch->n_filtered > 0;
}

/* Cancelling aborts the transaction, so a rank that holds a snapshot reads on to the
 * end of the zone instead. */
void postgres_cancel(struct source *source)
{
    struct postgres *postgres = (struct postgres *)source;
    postgres->pending = NULL;
    if (session_copy_leave(&postgres->session, !*source->snapshot))
        session_close(&postgres->session); /* every later call says that it is lost */
}

void postgres_box_hex(char hex[BOX_HEX_BYTES], const struct box *box, int32_t srid)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[EWKB_BOX_BYTES];
    int64_t n = ewkb_put_box(bytes, box, srid);
    for (int64_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * n] = '\0';
}
