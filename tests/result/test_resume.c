/* A spool of several attempts: what the next one finds, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/h5/h5.h"

#include "check.h"
#include "result/case.h"

enum { N_ZONES = 40, MEMORY = 16 << 20 };

struct bench {
    char base[32], output[64], *folder;
    struct comm *comm;
    struct binding binding;
    struct memory memory;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    snprintf(b->base, sizeof b->base, "/tmp/rooftally-XXXXXX");
    if (!mkdtemp(b->base))
        return -1;
    snprintf(b->output, sizeof b->output, "%s/out.h5", b->base);
    b->folder = spool_folder(b->output);
    b->binding = case_binding(CASE_FULL);
    if (comm_open(&b->comm, NULL, NULL, NULL) < 0
        || memory_init(&b->memory, MEMORY, NULL) < 0
        || spool_create(b->folder, NULL) < 0)
        return -1;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    unlink(b->output);
    int status = spool_remove(b->folder, NULL) < 0 || rmdir(b->base) < 0;
    memory_release(&b->memory);
    comm_close(b->comm);
    free(b->folder);
    free(b);
    return status;
}

static struct spool *opened(struct bench *b, int attempt, int rank)
{
    struct spool *spool = NULL;
    struct error err;
    assert_fine(spool_open(&spool, b->folder, "run", attempt, rank, &err), &err);
    return spool;
}

static void append(struct bench *b, struct spool *spool, int64_t row)
{
    struct memory_mark mark = memory_mark(&b->memory);
    struct zone_record record;
    struct error err;
    case_record(&record, CASE_FULL, &b->binding, row, 0, &b->memory);
    assert_fine(spool_append(spool, &record, &case_statistics, &err), &err);
    memory_rewind(&b->memory, &mark);
}

/* An attempt of n_ranks that finishes the rows first, first + step, ... */
static void
attempt(struct bench *b, int number, int n_ranks, int64_t first, int64_t step)
{
    for (int rank = 0; rank < n_ranks; rank++) {
        struct spool *spool = opened(b, number, rank);
        for (int64_t row = first; row < N_ZONES; row += step)
            if (row % n_ranks == rank)
                append(b, spool, row);
        spool_close(spool);
    }
}

static void any_number_of_ranks_takes_over_every_file_once(void **state)
{
    struct bench *b = *state;
    attempt(b, 1, 3, 0, 3);
    attempt(b, 2, 1, 1, 3);
    attempt(b, 5, 7, 0, 4); /* some of these were finished before */
    int n_expected = 0;
    for (int64_t row = 0; row < N_ZONES; row++)
        n_expected += row % 3 == 0 || row % 3 == 1 || row % 4 == 0;
    for (int n_ranks = 1; n_ranks <= 20; n_ranks++) {
        int seen[N_ZONES] = { 0 }, n_seen = 0;
        for (int rank = 0; rank < n_ranks; rank++) {
            struct memory_mark mark = memory_mark(&b->memory);
            struct spool *spool = opened(b, 6, rank);
            assert_fine(spool_inherit(spool, n_ranks, NULL), &(struct error){ 0 });
            assert_int_equal(spool_scan(spool, &b->memory, NULL), 0);
            for (int64_t i = 0; i < spool_n_records(spool); i++) {
                const struct spool_entry *entry = spool_entry(spool, i);
                struct zone_record record;
                assert_true(i == 0 || entry[-1].row < entry->row);
                assert_true(entry->attempt >= 1 && entry->attempt <= 5);
                assert_int_equal(spool_read(spool,
                                            i,
                                            &case_statistics,
                                            &record,
                                            &b->memory,
                                            NULL),
                                 0);
                assert_int_equal(record.row, entry->row);
                n_seen += seen[record.row]++ == 0;
            }
            spool_close(spool);
            memory_rewind(&b->memory, &mark);
        }
        assert_int_equal(n_seen, n_expected);
        for (int row = 0; row < N_ZONES && n_ranks == 1; row++)
            assert_true(seen[row] <= 1);
    }
    struct spool_contents there;
    int64_t used = b->memory.used_bytes;
    assert_int_equal(spool_count(b->folder, &there, &b->memory, NULL), 0);
    assert_int_equal(there.n_zones, n_expected);
    assert_int_equal(there.last_attempt, 6);
    assert_int_equal(b->memory.used_bytes, used);
}

/* In whatever order a folder lists its files. */
static void the_last_attempt_is_found_and_its_own_records_count_first(void **state)
{
    struct bench *b = *state;
    struct spool_contents there;
    static const int numbers[] = { 4, 11, 2, 19, 7, 3, 12, 1 };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        attempt(b, numbers[i], 3, (int64_t)i, N_ZONES);
        assert_int_equal(spool_count(b->folder, &there, &b->memory, NULL), 0);
        assert_int_equal(there.n_zones, i + 1);
        assert_int_equal(there.last_attempt, i == 0 ? 4 : i < 3 ? 11 : 19);
    }
    struct spool *spool = opened(b, 20, 0);
    append(b, spool, 3);
    assert_int_equal(spool_inherit(spool, 1, NULL), 0);
    assert_int_equal(spool_scan(spool, &b->memory, NULL), 0);
    assert_int_equal(spool_n_records(spool), 8);
    for (int64_t row = 0; row < 8; row++)
        assert_int_equal(spool_entry(spool, row)->attempt,
                         row == 3 ? 20 : numbers[row]);
    spool_close(spool);
}

static void torn_tails_of_earlier_files_are_dropped(void **state)
{
    struct bench *b = *state;
    char path[2][128];
    struct stat whole;
    attempt(b, 1, 2, 0, 1);
    for (int i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "%s/rank-%d.1", b->folder, i);
    assert_int_equal(stat(path[1], &whole), 0);
    int64_t last = N_ZONES / 2;
    struct spool_contents there;
    for (int64_t size = whole.st_size; size >= 0; size -= size > 3000 ? 1777 : 1) {
        assert_int_equal(truncate(path[1], size), 0);
        assert_int_equal(spool_count(b->folder, &there, &b->memory, NULL), 0);
        assert_in_range(there.n_zones, N_ZONES / 2, N_ZONES / 2 + last);
        last = there.n_zones - N_ZONES / 2; /* never more than before */
    }
    assert_int_equal(there.n_zones, N_ZONES / 2);
    /* bytes that are none of ours cost what follows them, and no more */
    FILE *file = fopen(path[0], "r+b");
    fputs("nonsense", file);
    fclose(file);
    assert_int_equal(spool_count(b->folder, &there, &b->memory, NULL), 0);
    assert_int_equal(there.n_zones, 0);
}

/* Bytes that the next attempt calls damaged, of n_zones records that it counts. */
static int64_t n_damaged(struct bench *b, int64_t n_zones)
{
    struct memory_mark mark = memory_mark(&b->memory);
    struct spool_damage damage;
    struct spool *spool = opened(b, 9, 0);
    int64_t n_bytes = 0;
    assert_int_equal(spool_inherit(spool, 1, NULL), 0);
    assert_int_equal(spool_scan(spool, &b->memory, NULL), 0);
    assert_int_equal(spool_n_records(spool), n_zones);
    for (int file = 0; spool_next_damage(spool, &file, &damage);) {
        assert_int_equal(damage.rank, 0);
        assert_int_equal(damage.attempt, 1);
        n_bytes += damage.n_bytes;
    }
    spool_close(spool);
    memory_rewind(&b->memory, &mark);
    return n_bytes;
}

static int64_t size_of(const char *path)
{
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    return there.st_size;
}

static void what_a_kill_leaves_is_no_damage(void **state)
{
    struct bench *b = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/rank-0.1", b->folder);
    static const int64_t rows[] = { 1, CASE_HUGE_ROW }; /* written at once, and not */
    for (int i = 0; i < 2; i++) {
        struct spool *spool = opened(b, 1, 0);
        append(b, spool, 4);
        int64_t first = size_of(path);
        append(b, spool, rows[i]);
        spool_close(spool);
        assert_int_equal(n_damaged(b, 2), 0);
        if (i == 1) { /* its head comes last */
            static const char none[56];
            FILE *file = fopen(path, "r+b");
            fseek(file, (long)first, SEEK_SET);
            fwrite(none, sizeof none, 1, file);
            fclose(file);
            assert_int_equal(n_damaged(b, 1), 0);
        }
        int64_t step = i == 0 ? 11 : 49999;
        for (int64_t size = size_of(path) - 1; size >= first; size -= step) {
            assert_int_equal(truncate(path, size), 0);
            assert_int_equal(n_damaged(b, 1), 0);
        }
    }
}

static void what_has_changed_on_the_disk_is_damage(void **state)
{
    struct bench *b = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/rank-0.1", b->folder);
    struct spool *spool = opened(b, 1, 0);
    append(b, spool, 1);
    int64_t first = size_of(path);
    append(b, spool, 4);
    append(b, spool, 9);
    spool_close(spool);
    int64_t size = size_of(path);
    FILE *file = fopen(path, "r+b");
    setbuf(file, NULL);
    for (int64_t at = first; at < first + 200; at++) {
        fseek(file, (long)at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, (long)at, SEEK_SET);
        fputc(byte ^ 0x80, file);
        int64_t n = n_damaged(b, 1);
        /* a length that leads out of the file may be one that was begun */
        assert_true(n == size - first
                    || (n == 0 && at - first >= 16 && at - first < 24));
        fseek(file, (long)at, SEEK_SET);
        fputc(byte, file);
    }
    fclose(file);
    assert_int_equal(n_damaged(b, 3), 0);
}

/* A file that was copied from the spool of another run. */
static void records_of_another_run_do_not_count(void **state)
{
    struct bench *b = *state;
    struct spool *spool = NULL;
    struct spool_contents there;
    assert_int_equal(spool_open(&spool, b->folder, "another run", 1, 0, NULL), 0);
    for (int64_t row = 0; row < 5; row++)
        append(b, spool, row);
    spool_close(spool);
    assert_true(n_damaged(b, 0) > 1000);
    assert_int_equal(spool_count(b->folder, &there, &b->memory, NULL), 0);
    assert_int_equal(there.n_zones, 5); /* nobody has said whose are meant */
    assert_int_equal(there.n_damaged_bytes, 0);
}

static int write_as(struct bench *b,
                    struct spool *spool,
                    enum result_reading reading,
                    struct error *err)
{
    struct case_input c;
    case_input_init(&c, CASE_FULL, b->output, N_ZONES, b->comm);
    c.input.reading = reading;
    c.provenance[1] = (struct result_attribute){ "run", "first", 0 };
    int status = result_write(b->comm, &c.input, spool, &b->memory, err);
    case_input_release(&c);
    return status;
}

static int write_result(struct bench *b, struct spool *spool, struct error *err)
{
    return write_as(b, spool, RESULT_SNAPSHOT, err);
}

/* Whether it says that it is consistent; the result is gone afterwards. */
static bool take_result(struct bench *b)
{
    struct result_totals totals;
    struct error err = { 0 };
    assert_fine(result_total(b->output, &totals, &err), &err);
    unlink(b->output);
    return totals.consistent;
}

/* Rows were finished by attempts 1 and 2 in turn. */
static void check_attempts(hid_t file)
{
    int64_t attempts[N_ZONES];
    hid_t dataset = H5Dopen2(file, "/telemetry/zone/attempt", H5P_DEFAULT);
    assert_true(
        H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, attempts)
        >= 0);
    H5Dclose(dataset);
    for (int64_t row = 0; row < N_ZONES; row++)
        assert_int_equal(attempts[row], 1 + row % 2);
}

static void a_result_of_several_attempts_says_so(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    int64_t consistent = -1;
    attempt(b, 1, 3, 0, 2);
    struct spool *spool = opened(b, 2, 0);
    assert_int_equal(spool_inherit(spool, 1, NULL), 0);
    assert_refused(write_result(b, spool, &err), &err, ERROR_INTERNAL, "no record");
    for (int64_t row = 1; row < N_ZONES; row += 2)
        append(b, spool, row);
    assert_fine(write_result(b, spool, &err), &err);
    spool_close(spool);
    hid_t file = H5Fopen(b->output, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_int_equal(h5_get_integer(file, "consistent", &consistent, NULL), 0);
    assert_int_equal(consistent, 0);
    check_attempts(file);
    H5Fclose(file);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_fine(result_info(b->output, out, &err), &err);
    fclose(out);
    assert_non_null(strstr(text, "not under one snapshot"));
    free(text);
    assert_true(result_is_of(b->output, "run", "first"));
    assert_false(result_is_of(b->output, "run", "other"));
    assert_false(result_is_of(b->base, "run", "first"));
    assert_false(result_is_of(b->output, "no such", "first"));
    assert_false(result_is_of("/nowhere", "run", "first"));
    unlink(b->output);

    /* a source that cannot change is the same in every attempt */
    spool = opened(b, 3, 0);
    assert_int_equal(spool_inherit(spool, 1, NULL), 0);
    assert_fine(write_as(b, spool, RESULT_FIXED, &err), &err);
    spool_close(spool);
    assert_true(take_result(b));

    /* where one attempt has done all, the next has only written */
    spool_create(b->folder, NULL);
    attempt(b, 1, 2, 0, 1);
    spool = opened(b, 2, 0);
    assert_int_equal(spool_inherit(spool, 1, NULL), 0);
    assert_fine(write_result(b, spool, &err), &err);
    assert_true(take_result(b));
    /* but without a snapshot it has not seen all at one time */
    assert_fine(write_as(b, spool, RESULT_LIVE, &err), &err);
    assert_false(take_result(b));
    spool_close(spool);
}

static const struct spool_manifest manifest = {
    .run = "2026-11-22T10:38:40Z node7 4711",
    .source = "database gis of system 7",
    .job = "[zones] table = zip\n[statistics] n = count\n",
    .n_zones = 351,
    .zones_crc = 0x1a2b3c4d,
};

static void a_manifest_knows_its_job(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    char run[SPOOL_RUN_BYTES] = "untouched";
    assert_int_equal(spool_check_manifest(b->folder, &manifest, run, &err), 0);
    assert_fine(spool_put_manifest(b->folder, &manifest, &err), &err);
    assert_string_equal(run, "untouched");

    struct spool_manifest now = manifest;
    now.run = "another";
    assert_int_equal(spool_check_manifest(b->folder, &now, run, &err), 1);
    assert_string_equal(run, manifest.run);

    struct spool_manifest others[4] = { manifest, manifest, manifest, manifest };
    static const char *const says[] = {
        "[zones] table was 'zip', now it is 'plz'",
        "its source was database gis of system 7, now it is database gis of system 8",
        "there were 351 zones, now there are 350",
        "the ids of its zones are others",
    };
    others[0].job = "[zones] table = plz\n[statistics] n = count\n";
    others[1].source = "database gis of system 8";
    others[2].n_zones = 350;
    others[3].zones_crc = 1;
    for (int i = 0; i < 4; i++) {
        assert_refused(spool_check_manifest(b->folder, &others[i], run, &err),
                       &err,
                       ERROR_USAGE,
                       says[i]);
        assert_non_null(strstr(err.text, "--force"));
    }
}

static void a_damaged_manifest_is_refused(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    char run[SPOOL_RUN_BYTES], path[128];
    snprintf(path, sizeof path, "%s/manifest", b->folder);
    static const char *const texts[] = { "",
                                         "rooftally spool 2\n",
                                         "rooftally spool 4\nrun x\n",
                                         "rooftally spool 4\nrun x\nsource y\nzones 1",
                                         "rooftally spool 4\ncrc32c 00000000\nrun x\n",
                                         "something else\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        FILE *file = fopen(path, "w");
        fputs(texts[i], file);
        fclose(file);
        assert_refused(spool_check_manifest(b->folder, &manifest, run, &err),
                       &err,
                       ERROR_USAGE,
                       "--force");
    }
}

/* Any bit that is turned, any length that it is cut to, and more behind it: never another
 * job's, which nobody would find. */
static void a_manifest_knows_that_it_is_damaged(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    char run[SPOOL_RUN_BYTES], path[128], text[1024];
    snprintf(path, sizeof path, "%s/manifest", b->folder);
    assert_fine(spool_put_manifest(b->folder, &manifest, &err), &err);
    FILE *file = fopen(path, "r");
    size_t n = fread(text, 1, sizeof text - 1, file),
           n_head = strlen("rooftally spool 4\n");
    fclose(file);
    assert_true(n > n_head + 100);
    for (size_t i = n_head; i < 8 * n + 1; i++) {
        bool is_cut = i < n, is_longer = i == 8 * n;
        if (!is_cut && !is_longer && i / 8 < n_head)
            continue;
        file = fopen(path, "w");
        if (!is_cut && !is_longer)
            text[i / 8] ^= (char)(1 << i % 8);
        fwrite(text, 1, is_cut ? i : n, file);
        if (is_longer)
            fputc('\n', file);
        fclose(file);
        if (!is_cut && !is_longer)
            text[i / 8] ^= (char)(1 << i % 8);
        err = (struct error){ 0 };
        assert_refused(spool_check_manifest(b->folder, &manifest, run, &err),
                       &err,
                       ERROR_USAGE,
                       "is damaged");
    }
}

enum odd { PIPE, DANGLING, FOLDER, N_ODDS };

static void put_odd(enum odd odd, const char *path)
{
    assert_int_equal(odd == PIPE       ? mkfifo(path, 0600)
                     : odd == DANGLING ? symlink("nowhere", path)
                                       : mkdir(path, 0700),
                     0);
}

static void what_is_no_file_is_refused_and_cleared(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    struct spool_contents there;
    char run[SPOOL_RUN_BYTES], file[128], text[128], inside[160];
    snprintf(file, sizeof file, "%s/rank-5.1", b->folder);
    snprintf(text, sizeof text, "%s/manifest", b->folder);
    for (enum odd odd = PIPE; odd < N_ODDS; odd++) {
        put_odd(odd, file);
        put_odd(odd, text);
        assert_refused(spool_count(b->folder, &there, &b->memory, &err),
                       &err,
                       ERROR_IO,
                       "rank-5.1 is no regular file: remove it");
        assert_refused(spool_check_manifest(b->folder, &manifest, run, &err),
                       &err,
                       ERROR_USAGE,
                       "its manifest is damaged");
        assert_fine(spool_create(b->folder, &err), &err);
        assert_int_equal(access(text, F_OK), -1);
    }
    /* what somebody keeps there stays, and the manifest as long as that */
    snprintf(inside, sizeof inside, "%s/kept", file);
    put_odd(FOLDER, file);
    put_odd(FOLDER, inside);
    assert_fine(spool_put_manifest(b->folder, &manifest, &err), &err);
    assert_refused(spool_create(b->folder, &err),
                   &err,
                   ERROR_IO,
                   "rank-5.1 cannot be removed: Directory not empty: remove it by "
                   "hand");
    assert_int_equal(spool_check_manifest(b->folder, &manifest, run, &err), 1);
    assert_int_equal(rmdir(inside), 0);
}

static bool is_wished(void *context)
{
    (void)context;
    return true;
}

static void one_run_at_a_time_works_on_a_spool(void **state)
{
    struct bench *b = *state;
    struct error err = { 0 };
    int lock = -1, other = -1;
    assert_int_equal(spool_remove(b->folder, NULL), 0);
    assert_fine(spool_lock(b->folder, 0, NULL, NULL, &lock, &err),
                &err); /* makes the folder */
    assert_refused(spool_lock(b->folder, 0.3, NULL, NULL, &other, &err),
                   &err,
                   ERROR_USAGE,
                   "another run");
    double start_s = clock_wall_s();
    assert_int_equal(spool_lock(b->folder, 30, is_wished, NULL, &other, &err), -1);
    assert_int_equal(err.code, ERROR_STOPPED);
    assert_true(clock_wall_s() - start_s < 5);
    close(lock);
    assert_fine(spool_lock(b->folder, 0, NULL, NULL, &lock, &err), &err);
    assert_int_equal(spool_remove(b->folder, NULL), 0);
    close(lock);

    /* a process that is killed gives it back, and a run that waits gets it */
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int status = spool_lock(b->folder, 0, NULL, NULL, &lock, NULL);
        if (write(ready[1], "x", 1) == 1 && status == 0)
            usleep(300 * 1000);
        _exit(status ? 1 : 0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_fine(spool_lock(b->folder, 10, NULL, NULL, &lock, &err), &err);
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(lock);
    close(ready[0]);
    close(ready[1]);

    /* a folder that is there, and not open to us */
    char path[128];
    snprintf(path, sizeof path, "%s/lock", b->folder);
    assert_int_equal(unlink(path), 0);
    put_odd(FOLDER, path);
    assert_refused(spool_lock(b->folder, 0, NULL, NULL, &lock, &err),
                   &err,
                   ERROR_IO,
                   "/lock cannot be opened: Is a directory: remove that folder");
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/none/spool", b->folder);
    assert_refused(spool_lock(path, 0, NULL, NULL, &lock, &err),
                   &err,
                   ERROR_IO,
                   "/none/spool cannot be made: No such file");
}

int main(void)
{
    h5_silence();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(any_number_of_ranks_takes_over_every_file_once),
        TEST(the_last_attempt_is_found_and_its_own_records_count_first),
        TEST(torn_tails_of_earlier_files_are_dropped),
        TEST(what_a_kill_leaves_is_no_damage),
        TEST(what_has_changed_on_the_disk_is_damage),
        TEST(records_of_another_run_do_not_count),
        TEST(a_result_of_several_attempts_says_so),
        TEST(a_manifest_knows_its_job),
        TEST(a_damaged_manifest_is_refused),
        TEST(a_manifest_knows_that_it_is_damaged),
        TEST(what_is_no_file_is_refused_and_cleared),
        TEST(one_run_at_a_time_works_on_a_spool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
