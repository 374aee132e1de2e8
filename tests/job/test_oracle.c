/* What expression_sql writes means in PostgreSQL what expression_evaluate computes:
 * generated expressions over a table of all types, row by row, overflows included. So
 * does the expression as it is written, which has no cast of ours in it, wherever
 * PostgreSQL takes it: it has the same type, and without numeric literals, whose
 * arithmetic is not ours, the same values.
 * Needs a server that the PG* environment leads to; psql does the asking. */

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rooftally/job/expression.h"
#include "rooftally/job/spelling.h"

enum { N_ROWS = 48, N_COLUMNS = 12, N_EXPRESSIONS = 4000, ANSWER_BYTES = 16384 };

static const struct {
    const char *name, *declared, *sql;
    enum value_type type;
} table[N_COLUMNS] = {
    { "s", "smallint", "b.\"s\"::bigint", TYPE_INTEGER },
    { "i", "integer", "b.\"i\"::bigint", TYPE_INTEGER },
    { "l", "bigint", "b.\"l\"", TYPE_INTEGER },
    { "r", "real", "b.\"r\"::float8", TYPE_REAL },
    { "d", "double precision", "b.\"d\"", TYPE_REAL },
    { "n", "numeric", "b.\"n\"::float8", TYPE_REAL },
    { "flag", "boolean", "b.\"flag\"", TYPE_BOOLEAN },
    { "t", "text", "b.\"t\"", TYPE_TEXT },
    { "v", "varchar(40)", "b.\"v\"::text", TYPE_TEXT },
    { "c", "char(5)", "b.\"c\"::text", TYPE_TEXT },
    { "day", "date", "b.\"day\"", TYPE_DATE },
    { "at", "timestamp", "b.\"at\"", TYPE_TIMESTAMP },
};

static uint64_t random_state = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

#define PICK(list) list[draw(sizeof list / sizeof *list)]

/* The values of the table, as a source would hand them over. */
static uint8_t valid[N_COLUMNS][N_ROWS];
static int64_t integers[N_COLUMNS][N_ROWS];
static double reals[N_COLUMNS][N_ROWS];
static struct text texts[N_COLUMNS][N_ROWS];
static struct column columns[N_COLUMNS];

static const char *const words[] = { "",     "a",   "b",    "ab",   "abc", "A",  "it's",
                                     "a%b",  "a_b", "\\",   "a\\b", "Z",   "é",  "éa",
                                     "日本", "aé",  "aaab", "😀",    "B",   "zz", "-" };

static void fill_value(int c, int r)
{
    static const int64_t small[] = { 0, 1, -1, 2, 3, 7, -5, 10, 100, 32767, -32768 };
    static const int64_t middle[] = { 0, 1, -1, 2, -3, 12, 2147483647, -2147483648 };
    static const int64_t large[] = { 0,         1,         -1,        5,
                                     -7,        1 << 30,   INT64_MAX, INT64_MIN,
                                     INT64_MAX, INT64_MIN, 3037000500 };
    static const double tiny[] = {
        0, 1, -1.5, 2.5, 0.5, -0.5, 3.25, 1e30, -2.5, 1e-30
    };
    static const double wide[] = { 0,     -0.0,     1,         -1,     2.5, -3.5,
                                   1e308, 1e-308,   4e-324,    -1e308, 0.1, 1e200,
                                   NAN,   INFINITY, -INFINITY, 0.5,    1.5, 1e-200 };
    static const int64_t days[] = { 0,       1,     -1,        18262,     -719162,
                                    2932896, 10957, INT64_MAX, INT64_MIN, 11016 };
    static const int64_t times[] = { 0, 1, -1, 1577836800000000, 951782400000001 };
    valid[c][r] = draw(6) > 0;
    integers[c][r] = c == 0                            ? PICK(small)
                     : c == 1                          ? PICK(middle)
                     : c == 2                          ? PICK(large)
                     : table[c].type == TYPE_DATE      ? PICK(days)
                     : table[c].type == TYPE_TIMESTAMP ? PICK(times)
                                                       : draw(2);
    reals[c][r] = c == 3 ? (double)(float)PICK(tiny) : c == 4 ? PICK(wide) : PICK(tiny);
    const char *word = c == 9 ? words[draw(14)] : PICK(words);
    texts[c][r] = (struct text){ word, (int64_t)strlen(word) };
}

static void fill_columns(void)
{
    for (int c = 0; c < N_COLUMNS; c++) {
        for (int r = 0; r < N_ROWS; r++)
            fill_value(c, r);
        columns[c].type = table[c].type;
        columns[c].valid = valid[c];
        if (table[c].type == TYPE_TEXT)
            columns[c].texts = texts[c];
        else if (table[c].type == TYPE_REAL)
            columns[c].reals = reals[c];
        else
            columns[c].integers = integers[c];
    }
}

static void put_quoted(FILE *out, const char *text)
{
    for (fputc('\'', out); *text; text++)
        fprintf(out, *text == '\'' ? "''" : "%c", *text);
    fputc('\'', out);
}

static void put_value(FILE *out, int c, int r)
{
    int64_t value = integers[c][r];
    if (!valid[c][r])
        fputs("null", out);
    else if (table[c].type == TYPE_TEXT)
        put_quoted(out, texts[c][r].bytes);
    else if (table[c].type == TYPE_REAL)
        fprintf(out, "'%.17g'", reals[c][r]);
    else if (table[c].type == TYPE_BOOLEAN)
        fputs(value ? "true" : "false", out);
    else if (table[c].type == TYPE_DATE && (value == INT64_MAX || value == INT64_MIN))
        fputs(value > 0 ? "'infinity'" : "'-infinity'", out);
    else if (table[c].type == TYPE_DATE)
        fprintf(out, "'1970-01-01'::date + '%" PRId64 "'::integer", value);
    else if (table[c].type == TYPE_TIMESTAMP)
        fprintf(out,
                "'1970-01-01'::timestamp + '%" PRId64 " microseconds'::interval",
                value);
    else
        fprintf(out, "'%" PRId64 "'", value);
}

/* The table as the language sees it, for expressions as they are written. */
static void put_view(FILE *out)
{
    for (int c = 0; c < N_COLUMNS; c++)
        fprintf(out,
                "%s %s%s as \"%s\"",
                c ? "," : "create temp view u as select k,",
                table[c].sql,
                table[c].type == TYPE_TEXT ? " collate \"C\"" : "",
                table[c].name);
    fputs(
        " from t b;\n"
        "create function pg_temp.ask_type(e text) returns text language plpgsql as "
        "$$\n"
        "declare type text;\n"
        "begin\n" /* a view of it knows the type without computing anything */
        "  execute 'create temp view typed as select (' || e || ') as e from u b';\n"
        "  select case when typname in ('int2', 'int4') then 'int8'"
        " when typname = 'numeric' then 'float8'"
        " when typname = 'varchar' then 'text' else typname end"
        " into type from pg_attribute a join pg_type t on t.oid = atttypid"
        " where attrelid = 'typed'::regclass;\n"
        "  drop view typed;\n"
        "  return type;\n"
        "exception when undefined_function then\n" /* of numbers alone it must not be ours */
        "  return case when sqlerrm ~ 'date|text|timestamp' then 'refused'"
        " else sqlerrm end;\n"
        "when others then\n"
        "  return 'refused';\n"
        "end $$;\n",
        out);
}

static void put_table(FILE *out)
{
    fputs("set client_min_messages = error;\nset extra_float_digits = 1;\n"
          "create temp table t (k integer primary key",
          out);
    for (int c = 0; c < N_COLUMNS; c++)
        fprintf(out, ", \"%s\" %s", table[c].name, table[c].declared);
    fputs(");\n", out);
    for (int r = 0; r < N_ROWS; r++) {
        fprintf(out, "insert into t values (%d", r);
        for (int c = 0; c < N_COLUMNS; c++) {
            fputs(", ", out);
            put_value(out, c, r);
        }
        fputs(");\n", out);
    }
    /* All rows in one query; one by one where that raises. */
    fputs("create function pg_temp.ask(r text, e text) returns text language plpgsql"
          " as $$\n"
          "declare answer text; part text;\n"
          "begin\n"
          "  execute 'select string_agg(coalesce(' || e || ', ''~''), '','' order by k)"
          " from ' || r || ' b' into answer;\n"
          "  return answer;\n"
          "exception when others then\n"
          "  answer := null;\n"
          "  for row in 0..",
          out);
    fprintf(out, "%d", N_ROWS - 1);
    fputs(" loop\n"
          "    begin\n"
          "      execute 'select coalesce(' || e || ', ''~'') from ' || r ||"
          " ' b where k = $1' into part using row;\n"
          "    exception when others then\n"
          "      part := 'E' || sqlstate;\n"
          "    end;\n"
          "    answer := concat_ws(',', answer, part);\n"
          "  end loop;\n"
          "  return answer;\n"
          "end $$;\n",
          out);
    put_view(out);
}

struct text_buffer {
    char bytes[1 << 16];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void
say(struct text_buffer *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(out->bytes + out->n, sizeof out->bytes - out->n, fmt, args);
    va_end(args);
    out->n += (size_t)n;
    assert_true(out->n < sizeof out->bytes);
}

static bool has_real_literal; /* the expression that is being generated */

static void generate(struct text_buffer *out, enum value_type type, int depth);

static void
generate_list(struct text_buffer *out, enum value_type type, int n, int depth)
{
    for (int i = 0; i < n; i++) {
        say(out, i ? ", " : "");
        generate(out, type, depth);
    }
}

static enum value_type any_type(void)
{
    static const enum value_type types[] = {
        TYPE_BOOLEAN, TYPE_INTEGER, TYPE_INTEGER, TYPE_REAL,     TYPE_REAL,
        TYPE_TEXT,    TYPE_TEXT,    TYPE_DATE,    TYPE_TIMESTAMP
    };
    return PICK(types);
}

static void generate_literal(struct text_buffer *out, enum value_type type)
{
    static const char *const numbers[] = { "0",
                                           "1",
                                           "2",
                                           "-1",
                                           "3",
                                           "7",
                                           "10",
                                           "100",
                                           "9223372036854775807",
                                           "-9223372036854775808",
                                           "4294967296",
                                           "-3" };
    static const char *const real_numbers[] = { "0.5",
                                                "2.5",
                                                "-1.5",
                                                "0.0",
                                                "1e308",
                                                "1e-308",
                                                "3.",
                                                ".25",
                                                "1e10",
                                                "-0.0",
                                                "9223372036854775808",
                                                "4.9e-324" };
    static const char *const patterns[] = { "%",     "a%", "%b",    "_",    "a_b",
                                            "%a%b%", "__", "\\%",   "%é",   "%a_%",
                                            "%aab",  "",   "a\\_b", "%_%_", "_%b" };
    if (draw(12) == 0) {
        say(out, "null");
        return;
    }
    switch (type) {
    case TYPE_BOOLEAN:
        say(out, draw(2) ? "true" : "false");
        break;
    case TYPE_INTEGER:
        say(out, "%s", PICK(numbers));
        break;
    case TYPE_REAL:
        has_real_literal = true;
        say(out, "%s", PICK(real_numbers));
        break;
    case TYPE_TEXT: {
        const char *word = draw(3) ? PICK(patterns) : PICK(words);
        say(out, "'");
        for (; *word; word++)
            say(out, *word == '\'' ? "''" : "%c", *word);
        say(out, "'");
        break;
    }
    case TYPE_DATE:
        say(out,
            "'%04u-%02u-%02u'",
            draw(2) ? 1 + draw(9999) : 1970,
            1 + draw(12),
            1 + draw(28));
        break;
    default:
        say(out,
            "'20%02u-%02u-%02u %02u:30:00.5'",
            draw(100),
            1 + draw(12),
            1 + draw(28),
            draw(24));
    }
}

static void generate_leaf(struct text_buffer *out, enum value_type type)
{
    if (draw(3) == 0) {
        generate_literal(out, type);
        return;
    }
    int c;
    do
        c = (int)draw(N_COLUMNS);
    while (table[c].type != type
           && !(type == TYPE_REAL && table[c].type == TYPE_INTEGER && draw(3) == 0));
    say(out, "%s", table[c].name);
}

static void generate_boolean(struct text_buffer *out, int depth)
{
    static const char *const comparisons[] = { "=", "<>", "!=", "<", "<=", ">", ">=" };
    enum value_type type = any_type();
    switch (draw(9)) {
    case 0:
    case 1:
        generate(out, TYPE_BOOLEAN, depth);
        say(out, draw(2) ? " and " : " or ");
        generate(out, TYPE_BOOLEAN, depth);
        break;
    case 2:
        say(out, "not ");
        generate(out, TYPE_BOOLEAN, depth);
        break;
    case 3:
    case 4:
        generate(out, type, depth);
        say(out, " %s ", PICK(comparisons));
        generate(out, type, depth);
        break;
    case 5:
        generate(out, type, depth);
        say(out, draw(2) ? " between " : " not between ");
        generate(out, type, depth);
        say(out, " and ");
        generate(out, type, depth);
        break;
    case 6:
        generate(out, type, depth);
        say(out, draw(2) ? " in (" : " not in (");
        generate_list(out, type, 1 + (int)draw(4), depth);
        say(out, ")");
        break;
    case 7:
        generate(out, TYPE_TEXT, depth);
        say(out, draw(2) ? " like " : " not like ");
        generate(out, TYPE_TEXT, depth);
        break;
    default:
        generate(out, type, depth);
        say(out, draw(2) ? " is null" : " is not null");
    }
}

static void generate_number(struct text_buffer *out, enum value_type type, int depth)
{
    static const char *const operators[] = { "+", "-", "*", "/", "%" };
    static const char *const functions[] = { "abs", "round", "floor", "ceil" };
    switch (draw(7)) {
    case 0:
        say(out, "- ");
        generate(out, type, depth);
        break;
    case 1:
        say(out, "%s(", PICK(functions));
        generate(out, type, depth);
        say(out, ")");
        break;
    case 2:
        if (type == TYPE_INTEGER) {
            generate(out, TYPE_DATE, depth);
            say(out, " - ");
            generate(out, TYPE_DATE, depth);
            break;
        } /* fall through */
    default:
        generate(out, type, depth);
        say(out, " %s ", operators[draw(type == TYPE_INTEGER ? 5 : 4)]);
        generate(out, type, depth);
    }
}

/* case, least, greatest, coalesce */
static void generate_choice(struct text_buffer *out, enum value_type type, int depth)
{
    static const char *const functions[] = { "least", "greatest", "coalesce" };
    if (draw(2)) {
        say(out, "%s(", PICK(functions));
        generate_list(out, type, 1 + (int)draw(3), depth);
        say(out, ")");
        return;
    }
    bool simple = draw(2);
    enum value_type compared = simple ? any_type() : TYPE_BOOLEAN;
    say(out, "case ");
    if (simple)
        generate(out, compared, depth);
    for (uint32_t n = 1 + draw(3); n > 0; n--) {
        say(out, " when ");
        generate(out, compared, depth);
        say(out, " then ");
        generate(out, type, depth);
    }
    if (draw(3)) {
        say(out, " else ");
        generate(out, type, depth);
    }
    say(out, " end");
}

static void generate(struct text_buffer *out, enum value_type type, int depth)
{
    if (depth == 0 || draw(8) == 0) {
        generate_leaf(out, type);
        return;
    }
    bool bare = draw(6) == 0;
    say(out, bare ? "" : "(");
    if (draw(4) == 0) {
        generate_choice(out, type, depth - 1);
    } else if (type == TYPE_BOOLEAN) {
        generate_boolean(out, depth - 1);
    } else if (type == TYPE_INTEGER || type == TYPE_REAL) {
        generate_number(out, type, depth - 1);
    } else if (type == TYPE_DATE && draw(2)) {
        generate(out, TYPE_DATE, depth - 1);
        say(out, draw(2) ? " + " : " - ");
        generate(out, TYPE_INTEGER, depth - 1);
    } else {
        generate_leaf(out, type);
    }
    say(out, bare ? "" : ")");
}

static int look_up(void *context,
                   const char *name,
                   struct name_binding *binding,
                   struct error *err)
{
    (void)context;
    struct spelling spelling;
    if (spelling_read(&spelling, name, err))
        return -1;
    for (int c = 0; c < N_COLUMNS; c++)
        if (spelling_rank(&spelling, table[c].name) == SPELLED_IN_SQL) {
            binding->slot = c;
            binding->type = table[c].type;
            binding->sql = table[c].sql;
            return 0;
        }
    return error_set(err, ERROR_USAGE, "unknown name '%s'", name);
}

static void put_result(struct text_buffer *out, const struct column *column, int r)
{
    uint64_t bits;
    if (!column->valid[r]) {
        say(out, "~");
        return;
    }
    switch (column->type) {
    case TYPE_REAL:
        memcpy(&bits, &column->reals[r], 8);
        if (isnan(column->reals[r]))
            say(out, "nan");
        else
            say(out, "%016" PRIx64, bits);
        break;
    case TYPE_TEXT:
        say(out, "'");
        for (int64_t i = 0; i < column->texts[r].n; i++)
            say(out, "%02x", (unsigned char)column->texts[r].bytes[i]);
        break;
    case TYPE_BOOLEAN:
        say(out, column->integers[r] ? "true" : "false");
        break;
    case TYPE_DATE:
        if (column->integers[r] == INT64_MAX || column->integers[r] == INT64_MIN) {
            say(out, column->integers[r] > 0 ? "infinity" : "-infinity");
            break;
        } /* fall through */
    default:
        say(out, "%" PRId64, column->integers[r]);
    }
}

/* The value as put_result prints it; then the type of what was written, and its value. */
static void
put_question(FILE *out, enum value_type type, const char *sql, const char *written)
{
    static const char *const before[] = {
        [TYPE_BOOLEAN] = "",
        [TYPE_INTEGER] = "",
        [TYPE_REAL] = "replace(encode(float8send(",
        [TYPE_TEXT] = "('''' || encode(convert_to(",
        [TYPE_DATE] = "pg_temp.days(",
        [TYPE_TIMESTAMP] = "(extract(epoch from ",
    };
    static const char *const after[] = {
        [TYPE_BOOLEAN] = "::text",
        [TYPE_INTEGER] = "::text",
        [TYPE_REAL] = "), 'hex'), '7ff8000000000000', 'nan')",
        [TYPE_TEXT] = ", 'UTF8'), 'hex'))",
        [TYPE_DATE] = ")",
        [TYPE_TIMESTAMP] = ") * 1000000)::bigint::text",
    };
    fprintf(out,
            "select pg_temp.ask('t', $q$%s%s%s$q$);\n"
            "select pg_temp.ask_type($q$%s$q$);\n"
            "select pg_temp.ask('u', $q$%s(%s)%s$q$);\n",
            before[type],
            sql,
            after[type],
            written,
            before[type],
            written,
            after[type]);
}

struct question {
    char *text;
    char *answer;
    enum value_type type;
    bool has_real_literal;
};

/* Evaluate row by row, then all at once: the same values, or an error in both. */
static void answer(struct text_buffer *out,
                   const struct expression *expression,
                   struct memory *memory)
{
    static uint8_t one_valid[N_ROWS], all_valid[N_ROWS];
    static int64_t one[2 * N_ROWS], all[2 * N_ROWS]; /* room for texts */
    enum value_type type = expression_type(expression);
    struct column single = { .type = type, .valid = one_valid, { .integers = one } };
    struct column whole = { .type = type, .valid = all_valid, { .integers = all } };
    struct error err = { .code = ERROR_NONE };
    int32_t rows[N_ROWS];
    bool raised[N_ROWS], any = false;
    for (int32_t r = 0; r < N_ROWS; r++) {
        rows[r] = r;
        raised[r] = expression_evaluate(expression,
                                        columns,
                                        &r,
                                        1,
                                        N_ROWS,
                                        &single,
                                        memory,
                                        &err)
                    != 0;
        any |= raised[r];
        assert_true(!raised[r] || err.code == ERROR_DATA);
        assert_int_equal(memory->used_bytes, 0);
    }
    int status = expression_evaluate(expression,
                                     columns,
                                     rows,
                                     N_ROWS,
                                     N_ROWS,
                                     &whole,
                                     memory,
                                     &err);
    assert_int_equal(status, any ? -1 : 0);
    for (int r = 0; r < N_ROWS; r++) {
        say(out, r ? "," : "");
        if (raised[r])
            say(out, "E");
        else
            put_result(out, any ? &single : &whole, r);
        if (!any && single.valid[r] && whole.type != TYPE_TEXT)
            assert_memory_equal(&single.integers[r], &whole.integers[r], 8);
        assert_true(any || single.valid[r] == whole.valid[r]);
    }
}

/* The rows that a condition selects are those for which its value is true. */
static void check_selection(const struct expression *expression, struct memory *memory)
{
    static uint8_t is_valid[N_ROWS];
    static int64_t values[N_ROWS];
    struct column out = { TYPE_BOOLEAN, is_valid, { .integers = values } };
    struct error err;
    int32_t rows[N_ROWS], left[N_ROWS], n = 0;
    for (int32_t r = 0; r < N_ROWS; r++)
        rows[r] = left[r] = r;
    int status = expression_evaluate(expression,
                                     columns,
                                     rows,
                                     N_ROWS,
                                     N_ROWS,
                                     &out,
                                     memory,
                                     &err);
    int32_t n_left =
        expression_select(expression, columns, left, N_ROWS, N_ROWS, memory, &err);
    assert_int_equal(memory->used_bytes, 0);
    assert_int_equal(n_left < 0, status < 0);
    for (int32_t r = 0; r < N_ROWS && status == 0; r++)
        if (is_valid[r] && values[r])
            assert_true(n < n_left && left[n++] == r);
    assert_true(status < 0 || n == n_left);
}

/* 1 when the next question is made, 0 when the generated text was refused. */
static int ask(FILE *script, struct question *question, struct memory *memory)
{
    static struct text_buffer text, result;
    text.n = result.n = 0;
    struct expression *expression;
    struct error err;
    enum value_type type;
    char *sql;
    has_real_literal = false;
    generate(&text, any_type(), 1 + (int)draw(4));
    if (expression_parse(&expression, text.bytes, &err)) {
        assert_int_equal(err.code, ERROR_USAGE);
        return 0;
    }
    if (expression_check(expression, look_up, NULL, &type, &err) || type == TYPE_NULL) {
        expression_free(expression);
        return 0;
    }
    if (expression_sql(expression, &sql, &err))
        fail_msg("%s: %s", text.bytes, err.text);
    answer(&result, expression, memory);
    if (type == TYPE_BOOLEAN)
        check_selection(expression, memory);
    put_question(script, type, sql, text.bytes);
    question->text = strdup(text.bytes);
    question->answer = strdup(result.bytes);
    question->type = type;
    question->has_real_literal = has_real_literal;
    free(sql);
    expression_free(expression);
    return 1;
}

static bool is_nan(const char *answer, size_t n)
{
    return (n == 3 && strncmp(answer, "nan", n) == 0)
           || (n == 16 && strncmp(answer, "fff8000000000000", n) == 0);
}

/* Whether the server's answer is ours: E22003, E22008 and E22025 are our errors. */
static bool same_answer(const char *ours, const char *theirs)
{
    while (*ours && *theirs) {
        size_t n = strcspn(ours, ","), m = strcspn(theirs, ",");
        bool raised =
            m == 6
            && (strncmp(theirs, "E22003", 6) == 0 || strncmp(theirs, "E22008", 6) == 0
                || strncmp(theirs, "E22025", 6) == 0);
        bool nan = is_nan(ours, n) && is_nan(theirs, m);
        if (!nan && *ours == 'E' ? !raised
                                 : !nan && (n != m || strncmp(ours, theirs, n) != 0))
            return false;
        ours += n + (ours[n] != 0);
        theirs += m + (theirs[m] != 0);
    }
    return *ours == *theirs;
}

/* Whether the values agree in the rows in which neither fails: integers as written are
 * narrower than ours, and division by zero is an error, unless of NaN. */
static bool same_values(const char *ours, const char *theirs)
{
    while (*ours && *theirs) {
        size_t n = strcspn(ours, ","), m = strcspn(theirs, ",");
        bool nan = is_nan(theirs, m) && (is_nan(ours, n) || *ours == '~');
        if (!nan && *ours != 'E' && *theirs != 'E'
            && (n != m || strncmp(ours, theirs, n) != 0))
            return false;
        ours += n + (ours[n] != 0);
        theirs += m + (theirs[m] != 0);
    }
    return *ours == *theirs;
}

static void read_line(FILE *psql, char line[ANSWER_BYTES], const char *text)
{
    if (!fgets(line, ANSWER_BYTES, psql))
        fail_msg("no answer to %s", text);
    line[strcspn(line, "\n")] = '\0';
}

/* Whether PostgreSQL's answer to the expression as it is written is ours: 1, 0 where it
 * does not take it, or -1. */
static int check_as_written(FILE *psql, const struct question *question)
{
    static const char *const types[] = {
        [TYPE_BOOLEAN] = "bool", [TYPE_INTEGER] = "int8",
        [TYPE_REAL] = "float8",  [TYPE_TEXT] = "text",
        [TYPE_DATE] = "date",    [TYPE_TIMESTAMP] = "timestamp",
    };
    char type[ANSWER_BYTES], values[ANSWER_BYTES];
    read_line(psql, type, question->text);
    read_line(psql, values, question->text);
    if (strcmp(type, "refused") == 0)
        return 0;
    bool right_type = strcmp(type, types[question->type]) == 0;
    if (right_type
        && (question->has_real_literal || same_values(question->answer, values)))
        return 1;
    print_error("%s\n  ours      %s: %s\n  as written %s: %s\n",
                question->text,
                types[question->type],
                question->answer,
                type,
                right_type ? values : "");
    return -1;
}

static void sql_means_what_the_evaluator_computes(void **state)
{
    (void)state;
    static struct question questions[N_EXPRESSIONS];
    static char line[ANSWER_BYTES];
    struct memory memory;
    char path[] = "/tmp/rooftally-oracle-XXXXXX";
    int file = mkstemp(path), n_raised = 0, n_refused = 0, n_wrong = 0, n_taken = 0;
    assert_true(file >= 0);
    FILE *script = fdopen(file, "w");
    assert_int_equal(memory_init(&memory, 16 << 20, NULL), 0);
    fill_columns();
    put_table(script);
    fputs("create function pg_temp.days(d date) returns text language sql as "
          "$$ select case when isfinite(d) then (d - '1970-01-01'::date)::text "
          "else d::text end $$;\n",
          script);
    for (int i = 0; i < N_EXPRESSIONS;) {
        if (ask(script, &questions[i], &memory))
            i++;
        else
            n_refused++;
    }
    fclose(script);
    char command[128];
    snprintf(command,
             sizeof command,
             "psql -d \"${PGDATABASE:-postgres}\" -qAtX -v ON_ERROR_STOP=1 -f %s",
             path);
    FILE *psql = popen(command, "r");
    assert_non_null(psql);
    for (int i = 0; i < N_EXPRESSIONS; i++) {
        read_line(psql, line, questions[i].text);
        n_raised += strchr(questions[i].answer, 'E') != NULL;
        if (!same_answer(questions[i].answer, line) && n_wrong++ < 10)
            print_error("%s\n  ours   %s\n  theirs %s\n",
                        questions[i].text,
                        questions[i].answer,
                        line);
        int as_written = check_as_written(psql, &questions[i]);
        n_wrong += as_written < 0;
        n_taken += as_written > 0;
        free(questions[i].text);
        free(questions[i].answer);
    }
    assert_int_equal(pclose(psql), 0);
    unlink(path);
    memory_release(&memory);
    print_message("%d expressions, %d raise in some row; %d more were refused; "
                  "PostgreSQL "
                  "takes %d as they are written\n",
                  N_EXPRESSIONS,
                  n_raised,
                  n_refused,
                  n_taken);
    assert_int_equal(n_wrong, 0);
    assert_true(n_raised > N_EXPRESSIONS / 50);
    assert_true(n_taken > N_EXPRESSIONS / 2);
}

int main(void)
{
    if (!getenv("PGHOST")
        || system(
            "psql -d \"${PGDATABASE:-postgres}\" -qAtXc 'select 1' >/dev/null 2>&1")) {
        print_message("skipped: PGHOST names no server that answers\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sql_means_what_the_evaluator_computes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
