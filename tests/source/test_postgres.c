#include "rooftally/base/clock.h"

#include "copy.h"
#include "postgres_case.h"
#include "session.h"

static void make_tables(void)
{
    sql("CREATE TABLE zone (zip varchar(5) PRIMARY KEY, state text,"
        " boundary geometry(Polygon, 26986))");
    sql("INSERT INTO zone SELECT lpad(i::text, 5, '0'), CASE WHEN i < 4 THEN 'MA' END,"
        " ST_MakeEnvelope(100 * i, 0, 100 * i + 100, 100, 26986)"
        " FROM generate_series(1, 4) i");
    sql("CREATE TABLE building (id bigint, height float4, use text,"
        " boundary geometry(Polygon, 26986))");
    sql("INSERT INTO building SELECT i, i % 20, CASE i % 3 WHEN 0 THEN 'shed' WHEN 1"
        " THEN 'house' END, ST_MakeEnvelope(x, y, x + 1, y + 1, 26986) FROM (SELECT i,"
        " 101 + (i * 7919) % 398 AS x, (i * 104729) % 99 AS y"
        " FROM generate_series(1, 20000) i) s");
    sql("CREATE INDEX ON building USING gist (boundary)");
    sql("ANALYZE zone");
    sql("ANALYZE building");
}

static int64_t number(const char *statement)
{
    PGresult *result = PQexec(admin, statement);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", statement, PQerrorMessage(admin));
    int64_t value = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

static void the_schema_is_what_the_server_has(void **state)
{
    (void)state;
    struct rank rank;
    struct error err = { 0 };
    assert_int_equal(open_rank(&rank, NULL, 0, NULL, NULL, NULL, &err), 0);
    const struct source_schema *schema = source_schema(rank.source);
    assert_int_equal(schema->srid, 26986);
    assert_int_equal(schema->zone_id_type, TYPE_TEXT);
    assert_int_equal(schema->building_id_type, TYPE_INTEGER);
    assert_true(schema->spatial_index);
    assert_true(schema->zone_id_index);
    assert_true(schema->n_buildings == 20000);
    assert_false(schema->crs.geographic);
    assert_non_null(strstr(schema->description, "PostGIS"));
    assert_int_equal(schema->buildings.n, 4);
    assert_string_equal(schema->buildings.columns[1].name, "height");
    assert_int_equal(schema->buildings.columns[1].type, TYPE_REAL);
    assert_string_equal(schema->buildings.columns[1].sql,
                        "b.\"height\"::double precision");
    assert_int_equal(schema->buildings.columns[3].type, TYPE_NULL);
    assert_string_not_equal(source_snapshot(rank.source), "");
    close_rank(&rank);
}

static void zones_come_sorted_with_boxes_and_estimates(void **state)
{
    (void)state;
    struct rank rank;
    struct zone_list zones;
    struct error err = { 0 };
    sql("INSERT INTO zone VALUES ('00000', 'MA', NULL),"
        " ('0000A', 'MA', 'SRID=26986;POLYGON EMPTY')");
    assert_int_equal(open_rank(&rank, NULL, 0, NULL, NULL, NULL, &err), 0);
    if (source_zones(rank.source, &zones, &rank.memory, &err))
        fail_msg("%s", err.text);
    assert_int_equal(zones.n, 6);
    assert_int_equal(zones.id_bytes, 5);
    assert_memory_equal(zones.ids, "00000000010000200003000040000A", 30);
    assert_int_equal(zones.n_no_geometry, 2);
    assert_true(zones.boxes[0].xmin > zones.boxes[0].xmax);
    assert_true(zones.boxes[1].xmin == 100 && zones.boxes[1].ymax == 100);
    assert_int_equal(zones.n_vertices[1], 5);
    assert_int_equal(zones.n_vertices[5], 0);
    assert_true(zones.estimates[0] == 0 && zones.estimates[5] == 0);
    for (int i = 1; i < 5; i++) /* a quarter each, as statistics see it */
        assert_true(zones.estimates[i] > 3000 && zones.estimates[i] < 8000);
    close_rank(&rank);

    const char *only[] = { "zones.where=state = 'MA' and area_m2 > 1",
                           "zones.fields=state" };
    assert_int_equal(open_rank(&rank, only, 2, NULL, NULL, NULL, &err), 0);
    if (source_zones(rank.source, &zones, &rank.memory, &err))
        fail_msg("%s", err.text);
    assert_int_equal(zones.n, 3);
    assert_memory_equal(zones.ids, "000010000200003", 15);
    close_rank(&rank);
    sql("DELETE FROM zone WHERE zip IN ('00000', '0000A')");
}

static void zones_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *table, *says;
    } cases[] = {
        { "SELECT 'a'::text zip, ST_MakeEnvelope(0, 0, 1, 1, 26986) boundary"
          " FROM generate_series(1, 2)",
          "two zones have the id 'a': take another id, or unite them" },
        { "SELECT NULL::text zip, ST_MakeEnvelope(0, 0, 1, 1, 26986) boundary",
          "null" },
        { "SELECT ''::text zip, ST_MakeEnvelope(0, 0, 1, 1, 26986) boundary", "empty" },
        { "SELECT 'p'::text zip, 'SRID=26986;POINT(1 2)'::geometry boundary",
          "zone 'p' is not a polygon but ST_Point" },
        { "SELECT column1 zip, ST_MakeEnvelope(0, 0, 1, 1, column2) boundary"
          " FROM (VALUES ('a'::text, 26986), ('b', 4326)) v",
          "zone 'b' is in SRID 4326, others in SRID 26986" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char statement[512];
        struct rank rank;
        struct zone_list zones;
        struct error err = { 0 };
        const char *other[] = { "zones.table=rooftally_source_test.bad_zone" };
        snprintf(statement,
                 sizeof statement,
                 "CREATE VIEW bad_zone AS %s",
                 cases[i].table);
        sql(statement);
        if (open_rank(&rank, other, 1, NULL, NULL, NULL, &err))
            fail_msg("%s", err.text);
        assert_int_equal(source_zones(rank.source, &zones, &rank.memory, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
        close_rank(&rank);
        sql("DROP VIEW bad_zone");
    }
}

/* The names of our own statements are no column's. */
static void columns_may_have_any_name(void **state)
{
    (void)state;
    static const char *const names[] = { "g", "s", "z", "b", "select", "A b" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char statement[256], geometry[2][64];
        struct rank rank;
        struct zone_list zones;
        struct tally tally;
        struct error err = { 0 };
        const char *other[] = { "zones.table=rooftally_source_test.named_zone",
                                "buildings.table=rooftally_source_test.named_building",
                                geometry[0],
                                geometry[1] };
        snprintf(geometry[0], sizeof geometry[0], "zones.geometry=%s", names[i]);
        snprintf(geometry[1], sizeof geometry[1], "buildings.geometry=%s", names[i]);
        snprintf(statement,
                 sizeof statement,
                 "CREATE VIEW named_zone AS SELECT zip, boundary AS \"%s\" FROM zone;"
                 "CREATE VIEW named_building AS SELECT id, height, use,"
                 " boundary AS \"%s\" FROM building WHERE id <= 100",
                 names[i],
                 names[i]);
        sql(statement);
        if (open_rank(&rank, other, 4, NULL, NULL, NULL, &err)
            || source_zones(rank.source, &zones, &rank.memory, &err)
            || open_zone(&rank, "00002", 100, 1 << 20, &err)
            || read_stream(&rank, &tally, &err))
            fail_msg("%s: %s", names[i], err.text);
        assert_true(zones.n > 0);
        close_rank(&rank);
        sql("DROP VIEW named_zone, named_building");
    }
}

static void every_candidate_comes_once_whatever_the_batch(void **state)
{
    (void)state;
    int64_t n = number("SELECT count(*) FROM building b, zone z WHERE zip = '00002'"
                       " AND b.boundary && z.boundary");
    int64_t sum = number("SELECT sum(id) FROM building b, zone z WHERE zip = '00002'"
                         " AND b.boundary && z.boundary");
    const int32_t capacities[] = { 1, 100, 4096, 30000 };
    struct rank rank;
    struct error err = { 0 };
    assert_int_equal(open_rank(&rank, NULL, 0, NULL, NULL, NULL, &err), 0);
    for (int i = 0; i < 4; i++) {
        struct tally tally = { 0 };
        struct memory_mark mark = memory_mark(&rank.memory);
        if (open_zone(&rank, "00002", capacities[i], 200 + 500 * i, &err)
            || read_stream(&rank, &tally, &err))
            fail_msg("%s", err.text);
        assert_int_equal(tally.n_rows, n);
        assert_int_equal(tally.id_sum, sum);
        assert_int_equal(source_next(rank.source, &rank.batch, &err), 0);
        zone_close(rank.zone);
        rank.zone = NULL;
        memory_rewind(&rank.memory, &mark);
    }
    close_rank(&rank);
}

static void a_filter_counts_what_it_drops(void **state)
{
    (void)state;
    /* log of a negative would fail if it were computed for a filtered building */
    const char *filtered[] = { "buildings.fields=height, use, k = 1 / (height - 3)",
                               "buildings.where=height > 10 and use <> 'shed'" };
    struct rank rank;
    struct tally tally = { 0 };
    struct error err = { 0 };
    if (open_rank(&rank, filtered, 2, NULL, NULL, NULL, &err)
        || open_zone(&rank, "00003", 512, 100000, &err)
        || read_stream(&rank, &tally, &err))
        fail_msg("%s", err.text);
    assert_int_equal(tally.n_rows,
                     number(
                         "SELECT count(*) FROM building b, zone z WHERE zip = '00003'"
                         " AND b.boundary && z.boundary AND height > 10"
                         " AND use <> 'shed'"));
    assert_int_equal(tally.n_filtered + tally.n_rows,
                     number(
                         "SELECT count(*) FROM building b, zone z WHERE zip = '00003'"
                         " AND b.boundary && z.boundary"));
    assert_true(tally.n_filtered > 0 && tally.n_rows > 0);
    close_rank(&rank);
}

static void a_missing_zone_and_one_too_large_are_told(void **state)
{
    (void)state;
    struct rank rank;
    struct text wkb;
    struct error err = { 0 };
    assert_int_equal(open_rank(&rank, NULL, 0, NULL, NULL, NULL, &err), 0);
    assert_int_equal(source_zone(rank.source, "99999", 5, &wkb, &rank.memory, &err),
                     -1);
    assert_int_equal(err.code, ERROR_DATA);
    assert_non_null(memory_take(&rank.memory,
                                MEMORY_BATCH,
                                memory_free_bytes(&rank.memory) - 64,
                                &err));
    assert_int_equal(source_zone(rank.source, "00001", 5, &wkb, &rank.memory, &err),
                     -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    close_rank(&rank);
}

static void a_row_alone_too_large_is_named(void **state)
{
    (void)state;
    struct rank rank;
    struct tally tally = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_rank(&rank, NULL, 0, NULL, NULL, NULL, &err), 0);
    assert_int_equal(open_zone(&rank, "00001", 512, 50, &err), 0);
    assert_int_equal(read_stream(&rank, &tally, &err), -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.text, "building "));
    /* and the connection serves the next zone */
    source_cancel(rank.source);
    if (open_zone(&rank, "00001", 512, 5000, &err) || read_stream(&rank, &tally, &err))
        fail_msg("%s", err.text);
    assert_true(tally.n_rows > 1000);
    close_rank(&rank);
}

/* Rows about as long as a piece of memory that they are read into, or several. */
static void rows_of_any_length_come_whole(void **state)
{
    static const int lengths[] = { 65536, 131072, 262144, 1000000 };
    (void)state;
    struct session session = { 0 };
    struct error err = { 0 };
    assert_int_equal(session_connect(&session, "", "test", &err), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int more = -26; more < 3; more++) {
            char statement[128];
            const uint8_t *bytes;
            int64_t n_bytes, n_rows = 0;
            snprintf(statement,
                     sizeof statement,
                     "COPY (SELECT repeat(chr(64 + i), %d) FROM generate_series(1, 3) "
                     "i)"
                     " TO STDOUT (FORMAT binary)",
                     lengths[i] + more);
            assert_int_equal(session_copy(&session, statement, &err), 0);
            while (session_copy_row(&session, &bytes, &n_bytes, &err) == 1) {
                struct copy_field field;
                int64_t n = n_rows == 0 ? copy_header(bytes, n_bytes, &err) : 0;
                if (n == n_bytes
                    || copy_row(bytes + n, n_bytes - n, &field, 1, &err) == 0)
                    continue;
                n_rows++;
                assert_int_equal(field.n, lengths[i] + more);
                for (int at = 0; at < field.n; at++)
                    assert_int_equal(field.bytes[at], 64 + n_rows);
            }
            assert_int_equal(n_rows, 3);
        }
    session_close(&session);
}

static void what_cannot_be_computed_is_a_data_error(void **state)
{
    (void)state;
    const char *fields[] = { "buildings.fields=big = id * 9223372036854775807" };
    struct rank rank;
    struct tally tally = { 0 };
    struct error err = { 0 };
    if (open_rank(&rank, fields, 1, NULL, NULL, NULL, &err)
        || open_zone(&rank, "00001", 512, 50000, &err))
        fail_msg("%s", err.text);
    assert_int_equal(read_stream(&rank, &tally, &err), -1);
    assert_int_equal(err.code, ERROR_DATA);
    assert_non_null(strstr(err.text, "rooftally_source_test.building"));
    assert_non_null(strstr(err.text, "out of range"));
    close_rank(&rank);
}

static void leaving_a_stream_leaves_a_connection_that_works(void **state)
{
    (void)state;
    const char *const rules[] = { "source.snapshot=shared", "source.snapshot=none" };
    for (int i = 0; i < 2; i++) {
        struct rank rank;
        struct tally tally = { 0 };
        struct error err = { 0 };
        assert_int_equal(open_rank(&rank, &rules[i], 1, NULL, NULL, NULL, &err), 0);
        assert_int_equal(*source_snapshot(rank.source) == '\0', i);
        source_cancel(rank.source); /* of nothing */
        assert_int_equal(open_zone(&rank, "00001", 10, 5000, &err), 0);
        assert_int_equal(source_next(rank.source, &rank.batch, &err), 1);
        source_cancel(rank.source);
        if (open_zone(&rank, "00002", 512, 5000, &err)
            || read_stream(&rank, &tally, &err))
            fail_msg("%s", err.text);
        assert_true(tally.n_rows > 1000);
        close_rank(&rank);
    }
}

static void two_ranks_see_one_snapshot(void **state)
{
    (void)state;
    struct rank first, second, later;
    struct tally a = { 0 }, b = { 0 }, c = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_rank(&first, NULL, 0, NULL, NULL, NULL, &err), 0);
    sql("DELETE FROM building WHERE id % 2 = 0");
    sql("INSERT INTO building SELECT 100000, 5, NULL, ST_MakeEnvelope(110, 10, 111, 11,"
        " 26986)");
    sql("UPDATE building SET height = -1 WHERE id % 5 = 0");
    const char *snapshot = source_snapshot(first.source);
    if (open_rank(&second, NULL, 0, snapshot, NULL, NULL, &err)
        || open_rank(&later, NULL, 0, NULL, NULL, NULL, &err)
        || open_zone(&first, "00001", 512, 50000, &err) || read_stream(&first, &a, &err)
        || open_zone(&second, "00001", 512, 50000, &err)
        || read_stream(&second, &b, &err)
        || open_zone(&later, "00001", 512, 50000, &err)
        || read_stream(&later, &c, &err))
        fail_msg("%s", err.text);
    assert_string_equal(source_snapshot(second.source), snapshot);
    assert_int_equal(a.n_rows, b.n_rows);
    assert_int_equal(a.id_sum, b.id_sum);
    assert_true(c.n_rows < a.n_rows);
    char gone[64];
    snprintf(gone, sizeof gone, "%s", snapshot);
    close_rank(&second);
    close_rank(&first);
    /* a closed connection takes the server a moment */
    for (int i = 0; open_rank(&second, NULL, 0, gone, NULL, NULL, &err) == 0; i++) {
        close_rank(&second);
        assert_true(i < 200);
        clock_sleep_s(0.05);
    }
    assert_int_equal(err.code, ERROR_GONE);
    assert_non_null(strstr(err.text, "snapshot"));
    close_rank(&second);
    close_rank(&later);
}

static void check_same_columns(const struct source_columns *a,
                               const struct source_columns *b)
{
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        assert_string_equal(a->columns[i].name, b->columns[i].name);
        assert_string_equal(a->columns[i].type_name, b->columns[i].type_name);
        assert_int_equal(a->columns[i].type, b->columns[i].type);
        assert_int_equal(!a->columns[i].sql, !b->columns[i].sql);
        if (a->columns[i].sql)
            assert_string_equal(a->columns[i].sql, b->columns[i].sql);
    }
}

static void check_same_schema(const struct source *a, const struct source *b)
{
    const struct source_schema *p = source_schema(a), *q = source_schema(b);
    assert_string_equal(source_snapshot(a), source_snapshot(b));
    check_same_columns(&p->zones, &q->zones);
    check_same_columns(&p->buildings, &q->buildings);
    assert_int_equal(p->zone_id_type, q->zone_id_type);
    assert_int_equal(p->building_id_type, q->building_id_type);
    assert_int_equal(p->srid, q->srid);
    assert_memory_equal(&p->crs, &q->crs, sizeof p->crs);
    assert_string_equal(p->crs_definition, q->crs_definition);
    assert_int_equal(p->spatial_index, q->spatial_index);
    assert_int_equal(p->zone_id_index, q->zone_id_index);
    assert_true(p->n_buildings == q->n_buildings);
    assert_string_equal(p->description, q->description);
    assert_string_equal(p->identity, q->identity);
}

/* The second rank has connected before the first takes its snapshot, and sees what that
 * sees all the same. */
static void a_rank_follows_what_the_first_has_found(void **state)
{
    (void)state;
    const char *const rules[] = { "source.snapshot=shared", "source.snapshot=none" };
    for (int i = 0; i < 2; i++) {
        struct rank first, second;
        struct tally a = { 0 }, b = { 0 };
        struct error err = { 0 };
        uint8_t *bytes = NULL;
        int64_t n_bytes = 0;
        assert_int_equal(make_rank(&second, &rules[i], 1, &err), 0);
        if (source_reach(&second.source, second.job, 1, NULL, NULL, &err)
            || open_rank(&first, &rules[i], 1, NULL, NULL, NULL, &err)
            || source_encode(first.source, &bytes, &n_bytes, &err))
            fail_msg("%s", err.text);
        if (i == 0)
            sql("DELETE FROM building WHERE id % 3 = 0");
        if (source_follow(second.source, bytes, n_bytes, &err)
            || bind_rank(&second, &err) || open_zone(&first, "00001", 512, 50000, &err)
            || read_stream(&first, &a, &err)
            || open_zone(&second, "00001", 512, 50000, &err)
            || read_stream(&second, &b, &err))
            fail_msg("%s", err.text);
        check_same_schema(first.source, second.source);
        assert_true(a.n_rows > 0);
        assert_int_equal(a.n_rows, b.n_rows);
        assert_int_equal(a.id_sum, b.id_sum);
        /* it can lose its connection as any other */
        assert_int_equal(source_reopen(second.source, &err), 0);
        free(bytes);
        close_rank(&second);
        close_rank(&first);
    }
}

static void a_share_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    struct rank first;
    struct error err = { 0 };
    uint8_t *bytes = NULL;
    int64_t n_bytes = 0;
    assert_int_equal(open_rank(&first, NULL, 0, NULL, NULL, NULL, &err), 0);
    assert_int_equal(source_encode(first.source, &bytes, &n_bytes, &err), 0);
    const int64_t cuts[] = { 0, 100, n_bytes / 2, n_bytes - 10, n_bytes - 1 };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct source *other = NULL;
        assert_int_equal(source_reach(&other, first.job, 1, NULL, NULL, &err), 0);
        assert_int_equal(source_follow(other, bytes, cuts[i], &err), -1);
        assert_int_equal(err.code, ERROR_INTERNAL);
        source_close(other);
    }
    free(bytes);
    close_rank(&first);
}

static int64_t last_connection(void)
{
    return number("SELECT pid FROM pg_stat_activity WHERE application_name LIKE"
                  " 'rooftally rank%' AND datname = current_database() ORDER BY "
                  "backend_start DESC LIMIT 1");
}

/* End a connection of ours, and see that it is gone. */
static void end_connection(int64_t pid)
{
    char statement[80];
    snprintf(statement,
             sizeof statement,
             "SELECT pg_terminate_backend(%d, 10000)",
             (int)pid);
    sql(statement);
}

/* Nothing was read under it, so all can be opened anew, under another. */
static void to_follow_a_snapshot_that_is_gone_can_be_retried(void **state)
{
    (void)state;
    struct rank first, second;
    struct error err = { 0 };
    uint8_t *bytes = NULL;
    int64_t n_bytes = 0;
    assert_int_equal(make_rank(&second, NULL, 0, &err), 0);
    assert_int_equal(source_reach(&second.source, second.job, 1, NULL, NULL, &err), 0);
    assert_int_equal(open_rank(&first, NULL, 0, NULL, NULL, NULL, &err), 0);
    int64_t exporter = last_connection();
    assert_int_equal(source_encode(first.source, &bytes, &n_bytes, &err), 0);
    end_connection(exporter);
    assert_int_equal(source_follow(second.source, bytes, n_bytes, &err), -1);
    assert_int_equal(err.code, ERROR_SOURCE);
    assert_non_null(strstr(err.text, "is gone with the session"));
    free(bytes);
    close_rank(&second);
    close_rank(&first);
}

static void a_backend_that_dies_is_noticed_at_once(void **state)
{
    (void)state;
    const char *rename[] = { "source.connection=application_name=victim" };
    struct rank rank;
    struct tally tally = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_rank(&rank, rename, 1, NULL, NULL, NULL, &err), 0);
    assert_int_equal(open_zone(&rank, "00001", 10, 5000, &err), 0);
    assert_int_equal(source_next(rank.source, &rank.batch, &err), 1);
    assert_int_equal(number("SELECT count(pg_terminate_backend(pid, 5000)) FROM"
                            " pg_stat_activity WHERE application_name = 'victim'"),
                     1);
    double start_s = clock_wall_s();
    int status = read_stream(&rank, &tally, &err);
    if (status == 0) /* the rest was on its way already */
        status = open_zone(&rank, "00002", 10, 5000, &err);
    assert_int_equal(status, -1);
    assert_int_equal(err.code, ERROR_SOURCE);
    assert_true(clock_wall_s() - start_s < 2);
    source_cancel(rank.source);
    assert_int_equal(open_zone(&rank, "00002", 10, 5000, &err), -1);
    assert_int_equal(err.code, ERROR_SOURCE);
    close_rank(&rank);
}

/* True once the time that context holds has come. */
static bool is_late(void *context)
{
    return clock_wall_s() > *(double *)context;
}

static void a_wait_ends_when_asked(void **state)
{
    (void)state;
    const char *slow[] = { "buildings.table=rooftally_source_test.slow",
                           "buildings.fields=height" };
    struct rank rank;
    struct tally tally = { 0 };
    struct error err = { 0 };
    double end_s = clock_wall_s() + 1e6;
    sql("CREATE VIEW slow AS SELECT id, boundary,"
        " (SELECT count(*) FROM pg_sleep(20 + 0 * id)) AS height FROM building");
    if (open_rank(&rank, slow, 2, NULL, is_late, &end_s, &err))
        fail_msg("%s", err.text);
    end_s = clock_wall_s() + 0.3;
    int status = open_zone(&rank, "00001", 10, 5000, &err);
    if (status == 0)
        status = read_stream(&rank, &tally, &err);
    assert_int_equal(status, -1);
    assert_int_equal(err.code, ERROR_STOPPED);
    assert_true(clock_wall_s() < end_s + 2);
    close_rank(&rank);
    assert_true(clock_wall_s() < end_s + 2);
    sql("DROP VIEW slow");
}

static void connections_that_fail_say_so_without_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *connection;
        enum error_code code;
        const char *says;
    } cases[] = {
        { "source.connection=host=/nowhere password=hush",
          ERROR_SOURCE,
          "[source] connection: connection to server on socket \"/nowhere/" },
        { "source.connection=dbname=rooftally_none password=hush",
          ERROR_SOURCE,
          "database \"rooftally_none\" does not exist: check it, and that the server" },
        { "source.connection=pasword=hush", ERROR_USAGE, "\"pasword\"" },
        { "source.connection=dbname=x password='hush", ERROR_USAGE, "connection" },
        { "source.connection=dbname=x hush", ERROR_USAGE, "connection" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = refusal(&cases[i].connection, 1);
        assert_int_equal(err.code, cases[i].code);
        assert_null(strstr(err.text, "hush"));
        if (!strstr(err.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
    }
}

static void plan_shows_statements_that_run(void **state)
{
    (void)state;
    struct rank rank;
    struct error err = { 0 };
    char *text = NULL;
    size_t n = 0;
    int64_t n_free = -2;
    FILE *out = open_memstream(&text, &n);
    assert_int_equal(open_rank(&rank, NULL, 0, NULL, NULL, NULL, &err), 0);
    if (source_explain(rank.source, NULL, out, 3, &n_free, &err))
        fail_msg("%s", err.text);
    fclose(out);
    close_rank(&rank);
    assert_true(n_free > 0);
    assert_non_null(strstr(text, "connections: 3 needed"));
    int n_statements = 0;
    for (char *at = text; (at = strstr(at, "  COPY ")); n_statements++) {
        char *end = strchr(at, '\n');
        *end = '\0';
        PGresult *result = PQexec(admin, at);
        assert_int_equal(PQresultStatus(result), PGRES_COPY_OUT);
        PQclear(result);
        char *row;
        while (PQgetCopyData(admin, &row, 0) > 0)
            PQfreemem(row);
        while ((result = PQgetResult(admin)))
            PQclear(result);
        at = end + 1;
    }
    assert_int_equal(n_statements, 2);
    free(text);
}

static void a_lost_connection_goes_on_under_its_snapshot(void **state)
{
    (void)state;
    struct rank first, second;
    struct tally a = { 0 }, b = { 0 };
    struct error err = { 0 };
    int64_t n_free = -7;
    char snapshot[64];
    assert_int_equal(open_rank(&first, NULL, 0, NULL, NULL, NULL, &err), 0);
    int64_t exporter = last_connection();
    snprintf(snapshot, sizeof snapshot, "%s", source_snapshot(first.source));
    assert_int_equal(open_rank(&second, NULL, 0, snapshot, NULL, NULL, &err), 0);
    if (open_zone(&first, "00002", 512, 50000, &err) || read_stream(&first, &a, &err))
        fail_msg("%s", err.text);
    sql("UPDATE building SET boundary = ST_Translate(boundary, 1000, 0) WHERE id % 2 = "
        "0");

    /* in the middle of a zone */
    assert_int_equal(open_zone(&second, "00002", 10, 5000, &err), 0);
    assert_int_equal(source_next(second.source, &second.batch, &err), 1);
    end_connection(last_connection());
    int more = 1;
    while (more == 1) /* what the socket holds comes first */
        more = source_next(second.source, &second.batch, &err);
    if (more < 0)
        assert_int_equal(err.code, ERROR_SOURCE);
    assert_int_equal(source_check(second.source, &err),
                     0); /* not the one that exports */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(source_reopen(second.source, &err), 0);
        assert_string_equal(source_snapshot(second.source), snapshot);
        if (open_zone(&second, "00002", 512, 50000, &err)
            || read_stream(&second, &b, &err))
            fail_msg("%s", err.text);
        assert_int_equal(a.n_rows, b.n_rows);
        assert_int_equal(a.id_sum, b.id_sum);
    }
    assert_int_equal(source_connections(second.source, &n_free, &err), 0);
    assert_in_range(n_free, 1, 100);

    /* the exporter's own is lost for good, and so is the snapshot then */
    source_close(second.source);
    second.source = NULL;
    assert_int_equal(source_check(first.source, &err), 0);
    end_connection(exporter);
    for (int i = 0; i < 100 && source_check(first.source, &err) == 0; i++)
        clock_sleep_s(0.01);
    assert_int_equal(source_check(first.source, &err), -1);
    assert_int_equal(err.code, ERROR_SOURCE);
    assert_int_equal(source_reopen(first.source, &err), -1);
    assert_int_equal(err.code, ERROR_GONE);
    assert_non_null(strstr(err.text, "is gone with the session"));
    binding_release(&second.binding);
    zone_close(second.zone);
    geos_close(second.geos);
    memory_release(&second.memory);
    job_close(second.job);
    close_rank(&first);
    sql("UPDATE building SET boundary = ST_Translate(boundary, -1000, 0) WHERE id % 2 "
        "= 0");
}

/* The one who exported the snapshot goes back to before what failed, and others can still
 * come to it; zones are then read by the index, as before the scan. */
static void a_statement_that_fails_does_not_end_the_snapshot(void **state)
{
    (void)state;
    struct rank first, second;
    struct tally a = { 0 }, b = { 0 };
    struct error err = { 0 };
    char failing[] = "1 / (b.id - b.id) = 1", *filter;
    char snapshot[64];
    assert_int_equal(open_rank(&first, NULL, 0, NULL, NULL, NULL, &err), 0);
    snprintf(snapshot, sizeof snapshot, "%s", source_snapshot(first.source));
    if (open_zone(&first, "00002", 512, 50000, &err) || read_stream(&first, &a, &err))
        fail_msg("%s", err.text);
    sql("DELETE FROM building WHERE id % 2 = 0");
    filter = first.binding.source_filter;
    for (int i = 0; i < 3; i++) {
        first.binding.source_filter = failing;
        if (source_scan(first.source, SOURCE_BUILDINGS, &first.binding, 0, 1, &err)
            == 0)
            assert_int_equal(read_stream(&first, &b, &err), -1);
        assert_int_equal(err.code, ERROR_DATA);
        first.binding.source_filter = filter;
        assert_int_equal(source_check(first.source, &err), 0);
        if (source_reopen(first.source, &err)
            || source_bind(first.source, &first.binding, &err)
            || open_zone(&first, "00002", 512, 50000, &err)
            || read_stream(&first, &b, &err))
            fail_msg("%s", err.text);
        assert_string_equal(source_snapshot(first.source), snapshot);
        assert_int_equal(a.n_rows, b.n_rows);
        assert_int_equal(a.id_sum, b.id_sum);
    }
    if (open_rank(&second, NULL, 0, snapshot, NULL, NULL, &err)
        || open_zone(&second, "00002", 512, 50000, &err)
        || read_stream(&second, &b, &err))
        fail_msg("%s", err.text);
    assert_int_equal(a.id_sum, b.id_sum);
    close_rank(&second);
    close_rank(&first);
}

static void without_a_snapshot_any_connection_will_do(void **state)
{
    (void)state;
    const char *none = "source.snapshot=none";
    struct rank rank;
    struct tally a = { 0 }, b = { 0 };
    struct error err = { 0 };
    assert_int_equal(open_rank(&rank, &none, 1, NULL, NULL, NULL, &err), 0);
    if (open_zone(&rank, "00002", 512, 50000, &err) || read_stream(&rank, &a, &err))
        fail_msg("%s", err.text);
    end_connection(last_connection());
    assert_int_equal(source_check(rank.source, &err), 0);
    assert_int_equal(open_zone(&rank, "00002", 512, 50000, &err), -1);
    assert_int_equal(err.code, ERROR_SOURCE);
    assert_int_equal(source_reopen(rank.source, &err), 0);
    if (open_zone(&rank, "00002", 512, 50000, &err) || read_stream(&rank, &b, &err))
        fail_msg("%s", err.text);
    assert_int_equal(a.n_rows, b.n_rows);
    assert_int_equal(a.id_sum, b.id_sum);
    close_rank(&rank);
}

/* Read one part of the buildings, of n_parts: how many, and the sum of their ids. */
static void read_part(struct rank *rank,
                      int part,
                      int n_parts,
                      struct tally *sum,
                      struct error *err)
{
    struct tally tally = { 0 };
    if (source_scan(rank->source, SOURCE_BUILDINGS, &rank->binding, part, n_parts, err)
        || read_stream(rank, &tally, err))
        fail_msg("part %d: %s", part, err->text);
    sum->n_rows += tally.n_rows;
    sum->id_sum += tally.id_sum;
}

/* Two ranks read parts in turn, of which one came when the table had grown already, and
 * it goes on growing: every row of the snapshot comes once. */
static void parts_stay_the_same_while_a_table_grows(void **state)
{
    (void)state;
    enum { PARTS = 4 };
    static const char grow[] =
        "INSERT INTO building (id, boundary) SELECT 1000000 + i, ST_MakeEnvelope(0, 0, "
        "1, 1, 26986) FROM generate_series(1, 10000) i";
    struct rank ranks[2];
    struct tally whole = { 0 }, parts = { 0 };
    struct error err = { 0 };
    uint8_t *bytes;
    int64_t n_bytes;
    assert_int_equal(open_rank(&ranks[0], NULL, 0, NULL, NULL, NULL, &err), 0);
    assert_int_equal(source_encode(ranks[0].source, &bytes, &n_bytes, &err), 0);
    sql(grow);
    if (make_rank(&ranks[1], NULL, 0, &err)
        || source_reach(&ranks[1].source, ranks[1].job, 1, NULL, NULL, &err)
        || source_follow(ranks[1].source, bytes, n_bytes, &err)
        || bind_rank(&ranks[1], &err))
        fail_msg("%s", err.text);
    free(bytes);
    for (int i = 0; i < 2; i++)
        assert_int_equal(batch_init(&ranks[i].batch,
                                    &ranks[i].binding,
                                    512,
                                    50000,
                                    &ranks[i].memory,
                                    &err),
                         0);
    read_part(&ranks[0], 0, 1, &whole, &err);
    for (int part = 0; part < PARTS; part++) {
        read_part(&ranks[part % 2], part, PARTS, &parts, &err);
        sql(grow);
    }
    assert_true(whole.n_rows > 0);
    assert_int_equal(parts.n_rows, whole.n_rows);
    assert_int_equal(parts.id_sum, whole.id_sum);
    close_rank(&ranks[1]);
    close_rank(&ranks[0]);
    sql("DELETE FROM building WHERE id > 1000000");
    sql("VACUUM building");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_is_what_the_server_has),
        cmocka_unit_test(zones_come_sorted_with_boxes_and_estimates),
        cmocka_unit_test(zones_that_are_none_are_refused),
        cmocka_unit_test(columns_may_have_any_name),
        cmocka_unit_test(every_candidate_comes_once_whatever_the_batch),
        cmocka_unit_test(a_filter_counts_what_it_drops),
        cmocka_unit_test(a_missing_zone_and_one_too_large_are_told),
        cmocka_unit_test(a_row_alone_too_large_is_named),
        cmocka_unit_test(rows_of_any_length_come_whole),
        cmocka_unit_test(what_cannot_be_computed_is_a_data_error),
        cmocka_unit_test(leaving_a_stream_leaves_a_connection_that_works),
        cmocka_unit_test(a_backend_that_dies_is_noticed_at_once),
        cmocka_unit_test(a_wait_ends_when_asked),
        cmocka_unit_test(connections_that_fail_say_so_without_secrets),
        cmocka_unit_test(plan_shows_statements_that_run),
        cmocka_unit_test(a_lost_connection_goes_on_under_its_snapshot),
        cmocka_unit_test(without_a_snapshot_any_connection_will_do),
        cmocka_unit_test(a_rank_follows_what_the_first_has_found),
        cmocka_unit_test(to_follow_a_snapshot_that_is_gone_can_be_retried),
        cmocka_unit_test(a_share_that_is_cut_off_is_refused),
        cmocka_unit_test(two_ranks_see_one_snapshot),
        cmocka_unit_test(a_statement_that_fails_does_not_end_the_snapshot),
        cmocka_unit_test(parts_stay_the_same_while_a_table_grows),
    };
    open_schema();
    make_tables();
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    close_schema();
    return status;
}
