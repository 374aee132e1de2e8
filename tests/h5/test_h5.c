#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5_hl.h>

#include "rooftally/h5/h5.h"

static char path[] = "/tmp/rooftally-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    h5_silence();
    h5_silence();
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    return unlink(path);
}

static hid_t new_file(void)
{
    hid_t file = h5_create_file(path, NULL);
    assert_true(file >= 0);
    return file;
}

static void drop(hid_t file)
{
    assert_int_equal(H5Fget_obj_count(file, H5F_OBJ_ALL), 1);
    assert_true(H5Fclose(file) >= 0);
    unlink(path);
}

static void text_of_any_length_comes_back(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0, 1, 2, 65535, 65536, 70000, 200000 };
    hid_t file = new_file();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char name[16], *text = calloc(lengths[i] + 1, 1);
        memset(text, 'a' + (int)i, lengths[i]);
        snprintf(name, sizeof name, "a%zu", i);
        assert_int_equal(h5_put_text(file, name, text, NULL), 0);
        char *back = h5_get_text(file, name, NULL);
        assert_string_equal(back, text);
        free(back);
        free(text);
    }
    drop(file);
}

static void numbers_come_back_and_other_types_are_refused(void **state)
{
    (void)state;
    hid_t file = new_file();
    struct error err = { 0 };
    int64_t value = 5;
    assert_int_equal(h5_put_integer(file, "i", INT64_MIN, NULL), 0);
    assert_int_equal(h5_put_real(file, "r", 0.5, NULL), 0);
    assert_int_equal(h5_put_text(file, "t", "text", NULL), 0);
    assert_int_equal(h5_get_integer(file, "i", &value, NULL), 0);
    assert_true(value == INT64_MIN);
    static const char *const not_integer[] = { "r", "t", "missing" };
    static const char *const not_text[] = { "r", "i", "missing" };
    for (int i = 0; i < 3; i++) {
        value = 5;
        assert_int_equal(h5_get_integer(file, not_integer[i], &value, &err), -1);
        assert_int_equal(err.code, ERROR_FORMAT);
        assert_int_equal(value, 5);
        assert_null(h5_get_text(file, not_text[i], &err));
        assert_int_equal(err.code, ERROR_FORMAT);
    }
    assert_int_equal(h5_put_integer(file, "i", 1, &err), -1); /* there already */
    assert_int_equal(err.code, ERROR_IO);
    drop(file);
}

static void an_error_carries_the_innermost_message(void **state)
{
    (void)state;
    struct error err = { 0 };
    assert_int_equal(H5Fopen("/missing/file.h5", H5F_ACC_RDONLY, H5P_DEFAULT), -1);
    assert_int_equal(h5_error(&err, ERROR_IO, "opening %s", "it"), -1);
    assert_non_null(strstr(err.text, "opening it: "));
    assert_non_null(strstr(err.text, "No such file"));
    /* whatever stands before the reason, such as a long path */
    char name[301] = "/missing/";
    memset(name + 9, 'x', sizeof name - 10);
    assert_int_equal(H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT), -1);
    h5_error(&err, ERROR_IO, "it");
    assert_string_equal(err.text, "it: unable to open file: No such file or directory");
    h5_error(&err, ERROR_IO, "again");
    assert_string_equal(err.text, "again"); /* the stack was cleared */
    hid_t file = new_file();
    assert_true(h5_create_file(path, &err) < 0); /* never over another file */
    assert_true(h5_create_group(file, "/a/b", &err) < 0);
    drop(file);
}

static void every_length_has_a_scale(void **state)
{
    (void)state;
    static const hsize_t lengths[] = { 0, 1, 7 };
    static const double values[7] = { 1, 2, 3, 4, 5, 6, 7 };
    hid_t file = new_file();
    for (int i = 0; i < 3; i++) {
        char group_name[8], mark[80];
        snprintf(group_name, sizeof group_name, "g%d", i);
        hid_t group = h5_create_group(file, group_name, NULL);
        hid_t data =
            h5_create_dataset(group, "x", H5T_IEEE_F64LE, 1, &lengths[i], NULL);
        hid_t scale = h5_create_dimension(group, "d", (int64_t)lengths[i], NULL);
        assert_true(group >= 0 && data >= 0 && scale >= 0);
        if (lengths[i] > 0)
            assert_int_equal(h5_write(data, H5T_NATIVE_DOUBLE, values, NULL), 0);
        assert_int_equal(h5_attach_scale(data, scale, 0, NULL), 0);
        assert_true(H5DSis_attached(data, scale, 0) > 0);
        assert_true(h5_has(group, "x") && !h5_has(group, "y"));
        /* the name that netCDF-4 looks for, and no space taken */
        assert_int_equal(H5DSget_scale_name(scale, mark, sizeof mark), 64);
        assert_int_equal(H5Dget_storage_size(data), 8 * lengths[i]);
        assert_true(H5Dget_offset(scale) == HADDR_UNDEF);
        h5_close(&data, H5Dclose);
        h5_close(&scale, H5Dclose);
        h5_close(&group, H5Gclose);
        assert_int_equal(group, H5I_INVALID_HID);
        assert_int_equal(h5_close(&group, H5Gclose), 0); /* twice is silent */
    }
    drop(file);
}

static void a_text_is_two_bytes_at_least(void **state)
{
    (void)state;
    static const int64_t cases[][2] = { { 0, 2 }, { 1, 2 }, { 2, 2 }, { 3, 3 } };
    for (int i = 0; i < 4; i++) {
        hid_t type = h5_text_type(cases[i][0]);
        assert_int_equal(H5Tget_size(type), cases[i][1]);
        assert_int_equal(H5Tget_cset(type), H5T_CSET_UTF8);
        H5Tclose(type);
    }
    unsigned major, minor, release;
    assert_int_equal(sscanf(h5_version(), "%u.%u.%u", &major, &minor, &release), 3);
}

/* A list of scales whose length, in the file's heap, is beyond its end. */
static void damage_heap(void)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path, "r+");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    char *heap = memmem(bytes, n, "GCOL", 4);
    assert_non_null(heap);
    /* past the heap's head: index, references, nothing, and eight bytes of length */
    assert_int_equal(fseek(file, heap - bytes + 16 + 8 + 6, SEEK_SET), 0);
    assert_int_equal(fputc(0x20, file), 0x20);
    fclose(file);
}

static void a_damaged_list_of_scales_is_not_read(void **state)
{
    (void)state;
    static const char *const names[] = {
        "zone", "along", "across", "square", "without"
    };
    static const hsize_t dims[] = { 3, 3 };
    hid_t file = new_file(), at[5];
    for (int i = 0; i < 5; i++)
        at[i] = h5_create_dataset(file,
                                  names[i],
                                  H5T_NATIVE_INT,
                                  i == 2 || i == 3 ? 2 : 1,
                                  dims,
                                  NULL);
    assert_int_equal(h5_make_scale(at[0], "zone", NULL), 0);
    assert_int_equal(h5_attach_scale(at[1], at[0], 0, NULL), 0);
    assert_int_equal(h5_attach_scale(at[2], at[0], 1, NULL), 0);
    assert_int_equal(h5_attach_scale(at[3], at[0], 1, NULL), 0);
    assert_int_equal(h5_attach_scale(at[3], at[0], 0, NULL), 0);
    for (int i = 0; i < 5; i++)
        h5_close(&at[i], H5Dclose);
    assert_true(H5Fclose(file) >= 0);
    damage_heap();
    file = h5_read_file(path);
    for (int i = 0; i < 5; i++)
        at[i] = H5Dopen2(file, names[i], H5P_DEFAULT);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(h5_is_attached(at[i], at[0]), i == 1 || i == 3);
        assert_false(h5_is_attached(at[i], at[1])); /* it is no scale */
    }
    for (int i = 0; i < 5; i++)
        h5_close(&at[i], H5Dclose);
    drop(file);
}

static int note(void *context, hid_t dataset, const char *name, struct error *err)
{
    char *names = context;
    assert_true(H5Iget_type(dataset) == H5I_DATASET);
    strcat(names, name);
    return strchr(names, '!') ? error_set(err, ERROR_DATA, "%s", name) : 0;
}

/* Made in this order; a scale and a group among them are passed over. */
static void make_datasets(hid_t group)
{
    static const char *const names[] = { "c", "a", "scale", "b" };
    const hsize_t n = 2;
    for (int i = 0; i < 4; i++) {
        hid_t dataset = h5_create_dataset(group, names[i], H5T_NATIVE_INT, 1, &n, NULL);
        if (strcmp(names[i], "scale") == 0)
            assert_int_equal(h5_make_scale(dataset, names[i], NULL), 0);
        h5_close(&dataset, H5Dclose);
    }
    hid_t inner = h5_create_group(group, "aa", NULL);
    h5_close(&inner, H5Gclose);
}

static void datasets_come_in_the_order_that_the_file_knows(void **state)
{
    (void)state;
    char names[64] = "";
    hid_t file = new_file();
    make_datasets(file);
    hid_t plain = H5Gcreate2(file, "plain", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    make_datasets(plain);
    h5_close(&plain, H5Gclose);
    assert_int_equal(h5_each_dataset(file, "/", note, names, NULL), 0);
    assert_string_equal(names, "cab");
    *names = '\0';
    assert_int_equal(h5_each_dataset(file, "/plain", note, names, NULL), 0);
    assert_string_equal(names, "abc");
    drop(file);
}

static void a_walk_that_fails_says_why(void **state)
{
    (void)state;
    char names[64] = "!";
    struct error err = { ERROR_NONE, "" };
    hid_t file = new_file();
    make_datasets(file);
    assert_int_equal(h5_each_dataset(file, "/", note, names, &err), -1);
    assert_int_equal(err.code, ERROR_DATA);
    assert_string_equal(err.text, "c");
    assert_string_equal(names, "!c");
    assert_int_equal(h5_each_dataset(file, "/none", note, names, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_non_null(strstr(err.text, "/none cannot be listed"));
    drop(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_length_comes_back),
        cmocka_unit_test(numbers_come_back_and_other_types_are_refused),
        cmocka_unit_test(an_error_carries_the_innermost_message),
        cmocka_unit_test(every_length_has_a_scale),
        cmocka_unit_test(a_text_is_two_bytes_at_least),
        cmocka_unit_test(a_damaged_list_of_scales_is_not_read),
        cmocka_unit_test(datasets_come_in_the_order_that_the_file_knows),
        cmocka_unit_test(a_walk_that_fails_says_why),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
