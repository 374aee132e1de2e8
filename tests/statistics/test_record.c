/* Records there and back, and what decoding makes of damaged ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rooftally/statistics/record.h"

#include "fixture.h"
#include "order.h"

static const char *const some[][2] = {
    { "n", "count" },
    { "mean", "mean(height)" },
    { "mode", "mode(use)" },
    { "uses", "frequency(use)" },
    { "heights", "frequency(height)" },
    { "storeys", "frequency(floors)" },
    { "bins", "histogram(height, 0, 10, 4)" },
    { "top", "top(height, 3)" },
    { NULL, NULL },
};

/* Bytes in a block of exactly their size, so that the sanitizer sees every step over. */
struct bytes {
    uint8_t *bytes;
    int64_t n;
};

static int put(void *context, const void *bytes, size_t n, struct error *err)
{
    struct bytes *out = context;
    (void)err;
    out->bytes = realloc(out->bytes, (size_t)out->n + n);
    assert_non_null(out->bytes);
    memcpy(out->bytes + out->n, bytes, n);
    out->n += (int64_t)n;
    return 0;
}

static struct fixture_batch batch;
static struct memory memory;
static struct statistics *set;

static int set_up(void **state)
{
    struct error err = { 0 };
    (void)state;
    fixture_fill(&batch, 99);
    if (fixture_bind(&set, some, TYPE_TEXT, &err) < 0)
        return -1;
    return memory_init(&memory, 16 << 20, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    statistics_free(set);
    memory_release(&memory);
    return 0;
}

/* A record with every kind of section, of n selected and n_rejected buildings. */
static struct zone_record make(int n, int n_rejected)
{
    static struct column keep[4];
    static struct text reasons[] = { { "empty", 5 },
                                     { "", 0 },
                                     { "NaN at vertex 3", 15 } };
    static const struct zone_facts facts = { .area_m2 = 1e6 };
    struct zone_record record = { .row = 41,
                                  .n_candidates = 1000,
                                  .n_selected = n,
                                  .n_outside = 900,
                                  .n_filtered = 7,
                                  .n_rejected = n_rejected,
                                  .n_decided = 990,
                                  .n_refined = 10,
                                  .n_bytes = INT64_MAX,
                                  .rank = 3,
                                  .n_retries = 2,
                                  .start_s = 0.5,
                                  .wall_s = 1.25,
                                  .snapshot = "00000003-0000001B-1",
                                  .box = { -71.5, 42, -71, 42.5 },
                                  .area_m2 = 1e6,
                                  .n_vertices = 5,
                                  .wkb = { "not quite wkb", 13 },
                                  .n_outputs = statistics_n_outputs(set),
                                  .n_keep = 4,
                                  .keep = keep,
                                  .rejected_id = batch.text_id,
                                  .rejected_reason = reasons };
    struct fold *fold;
    record.outputs = memory_take(&memory,
                                 MEMORY_RECORD,
                                 record.n_outputs * (int64_t)sizeof *record.outputs,
                                 NULL);
    assert_int_equal(fold_begin(&fold, set, &memory, NULL), 0);
    assert_int_equal(fold_add(fold, batch.columns, &batch.text_id, batch.rows, n, NULL),
                     0);
    assert_int_equal(fold_end(fold, &facts, record.outputs, NULL), 0);
    keep[0] = batch.text_id;
    keep[1] = batch.columns[HEIGHT];
    keep[2] = batch.columns[USE];
    keep[3] = batch.id;
    keep[3].valid = NULL; /* all are */
    return record;
}

static struct bytes encode(const struct zone_record *record)
{
    struct bytes bytes = { 0 };
    assert_int_equal(record_encode(record, set, put, &bytes, NULL), 0);
    assert_int_equal(bytes.n, record_size(record, set));
    assert_int_equal(bytes.n % 8, 0);
    return bytes;
}

static void expect_texts(const struct text *a, const struct text *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(text_compare(&a[i], &b[i]), 0);
}

static void expect_columns(const struct column *a, const struct column *b, int64_t n)
{
    assert_int_equal(a->type, b->type);
    for (int64_t i = 0; i < n; i++) {
        int valid = a->valid ? a->valid[i] : 1;
        assert_int_equal(valid, b->valid[i]);
        if (!valid)
            continue;
        if (a->type == TYPE_TEXT)
            expect_texts(&a->texts[i], &b->texts[i], 1);
        else
            assert_memory_equal(&a->integers[i], &b->integers[i], 8);
    }
}

static void expect_records(const struct zone_record *a, const struct zone_record *b)
{
    assert_memory_equal(a, b, offsetof(struct zone_record, snapshot));
    assert_string_equal(a->snapshot, b->snapshot);
    assert_memory_equal(&a->box, &b->box, sizeof a->box);
    assert_true(a->area_m2 == b->area_m2);
    assert_int_equal(a->n_vertices, b->n_vertices);
    expect_texts(&a->wkb, &b->wkb, 1);
    assert_int_equal(a->n_outputs, b->n_outputs);
    for (int i = 0; i < a->n_outputs; i++) {
        const struct output_values *x = &a->outputs[i], *y = &b->outputs[i];
        assert_int_equal(x->n, y->n);
        if (statistics_output(set, i)->type == TYPE_TEXT)
            expect_texts(x->texts, y->texts, x->n);
        else if (x->n > 0)
            assert_memory_equal(x->reals, y->reals, (size_t)x->n * 8);
        if (x->counts && x->n > 0)
            assert_memory_equal(x->counts, y->counts, (size_t)x->n * 8);
    }
    assert_int_equal(a->n_keep, b->n_keep);
    for (int i = 0; i < a->n_keep; i++)
        expect_columns(&a->keep[i], &b->keep[i], a->n_selected);
    if (a->n_rejected > 0) {
        expect_columns(&a->rejected_id, &b->rejected_id, a->n_rejected);
        expect_texts(a->rejected_reason, b->rejected_reason, a->n_rejected);
    }
}

static void a_record_comes_back_as_it_was(void **state)
{
    (void)state;
    static const int cases[][2] = { { 0, 0 }, { 1, 0 }, { 7, 3 },
                                    { 8, 1 }, { 9, 2 }, { FIXTURE_ROWS, 3 } };
    for (int i = 0; i < 6; i++) {
        struct memory_mark mark = memory_mark(&memory);
        struct zone_record record = make(cases[i][0], cases[i][1]), back;
        struct error err = { 0 };
        struct bytes bytes = encode(&record);
        if (record_decode(&back, set, bytes.bytes, bytes.n, &memory, &err) < 0)
            fail_msg("%s", err.text);
        expect_records(&record, &back);
        free(bytes.bytes);
        memory_rewind(&memory, &mark);
    }
}

/* Decode a copy; what comes out must lie within it: reading all of it is the test. */
static int read_copy(const uint8_t *bytes, int64_t n)
{
    struct memory_mark mark = memory_mark(&memory);
    uint8_t *copy = malloc(n ? (size_t)n : 1);
    struct zone_record record = { .row = -7 };
    struct error err = { 0 };
    assert_non_null(copy);
    memcpy(copy, bytes, (size_t)n);
    int status = record_decode(&record, set, copy, n, &memory, &err);
    if (status < 0) {
        assert_true(err.code == ERROR_FORMAT || err.code == ERROR_BUDGET);
        assert_true(record.row == -7 && !record.outputs);
    } else {
        struct bytes again = encode(&record);
        free(again.bytes);
    }
    free(copy);
    memory_rewind(&memory, &mark);
    return status;
}

static void a_record_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    struct zone_record record = make(6, 3);
    struct bytes bytes = encode(&record);
    for (int64_t n = 0; n < bytes.n; n++)
        assert_int_equal(read_copy(bytes.bytes, n), -1);
    assert_int_equal(read_copy(bytes.bytes, bytes.n), 0);
    put(&bytes, "\0\0\0\0\0\0\0", 8, NULL);
    assert_int_equal(read_copy(bytes.bytes, bytes.n), -1);
    free(bytes.bytes);
    memory_rewind(&memory, &mark);
}

/* One to four places set to values that counts go wrong with. */
static void damaged_records_are_refused_or_stay_within_their_bytes(void **state)
{
    (void)state;
    static const int64_t awkward[] = { 0,         1,         -1,       7,
                                       INT64_MAX, INT64_MIN, 1 << 20,  INT64_MAX / 8,
                                       1LL << 32, 1LL << 61, 0x7fffff, -8 };
    struct memory_mark mark = memory_mark(&memory);
    struct zone_record record = make(6, 3);
    struct bytes bytes = encode(&record);
    uint8_t *damaged = malloc((size_t)bytes.n);
    uint64_t seed = 8;
    int n_refused = 0;
    assert_non_null(damaged);
    for (int round = 0; round < 60000; round++) {
        memcpy(damaged, bytes.bytes, (size_t)bytes.n);
        for (int k = (int)(next_random(&seed) % 4); k >= 0; k--) {
            uint64_t r = next_random(&seed);
            size_t at = (size_t)(r % (uint64_t)(bytes.n / 8));
            if (r >> 60 & 1)
                damaged[at * 8 + (r >> 50 & 7)] = (uint8_t)(r >> 40);
            else
                memcpy(damaged + at * 8, &awkward[(r >> 40) % 12], 8);
        }
        n_refused += read_copy(damaged, bytes.n) < 0;
    }
    assert_in_range(n_refused, 20000, 59999);
    free(damaged);
    free(bytes.bytes);
    memory_rewind(&memory, &mark);
}

static int refuse(void *context, const void *bytes, size_t n, struct error *err)
{
    (void)bytes, (void)n;
    return --*(int *)context < 0 ? error_set(err, ERROR_IO, "disk full") : 0;
}

static void a_failure_to_put_is_passed_on(void **state)
{
    (void)state;
    struct memory_mark mark = memory_mark(&memory);
    struct zone_record record = make(FIXTURE_ROWS, 3);
    for (int n_puts = 0; n_puts < 3; n_puts++) {
        struct error err = { 0 };
        int left = n_puts;
        assert_int_equal(record_encode(&record, set, refuse, &left, &err), -1);
        assert_int_equal(err.code, ERROR_IO);
        assert_int_equal(left, -1);
    }
    memory_rewind(&memory, &mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(a_record_cut_anywhere_is_refused),
        cmocka_unit_test(damaged_records_are_refused_or_stay_within_their_bytes),
        cmocka_unit_test(a_failure_to_put_is_passed_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
