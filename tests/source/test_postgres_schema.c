#include "postgres_case.h"

static void make_tables(void)
{
    sql("CREATE TABLE zone (zip text PRIMARY KEY, boundary geometry(MultiPolygon, "
        "4326))");
    sql("INSERT INTO zone SELECT 'z', ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 4326))");
    sql("CREATE TYPE mood AS ENUM ('glum', 'gay')");
    sql("CREATE DOMAIN metres AS numeric(8, 2)");
    sql("CREATE DOMAIN tall AS metres CHECK (VALUE > 0)");
    sql("CREATE TABLE building (id int PRIMARY KEY, c_int2 int2, c_int4 int4, c_int8 "
        "int8,"
        " c_float4 float4, c_float8 float8, c_numeric numeric, c_domain tall, c_bool "
        "bool,"
        " c_text text, c_varchar varchar(9), c_char char(5), c_name name, c_uuid uuid,"
        " c_mood mood, c_date date, c_time timestamp, c_zoned timestamptz, c_bytes "
        "bytea,"
        " \"Odd \"\"name\" int, boundary geometry(Geometry, 4326))");
    sql("INSERT INTO building VALUES (1, -2, 3, 9223372036854775807, 0.5, -1e300, "
        "12.345,"
        " 7.25, true, 'gr\303\274n', 'v', 'ab', 'n',"
        " '6ecd8c99-4036-403d-bf84-cf8400f67836', 'glum', '1969-12-31',"
        " '1970-01-01 00:00:01', '1970-01-01 02:00:00+02', 'x', 5,"
        " 'SRID=4326;POINT(0.5 0.5)')");
    sql("INSERT INTO building (id, boundary) VALUES (2, 'SRID=4326;POINT(0.25 0.5)')");
    sql("CREATE INDEX ON building USING gist (boundary)");
}

static void every_type_arrives_with_its_nulls(void **state)
{
    (void)state;
    const char *fields[] = {
        "buildings.fields=c_int2, c_int4, c_int8, c_float4, c_float8, c_numeric, "
        "c_domain,"
        " c_bool, c_text, c_varchar, c_char, c_name, c_uuid, c_mood, c_date, c_time,"
        " c_zoned, odd = \"Odd \"\"name\""
    };
    static const struct {
        enum value_type type;
        int64_t integer;
        double real;
        const char *text;
    } wanted[] = {
        { TYPE_INTEGER, -2, 0, NULL },
        { TYPE_INTEGER, 3, 0, NULL },
        { TYPE_INTEGER, INT64_MAX, 0, NULL },
        { TYPE_REAL, 0, 0.5, NULL },
        { TYPE_REAL, 0, -1e300, NULL },
        { TYPE_REAL, 0, 12.345, NULL },
        { TYPE_REAL, 0, 7.25, NULL },
        { TYPE_BOOLEAN, 1, 0, NULL },
        { TYPE_TEXT, 0, 0, "gr\303\274n" },
        { TYPE_TEXT, 0, 0, "v" },
        { TYPE_TEXT, 0, 0, "ab" },
        { TYPE_TEXT, 0, 0, "n" },
        { TYPE_TEXT, 0, 0, "6ecd8c99-4036-403d-bf84-cf8400f67836" },
        { TYPE_TEXT, 0, 0, "glum" },
        { TYPE_DATE, -1, 0, NULL },
        { TYPE_TIMESTAMP, 1000000, 0, NULL },
        { TYPE_TIMESTAMP, 0, 0, NULL },
        { TYPE_INTEGER, 5, 0, NULL },
    };
    struct rank rank;
    struct error err = { 0 };
    if (open_rank(&rank, fields, 1, NULL, NULL, NULL, &err)
        || open_zone(&rank, "z", 10, 1000, &err))
        fail_msg("%s", err.text);
    assert_int_equal(source_next(rank.source, &rank.batch, &err), 1);
    assert_int_equal(rank.batch.n_rows, 2);
    int full = rank.batch.id.integers[0] == 1 ? 0 : 1;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const struct column *c = &rank.batch.columns[i];
        assert_int_equal(c->type, wanted[i].type);
        assert_int_equal(c->valid[full], 1);
        assert_int_equal(c->valid[1 - full], 0);
        if (c->type == TYPE_REAL)
            assert_true(c->reals[full] == wanted[i].real);
        else if (c->type != TYPE_TEXT)
            assert_true(c->integers[full] == wanted[i].integer);
        else {
            assert_int_equal(c->texts[full].n, strlen(wanted[i].text));
            assert_memory_equal(c->texts[full].bytes,
                                wanted[i].text,
                                strlen(wanted[i].text));
        }
    }
    close_rank(&rank);
}

static void what_does_not_fit_is_refused_by_name(void **state)
{
    (void)state;
    sql("CREATE TABLE plane (id int, boundary geometry(Polygon, 26986), g geography,"
        " line geometry(LineString, 4326), n numeric, b bytea)");
    sql("CREATE TABLE loose (id int, boundary geometry)");
    sql("INSERT INTO loose VALUES (1, NULL), (2, 'SRID=3857;POINT(1 2)')");
    static const struct {
        const char *override, *says;
    } cases[] = {
        { "zones.table=rooftally_source_test.zon", "'rooftally_source_test.zone'" },
        { "zones.table=rooftally_sorce_test.zone", "'rooftally_source_test.zone'" },
        { "zones.table=nothing like it", "[zones] table" },
        { "buildings.table=\"", "[buildings] table" },
        { "buildings.table=rooftally_source_test.zone; DROP TABLE x",
          "[buildings] table" },
        { "buildings.table=rooftally_source_test.zone_pkey",
          "neither a table nor a view" },
        { "buildings.id=ident", "no column 'ident'" },
        { "buildings.id=idd", "did you mean 'id'" },
        { "zones.id=zipp", "did you mean 'zip'" },
        { "zones.geometry=boundry", "did you mean 'boundary'" },
        { "buildings.geometry=c_bytes", "of type bytea, not geometry" },
        { "buildings.id=c_float8", "of type double precision" },
        { "buildings.id=c_numeric", "bigint" },
        { "buildings.id=c_mood", "an id is an integer or a text" },
        { "buildings.table=rooftally_source_test.plane", "SRID 4326, [buildings]" },
        { "buildings.table=rooftally_source_test.loose", "SRID 3857" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = refusal(&cases[i].override, 1);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: '%s' does not say '%s'",
                     cases[i].override,
                     err.text,
                     cases[i].says);
    }
    const char *geography[] = { "buildings.table=rooftally_source_test.plane",
                                "buildings.geometry=g" };
    struct error err = refusal(geography, 2);
    assert_non_null(strstr(err.text, "cast it to geometry"));
    const char *lines[] = { "zones.table=rooftally_source_test.plane",
                            "zones.id=id",
                            "zones.geometry=line" };
    err = refusal(lines, 3);
    assert_non_null(strstr(err.text, "zones are polygons"));
    sql("DROP TABLE plane, loose");
}

static void permission_is_asked_for_by_name(void **state)
{
    (void)state;
    sql("DROP ROLE IF EXISTS rooftally_source_test");
    sql("CREATE ROLE rooftally_source_test");
    const char *as_role[] = { "source.connection=options=-crole=rooftally_source_test",
                              "buildings.fields=c_int4" };
    struct error err = refusal(as_role, 1);
    assert_int_equal(err.code, ERROR_USAGE);
    assert_non_null(strstr(err.text, "permission denied for schema"));
    sql("GRANT USAGE ON SCHEMA rooftally_source_test TO rooftally_source_test");
    err = refusal(as_role, 1);
    assert_int_equal(err.code, ERROR_USAGE);
    assert_non_null(strstr(err.text, "no permission to select column 'zip'"));
    sql("GRANT SELECT ON zone TO rooftally_source_test");
    sql("GRANT SELECT (id, boundary) ON building TO rooftally_source_test");
    struct rank rank;
    struct tally tally = { 0 };
    if (open_rank(&rank, as_role, 1, NULL, NULL, NULL, &err)
        || open_zone(&rank, "z", 10, 1000, &err) || read_stream(&rank, &tally, &err))
        fail_msg("%s", err.text);
    assert_int_equal(tally.n_rows, 2);
    close_rank(&rank);
    err = refusal(as_role, 2);
    assert_int_equal(err.code, ERROR_USAGE);
    assert_non_null(strstr(err.text, "c_int4"));
    sql("DROP OWNED BY rooftally_source_test");
    sql("DROP ROLE rooftally_source_test");
}

/* Open on another table of buildings and read the one zone. */
static struct tally
read_table(const char *table, bool *spatial_index, double *n_buildings)
{
    char override[128];
    const char *overrides[] = { override };
    struct rank rank;
    struct tally tally = { 0 };
    struct error err = { 0 };
    snprintf(override,
             sizeof override,
             "buildings.table=rooftally_source_test.%s",
             table);
    if (open_rank(&rank, overrides, 1, NULL, NULL, NULL, &err)
        || open_zone(&rank, "z", 10, 1000, &err) || read_stream(&rank, &tally, &err))
        fail_msg("%s: %s", table, err.text);
    *spatial_index = source_schema(rank.source)->spatial_index;
    *n_buildings = source_schema(rank.source)->n_buildings;
    struct zone_list zones;
    if (source_zones(rank.source, &zones, &rank.memory, &err))
        fail_msg("%s: %s", table, err.text);
    assert_int_equal(zones.n, 1);
    assert_true(zones.estimates[0] >= 0);
    close_rank(&rank);
    return tally;
}

static void every_kind_of_table_is_read(void **state)
{
    (void)state;
    sql("CREATE TABLE bare AS SELECT * FROM building");
    sql("CREATE VIEW seen AS SELECT id, boundary FROM building");
    sql("CREATE MATERIALIZED VIEW made AS SELECT * FROM building");
    sql("CREATE INDEX ON made USING spgist (boundary)");
    sql("CREATE TABLE parted (id int, boundary geometry(Geometry, 4326))"
        " PARTITION BY RANGE (id)");
    sql("CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (0) TO (2)");
    sql("CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM (2) TO (9)");
    sql("INSERT INTO parted SELECT id, boundary FROM building");
    sql("CREATE INDEX ON parted USING gist (boundary)");
    sql("CREATE TABLE \"Odd \"\" table\" AS SELECT * FROM building");
    sql("CREATE TABLE empty (LIKE building INCLUDING INDEXES)");
    sql("ANALYZE parted");
    sql("ANALYZE empty");
    static const struct {
        const char *table;
        bool spatial_index;
        int n;
    } cases[] = {
        { "building", true, 2 }, { "bare", false, 2 },
        { "seen", true, 2 },     { "made", true, 2 },
        { "parted", true, 2 },   { "\"Odd \"\" table\"", false, 2 },
        { "empty", true, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool spatial_index;
        double n_buildings;
        struct tally tally = read_table(cases[i].table, &spatial_index, &n_buildings);
        assert_int_equal(spatial_index, cases[i].spatial_index);
        assert_int_equal(tally.n_rows, cases[i].n);
        assert_int_equal(tally.id_sum, cases[i].n == 2 ? 3 : 0);
        assert_true(n_buildings >= 0);
    }
}

static void ids_may_be_texts(void **state)
{
    (void)state;
    const char *uuid[] = { "buildings.id=c_uuid" };
    struct rank rank;
    struct error err = { 0 };
    sql("UPDATE building SET c_uuid = '00000000-0000-0000-0000-00000000000a' WHERE id "
        "= 2");
    if (open_rank(&rank, uuid, 1, NULL, NULL, NULL, &err)
        || open_zone(&rank, "z", 10, 1000, &err))
        fail_msg("%s", err.text);
    assert_int_equal(source_next(rank.source, &rank.batch, &err), 1);
    assert_int_equal(rank.batch.id.type, TYPE_TEXT);
    assert_int_equal(rank.batch.id.texts[0].n, 36);
    close_rank(&rank);
    sql("UPDATE building SET c_uuid = NULL WHERE id = 2");
    if (open_rank(&rank, uuid, 1, NULL, NULL, NULL, &err)
        || open_zone(&rank, "z", 10, 1000, &err))
        fail_msg("%s", err.text);
    assert_int_equal(source_next(rank.source, &rank.batch, &err), 1);
    int n_null = 0;
    for (int32_t row = 0; row < rank.batch.n_rows; row++)
        if (!rank.batch.id.valid[row]) {
            assert_int_equal(rank.batch.faults[row], EWKB_NO_ID);
            assert_int_equal(rank.batch.id.texts[row].n, 0);
            n_null++;
        }
    assert_true(n_null > 0);
    close_rank(&rank);
}

/* A database of its own, with PostGIS in a schema that no search path holds. */
static void postgis_may_live_anywhere(void **state)
{
    (void)state;
    const char *there[] = { "source.connection=dbname=rooftally_source_test",
                            "zones.table=public.zone",
                            "buildings.table=public.building" };
    sql("DROP DATABASE IF EXISTS rooftally_source_test");
    sql("CREATE DATABASE rooftally_source_test TEMPLATE template0");
    struct error err = refusal(there, 3);
    assert_int_equal(err.code, ERROR_USAGE);
    assert_non_null(strstr(err.text, "CREATE EXTENSION postgis"));
    PGconn *first = admin;
    admin = PQconnectdb("dbname=rooftally_source_test");
    sql("SET client_min_messages = error");
    sql("CREATE SCHEMA \"Geo\"");
    sql("CREATE EXTENSION postgis SCHEMA \"Geo\"");
    sql("CREATE TABLE zone AS SELECT 7 AS zip, \"Geo\".ST_MakeEnvelope(0, 0, 1, 1) AS"
        " boundary");
    sql("CREATE TABLE building AS SELECT i AS id, \"Geo\".ST_Point(i, 0.5) AS boundary"
        " FROM generate_series(0, 9) i");
    sql("CREATE INDEX ON building USING gist (boundary)");
    sql("ANALYZE");
    struct rank rank;
    struct tally tally = { 0 };
    struct zone_list zones;
    if (open_rank(&rank, there, 3, NULL, NULL, NULL, &err)
        || source_zones(rank.source, &zones, &rank.memory, &err)
        || open_zone(&rank, "7", 10, 1000, &err) || read_stream(&rank, &tally, &err))
        fail_msg("%s", err.text);
    assert_int_equal(tally.n_rows, 2);
    assert_int_equal(source_schema(rank.source)->srid, 0);
    assert_true(source_schema(rank.source)->spatial_index);
    assert_int_equal(source_schema(rank.source)->zone_id_type, TYPE_INTEGER);
    close_rank(&rank);
    PQfinish(admin);
    admin = first;
    sql("DROP DATABASE rooftally_source_test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_arrives_with_its_nulls),
        cmocka_unit_test(what_does_not_fit_is_refused_by_name),
        cmocka_unit_test(permission_is_asked_for_by_name),
        cmocka_unit_test(every_kind_of_table_is_read),
        cmocka_unit_test(ids_may_be_texts),
        cmocka_unit_test(postgis_may_live_anywhere),
    };
    open_schema();
    make_tables();
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    close_schema();
    return status;
}
