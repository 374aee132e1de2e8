#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copy.h"

static const uint8_t header[19] = { 'P',  'G',  'C',  'O', 'P', 'Y', '\n',
                                    0xff, '\r', '\n', 0,   0,   0,   0,
                                    0,    0,    0,    0,   0 };

/* Bytes in the making. */
struct bytes {
    uint8_t at[4096];
    int64_t n;
};

static void put(struct bytes *bytes, const void *from, size_t n)
{
    memcpy(bytes->at + bytes->n, from, n);
    bytes->n += (int64_t)n;
}

static void put_integer(struct bytes *bytes, uint64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--)
        bytes->at[bytes->n++] = (uint8_t)(value >> (8 * i));
}

static void put_field(struct bytes *bytes, const void *from, int32_t n)
{
    put_integer(bytes, (uint32_t)n, 4);
    if (n > 0)
        put(bytes, from, (size_t)n);
}

static void put_int8(struct bytes *bytes, int64_t value)
{
    put_integer(bytes, 8, 4);
    put_integer(bytes, (uint64_t)value, 8);
}

static void put_float8(struct bytes *bytes, double value)
{
    uint64_t word;
    memcpy(&word, &value, 8);
    put_int8(bytes, (int64_t)word);
}

static const uint8_t point[21] = { 1,    1,    0, 0, 0, 0, 0, 0, 0, 0,   0,
                                   0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40 };

/* Everything is read from a heap block of exact size, so that one byte too far shows. */
static int
read_exact(const struct bytes *bytes, int64_t n_bytes, int n_fields, struct error *err)
{
    struct copy_field fields[COPY_MAX_FIELDS];
    uint8_t *exact = malloc(n_bytes > 0 ? (size_t)n_bytes : 1);
    assert_non_null(exact);
    memcpy(exact, bytes->at, (size_t)n_bytes);
    int status = copy_row(exact, n_bytes, fields, n_fields, err);
    if (status == 1)
        for (int i = 0; i < n_fields; i++)
            if (fields[i].n > 0)
                assert_true(fields[i].bytes + fields[i].n <= exact + n_bytes);
    free(exact);
    return status;
}

static void the_header_is_checked(void **state)
{
    (void)state;
    struct error err = { 0 };
    struct bytes bytes = { .n = 0 };
    put(&bytes, header, sizeof header);
    assert_int_equal(copy_header(bytes.at, bytes.n, &err), 19);
    for (int64_t n = 0; n < 19; n++)
        assert_int_equal(copy_header(bytes.at, n, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    for (int i = 0; i < 15; i++) { /* signature and flags */
        struct bytes broken = bytes;
        broken.at[i] ^= 0x40;
        assert_int_equal(copy_header(broken.at, broken.n, &err), -1);
    }
    bytes.at[18] = 5; /* an extension of five bytes */
    put(&bytes, "abcd", 4);
    assert_int_equal(copy_header(bytes.at, bytes.n, &err), -1);
    put(&bytes, "e", 1);
    assert_int_equal(copy_header(bytes.at, bytes.n, &err), 24);
    bytes.at[15] = 0xff; /* a negative one */
    assert_int_equal(copy_header(bytes.at, bytes.n, &err), -1);
}

static void a_row_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct error err = { 0 };
    struct bytes bytes = { .n = 0 };
    put_integer(&bytes, 4, 2);
    put_int8(&bytes, 42);
    put_field(&bytes, point, sizeof point);
    put_field(&bytes, NULL, -1);
    put_field(&bytes, "abc", 3);
    assert_int_equal(read_exact(&bytes, bytes.n, 4, &err), 1);
    for (int64_t n = 0; n < bytes.n; n++) {
        err.code = ERROR_NONE;
        assert_int_equal(read_exact(&bytes, n, 4, &err), -1);
        assert_int_equal(err.code, ERROR_FORMAT);
    }
    put(&bytes, "x", 1);
    assert_int_equal(read_exact(&bytes, bytes.n, 4, &err), -1);
}

static void lengths_and_counts_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t count, length;
    } cases[] = { { 1, 9 },          { 1, 7 },     { 1, 0x7fffffff }, { 1, 0x80000000 },
                  { 1, 0xfffffffe }, { 2, 8 },     { 0, 8 },          { 0x7fff, 8 },
                  { 0xffff, 8 },     { 0xfffe, 8 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        struct bytes bytes = { .n = 0 };
        put_integer(&bytes, cases[i].count, 2);
        put_integer(&bytes, cases[i].length, 4);
        put_integer(&bytes, 1, 8);
        assert_int_equal(read_exact(&bytes, bytes.n, 1, &err), -1);
        assert_int_equal(err.code, ERROR_FORMAT);
    }
}

static void the_trailer_ends(void **state)
{
    (void)state;
    struct bytes bytes = { .n = 0 };
    put_integer(&bytes, 0xffff, 2);
    assert_int_equal(read_exact(&bytes, 2, 3, NULL), 0);
}

static void random_bytes_are_refused_or_read(void **state)
{
    (void)state;
    uint64_t seed = 1;
    int n_read = 0;
    for (int i = 0; i < 200000; i++) {
        struct bytes bytes = { .n = 0 };
        put_integer(&bytes, 2, 2);
        while (bytes.n < 24) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint8_t byte = (uint8_t)(seed >> 56);
            bytes.at[bytes.n++] = seed >> 40 & 3 ? 0 : byte & 15;
        }
        n_read += read_exact(&bytes, bytes.n, 2, NULL) == 1;
    }
    assert_true(n_read > 0);
}

/* ---- rows into a batch ---- */

struct fixture {
    struct memory memory;
    struct binding binding;
    struct batch batch;
    struct copy_shape shape;
};

static void set_up(struct fixture *f,
                   enum value_type id_type,
                   int32_t capacity,
                   int64_t bytes_capacity)
{
    *f = (struct fixture){ .binding = { .id_type = id_type, .n_slots = 7 } };
    for (int i = 0; i < 6; i++)
        f->binding.slots[i + 1].type = (enum value_type)(TYPE_BOOLEAN + i);
    f->binding.slots[0].type = TYPE_REAL; /* measured: no field of the row */
    f->shape.n_columns = 6;
    for (int i = 0; i < 6; i++)
        f->shape.slot[i] = i + 1;
    assert_int_equal(memory_init(&f->memory, 1 << 20, NULL), 0);
    assert_int_equal(batch_init(&f->batch,
                                &f->binding,
                                capacity,
                                bytes_capacity,
                                &f->memory,
                                NULL),
                     0);
}

static int add(struct fixture *f, const struct bytes *bytes, struct error *err)
{
    struct copy_field fields[COPY_MAX_FIELDS];
    assert_int_equal(copy_row(bytes->at, bytes->n, fields, 8, err), 1);
    return copy_add(fields, &f->shape, &f->batch, err);
}

static void put_row(struct bytes *bytes, int64_t id)
{
    uint8_t yes = 1;
    bytes->n = 0;
    put_integer(bytes, 8, 2);
    put_int8(bytes, id);
    put_field(bytes, point, sizeof point);
    put_field(bytes, &yes, 1);
    put_int8(bytes, INT64_MIN);
    put_float8(bytes, -0.5);
    put_field(bytes, "gr\303\274n", 5);
    put_integer(bytes, 4, 4);
    put_integer(bytes, 0, 4); /* 2000-01-01 */
    put_int8(bytes, 1);
}

static void values_arrive_as_they_are(void **state)
{
    (void)state;
    struct fixture f;
    struct bytes bytes;
    set_up(&f, TYPE_INTEGER, 4, 100);
    put_row(&bytes, -7);
    assert_int_equal(add(&f, &bytes, NULL), 1);
    const struct column *c = f.batch.columns;
    assert_int_equal(f.batch.n_rows, 1);
    assert_int_equal(f.batch.id.integers[0], -7);
    assert_int_equal(f.batch.faults[0], EWKB_FINE);
    assert_true(f.batch.boxes[0].xmin == 1 && f.batch.boxes[0].ymax == 2);
    assert_int_equal(f.batch.geometry[0].n, 21);
    assert_memory_equal(f.batch.geometry[0].bytes, point, 21);
    assert_int_equal(c[1].integers[0], 1);
    assert_true(c[2].integers[0] == INT64_MIN);
    assert_true(c[3].reals[0] == -0.5);
    assert_int_equal(c[4].texts[0].n, 5);
    assert_memory_equal(c[4].texts[0].bytes, "gr\303\274n", 5);
    assert_int_equal(c[5].integers[0], 10957);
    assert_true(c[6].integers[0] == INT64_C(946684800000001));
    for (int i = 1; i < 7; i++)
        assert_int_equal(c[i].valid[0], 1);
    assert_int_equal(f.batch.bytes_used, 26);
    memory_release(&f.memory);
}

/* A row with a null for its id, and the point. */
static void put_row_without_id(struct bytes *bytes)
{
    struct bytes whole;
    put_row(&whole, 0);
    bytes->n = 0;
    put_integer(bytes, 8, 2);
    put_integer(bytes, UINT32_MAX, 4);
    memcpy(bytes->at + bytes->n, whole.at + 14, (size_t)whole.n - 14);
    bytes->n += whole.n - 14;
}

static void a_building_without_an_id_is_a_row_with_a_fault(void **state)
{
    (void)state;
    static const enum value_type types[] = { TYPE_INTEGER, TYPE_TEXT };
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        struct bytes bytes;
        struct error err = { 0 };
        set_up(&f, types[i], 4, 100);
        put_row_without_id(&bytes);
        assert_int_equal(add(&f, &bytes, &err), 1);
        assert_int_equal(f.batch.n_rows, 1);
        assert_int_equal(f.batch.id.valid[0], 0);
        assert_int_equal(f.batch.faults[0], EWKB_NO_ID);
        assert_int_equal(f.batch.geometry[0].n, 21);
        assert_true(f.batch.boxes[0].xmin > f.batch.boxes[0].xmax);
        if (types[i] == TYPE_TEXT)
            assert_int_equal(f.batch.id.texts[0].n, 0);
        else
            assert_true(f.batch.id.integers[0] == FILL_INTEGER);
        batch_reset(&f.batch);
        f.shape.srid = 4326;
        assert_int_equal(add(&f, &bytes, &err), -1);
        assert_non_null(strstr(err.text, "building without an id is in SRID 0"));
        f.shape.is_zone = true;
        assert_int_equal(add(&f, &bytes, &err), -1);
        assert_non_null(strstr(err.text, "a zone's id is null"));
        memory_release(&f.memory);
    }
}

static void a_building_in_another_srid_is_refused_by_name(void **state)
{
    (void)state;
    struct fixture f;
    struct bytes bytes;
    struct error err = { 0 };
    set_up(&f, TYPE_INTEGER, 4, 100);
    f.shape.srid = 4326;
    put_row(&bytes, -7); /* its point has none */
    assert_int_equal(add(&f, &bytes, &err), -1);
    assert_int_equal(err.code, ERROR_DATA);
    assert_non_null(strstr(err.text, "building -7 is in SRID 0, others in SRID 4326"));
    assert_int_equal(f.batch.n_rows, 0);
    f.shape.srid = 0;
    batch_reset(&f.batch);
    assert_int_equal(add(&f, &bytes, &err), 1);
    memory_release(&f.memory);
}

static void infinite_dates_stay_first_and_last(void **state)
{
    (void)state;
    static const struct {
        int32_t days;
        int64_t us, want_days, want_us;
    } cases[] = {
        { INT32_MAX, INT64_MAX, INT64_MAX, INT64_MAX },
        { INT32_MIN, INT64_MIN, INT64_MIN, INT64_MIN },
        { -10957, INT64_C(-946684800000000), 0, 0 },
        { INT32_MAX - 1, INT64_MAX - 1, INT64_C(2147483646) + 10957, INT64_MAX },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct bytes bytes = { .n = 0 };
        set_up(&f, TYPE_INTEGER, 1, 100);
        put_integer(&bytes, 8, 2);
        put_int8(&bytes, 1);
        put_field(&bytes, point, sizeof point);
        for (int k = 0; k < 4; k++)
            put_field(&bytes, NULL, -1);
        put_integer(&bytes, 4, 4);
        put_integer(&bytes, (uint32_t)cases[i].days, 4);
        put_int8(&bytes, cases[i].us);
        assert_int_equal(add(&f, &bytes, NULL), 1);
        for (int k = 1; k < 5; k++)
            assert_int_equal(f.batch.columns[k].valid[0], 0);
        assert_true(f.batch.columns[5].integers[0] == cases[i].want_days);
        assert_true(f.batch.columns[6].integers[0] == cases[i].want_us);
        memory_release(&f.memory);
    }
}

static void a_null_geometry_is_counted_and_takes_no_row(void **state)
{
    (void)state;
    struct fixture f;
    struct bytes bytes = { .n = 0 };
    set_up(&f, TYPE_INTEGER, 1, 100);
    put_integer(&bytes, 8, 2);
    for (int i = 0; i < 8; i++)
        put_field(&bytes, NULL, -1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(add(&f, &bytes, NULL), 1);
    assert_int_equal(f.batch.n_rows, 0);
    assert_int_equal(f.batch.n_filtered, 3);
    assert_int_equal(f.batch.bytes_used, 0);
    memory_release(&f.memory);
}

static void a_row_waits_or_is_refused_by_size(void **state)
{
    (void)state;
    struct bytes bytes;
    put_row(&bytes, 8812); /* 26 bytes of geometry and text */
    for (int64_t room = 25; room <= 53; room++) {
        struct fixture f;
        struct error err = { 0 };
        set_up(&f, TYPE_INTEGER, 2, room);
        int first = add(&f, &bytes, &err);
        assert_int_equal(first, room < 26 ? -1 : 1);
        if (first < 0) {
            assert_int_equal(err.code, ERROR_BUDGET);
            assert_non_null(strstr(err.text, "8812"));
            assert_non_null(strstr(err.text, "26 bytes"));
            assert_non_null(strstr(err.text, "25 bytes"));
        } else {
            assert_int_equal(add(&f, &bytes, &err), room < 52 ? 0 : 1);
            if (room >= 52) /* the rows are used up */
                assert_int_equal(add(&f, &bytes, &err), 0);
        }
        memory_release(&f.memory);
    }
}

static void a_text_id_is_named_and_takes_room(void **state)
{
    (void)state;
    struct fixture f;
    struct bytes bytes = { .n = 0 };
    struct error err = { 0 };
    put_integer(&bytes, 8, 2);
    put_field(&bytes, "B-17", 4);
    put_field(&bytes, point, sizeof point);
    for (int i = 0; i < 6; i++)
        put_field(&bytes, NULL, -1);
    set_up(&f, TYPE_TEXT, 2, 24);
    assert_int_equal(add(&f, &bytes, &err), -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.text, "building B-17 needs 25 bytes"));
    memory_release(&f.memory);
    set_up(&f, TYPE_TEXT, 2, 25);
    assert_int_equal(add(&f, &bytes, &err), 1);
    assert_memory_equal(f.batch.id.texts[0].bytes, "B-17", 4);
    memory_release(&f.memory);
}

static void values_of_the_wrong_length_are_refused(void **state)
{
    (void)state;
    /* field, its length instead of the type's */
    static const struct {
        int field;
        int32_t n;
    } cases[] = { { 0, 4 }, { 0, 0 }, { 2, 0 }, { 2, 2 }, { 3, 4 },
                  { 4, 4 }, { 6, 8 }, { 6, 0 }, { 7, 4 }, { 7, 9 } };
    static const uint8_t zeros[16];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct bytes bytes = { .n = 0 };
        struct error err = { 0 };
        set_up(&f, TYPE_INTEGER, 1, 100);
        put_integer(&bytes, 8, 2);
        for (int k = 0; k < 8; k++) {
            if (k == cases[i].field)
                put_field(&bytes, zeros, cases[i].n);
            else if (k == 0)
                put_int8(&bytes, 1);
            else if (k == 1)
                put_field(&bytes, point, sizeof point);
            else
                put_field(&bytes, NULL, -1);
        }
        assert_int_equal(add(&f, &bytes, &err), -1);
        assert_int_equal(err.code, ERROR_FORMAT);
        memory_release(&f.memory);
    }
}

static void a_geometry_that_is_none_has_a_fault_and_no_box(void **state)
{
    (void)state;
    struct fixture f;
    struct bytes bytes = { .n = 0 };
    set_up(&f, TYPE_INTEGER, 1, 100);
    put_integer(&bytes, 8, 2);
    put_int8(&bytes, 1);
    put_field(&bytes, point, sizeof point - 1);
    for (int i = 0; i < 6; i++)
        put_field(&bytes, NULL, -1);
    assert_int_equal(add(&f, &bytes, NULL), 1);
    assert_int_equal(f.batch.n_rows, 1);
    assert_int_equal(f.batch.faults[0], EWKB_MALFORMED);
    assert_true(f.batch.boxes[0].xmin > f.batch.boxes[0].xmax);
    memory_release(&f.memory);
}

static void a_message_is_whole_at_the_end_of_its_row(void **state)
{
    (void)state;
    for (int with_header = 0; with_header < 2; with_header++)
        for (int n_fields = -1; n_fields < 4; n_fields++) {
            struct bytes bytes = { .n = 0 };
            if (with_header)
                put(&bytes, header, sizeof header);
            put_integer(&bytes, (uint16_t)n_fields, 2);
            for (int i = 0; i < n_fields; i++)
                put_field(&bytes, point, i == 1 ? -1 : i);
            for (int64_t n = 0; n < bytes.n; n++)
                assert_int_equal(copy_is_whole(bytes.at, n),
                                 with_header && n == sizeof header);
            assert_true(copy_is_whole(bytes.at, bytes.n));
            assert_false(copy_is_whole(bytes.at, bytes.n + 1));
        }
}

static void a_row_of_nulls_is_one(void **state)
{
    (void)state;
    for (int n_fields = 1; n_fields < 4; n_fields++)
        for (int wrong = 0; wrong <= n_fields; wrong++) {
            struct bytes bytes = { .n = 0 };
            put_integer(&bytes, (uint16_t)n_fields, 2);
            for (int i = 0; i < n_fields; i++)
                put_field(&bytes, NULL, i == wrong ? 0 : -1);
            assert_int_equal(copy_is_null(bytes.at, bytes.n, n_fields),
                             wrong == n_fields);
            assert_false(copy_is_null(bytes.at, bytes.n - 1, n_fields));
            assert_false(copy_is_null(bytes.at, bytes.n, n_fields + 1));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_whole_at_the_end_of_its_row),
        cmocka_unit_test(a_row_of_nulls_is_one),
        cmocka_unit_test(the_header_is_checked),
        cmocka_unit_test(a_row_cut_anywhere_is_refused),
        cmocka_unit_test(lengths_and_counts_that_lie_are_refused),
        cmocka_unit_test(the_trailer_ends),
        cmocka_unit_test(random_bytes_are_refused_or_read),
        cmocka_unit_test(values_arrive_as_they_are),
        cmocka_unit_test(a_building_without_an_id_is_a_row_with_a_fault),
        cmocka_unit_test(a_building_in_another_srid_is_refused_by_name),
        cmocka_unit_test(infinite_dates_stay_first_and_last),
        cmocka_unit_test(a_null_geometry_is_counted_and_takes_no_row),
        cmocka_unit_test(a_row_waits_or_is_refused_by_size),
        cmocka_unit_test(a_text_id_is_named_and_takes_room),
        cmocka_unit_test(values_of_the_wrong_length_are_refused),
        cmocka_unit_test(a_geometry_that_is_none_has_a_fault_and_no_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
