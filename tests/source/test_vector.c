/* Vector files that the test writes itself, read through the module. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/source/source.h"

#include "check.h"
#include "source_open.h"

static char folder[] = "/tmp/rooftally-vector-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][160];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* A feature of a GeoJSONSeq file, properties and geometry as they are given. */
#define FEATURE(properties, geometry)                                                  \
    "{\"type\":\"Feature\",\"properties\":{" properties "},\"geometry\":" geometry "}" \
    "\n"
#define SQUARE(x, y)                                                                   \
    "{\"type\":\"Polygon\",\"coordinates\":[[[" #x "," #y "],[" #x ".5," #y "],[" #x   \
    ".5," #y ".5],[" #x "," #y "]]]}"

static const char plain_zones[] =
    FEATURE("\"zip\":\"02139\",\"state\":\"MA\"", SQUARE(1, 1))
        FEATURE("\"zip\":\"02138\",\"state\":null", SQUARE(2, 1));

static struct job *open_job(const char *zones, const char *buildings, const char *keys)
{
    struct job *job;
    struct error err;
    FILE *file = fopen(path_of("job.ini"), "wb");
    assert_non_null(file);
    fprintf(file,
            "[job]\noutput = unused.h5\n[source]\nkind = vector\n"
            "[zones]\npath = %s/%s\nid = zip\n"
            "[buildings]\npath = %s/%s\n%s\n[statistics]\nbuildings = count\n",
            folder,
            zones,
            folder,
            buildings,
            keys);
    fclose(file);
    assert_fine(job_open(&job, path_of("job.ini"), NULL, 0, &err), &err);
    return job;
}

static void put_value(const struct column *column, int32_t row, char *out, size_t n_out)
{
    size_t n = strlen(out);
    if (!column->valid[row])
        snprintf(out + n, n_out - n, "null");
    else if (column->type == TYPE_TEXT)
        snprintf(out + n,
                 n_out - n,
                 "'%.*s'",
                 (int)column->texts[row].n,
                 column->texts[row].bytes);
    else if (column->type == TYPE_REAL)
        snprintf(out + n, n_out - n, "%.17g", column->reals[row]);
    else
        snprintf(out + n, n_out - n, "%lld", (long long)column->integers[row]);
}

static void put_row(const struct binding *binding,
                    const struct batch *batch,
                    int32_t row,
                    char *out,
                    size_t n_out)
{
    put_value(&batch->id, row, out, n_out);
    for (int i = 0; i < binding->n_slots; i++)
        if (binding->slots[i].origin == SLOT_SOURCE) {
            strncat(out, " ", n_out - strlen(out) - 1);
            put_value(&batch->columns[i], row, out, n_out);
        }
    strncat(out, ";", n_out - strlen(out) - 1);
}

static int read_part(struct source *source,
                     enum source_table table,
                     const struct binding *binding,
                     int part,
                     int n_parts,
                     struct batch *batch,
                     char *out,
                     size_t n_out,
                     int64_t *n_filtered,
                     struct error *err)
{
    int more;
    if (source_scan(source, table, binding, part, n_parts, err))
        return -1;
    while ((more = source_next(source, batch, err)) == 1) {
        *n_filtered += batch->n_filtered;
        for (int32_t row = 0; row < batch->n_rows; row++)
            put_row(binding, batch, row, out, n_out);
    }
    if (more == 0)
        assert_int_equal(source_next(source, batch, err), 0);
    return more;
}

/* Everything that a scan gives, as text: "id value value …;" a row. */
static int scan(const char *zones,
                const char *buildings,
                const char *keys,
                enum source_table table,
                int n_parts,
                int32_t capacity,
                char *out,
                size_t n_out,
                int64_t *n_filtered,
                struct error *err)
{
    struct job *job = open_job(zones, buildings, keys), zone_job = *job;
    struct source *source;
    struct memory memory;
    struct batch batch;
    struct binding binding;
    int status = 0;
    *out = '\0';
    *n_filtered = 0;
    zone_job.building_id = job->zone_id;
    zone_job.n_keep = zone_job.n_fields = 0;
    zone_job.where = NULL;
    assert_fine(memory_init(&memory, 8 << 20, err), err);
    if (source_open(&source, job, NULL, 0, NULL, NULL, err)) {
        status = -1;
        goto out;
    }
    const struct source_schema *schema = source_schema(source);
    bool is_zone = table == SOURCE_ZONES;
    assert_fine(binding_init(&binding,
                             is_zone ? &zone_job : job,
                             is_zone ? &schema->zones : &schema->buildings,
                             err),
                err);
    assert_fine(binding_everything(&binding, err), err);
    binding.id_type = is_zone ? schema->zone_id_type : schema->building_id_type;
    assert_fine(batch_init(&batch, &binding, capacity, 4096, &memory, err), err);
    for (int part = 0; part < n_parts && status == 0; part++)
        status = read_part(source,
                           table,
                           &binding,
                           part,
                           n_parts,
                           &batch,
                           out,
                           n_out,
                           n_filtered,
                           err);
    binding_release(&binding);
    source_close(source);
out:
    memory_release(&memory);
    job_close(job);
    return status;
}

/* The rows of buildings.geojsonl, which have to be these. */
static void check_rows(const char *buildings,
                       const char *keys,
                       int64_t n_filtered,
                       const char *rows)
{
    char out[4096];
    struct error err;
    int64_t n;
    write_text("zones.geojsonl", plain_zones);
    write_text("buildings.geojsonl", buildings);
    for (int32_t capacity = 1; capacity <= 64; capacity *= 4)
        for (int n_parts = 1; n_parts <= 3; n_parts++) {
            assert_fine(scan("zones.geojsonl",
                             "buildings.geojsonl",
                             keys,
                             SOURCE_BUILDINGS,
                             n_parts,
                             capacity,
                             out,
                             sizeof out,
                             &n,
                             &err),
                        &err);
            assert_string_equal(out, rows);
            assert_int_equal(n, n_filtered);
        }
}

static void check_refused(enum source_table table,
                          const char *zones,
                          const char *buildings,
                          const char *keys,
                          const char *const words[3])
{
    char out[4096];
    struct error err = { ERROR_NONE, "" };
    int64_t n;
    assert_int_equal(scan(zones,
                          buildings,
                          keys,
                          table,
                          1,
                          16,
                          out,
                          sizeof out,
                          &n,
                          &err),
                     -1);
    for (const char *at = err.text; *at; at++)
        assert_true((unsigned char)*at >= ' '); /* GDAL repeats what it has read */
    for (int i = 0; i < 3 && words[i]; i++)
        if (!strstr(err.text, words[i]))
            fail_msg("'%s' does not tell of '%s'", err.text, words[i]);
}

static void every_type_of_field_has_its_value(void **state)
{
    (void)state;
    check_rows(FEATURE("\"id\":7,\"i\":-3,\"l\":9007199254740993,\"r\":0.1,\"s\":\"a "
                       "b\","
                       "\"b\":true,\"d\":\"1969-12-31\",\"t\":\"2020-02-29T23:59:59."
                       "125+05:30\"",
                       SQUARE(1, 1))
                   FEATURE("\"id\":8,\"i\":null,\"l\":null,\"r\":null,\"s\":\"\",\"b\":"
                           "false,"
                           "\"d\":\"2000-03-01\",\"t\":\"1969-12-31T23:59:59Z\"",
                           SQUARE(1, 1)) FEATURE("\"id\":9", SQUARE(1, 1)),
               "id = id\nfields = i, l, r, s, b, d, t",
               0,
               "7 -3 9007199254740993 0.10000000000000001 'a b' 1 -1 1583000999125000;"
               "8 null null null '' 0 11017 -1000000;"
               "9 null null null null null null null;");
}

static void a_missing_id_is_the_number_of_the_row(void **state)
{
    (void)state;
    static const char buildings[] =
        FEATURE("\"h\":1", SQUARE(1, 1)) FEATURE("\"h\":2", "null")
            FEATURE("\"h\":3", SQUARE(1, 1)) FEATURE("\"h\":4", SQUARE(1, 1));
    check_rows(buildings, "fields = h", 1, "1 1;3 3;4 4;");
    check_rows(buildings, "fields = h\nwhere = h <> 3", 1, "1 1;4 4;");
    check_rows(buildings,
               "fields = h, twice = 2 * row\nwhere = row > 2",
               0,
               "3 3 3;4 4 4;");
}

static void put_number(FILE *file, uint32_t value, bool big)
{
    for (int i = 0; i < 4; i++)
        fputc((int)(value >> 8 * (big ? 3 - i : i) & 255), file);
}

/* The head of a .shp or .shx. */
static void put_head(FILE *file, uint32_t n_bytes)
{
    const double box[8] = { 1, 1, 2, 2, 0, 0, 0, 0 };
    for (int i = 0; i < 6; i++)
        put_number(file, i ? 0 : 9994, true);
    put_number(file, n_bytes / 2, true);
    put_number(file, 1000, false);
    put_number(file, 5, false);
    fwrite(box, sizeof box, 1, file);
}

/* One triangle of n. */
static void put_shape(FILE *file, uint32_t number)
{
    const double box[4] = { 1, 1, 2, 2 }, at[8] = { 1, 1, 1, 2, 2, 1, 1, 1 };
    const uint32_t counts[] = { 1, 4, 0 };
    put_number(file, number, true);
    put_number(file, 56, true);
    put_number(file, 5, false);
    fwrite(box, sizeof box, 1, file);
    for (int i = 0; i < 3; i++)
        put_number(file, counts[i], false);
    fwrite(at, sizeof at, 1, file);
}

/* A Shapefile of a record, with h = 0 to 9, for each character: '*' where it is deleted. */
static void write_shapefile(const char *records)
{
    static const char *const names[] = { "b.shp", "b.shx", "b.dbf" };
    uint32_t n = (uint32_t)strlen(records);
    FILE *files[3];
    for (int i = 0; i < 3; i++)
        assert_non_null(files[i] = fopen(path_of(names[i]), "wb"));
    put_head(files[0], 100 + 120 * n);
    put_head(files[1], 100 + 8 * n);
    fwrite("\3\x7e\1\1", 4, 1, files[2]);
    put_number(files[2], n, false);
    put_number(files[2], 65 | 2 << 16, false);
    fprintf(files[2], "%20s%-11s%c%4s\1%15s\r", "", "h", 'N', "", "");
    for (uint32_t i = 0; i < n; i++) {
        put_shape(files[0], i + 1);
        put_number(files[1], 50 + 60 * i, true);
        put_number(files[1], 56, true);
        fprintf(files[2], "%c%u", records[i], i);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(fclose(files[i]), 0);
    write_text("b.prj",
               "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS "
               "84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"Degree\","
               "0.0174532925199433]]");
}

/* In whatever parts: GDAL counts deleted records, finds them, and leaves them out. */
static void a_deleted_record_keeps_its_number(void **state)
{
    static const struct {
        const char *records, *rows;
    } cases[] = {
        { "      ", "1 0;2 1;3 2;4 3;5 4;6 5;" },
        { "* * **", "2 1;4 3;" },
        { " ** ***  ", "1 0;4 3;8 7;9 8;" },
        { "****** ", "7 6;" },
        { " ******", "1 0;" },
        { "***", "" },
    };
    (void)state;
    write_text("zones.geojsonl", plain_zones);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_shapefile(cases[i].records);
        for (int n_parts = 1; n_parts <= 11; n_parts++) {
            char out[4096];
            struct error err;
            int64_t n;
            assert_fine(scan("zones.geojsonl",
                             "b.shp",
                             "fields = h",
                             SOURCE_BUILDINGS,
                             n_parts,
                             16,
                             out,
                             sizeof out,
                             &n,
                             &err),
                        &err);
            assert_string_equal(out, cases[i].rows);
        }
    }
}

static void a_filter_leaves_what_sql_would(void **state)
{
    (void)state;
    static const char buildings[] =
        FEATURE("\"id\":\"a\",\"h\":1.5,\"u\":\"x\"", SQUARE(1, 1))
            FEATURE("\"id\":\"b\",\"h\":null,\"u\":\"y\"", SQUARE(1, 1))
                FEATURE("\"id\":\"c\",\"h\":9.5,\"u\":null", SQUARE(1, 1));
    check_rows(buildings,
               "id = id\nfields = u\nwhere = h > 1",
               0,
               "'a' 1.5 'x';'c' 9.5 null;");
    check_rows(buildings,
               "id = id\nwhere = u is null or h is null",
               0,
               "'b' null 'y';'c' 9.5 null;");
    check_rows(buildings, "id = id\nfields = v = 2 * h\nwhere = v > 10", 0, "'c' 9.5;");
    check_rows(buildings, "id = id\nwhere = h > 100", 0, "");
    /* what has to be measured is left to the run */
    check_rows(buildings, "id = id\nwhere = h > 2 and area_m2 > 1e99", 0, "'c' 9.5;");
    check_rows(buildings,
               "id = id\nwhere = h > 2 or area_m2 > 1e99",
               0,
               "'a' 1.5;'b' null;'c' 9.5;");
}

static void what_has_no_id_is_left_to_be_rejected(void **state)
{
    (void)state;
    static const char buildings[] = FEATURE("\"id\":\"a\",\"h\":1", SQUARE(1, 1))
        FEATURE("\"id\":null,\"h\":2", SQUARE(1, 1))
            FEATURE("\"id\":\"c\",\"h\":3", SQUARE(1, 1))
                FEATURE("\"id\":null,\"h\":4", SQUARE(1, 1));
    check_rows(buildings,
               "id = id\nwhere = id is not null and h < 9",
               0,
               "'a' 'a' 1;'c' 'c' 3;");
    check_rows(buildings,
               "id = id\nfields = h\nwhere = area_m2 > 0 and h > 1",
               0,
               "null 2;'c' 3;null 4;");
}

static void zones_keep_their_ids_and_come_without_geometry_too(void **state)
{
    (void)state;
    char out[4096];
    struct error err;
    int64_t n;
    write_text("zones.geojsonl",
               FEATURE("\"zip\":\"02139\"", SQUARE(1, 1))
                   FEATURE("\"zip\":\"1\"", "null"));
    write_text("buildings.geojsonl", FEATURE("\"h\":1", SQUARE(1, 1)));
    assert_fine(scan("zones.geojsonl",
                     "buildings.geojsonl",
                     "",
                     SOURCE_ZONES,
                     1,
                     16,
                     out,
                     sizeof out,
                     &n,
                     &err),
                &err);
    assert_string_equal(out, "'02139';'1';");
    assert_int_equal(n, 0);
}

static void what_cannot_be_used_is_named(void **state)
{
    (void)state;
    write_text("zones.geojsonl", plain_zones);
    write_text("b.geojsonl", FEATURE("\"id\":1,\"h\":1", SQUARE(1, 1)));
    write_text("points.geojsonl",
               FEATURE("\"zip\":\"1\"", "{\"type\":\"Point\",\"coordinates\":[1,2]}"));
    write_text("mixed.geojsonl",
               FEATURE("\"zip\":\"0\"", SQUARE(1, 1))
                   FEATURE("\"zip\":\"p1\"",
                           "{\"type\":\"Point\",\"coordinates\":[1,2]}"));
    write_text("bare.csv", "zip,WKT\n02139,\"POLYGON((0 0,1 0,1 1,0 0))\"\n");
    write_text("table.csv", "zip,h\n02139,1\n");
    write_text("cut.geojsonl",
               FEATURE("\"id\":1", SQUARE(1, 1))
                   FEATURE("\"id\":2",
                           SQUARE(1, 1)) "{\"type\":\"Feature\",\"prop\x1b[31m");
    write_text("real.geojsonl", FEATURE("\"id\":1.5", SQUARE(1, 1)));
    write_text("nameless.geojsonl", FEATURE("\"zip\":null", SQUARE(1, 1)));
    write_text("latin.geojsonl", FEATURE("\"id\":1,\"u\":\"caf\xe9\"", SQUARE(1, 1)));
    const struct {
        enum source_table table;
        const char *zones, *buildings, *keys, *words[3];
    } cases[] = {
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "nowhere.gpkg",
          "",
          { "[buildings]", "nowhere.gpkg" } },
        { SOURCE_BUILDINGS, "job.ini", "b.geojsonl", "", { "[zones]", "job.ini" } },
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "b.geojsonl",
          "layer = c",
          { "'c'", "'b'" } },
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "b.geojsonl",
          "id = idd",
          { "'idd'", "'id'" } },
        { SOURCE_ZONES,
          "points.geojsonl",
          "b.geojsonl",
          "",
          { "points", "Point", "polygons" } },
        { SOURCE_ZONES,
          "mixed.geojsonl",
          "b.geojsonl",
          "",
          { "'p1'", "POINT", "not a polygon" } },
        { SOURCE_BUILDINGS,
          "bare.csv",
          "b.geojsonl",
          "",
          { "bare.csv", "no CRS", "EPSG:4326" } },
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "table.csv",
          "",
          { "table.csv", "no geometry" } },
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "real.geojsonl",
          "id = id",
          { "'id'", "Real" } },
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "cut.geojsonl",
          "id = id",
          { "cut.geojsonl", "after row 2", "JSON" } },
        { SOURCE_BUILDINGS,
          "zones.geojsonl",
          "latin.geojsonl",
          "id = id\nfields = u",
          { "'u'", "UTF-8" } },
        { SOURCE_ZONES,
          "nameless.geojsonl",
          "b.geojsonl",
          "",
          { "[zones]", "nameless.geojsonl", "where = \"zip\" is not null" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(cases[i].table,
                      cases[i].zones,
                      cases[i].buildings,
                      cases[i].keys,
                      cases[i].words);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_field_has_its_value),
        cmocka_unit_test(a_missing_id_is_the_number_of_the_row),
        cmocka_unit_test(a_deleted_record_keeps_its_number),
        cmocka_unit_test(a_filter_leaves_what_sql_would),
        cmocka_unit_test(what_has_no_id_is_left_to_be_rejected),
        cmocka_unit_test(zones_keep_their_ids_and_come_without_geometry_too),
        cmocka_unit_test(what_cannot_be_used_is_named),
    };
    if (!source_vector_library()) {
        puts("skipped: built without GDAL");
        return 77;
    }
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
