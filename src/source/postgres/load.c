#include "rooftally/source/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/base/clock.h"

#include "conninfo.h"
#include "load_copy.h"

enum { MOST_NAME_BYTES = 64 }; /* PostgreSQL cuts what is longer */

/* One load in progress. */
struct load {
    struct session session;
    const struct load_options *options;
    const char *schema;
    char *quoted;      /* schema as an identifier, of libpq */
    char postgis[136]; /* the schema of its types, as an identifier */
    struct load_counts counts;
};

static int run(struct load *load, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Run one statement that returns no rows. */
static int run(struct load *load, struct error *err, const char *fmt, ...)
{
    char statement[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(statement, sizeof statement, fmt, args);
    va_end(args);
    if (n < 0 || n >= (int)sizeof statement)
        return error_set(err, ERROR_INTERNAL, "a statement is too long");
    return session_do(&load->session, statement, err);
}

/* Ask for one text, with one value bound. Returns 1 with it, 0 for no row, or -1. */
static int ask(struct load *load,
               const char *query,
               const char *value,
               char *text,
               size_t capacity,
               struct error *err)
{
    PGresult *result = session_run(&load->session, query, 1, &value, false, err);
    int n = result ? PQntuples(result) > 0 : -1;
    if (n > 0)
        snprintf(text, capacity, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return n;
}

static bool should_stop(void *context)
{
    const struct load *load = context;
    const struct load_options *options = load->options;
    return options->progress && options->progress(options->context, -1);
}

/* libpq puts host, user or a piece of the conninfo in front of what went wrong: 'connection to
 * server at "gis" failed: FATAL:  too many clients', 'could not translate host name "gis" to
 * address: unknown'. The reason alone follows the first, or else the last ": ". */
static int cannot_connect(const char *why, struct error *err)
{
    static const char failed[] = " failed: ", fatal[] = "FATAL:  ";
    const char *behind = strstr(why, failed);
    if (behind)
        why = behind + strlen(failed);
    for (const char *colon; !behind && (colon = strstr(why, ": "));)
        why = colon + 2 + strspn(colon + 2, " ");
    if (strncmp(why, fatal, strlen(fatal)) == 0)
        why += strlen(fatal);
    return error_set(err,
                     ERROR_USAGE, /* nothing was started */
                     "cannot connect (%s): check the connection string, and that the "
                     "server runs",
                     *why ? why : "no reason given");
}

static int connect_to(struct load *load, const char *conninfo, struct error *err)
{
    static const char *const settings[] = { "statement_timeout",
                                            "lock_timeout",
                                            "idle_in_transaction_session_timeout" };
    bool is_word = *conninfo && !strchr(conninfo, '=') && !strstr(conninfo, "://");
    struct error why = { ERROR_NONE, "" };
    int status = 0;
    if (is_word) /* the name of a database or a password alone: do not tell which */
        return error_set(err,
                         ERROR_USAGE,
                         "the connection string cannot be read: give key=value pairs "
                         "or a postgresql:// address");
    if (conninfo_check(conninfo, err))
        return error_prefix(err, "the connection string");
    if (session_connect(&load->session, conninfo, "rooftally generate", &why))
        return why.code == ERROR_SOURCE ? cannot_connect(why.text, err)
                                        : error_set(err, why.code, "%s", why.text);
    for (int i = 0; i < 3 && status == 0; i++)
        status = run(load, err, "SET %s = 0", settings[i]);
    return status;
}

static int find_postgis(struct load *load, struct error *err)
{
    static const char where_it_is[] =
        "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e "
        "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = $1";
    struct error why = { ERROR_NONE, "" };
    int status = run(load, &why, "CREATE EXTENSION IF NOT EXISTS postgis");
    if (status < 0 && (why.code == ERROR_STOPPED || why.code == ERROR_BUDGET))
        return error_set(err, why.code, "%s", why.text);
    if (status < 0)
        return error_set(err,
                         why.code == ERROR_DATA ? ERROR_USAGE : why.code,
                         "no PostGIS in this database, and it cannot be created (%s): "
                         "let its administrator run CREATE EXTENSION postgis",
                         why.text);
    int found =
        ask(load, where_it_is, "postgis", load->postgis, sizeof load->postgis, err);
    if (found == 0)
        return error_set(err, ERROR_SOURCE, "PostGIS is not in the list of extensions");
    return found < 0 ? -1 : 0;
}

static int find_schema(struct load *load, struct error *err)
{
    char text[8];
    if (strlen(load->schema) >= MOST_NAME_BYTES)
        return error_set(err,
                         ERROR_USAGE,
                         "schema %.40s...: a name has at most %d bytes",
                         load->schema,
                         MOST_NAME_BYTES - 1);
    load->quoted = PQescapeIdentifier(load->session.connection,
                                      load->schema,
                                      strlen(load->schema));
    if (!load->quoted)
        return error_set(err, ERROR_USAGE, "the name of the schema is not valid text");
    int found = ask(load,
                    "SELECT 'yes' FROM pg_catalog.pg_namespace WHERE nspname = $1",
                    load->schema,
                    text,
                    sizeof text,
                    err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    return run(load, err, "CREATE SCHEMA %s", load->quoted);
}

static int make_room(struct load *load, const char *table, struct error *err)
{
    static const char taken[] =
        "SELECT c.relname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname IN ('zipcode', 'building') ORDER BY 1 DESC";
    char name[16];
    if (load->options->force)
        return run(load, err, "DROP TABLE IF EXISTS %s.%s", load->quoted, table);
    int found = ask(load, taken, load->schema, name, sizeof name, err);
    if (found <= 0)
        return found;
    return error_set(err,
                     ERROR_USAGE,
                     "%s.%s exists: choose another schema, or replace it with --force",
                     load->schema,
                     name);
}

static int make_tables(struct load *load, struct error *err)
{
    if (find_postgis(load, err) < 0 || find_schema(load, err) < 0
        || make_room(load, "zipcode", err) < 0 || make_room(load, "building", err) < 0)
        return -1;
    if (run(load,
            err,
            "CREATE TABLE %s.zipcode (id int NOT NULL, zip pg_catalog.text NOT NULL, "
            "name pg_catalog.text, "
            "state pg_catalog.text, boundary %s.geometry(MultiPolygon, %d))",
            load->quoted,
            load->postgis,
            SYNTHETIC_SRID)
        < 0)
        return -1;
    return run(load,
               err,
               "CREATE TABLE %s.building (id bigint NOT NULL, height double precision, "
               "size double precision, year_built int, use pg_catalog.text, "
               "notes pg_catalog.text, "
               "boundary %s.geometry(Polygon, %d))",
               load->quoted,
               load->postgis,
               SYNTHETIC_SRID);
}

static void put_text(struct load_copy *copy, struct text text)
{
    if (text.n > 0)
        load_copy_bytes(copy, text.bytes, text.n);
    else
        load_copy_null(copy);
}

static int
send_zone(struct load_copy *copy, const struct synthetic_zone *zone, struct error *err)
{
    if (load_copy_row(copy, 5, zone->wkb.n + 256, err) < 0)
        return -1;
    load_copy_int4(copy, (int32_t)zone->row + 1);
    load_copy_bytes(copy, zone->zip, (int64_t)strlen(zone->zip));
    load_copy_bytes(copy, zone->name, (int64_t)strlen(zone->name));
    load_copy_bytes(copy, zone->code, (int64_t)strlen(zone->code));
    load_copy_bytes(copy, zone->wkb.bytes, zone->wkb.n);
    return 0;
}

static int send_building(struct load_copy *copy,
                         const struct synthetic_building *building,
                         struct error *err)
{
    if (load_copy_row(copy, 7, SYNTHETIC_WKB_BYTES + 256, err) < 0)
        return -1;
    load_copy_int8(copy, building->id);
    if (building->has_height)
        load_copy_float8(copy, building->height);
    else
        load_copy_null(copy);
    if (building->has_size)
        load_copy_float8(copy, building->size);
    else
        load_copy_null(copy);
    if (building->has_year)
        load_copy_int4(copy, building->year_built);
    else
        load_copy_null(copy);
    put_text(copy, building->use);
    put_text(copy, building->notes);
    load_copy_bytes(copy, building->wkb, building->n_wkb);
    return 0;
}

static int send_buildings(struct load *load,
                          struct load_copy *copy,
                          const struct synthetic_zone *zone,
                          struct error *err)
{
    enum { ROWS_A_REPORT = 4096 };
    const struct load_options *options = load->options;
    struct synthetic_building building;
    for (int64_t i = 0; i < zone->n_buildings; i++) {
        synthetic_building(zone, i, &building);
        if (send_building(copy, &building, err) < 0)
            return -1;
        load->counts.n_straddling += building.straddles;
        double share = (double)building.id / (double)zone->state->n_buildings;
        if (building.id % ROWS_A_REPORT == 0 && options->progress
            && options->progress(options->context, share))
            return error_set(err, ERROR_STOPPED, "stopped on request");
    }
    load->counts.n_buildings += zone->n_buildings;
    return 0;
}

/* Send all zones, or the buildings of all zones. */
static int send_all(struct load *load,
                    const struct synthetic_state *state,
                    bool buildings,
                    struct memory *memory,
                    struct error *err)
{
    char statement[256];
    snprintf(statement,
             sizeof statement,
             "COPY %s.%s FROM STDIN (FORMAT binary, FREEZE)",
             load->quoted,
             buildings ? "building" : "zipcode");
    struct load_copy copy;
    if (load_copy_open(&copy, &load->session, statement, memory, err) < 0)
        return -1;
    struct memory_mark mark = memory_mark(memory);
    int status = 0;
    for (int64_t row = 0; status == 0 && row < state->n_zones; row++) {
        struct synthetic_zone zone;
        status = synthetic_zone(&zone, state, row, memory, err);
        if (status == 0)
            status = buildings ? send_buildings(load, &copy, &zone, err)
                               : send_zone(&copy, &zone, err);
        memory_rewind(memory, &mark);
    }
    if (status == 0)
        status = load_copy_commit(&copy, err);
    else
        load_copy_cancel(&copy);
    load->counts.n_bytes += copy.n_bytes;
    return status;
}

static int make_indexes(struct load *load, struct error *err)
{
    static const char *const statements[] = {
        "ALTER TABLE %s.zipcode ADD PRIMARY KEY (id), ADD UNIQUE (zip)",
        "ALTER TABLE %s.building ADD PRIMARY KEY (id)",
        "CREATE INDEX zipcode_boundary_idx ON %s.zipcode USING gist (boundary)",
        "CREATE INDEX building_boundary_idx ON %s.building USING gist (boundary)",
    };
    char statement[256];
    for (int i = 0; i < 4; i++) {
        snprintf(statement, sizeof statement, statements[i], load->quoted);
        if (run(load, err, "%s", statement) < 0)
            return -1;
    }
    return 0;
}

/* The tables are there: a wish to stop leaves out what the server does by itself in time. */
static int vacuum(struct load *load, struct error *err)
{
    struct error why = { ERROR_NONE, "" };
    load->session.stop = should_stop;
    int status = run(load,
                     &why,
                     "VACUUM (ANALYZE) %s.zipcode, %s.building",
                     load->quoted,
                     load->quoted);
    load->counts.is_vacuumed = status == 0;
    if (status < 0 && why.code == ERROR_STOPPED)
        return 0;
    return status == 0 ? 0
                       : error_set(err,
                                   why.code,
                                   "all rows are loaded, but VACUUM ANALYZE failed: %s",
                                   why.text);
}

static int fill(struct load *load,
                const struct synthetic_state *state,
                struct memory *memory,
                struct error *err)
{
    double start_s = clock_wall_s();
    if (run(load, err, "BEGIN") < 0 || make_tables(load, err) < 0
        || send_all(load, state, false, memory, err) < 0
        || send_all(load, state, true, memory, err) < 0)
        return -1;
    load->counts.copy_wall_s = clock_wall_s() - start_s;
    if (load->options->progress && load->options->progress(load->options->context, 1))
        return error_set(err, ERROR_STOPPED, "stopped on request");
    start_s = clock_wall_s();
    if (make_indexes(load, err) < 0)
        return -1;
    load->session.stop = NULL; /* from here on it is there, wished or not */
    if (run(load, err, "COMMIT") < 0 || vacuum(load, err) < 0)
        return -1;
    load->counts.index_wall_s = clock_wall_s() - start_s;
    load->counts.n_zones = state->n_zones;
    return 0;
}

int load_postgres(const struct synthetic_state *state,
                  const char *conninfo,
                  const struct load_options *options,
                  struct load_counts *counts,
                  struct memory *memory,
                  struct error *err)
{
    struct load load = { .options = options };
    load.session.stop = should_stop;
    load.session.stop_context = &load;
    load.schema = options->schema ? options->schema : "public";
    struct memory_mark mark = memory_mark(memory);
    int status = connect_to(&load, conninfo, err);
    if (status == 0)
        status = fill(&load, state, memory, err);
    if (status == 0)
        *counts = load.counts;
    PQfreemem(load.quoted);
    session_close(&load.session); /* an open transaction ends with it, undone */
    memory_rewind(memory, &mark);
    return status;
}
