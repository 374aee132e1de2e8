/* Sorting byte strings within a memory that is too small for them. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "sort.h"
#include "sort_entries.h"

enum { MEMORY = 16 << 20 };

static uint64_t state = 1;

static uint64_t draw(uint64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
}

struct record {
    int64_t n;
    uint8_t bytes[64];
};

static int compare(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, (size_t)(x->n < y->n ? x->n : y->n));
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Few different bytes, so that prefixes and whole records repeat. */
static void make_records(struct record *records, int64_t n, uint64_t n_letters)
{
    for (int64_t i = 0; i < n; i++) {
        records[i].n = (int64_t)draw(sizeof records[i].bytes + 1);
        for (int64_t j = 0; j < records[i].n; j++)
            records[i].bytes[j] = (uint8_t)draw(n_letters);
    }
}

static void
sort_and_check(struct record *records, int64_t n, int64_t n_bytes, bool spills)
{
    struct memory memory;
    struct sorter *sorter;
    struct error err;
    const uint8_t *record;
    int64_t length, i = 0;
    int status;
    assert_fine(memory_init(&memory, MEMORY, &err), &err);
    assert_fine(sorter_open(&sorter, "/tmp", n_bytes, &memory, &err), &err);
    for (int64_t k = 0; k < n; k++)
        assert_fine(sorter_add(sorter, records[k].bytes, records[k].n, &err), &err);
    assert_fine(sorter_end(sorter, &err), &err);
    assert_int_equal(sorter_scratch_bytes(sorter) > 0, spills);
    qsort(records, (size_t)n, sizeof *records, compare);
    while ((status = sorter_next(sorter, &record, &length, &err)) == 1) {
        assert_true(i < n);
        assert_int_equal(length, records[i].n);
        assert_memory_equal(record, records[i].bytes, (size_t)length);
        i++;
    }
    assert_int_equal(status, 0);
    assert_int_equal(i, n);
    sorter_close(sorter);
    memory_release(&memory);
}

static void sorts_what_fits_and_what_does_not(void **unused)
{
    static const struct {
        int64_t n, n_bytes;
        uint64_t n_letters;
        bool spills;
    } table[] = {
        { 0, 1 << 20, 256, false },       { 1, 1 << 20, 256, false },
        { 16, 1 << 20, 2, false },        { 17, 1 << 20, 2, false },
        { 1000, 1 << 20, 1, false },      { 10000, 1 << 20, 256, false },
        { 50000, 1 << 20, 2, true },      { 200000, 1 << 20, 256, true },
        { 600000, 1 << 20, 256, true }, /* more runs than are merged at once */
        { 200000, 14 << 20, 256, false },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct record *records = calloc((size_t)table[i].n + 1, sizeof *records);
        make_records(records, table[i].n, table[i].n_letters);
        sort_and_check(records, table[i].n, table[i].n_bytes, table[i].spills);
        free(records);
    }
}

/* Inputs that make a plain quicksort slow or deep. */
static void sorts_sorted_and_equal_ones(void **unused)
{
    enum { N = 100000 };
    struct sort_entry *entries = calloc(N, sizeof *entries);
    static const uint8_t empty[SORT_LENGTH_BYTES];
    (void)unused;
    for (int shape = 0; shape < 4; shape++) {
        for (uint64_t i = 0; i < N; i++) {
            uint64_t value = shape == 0   ? i
                             : shape == 1 ? N - i
                             : shape == 2 ? 7
                                          : i ^ 0x5555;
            entries[i] = (struct sort_entry){ value, empty };
        }
        sort_entries(entries, N);
        for (int64_t i = 1; i < N; i++)
            assert_true(entries[i - 1].prefix <= entries[i].prefix);
    }
    free(entries);
}

static void a_record_has_at_most_a_fifth(void **unused)
{
    struct memory memory;
    struct sorter *sorter;
    struct error err;
    (void)unused;
    uint8_t *bytes = calloc(1, 1 << 20);
    assert_fine(memory_init(&memory, MEMORY, &err), &err);
    assert_fine(sorter_open(&sorter, "/tmp", 1 << 20, &memory, &err), &err);
    int64_t most = sorter_most_bytes(sorter);
    assert_int_equal(most, ((1 << 20) - (1 << 16)) / 5);
    for (int i = 0; i < 300; i++) { /* many runs of short ones, then long ones */
        bytes[0] = (uint8_t)i;
        int64_t n = i < 200 ? 64000 : most - (i & 1);
        assert_fine(sorter_add(sorter, bytes, n, &err), &err);
    }
    assert_refused(sorter_add(sorter, bytes, most + 1, &err),
                   &err,
                   ERROR_BUDGET,
                   "raise [limits] memory");
    sorter_close(sorter);
    assert_refused(sorter_open(&sorter, "/tmp", (1 << 20) - 1, &memory, &err),
                   &err,
                   ERROR_BUDGET,
                   "1 MiB");
    assert_refused(sorter_open(&sorter, "/tmp", MEMORY + 64, &memory, &err),
                   &err,
                   ERROR_BUDGET,
                   "needs");
    memory_release(&memory);
    free(bytes);
}

static void no_folder_no_scratch(void **unused)
{
    struct memory memory;
    struct sorter *sorter;
    struct error err = { ERROR_NONE, "" };
    uint8_t bytes[4096] = { 0 };
    int status = 0;
    (void)unused;
    assert_fine(memory_init(&memory, MEMORY, &err), &err);
    assert_fine(sorter_open(&sorter, "/tmp/no/such", 1 << 20, &memory, &err), &err);
    for (int i = 0; i < 1000 && status == 0; i++)
        status = sorter_add(sorter, bytes, sizeof bytes, &err);
    assert_int_equal(status, -1);
    assert_int_equal(err.code, ERROR_IO);
    sorter_close(sorter);
    memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_what_fits_and_what_does_not),
        cmocka_unit_test(sorts_sorted_and_equal_ones),
        cmocka_unit_test(a_record_has_at_most_a_fifth),
        cmocka_unit_test(no_folder_no_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
