#include <stdlib.h>
#include <string.h>

#include "postgres.h"
#include "postgres_probe.h"
#include "zone_filter.h"
#include "zone_list.h"

/*
 * The fields of a zone in the list. NPoints of an empty geometry is 0. The geometry
 * itself comes only where its area is filtered on.
 */
enum {
    ID,
    SHAPE,
    SRID,
    XMIN,
    YMIN,
    XMAX,
    YMAX,
    N_POINTS,
    SELECTIVITY,
    GEOMETRY,
    N_FIELDS
};

static void add_where(const char *filter, struct sql *sql)
{
    if (filter)
        sql_add(sql, " WHERE (%s)", filter);
}

int postgres_zones_sql(struct postgres *postgres,
                       const char *filter,
                       bool with_geometry,
                       struct sql *sql,
                       struct error *err)
{
    const char *gis = postgres->postgis;
    bool statistics;
    if (postgres_probe_statistics(postgres, &statistics, err))
        return -1;
    sql_reset(sql);
    sql_add(sql, "COPY (SELECT z.");
    sql_identifier(sql, postgres->zones.id);
    sql_add(sql,
            "::pg_catalog.text, %sST_GeometryType(s.g), %sST_SRID(s.g), "
            "%sST_XMin(s.g), "
            "%sST_YMin(s.g), %sST_XMax(s.g), %sST_YMax(s.g), "
            "%sST_NPoints(s.g)::bigint, ",
            gis,
            gis,
            gis,
            gis,
            gis,
            gis,
            gis);
    if (statistics) {
        /* which fails on a geometry without a box */
        sql_add(sql,
                "CASE WHEN %sST_XMin(s.g) OPERATOR(pg_catalog.<=) %sST_XMax(s.g) THEN "
                "%s_postgis_selectivity(",
                gis,
                gis,
                gis);
        sql_literal(sql, postgres->buildings.oid);
        sql_add(sql, "::pg_catalog.regclass, ");
        sql_literal(sql, postgres->buildings.geometry);
        sql_add(sql, ", s.g)::double precision END");
    } else {
        sql_add(sql, "NULL::double precision");
    }
    sql_add(sql, with_geometry ? ", s.g" : ", NULL::pg_catalog.bytea");
    /* the new value that ST_Force2D makes is read from its toast table once; OFFSET keeps
     * the planner from writing it out at every use */
    sql_add(sql,
            " FROM %s z, LATERAL (SELECT %sST_Force2D(z.",
            postgres->zones.sql,
            gis);
    sql_identifier(sql, postgres->zones.geometry);
    sql_add(sql, ") AS g OFFSET 0) s");
    add_where(filter, sql);
    /* bytewise as they come, whatever the encoding that they are kept in */
    sql_add(sql, " ORDER BY pg_catalog.convert_to(z.");
    sql_identifier(sql, postgres->zones.id);
    sql_add(sql, "::pg_catalog.text, 'UTF8')) TO STDOUT (FORMAT binary)");
    return sql_end(sql, err) ? 0 : -1;
}

/* How many zones there are at most, and how long their ids are. */
static int count_zones(struct postgres *postgres,
                       const char *filter,
                       int64_t *n,
                       int64_t *id_bytes,
                       struct error *err)
{
    struct sql sql = { 0 };
    PGresult *result = NULL;
    /* the server may keep text in an encoding with shorter characters than UTF-8 */
    sql_add(&sql,
            "SELECT pg_catalog.count(*), coalesce(pg_catalog.max("
            "pg_catalog.octet_length(pg_catalog.convert_to(z.");
    sql_identifier(&sql, postgres->zones.id);
    sql_add(&sql, "::pg_catalog.text, 'UTF8'))), 1) FROM %s z", postgres->zones.sql);
    add_where(filter, &sql);
    if (sql_end(&sql, err))
        result = session_run(&postgres->session, sql.text, 0, NULL, false, err);
    sql_release(&sql);
    if (!result)
        return -1;
    *n = atoll(PQgetvalue(result, 0, 0));
    *id_bytes = atoll(PQgetvalue(result, 0, 1));
    PQclear(result);
    return 0;
}

static double real(const struct copy_field *field)
{
    return field->n == 8 ? copy_float8(field->bytes) : -1;
}

static int read_zone(const struct postgres *postgres,
                     const struct copy_field *fields,
                     struct zone_row *row,
                     struct error *err)
{
    static const char *const shapes[] = { "ST_Polygon", "ST_MultiPolygon" };
    const struct copy_field *id = &fields[ID], *shape = &fields[SHAPE];
    *row = (struct zone_row){ .box = box_none(), .estimate = -1 };
    if (id->n >= 0)
        row->id = (struct text){ (const char *)id->bytes, id->n };
    if (shape->n < 0)
        return 0;
    bool is_polygon = false;
    for (int i = 0; i < 2; i++)
        is_polygon |= (size_t)shape->n == strlen(shapes[i])
                      && memcmp(shape->bytes, shapes[i], (size_t)shape->n) == 0;
    if (!is_polygon)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] geometry: zone '%.*s' is not a polygon but %.*s",
                         (int)row->id.n,
                         row->id.bytes ? row->id.bytes : "",
                         (int)shape->n,
                         (const char *)shape->bytes);
    if (fields[XMIN].n != 8) /* empty */
        return 0;
    int32_t srid = fields[SRID].n == 4 ? copy_int32(fields[SRID].bytes) : 0;
    if (srid != postgres->base.schema.srid)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] geometry: zone '%.*s' is in SRID %d, others in SRID "
                         "%d: transform it (ST_Transform)",
                         row->id.n < 60 ? (int)row->id.n : 60,
                         row->id.bytes ? row->id.bytes : "",
                         srid,
                         postgres->base.schema.srid);
    row->box = (struct box){ real(&fields[XMIN]),
                             real(&fields[YMIN]),
                             real(&fields[XMAX]),
                             real(&fields[YMAX]) };
    row->n_vertices = fields[N_POINTS].n == 8 ? copy_int64(fields[N_POINTS].bytes) : 0;
    if (fields[SELECTIVITY].n == 8 && postgres->base.schema.n_buildings >= 0)
        row->estimate = real(&fields[SELECTIVITY]) * postgres->base.schema.n_buildings;
    return 0;
}

/* What zones are read through. */
struct reading {
    struct zone_list list;
    int64_t n_most;
    const struct expression *local;
    struct memory *memory;
};

static int add_zone(struct postgres *postgres,
                    struct reading *reading,
                    const struct copy_field *fields,
                    struct error *err)
{
    struct zone_row row;
    const struct copy_field *geometry = &fields[GEOMETRY];
    struct text wkb = { (const char *)geometry->bytes,
                        geometry->n > 0 ? geometry->n : 0 };
    int passes = zone_filter(reading->local,
                             &postgres->base.schema.crs,
                             wkb,
                             NULL,
                             reading->memory,
                             err);
    if (passes <= 0)
        return passes;
    if (read_zone(postgres, fields, &row, err))
        return -1;
    return zone_list_add(&reading->list, reading->n_most, &row, err);
}

static int
read_list(struct postgres *postgres, struct reading *reading, struct error *err)
{
    struct copy_field fields[N_FIELDS];
    const uint8_t *bytes;
    int64_t n_bytes;
    int status;
    bool first = true;
    while ((status = session_copy_row(&postgres->session, &bytes, &n_bytes, err))
           == 1) {
        int64_t at = first ? copy_header(bytes, n_bytes, err) : 0;
        first = false;
        if (at < 0)
            return -1;
        if (at == n_bytes)
            continue;
        int row = copy_row(bytes + at, n_bytes - at, fields, N_FIELDS, err);
        if (row < 0 || (row == 1 && add_zone(postgres, reading, fields, err)))
            return -1;
    }
    return status;
}

static int read_zones(struct postgres *postgres,
                      const char *filter,
                      const struct expression *local,
                      struct zone_list *zones,
                      struct memory *memory,
                      struct error *err)
{
    struct sql sql = { 0 };
    struct reading reading = { .local = local, .memory = memory };
    int64_t id_bytes;
    int status = -1;
    if (count_zones(postgres, filter, &reading.n_most, &id_bytes, err)
        || zone_list_init(&reading.list, reading.n_most, (int32_t)id_bytes, memory, err)
        || postgres_zones_sql(postgres, filter, local != NULL, &sql, err)
        || session_copy(&postgres->session, sql.text, err))
        goto out;
    status = read_list(postgres, &reading, err);
    if (status) {
        session_copy_leave(&postgres->session, false);
        goto out;
    }
    zone_list_end(&reading.list);
    zone_list_estimate(&reading.list, postgres->base.schema.n_buildings);
    *zones = reading.list;
out:
    sql_release(&sql);
    return status;
}

/* Without a shared snapshot, counting and reading still have to see the same zones. */
int postgres_zones(struct source *source,
                   struct zone_list *zones,
                   struct memory *memory,
                   struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    bool own = postgres->job->snapshot == SNAPSHOT_NONE;
    char *filter = NULL;
    struct expression *local = NULL;
    if (binding_zones(postgres->job, &source->schema.zones, &filter, &local, err))
        return -1;
    int status = own ? session_do(&postgres->session,
                                  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                  err)
                     : 0;
    if (status == 0)
        status = read_zones(postgres, filter, local, zones, memory, err);
    if (own) {
        int ended = session_do(&postgres->session, "COMMIT", status ? NULL : err);
        status = status ? status : ended;
    }
    expression_free(local);
    free(filter);
    return status;
}

static int know_filter(struct postgres *postgres, struct error *err)
{
    struct expression *local = NULL;
    if (!postgres->knows_zone_filter
        && binding_zones(postgres->job,
                         &postgres->base.schema.zones,
                         &postgres->zone_filter,
                         &local,
                         err))
        return -1;
    expression_free(local);
    postgres->knows_zone_filter = true;
    return 0;
}

/* As in the list, the geometry leaves its toast table once. An id is one among the zones that
 * the filter leaves, and among ids as they are spelled: a column may take more for equal. */
int postgres_zone_sql(struct postgres *postgres, struct sql *sql, struct error *err)
{
    const char *gis = postgres->postgis;
    if (know_filter(postgres, err))
        return -1;
    sql_reset(sql);
    sql_add(sql,
            "SELECT CASE WHEN %sST_MemSize(s.g) OPERATOR(pg_catalog.<=) $2::bigint "
            "THEN s.g END, ",
            gis);
    sql_add(sql, "%sST_MemSize(s.g)::bigint FROM ", gis);
    sql_add(sql, "%s z, LATERAL (SELECT %sST_Force2D(z.", postgres->zones.sql, gis);
    sql_identifier(sql, postgres->zones.geometry);
    sql_add(sql, ") AS g OFFSET 0) s WHERE z.");
    sql_identifier(sql, postgres->zones.id);
    sql_add(sql, " OPERATOR(pg_catalog.=) $1");
    if (postgres->base.schema.zone_id_type == TYPE_TEXT) {
        sql_add(sql, " AND z.");
        sql_identifier(sql, postgres->zones.id);
        sql_add(sql,
                "::pg_catalog.text COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=)"
                " $1::pg_catalog.text");
    }
    if (postgres->zone_filter)
        sql_add(sql, " AND (%s)", postgres->zone_filter);
    return sql_end(sql, err) ? 0 : -1;
}

static int take_zone(const PGresult *result,
                     struct text *wkb,
                     struct memory *memory,
                     struct error *err)
{
    if (PQntuples(result) != 1)
        return error_set(err,
                         ERROR_DATA,
                         PQntuples(result) == 0
                             ? "the zone is gone from its table"
                             : "several zones have this id: tell them "
                               "apart by columns in [zones] where");
    int64_t n = PQgetlength(result, 0, 0);
    const char *bytes = PQgetvalue(result, 0, 0);
    if (PQgetisnull(result, 0, 0)) {
        n = 0;
        if (!PQgetisnull(result, 0, 1)) /* not sent: it would not fit */
            n = copy_int64((const uint8_t *)PQgetvalue(result, 0, 1));
        bytes = NULL;
    }
    if (n == 0) {
        *wkb = (struct text){ NULL, 0 };
        return 0;
    }
    char *to = memory_take(memory, MEMORY_GEOMETRY, n, err);
    if (!to || !bytes)
        return to ? error_set(err, ERROR_BUDGET, "no memory for the zone") : -1;
    memcpy(to, bytes, (size_t)n);
    *wkb = (struct text){ to, n };
    return 0;
}

int postgres_zone(struct source *source,
                  const char *id,
                  int32_t n_id,
                  struct text *wkb,
                  struct memory *memory,
                  struct error *err)
{
    struct postgres *postgres = (struct postgres *)source;
    struct sql sql = { 0 }, key = { 0 }, most = { 0 };
    PGresult *result = NULL;
    if (postgres_zone_sql(postgres, &sql, err)) {
        sql_release(&sql);
        return -1;
    }
    sql_add(&key, "%.*s", (int)n_id, id);
    sql_add(&most, "%lld", (long long)memory_free_bytes(memory));
    if (sql_end(&key, err) && sql_end(&most, err)) {
        const char *params[] = { key.text, most.text };
        result = session_run(&postgres->session, sql.text, 2, params, true, err);
    }
    sql_release(&sql);
    sql_release(&key);
    sql_release(&most);
    int status = result ? take_zone(result, wkb, memory, err) : -1;
    PQclear(result);
    return status;
}
