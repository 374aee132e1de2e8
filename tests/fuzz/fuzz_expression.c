/*
 * Expressions. Input: a text, and after a zero byte 16 numbers for the rows of its columns.
 * What parses is checked, written as SQL, split and evaluated; the parts of a condition are
 * the whole, and no row that satisfies it lies outside the bounds that it is said to have.
 */
#include <math.h>

#include "rooftally/base/memory.h"
#include "rooftally/job/expression.h"
#include "rooftally/job/spelling.h"

#include "fuzz.h"

enum { N_ROWS = 8, N_COLUMNS = 8 };

static const struct {
    const char *name;
    enum value_type type;
    bool local;
} columns_known[N_COLUMNS] = {
    { "height", TYPE_REAL, false },    { "size", TYPE_REAL, true },
    { "floors", TYPE_INTEGER, false }, { "use", TYPE_TEXT, false },
    { "listed", TYPE_BOOLEAN, false }, { "built", TYPE_DATE, false },
    { "seen", TYPE_TIMESTAMP, false }, { "area_m2", TYPE_REAL, true },
};

static struct memory memory;

static void seeds(void)
{
    static const char *const texts[] = {
        "height > 10 and use <> 'shed'",
        "case when floors between 1 and 3 then 'low' when height is null then null "
        "else use "
        "end like 'a%\\_b'",
        "coalesce(floors, 3) % 7 * -2 + round(abs(height) / 0)",
        "use in ('a', 'b', null) or not listed is null and height >= 1e-3",
        "least(height, size, 3) = greatest(ceil(height), floor(size))",
        "built >= '2020-02-29' and seen < '1999-12-31 23:59:59.5'",
        "((((height))))  <= .5 and \"use\" not like 'x''y%'",
        "9223372036854775807 + floors > 0 -- not a comment",
        "true and false or null",
        "area_m2 / size between 0 and 1 and built is not null",
    };
    must(memory_init(&memory, 4 << 20, NULL) == 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        seed_text(texts[i]);
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
    for (int i = 0; i < N_COLUMNS; i++)
        if (spelling_rank(&spelling, columns_known[i].name) == SPELLED_IN_SQL) {
            *binding =
                (struct name_binding){ .slot = i,
                                       .type = columns_known[i].type,
                                       .sql =
                                           columns_known[i].local ? NULL : "b.\"x\"" };
            return 0;
        }
    return error_set(err, ERROR_USAGE, "no name");
}

/* Rows from what follows the text, awkward values among them. */
static void fill(struct column *columns, struct taker *taker)
{
    static const double awkward[] = { 0,      -0.0, NAN,  INFINITY, -INFINITY, 1e308,
                                      5e-324, 0.5,  -1.5, 0x1p63,   -0x1p63,   0x1p53 };
    static const int64_t edges[] = { 0, 1, -1, INT64_MAX, INT64_MIN, 3, 1 << 20, -7 };
    static const char *const words[] = {
        "", "a", "shed", "a%b", "\xc3\xa9", "K_", "zz"
    };
    static uint8_t valid[N_COLUMNS][N_ROWS];
    static int64_t integers[N_COLUMNS][N_ROWS];
    static double reals[N_COLUMNS][N_ROWS];
    static struct text texts[N_ROWS];
    for (int c = 0; c < N_COLUMNS; c++) {
        columns[c].type = columns_known[c].type;
        columns[c].valid = valid[c];
        columns[c].integers = integers[c];
        if (columns[c].type == TYPE_REAL)
            columns[c].reals = reals[c];
        if (columns[c].type == TYPE_TEXT)
            columns[c].texts = texts;
        for (int row = 0; row < N_ROWS; row++) {
            int64_t word = take_integer(taker) ^ (7 * c + row);
            unsigned pick = (unsigned)(word & 0xff);
            const char *text = words[pick % 7];
            valid[c][row] = pick % 5 != 4;
            integers[c][row] = pick & 1 ? edges[pick / 2 % 8] : word;
            if (columns[c].type == TYPE_BOOLEAN)
                integers[c][row] &= 1;
            if (columns[c].type == TYPE_DATE)
                integers[c][row] = pick & 1 ? (int32_t)word : integers[c][row];
            memcpy(&reals[c][row], &word, 8);
            if (pick & 1)
                reals[c][row] = awkward[pick / 2 % 12];
            if (columns[c].type == TYPE_TEXT)
                texts[row] = (struct text){ text, (int64_t)strlen(text) };
        }
    }
}

struct answer {
    struct column column;
    uint8_t valid[N_ROWS];
    int64_t values[2 * N_ROWS]; /* or texts */
};

static int evaluate(const struct expression *expression,
                    const struct column *columns,
                    const int32_t *rows,
                    int32_t n_rows,
                    struct answer *answer)
{
    struct error err = { ERROR_NONE, "" };
    int64_t used = memory.used_bytes;
    memset(answer, 0, sizeof *answer);
    answer->column = (struct column){ .type = expression_type(expression),
                                      .valid = answer->valid,
                                      .integers = answer->values };
    int status = expression_evaluate(expression,
                                     columns,
                                     rows,
                                     n_rows,
                                     N_ROWS,
                                     &answer->column,
                                     &memory,
                                     &err);
    must(memory.used_bytes == used);
    if (status < 0)
        must_tell(&err);
    return status;
}

static bool is_true(const struct answer *answer, int row)
{
    return answer->valid[row] && answer->values[row] != 0;
}

/* A row by itself has the answer that it has among others. */
static void compare_alone(const struct expression *expression,
                          const struct column *columns,
                          const struct answer *all,
                          bool failed)
{
    bool any_failed = false;
    for (int32_t row = 0; row < N_ROWS; row++) {
        struct answer one;
        if (evaluate(expression, columns, &row, 1, &one) < 0) {
            any_failed = true;
            continue;
        }
        if (failed)
            continue;
        must(one.valid[row] == all->valid[row]);
        int width = one.column.type == TYPE_TEXT ? 2 : 1;
        if (one.valid[row])
            must(memcmp(&one.values[row * width],
                        &all->values[row * width],
                        8 * (size_t)width)
                 == 0);
    }
    must(any_failed == failed);
}

static void check_bounds(const struct expression *expression,
                         const struct column *columns,
                         const struct answer *answer)
{
    struct expression_bound bounds[4];
    int n = expression_bounds(expression, bounds, 4);
    must(n >= 0 && n <= 4);
    for (int i = 0; i < n; i++)
        for (int row = 0; row < N_ROWS; row++) {
            const struct column *column = &columns[bounds[i].slot];
            if (!is_true(answer, row))
                continue;
            must(column->valid[row]);
            double value = column->type == TYPE_REAL ? column->reals[row]
                                                     : (double)column->integers[row];
            if (isnan(value))
                must(bounds[i].greatest == INFINITY);
            else
                must(value >= bounds[i].least && value <= bounds[i].greatest);
        }
}

/* The condition is what both its parts say together. */
static void check_split(const struct expression *expression,
                        const struct column *columns,
                        const int32_t *rows,
                        const struct answer *answer)
{
    struct expression *copy = NULL, *in_source = NULL, *local = NULL;
    struct answer first, second;
    must(expression_copy(&copy, expression, NULL) == 0);
    must(expression_split(copy, NULL, &in_source, &local, NULL) == 0);
    bool fine = true;
    if (in_source) {
        must(expression_is_sql(in_source));
        fine = evaluate(in_source, columns, rows, N_ROWS, &first) == 0;
    }
    if (local)
        fine = fine && evaluate(local, columns, rows, N_ROWS, &second) == 0;
    for (int row = 0; fine && row < N_ROWS; row++)
        must(is_true(answer, row)
             == ((!in_source || is_true(&first, row))
                 && (!local || is_true(&second, row))));
    expression_free(in_source);
    expression_free(local);
}

static void try_expression(struct expression *expression, struct taker *taker)
{
    static const int32_t rows[N_ROWS] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    struct column columns[N_COLUMNS];
    struct answer answer;
    struct error err = { ERROR_NONE, "" };
    uint8_t used[N_COLUMNS] = { 0 };
    char *sql = NULL;
    enum value_type type;
    if (expression_check(expression, look_up, NULL, &type, &err) < 0) {
        must_tell(&err);
        return;
    }
    must(type == expression_type(expression));
    expression_slots(expression, used, N_COLUMNS);
    if (expression_is_sql(expression)) {
        must(expression_sql(expression, &sql, &err) == 0);
        free(sql);
    }
    if (type == TYPE_NULL)
        return;
    fill(columns, taker);
    int status = evaluate(expression, columns, rows, N_ROWS, &answer);
    compare_alone(expression, columns, &answer, status < 0);
    if (type == TYPE_BOOLEAN && status == 0) {
        check_bounds(expression, columns, &answer);
        check_split(expression, columns, rows, &answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct expression *expression = NULL, *copy = NULL;
    struct error err = { ERROR_NONE, "" };
    char *text = malloc(n + 1);
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (expression_parse(&expression, text, &err) < 0) {
        must_tell(&err);
    } else {
        size_t n_text = strlen(text) + 1;
        struct taker taker = { bytes + (n_text < n ? n_text : n),
                               n_text < n ? n - n_text : 0 };
        must(expression_copy(&copy, expression, &err) == 0);
        try_expression(copy, &taker);
    }
    expression_free(copy);
    expression_free(expression);
    free(text);
    return 0;
}
