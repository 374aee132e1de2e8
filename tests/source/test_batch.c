#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rooftally/source/batch.h"

static struct binding binding_of_all_types(void)
{
    struct binding binding = { .id_type = TYPE_TEXT, .n_slots = 6 };
    for (int i = 0; i < 6; i++)
        binding.slots[i].type = (enum value_type)(TYPE_BOOLEAN + i);
    return binding;
}

/* Every array has its own bytes: fill them all, then look at them all. */
static void arrays_do_not_overlap(void **state)
{
    (void)state;
    const int32_t capacities[] = { 1, 7, 63, 64, 65, 512 };
    struct binding binding = binding_of_all_types();
    for (size_t k = 0; k < sizeof capacities / sizeof *capacities; k++) {
        int32_t n = capacities[k];
        struct memory memory;
        struct batch batch;
        assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
        assert_int_equal(batch_init(&batch, &binding, n, 1000, &memory, NULL), 0);
        assert_int_equal(batch.capacity, n);
        assert_int_equal(batch.n_rows, 0);
        assert_int_equal(batch.n_columns, 6);
        assert_int_equal(batch.id.type, TYPE_TEXT);
        for (int32_t r = 0; r < n; r++) {
            batch.id.valid[r] = 1;
            batch.id.texts[r] = (struct text){ NULL, r };
            batch.boxes[r] = (struct box){ r, r, r, r };
            batch.faults[r] = (uint8_t)(r & 3);
            batch.geometry[r] = (struct text){ NULL, -r };
            for (int c = 0; c < 6; c++) {
                batch.columns[c].valid[r] = (uint8_t)c;
                if (batch.columns[c].type == TYPE_TEXT)
                    batch.columns[c].texts[r] = (struct text){ NULL, 100 * r + c };
                else
                    batch.columns[c].integers[r] = 100 * r + c;
            }
        }
        memset(batch.bytes, 0xee, (size_t)batch.bytes_capacity);
        for (int32_t r = 0; r < n; r++) {
            assert_int_equal(batch.id.valid[r], 1);
            assert_int_equal(batch.id.texts[r].n, r);
            assert_true(batch.boxes[r].xmin == r && batch.boxes[r].ymax == r);
            assert_int_equal(batch.faults[r], r & 3);
            assert_int_equal(batch.geometry[r].n, -r);
            for (int c = 0; c < 6; c++) {
                assert_int_equal(batch.columns[c].valid[r], c);
                assert_int_equal(batch.columns[c].type == TYPE_TEXT
                                     ? batch.columns[c].texts[r].n
                                     : batch.columns[c].integers[r],
                                 100 * r + c);
            }
        }
        assert_true(memory.live_bytes[MEMORY_BATCH] == memory.used_bytes);
        memory_release(&memory);
    }
}

static void a_batch_takes_what_batch_size_says(void **state)
{
    (void)state;
    struct binding binding = binding_of_all_types();
    struct memory memory;
    struct batch batch;
    struct error err = { 0 };
    assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
    int64_t size = batch_size(&binding, 100);
    int64_t room = (1 << 20) - size;
    assert_int_equal(batch_init(&batch, &binding, 100, room + 1, &memory, &err), -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.text, "batch"));
    assert_int_equal(memory.used_bytes, 0);
    assert_int_equal(batch_init(&batch, &binding, 100, room, &memory, &err), 0);
    assert_int_equal(memory.used_bytes, 1 << 20);
    assert_int_equal(batch.bytes_capacity, room);
    memory_release(&memory);
}

static void a_batch_without_rows_is_refused(void **state)
{
    (void)state;
    struct binding binding = { .id_type = TYPE_INTEGER };
    struct memory memory;
    struct batch batch;
    struct error err = { 0 };
    assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
    assert_int_equal(batch_init(&batch, &binding, 0, 10, &memory, &err), -1);
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_int_equal(batch_init(&batch, &binding, 1, -1, &memory, &err), -1);
    assert_int_equal(batch_init(&batch, &binding, 1, 0, &memory, &err), 0);
    memory_release(&memory);
}

static void reset_forgets_rows_and_keeps_room(void **state)
{
    (void)state;
    struct binding binding = { .id_type = TYPE_INTEGER };
    struct memory memory;
    struct batch batch;
    assert_int_equal(memory_init(&memory, 1 << 20, NULL), 0);
    assert_int_equal(batch_init(&batch, &binding, 10, 100, &memory, NULL), 0);
    batch.n_rows = 10;
    batch.bytes_used = 100;
    batch.n_filtered = 3;
    batch.n_read = 4;
    batch_reset(&batch);
    assert_int_equal(batch.n_rows, 0);
    assert_int_equal(batch.bytes_used, 0);
    assert_int_equal(batch.n_filtered, 0);
    assert_int_equal(batch.n_read, 0);
    assert_int_equal(batch.capacity, 10);
    assert_int_equal(batch.bytes_capacity, 100);
    memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_do_not_overlap),
        cmocka_unit_test(a_batch_takes_what_batch_size_says),
        cmocka_unit_test(a_batch_without_rows_is_refused),
        cmocka_unit_test(reset_forgets_rows_and_keeps_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
