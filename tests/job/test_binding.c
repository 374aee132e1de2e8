#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rooftally/job/binding.h"

static char path[] = "/tmp/rooftally-binding-XXXXXX";

static struct source_column with_sql[] = {
    { "gid", TYPE_INTEGER, "bigint", "b.gid" },
    { "height", TYPE_REAL, "double precision", "b.height" },
    { "size", TYPE_INTEGER, "integer", "b.size::bigint" },
    { "use", TYPE_TEXT, "text", "b.use" },
    { "outline", TYPE_NULL, "geometry", NULL },
    { "Mixed", TYPE_INTEGER, "integer", "b.\"Mixed\"::bigint" },
    { "built", TYPE_DATE, "date", "b.built" },
};

enum { N_COLUMNS = sizeof with_sql / sizeof *with_sql };

static struct source_column without_sql[N_COLUMNS];
static const struct source_columns database = { with_sql, N_COLUMNS, 0 };
static const struct source_columns store = { without_sql, N_COLUMNS, 0 };

static struct job *opened(const char *buildings, const char *zones)
{
    struct job *job;
    struct error err;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file,
            "[buildings]\ntable = roof\nid = gid\ngeometry = outline\n%s[zones]\ntable "
            "= z\n"
            "id = code\ngeometry = g\n%s",
            buildings,
            zones);
    fclose(file);
    if (job_open(&job, path, NULL, 0, &err))
        fail_msg("%s", err.text);
    return job;
}

static void a_binding_fetches_what_the_job_uses(void **state)
{
    (void)state;
    struct job *job =
        opened("fields = height, volume = height * size, share = volume / "
               "area_m2, tall = height > 10\n"
               "where = size > 1 and tall and share < 3 and use <> 'x'\n"
               "keep = gid, share, volume\n",
               "");
    struct binding binding;
    struct error err;
    if (binding_init(&binding, job, &database, &err))
        fail_msg("%s", err.text);
    assert_string_equal(binding.source_filter,
                        "(((b.size::bigint) OPERATOR(pg_catalog.>) 1::bigint) AND "
                        "(((b.height) OPERATOR(pg_catalog.>) '10'::double precision)) "
                        "AND (((b.use) COLLATE pg_catalog.\"C\") "
                        "OPERATOR(pg_catalog.<>) "
                        "('x'::pg_catalog.text COLLATE pg_catalog.\"C\")))");
    assert_int_equal(binding.id_type, TYPE_INTEGER);
    /* share reads volume, which the source computes, and the area */
    assert_int_equal(binding.n_slots, 3);
    assert_string_equal(binding.slots[0].name, "volume");
    assert_int_equal(binding.slots[0].origin, SLOT_SOURCE);
    assert_null(binding.slots[0].column);
    assert_string_equal(binding.slots[0].sql,
                        "((b.height) OPERATOR(pg_catalog.*) "
                        "((b.size::bigint)::double precision))");
    assert_int_equal(binding.slots[1].origin, SLOT_MEASURE);
    assert_int_equal(binding.slots[1].measure, MEASURE_AREA_M2);
    assert_string_equal(binding.slots[2].name, "share");
    assert_int_equal(binding.slots[2].origin, SLOT_LOCAL);
    uint8_t used[3] = { 0 };
    expression_slots(binding.slots[2].expression, used, 3);
    assert_true(used[0] && used[1] && !used[2]);
    memset(used, 0, sizeof used);
    expression_slots(binding.local_filter, used, 3);
    assert_true(used[0] && used[1] && !used[2]);
    assert_int_equal(binding.n_keep, 3);
    assert_int_equal(binding.keep[0], -1);
    assert_int_equal(binding.keep[1], 2);
    assert_int_equal(binding.keep[2], 0);
    /* statistics come later */
    int slot, again;
    assert_int_equal(binding_slot(&binding, "height", 9, &slot, NULL), 0);
    assert_int_equal(slot, 3);
    assert_string_equal(binding.slots[3].column, "height");
    assert_string_equal(binding.slots[3].sql, "b.height");
    assert_int_equal(binding_slot(&binding, "gid", 9, &slot, NULL), 0);
    assert_int_equal(slot, 4);
    assert_int_equal(binding_measure(&binding, MEASURE_AREA_M2, &again, NULL), 0);
    assert_int_equal(again, 1);
    assert_int_equal(binding_slot(&binding, "area_m2", 9, &again, NULL), 0);
    assert_int_equal(again, 1);
    assert_int_equal(binding_slot(&binding, "vertices", 9, &again, NULL), 0);
    assert_int_equal(binding.slots[again].type, TYPE_INTEGER);
    assert_int_equal(binding_slot(&binding, "size", 9, &slot, &err), -1);
    assert_non_null(strstr(err.text,
                           ":9: 'size' is a column but no field: add it to [buildings] "
                           "fields"));
    assert_int_equal(binding.n_slots, 6);
    binding_release(&binding);
    /* a job can be bound again */
    assert_int_equal(binding_init(&binding, job, &database, NULL), 0);
    binding_release(&binding);
    binding_release(&binding);
    job_close(job);
}

static void a_source_without_a_language_leaves_all_to_us(void **state)
{
    (void)state;
    struct job *job = opened("fields = volume = height * size, one = 1\n"
                             "where = volume > 10 and use <> 'x'\nkeep = volume, one\n",
                             "");
    struct binding binding;
    struct error err;
    if (binding_init(&binding, job, &store, &err))
        fail_msg("%s", err.text);
    assert_null(binding.source_filter);
    assert_non_null(binding.row_filter);
    assert_null(binding.local_filter);
    static const struct {
        const char *name;
        enum slot_origin origin;
    } expected[] = {
        { "height", SLOT_SOURCE }, { "size", SLOT_SOURCE }, { "use", SLOT_SOURCE },
        { "volume", SLOT_LOCAL },  { "one", SLOT_LOCAL },
    };
    assert_int_equal(binding.n_slots, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(binding.slots[i].name, expected[i].name);
        assert_int_equal(binding.slots[i].origin, expected[i].origin);
        assert_null(binding.slots[i].sql);
        assert_int_equal(binding.slots[i].column != NULL, i < 3);
    }
    binding_release(&binding);
    job_close(job);
}

/* What asks nothing of geometry is the row filter. */
static void a_filter_comes_apart_without_a_language(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        bool has_first, has_rest;
    } cases[] = {
        { "height > 1 and use <> 'x'", true, false },
        { "area_m2 > 1", false, true },
        { "area_m2 > 1 or height > 1", false, true },
        { "area_m2 > 1 and height > 1", true, true },
        { "large and (height > 1 and (small and use = 'x'))", true, true },
        { "small", true, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        struct binding binding;
        struct error err;
        snprintf(text,
                 sizeof text,
                 "fields = large = area_m2 > height, small = size < 2\nwhere = %s\n",
                 cases[i].where);
        struct job *job = opened(text, "");
        if (binding_init(&binding, job, &store, &err))
            fail_msg("%s", err.text);
        assert_null(binding.source_filter);
        assert_int_equal(binding.row_filter != NULL, cases[i].has_first);
        assert_int_equal(binding.local_filter != NULL, cases[i].has_rest);
        uint8_t used[BINDING_MAX_SLOTS] = { 0 };
        if (binding.row_filter)
            expression_slots(binding.row_filter, used, BINDING_MAX_SLOTS);
        for (int slot = 0; slot < binding.n_slots; slot++)
            assert_true(!used[slot] || binding.slots[slot].origin == SLOT_SOURCE);
        binding_release(&binding);
        job_close(job);
    }
}

static void a_column_hides_the_measure_of_its_name(void **state)
{
    (void)state;
    struct source_column columns[] = { { "gid", TYPE_TEXT, "uuid", "b.gid::text" },
                                       { "area_m2", TYPE_REAL, "real", "b.a" } };
    const struct source_columns table = { columns, 2, 0 };
    struct job *job = opened("where = area_m2 > 1\n", "");
    struct binding binding;
    struct error err;
    int slot, measured;
    assert_int_equal(binding_init(&binding, job, &table, &err), 0);
    assert_string_equal(binding.source_filter,
                        "((b.a) OPERATOR(pg_catalog.>) '1'::double precision)");
    assert_null(binding.local_filter);
    assert_int_equal(binding.id_type, TYPE_TEXT);
    assert_int_equal(binding_slot(&binding, "area_m2", 0, &slot, &err), -1);
    assert_string_equal(err.text,
                        "'area_m2' is a column but no field: add it to [buildings] "
                        "fields");
    assert_int_equal(binding_measure(&binding, MEASURE_AREA_M2, &measured, &err), 0);
    assert_int_equal(binding.slots[measured].origin, SLOT_MEASURE);
    binding_release(&binding);
    job_close(job);
}

static void what_does_not_fit_the_columns_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *buildings, *message;
    } cases[] = {
        { "where = heigth > 1\n",
          "5: [buildings] where: unknown name 'heigth': did you mean 'height'?" },
        { "where = qqqqqqq > 1\n", "5: [buildings] where: unknown name 'qqqqqqq'" },
        { "where = \"mixed\" > 1\n",
          "5: [buildings] where: unknown name 'mixed': write \"Mixed\", in double "
          "quotes" },
        { "where = \"Height\" > 1\n",
          "5: [buildings] where: unknown name 'Height': did you mean 'height'?" },
        { "fields = \"mixed\"\n",
          "5: [buildings] fields: unknown name 'mixed': write \"Mixed\", in double "
          "quotes" },
        { "fields = \"Height\"\n",
          "5: [buildings] fields: unknown name 'Height': did you mean 'height'?" },
        { "fields = HEIGHT, height\n",
          "5: [buildings] fields: 'height' is listed twice" },
        { "fields = \"Vol\" = size, Vol = size\n",
          "5: [buildings] fields: 'Vol' is listed twice" },
        { "fields = Vol = size, VOL = size\nwhere = vOl > 1\n",
          "6: [buildings] where: 'vOl' may be 'Vol' or 'VOL': write the one that is "
          "meant, in double quotes" },
        { "fields = Vol = size, VOL = size\nkeep = vol\n",
          "6: [buildings] keep: 'vol' may be 'Vol' or 'VOL': write the one that is "
          "meant, in double quotes" },
        { "keep = Size\n",
          "5: [buildings] keep: 'size' is a column but no field: add it to [buildings] "
          "fields" },
        { "where = outline is null\n",
          "5: [buildings] where: column 'outline' is of type geometry, which no "
          "expression can use: a view can cast it" },
        { "keep = outline\n",
          "5: [buildings] keep: column 'outline' is of type geometry, which no "
          "expression can use: a view can cast it" },
        { "where = height\n",
          "5: [buildings] where: not a condition: compare it, as in 'height > 10'" },
        { "where = null\n",
          "5: [buildings] where: not a condition: compare it, as in 'height > 10'" },
        { "where = height > 'tall'\n",
          "5: [buildings] where: height > 'tall': a number and a text cannot be "
          "compared" },
        { "fields = outline\n",
          "5: [buildings] fields: column 'outline' is of type geometry, which no "
          "expression can use: a view can cast it" },
        { "fields = hight\n",
          "5: [buildings] fields: unknown name 'hight': did you mean 'height'?" },
        { "fields = height, a = later, later = 1\n",
          "5: [buildings] fields: 'a': unknown name 'later'" },
        { "fields = a = null\n",
          "5: [buildings] fields: 'a' is always null, of no type: compute it from a "
          "column, or leave it out" },
        { "fields = height\n\nkeep = heigth\n",
          "7: [buildings] keep: unknown name 'heigth': did you mean 'height'?" },
        { "keep = size\n",
          "5: [buildings] keep: 'size' is a column but no field: add it to [buildings] "
          "fields" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *job = opened(cases[i].buildings, "");
        struct binding binding;
        struct error err = { .code = ERROR_NONE };
        assert_int_equal(binding_init(&binding, job, &database, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_memory_equal(err.text, path, strlen(path));
        assert_string_equal(err.text + strlen(path) + 1, cases[i].message);
        job_close(job);
    }
}

static void an_id_is_an_integer_or_a_text(void **state)
{
    (void)state;
    static const struct {
        const char *id, *message;
    } cases[] = {
        { "built", "column 'built' is of type date: an id is an integer or a text" },
        { "gidd", "no column 'gidd': did you mean 'gid'?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *job = opened("", "");
        struct binding binding;
        struct error err;
        free(job->building_id);
        job->building_id = strdup(cases[i].id);
        assert_int_equal(binding_init(&binding, job, &database, &err), -1);
        assert_non_null(strstr(err.text, cases[i].message));
        job_close(job);
    }
}

/* What a name means among names that differ in case; NULL: it is refused. */
static void a_name_is_found_as_sql_does_then_by_its_letters(void **state)
{
    (void)state;
    static struct source_column columns[] = {
        { "gid", TYPE_INTEGER, "bigint", NULL }, { "height", TYPE_REAL, "real", NULL },
        { "Height", TYPE_REAL, "real", NULL },   { "USE", TYPE_TEXT, "text", NULL },
        { "AREA_M2", TYPE_REAL, "real", NULL },  { "a \"b", TYPE_REAL, "real", NULL },
        { "size", TYPE_REAL, "real", NULL },
    };
    const struct source_columns table = { columns, 7, 0 };
    static const struct {
        const char *fields, *name, *found;
    } cases[] = {
        { "height, \"Height\"", "height", "height" },
        { "height, \"Height\"", "Height", "height" },
        { "height, \"Height\"", "HEIGHT", "height" },
        { "height, \"Height\"", "\"Height\"", "Height" },
        { "height, \"Height\"", "\"HEIGHT\"", NULL },
        /* `where` would read the column height */
        { "\"Height\"", "height", NULL },
        { "\"Height\"", "HEIGHT", NULL },
        { "\"Height\"", "Height", NULL },
        { "HEIGHT = size * 2", "height", NULL },
        { "Height", "\"Height\"", NULL },
        { "USE", "USE", "USE" },
        { "use", "use", "USE" },
        { "USE", "Use", "USE" },
        { "USE", "\"use\"", NULL },
        { "Vol = height * 2", "Vol", "Vol" },
        { "Vol = height * 2", "vol", "Vol" },
        { "Vol = height * 2, vol = height * 3", "Vol", "vol" },
        { "Vol = height * 2, VOL = height * 3", "Vol", "Vol" },
        { "Vol = height * 2, VOL = height * 3", "vol", NULL },
        { "a = Use, \"b c\" = height", "\"b c\"", "b c" },
        { "\"a \"\"b\"", "\"a \"\"b\"", "a \"b" },
        { "\"a \"\"b\"", "\"a \"\"b", NULL },
        /* a measure, unless a field or a column is spelled so */
        { "height", "area_m2", "area_m2" },
        { "height", "AREA_M2", NULL },
        { "AREA_M2", "AREA_M2", "AREA_M2" },
        { "AREA_M2", "area_m2", "area_m2" },
        { "height", "Vertices", "vertices" },
        { "height", "GID", "gid" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        struct binding binding;
        struct error err;
        int slot;
        snprintf(text, sizeof text, "fields = %s\n", cases[i].fields);
        struct job *job = opened(text, "");
        if (binding_init(&binding, job, &table, &err))
            fail_msg("%s: %s", text, err.text);
        if (binding_slot(&binding, cases[i].name, 0, &slot, &err)) {
            if (cases[i].found)
                fail_msg("%s%s: %s", text, cases[i].name, err.text);
        } else {
            assert_non_null(cases[i].found);
            assert_string_equal(binding.slots[slot].name, cases[i].found);
        }
        binding_release(&binding);
        job_close(job);
    }
    struct job *job = opened("where = \"Height\" > 1 and Use = 'x'\n", "");
    struct binding binding;
    struct error err;
    if (binding_init(&binding, job, &table, &err))
        fail_msg("%s", err.text);
    assert_int_equal(binding.n_slots, 2);
    assert_string_equal(binding.slots[0].column, "Height");
    assert_string_equal(binding.slots[1].column, "USE");
    binding_release(&binding);
    job_close(job);
}

/* What a definition reads of a store whose "height", staged with an older job, was
 * computed from its "HEIGHT". */
static void a_definition_means_the_column_that_it_was_computed_from(void **state)
{
    (void)state;
    static struct source_column columns[] = {
        { "gid", TYPE_INTEGER, "integer", NULL },
        { "HEIGHT", TYPE_REAL, "real", NULL },
        { "height", TYPE_REAL, "real", NULL },
        { "volume", TYPE_REAL, "real", NULL },
    };
    const struct source_columns table = { columns, 4, 2 };
    static const struct {
        const char *fields, *name, *column;
    } cases[] = {
        { "height = HEIGHT * 2", "height", "HEIGHT" },
        { "x = height * 2, height = HEIGHT * 2", "x", "HEIGHT" },
        { "HEIGHT, height = HEIGHT * 2", "HEIGHT", "HEIGHT" },
        { "height", "height", "height" },
        { "x = HEIGHT * 2", "x", "HEIGHT" },
        { "x = height * 2", "x", "height" },
        { "x = Volume * 2", "x", "volume" },
        { "x = \"HEIGHT\" * 2", "x", "HEIGHT" },
        { "volume = volume / 1000", "volume", "volume" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        struct binding binding;
        struct error err;
        int slot;
        snprintf(text, sizeof text, "fields = %s\n", cases[i].fields);
        struct job *job = opened(text, "");
        if (binding_init(&binding, job, &table, &err)
            || binding_slot(&binding, cases[i].name, 0, &slot, &err))
            fail_msg("%s%s: %s", text, cases[i].name, err.text);
        assert_string_equal(binding.slots[0].column, cases[i].column);
        binding_release(&binding);
        job_close(job);
    }
}

/* -1: the id; else the slot of the name. */
static void the_id_is_kept_by_either_of_its_names(void **state)
{
    (void)state;
    static const struct {
        const char *buildings, *kept;
    } cases[] = {
        { "", NULL },
        { "fields = gid = size * 2\n", NULL },
        { "keep = id\n", NULL },
        { "keep = ID\n", NULL },
        { "keep = \"id\"\n", NULL },
        { "keep = GID\n", NULL },
        { "keep = \"gid\"\n", NULL },
        { "fields = gid\nkeep = gid\n", NULL },
        { "fields = id = size * 2\n", NULL },
        { "fields = id = size * 2\nkeep = gid\n", NULL },
        { "fields = id = size * 2\nkeep = id\n", "id" },
        { "fields = \"ID\" = size * 2\nkeep = id\n", NULL },
        { "fields = \"ID\" = size * 2\nkeep = \"ID\"\n", "ID" },
        { "fields = mixed\nkeep = MIXED\n", "Mixed" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *job = opened(cases[i].buildings, "");
        struct binding binding;
        struct error err;
        if (binding_init(&binding, job, &database, &err))
            fail_msg("%s: %s", cases[i].buildings, err.text);
        assert_int_equal(binding.n_keep, 1);
        assert_string_equal(binding.id, "gid");
        assert_int_equal(binding.keep[0] >= 0, cases[i].kept != NULL);
        if (cases[i].kept)
            assert_string_equal(binding.slots[binding.keep[0]].name, cases[i].kept);
        binding_release(&binding);
        job_close(job);
    }
    struct job *job = opened("keep = gidd\n", "");
    struct binding binding;
    struct error err;
    assert_int_equal(binding_init(&binding, job, &database, &err), -1);
    assert_non_null(strstr(err.text, "unknown name 'gidd': did you mean 'gid'?"));
    job_close(job);
}

/* As many computed fields as there are slots, and one more. */
static void slots_are_bounded(void **state)
{
    (void)state;
    for (int n = BINDING_MAX_SLOTS; n <= BINDING_MAX_SLOTS + 1; n++) {
        char text[4096] = "fields = ", *at = text + strlen(text);
        for (int i = 0; i < n; i++)
            at += sprintf(at, "%sf%d = size + %d", i ? ", " : "", i, i);
        strcpy(at, "\n");
        struct job *job = opened(text, "");
        struct binding binding;
        struct error err = { .code = ERROR_NONE };
        int slot, status = 0;
        assert_int_equal(binding_init(&binding, job, &database, &err), 0);
        for (int i = 0; i < n; i++)
            status = binding_slot(&binding, job->fields[i].name, 3, &slot, &err);
        assert_int_equal(status, n > BINDING_MAX_SLOTS ? -1 : 0);
        if (status)
            assert_non_null(strstr(err.text, "more than 64 columns"));
        binding_release(&binding);
        job_close(job);
    }
}

static void zones_are_filtered_by_columns_and_area(void **state)
{
    (void)state;
    struct job *job =
        opened("", "fields = twice = size * 2\nwhere = twice > 4 and area_m2 > 1e6\n");
    char *sql = NULL;
    struct expression *local = NULL;
    struct error err;
    if (binding_zones(job, &database, &sql, &local, &err))
        fail_msg("%s", err.text);
    assert_string_equal(sql,
                        "((((b.size::bigint) OPERATOR(pg_catalog.*) 2::bigint)) "
                        "OPERATOR(pg_catalog.>) 4::bigint)");
    uint8_t used[2] = { 0 };
    expression_slots(local, used, 2);
    assert_true(used[0] && !used[1]);
    free(sql);
    expression_free(local);
    if (binding_zones(job, &store, &sql, &local, &err)) /* all of it is done here */
        fail_msg("%s", err.text);
    assert_null(sql);
    uint8_t slots[1 + N_COLUMNS] = { 0 };
    expression_slots(local, slots, 1 + N_COLUMNS);
    for (int c = 0; c < N_COLUMNS; c++)
        assert_int_equal(slots[1 + c], strcmp(with_sql[c].name, "size") == 0);
    assert_true(slots[0]);
    expression_free(local);
    job_close(job);

    job = opened("", "where = case when area_m2 > 1 then size > 4 end\n");
    assert_int_equal(binding_zones(job, &database, &sql, &local, &err), -1);
    assert_non_null(strstr(err.text, "[zones] where: this source cannot filter zones"));
    job_close(job);

    job = opened("", "where = vertices > 4\n");
    assert_int_equal(binding_zones(job, &database, &sql, &local, &err), -1);
    assert_non_null(strstr(err.text, ":9: [zones] where: unknown name 'vertices'"));
    job_close(job);

    job = opened("", "");
    assert_int_equal(binding_zones(job, &database, &sql, &local, &err), 0);
    assert_null(sql);
    assert_null(local);
    job_close(job);
}

static int make_file(void **state)
{
    (void)state;
    memcpy(without_sql, with_sql, sizeof with_sql);
    for (int i = 0; i < N_COLUMNS; i++)
        without_sql[i].sql = NULL;
    int file = mkstemp(path);
    return file < 0 || close(file);
}

/* What both sources say of the job: 0, or -1 with the same error, which is left in *err. */
static int binds_alike(const char *fields, const char *where, struct error *err)
{
    struct error errs[2];
    int status[2];
    struct job *job = opened(fields, where);
    for (int i = 0; i < 2; i++) {
        struct binding binding;
        status[i] = binding_init(&binding, job, i ? &store : &database, &errs[i]);
        if (status[i] == 0)
            binding_release(&binding);
    }
    assert_int_equal(status[0], status[1]);
    if (status[0] < 0)
        assert_string_equal(errs[0].text, errs[1].text);
    *err = errs[0];
    job_close(job);
    return status[0];
}

/* Three times as large from field to field, whether we or the source put them in. */
static void definitions_may_grow_alike_for_every_source(void **state)
{
    (void)state;
    char fields[400] = "fields = f0 = size % 2", text[420];
    int n_refused = 0;
    struct error err;
    for (int k = 1; k < 12; k++) {
        snprintf(fields + strlen(fields),
                 sizeof fields - strlen(fields),
                 ", f%d = f%d + f%d - f%d",
                 k,
                 k - 1,
                 k - 1,
                 k - 1);
        snprintf(text, sizeof text, "%s\n", fields);
        if (binds_alike(text, "", &err) == 0)
            continue;
        n_refused++;
        assert_non_null(strstr(err.text, "grows too large"));
    }
    assert_in_range(n_refused, 1, 4);
}

/* Forty levels deeper from field to field. */
static void definitions_may_be_as_deep_for_every_source(void **state)
{
    (void)state;
    char fields[4000] = "fields = f0 = size";
    int n_refused = 0;
    struct error err;
    for (int k = 1; k < 9; k++) {
        size_t n = strlen(fields);
        n += (size_t)snprintf(fields + n, sizeof fields - n, ", f%d = f%d", k, k - 1);
        for (int i = 0; i < 40; i++)
            n += (size_t)snprintf(fields + n, sizeof fields - n, " + 1 * size");
        snprintf(fields + n, sizeof fields - n, "\n");
        if (binds_alike(fields, "", &err) < 0) {
            n_refused++;
            assert_non_null(strstr(err.text, "nested deeper"));
        }
        fields[n] = '\0';
    }
    assert_in_range(n_refused, 2, 6);
}

/* What stands in the job itself is bounded by its file alone. */
static void a_long_list_may_stand_beside_a_field(void **state)
{
    (void)state;
    enum { N = 110000 };
    struct error err;
    char *where = malloc(8 * N + 100);
    size_t n = (size_t)sprintf(where, "where = f0 > 0 and size in (0");
    for (int i = 1; i < N; i++)
        n += (size_t)sprintf(where + n, ",%d", i);
    sprintf(where + n, ")\n");
    assert_int_equal(binds_alike("fields = f0 = size + 1\n", where, &err), 0);
    free(where);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_binding_fetches_what_the_job_uses),
        cmocka_unit_test(a_source_without_a_language_leaves_all_to_us),
        cmocka_unit_test(a_filter_comes_apart_without_a_language),
        cmocka_unit_test(a_column_hides_the_measure_of_its_name),
        cmocka_unit_test(what_does_not_fit_the_columns_is_refused),
        cmocka_unit_test(an_id_is_an_integer_or_a_text),
        cmocka_unit_test(a_name_is_found_as_sql_does_then_by_its_letters),
        cmocka_unit_test(a_definition_means_the_column_that_it_was_computed_from),
        cmocka_unit_test(the_id_is_kept_by_either_of_its_names),
        cmocka_unit_test(slots_are_bounded),
        cmocka_unit_test(zones_are_filtered_by_columns_and_area),
        cmocka_unit_test(definitions_may_grow_alike_for_every_source),
        cmocka_unit_test(definitions_may_be_as_deep_for_every_source),
        cmocka_unit_test(a_long_list_may_stand_beside_a_field),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
