#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rooftally/job/job.h"

static char folder[] = "/tmp/rooftally-job-XXXXXX";
static char path[64];

static const char least[] = "[zones]\ntable = zip\nid = code\ngeometry = geom\n"
                            "[buildings]\ntable = roof\nid = gid\ngeometry = outline\n";

static void write_file(const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* The job of a text; fails the test when it is refused. */
static struct job *opened(const char *text, const char *override)
{
    struct job *job;
    struct error err;
    write_file(text, strlen(text));
    if (job_open(&job, path, &override, override ? 1 : 0, &err))
        fail_msg("%s", err.text);
    return job;
}

/* The message that refuses a text, its path shortened to "F". */
static const char *refusal(const char *text, size_t n, const char *override)
{
    static char message[ERROR_TEXT_BYTES + 1];
    struct job *job = NULL;
    struct error err = { .code = ERROR_NONE };
    write_file(text, n);
    assert_int_equal(job_open(&job, path, &override, override ? 1 : 0, &err), -1);
    assert_null(job);
    assert_int_equal(err.code, ERROR_USAGE);
    size_t n_path = strncmp(err.text, path, strlen(path)) == 0 ? strlen(path) : 0;
    snprintf(message, sizeof message, "%s%s", n_path ? "F" : "", err.text + n_path);
    return message;
}

static void a_whole_job_is_read(void **state)
{
    (void)state;
    struct job *job =
        opened("[job]\ntitle  = Tall buildings ; of a state\noutput = m.h5\n\n"
               "[source]\nkind       = postgres            ; postgres | store\n"
               "connection = service=gis user=u password='it s' ; secret\n;path = "
               "x.h5\n"
               "snapshot = none\n"
               "[zones]\ntable = public.zipcode\nid = zip\ngeometry = boundary\n"
               "fields = state\nwhere = state = 'MA'\n"
               "[buildings]\ntable = public.building\nid = id\ngeometry = boundary\n"
               "fields = height, size, volume = height * size, "
               "kind = case when use in ('a,b', \"x,\") then least(1, 2) else 3 end\n"
               "where = height > 10 and\n   use <> 'shed'   ; no sheds\n"
               "predicate = centroid\ninvalid = repair\nkeep = id, height\n"
               "[statistics]\nbuildings = count\np90_height = quantile(height, 0.9)\n"
               "[limits]\nmemory = 1.5 GiB\nretries = 0\n",
               NULL);
    assert_string_equal(job->title, "Tall buildings");
    assert_string_equal(job->output, "m.h5");
    assert_int_equal(job->kind, SOURCE_POSTGRES);
    assert_string_equal(job->connection, "service=gis user=u password='it s'");
    assert_string_equal(job->store_path, "");
    assert_int_equal(job->snapshot, SNAPSHOT_NONE);
    assert_string_equal(job->zone_table, "public.zipcode");
    assert_int_equal(job->n_zone_fields, 1);
    assert_non_null(job->zone_where);
    assert_int_equal(job->n_fields, 4);
    assert_string_equal(job->fields[2].name, "volume");
    assert_null(job->fields[1].definition);
    assert_non_null(job->fields[3].definition);
    assert_int_equal(job->fields[3].line, 20);
    assert_non_null(job->where);
    assert_int_equal(job->where_line, 21);
    assert_int_equal(job->predicate, PREDICATE_CENTROID);
    assert_int_equal(job->invalid, INVALID_REPAIR);
    assert_int_equal(job->n_keep, 2);
    assert_string_equal(job->keep[1], "height");
    assert_int_equal(job->n_statistics, 2);
    assert_string_equal(job->statistics[1].name, "p90_height");
    assert_string_equal(job->statistics[1].text, "quantile(height, 0.9)");
    assert_int_equal(job->statistics[1].line, 28);
    assert_int_equal(job->memory_bytes, INT64_C(1536) << 20);
    assert_int_equal(job->retries, 0);
    assert_null(strstr(job->text, "it s"));
    assert_non_null(strstr(job->text, "password=***"));
    assert_non_null(strstr(job->text, "where = height > 10 and use <> 'shed'\n"));
    /* the text is a job file itself, and reads back as the same */
    char *text = strdup(job->text);
    job_close(job);
    job = opened(text, NULL);
    assert_string_equal(job->text, text);
    free(text);
    job_close(job);
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    struct job *job = opened(least, NULL);
    assert_string_equal(job->title, "job.ini");
    assert_string_equal(job->output, "");
    assert_string_equal(job->connection, "");
    assert_int_equal(job->snapshot, SNAPSHOT_SHARED);
    assert_int_equal(job->predicate, PREDICATE_WITHIN);
    assert_int_equal(job->invalid, INVALID_TRUST);
    assert_null(job->where);
    assert_int_equal(job->n_keep, 1);
    assert_string_equal(job->keep[0], "gid");
    assert_int_equal(job->n_statistics, 0);
    assert_int_equal(job->memory_bytes, 64 << 20);
    assert_int_equal(job->retries, 5);
    job_close(job);
    job_close(NULL);
}

/* Every letter that an expression takes. */
static void names_have_letters_of_any_language(void **state)
{
    (void)state;
    char text[400];
    snprintf(text,
             sizeof text,
             "%sfields = h\xc3\xb6he, \xc3\xa9tages = 2 * h\xc3\xb6he, a$b\n"
             "keep = id, h\xc3\xb6he\n",
             least);
    struct job *job = opened(text, NULL);
    assert_int_equal(job->n_fields, 3);
    assert_string_equal(job->fields[0].name, "h\xc3\xb6he");
    assert_string_equal(job->fields[1].name, "\xc3\xa9tages");
    assert_string_equal(job->fields[2].name, "a$b");
    assert_string_equal(job->keep[1], "h\xc3\xb6he");
    job_close(job);
}

static void any_way_to_end_lines_will_do(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf[zones]\r\ntable = zip\r\nid = code\r\n\r\ngeometry = g\r\n# "
        "note\r\n"
        "[buildings]\r\ntable: roof\r\nid = gid\r\nkeep = ; none\r\ngeometry = outline";
    struct job *job = opened(text, NULL);
    assert_string_equal(job->zone_table, "zip");
    assert_string_equal(job->building_table, "roof");
    assert_string_equal(job->building_geometry, "outline");
    assert_int_equal(job->n_keep, 0);
    assert_int_equal(job->buildings_line, 8);
    job_close(job);
}

static void a_long_line_is_read_to_its_end(void **state)
{
    (void)state;
    char *text = malloc(400000);
    strcpy(text, least);
    char *at = stpcpy(text + strlen(text), "where = gid in (0");
    for (int i = 0; i < 50000; i++)
        at += sprintf(at, ", %d", i % 1000);
    strcpy(at,
           ") ; long\nkeep = gid, a_name_that_is_longer_than_libinih_expects_it_to_be_"
           "by_far\n");
    struct job *job = opened(text, NULL);
    assert_non_null(job->where);
    assert_true(strlen(job->text) > 200000);
    assert_int_equal(job->n_keep, 2);
    assert_int_equal(strlen(job->keep[1]), 58);
    job_close(job);
    free(text);
}

static void an_override_replaces_or_adds(void **state)
{
    (void)state;
    static const struct {
        const char *override, *in_text;
    } cases[] = {
        { "job.output=other.h5", "[job]\noutput = other.h5\n" },
        { "buildings.where = size = 3 and use = 'a; b'",
          "where = size = 3 and use = 'a; b'" },
        { "statistics.new=count(size)", "[statistics]\nnew = count(size)\n" },
        { "zones.id=other", "id = other\n" },
        { "buildings.keep=", "keep = \n" },
        { "source.connection=postgresql://u:secret@h/db", "postgresql://u:***@h/db" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *job = opened(least, cases[i].override);
        if (!strstr(job->text, cases[i].in_text))
            fail_msg("%s: %s", cases[i].override, job->text);
        job_close(job);
    }
    struct job *job = opened(least, "buildings.keep=");
    assert_int_equal(job->n_keep, 0);
    job_close(job);
}

static void a_bad_line_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *message;
    } cases[] = {
        { "",
          "feilds = a\n",
          "F:9: [buildings] unknown key 'feilds': did you mean 'fields'?" },
        { "[job]\nx = 1\n", "", "F:2: [job] unknown key 'x': there are title, output" },
        { "",
          "[statistic]\n",
          "F:9: unknown section 'statistic': did you mean 'statistics'?" },
        { "",
          "[qwertyuiop]\na = 1\n",
          "F:9: unknown section 'qwertyuiop': there are job, source, zones, buildings, "
          "statistics, limits" },
        { "a = 1\n", "", "F:1: 'a' stands before any section" },
        { "", "id = x\n", "F:9: [buildings] id is given twice, first in line 7" },
        { "", "just words\n", "F:9: neither '[section]' nor 'key = value'" },
        { "", "[limits\n", "F:9: neither '[section]' nor 'key = value'" },
        { "",
          "[limits]\n  [limits] retries = 5\n",
          "F:10: 'retries = 5' stands behind a section: keys begin at the start of a "
          "line" },
        { "",
          "[limits] retries = 5\n",
          "F:9: 'retries = 5' stands behind a section: keys begin at the start of a "
          "line" },
        { "",
          "where = height >\n",
          "F:9: [buildings] where: column 9: expected a value, found the end" },
        { "",
          "where = name = 'a ;b'\n",
          "F:9: [buildings] where: a quote is not closed, for ' ;' begins a comment "
          "even "
          "inside quotes: write like '..._;...' there" },
        { "",
          "where = name = 'a\n b'\n",
          "F:9: [buildings] where: a quote is not closed on this line" },
        { "",
          "where = a = 1 and\n  keep = gid\n",
          "F:10: [buildings] an indented line continues 'where' above it: begin 'keep' "
          "at "
          "the start of its line" },
        { "",
          "predicate = inside\n",
          "F:9: [buildings] predicate: 'inside': write within, intersects or "
          "centroid" },
        { "",
          "predicate = Within\n",
          "F:9: [buildings] predicate: 'Within': did you mean 'within'?" },
        { "",
          "invalid = skp\n",
          "F:9: [buildings] invalid: 'skp': did you mean 'skip'?" },
        { "[source]\nkind = mysql\n",
          "",
          "F:2: [source] kind: 'mysql': write postgres, store or vector" },
        { "[source]\nkind = store\n", "", "F: [source] path is missing" },
        { "",
          "keep = gid,\n",
          "F:9: [buildings] keep: a comma with nothing beside it" },
        { "", "keep = gid, gid\n", "F:9: [buildings] keep: 'gid' is listed twice" },
        { "",
          "keep = a = 1\n",
          "F:9: [buildings] keep: 'a' cannot be defined here: define it in [buildings] "
          "fields" },
        { "",
          "fields = a b\n",
          "F:9: [buildings] fields: 'a b' is not a name: names have letters, digits "
          "and _" },
        { "",
          "fields = 1a\n",
          "F:9: [buildings] fields: '1a' is not a name: names have letters, digits and "
          "_" },
        { "",
          "fields = \"a\" b\n",
          "F:9: [buildings] fields: '\"a\" b' is not a name: names have letters, "
          "digits "
          "and _" },
        { "",
          "fields = \"\" = 1\n",
          "F:9: [buildings] fields: \"\" is not a name in double quotes" },
        { "",
          "keep = \"a\n",
          "F:9: [buildings] keep: a quote is not closed on this line" },
        { "",
          "fields = a,, b\n",
          "F:9: [buildings] fields: a comma with nothing beside it" },
        { "", "fields = a, a = 1\n", "F:9: [buildings] fields: 'a' is listed twice" },
        { "",
          "fields = v = height *\n",
          "F:9: [buildings] fields: 'v': column 10: expected a value, found the end" },
        { "",
          "[statistics]\nn\xc3\xa9 = count\n",
          "F:10: [statistics] 'n\xc3\xa9' is not a name: letters, digits and _, at "
          "most 63" },
        { "",
          "[statistics]\nn =\n",
          "F:10: [statistics] n: is empty: write a statistic, as in 'count'" },
        { "[limits]\nmemory = 8388607\n",
          "",
          "F:2: [limits] memory: '8388607': 8 MiB is the least" },
        { "[limits]\nmemory = lots\n",
          "",
          "F:2: [limits] memory: 'lots' is not a size: write it as in '64 MiB' or '1.5 "
          "GiB'" },
        { "[limits]\nretries = -1\n",
          "",
          "F:2: [limits] retries: '-1': write 0 to 1000" },
        { "[limits]\nretries = 1001\n",
          "",
          "F:2: [limits] retries: '1001': write 0 to 1000" },
        { "", "where = a = '\xff'\n", "F:9: not UTF-8 text" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s%s%s", cases[i].before, least, cases[i].after);
        assert_string_equal(refusal(text, strlen(text), NULL), cases[i].message);
    }
    assert_string_equal(refusal("[job]\0\n", 7, NULL), "F:1: not UTF-8 text");
    assert_string_equal(refusal("", 0, NULL),
                        "F: it is empty; out of a pipe one rank alone can read");
    assert_string_equal(refusal("\n", 1, NULL), "F: [zones] table is missing");
    assert_string_equal(refusal(least, strlen(least) - 20, NULL),
                        "F: [buildings] geometry is missing");
}

static void a_bad_override_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *override, *message;
    } cases[] = {
        { "buildings.wher=1",
          "--set buildings.wher: unknown key 'wher': did you mean 'where'?" },
        { "building.where=1",
          "--set building.where: unknown section 'building': did you mean "
          "'buildings'?" },
        { "buildings.where=height >",
          "--set buildings.where: column 9: expected a value, found the end" },
        { "buildings.fields=a, b b",
          "--set buildings.fields: 'b b' is not a name: names have letters, digits and "
          "_" },
        { "limits.memory=1 KiB", "--set limits.memory: '1 KiB': 8 MiB is the least" },
        { "buildings.where", "--set without '=': write --set section.key=value" },
        { "where=1.5", "--set where: write --set section.key=value" },
        { "job.title=a\nb", "--set job.title: not one line of UTF-8 text" },
        { "job.output=a\nb.h5", "-o or --set job.output: not one line of UTF-8 text" },
        { "job.title=a\t;b", "--set job.title: ' ;' begins a comment" },
        { "job.title= ;", "--set job.title: ' ;' begins a comment" },
        { "buildings.where=use <> 'a ;b'",
          "--set buildings.where: ' ;' begins a comment even inside quotes: write like "
          "'..._;...' there" },
        { "statistics.n=",
          "--set statistics.n: is empty: write a statistic, as in 'count'" },
        { "zones.table=", "F: [zones] table is missing" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(refusal(least, strlen(least), cases[i].override),
                            cases[i].message);
}

static void a_file_that_is_no_file_is_an_io_error(void **state)
{
    (void)state;
    struct job *job;
    struct error err;
    assert_int_equal(job_open(&job, "/nowhere/job.ini", NULL, 0, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.text,
                        "/nowhere/job.ini: No such file or directory: check its path");
    assert_int_equal(job_open(&job, "/tmp", NULL, 0, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
}

static void a_file_of_one_mebibyte_is_the_longest(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    char *text = malloc(n + 2);
    for (int more = 0; more < 2; more++) {
        size_t n_least = strlen(least);
        memcpy(text, least, n_least);
        memset(text + n_least, 'x', n + (size_t)more - n_least);
        text[n_least] = ';';
        text[n + (size_t)more] = '\0';
        if (more)
            assert_string_equal(refusal(text, n + 1, NULL),
                                "F: longer than 1 MiB: not a job file");
        else
            job_close(opened(text, NULL));
    }
    free(text);
}

static void a_size_has_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t n_bytes; /* -1: refused */
    } cases[] = {
        { "64 MiB", 64 << 20 }, { "1.5GiB", INT64_C(3) << 29 },
        { "4096", 4096 },       { "0", 0 },
        { "10 kB", 10000 },     { "2 TiB", INT64_C(2) << 40 },
        { "7 B", 7 },           { "", -1 },
        { "MiB", -1 },          { "-1 MiB", -1 },
        { "1 mib", -1 },        { "1e3", -1 },
        { "0x10", -1 },         { "inf", -1 },
        { "nan", -1 },          { "1.2.3", -1 },
        { "99999999 TiB", -1 }, { "1 MiB x", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t n_bytes = -2;
        struct error err;
        int status = job_parse_size(cases[i].text, &n_bytes, &err);
        assert_int_equal(status, cases[i].n_bytes < 0 ? -1 : 0);
        assert_int_equal(n_bytes, status ? -2 : cases[i].n_bytes);
    }
}

static void passwords_are_starred(void **state)
{
    (void)state;
    static const struct {
        const char *conninfo, *redacted;
    } cases[] = {
        { "", "" },
        { "service=gis", "service=gis" },
        { "host=h password=secret user=u", "host=h password=*** user=u" },
        { "password = 'se cr\\'et' user=u", "password = *** user=u" },
        { "password=a\\ b user=u", "password=*** user=u" },
        { "sslpassword=x passfile=/p PASSWORD=y",
          "sslpassword=*** passfile=/p PASSWORD=***" },
        { "password='open", "***" },
        { "password secret", "***" },
        { "dbname='postgresql://u:secret@h/d'", "dbname=***" },
        { "postgresql://u:secret@h:5432/d", "postgresql://u:***@h:5432/d" },
        { "postgres://u:p@ss/w:rd@h/d", "postgres://u:***@h/d" },
        { "postgres://u@server:secret@h/d", "postgres://u@server:***@h/d" },
        { "postgres://u@h:5432/d", "postgres://u@h:5432/d" },
        { "postgresql://u@h/d?password=secret&sslmode=require",
          "postgresql://u@h/d?password=***&sslmode=require" },
        { "postgresql://u:a@h/d?sslpassword=b",
          "postgresql://u:***@h/d?sslpassword=***" },
        { "postgresql://h/d?pass%77ord=secret", "postgresql://h/d?pass%77ord=***" },
        { "postgresql://h:5432/d", "postgresql://h:5432/d" },
        { "postgresql:///d?host=/t:u@d&sslpassword=secret", "postgresql://***" },
        { "postgresql://h/d?password=secret:secret@x", "postgresql://***" },
        { "postgresql://u?x:secret@h/d", "postgresql://***" },
        { "postgresql://h/d?passfile=/p&x=y", "postgresql://h/d?passfile=/p&x=y" },
        { "postgresql://[?a=b pass]/?password=secret",
          "postgresql://[?a=b pass]/?password=***" },
        { "postgresql://[?passfile]/?password=secret",
          "postgresql://[?passfile]/?password=***" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *redacted = job_redact(cases[i].conninfo);
        assert_string_equal(redacted, cases[i].redacted);
        free(redacted);
    }
}

static void a_message_repeats_no_password(void **state)
{
    (void)state;
    static const struct {
        const char *text, *redacted;
    } cases[] = {
        { "", "" },
        { "job.ini: [source] kind is 'x'", "job.ini: [source] kind is 'x'" },
        { "'postgresql://u:secret@h/d' is one more",
          "'postgresql://u:***@h/d' is one more" },
        { "postgresql://u:s@h:1/d: No such file",
          "postgresql://u:*@h:1/d: No such file" },
        { "postgres://u:p@ss:w@h, and", "postgres://u:***@h, and" },
        { "postgresql://h:5432/d is there", "postgresql://h:5432/d is there" },
        { "postgresql://h:5432: gone", "postgresql://h:5432: gone" },
        { "postgresql://u:secret/d is there", "postgresql://u:***/d is there" },
        { "postgresql://u:secr...", "postgresql://u:***" },
        { "https://x.org and http://u:a@h/", "https://x.org and http:***@h/" },
        { "'PG:host=h password=secret' is no", "'PG:host=h password=*** is no" },
        { "PASSWORD = 'se cret' is no", "PASSWORD = *** is no" },
        { "PWD=secret;UID=u", "PWD=***" },
        { "passwd=secret is no", "passwd=*** is no" },
        { "password='a\\'secret x' is no", "password=*** is no" },
        { "password='secret and cut", "password=***" },
        { "?sslpassword=secret&x=y", "?sslpassword=***" },
        { "postgresql://u@server:secret@h/d: gone",
          "postgresql://u@server:***@h/d: gone" },
        { "'postgresql://u:12'secret@h/d' is no", "'postgresql://u:***@h/d' is no" },
        { "postgresql://u:se cret@h/d is no", "postgresql://u:***@h/d is no" },
        { "postgresql://u@[2001:db8::1]:5432/d",
          "postgresql://u@[2001:db8::1]:5432/d" },
        { "postgresql://[2001:db8::1]/d, no", "postgresql://[2001:db8::1]/d, no" },
        { "postgresql://[::1]:secret/d", "postgresql://[::1]:***/d" },
        { "its password is wrong", "its password is wrong" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = strdup(cases[i].text);
        job_redact_message(text);
        assert_string_equal(text, cases[i].redacted);
        free(text);
    }
}

/* What libpq takes is taken; where a comment has cut it, that is said. */
static void a_connection_has_quotes_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *value, *wrong; /* NULL: nothing */
    } cases[] = {
        { "password='it\\'s' dbname=d", NULL },
        { "password=a\"b dbname=d", NULL },
        { "password=it's dbname=d", NULL },
        { "postgresql://u:it's@h/d", NULL },
        { "password = 'a b' user = 'c'", NULL },
        { "password='a \\;b' user=c", NULL },
        { "password='a", "a quote is not closed on this line" },
        { "user=x password='a ;b'",
          "a quote is not closed, for ' ;' begins a comment even inside quotes: write "
          "\\; there" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text,
                 sizeof text,
                 "[source]\nconnection = %s\n[zones]\ntable = z\nid = i\ngeometry = g\n"
                 "[buildings]\ntable = b\nid = i\ngeometry = g\n[statistics]\nn = "
                 "count\n",
                 cases[i].value);
        if (cases[i].wrong) {
            const char *message = refusal(text, strlen(text), NULL);
            if (!strstr(message, cases[i].wrong))
                fail_msg("'%s' does not say '%s'", message, cases[i].wrong);
            continue;
        }
        struct job *job = opened(text, NULL);
        assert_string_equal(job->connection, cases[i].value);
        job_close(job);
    }
}

/* A job file with bytes changed at random is read or refused, and nothing else. */
static void a_path_with_a_password_is_starred(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "PG:host=h PASSWORD=x",
        "PG:host=h password = x",
        "PG:host=h dbname=password sslpassword\t='x'",
        "MYSQL:db,user=u,password=x",
        "MSSQL:server=s;pwd=x",
        "/vsicurl/https://u:x@h/zones.gpkg",
    };
    static const char *const plain[] = {
        "",
        "zones.shp",
        "/vsizip/a b.zip/passau.geojson",
        "/vsicurl/https://h/z.gpkg",
        "PG:service=gis",
        "a@b.gpkg",
    };
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
        char *redacted = job_redact_path(secret[i]);
        assert_string_equal(redacted, "***");
        free(redacted);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        char *redacted = job_redact_path(plain[i]);
        assert_string_equal(redacted, plain[i]);
        free(redacted);
    }
    struct job *job = opened("[source]\nkind = vector\n"
                             "[zones]\npath = PG:password=hunter2\n"
                             "[buildings]\npath = b.shp\n",
                             NULL);
    assert_null(strstr(job->text, "hunter2"));
    assert_non_null(strstr(job->text, "path = b.shp"));
    assert_string_equal(job->zone_path, "PG:password=hunter2");
    job_close(job);
}

static void files_and_stores_need_no_ids(void **state)
{
    (void)state;
    struct job *job = opened("[source]\nkind = vector\n"
                             "[zones]\npath = z.gpkg\nlayer = areas\nid = zip\n"
                             "[buildings]\npath = b.gpkg\nlayer = houses\n",
                             NULL);
    assert_int_equal(job->kind, SOURCE_VECTOR);
    assert_string_equal(job->zone_path, "z.gpkg");
    assert_string_equal(job->zone_layer, "areas");
    assert_string_equal(job->zone_id, "zip");
    assert_string_equal(job->building_layer, "houses");
    assert_string_equal(job->building_id, JOB_ROW_NAME);
    assert_string_equal(job->keep[0], JOB_ROW_NAME);
    assert_null(strstr(job->identity, "gpkg")); /* the way to them decides nothing */
    assert_non_null(strstr(job->identity, "houses"));
    job_close(job);
    job = opened("[source]\nkind = store\npath = s.h5\n", NULL);
    assert_string_equal(job->zone_id, JOB_ROW_NAME);
    struct error err;
    assert_int_equal(job_take_ids(job, "zip", "gid", &err), 0); /* as the store says */
    assert_string_equal(job->zone_id, "zip");
    assert_string_equal(job->building_id, "gid");
    assert_string_equal(job->keep[0], "gid");
    job_close(job);
    job = opened("[source]\nkind = store\npath = s.h5\n"
                 "[zones]\nid = z\n[buildings]\nid = b\nkeep = row\n",
                 NULL);
    assert_int_equal(job_take_ids(job, "zip", "gid", &err), 0);
    assert_string_equal(job->zone_id, "z");
    assert_string_equal(job->building_id, "b");
    assert_string_equal(job->keep[0], JOB_ROW_NAME);
    job_close(job);
    job = opened("[source]\nkind = vector\n[zones]\npath = z.shp\n", NULL);
    assert_int_equal(job_check_files(job, &err), -1); /* to stage; to be told to, not */
    assert_string_equal(err.text + strlen(path), ": [buildings] path is missing");
    assert_int_equal(err.code, ERROR_USAGE);
    job_close(job);
}

static void an_error_of_the_source_gets_its_place_in_the_file(void **state)
{
    (void)state;
    struct job *job = opened("[source]\nkind = vector\n[zones]\nid = zip\n",
                             "buildings.table=houses");
    static const struct {
        const char *text, *wanted; /* F: the file */
    } cases[] = {
        { "[zones] id: no column 'zip'", "F:4: [zones] id: no column 'zip'" },
        { "[source] kind = vector: stage it", "F:2: [source] kind = vector: stage it" },
        { "[buildings] table: 'houses' is a view",
          "--set buildings.table: 'houses' is a view" },
        { "[limits] memory: too much", "F: [limits] memory: too much" },
        { "[zones] idd: x", "F: [zones] idd: x" },
        { "[zones] i: x", "F: [zones] i: x" },
        { "[zones] id.fgb: layer 'id'", "F: [zones] id.fgb: layer 'id'" },
        { "zone 02139: [zones] id", "zone 02139: [zones] id" },
        { "[zones]", "[zones]" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { ERROR_USAGE, "" };
        char wanted[200];
        bool in_file = *cases[i].wanted == 'F';
        snprintf(err.text, sizeof err.text, "%s", cases[i].text);
        assert_int_equal(job_locate(job, &err), -1);
        snprintf(wanted,
                 sizeof wanted,
                 "%s%s",
                 in_file ? path : "",
                 cases[i].wanted + in_file);
        assert_string_equal(err.text, wanted);
        assert_int_equal(err.code, ERROR_USAGE);
    }
    job_close(job);
}

static void a_damaged_file_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] =
        "[job]\ntitle = t\n[source]\nconnection = password='x'\n[zones]\ntable = zip\n"
        "id = code\ngeometry = geom\nwhere = a = 'b'\n[buildings]\ntable = roof\nid = "
        "gid\n"
        "geometry = g\nfields = a, b = a + 1\nwhere = a > 1\n  and b < 2 ; c\nkeep = "
        "gid\n"
        "[statistics]\nn = count\n[limits]\nmemory = 64 MiB\n";
    static const char bytes[] = "[]=;:'\" \t\n\r\\,().ab1\xc3\xa9\xff";
    uint64_t random = 42;
    int n_read = 0;
    for (int i = 0; i < 3000; i++) {
        char damaged[sizeof text];
        memcpy(damaged, text, sizeof text);
        for (int k = 0; k <= i % 4; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            damaged[(random >> 33) % (sizeof text - 1)] =
                bytes[(random >> 20) % (sizeof bytes - 1)];
        }
        struct job *job;
        struct error err;
        write_file(damaged, sizeof text - 1);
        if (job_open(&job, path, NULL, 0, &err) == 0) {
            n_read++;
            job_close(job);
        } else {
            assert_int_equal(err.code, ERROR_USAGE);
        }
    }
    assert_in_range(n_read, 100, 2900);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/job.ini", mkdtemp(folder));
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return unlink(path) || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_job_is_read),
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(names_have_letters_of_any_language),
        cmocka_unit_test(any_way_to_end_lines_will_do),
        cmocka_unit_test(a_long_line_is_read_to_its_end),
        cmocka_unit_test(an_override_replaces_or_adds),
        cmocka_unit_test(a_bad_line_is_refused_with_its_place),
        cmocka_unit_test(a_bad_override_is_refused),
        cmocka_unit_test(a_file_that_is_no_file_is_an_io_error),
        cmocka_unit_test(a_file_of_one_mebibyte_is_the_longest),
        cmocka_unit_test(a_size_has_a_unit),
        cmocka_unit_test(passwords_are_starred),
        cmocka_unit_test(a_path_with_a_password_is_starred),
        cmocka_unit_test(a_message_repeats_no_password),
        cmocka_unit_test(a_connection_has_quotes_of_its_own),
        cmocka_unit_test(files_and_stores_need_no_ids),
        cmocka_unit_test(an_error_of_the_source_gets_its_place_in_the_file),
        cmocka_unit_test(a_damaged_file_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
