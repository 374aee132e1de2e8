#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "result/case.h"

struct bench {
    char folder[64], path[80];
    struct comm *comm;
    struct binding binding;
    struct memory memory;
    struct spool *spool;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    snprintf(b->folder, sizeof b->folder, "/tmp/rooftally-XXXXXX");
    if (!mkdtemp(b->folder))
        return -1;
    snprintf(b->path, sizeof b->path, "%s/rank-0.1", b->folder);
    b->binding = case_binding(CASE_FULL);
    if (comm_open(&b->comm, NULL, NULL, NULL) < 0
        || memory_init(&b->memory, 64 << 20, NULL) < 0
        || spool_open(&b->spool, b->folder, "run", 1, 0, NULL) < 0)
        return -1;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    spool_close(b->spool);
    spool_remove(b->folder, NULL);
    memory_release(&b->memory);
    comm_close(b->comm);
    free(b);
    return 0;
}

static int append(struct bench *b, int64_t row, struct error *err)
{
    struct memory_mark mark = memory_mark(&b->memory);
    struct zone_record record;
    case_record(&record, CASE_FULL, &b->binding, row, 0, &b->memory);
    int status = spool_append(b->spool, &record, &case_statistics, err);
    memory_rewind(&b->memory, &mark);
    return status;
}

static int64_t file_size(const struct bench *b)
{
    struct stat stat_file;
    assert_int_equal(stat(b->path, &stat_file), 0);
    return stat_file.st_size;
}

/* Rows that a scan finds, in order; n of them. */
static void assert_rows(struct bench *b, const int64_t *rows, int64_t n)
{
    struct memory_mark mark = memory_mark(&b->memory);
    assert_int_equal(spool_scan(b->spool, &b->memory, NULL), 0);
    assert_int_equal(spool_n_records(b->spool), n);
    for (int64_t i = 0; i < n; i++) {
        struct zone_record record;
        assert_int_equal(spool_entry(b->spool, i)->row, rows[i]);
        assert_int_equal(spool_read(b->spool,
                                    i,
                                    &case_statistics,
                                    &record,
                                    &b->memory,
                                    NULL),
                         0);
        assert_int_equal(record.row, rows[i]);
        assert_int_equal(record.n_selected, spool_entry(b->spool, i)->n_selected);
        assert_int_equal(record.n_rejected, spool_entry(b->spool, i)->n_rejected);
        assert_int_equal(record.wkb.n, spool_entry(b->spool, i)->n_wkb);
    }
    memory_rewind(&b->memory, &mark);
}

static void records_come_back_by_row(void **state)
{
    struct bench *b = *state;
    /* the huge one is longer than the buffer, so its head is written afterwards */
    static const int64_t order[] = { 9, CASE_HUGE_ROW, 1, 0, 4 };
    static const int64_t sorted[] = { 0, 1, CASE_HUGE_ROW, 4, 9 };
    assert_rows(b, NULL, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(append(b, order[i], NULL), 0);
    assert_int_equal(spool_sync(b->spool, NULL), 0);
    assert_rows(b, sorted, 5);
    assert_int_equal(append(b, 20, NULL), 0);
    assert_int_equal(spool_n_records(b->spool), 0); /* until the next scan */
}

static void of_one_zone_the_last_record_counts(void **state)
{
    struct bench *b = *state;
    static const int64_t rows[] = { 1, 4 };
    assert_int_equal(append(b, 1, NULL), 0);
    assert_int_equal(append(b, 4, NULL), 0);
    int64_t first_end = file_size(b);
    assert_int_equal(append(b, 1, NULL), 0);
    assert_rows(b, rows, 2);
    assert_int_equal(spool_scan(b->spool, &b->memory, NULL), 0);
    assert_true(spool_entry(b->spool, 0)->offset > first_end);
    assert_true(spool_entry(b->spool, 1)->offset < first_end);
}

static void of_the_records_those_of_one_owner_are_kept(void **state)
{
    struct bench *b = *state;
    static const int64_t owners[] = { 2, 1, -1, 0, 1, 2, 1, -1, 0, 2 };
    for (int64_t own = 0; own < 4; own++) {
        struct memory_mark mark = memory_mark(&b->memory);
        if (own == 0)
            for (int64_t row = 0; row < 10; row++)
                assert_int_equal(append(b, row, NULL), 0);
        assert_int_equal(spool_scan(b->spool, &b->memory, NULL), 0);
        spool_keep(b->spool, owners, own);
        int64_t n = 0;
        for (int64_t row = 0; row < 10; row++) {
            if (owners[row] != own)
                continue;
            assert_true(n < spool_n_records(b->spool));
            assert_int_equal(spool_entry(b->spool, n++)->row, row);
        }
        assert_int_equal(spool_n_records(b->spool), n);
        memory_rewind(&b->memory, &mark);
    }
}

/* Begun once some MiB are there, and again for what came since. */
static void what_is_on_its_way_to_disk_is_the_same(void **state)
{
    struct bench *b = *state;
    static const int64_t rows[] = { 0, CASE_HUGE_ROW, 4 };
    assert_int_equal(append(b, 4, NULL), 0);
    spool_start_sync(b->spool); /* not worth it yet */
    while (file_size(b) < 10 << 20) {
        assert_int_equal(append(b, CASE_HUGE_ROW, NULL), 0);
        spool_start_sync(b->spool);
    }
    assert_int_equal(append(b, 0, NULL), 0);
    assert_rows(b, rows, 3);
    assert_int_equal(spool_sync(b->spool, NULL), 0);
    spool_start_sync(b->spool);
    assert_rows(b, rows, 3);
}

static void a_record_torn_at_any_byte_does_not_count(void **state)
{
    struct bench *b = *state;
    static const int64_t rows[] = { 0, 1 };
    assert_int_equal(append(b, 0, NULL), 0);
    int64_t first_end = file_size(b);
    assert_int_equal(append(b, 1, NULL), 0);
    int64_t end = file_size(b);
    assert_rows(b, rows, 2);
    for (int64_t size = end - 1; size >= 0; size--) {
        assert_int_equal(truncate(b->path, size), 0);
        assert_rows(b, rows, size >= first_end ? 1 : 0);
    }
}

static void a_record_with_any_byte_changed_does_not_count(void **state)
{
    struct bench *b = *state;
    static const int64_t rows[] = { 0, 1 };
    assert_int_equal(append(b, 0, NULL), 0);
    int64_t first_end = file_size(b);
    assert_int_equal(append(b, 1, NULL), 0);
    int64_t end = file_size(b);
    FILE *file = fopen(b->path, "r+b");
    assert_non_null(file);
    setbuf(file, NULL);
    int64_t n_padding = 0;
    for (int64_t at = first_end; at < end; at++) {
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 0x40, file);
        struct memory_mark mark = memory_mark(&b->memory);
        assert_int_equal(spool_scan(b->spool, &b->memory, NULL), 0);
        /* only what pads the payload is not covered */
        if (spool_n_records(b->spool) == 2)
            n_padding++;
        else
            assert_int_equal(spool_n_records(b->spool), 1);
        memory_rewind(&b->memory, &mark);
        fseek(file, at, SEEK_SET);
        fputc(byte, file);
    }
    fclose(file);
    assert_true(n_padding < 8);
    assert_rows(b, rows, 2);
}

static void a_record_changed_after_the_scan_is_refused(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    struct zone_record record;
    assert_int_equal(append(b, 1, NULL), 0);
    assert_int_equal(spool_scan(b->spool, &b->memory, NULL), 0);
    FILE *file = fopen(b->path, "r+b");
    fseek(file, (long)spool_entry(b->spool, 0)->offset + 100, SEEK_SET);
    fputc('?', file);
    fclose(file);
    assert_int_equal(spool_read(b->spool,
                                0,
                                &case_statistics,
                                &record,
                                &b->memory,
                                &err),
                     -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_non_null(strstr(err.text, b->path));
}

static void a_full_disk_costs_only_the_record_in_hand(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    static const int64_t rows[] = { 1, 2, CASE_HUGE_ROW };
    assert_int_equal(append(b, 1, NULL), 0);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    int64_t sizes[] = { 1, 47, 100, 65536 + 10, 200000 };
    for (int i = 0; i < 5; i++) {
        struct rlimit less = limit;
        int64_t n_bytes = file_size(b);
        less.rlim_cur = (rlim_t)(n_bytes + sizes[i]);
        setrlimit(RLIMIT_FSIZE, &less);
        int status = append(b, CASE_HUGE_ROW, &err);
        setrlimit(RLIMIT_FSIZE, &limit);
        assert_int_equal(status, -1);
        assert_int_equal(err.code, ERROR_IO);
        assert_non_null(strstr(err.text, b->path));
        assert_int_equal(file_size(b), n_bytes); /* the disk has its room back */
        assert_rows(b, rows, 1);
    }
    assert_int_equal(append(b, CASE_HUGE_ROW, NULL), 0);
    assert_int_equal(append(b, 2, NULL), 0);
    assert_rows(b, rows, 3);
}

static void the_folder_is_ours_alone_and_goes_away(void **state)
{
    (void)state;
    struct error err = { 0 };
    char base[] = "/tmp/rooftally-XXXXXX";
    assert_non_null(mkdtemp(base));
    char output[64], link[80];
    snprintf(output, sizeof output, "%s/out.h5", base);
    char *folder = spool_folder(output);
    assert_string_equal(folder + strlen(output), ".spool");

    assert_int_equal(spool_remove(folder, NULL), 0); /* a missing one is silent */
    assert_int_equal(spool_create(folder, NULL), 0);
    struct stat stat_folder;
    stat(folder, &stat_folder);
    assert_int_equal(stat_folder.st_mode & 0777, 0700);
    struct spool *spool = NULL;
    assert_int_equal(spool_open(&spool, folder, "run", 1, 7, NULL), 0);
    spool_close(spool);
    assert_int_equal(spool_create(folder, NULL), 0); /* leftovers go */
    assert_int_equal(rmdir(folder), 0);

    assert_int_equal(spool_open(&spool, folder, "run", 1, 0, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_int_equal(symlink("/tmp", folder), 0); /* not followed */
    assert_int_equal(spool_create(folder, &err), -1);
    assert_int_equal(spool_remove(folder, &err), -1);
    unlink(folder);
    snprintf(link, sizeof link, "%s/no/out.h5.spool", base);
    assert_int_equal(spool_create(link, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    rmdir(base);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back_by_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_one_zone_the_last_record_counts,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_the_records_those_of_one_owner_are_kept,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_on_its_way_to_disk_is_the_same,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_torn_at_any_byte_does_not_count,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_with_any_byte_changed_does_not_count,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_changed_after_the_scan_is_refused,
                                        set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_costs_only_the_record_in_hand,
                                        set_up,
                                        tear_down),
        cmocka_unit_test(the_folder_is_ours_alone_and_goes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
