#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rooftally/job/expression.h"
#include "rooftally/job/spelling.h"

#include "datetime.h"
#include "evaluate.h"

/* The columns that the tests name; a name's slot is its place here. */
static const struct {
    const char *name, *sql;
    enum value_type type;
} names[] = {
    { "height", "b.\"height\"", TYPE_REAL }, { "size", "b.\"size\"", TYPE_INTEGER },
    { "use", "b.\"use\"", TYPE_TEXT },       { "flag", "b.\"flag\"", TYPE_BOOLEAN },
    { "built", "b.\"built\"", TYPE_DATE },   { "seen", "b.\"seen\"", TYPE_TIMESTAMP },
    { "area_m2", NULL, TYPE_REAL },          { "Mixed", "b.\"Mixed\"", TYPE_INTEGER },
};

enum { N_NAMES = sizeof names / sizeof *names };

static int look_up(void *context,
                   const char *name,
                   struct name_binding *binding,
                   struct error *err)
{
    (void)context;
    struct spelling spelling;
    if (spelling_read(&spelling, name, err))
        return -1;
    for (int i = 0; i < N_NAMES; i++)
        if (spelling_rank(&spelling, names[i].name) == SPELLED_IN_SQL) {
            *binding = (struct name_binding){ .slot = i,
                                              .type = names[i].type,
                                              .sql = names[i].sql };
            return 0;
        }
    return error_set(err, ERROR_USAGE, "unknown name '%s'", name);
}

static struct expression *checked(const char *text)
{
    struct expression *expression;
    struct error err;
    enum value_type type;
    if (expression_parse(&expression, text, &err)
        || expression_check(expression, look_up, NULL, &type, &err))
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(type, expression_type(expression));
    return expression;
}

/* SQL with the names in it that the search_path could lead elsewhere written out. */
static void qualify(char *out, size_t capacity, const char *sql)
{
    static const char *const words[][2] = {
        { " = ", " OPERATOR(pg_catalog.=) " },
        { " <> ", " OPERATOR(pg_catalog.<>) " },
        { " < ", " OPERATOR(pg_catalog.<) " },
        { " <= ", " OPERATOR(pg_catalog.<=) " },
        { " > ", " OPERATOR(pg_catalog.>) " },
        { " >= ", " OPERATOR(pg_catalog.>=) " },
        { " LIKE ", " OPERATOR(pg_catalog.~~) " },
        { " + ", " OPERATOR(pg_catalog.+) " },
        { " - ", " OPERATOR(pg_catalog.-) " },
        { " * ", " OPERATOR(pg_catalog.*) " },
        { " / ", " OPERATOR(pg_catalog./) " },
        { " % ", " OPERATOR(pg_catalog.%) " },
        { "(- ", "( OPERATOR(pg_catalog.-) " },
        { "round(", "pg_catalog.round(" },
        { "floor(", "pg_catalog.floor(" },
        { "::text", "::pg_catalog.text" },
        { "::date", "::pg_catalog.date" },
        { "COLLATE \"C\"", "COLLATE pg_catalog.\"C\"" },
        { "::float8", "::double precision" }, /* a keyword */
    };
    size_t n = 0;
    while (*sql) {
        size_t i = 0, n_words = sizeof words / sizeof *words;
        while (i < n_words && strncmp(sql, words[i][0], strlen(words[i][0])) != 0)
            i++;
        n += (size_t)snprintf(out + n,
                              capacity - n,
                              "%.*s",
                              i < n_words ? 80 : 1,
                              i < n_words ? words[i][1] : sql);
        sql += i < n_words ? strlen(words[i][0]) : 1;
        assert_true(n < capacity);
    }
}

static void an_expression_is_written_as_sql(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sql;
    } cases[] = {
        { "height > 10", "((b.\"height\") > '10'::float8)" },
        { "size+2*3", "((b.\"size\") + 6::bigint)" },
        { "size + size * size", "((b.\"size\") + ((b.\"size\") * (b.\"size\")))" },
        { "size - 1 - 2", "(((b.\"size\") - 1::bigint) - 2::bigint)" },
        { "-size * 2", "((- (b.\"size\")) * 2::bigint)" },
        { "- - size", "(- (- (b.\"size\")))" },
        { "size - -1", "((b.\"size\") - '-1'::bigint)" },
        { "size > -9223372036854775808",
          "((b.\"size\") > '-9223372036854775808'::bigint)" },
        { "size > - 9223372036854775808",
          "((b.\"size\") > '-9223372036854775808'::bigint)" },
        { "size > 9223372036854775807",
          "((b.\"size\") > 9223372036854775807::bigint)" },
        { "size < 9223372036854775808",
          "(((b.\"size\")::float8) < '9.2233720368547758e+18'::float8)" },
        { "size > 0.1", "(((b.\"size\")::float8) > '0.10000000000000001'::float8)" },
        { "size / 2", "((b.\"size\") / 2::bigint)" },
        { "height / size",
          "((b.\"height\") / nullif(((b.\"size\")::float8), '0'::float8))" },
        { "size % 7", "((b.\"size\") % 7::bigint)" },
        { "size / 0", "(NULL::bigint)" },
        { "USE = 'it''s'",
          "(((b.\"use\") COLLATE \"C\") = ('it''s'::text COLLATE \"C\"))" },
        { "use like 'a\\_%'",
          "(((b.\"use\") COLLATE \"C\") LIKE ('a\\_%'::text COLLATE \"C\"))" },
        { "\"Mixed\" = 1", "((b.\"Mixed\") = 1::bigint)" },
        { "not flag or flag and height is not null",
          "((NOT (b.\"flag\")) OR ((b.\"flag\") AND (NOT ((b.\"height\") IS NULL))))" },
        { "not size = 1 and flag",
          "((NOT ((b.\"size\") = 1::bigint)) AND (b.\"flag\"))" },
        { "size = 1 is null", "(((b.\"size\") = 1::bigint) IS NULL)" },
        { "flag = true", "((b.\"flag\") = true)" },
        { "size not between 1 and 2 and flag",
          "((NOT ((b.\"size\") BETWEEN 1::bigint AND 2::bigint)) AND (b.\"flag\"))" },
        { "size in (1, 2.5)",
          "(((b.\"size\")::float8) = ANY (ARRAY['1'::float8, "
          "'2.5'::float8]::float8[]))" },
        { "built >= '1990-01-31'", "((b.\"built\") >= '1990-01-31'::date)" },
        { "built - '1990-01-01' > 5",
          "(((b.\"built\") - '1990-01-01'::date)::bigint > 5::bigint)" },
        { "1 + built = built",
          "(((b.\"built\") + 1::bigint::integer) = (b.\"built\"))" },
        { "seen < '2000-02-29 12:30:00.5'",
          "((b.\"seen\") < '2000-02-29 12:30:00.500000'::timestamp)" },
        { "'9999-12-31' < built - 1 or built > coalesce(built, '0001-01-01')",
          "(('9999-12-31'::date < ((b.\"built\") - 1::bigint::integer)) OR "
          "((b.\"built\")"
          " > coalesce((b.\"built\"), '0001-01-01'::date)))" },
        { "case when flag then size else null end",
          "(CASE WHEN (b.\"flag\") THEN (b.\"size\") ELSE (NULL::bigint) END)" },
        { "case use when 'a' then 1 when 'b' then 2.5 end",
          "(CASE ((b.\"use\") COLLATE \"C\") WHEN ('a'::text COLLATE \"C\") THEN "
          "'1'::float8 WHEN ('b'::text COLLATE \"C\") THEN '2.5'::float8 END)" },
        { "round(size) + floor(height)",
          "(round(((b.\"size\")::float8)) + floor((b.\"height\")))" },
        { "round(size) / 4 > ceil(2)",
          "((round(((b.\"size\")::float8)) / '4'::float8) > '2'::float8)" },
        { "floor(null)", "(NULL::float8)" },
        { "least(height, 1, size)",
          "least((b.\"height\"), '1'::float8, ((b.\"size\")::float8))" },
        { "coalesce(null, height)", "(b.\"height\")" },
        { "flag and true", "(b.\"flag\")" },
        { "flag and (flag or 1 < 2)", "(b.\"flag\")" },
        { "flag and 1 > 2", "false" },
        { "case when 1 = 2 then size when 2 = 2 then 5 else size end", "5::bigint" },
        { "'b' between 'a' and 'c'", "true" },
        { "height + null", "(NULL::float8)" },
        { "height = null", "(NULL::boolean)" },
        { "null is null", "true" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expression *expression = checked(cases[i].text);
        char *sql = NULL, wanted[1024];
        qualify(wanted, sizeof wanted, cases[i].sql);
        assert_int_equal(expression_sql(expression, &sql, NULL), 0);
        assert_string_equal(sql, wanted);
        assert_true(expression_is_sql(expression));
        free(sql);
        expression_free(expression);
    }
}

static void what_is_no_expression_is_refused_where_it_goes_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "column 1: expected a value, found the end" },
        { "height and", "column 11: expected a value, found the end" },
        { "height > and 1", "column 10: expected a value, found 'and'" },
        { "height > 1 height",
          "column 12: expected an operator or the end, found 'height'" },
        { "(height", "column 8: expected ')', found the end" },
        { "'abc", "column 1: the quote ' is never closed" },
        { "use = 'é' ?", "column 11: unexpected '?'" },
        { "\"\" = 1", "column 1: a name has 1 to 63 bytes" },
        { "1 < 2 < 3", "column 7: comparisons do not chain: use parentheses" },
        { "a = b in (1)", "column 7: comparisons do not chain: use parentheses" },
        { "a not = 1", "column 7: expected 'between', 'in' or 'like', found '='" },
        { "a in ()", "column 7: expected a value, found ')'" },
        { "a in (1", "column 8: expected ',' or ')', found the end" },
        { "a between 1 or 2", "column 13: expected 'and', found 'or'" },
        { "a is true", "column 6: expected 'null', found 'true'" },
        { "case end", "column 6: expected a value, found 'end'" },
        { "case a end", "column 8: expected 'when', found 'end'" },
        { "case when a end", "column 13: expected 'then', found 'end'" },
        { "case when a then 1",
          "column 19: expected 'when', 'else' or 'end', found the end" },
        { "5a", "column 1: a number runs into what follows" },
        { "1.2.3", "column 1: a number runs into what follows" },
        { "1e", "column 1: a number without its exponent" },
        { "1e400", "column 1: the number is out of range" },
        { "1e-400", "column 1: the number is out of range" },
        { "5--3", "column 2: '--' would begin a comment in SQL" },
        { "5 /* x */", "column 3: '/*' would begin a comment in SQL" },
        { "a; drop table b", "column 2: unexpected ';'" },
        { "a::text", "column 2: unexpected ':'" },
        { "rond(1)", "unknown function 'rond': did you mean 'round'?" },
        { "pg_sleep(10)",
          "unknown function 'pg_sleep': there are abs, round, floor, ceil, least, "
          "greatest and coalesce" },
        { "abs(1, 2)", "column 1: abs takes one value" },
        { "least()", "column 7: expected a value, found ')'" },
        { "a\001b", "column 2: unexpected control character" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expression *expression = NULL;
        struct error err = { .code = ERROR_NONE };
        assert_int_equal(expression_parse(&expression, cases[i].text, &err), -1);
        assert_null(expression);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(expression_parse(&expression, cases[i].text, NULL), -1);
    }
}

static void what_has_no_type_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "height > 'tall'",
          "height > 'tall': a number and a text cannot be compared" },
        { "'tall' < height",
          "'tall' < height: a text and a number cannot be compared" },
        { "flag and height > 'tall'",
          "height > 'tall': a number and a text cannot be compared" },
        { "use = 1", "use = 1: a text and a number cannot be compared" },
        { "flag = 1", "flag = 1: a condition and a number cannot be compared" },
        { "built = seen", "built = seen: a date and a timestamp cannot be compared" },
        { "built = 'soon'", "'soon': not a date: dates are written 'YYYY-MM-DD'" },
        { "built = '1999-02-29'",
          "'1999-02-29': not a date: dates are written 'YYYY-MM-DD'" },
        { "seen = '1999-02-28 24:00'",
          "'1999-02-28 24:00': not a timestamp: write 'YYYY-MM-DD' or 'YYYY-MM-DD "
          "HH:MM:SS'" },
        { "use + 1", "use + 1: a text and a number cannot be added" },
        { "seen - seen",
          "seen - seen: a timestamp and a timestamp cannot be subtracted" },
        { "built + built", "built + built: a date and a date cannot be added" },
        { "built * 2", "built * 2: a date and a number cannot be multiplied" },
        { "1 - built", "1 - built: a number and a date cannot be subtracted" },
        { "flag / 2", "flag / 2: a condition and a number cannot be divided" },
        { "height % 2", "height % 2: % is for integers, not for reals" },
        { "round(size) % 3", "round(size) % 3: % is for integers, not for reals" },
        { "height and flag", "height: and needs a condition, this is a number" },
        { "not use", "use: not needs a condition, this is a text" },
        { "-use", "use: - needs a number, this is a text" },
        { "abs(flag)", "flag: abs needs a number, this is a condition" },
        { "size like 'a'", "size: like needs a text, this is a number" },
        { "use like 'a\\'", "'a\\': a pattern must not end in a single backslash" },
        { "case when 1 then 2 end", "1: when needs a condition, this is a number" },
        { "case when flag then 1 else use end",
          "case when flag then 1 else use end: a number and a text cannot be results "
          "of "
          "one case" },
        { "case size when 'a' then 1 end",
          "case size when 'a' then 1 end: a number and a text cannot be compared" },
        { "coalesce(1, use)",
          "coalesce(1, use): a number and a text cannot be values of one coalesce" },
        { "size in (1, use)",
          "size in (1, use): a number and a text cannot be compared" },
        { "nowhere = 1", "unknown name 'nowhere'" },
        { "9223372036854775807 + 1 > size",
          "overflow: 9223372036854775807 + 1 is not a 64-bit integer" },
        { "flag or - (-9223372036854775808) > size",
          "overflow: -(-9223372036854775808) is not a 64-bit integer" },
        { "1e308 * 10 > height",
          "overflow: 1e+308 * 10 is too large or too small for a real" },
        { "built + 2147483648 > built",
          "overflow: a date cannot move by 2147483648 days" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expression *expression;
        struct error err = { .code = ERROR_NONE };
        enum value_type type;
        assert_int_equal(expression_parse(&expression, cases[i].text, &err), 0);
        assert_int_equal(expression_check(expression, look_up, NULL, &type, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_string_equal(err.text, cases[i].message);
        expression_free(expression);
    }
}

/* A value as text: "null", "true", "5", "2.5", "'x'", or the error's text. */
static void evaluate(const char *text, char out[ERROR_TEXT_BYTES])
{
    uint8_t valid[3] = { 1, 1, 1 }, no[3] = { 0, 0, 0 };
    int64_t sizes[3] = { 0, 7, 0 }, flags[3] = { 0, 1, 0 }, days[3] = { 0, 10957, 0 };
    double heights[3] = { 0, 2.5, 0 }, areas[3] = { 0, NAN, 0 };
    struct text uses[3] = { { NULL, 0 }, { "shed", 4 }, { NULL, 0 } };
    struct column columns[N_NAMES] = {
        { TYPE_REAL, valid, { .reals = heights } },
        { TYPE_INTEGER, valid, { .integers = sizes } },
        { TYPE_TEXT, valid, { .texts = uses } },
        { TYPE_BOOLEAN, valid, { .integers = flags } },
        { TYPE_DATE, valid, { .integers = days } },
        { TYPE_TIMESTAMP, no, { .integers = days } },
        { TYPE_REAL, valid, { .reals = areas } },
        { TYPE_INTEGER, no, { .integers = sizes } },
    };
    struct expression *expression = checked(text);
    struct memory memory;
    struct error err;
    int32_t row = 1;
    uint8_t result_valid[3] = { 9, 9, 9 };
    struct text results[3] = { { NULL, 77 }, { NULL, 0 }, { NULL, 77 } };
    struct column result = { expression_type(expression),
                             result_valid,
                             { .texts = results } };
    assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
    int status =
        expression_evaluate(expression, columns, &row, 1, 3, &result, &memory, &err);
    assert_int_equal(memory.used_bytes, 0);
    if (status)
        snprintf(out, ERROR_TEXT_BYTES, "%s", err.text);
    else if (!result_valid[1])
        snprintf(out, ERROR_TEXT_BYTES, "null");
    else if (result.type == TYPE_TEXT)
        snprintf(out, ERROR_TEXT_BYTES, "'%.*s'", (int)results[1].n, results[1].bytes);
    else if (result.type == TYPE_REAL)
        snprintf(out, ERROR_TEXT_BYTES, "%.17g", result.reals[1]);
    else if (result.type == TYPE_BOOLEAN)
        snprintf(out, ERROR_TEXT_BYTES, result.integers[1] ? "true" : "false");
    else
        snprintf(out, ERROR_TEXT_BYTES, "%lld", (long long)result.integers[1]);
    assert_int_equal(result_valid[0], 9); /* rows not listed stay as they are */
    assert_int_equal(result_valid[2], 9);
    memory_release(&memory);
    expression_free(expression);
}

static void an_expression_has_the_value_that_sql_gives(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } cases[] = {
        { "size / 2", "3" },
        { "-size / 2", "-3" },
        { "-size % 4", "-3" },
        { "size / (size - 7)", "null" },
        { "height / (height - 2.5)", "null" },
        { "size + 9223372036854775800", "9223372036854775807" },
        { "size + 9223372036854775801",
          "overflow: 7 + 9223372036854775801 is not a 64-bit integer" },
        { "(-9223372036854775808 + size - 7) / (size - 8)",
          "overflow: -9223372036854775808 / -1 is not a 64-bit integer" },
        { "(-9223372036854775808 + size - 7) % (size - 8)", "0" },
        { "abs(-9223372036854775808 + size - 7)",
          "overflow: abs(-9223372036854775808) is not a 64-bit integer" },
        { "height * 1e308",
          "overflow: 2.5 * 1e+308 is too large or too small for a real" },
        { "height * 1e-308 * 1e-308",
          "overflow: 2.4999999999999998e-308 * 9.9999999999999991e-309 is too large or "
          "too small for a "
          "real" },
        { "round(height)", "2" },
        { "round(height + 1)", "4" },
        { "round(-height)", "-2" },
        { "floor(-height)", "-3" },
        { "ceil(-height)", "-2" },
        { "round(size)", "7" },
        { "round(size) / 4", "1.75" },
        { "floor(-size) / 2 + ceil(size) / 2", "0" },
        { "round(9007199254740992 + size - 6)", "9007199254740992" },
        { "round(0.5) + round(2.5)", "2" },
        { "area_m2 = area_m2", "true" },
        { "area_m2 > 1e308", "true" },
        { "least(area_m2, height)", "2.5" },
        { "greatest(area_m2, height)", "nan" },
        { "least(null, size, \"Mixed\")", "7" },
        { "greatest(\"Mixed\", \"Mixed\")", "null" },
        { "coalesce(\"Mixed\", size)", "7" },
        { "flag or \"Mixed\" = 1", "true" },
        { "not flag or \"Mixed\" = 1", "null" },
        { "not flag and \"Mixed\" = 1", "false" },
        { "\"Mixed\" = 1 and not flag", "false" },
        { "\"Mixed\" = 1 and flag", "null" },
        { "not (\"Mixed\" = 1)", "null" },
        { "\"Mixed\" is null and size is not null", "true" },
        { "size in (1, 7)", "true" },
        { "size in (1, \"Mixed\")", "null" },
        { "size not in (1, \"Mixed\", 7)", "false" },
        { "\"Mixed\" in (1)", "null" },
        { "size between 7 and 7", "true" },
        { "size between \"Mixed\" and 6", "false" },
        { "size between \"Mixed\" and 8", "null" },
        { "use", "'shed'" },
        { "case use when 'barn' then 'b' when 'shed' then use else 'x' end", "'shed'" },
        { "case \"Mixed\" when 1 then 'x' end", "null" },
        { "use < 'shed2' and use > 'Shed' and use < 'she\xc3\xa9'", "true" },
        { "built + 1", "10958" },
        { "built - '1970-01-01'", "10957" },
        { "built = '2000-01-01'", "true" },
        { "built + 2145031948", "2145042905" },
        { "built + 2145031949", "overflow: a date + 2145031949 days is out of range" },
        { "case when flag then 1 else 9223372036854775807 * size end", "1" },
        { "case when not flag then 9223372036854775807 * size else 2 end", "2" },
        { "flag or 9223372036854775807 * size > 0", "true" },
        { "not flag and 9223372036854775807 * size > 0", "false" },
        { "coalesce(size, 9223372036854775807 * size)", "7" },
        { "size between 8 and 9223372036854775807 * size", "false" },
        { "seen is null", "true" },
        { "built - built between 0 and 0", "true" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[ERROR_TEXT_BYTES];
        evaluate(cases[i].text, value);
        if (strcmp(value, cases[i].value) != 0)
            fail_msg("%s: %s, expected %s", cases[i].text, value, cases[i].value);
    }
}

/* Comparisons with a literal, which are selected without being computed first. */
static void a_filter_selects_the_rows_for_which_it_is_true(void **state)
{
    (void)state;
    enum { N = 8 };
    static const char *const filters[] = {
        "height < 2.5",
        "height <= 2.5",
        "height > 2.5",
        "height >= 2.5",
        "height = 2.5",
        "height <> 2.5",
        "size < 3",
        "size <= 3",
        "size > 3",
        "size >= 3",
        "size = 3",
        "size <> 3",
        "flag = true",
        "flag <> true",
        "height > 1 and size < 5",
        "height > 1 and size < 5 and built >= '1970-01-04'",
        "2.5 < height",
        "height > 1 or size < 2",
        "size > 2.5",
        "height > 1 and size + 1 < 5",
    };
    double heights[N] = { 1, 2.5, NAN, INFINITY, -INFINITY, 3, 2.5, -0.0 };
    int64_t sizes[N] = { 1, 2, 3, 4, 5, INT64_MAX - 1, INT64_MIN, 3 };
    int64_t flags[N] = { 0, 1, 1, 0, 1, 0, 1, 1 };
    int64_t days[N] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t all[N], some[N] = { 1, 1, 1, 1, 1, 1, 0, 1 };
    memset(all, 1, N);
    struct column columns[N_NAMES] = { { TYPE_REAL, some, { .reals = heights } },
                                       { TYPE_INTEGER, all, { .integers = sizes } } };
    columns[3] = (struct column){ TYPE_BOOLEAN, some, { .integers = flags } };
    columns[4] = (struct column){ TYPE_DATE, all, { .integers = days } };
    struct memory memory;
    struct error err;
    assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
    for (size_t f = 0; f < sizeof filters / sizeof *filters; f++) {
        struct expression *filter = checked(filters[f]);
        int32_t rows[N] = { 0, 1, 2, 3, 4, 5, 6, 7 }, n = 0;
        uint8_t valid[N];
        int64_t values[N];
        struct column out = { TYPE_BOOLEAN, valid, { .integers = values } };
        assert_int_equal(expression_evaluate(filter,
                                             columns,
                                             rows,
                                             N,
                                             N,
                                             &out,
                                             &memory,
                                             &err),
                         0);
        int32_t n_left = expression_select(filter, columns, rows, N, N, &memory, &err);
        assert_int_equal(memory.used_bytes, 0);
        for (int32_t r = 0; r < N; r++)
            if (valid[r] && values[r] && (n >= n_left || rows[n++] != r))
                fail_msg("%s: row %d is not selected", filters[f], r);
        if (n != n_left)
            fail_msg("%s: %d rows selected, not %d", filters[f], n_left, n);
        expression_free(filter);
    }
    memory_release(&memory);
}

static void a_pattern_matches_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        int matches;
    } cases[] = {
        { "", "", 1 },
        { "", "%", 1 },
        { "", "_", 0 },
        { "a", "", 0 },
        { "abc", "abc", 1 },
        { "abc", "ab", 0 },
        { "abc", "a_c", 1 },
        { "abc", "%c", 1 },
        { "abc", "a%", 1 },
        { "aab", "%a_", 1 },
        { "aabab", "%ab", 1 },
        { "abab", "a%b", 1 },
        { "ababc", "%abc", 1 },
        { "é", "_", 1 },
        { "éa", "_a", 1 },
        { "日本", "__", 1 },
        { "日本", "_", 0 },
        { "日本", "%本", 1 },
        { "a%b", "a\\%b", 1 },
        { "axb", "a\\%b", 0 },
        { "xa%b", "%\\%b", 1 },
        { "xa\\b", "%\\%b", 0 },
        { "a_b_c", "%\\_c", 1 },
        { "axbxc", "%\\_c", 0 },
        { "no é_x", "%é\\_%", 1 },
        { "a\\", "a\\\\", 1 },
        { "abc", "%_%_%_%", 1 },
        { "ab", "%_%_%_%", 0 },
        { "A", "a", 0 },
        { "abc", "x\\", 0 },
        { "abc", "abc\\", 0 },
        { "abc", "ab\\", -1 },
        { "abc", "%\\", -1 },
        { "mississippi", "m%iss%ip%i", 1 },
        { "mississippi", "m%iss%ix%i", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = { cases[i].text, (int64_t)strlen(cases[i].text) };
        struct text pattern = { cases[i].pattern, (int64_t)strlen(cases[i].pattern) };
        struct error err;
        int matches = like_match(text, pattern, &err);
        if (matches != cases[i].matches)
            fail_msg("'%s' like '%s': %d", cases[i].text, cases[i].pattern, matches);
        assert_true(matches >= 0 || err.code == ERROR_DATA);
    }
}

/* Many '%' must not take exponential time, nor a stack. */
static void a_long_pattern_is_no_trap(void **state)
{
    (void)state;
    static char text[20001], pattern[20001];
    memset(text, 'a', 20000);
    for (int i = 0; i < 20000; i += 2)
        memcpy(pattern + i, "%a", 2);
    pattern[19999] = 'b';
    struct text t = { text, 20000 }, p = { pattern, 20000 };
    assert_int_equal(like_match(t, p, NULL), 0);
}

static void a_filter_is_split_at_its_ands(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sql;
        bool local;
    } cases[] = {
        { "flag", "(b.\"flag\")", false },
        { "area_m2 > 1", NULL, true },
        { "flag and area_m2 > 1", "(b.\"flag\")", true },
        { "(flag and area_m2 > 1) and (size = 1 and flag)",
          "((b.\"flag\") AND ((b.\"size\") OPERATOR(pg_catalog.=) 1::bigint) AND "
          "(b.\"flag\"))",
          true },
        { "flag or area_m2 > 1", NULL, true },
        { "not (flag and area_m2 > 1)", NULL, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expression *in_source, *local;
        char *sql = NULL;
        assert_int_equal(expression_split(checked(cases[i].text),
                                          NULL,
                                          &in_source,
                                          &local,
                                          NULL),
                         0);
        assert_int_equal(local != NULL, cases[i].local);
        assert_int_equal(in_source != NULL, cases[i].sql != NULL);
        if (in_source) {
            assert_int_equal(expression_sql(in_source, &sql, NULL), 0);
            assert_string_equal(sql, cases[i].sql);
        }
        if (local) {
            uint8_t used[N_NAMES] = { 0 };
            expression_slots(local, used, N_NAMES);
            assert_true(used[6]);
            assert_int_equal(expression_sql(local, &sql, NULL), -1);
        }
        free(sql);
        expression_free(in_source);
        expression_free(local);
    }
}

static char *repeated(const char *before, const char *middle, const char *after, int n)
{
    char *text =
        calloc((strlen(before) + strlen(after)) * (size_t)n + strlen(middle) + 1, 1);
    char *at = text;
    for (int i = 0; i < n; i++)
        at = stpcpy(at, before);
    at = stpcpy(at, middle);
    for (int i = 0; i < n; i++)
        at = stpcpy(at, after);
    return text;
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *before, *middle, *after;
        int most;
    } cases[] = {
        { "(", "1", ")", 199 },      { "-", "size", "", 199 },
        { "not ", "flag", "", 199 }, { "abs(", "1", ")", 199 },
        { "", "1", "+1", 199 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int more = 0; more <= 100001; more += more ? 100000 : 1) {
            const char *before = cases[i].before;
            char *spaced = before[0] == '-' ? "- " : (char *)(uintptr_t)before;
            char *text =
                repeated(spaced, cases[i].middle, cases[i].after, cases[i].most + more);
            struct expression *expression = NULL;
            struct error err;
            int status = expression_parse(&expression, text, &err);
            assert_int_equal(status, more ? -1 : 0);
            if (more)
                assert_non_null(strstr(err.text, "nested deeper than 200"));
            expression_free(expression);
            free(text);
        }
    /* a wide list is not deep */
    char *wide = repeated("", "size in (1", ",1", 50000);
    wide = realloc(wide, strlen(wide) + 2);
    strcat(wide, ")");
    expression_free(checked(wide));
    free(wide);
}

static void a_filter_as_deep_as_may_be_is_split(void **state)
{
    static const struct {
        const char *middle;
        bool local;
    } cases[] = { { "flag", false }, { "(area_m2 > 1)", true } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeated("not ", cases[i].middle, "", cases[i].local ? 198 : 199);
        struct expression *in_source, *local;
        struct error err;
        assert_int_equal(expression_split(checked(text),
                                          NULL,
                                          &in_source,
                                          &local,
                                          &err),
                         0);
        assert_int_equal(in_source != NULL, !cases[i].local);
        assert_int_equal(local != NULL, cases[i].local);
        expression_free(in_source);
        expression_free(local);
        free(text);
    }
}

static struct expression *definitions[64];

static int look_up_definition(void *context,
                              const char *name,
                              struct name_binding *binding,
                              struct error *err)
{
    if (name[0] != 'f' || !name[1] || name[2])
        return look_up(context, name, binding, err);
    binding->definition = definitions[name[1] - 'a'];
    return 0;
}

/* fb = fa + fa, fc = fb + fb, …: two to the power of the letters. */
static void definitions_cannot_grow_without_end(void **state)
{
    (void)state;
    int n = 0, status = 0;
    struct error err;
    enum value_type type;
    for (; n < 26 && status == 0; n++) {
        char text[] = "fz + fz";
        text[1] = text[6] = (char)('a' + n - 1);
        status = expression_parse(&definitions[n], n ? text : "height", &err);
        assert_int_equal(status, 0);
        status =
            expression_check(definitions[n], look_up_definition, NULL, &type, &err);
    }
    assert_int_equal(status, -1);
    assert_in_range(n, 10, 20);
    assert_non_null(strstr(err.text, "grows too large"));
    for (int i = 0; i < n; i++)
        expression_free(definitions[i]);
}

static void memory_that_is_too_small_is_an_error(void **state)
{
    (void)state;
    struct expression *expression = checked("height + 1 > height * 2");
    struct memory memory;
    struct error err;
    int64_t capacity = 1 << 20;
    static uint8_t valid[1 << 20];
    static double reals[1 << 20];
    static int32_t rows[2] = { 0, 5 };
    struct column columns[N_NAMES] = { { TYPE_REAL, valid, { .reals = reals } } };
    struct column out = { TYPE_BOOLEAN, valid, { .reals = reals } };
    assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
    assert_int_equal(expression_evaluate(expression,
                                         columns,
                                         rows,
                                         2,
                                         capacity,
                                         &out,
                                         &memory,
                                         &err),
                     -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_int_equal(memory.used_bytes, 0);
    memory_release(&memory);
    expression_free(expression);
}

static void dates_count_days(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t days;
    } cases[] = {
        { "1970-01-01", 0 },      { "1969-12-31", -1 },      { "2000-02-29", 11016 },
        { "2000-03-01", 11017 },  { "0001-01-01", -719162 }, { "9999-12-31", 2932896 },
        { "1900-02-28", -25509 }, { "1900-03-01", -25508 },
    };
    int64_t days;
    char text[16];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(date_decode((struct text){ cases[i].text, 10 }, &days), 0);
        assert_int_equal(days, cases[i].days);
        assert_int_equal(date_encode(text, days), 0);
        assert_string_equal(text, cases[i].text);
    }
    for (int64_t day = -719162; day <= 2932896; day++) {
        assert_int_equal(date_encode(text, day), 0);
        assert_int_equal(date_decode((struct text){ text, 10 }, &days), 0);
        assert_int_equal(days, day);
    }
    assert_int_equal(date_encode(text, -719163), -1);
    assert_int_equal(date_encode(text, 2932897), -1);
    static const char *const bad[] = { "0000-01-01", "1900-02-29",  "2000-13-01",
                                       "2000-00-01", "2000-01-00",  "2000-01-32",
                                       "2000-1-01",  "2000-01-011", "",
                                       "2000-01",    " 2000-01-01", "10000-01-01" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text bytes = { bad[i], (int64_t)strlen(bad[i]) };
        assert_int_equal(date_decode(bytes, &days), -1);
    }
}

/* Anything at all is parsed or refused: no crash, no leak, a message on one line. */
static void random_text_is_parsed_or_refused(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "height",
        "size",
        "use",
        "flag",
        "built",
        " and ",
        " or ",
        " not ",
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "=",
        "<",
        ">",
        "'",
        "\"",
        "case ",
        " when ",
        " then ",
        " else ",
        " end",
        " is ",
        "null",
        " in ",
        " like ",
        " between ",
        "1",
        "2.5",
        "1e9",
        "abs(",
        "least(",
        "\\",
        ";",
        "\xc3",
        "\xe9",
        "true",
        " ",
        "9999999999999999999",
    };
    uint64_t random = 0x9e3779b97f4a7c15u;
    int n_parsed = 0;
    for (int i = 0; i < 100000; i++) {
        char text[400] = "";
        size_t n = 0;
        int n_pieces = 1 + (int)(random >> 40) % 24;
        for (int k = 0; k < n_pieces; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const char *piece =
                pieces[(random >> 33) % (sizeof pieces / sizeof *pieces)];
            if ((random >> 20) % 16 == 0)
                text[n++] = (char)(1 + (random >> 50) % 255);
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        text[n] = '\0';
        struct expression *expression;
        struct error err;
        enum value_type type;
        if (expression_parse(&expression, text, &err)) {
            assert_int_equal(err.code, ERROR_USAGE);
            assert_null(strchr(err.text, '\n'));
            continue;
        }
        n_parsed++;
        if (expression_check(expression, look_up, NULL, &type, &err) == 0) {
            char *sql = NULL;
            assert_int_equal(expression_sql(expression, &sql, &err), 0);
            free(sql);
        }
        expression_free(expression);
    }
    assert_true(n_parsed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_is_written_as_sql),
        cmocka_unit_test(what_is_no_expression_is_refused_where_it_goes_wrong),
        cmocka_unit_test(what_has_no_type_is_refused_with_the_reason),
        cmocka_unit_test(an_expression_has_the_value_that_sql_gives),
        cmocka_unit_test(a_filter_selects_the_rows_for_which_it_is_true),
        cmocka_unit_test(a_pattern_matches_characters),
        cmocka_unit_test(a_long_pattern_is_no_trap),
        cmocka_unit_test(a_filter_is_split_at_its_ands),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(a_filter_as_deep_as_may_be_is_split),
        cmocka_unit_test(definitions_cannot_grow_without_end),
        cmocka_unit_test(memory_that_is_too_small_is_an_error),
        cmocka_unit_test(dates_count_days),
        cmocka_unit_test(random_text_is_parsed_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
