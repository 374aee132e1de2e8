#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "rooftally/base/clock.h"
#include "rooftally/source/load.h"

#include "check.h"

enum { BUDGET = 16 * 1024 * 1024, N_ZONES = 60, N_BUILDINGS = 5000 };

static struct memory memory;
static struct synthetic_state state;
static struct error err;
static char schema[64], quoted[80]; /* of this process, with what needs quoting in it */

static int set_up(void **context)
{
    (void)context;
    return memory_init(&memory, BUDGET, NULL)
           || synthetic_init(&state, N_ZONES, N_BUILDINGS, 1, &memory, NULL);
}

static int tear_down(void **context)
{
    (void)context;
    memory_release(&memory);
    return 0;
}

/* The first value of a query as text; "" when it returns none. */
static const char *query(const char *sql)
{
    static char text[64];
    PGconn *connection = PQconnectdb("options='-c client_min_messages=error'");
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    snprintf(text,
             sizeof text,
             "%s",
             PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(connection);
    return text;
}

/* The first value of a query whose %1$s is the schema, as a number. */
static int64_t number(const char *fmt)
{
    char sql[512];
    snprintf(sql, sizeof sql, fmt, quoted);
    return atoll(query(sql));
}

static int set_up_schema(void **context)
{
    snprintf(schema, sizeof schema, "rooftally \"t\" %d", (int)getpid());
    snprintf(quoted, sizeof quoted, "\"rooftally \"\"t\"\" %d\"", (int)getpid());
    return set_up(context);
}

static int tear_down_schema(void **context)
{
    number("DROP SCHEMA IF EXISTS %1$s CASCADE");
    return tear_down(context);
}

static int load_with(const char *conninfo,
                     const struct load_options *options,
                     struct load_counts *counts)
{
    return load_postgres(&state, conninfo, options, counts, &memory, &err);
}

static int load(bool force, struct load_counts *counts)
{
    struct load_options options = { .schema = schema, .force = force };
    return load_with("", &options, counts);
}

static void no_secret_of_the_connection_string_is_told(void **context)
{
    (void)context;
    static const struct {
        const char *conninfo;
        enum error_code code;
    } cases[] = {
        { "password=s3cret sslmode", ERROR_USAGE },
        { "s3cret", ERROR_USAGE },
        { "postgresql://me:s3cret@[::1/x", ERROR_USAGE },
        { "hostt=s3cret", ERROR_USAGE },
        { "host=/nowhere/s3cret password=s3cret user=x dbname=x", ERROR_USAGE },
        { "host=s3cret.invalid user=x dbname=x connect_timeout=5", ERROR_USAGE },
    };
    struct load_options options = { 0 };
    struct load_counts counts = { .n_zones = 42 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct memory_mark mark = memory_mark(&memory);
        assert_refused(load_with(cases[i].conninfo, &options, &counts),
                       &err,
                       cases[i].code,
                       "");
        if (strstr(err.text, "s3cret") || !*err.text)
            fail_msg("%s: %s", cases[i].conninfo, err.text);
        assert_int_equal(counts.n_zones, 42);
        assert_int_equal(memory.used_bytes, mark.used_bytes);
    }
}

/* A socket that takes connections, in a folder of its own, and who answers there, if anybody. */
static struct {
    int fd;
    pid_t child;
    char folder[32], path[64], conninfo[96];
} other;

static int set_up_other(void **context)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(other.folder, "/tmp/load.XXXXXX");
    if (!mkdtemp(other.folder))
        return -1;
    snprintf(other.path, sizeof other.path, "%s/.s.PGSQL.5432", other.folder);
    snprintf(other.conninfo,
             sizeof other.conninfo,
             "host=%s port=5432 user=x dbname=x",
             other.folder);
    strcpy(address.sun_path, other.path);
    other.child = 0;
    other.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(other.fd, (struct sockaddr *)&address, sizeof address)
           || listen(other.fd, 8) || set_up(context);
}

static int tear_down_other(void **context)
{
    if (other.child > 0) {
        kill(other.child, SIGKILL);
        waitpid(other.child, NULL, 0);
    }
    close(other.fd);
    unlink(other.path);
    rmdir(other.folder);
    return tear_down(context);
}

static bool has_had_enough(void *context, double share)
{
    const double *until_s = context;
    (void)share;
    return clock_wall_s() >= *until_s;
}

static void a_server_that_does_not_answer_is_left(void **context)
{
    (void)context;
    struct load_counts counts;
    double start_s = clock_wall_s(), until_s = start_s + 0.3;
    struct load_options options = { .progress = has_had_enough, .context = &until_s };
    assert_refused(load_with(other.conninfo, &options, &counts),
                   &err,
                   ERROR_STOPPED,
                   "connecting");
    options.progress = NULL;
    /* ours, and the user's */
    for (int i = 0; i < 2; i++) {
        start_s = clock_wall_s();
        assert_refused(load_with(other.conninfo, &options, &counts),
                       &err,
                       ERROR_USAGE,
                       "timeout");
        double took_s = clock_wall_s() - start_s;
        assert_true(i == 0 ? took_s > 9 && took_s < 60 : took_s > 1 && took_s < 9);
        setenv("PGCONNECT_TIMEOUT", "2", 1);
    }
    unsetenv("PGCONNECT_TIMEOUT");
}

/* A server of another protocol: what it said is no reason without the words before it. */
static void a_server_of_another_kind_is_told(void **context)
{
    (void)context;
    struct load_counts counts;
    struct load_options options = { 0 };
    other.child = fork();
    if (other.child == 0) {
        static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        for (;;) {
            int peer = accept(other.fd, NULL, NULL);
            if (write(peer, answer, sizeof answer - 1) < 0)
                _exit(1);
            shutdown(peer, SHUT_WR);
        }
    }
    assert_refused(load_with(other.conninfo, &options, &counts),
                   &err,
                   ERROR_USAGE,
                   "expected");
}

static void assert_counts(const struct load_counts *counts)
{
    assert_int_equal(counts->n_zones, N_ZONES);
    assert_int_equal(counts->n_buildings, N_BUILDINGS);
    assert_int_equal(number("SELECT count(*) FROM %1$s.zipcode"), N_ZONES);
    assert_int_equal(number("SELECT count(*) FROM %1$s.building"), N_BUILDINGS);
}

static void postgis_agrees_with_what_the_generator_says(void **context)
{
    (void)context;
    struct load_counts counts;
    assert_fine(load(false, &counts), &err);
    assert_counts(&counts);
    static const char *const none[] = {
        "SELECT count(*) FROM %1$s.zipcode WHERE NOT ST_IsValid(boundary)",
        "SELECT count(*) FROM %1$s.building WHERE NOT ST_IsValid(boundary)",
        "SELECT count(*) FROM %1$s.zipcode a JOIN %1$s.zipcode b ON a.id < b.id AND "
        "a.boundary && b.boundary AND "
        "ST_Area(ST_Intersection(a.boundary, b.boundary)) > 0",
        /* Beyond lakes there are no gaps: the union has no more area than the sum. */
        "SELECT (abs(sum(ST_Area(boundary)) / ST_Area(ST_Union(boundary)) - 1) > "
        "1e-9)::int FROM %1$s.zipcode",
        "SELECT count(*) FROM %1$s.building WHERE ST_NPoints(boundary) NOT BETWEEN 5 "
        "AND 13",
        "SELECT count(*) FROM %1$s.zipcode WHERE zip !~ '^0[0-9]{4}$' OR state <> 'MA'",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (number(none[i]) != 0)
            fail_msg("%s", none[i]);
    assert_int_equal(number("SELECT count(*) FROM %1$s.building b JOIN %1$s.zipcode z "
                            "ON ST_Within(b.boundary, z.boundary)"),
                     N_BUILDINGS - counts.n_straddling);
    assert_in_range(counts.n_straddling, 50, 150);
    assert_true(number("SELECT count(*) FROM %1$s.zipcode WHERE "
                       "ST_NumGeometries(boundary) > 1")
                > 0);
    assert_true(number("SELECT sum(ST_NRings(boundary) - ST_NumGeometries(boundary)) "
                       "FROM %1$s.zipcode")
                > 0);
    assert_int_equal(number("SELECT count(*) FROM pg_index WHERE indrelid IN "
                            "('%1$s.zipcode'::regclass, '%1$s.building'::regclass) AND "
                            "indisvalid"),
                     5);
    assert_int_equal(number("SELECT count(*) FROM pg_class WHERE oid IN "
                            "('%1$s.zipcode'::regclass, '%1$s.building'::regclass) AND "
                            "reltuples > 0 AND relallvisible = relpages"),
                     2);
}

/* One row of building as the generator has it, in the text form of the query. */
static void
print_building(const struct synthetic_building *b, char *text, size_t capacity)
{
    char height[40] = "-", size[40] = "-", year[16] = "-",
         wkb[2 * SYNTHETIC_WKB_BYTES + 1];
    if (b->has_height)
        snprintf(height, sizeof height, "%.1f", b->height);
    if (b->has_size)
        snprintf(size, sizeof size, "%.1f", b->size);
    if (b->has_year)
        snprintf(year, sizeof year, "%d", (int)b->year_built);
    for (int i = 0; i < b->n_wkb; i++)
        snprintf(wkb + 2 * i, 3, "%02x", b->wkb[i]);
    snprintf(text,
             capacity,
             "%lld|%s|%s|%s|%.*s|%.*s|%s",
             (long long)b->id,
             height,
             size,
             year,
             b->use.n > 0 ? (int)b->use.n : 1,
             b->use.n > 0 ? b->use.bytes : "-",
             b->notes.n > 0 ? (int)b->notes.n : 1,
             b->notes.n > 0 ? b->notes.bytes : "-",
             wkb);
}

static void every_row_arrives_as_it_was_made(void **context)
{
    (void)context;
    struct load_counts counts;
    assert_fine(load(false, &counts), &err);
    char sql[1024];
    snprintf(sql,
             sizeof sql,
             "SELECT concat_ws('|', id, coalesce(height::numeric(9, 1)::text, '-'), "
             "coalesce(size::numeric(9, 1)::text, '-'), coalesce(year_built::text, "
             "'-'), "
             "coalesce(use, '-'), coalesce(notes, '-'), "
             "encode(ST_AsEWKB(boundary), 'hex')) FROM %s.building ORDER BY id",
             quoted);
    PGconn *connection = PQconnectdb("client_encoding=UTF8");
    PGresult *result = PQexec(connection, sql);
    assert_int_equal(PQntuples(result), N_BUILDINGS);
    int row = 0;
    for (int64_t z = 0; z < N_ZONES; z++) {
        struct memory_mark mark = memory_mark(&memory);
        struct synthetic_zone zone;
        assert_fine(synthetic_zone(&zone, &state, z, &memory, &err), &err);
        for (int64_t i = 0; i < zone.n_buildings; i++) {
            struct synthetic_building building;
            char wanted[1024];
            synthetic_building(&zone, i, &building);
            print_building(&building, wanted, sizeof wanted);
            assert_string_equal(PQgetvalue(result, row++, 0), wanted);
        }
        memory_rewind(&memory, &mark);
    }
    PQclear(result);
    PQfinish(connection);
}

static void tables_that_exist_are_kept_unless_forced(void **context)
{
    (void)context;
    struct load_counts counts;
    number("CREATE SCHEMA %1$s");
    number("CREATE TABLE %1$s.building (mine int)");
    assert_refused(load(false, &counts), &err, ERROR_USAGE, "building exists");
    assert_int_equal(number("SELECT count(*) FROM %1$s.building"), 0);
    assert_int_equal(number(
                         "SELECT count(*) FROM pg_tables WHERE tablename = 'zipcode' "
                         "AND quote_ident(schemaname) = '%1$s'"),
                     0);
    assert_fine(load(true, &counts), &err);
    assert_refused(load(false, &counts), &err, ERROR_USAGE, "zipcode exists");
    assert_fine(load(true, &counts), &err);
    assert_counts(&counts);
}

struct watch {
    double last, stop_at;
    int n;
};

static bool watch_progress(void *context, double share)
{
    struct watch *watch = context;
    if (share < 0)
        return false;
    assert_true(share > 0 && share <= 1 && share >= watch->last);
    watch->last = share;
    watch->n++;
    return share >= watch->stop_at;
}

/* Within VACUUM: what was committed is there, and starting again would be refused. */
static bool stops_when_loaded(void *context, double share)
{
    (void)share;
    if (!*(bool *)context
        && number("SELECT count(*) FROM pg_tables WHERE tablename = "
                  "'building' AND quote_ident(schemaname) = '%1$s'")
               == 1)
        *(bool *)context = true;
    return *(bool *)context;
}

static void a_load_that_is_stopped_late_is_done(void **context)
{
    (void)context;
    bool is_loaded = false;
    struct load_counts counts;
    struct load_options options = { .schema = schema,
                                    .progress = stops_when_loaded,
                                    .context = &is_loaded };
    assert_fine(load_with("", &options, &counts), &err);
    assert_true(is_loaded);
    assert_counts(&counts);
}

static bool take_a_while(void *context, double share)
{
    (void)context;
    if (share >= 0)
        usleep(1200 * 1000);
    return false;
}

/* Within the COPY of the buildings, and between statements. */
static void timeouts_that_are_meant_for_others_do_not_end_a_load(void **context)
{
    (void)context;
    struct load_counts counts;
    struct load_options options = { .schema = schema, .progress = take_a_while };
    assert_fine(load_with("options='-c statement_timeout=1s -c lock_timeout=1s "
                          "-c idle_in_transaction_session_timeout=1s'",
                          &options,
                          &counts),
                &err);
    assert_counts(&counts);
}

static void a_load_that_is_stopped_leaves_what_was_there(void **context)
{
    (void)context;
    static const double stops[] = { 0.5, 1 };
    struct load_counts counts;
    assert_fine(load(false, &counts), &err);
    number("DELETE FROM %1$s.building WHERE id > 17");
    for (int i = 0; i < 2; i++) {
        struct watch watch = { .stop_at = stops[i] };
        struct load_options options = { .schema = schema,
                                        .force = true,
                                        .progress = watch_progress,
                                        .context = &watch };
        assert_refused(load_with("", &options, &counts),
                       &err,
                       ERROR_STOPPED,
                       "stopped");
        assert_true(watch.n > 0);
        assert_int_equal(number("SELECT count(*) FROM %1$s.building"), 17);
    }
    struct watch watch = { .stop_at = 2 };
    struct load_options options = {
        .schema = schema, .force = true, .progress = watch_progress, .context = &watch
    };
    assert_fine(load_with("", &options, &counts), &err);
    assert_true(watch.last == 1);
    assert_counts(&counts);
}

static void a_state_without_buildings_is_a_state(void **context)
{
    (void)context;
    struct load_counts counts;
    struct synthetic_state empty;
    struct load_options options = { .schema = schema };
    assert_fine(synthetic_init(&empty, 3, 0, 1, &memory, &err), &err);
    assert_fine(load_postgres(&empty, "", &options, &counts, &memory, &err), &err);
    assert_int_equal(counts.n_buildings, 0);
    assert_int_equal(number("SELECT count(*) FROM %1$s.building"), 0);
    assert_int_equal(number("SELECT count(*) FROM %1$s.zipcode"), 3);
}

static void a_server_that_refuses_is_quoted(void **context)
{
    (void)context;
    struct load_counts counts;
    struct load_options options = { .schema = schema };
    assert_refused(load_with("options='-c default_transaction_read_only=on'",
                             &options,
                             &counts),
                   &err,
                   ERROR_USAGE,
                   "read-only");
    assert_refused(load_with("dbname=rooftally_not_there", &options, &counts),
                   &err,
                   ERROR_USAGE,
                   "does not exist");
}

static bool end_the_connection(void *context, double share)
{
    if (share >= 0 && share < 1)
        query(context);
    return false;
}

static void a_connection_that_is_lost_leaves_nothing(void **context)
{
    (void)context;
    char conninfo[64], sql[160];
    snprintf(conninfo, sizeof conninfo, "application_name=lost_%d", (int)getpid());
    snprintf(sql,
             sizeof sql,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
             "application_name = 'lost_%d'",
             (int)getpid());
    struct load_counts counts = { .n_zones = 42 };
    struct load_options options = { .schema = schema,
                                    .progress = end_the_connection,
                                    .context = sql };
    assert_refused(load_with(conninfo, &options, &counts), &err, ERROR_SOURCE, "");
    assert_true(*err.text);
    assert_int_equal(counts.n_zones, 42);
    assert_int_equal(number("SELECT count(*) FROM pg_namespace WHERE "
                            "quote_ident(nspname) = '%1$s'"),
                     0);
    assert_fine(load(false, &counts), &err);
    assert_counts(&counts);
}

static void the_name_of_a_schema_has_63_bytes_at_most(void **context)
{
    (void)context;
    char name[66];
    memset(name, '"', sizeof name);
    struct load_counts counts;
    struct load_options options = { .schema = name };
    name[64] = '\0';
    assert_refused(load_with("", &options, &counts), &err, ERROR_USAGE, "at most 63");
    memcpy(name, schema, strlen(schema));
    name[63] = '\0';
    assert_fine(load_with("", &options, &counts), &err);
    PGconn *connection = PQconnectdb("options='-c client_min_messages=error'");
    char *identifier = PQescapeIdentifier(connection, name, 63), sql[256];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.building", identifier);
    assert_int_equal(atoll(query(sql)), N_BUILDINGS);
    snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", identifier);
    query(sql);
    PQfreemem(identifier);
    PQfinish(connection);
}

int main(void)
{
    const struct CMUnitTest alone[] = {
        cmocka_unit_test_setup_teardown(no_secret_of_the_connection_string_is_told,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_server_of_another_kind_is_told,
                                        set_up_other,
                                        tear_down_other),
        cmocka_unit_test_setup_teardown(a_server_that_does_not_answer_is_left,
                                        set_up_other,
                                        tear_down_other),
    };
    const struct CMUnitTest with_server[] = {
#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, set_up_schema, tear_down_schema)
        TEST(postgis_agrees_with_what_the_generator_says),
        TEST(every_row_arrives_as_it_was_made),
        TEST(tables_that_exist_are_kept_unless_forced),
        TEST(timeouts_that_are_meant_for_others_do_not_end_a_load),
        TEST(a_load_that_is_stopped_leaves_what_was_there),
        TEST(a_load_that_is_stopped_late_is_done),
        TEST(a_state_without_buildings_is_a_state),
        TEST(a_server_that_refuses_is_quoted),
        TEST(a_connection_that_is_lost_leaves_nothing),
        TEST(the_name_of_a_schema_has_63_bytes_at_most),
#undef TEST
    };
    int n_failed = cmocka_run_group_tests(alone, NULL, NULL);
    if (n_failed > 0)
        return n_failed;
    if (!getenv("PGHOST")) {
        puts("skipped: PGHOST names no server to load into");
        return 77;
    }
    return cmocka_run_group_tests(with_server, NULL, NULL);
}
