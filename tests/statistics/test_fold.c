/* Every statistic against a plain reference; any order and partition, the same bits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fixture.h"
#include "order.h"

static const struct zone_facts facts = { .area_m2 = 2.5e6 };
static struct fixture_batch batch;
static struct memory memory;

static int set_up(void **state)
{
    (void)state;
    return memory_init(&memory, 64 << 20, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    memory_release(&memory);
    return 0;
}

static const char *const every[][2] = {
    { "n", "count" },
    { "n_use", "count(use)" },
    { "n_height", "count(height)" },
    { "total", "sum(height)" },
    { "floors", "sum(floors)" },
    { "listed", "sum(listed)" },
    { "share", "mean(listed)" },
    { "mean_height", "mean(height)" },
    { "mean_floors", "mean(floors)" },
    { "least", "min(height)" },
    { "greatest", "max(floors)" },
    { "first", "min(built)" },
    { "span", "range(seen)" },
    { "spread", "range(height)" },
    { "sd", "stddev(height)" },
    { "var", "variance(floors)" },
    { "cv", "cv(size)" },
    { "median", "median(height)" },
    { "p90", "quantile(height, 0.9)" },
    { "p33", "quantile(floors, 0.33)" },
    { "iqr", "iqr(height)" },
    { "mode", "mode(floors)" },
    { "mode_use", "mode(use)" },
    { "rare", "minority(height)" },
    { "rare_use", "minority(use)" },
    { "variety", "variety(height)" },
    { "variety_use", "variety(use)" },
    { "uses", "frequency(use)" },
    { "heights", "frequency(height)" },
    { "storeys", "frequency(floors)" },
    { "bins", "histogram(height, -20, 100, 7)" },
    { "steps", "histogram(floors, 0, 100, 10)" },
    { "top", "top(height, 5)" },
    { "top_floors", "top(floors, 1000)" },
    { "weighted", "weighted_mean(height, size)" },
    { "by_floors", "weighted_mean(floors, area_m2)" },
    { "density", "density" },
    { "coverage", "coverage" },
    { NULL, NULL },
};

static struct statistics *bind(const char *const (*pairs)[2], enum value_type id_type)
{
    struct statistics *set = NULL;
    struct error err = { 0 };
    if (fixture_bind(&set, pairs, id_type, &err) < 0)
        fail_msg("%s", err.text);
    return set;
}

/* Fold these rows in one go; values[n_outputs] in memory. */
static struct output_values *fold_rows(const struct statistics *set,
                                       const struct fixture_batch *from,
                                       const struct column *id,
                                       const int32_t *rows,
                                       int32_t n)
{
    struct fold *fold;
    struct error err = { 0 };
    struct output_values *values =
        memory_take(&memory,
                    MEMORY_RECORD,
                    statistics_n_outputs(set) * (int64_t)sizeof *values,
                    NULL);
    if (fold_begin(&fold, set, &memory, &err) < 0
        || fold_add(fold, from->columns, id, rows, n, &err) < 0
        || fold_end(fold, &facts, values, &err) < 0)
        fail_msg("%s", err.text);
    return values;
}

static int by_real(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The valid values of a slot, as doubles, sorted. */
static int sorted_values(double *out, int slot, int n_rows)
{
    int n = 0;
    for (int i = 0; i < n_rows; i++)
        if (batch.valid[slot][i])
            out[n++] = batch.columns[slot].type == TYPE_REAL
                           ? batch.reals[slot][i]
                           : (double)batch.integers[slot][i];
    qsort(out, (size_t)n, sizeof *out, by_real);
    return n;
}

static double reference_quantile(const double *sorted, int n, double share)
{
    double at = share * (n - 1);
    int low = (int)floor(at), high = (int)ceil(at);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

static long double reference_sum(const double *values, int n)
{
    long double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static double reference_mean(const double *values, int n)
{
    return (double)(reference_sum(values, n) / n);
}

static double reference_variance(const double *values, int n)
{
    long double mean = 0, sum = 0;
    for (int i = 0; i < n; i++)
        mean += values[i];
    mean /= n;
    for (int i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return (double)(sum / (n - 1));
}

/* Sums in long double err by a few 2^-64 a step: far below this. */
static void expect_near(double seen, double wanted, const char *what)
{
    if (!(fabs(seen - wanted) <= 1e-13 * fabs(wanted)))
        fail_msg("%s: %.17g, not %.17g", what, seen, wanted);
}

static double scalar(const struct statistics *set,
                     const struct output_values *values,
                     const char *name)
{
    for (int i = 0; i < statistics_n_outputs(set); i++)
        if (strcmp(statistics_output(set, i)->name, name) == 0)
            return statistics_output(set, i)->type == TYPE_REAL
                       ? values[i].reals[0]
                       : (double)values[i].integers[0];
    fail_msg("no output %s", name);
    return 0;
}

static void check_numbers(const struct statistics *set,
                          const struct output_values *values,
                          int n_rows)
{
    static double x[FIXTURE_ROWS];
    int n = sorted_values(x, HEIGHT, n_rows);
    assert_true(scalar(set, values, "n") == n_rows);
    assert_true(scalar(set, values, "n_height") == n);
    expect_near(scalar(set, values, "mean_height"), reference_mean(x, n), "mean");
    expect_near(scalar(set, values, "total"), (double)reference_sum(x, n), "sum");
    expect_near(scalar(set, values, "sd"), sqrt(reference_variance(x, n)), "sd");
    assert_true(scalar(set, values, "least") == x[0]);
    assert_true(scalar(set, values, "spread") == x[n - 1] - x[0]);
    assert_true(scalar(set, values, "median") == reference_quantile(x, n, 0.5));
    assert_true(scalar(set, values, "p90") == reference_quantile(x, n, 0.9));
    assert_true(scalar(set, values, "iqr")
                == reference_quantile(x, n, 0.75) - reference_quantile(x, n, 0.25));
    n = sorted_values(x, SIZE, n_rows);
    expect_near(scalar(set, values, "cv"),
                sqrt(reference_variance(x, n)) / reference_mean(x, n),
                "cv");
    n = sorted_values(x, FLOORS, n_rows);
    expect_near(scalar(set, values, "var"), reference_variance(x, n), "variance");
    assert_true(scalar(set, values, "floors") == (double)reference_sum(x, n));
    assert_true(scalar(set, values, "greatest") == x[n - 1]);
    assert_true(scalar(set, values, "p33") == reference_quantile(x, n, 0.33));
    n = sorted_values(x, SEEN, n_rows);
    assert_true(scalar(set, values, "span") == x[n - 1] - x[0]);
    n = sorted_values(x, BUILT, n_rows);
    assert_true(scalar(set, values, "first") == x[0]);
    n = sorted_values(x, LISTED, n_rows);
    expect_near(scalar(set, values, "share"), reference_mean(x, n), "share");
    n = sorted_values(x, AREA, n_rows);
    expect_near(scalar(set, values, "coverage"),
                (double)(reference_sum(x, n) / 2.5e6L),
                "coverage");
    assert_true(scalar(set, values, "density") == n_rows / 2.5);
}

static void check_weighted(const struct statistics *set,
                           const struct output_values *values,
                           int n_rows)
{
    long double products = 0, weights = 0;
    for (int i = 0; i < n_rows; i++)
        if (batch.valid[HEIGHT][i] && batch.valid[SIZE][i]) {
            products += (long double)batch.reals[HEIGHT][i] * batch.reals[SIZE][i];
            weights += batch.reals[SIZE][i];
        }
    expect_near(scalar(set, values, "weighted"),
                (double)(products / weights),
                "weighted");
}

static const struct output_values *
find(const struct statistics *set, const struct output_values *values, const char *name)
{
    for (int i = 0; i < statistics_n_outputs(set); i++)
        if (strcmp(statistics_output(set, i)->name, name) == 0)
            return &values[i];
    fail_msg("no output %s", name);
    return NULL;
}

static bool same(struct text a, struct text b)
{
    return text_compare(&a, &b) == 0;
}

static void
check_uses(const struct statistics *set, const struct output_values *values, int n_rows)
{
    const struct output_values *uses = find(set, values, "uses");
    int64_t total = 0;
    int most = 0, least = 0;
    for (int k = 0; k < uses->n; k++) {
        int64_t n = 0;
        for (int i = 0; i < n_rows; i++)
            n += batch.valid[USE][i] && same(batch.texts[0][i], uses->texts[k]);
        assert_int_equal(uses->counts[k], n);
        total += n;
        most = n > uses->counts[most] ? k : most;
        least = n < uses->counts[least] ? k : least;
    }
    assert_true(scalar(set, values, "n_use") == (double)total);
    assert_true(scalar(set, values, "variety_use") == (double)uses->n);
    assert_true(same(find(set, values, "mode_use")->texts[0], uses->texts[most]));
    assert_true(same(find(set, values, "rare_use")->texts[0], uses->texts[least]));
    for (int k = 1; k < uses->n; k++)
        assert_true(text_compare(&uses->texts[k - 1], &uses->texts[k]) < 0);
}

static void check_categories(const struct statistics *set,
                             const struct output_values *values,
                             int n_rows)
{
    static double x[FIXTURE_ROWS];
    int n = sorted_values(x, HEIGHT, n_rows), pair = 0, least = 0;
    const struct output_values *heights = find(set, values, "heights");
    for (int first = 0, next; first < n; first = next, pair++) {
        for (next = first; next < n && x[next] == x[first];)
            next++;
        assert_true(heights->reals[pair] == x[first]);
        assert_int_equal(heights->counts[pair], next - first);
        least = heights->counts[pair] < heights->counts[least] ? pair : least;
    }
    assert_int_equal(heights->n, pair);
    assert_true(scalar(set, values, "variety") == pair);
    assert_true(scalar(set, values, "rare") == heights->reals[least]);
    const struct output_values *floors = find(set, values, "storeys");
    int most = 0;
    int64_t total = 0;
    for (int k = 0; k < floors->n; k++) {
        total += floors->counts[k];
        assert_true(k == 0 || floors->integers[k] > floors->integers[k - 1]);
        most = floors->counts[k] > floors->counts[most] ? k : most;
    }
    assert_int_equal(total, sorted_values(x, FLOORS, n_rows));
    assert_true(scalar(set, values, "mode") == (double)floors->integers[most]);
}

static void
check_bins(const struct statistics *set, const struct output_values *values, int n_rows)
{
    int64_t bins[7] = { 0 }, steps[10] = { 0 };
    for (int i = 0; i < n_rows; i++) {
        double x = batch.reals[HEIGHT][i];
        int64_t f = batch.integers[FLOORS][i];
        if (batch.valid[HEIGHT][i] && x >= -20 && x < 100)
            bins[(int)(7 * (x + 20) / 120)]++;
        if (batch.valid[FLOORS][i] && f >= 0 && f < 100)
            steps[f / 10]++;
    }
    assert_memory_equal(find(set, values, "bins")->integers, bins, sizeof bins);
    assert_memory_equal(find(set, values, "steps")->integers, steps, sizeof steps);
}

static void
check_top(const struct statistics *set, const struct output_values *values, int n_rows)
{
    const struct output_values *top = find(set, values, "top_floors");
    const struct output_values *ids = find(set, values, "top_floors_id");
    static double x[FIXTURE_ROWS];
    int n = sorted_values(x, FLOORS, n_rows);
    for (int k = 0; k < 1000; k++) {
        if (k >= n) {
            assert_true(isnan(top->reals[k]));
            assert_true(ids->integers[k] == FILL_INTEGER);
            continue;
        }
        assert_true(top->reals[k] == x[n - 1 - k]);
        if (k > 0 && top->reals[k] == top->reals[k - 1])
            assert_true(ids->integers[k] > ids->integers[k - 1]);
        int row = 0;
        while (batch.integers[N_SLOTS][row] != ids->integers[k])
            row++;
        assert_true(row < n_rows);
        assert_true(batch.valid[FLOORS][row]
                    && (double)batch.integers[FLOORS][row] == top->reals[k]);
    }
}

static void every_statistic_agrees_with_a_plain_reference(void **state)
{
    (void)state;
    static const int sizes[] = { 30, 511, 512, 513, 1024, FIXTURE_ROWS };
    struct statistics *set = bind(every, TYPE_INTEGER);
    for (int round = 0; round < 12; round++) {
        struct memory_mark mark = memory_mark(&memory);
        int n = sizes[round % 6];
        fixture_fill(&batch, (uint64_t)round);
        struct output_values *values = fold_rows(set, &batch, &batch.id, batch.rows, n);
        check_numbers(set, values, n);
        check_weighted(set, values, n);
        check_uses(set, values, n);
        check_categories(set, values, n);
        check_bins(set, values, n);
        check_top(set, values, n);
        memory_rewind(&memory, &mark);
    }
    statistics_free(set);
}

/* Statistics of one field share a state, whichever is finished first. */
static void every_statistic_gives_the_same_twice(void **state)
{
    (void)state;
    enum { N_EVERY = sizeof every / sizeof *every - 1 };
    static char names[N_EVERY][64];
    const char *pairs[2 * N_EVERY + 1][2] = { 0 };
    char name[80];
    for (int i = 0; i < N_EVERY; i++) {
        snprintf(names[i], sizeof names[i], "x_%s", every[i][0]);
        pairs[i][0] = every[i][0];
        pairs[N_EVERY + i][0] = names[i];
        pairs[i][1] = pairs[N_EVERY + i][1] = every[i][1];
    }
    struct statistics *set = bind((const char *const(*)[2])pairs, TYPE_INTEGER);
    fixture_fill(&batch, 1);
    struct output_values *values = fold_rows(set, &batch, &batch.id, batch.rows, 100);
    for (int i = 0; i < statistics_n_outputs(set) / 2; i++) {
        const struct output *output = statistics_output(set, i);
        snprintf(name, sizeof name, "x_%s", output->name);
        const struct output_values *again = find(set, values, name);
        assert_int_equal(again->n, values[i].n);
        for (int64_t k = 0; k < again->n; k++)
            if (output->type == TYPE_TEXT
                    ? !same(again->texts[k], values[i].texts[k])
                    : memcmp(&again->reals[k], &values[i].reals[k], 8) != 0)
                fail_msg("%s: value %d differs", name, (int)k);
    }
    statistics_free(set);
}

static void expect_same(const struct statistics *set,
                        const struct output_values *a,
                        const struct output_values *b)
{
    for (int i = 0; i < statistics_n_outputs(set); i++) {
        const struct output *output = statistics_output(set, i);
        if (a[i].n != b[i].n)
            fail_msg("%s: %d, not %d values", output->name, (int)b[i].n, (int)a[i].n);
        for (int64_t k = 0; k < a[i].n; k++) {
            bool equal = output->type == TYPE_TEXT
                             ? same(a[i].texts[k], b[i].texts[k])
                             : memcmp(&a[i].reals[k], &b[i].reals[k], 8) == 0;
            if (!equal || (a[i].counts && a[i].counts[k] != b[i].counts[k]))
                fail_msg("%s: value %d differs", output->name, (int)k);
        }
    }
}

/* The rows of a batch, added in pieces to one of several folds, each piece from a copy
 * that is overwritten afterwards, as a source does; then merged. */
static struct output_values *
fold_pieces(const struct statistics *set, enum value_type id_type, uint64_t *seed)
{
    static struct fixture_batch copy;
    enum { N_FOLDS = 3 };
    struct fold *folds[N_FOLDS];
    struct error err = { 0 };
    for (int i = 0; i < N_FOLDS; i++)
        assert_int_equal(fold_begin(&folds[i], set, &memory, &err), 0);
    for (int32_t i = FIXTURE_ROWS; i-- > 1;) {
        int32_t k = (int32_t)(next_random(seed) % (uint64_t)(i + 1));
        int32_t row = batch.rows[i];
        batch.rows[i] = batch.rows[k];
        batch.rows[k] = row;
    }
    static char use[FIXTURE_ROWS][16];
    for (int32_t first = 0, n; first < FIXTURE_ROWS; first += n) {
        n = 1 + (int32_t)(next_random(seed) % 1300);
        n = n < FIXTURE_ROWS - first ? n : FIXTURE_ROWS - first;
        copy = batch;
        for (int slot = 0; slot < N_SLOTS; slot++) {
            copy.columns[slot].valid = copy.valid[slot];
            if (copy.columns[slot].type == TYPE_REAL)
                copy.columns[slot].reals = copy.reals[slot];
            else if (slot != USE)
                copy.columns[slot].integers = copy.integers[slot];
        }
        copy.columns[USE].texts = copy.texts[0];
        copy.id.integers = copy.integers[N_SLOTS];
        copy.text_id.texts = copy.texts[1];
        for (int i = 0; i < FIXTURE_ROWS; i++) {
            memcpy(use[i], batch.texts[0][i].bytes, (size_t)batch.texts[0][i].n);
            copy.texts[0][i].bytes = use[i];
            copy.texts[1][i].bytes = copy.bytes[i];
        }
        int status = fold_add(folds[next_random(seed) % N_FOLDS],
                              copy.columns,
                              id_type == TYPE_TEXT ? &copy.text_id : &copy.id,
                              batch.rows + first,
                              n,
                              &err);
        assert_int_equal(status, 0);
        memset(&copy, 0xa5, sizeof copy);
        memset(use, 0xa5, sizeof use);
    }
    assert_int_equal(fold_merge(folds[1], folds[2], &err), 0);
    assert_int_equal(fold_merge(folds[1], folds[0], &err), 0);
    struct output_values *values =
        memory_take(&memory,
                    MEMORY_RECORD,
                    statistics_n_outputs(set) * (int64_t)sizeof *values,
                    NULL);
    assert_int_equal(fold_end(folds[1], &facts, values, &err), 0);
    return values;
}

static void any_order_and_partition_gives_the_same_bits(void **state)
{
    (void)state;
    static const enum value_type id_types[] = { TYPE_INTEGER, TYPE_TEXT };
    uint64_t seed = 77;
    for (int round = 0; round < 16; round++) {
        struct statistics *set = bind(every, id_types[round % 2]);
        struct memory_mark mark = memory_mark(&memory);
        fixture_fill(&batch, seed);
        const struct column *id = round % 2 ? &batch.text_id : &batch.id;
        struct output_values *whole =
            fold_rows(set, &batch, id, batch.rows, FIXTURE_ROWS);
        expect_same(set, whole, fold_pieces(set, id_types[round % 2], &seed));
        memory_rewind(&memory, &mark);
        statistics_free(set);
    }
}

static void an_empty_zone_has_counts_of_0_and_nothing_else(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    struct statistics *set = bind(every, TYPE_TEXT);
    struct output_values *values =
        fold_rows(set, &batch, &batch.text_id, batch.rows, 0);
    for (int i = 0; i < statistics_n_outputs(set); i++) {
        const struct output *output = statistics_output(set, i);
        assert_int_equal(values[i].n, output->width);
        for (int64_t k = 0; k < values[i].n; k++) {
            if (output->type == TYPE_REAL)
                assert_true(isnan(values[i].reals[k]));
            else if (output->type == TYPE_TEXT)
                assert_int_equal(values[i].texts[k].n, 0);
            else
                assert_int_equal(values[i].integers[k], 0);
        }
    }
    statistics_free(set);
    memory_rewind(&memory, &mark);
}

static void a_zone_of_nulls_is_like_an_aggregate_of_nulls(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    struct statistics *set = bind(every, TYPE_INTEGER);
    fixture_fill(&batch, 1);
    for (int slot = 0; slot < N_SLOTS; slot++)
        memset(batch.valid[slot], 0, sizeof batch.valid[slot]);
    struct output_values *values = fold_rows(set, &batch, &batch.id, batch.rows, 10);
    static const struct {
        const char *name;
        double wanted;
    } zeros[] = { { "n", 10 },      { "n_use", 0 },       { "n_height", 0 },
                  { "variety", 0 }, { "variety_use", 0 }, { "density", 4 } };
    for (int i = 0; i < 6; i++)
        assert_true(scalar(set, values, zeros[i].name) == zeros[i].wanted);
    static const char *const missing[] = {
        "total",    "floors", "listed",   "share",     "mean_height", "least",
        "greatest", "first",  "span",     "spread",    "sd",          "var",
        "cv",       "median", "p90",      "p33",       "iqr",         "mode",
        "rare",     "top",    "weighted", "by_floors", "coverage"
    };
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (!isnan(scalar(set, values, missing[i])))
            fail_msg("%s is not missing", missing[i]);
    assert_int_equal(find(set, values, "uses")->n, 0);
    assert_int_equal(find(set, values, "heights")->n, 0);
    assert_int_equal(find(set, values, "mode_use")->texts[0].n, 0);
    assert_true(find(set, values, "top_id")->integers[0] == FILL_INTEGER);
    statistics_free(set);
    memory_rewind(&memory, &mark);
}

/* Few values of height, one call, one double: as PostgreSQL 15 answers. */
static void special_values_are_as_postgresql_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int n;
        double values[5], wanted;
    } cases[] = {
        { "min(height)", 2, { NAN, 3 }, 3 },
        { "max(height)", 2, { NAN, 3 }, NAN },
        { "min(height)", 1, { NAN }, NAN },
        { "min(height)", 2, { -0.0, -0.0 }, 0 },
        { "max(height)", 3, { -HUGE_VAL, 1, HUGE_VAL }, HUGE_VAL },
        { "sum(height)", 3, { HUGE_VAL, 1, -HUGE_VAL }, NAN },
        { "mean(height)", 2, { HUGE_VAL, 1 }, HUGE_VAL },
        { "stddev(height)", 1, { 4 }, NAN },
        { "variance(height)", 2, { 4, 4 }, 0 },
        { "variance(height)", 2, { HUGE_VAL, 4 }, NAN },
        { "variance(height)", 3, { 1e9 + 1, 1e9 + 2, 1e9 + 3 }, 1 },
        { "stddev(height)", 4, { 2, 4, 4, 6 }, 1.632993161855452 },
        { "cv(height)", 2, { -1, 1 }, NAN },
        { "cv(height)", 2, { 0, 0 }, NAN },
        { "cv(height)", 3, { -1, 1, 3 }, 2 },
        { "cv(height)", 2, { HUGE_VAL, 1 }, NAN },
        { "median(height)", 4, { 1, 2, 3, 10 }, 2.5 },
        { "median(height)", 1, { HUGE_VAL }, HUGE_VAL },
        { "median(height)", 3, { 1, NAN, 2 }, 2 },
        { "median(height)", 2, { 1, NAN }, NAN },
        { "median(height)", 3, { HUGE_VAL, HUGE_VAL, HUGE_VAL }, HUGE_VAL },
        { "quantile(height, 0)", 3, { 5, 3, 9 }, 3 },
        { "quantile(height, 1)", 3, { 5, 3, 9 }, 9 },
        { "quantile(height, 0.25)", 4, { 1, 2, 3, 4 }, 1.75 },
        { "iqr(height)", 5, { 5, 1, 4, 2, 3 }, 2 },
        { "mode(height)", 5, { 3, 1, 3, 1, 2 }, 1 },
        { "mode(height)", 5, { NAN, NAN, 3, 1, 2 }, NAN },
        { "minority(height)", 5, { 3, 1, 3, 1, 2 }, 2 },
        { "minority(height)", 3, { 3, 1, 2 }, 1 },
        { "variety(height)", 5, { 0.0, -0.0, NAN, -NAN, 1 }, 3 },
        { "top(height, 2)", 3, { 1, NAN, 2 }, NAN },
        { "weighted_mean(height, size)", 0, { 0 }, NAN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory_mark mark = memory_mark(&memory);
        const char *const pairs[][2] = { { "x", cases[i].text }, { NULL, NULL } };
        struct statistics *set = bind(pairs, TYPE_INTEGER);
        fixture_fill(&batch, 1);
        memcpy(batch.reals[HEIGHT], cases[i].values, sizeof cases[i].values);
        memset(batch.valid[HEIGHT], 1, FIXTURE_ROWS);
        double seen =
            fold_rows(set, &batch, &batch.id, batch.rows, cases[i].n)[0].reals[0];
        if (isnan(cases[i].wanted) ? !isnan(seen) : seen != cases[i].wanted)
            fail_msg("%s (case %d): %.17g", cases[i].text, (int)i, seen);
        assert_false(seen == 0 && signbit(seen));
        memory_rewind(&memory, &mark);
        statistics_free(set);
    }
}

/* Integers beyond 53 bits: the first of them is rounded to the last that a double holds. */
static void integers_are_weighed_exactly(void **state)
{
    (void)state;
    static const int64_t limits[] = { INT64_C(1) << 53,
                                      INT64_C(1) << 60,
                                      INT64_MAX - 1 };
    const char *const pairs[][2] = { { "w", "weighted_mean(floors, size)" },
                                     { NULL, NULL } };
    struct statistics *set = bind(pairs, TYPE_INTEGER);
    for (int i = 0; i < 6; i++) {
        struct memory_mark mark = memory_mark(&memory);
        int64_t sign = i % 2 ? -1 : 1, limit = limits[i / 2];
        fixture_fill(&batch, 1);
        batch.integers[FLOORS][0] = sign * (limit + 1);
        batch.integers[FLOORS][1] = -sign * limit;
        for (int row = 0; row < 2; row++) {
            batch.reals[SIZE][row] = 1;
            batch.valid[FLOORS][row] = batch.valid[SIZE][row] = 1;
        }
        struct output_values *seen = fold_rows(set, &batch, &batch.id, batch.rows, 2);
        assert_true(seen[0].reals[0] == 0.5 * (double)sign);
        memory_rewind(&memory, &mark);
    }
    statistics_free(set);
}

/* PostgreSQL: width_bucket(x, 0, 1, 3) and the doubles just beside the edges. */
static void bins_are_half_open(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    const char *const pairs[][2] = { { "h", "histogram(height, 0, 1, 3)" },
                                     { NULL, NULL } };
    struct statistics *set = bind(pairs, TYPE_INTEGER);
    const double values[] = { -5e-324, -0.0,     0,       5e-324, nextafter(1, 0),
                              1,       HUGE_VAL, NAN,     -NAN,   -HUGE_VAL,
                              1.0 / 3, 0.5,      0.33333, 2.0 / 3 };
    const int64_t wanted[] = { 4, 2, 2 };
    fixture_fill(&batch, 1);
    memcpy(batch.reals[HEIGHT], values, sizeof values);
    memset(batch.valid[HEIGHT], 1, FIXTURE_ROWS);
    struct output_values *seen = fold_rows(set, &batch, &batch.id, batch.rows, 14);
    assert_memory_equal(seen[0].integers, wanted, sizeof wanted);
    statistics_free(set);
    memory_rewind(&memory, &mark);
}

/* What PostgreSQL 15.20 answers to width_bucket(x, low, high, n); its answer to the last
 * one is n + 1, beyond the end. */
static void bins_are_those_of_width_bucket(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
        int bucket;
    } cases[] = {
        { 0.9999999999999999, "histogram(height, 0, 2, 2)", 2 },
        { 0.3333333333333333, "histogram(height, 0, 1, 3)", 2 },
        { 0.33333333333333326, "histogram(height, 0, 1, 3)", 1 },
        { 0.9999999999999999, "histogram(height, 0, 1, 3)", 3 },
        { 0.9999999999999999, "histogram(height, 0, 10, 10)", 1 },
        { 0.9999999999999999, "histogram(height, 0, 1, 1)", 1 },
        { 0.9999999999999999, "histogram(height, 0, 1, 16)", 16 },
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        struct memory_mark mark = memory_mark(&memory);
        const char *const pairs[][2] = { { "h", cases[i].text }, { NULL, NULL } };
        struct statistics *set = bind(pairs, TYPE_INTEGER);
        fixture_fill(&batch, 1);
        batch.valid[HEIGHT][0] = 1;
        batch.reals[HEIGHT][0] = cases[i].x;
        struct output_values *seen = fold_rows(set, &batch, &batch.id, batch.rows, 1);
        for (int bin = 0; bin < seen[0].n; bin++)
            if (seen[0].integers[bin] != (bin + 1 == cases[i].bucket))
                fail_msg("case %d: bin %d", i, bin);
        statistics_free(set);
        memory_rewind(&memory, &mark);
    }
}

/* A sample that no other statistic has sorted, of values that all differ. */
static void quantiles_of_any_size_are_those_of_the_sorted_values(void **state)
{
    (void)state;
    static const char *const texts[] = { "median(height)",
                                         "quantile(height, 0.1)",
                                         "quantile(height, 0.77)" };
    static const double shares[] = { 0.5, 0.1, 0.77 };
    static double x[FIXTURE_ROWS];
    uint64_t seed = 5;
    fixture_fill(&batch, 1);
    memset(batch.valid[HEIGHT], 1, FIXTURE_ROWS);
    for (int round = 0; round < 3000; round++) {
        struct memory_mark mark = memory_mark(&memory);
        const char *const pairs[][2] = { { "q", texts[round % 3] }, { NULL, NULL } };
        struct statistics *set = bind(pairs, TYPE_INTEGER);
        int n = 1 + (int)(next_random(&seed) % (round % 20 ? 80 : FIXTURE_ROWS));
        for (int i = 0; i < n; i++)
            batch.reals[HEIGHT][i] = (double)(int64_t)next_random(&seed);
        struct output_values *seen = fold_rows(set, &batch, &batch.id, batch.rows, n);
        sorted_values(x, HEIGHT, n);
        if (seen[0].reals[0] != reference_quantile(x, n, shares[round % 3]))
            fail_msg("%s of %d values", texts[round % 3], n);
        statistics_free(set);
        memory_rewind(&memory, &mark);
    }
}

/* 2^53 + 1 is no double, but it less 1 is one. */
static void a_range_of_integers_is_rounded_once(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    const char *const pairs[][2] = { { "range", "range(floors)" }, { NULL, NULL } };
    struct statistics *set = bind(pairs, TYPE_INTEGER);
    fixture_fill(&batch, 1);
    memset(batch.valid[FLOORS], 1, FIXTURE_ROWS);
    batch.integers[FLOORS][0] = (INT64_C(1) << 53) + 1;
    batch.integers[FLOORS][1] = 1;
    struct output_values *seen = fold_rows(set, &batch, &batch.id, batch.rows, 2);
    assert_true(seen[0].reals[0] == 0x1p53);
    statistics_free(set);
    memory_rewind(&memory, &mark);
}

static void integers_do_not_overflow(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    const char *const pairs[][2] = { { "range", "range(floors)" },
                                     { "sum", "sum(floors)" },
                                     { "mean", "mean(floors)" },
                                     { "var", "variance(floors)" },
                                     { "wm", "weighted_mean(floors, floors)" },
                                     { NULL, NULL } };
    struct statistics *set = bind(pairs, TYPE_INTEGER);
    fixture_fill(&batch, 1);
    memset(batch.valid[FLOORS], 1, FIXTURE_ROWS);
    batch.integers[FLOORS][0] = INT64_MIN;
    batch.integers[FLOORS][1] = INT64_MAX;
    batch.integers[FLOORS][2] = INT64_MAX;
    struct output_values *seen = fold_rows(set, &batch, &batch.id, batch.rows, 3);
    assert_true(seen[0].reals[0] == 0x1p64);
    assert_true(seen[1].reals[0] == 0x1p63);
    assert_true(seen[2].reals[0] == 0x1p63 / 3);
    /* (3 sum of squares - sum^2) / 6 = (9 2^126 - 2^126) / 6, but for 2^-63 of it */
    assert_true(seen[3].reals[0] == 8 * 0x1p126 / 6);
    assert_true(seen[4].reals[0] == 3 * 0x1p63);
    statistics_free(set);
    memory_rewind(&memory, &mark);
}

/* weighted_mean(floors, size) of two rows. */
static void weights_and_values_may_be_of_any_kind(void **state)
{
    (void)state;
    static const struct {
        int64_t floors[2];
        double size[2], wanted;
    } cases[] = {
        { { 1, 3 }, { 1, 1 }, 2 },
        { { 1, 3 }, { 3, 1 }, 1.5 },
        { { 1, 3 }, { 0, 0 }, NAN },
        { { 1, 3 }, { 1, -1 }, NAN },
        { { 3, 1 }, { 1, -1 }, NAN },
        { { 1, 3 }, { 5e-324, -5e-324 }, NAN },
        { { 1, 3 }, { HUGE_VAL, 1 }, NAN },
        { { INT64_MAX, INT64_MAX - 2 }, { 1, 1 }, 0x1p63 },
        { { INT64_MIN + 1, INT64_MAX }, { 1, 1 }, 0 },
        { { INT64_MAX, -INT64_MAX + 1 }, { 1, 1 }, 0.5 },
        { { (INT64_C(1) << 60) + 5, -(INT64_C(1) << 60) }, { 3, 3 }, 2.5 },
        { { (INT64_C(1) << 60) + 5, -(INT64_C(1) << 60) }, { 5e-324, 5e-324 }, 2.5 },
        { { (INT64_C(1) << 60) + 5, -(INT64_C(1) << 60) }, { 1e308, 1e308 }, 2.5 },
    };
    const char *const pairs[][2] = { { "x", "weighted_mean(floors, size)" },
                                     { NULL, NULL } };
    struct statistics *set = bind(pairs, TYPE_INTEGER);
    fixture_fill(&batch, 1);
    memset(batch.valid[FLOORS], 1, FIXTURE_ROWS);
    memset(batch.valid[SIZE], 1, FIXTURE_ROWS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory_mark mark = memory_mark(&memory);
        memcpy(batch.integers[FLOORS], cases[i].floors, sizeof cases[i].floors);
        memcpy(batch.reals[SIZE], cases[i].size, sizeof cases[i].size);
        double seen = fold_rows(set, &batch, &batch.id, batch.rows, 2)[0].reals[0];
        if (isnan(cases[i].wanted) ? !isnan(seen) : seen != cases[i].wanted)
            fail_msg("case %d: %.17g", (int)i, seen);
        memory_rewind(&memory, &mark);
    }
    statistics_free(set);
}

/* A negative integer of 60 bits times infinity is -infinity, in both of its halves. */
static void large_integers_meet_infinity_with_one_sign(void **state)
{
    (void)state;
    const char *const pairs[][2] = { { "x", "weighted_mean(height, floors)" },
                                     { NULL, NULL } };
    struct memory_mark mark = memory_mark(&memory);
    struct statistics *set = bind(pairs, TYPE_INTEGER);
    fixture_fill(&batch, 1);
    memset(batch.valid[FLOORS], 1, FIXTURE_ROWS);
    memset(batch.valid[HEIGHT], 1, FIXTURE_ROWS);
    batch.reals[HEIGHT][0] = HUGE_VAL;
    batch.integers[FLOORS][0] = -(INT64_C(1) << 60) + 5;
    assert_true(fold_rows(set, &batch, &batch.id, batch.rows, 1)[0].reals[0]
                == HUGE_VAL);
    batch.integers[FLOORS][0] = (INT64_C(1) << 60) + 5;
    assert_true(fold_rows(set, &batch, &batch.id, batch.rows, 1)[0].reals[0]
                == HUGE_VAL);
    statistics_free(set);
    memory_rewind(&memory, &mark);
}

static void too_little_memory_is_an_error(void **state)
{
    (void)state;
    struct statistics *set = bind(every, TYPE_TEXT);
    fixture_fill(&batch, 4);
    int n_failed = 0;
    for (int64_t left = 0; left < 600000; left += 2917) {
        struct memory_mark mark = memory_mark(&memory);
        struct fold *fold;
        struct output_values values[64];
        struct error err = { 0 };
        memory_take(&memory,
                    MEMORY_BATCH,
                    memory_free_bytes(&memory) - 64 - left,
                    NULL);
        int status = fold_begin(&fold, set, &memory, &err);
        if (status == 0)
            status = fold_add(fold,
                              batch.columns,
                              &batch.text_id,
                              batch.rows,
                              FIXTURE_ROWS,
                              &err);
        if (status == 0)
            status = fold_end(fold, &facts, values, &err);
        if (status < 0)
            assert_int_equal(err.code, ERROR_BUDGET);
        n_failed += status < 0;
        memory_rewind(&memory, &mark);
    }
    assert_in_range(n_failed, 30, 200);
    statistics_free(set);
}

static void the_size_that_plan_shows_is_enough(void **state)
{
    (void)state;
    static const int sizes[] = { 0, 1, 100, 1000, FIXTURE_ROWS };
    struct statistics *set = bind(every, TYPE_TEXT);
    fixture_fill(&batch, 8);
    for (int i = 0; i < 5; i++) {
        struct memory_mark mark = memory_mark(&memory);
        int64_t before = memory.live_bytes[MEMORY_STATISTICS];
        fold_rows(set, &batch, &batch.text_id, batch.rows, sizes[i]);
        int64_t used = memory.live_bytes[MEMORY_STATISTICS] - before;
        int64_t size = statistics_size(set, sizes[i]);
        if (used > size || (sizes[i] >= 1000 && size > 6 * used))
            fail_msg("%d rows: %d of %d bytes", sizes[i], (int)used, (int)size);
        memory_rewind(&memory, &mark);
    }
    statistics_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statistic_agrees_with_a_plain_reference),
        cmocka_unit_test(every_statistic_gives_the_same_twice),
        cmocka_unit_test(any_order_and_partition_gives_the_same_bits),
        cmocka_unit_test(an_empty_zone_has_counts_of_0_and_nothing_else),
        cmocka_unit_test(a_zone_of_nulls_is_like_an_aggregate_of_nulls),
        cmocka_unit_test(special_values_are_as_postgresql_has_them),
        cmocka_unit_test(integers_are_weighed_exactly),
        cmocka_unit_test(bins_are_half_open),
        cmocka_unit_test(bins_are_those_of_width_bucket),
        cmocka_unit_test(quantiles_of_any_size_are_those_of_the_sorted_values),
        cmocka_unit_test(a_range_of_integers_is_rounded_once),
        cmocka_unit_test(integers_do_not_overflow),
        cmocka_unit_test(weights_and_values_may_be_of_any_kind),
        cmocka_unit_test(large_integers_meet_infinity_with_one_sign),
        cmocka_unit_test(too_little_memory_is_an_error),
        cmocka_unit_test(the_size_that_plan_shows_is_enough),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
