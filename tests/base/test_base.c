#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rooftally/base/calendar.h"
#include "rooftally/base/chain.h"
#include "rooftally/base/count.h"
#include "rooftally/base/crc32c.h"
#include "rooftally/base/file.h"
#include "rooftally/base/log.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/nearest.h"
#include "rooftally/base/terms.h"

#include "check.h"

static void an_error_is_one_line(void **state)
{
    (void)state;
    struct error err = { ERROR_NONE, "" };
    assert_int_equal(error_set(&err, ERROR_IO, "a\nb\tc\n"), -1);
    assert_string_equal(err.text, "a b c");
    error_set(&err, ERROR_IO, "disk full");
    error_prefix(&err, "zone %s", "02139");
    assert_string_equal(err.text, "zone 02139: disk full");
    error_prefix(&err, "%s", err.text);
    assert_string_equal(err.text, "zone 02139: disk full: zone 02139: disk full");
    assert_int_equal(error_set(NULL, ERROR_IO, "nobody listens"), -1);
}

static void a_text_that_is_too_long_keeps_its_place_and_its_reason(void **state)
{
    (void)state;
    enum { N = 60 };
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        { "output /data/a.h5: File name too long",
          "output /data/a.h5: File name too long" },
        /* 59 bytes fit */
        { "output /0123456789012345678901234567890123456.h5: no room\n",
          "output /0123456789012345678901234567890123456.h5: no room" },
        { "output /012345678901234567890123456789012345678.h5: no room",
          "output /012345678901234567890123456789012345678.h5: no room" },
        { "output /0123456789012345678901234567890123456789.h5: no room",
          "output /0123456789012345678…34567890123456789.h5: no room" },
        /* no cut falls into a letter */
        { "output /ääääääääääääääääääääääääääääää: no room",
          "output /äääääääää…ääääääääää: no room" },
        /* where words are short, the middle of it all */
        { "a list of many short words that has to give up some in its middle: why",
          "a list of many short words t…e up some in its middle: why" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[N];
        assert_string_equal(error_fit(text, sizeof text, cases[i].text),
                            cases[i].wanted);
    }
    struct error err;
    char path[4097];
    memset(path, 'x', 4096);
    path[4096] = '\0';
    error_set(&err, ERROR_IO, "output %s: folder %s: %s", path, path, "no such folder");
    error_prefix(&err, "rank 3");
    assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
    assert_memory_equal(err.text, "rank 3: output xxx", 18);
    assert_non_null(strstr(err.text, "xxx…xxx"));
    assert_non_null(strstr(err.text, "xxx: no such folder"));
}

static void memory_refuses_what_does_not_fit_and_says_both_numbers(void **state)
{
    (void)state;
    struct memory memory;
    struct error err;
    assert_refused(memory_init(&memory, (1 << 20) - 1, &err),
                   &err,
                   ERROR_BUDGET,
                   "1.0 MiB");
    assert_fine(memory_init(&memory, 1 << 20, &err), &err);
    assert_null(memory_take(&memory, MEMORY_BATCH, (1 << 20) + 1, &err));
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.text, "batch needs"));
    assert_null(memory_take(&memory, MEMORY_BATCH, -1, &err));
    assert_null(memory_take(&memory, MEMORY_BATCH, INT64_MAX, &err));
    assert_int_equal(memory.used_bytes, 0);
    struct memory_mark mark = memory_mark(&memory);
    uint8_t *all = memory_take(&memory, MEMORY_BATCH, 1 << 20, &err);
    assert_non_null(all);
    all[0] = all[(1 << 20) - 1] = 1;
    assert_null(memory_take(&memory, MEMORY_GRID, 1, &err));
    assert_non_null(memory_take(&memory, MEMORY_GRID, 0, &err));
    memory_rewind(&memory, &mark);
    assert_int_equal(memory.used_bytes, 0);
    assert_int_equal(memory.live_bytes[MEMORY_BATCH], 0);
    assert_int_equal(memory.peak_bytes, 1 << 20);
    assert_int_equal(memory.owner_peak_bytes[MEMORY_BATCH], 1 << 20);
    memory_release(&memory);
    memory_release(&memory);
}

static void live_bytes_of_all_owners_add_up(void **state)
{
    (void)state;
    struct memory memory;
    struct error err;
    struct memory_mark marks[8];
    assert_fine(memory_init(&memory, 4 << 20, &err), &err);
    srand(1);
    int depth = 0;
    for (int round = 0; round < 5000; round++) {
        if (depth == 8 || (depth > 0 && rand() % 4 == 0)) {
            depth = rand() % depth; /* back to any mark still below */
            memory_rewind(&memory, &marks[depth]);
        }
        marks[depth++] = memory_mark(&memory);
        void *bytes = memory_take(&memory,
                                  (enum memory_owner)(rand() % MEMORY_N_OWNERS),
                                  rand() % 5000,
                                  &err);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        int64_t sum = 0;
        for (int i = 0; i < MEMORY_N_OWNERS; i++)
            sum += memory.live_bytes[i];
        assert_int_equal(sum, memory.used_bytes);
    }
    memory_release(&memory);
}

static void a_chain_gives_back_what_was_added(void **state)
{
    (void)state;
    struct memory memory;
    struct error err;
    for (int64_t width = 1; width <= 9000; width = width * 5 + 1) {
        struct chain chain;
        int n = 3000, added = 0;
        assert_fine(memory_init(&memory, 64 << 20, &err), &err);
        chain_init(&chain, width, MEMORY_SELECTION);
        uint8_t *items = malloc((size_t)(width * n)),
                *out = malloc((size_t)(width * n));
        for (int64_t i = 0; i < width * n; i++)
            items[i] = (uint8_t)(i * 7 + i / 251);
        for (int piece = 0; added < n; piece = (piece * 3 + 1) % 97) {
            int k = piece < n - added ? piece : n - added;
            assert_fine(chain_add(&chain, &memory, items + added * width, k, &err),
                        &err);
            added += k;
        }
        assert_int_equal(chain.n, n);
        chain_copy(&chain, out);
        assert_memory_equal(items, out, (size_t)(width * n));
        free(items);
        free(out);
        memory_release(&memory);
    }
}

static void a_chain_that_does_not_fit_is_a_budget_error(void **state)
{
    (void)state;
    struct memory memory;
    struct error err;
    struct chain chain;
    int64_t value = 7;
    assert_fine(memory_init(&memory, 1 << 20, &err), &err);
    chain_init(&chain, 8, MEMORY_STATISTICS);
    int status = 0;
    for (int i = 0; status == 0 && i < 200000; i++)
        status = chain_add(&chain, &memory, &value, 1, &err);
    assert_int_equal(status, -1);
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_true(chain.n > 100000);
    memory_release(&memory);
}

static void crc32c_is_castagnolis(void **state)
{
    (void)state;
    uint8_t bytes[64] = { 0 };
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aau); /* RFC 3720 B.4 */
    memset(bytes, 0xff, 32);
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794eu);
    for (size_t cut = 0; cut <= 32; cut++) /* in pieces it is the same */
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, 32 - cut),
                         0x46dd794eu);
}

static void crc32c_is_the_same_with_and_without_the_processors_help(void **state)
{
    (void)state;
    uint8_t bytes[2500]; /* three lanes of 256, thrice, and more */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i + 3 * i);
    for (size_t first = 0; first < 9; first++)
        for (size_t n = 0; n + first <= sizeof bytes; n++)
            assert_int_equal(crc32c((uint32_t)n, bytes + first, n),
                             crc32c_portable((uint32_t)n, bytes + first, n));
}

static void the_nearest_word_is_found_or_none(void **state)
{
    (void)state;
    static const char *const words[] = { "fields", "filter", "height", "id" };
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        { "feilds", "fields" }, { "FIELDS", "fields" }, { "hight", "height" },
        { "idd", "id" },        { "di", "id" },         { "zebra", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = nearest_word(cases[i].word, words, 4);
        if (cases[i].nearest)
            assert_string_equal(nearest, cases[i].nearest);
        else
            assert_null(nearest);
    }
    char longest[500];
    memset(longest, 'f', sizeof longest);
    longest[499] = '\0';
    assert_null(nearest_word(longest, words, 4));
}

/* Day by day through two eras, leap years and the year 0 among them, against a count. */
static void every_day_has_its_number_and_date(void **state)
{
    (void)state;
    int64_t number = calendar_day(-401, 1, 1);
    for (int64_t year = -401; year < 402; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= 32; day++) {
                if (!calendar_has(year, month, day))
                    continue;
                int64_t back;
                int month_back, day_back;
                calendar_date(number, &back, &month_back, &day_back);
                assert_int_equal(calendar_day(year, month, day), number++);
                assert_int_equal(back, year);
                assert_int_equal(month_back, month);
                assert_int_equal(day_back, day);
            }
    assert_int_equal(calendar_day(1970, 1, 1), 0);
    assert_int_equal(calendar_day(2000, 2, 29), 11016);
    assert_true(calendar_has(2000, 2, 29) && !calendar_has(1900, 2, 29));
    assert_false(calendar_has(2023, 0, 1) || calendar_has(2023, 4, 31));
}

static void counts_have_commas(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 999, "999" },
        { 1000, "1,000" },
        { -1000, "-1,000" },
        { -999, "-999" },
        { 1234567, "1,234,567" },
        { -123456, "-123,456" },
        { INT64_MIN, "-9,223,372,036,854,775,808" },
    };
    char text[COUNT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(count_text(text, cases[i].n), cases[i].text);
}

static void control_characters_never_pass(void **state)
{
    (void)state;
    static const struct {
        const char *text, *clean;
    } cases[] = {
        { "plain", "plain" },
        { "\x1b[31mred\x1b[0m", "?[31mred?[0m" },
        { "caf\xc3\xa9", "caf\xc3\xa9" },
        { "\xc2\x9b"
          "31m",
          "??31m" }, /* C1 control */
        { "\xe2\x80\xae"
          "evil",
          "???evil" }, /* right-to-left override */
        { "\xff\xfe", "??" },
        { "\xc0\x80", "??" },      /* overlong */
        { "\xed\xa0\x80", "???" }, /* surrogate */
        { "cut\xc3", "cut?" },
        { "a\nb\rc\x7f", "a?b?c?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        log_clean(out, sizeof out, cases[i].text, (int)strlen(cases[i].text));
        assert_string_equal(out, cases[i].clean);
    }
    char small[4];
    assert_string_equal(log_clean(small, 4, "ab\xc3\xa9", 4),
                        "ab"); /* none is halved */
    assert_string_equal(log_clean(small, 4, "abcd", 4), "abc");
}

static void sizes_read_well(void **state)
{
    (void)state;
    char text[24];
    assert_string_equal(memory_size_text(text, 1023), "1023 bytes");
    assert_string_equal(memory_size_text(text, 1024), "1.0 KiB");
    assert_string_equal(memory_size_text(text, 64 << 20), "64.0 MiB");
    assert_true(memory_rss_bytes() > 100000);
    assert_true(memory_peak_rss_bytes() >= memory_rss_bytes() / 2);
}

static void one_file_is_told_by_any_of_its_names(void **state)
{
    (void)state;
    char folder[] = "/tmp/rooftally-test.XXXXXX", names[4][64];
    static const char *const ends[] = { "file", "hard", "symbolic", "other" };
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], "%s/%s", folder, ends[i]);
    assert_int_equal(symlink(names[0], names[2]), 0);
    assert_false(file_is_same(names[0], names[0])); /* it is not there */
    assert_false(file_is_same(names[0], names[2]));
    for (int i = 0; i < 4; i += 3) {
        int fd = open(names[i], O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(link(names[0], names[1]), 0);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            assert_int_equal(file_is_same(names[i], names[j]), (i == 3) == (j == 3));
    assert_false(file_is_same(names[0], ""));
    for (int i = 0; i < 4; i++)
        unlink(names[i]);
    rmdir(folder);
}

static void texts_are_ordered_bytewise(void **state)
{
    (void)state;
    const struct text ordered[] = { { NULL, 0 }, { "\0", 1 }, { "A", 1 },
                                    { "AB", 2 }, { "a", 1 },  { "a\0", 2 },
                                    { "ab", 2 }, { "b", 1 },  { "\xc3\xa9", 2 } };
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 9; k++) {
            assert_int_equal(text_compare(&ordered[i], &ordered[k]), (i > k) - (i < k));
        }
}

static void put_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *text)
{
    char seen[16] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(seen, sizeof seen, file));
    fclose(file);
    assert_string_equal(seen, text);
}

static void a_file_gets_its_name_and_replaces_only_what_it_may(void **state)
{
    (void)state;
    char folder[] = "/tmp/rooftally-XXXXXX", partial[48], path[48];
    struct error err;
    assert_non_null(mkdtemp(folder));
    snprintf(partial, sizeof partial, "%s/x.partial", folder);
    snprintf(path, sizeof path, "%s/x", folder);
    for (int nameless = 0; nameless < 2; nameless++) {
        unlink(path);
        for (int round = 0; round < 3;
             round++) { /* nothing is there; it stays; it goes */
            int fd = -1;
            if (nameless) {
                fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
                if (fd < 0)
                    break; /* not every file system has such files */
                assert_int_equal(write(fd, "new", 3), 3);
                put_text(partial, "left by another");
            } else {
                put_text(partial, "new");
            }
            bool may = round != 1;
            if (round > 0)
                put_text(path, "old");
            int status = file_publish(fd, partial, path, round == 2, &err);
            assert_int_equal(status, may ? 0 : -1);
            assert_holds(path, may ? "new" : "old");
            assert_int_equal(access(partial, F_OK), may || nameless ? -1 : 0);
            if (!may) {
                assert_int_equal(err.code, ERROR_IO);
                assert_non_null(strstr(err.text, "came into being meanwhile: --force"));
            }
            if (fd >= 0)
                close(fd);
        }
    }
    unlink(path);
    unlink(partial);
    put_text(partial, "new");
    snprintf(path, sizeof path, "%s/none/x", folder);
    assert_int_equal(file_publish(-1, partial, path, true, &err), -1);
    assert_holds(partial, "new");
    unlink(partial);
    assert_int_equal(rmdir(folder), 0);
}

/* As a user whom the folder lets write and not read. */
static void a_folder_that_cannot_be_read_takes_names(void **state)
{
    (void)state;
    enum { NOBODY = 65534 };
    char folder[] = "/tmp/rooftally-XXXXXX", partial[48], path[48];
    assert_non_null(mkdtemp(folder));
    snprintf(partial, sizeof partial, "%s/x.partial", folder);
    snprintf(path, sizeof path, "%s/x", folder);
    put_text(partial, "new");
    if (geteuid() == 0)
        assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(folder, 0300), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(3);
        if (open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
            _exit(2);
        _exit(file_publish(-1, partial, path, false, NULL) == 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(status, 0);
    assert_holds(path, "new");
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void a_name_is_known_to_be_too_long_before_it_is_used(void **state)
{
    (void)state;
    char path[PATH_MAX];
    memset(path, 'x', sizeof path);
    memcpy(path, "/tmp/", 5);
    for (int n = NAME_MAX - 2; n <= NAME_MAX + 1; n++) {
        path[5 + n] = '\0';
        assert_int_equal(file_name_fits(path, ""), n <= NAME_MAX);
        assert_int_equal(file_name_fits(path, ".h"), n + 2 <= NAME_MAX);
        path[5 + n] = 'x';
    }
    for (int i = 0; i < PATH_MAX - 2; i += 2)
        memcpy(path + i, "./", 2);
    path[PATH_MAX - 2] = '\0';
    assert_true(file_name_fits(path, ""));
    assert_true(file_name_fits(path, "."));
    assert_false(file_name_fits(path, ".."));
}

static void a_path_has_a_name_and_a_folder(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "x.h5", "x.h5", "." },
        { "./x.h5", "x.h5", "." },
        { "a/b/x.h5", "x.h5", "a/b" },
        { "/x.h5", "x.h5", "/" },
        { "/tmp/x.h5", "x.h5", "/tmp" },
        { "a//x", "x", "a/" },
        { "a/", "", "a" },
        { "", "", "." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *folder = file_folder(cases[i][0]);
        assert_string_equal(file_name(cases[i][0]), cases[i][1]);
        assert_string_equal(folder, cases[i][2]);
        free(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_one_line),
        cmocka_unit_test(a_text_that_is_too_long_keeps_its_place_and_its_reason),
        cmocka_unit_test(memory_refuses_what_does_not_fit_and_says_both_numbers),
        cmocka_unit_test(live_bytes_of_all_owners_add_up),
        cmocka_unit_test(a_chain_gives_back_what_was_added),
        cmocka_unit_test(a_chain_that_does_not_fit_is_a_budget_error),
        cmocka_unit_test(crc32c_is_castagnolis),
        cmocka_unit_test(crc32c_is_the_same_with_and_without_the_processors_help),
        cmocka_unit_test(the_nearest_word_is_found_or_none),
        cmocka_unit_test(every_day_has_its_number_and_date),
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(control_characters_never_pass),
        cmocka_unit_test(sizes_read_well),
        cmocka_unit_test(texts_are_ordered_bytewise),
        cmocka_unit_test(a_path_has_a_name_and_a_folder),
        cmocka_unit_test(one_file_is_told_by_any_of_its_names),
        cmocka_unit_test(a_file_gets_its_name_and_replaces_only_what_it_may),
        cmocka_unit_test(a_folder_that_cannot_be_read_takes_names),
        cmocka_unit_test(a_name_is_known_to_be_too_long_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
