/* Sorting byte strings within a memory that is too small for them, on several ranks. */
#include <dirent.h>
#include <pthread.h>

#include "sort_case.h"

struct job {
    struct record *records; /* as they are added */
    struct record *sorted;
    int64_t n, n_bytes;
    uint64_t n_lazy; /* one rank adds only one in n_lazy of what is its share */
};

static int
add(struct sorter *sorter, const uint8_t *bytes, int64_t n, struct error *err)
{
    uint8_t *room = sorter_room(sorter, n, err);
    if (!room)
        return -1;
    memcpy(room, bytes, (size_t)n);
    sorter_add(sorter);
    return 0;
}

/* Each rank its share; what comes out at the place that the sums say. */
static void sort_on_a_rank(const struct team *team, void *context)
{
    const struct job *job = context;
    struct memory memory;
    struct scratch scratch;
    struct sorter *sorter;
    struct error err = { ERROR_NONE, "" };
    enum { AT_ONCE = 7 };
    const uint8_t *records[AT_ONCE];
    int64_t n = 0, sum = 0;
    int64_t before[2] = { 0 }, own[2] = { 0 }, all[2] = { 0 };
    int32_t n_given;
    int status;
    RANK_CHECK(memory_init(&memory, MEMORY, &err) == 0);
    RANK_CHECK(scratch_open(&scratch, "/tmp/sorted", team, &err) == 0);
    struct memory_mark mark = memory_mark(&memory);
    uint8_t *bytes = memory_take(&memory, MEMORY_BATCH, job->n_bytes, &err);
    RANK_CHECK(sorter_open(&sorter, &scratch, &weights, team, bytes, job->n_bytes, &err)
               == 0);
    for (int64_t i = 0; i < job->n; i++) {
        int whose = (int)(i % team->size);
        if (whose == team->size - 1 && (uint64_t)i / (uint64_t)team->size % job->n_lazy)
            whose = 0;
        if (whose == team->rank)
            RANK_CHECK(add(sorter, job->records[i].bytes, job->records[i].n, &err)
                       == 0);
    }
    RANK_CHECK(sorter_end(sorter, 0, job->n_bytes, &err) == 0);
    memory_rewind(&memory, &mark);
    sorter_sums(sorter, before, own, all);
    RANK_CHECK(all[0] == job->n);
    for (int64_t i = 0; i < before[0]; i++)
        sum += weight_of(&job->sorted[i]);
    RANK_CHECK(sum == before[1]);
    RANK_CHECK(sorter_start(sorter, job->n_bytes, &memory, &err) == 0);
    sum = 0;
    while ((status = sorter_next(sorter, AT_ONCE, records, &n_given, &err)) == 0
           && n_given > 0)
        for (int32_t i = 0; i < n_given; i++, n++) {
            const struct record *wanted = &job->sorted[before[0] + n];
            RANK_CHECK(n < own[0]
                       && sort_length(records[i] - SORT_LENGTH_BYTES) == wanted->n);
            RANK_CHECK(memcmp(records[i], wanted->bytes, (size_t)wanted->n) == 0);
            sum += weight_of(wanted);
        }
    RANK_CHECK(status == 0 && n == own[0] && sum == own[1]);
    for (int i = 0; i < 2; i++)
        RANK_CHECK(sorter_next(sorter, AT_ONCE, records, &n_given, &err) == 0
                   && n_given == 0);
    /* ranges are about as long as each other, where there is something to part */
    if (job->n > 100000 && team->size > 1)
        RANK_CHECK(own[0] < 2 * job->n / team->size);
    sorter_close(sorter);
    scratch_close(&scratch);
    memory_release(&memory);
}

static void sorts_what_fits_and_what_does_not(void **unused)
{
    static const struct {
        int64_t n, n_bytes;
        uint64_t n_letters, n_lazy;
    } table[] = {
        { 0, 1 << 20, 256, 1 },       { 1, 1 << 20, 256, 1 },
        { 16, 1 << 20, 2, 1 },        { 17, 1 << 20, 2, 5 },
        { 1000, 1 << 20, 1, 1 },      { 10000, 1 << 20, 256, 1000 },
        { 50000, 1 << 20, 2, 1 },     { 200000, 1 << 20, 256, 3 },
        { 500000, 1 << 20, 256, 1 }, /* more runs than are merged at once */
        { 200000, 14 << 20, 256, 1 },
    };
    static const int sizes[] = { 2, 5 };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct job job = { .n = table[i].n < 10000 ? table[i].n : few((int)table[i].n),
                           .n_bytes = table[i].n_bytes,
                           .n_lazy = table[i].n_lazy };
        job.records = calloc((size_t)job.n + 1, sizeof *job.records);
        job.sorted = calloc((size_t)job.n + 1, sizeof *job.sorted);
        make_records(job.records, job.n, table[i].n_letters, 0);
        memcpy(job.sorted, job.records, (size_t)job.n * sizeof *job.sorted);
        qsort(job.sorted, (size_t)job.n, sizeof *job.sorted, compare);
        sort_on_a_rank(&team_alone, &job);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            forks_run(sizes[s], sort_on_a_rank, &job);
        free(job.records);
        free(job.sorted);
    }
}

/* Inputs that make a plain quicksort slow or deep, and digits that all share. */
static void sorts_sorted_and_equal_ones(void **unused)
{
    enum { N = 100000 };
    struct sort_entry *entries = calloc(N, sizeof *entries);
    static const uint8_t empty[SORT_LENGTH_BYTES];
    (void)unused;
    for (int shape = 0; shape < 6; shape++) {
        for (uint64_t i = 0; i < N; i++) {
            uint64_t value = shape == 0   ? i
                             : shape == 1 ? N - i
                             : shape == 2 ? 7
                             : shape == 3 ? i ^ 0x5555
                             : shape == 4 ? draw(UINT32_MAX) << 40 | 3
                                          : UINT64_MAX - draw(300);
            entries[i] = (struct sort_entry){ value, empty };
        }
        sort_entries(entries, N);
        for (int64_t i = 1; i < N; i++)
            assert_true(entries[i - 1].prefix <= entries[i].prefix);
    }
    free(entries);
}

static void *sort_in_thread(void *entries)
{
    sort_entries(entries, 100);
    return entries;
}

/* Each digit takes one entry away, however many digits: as deep as it goes, on little more of a
 * stack than is said (sanitizers take some, too). */
static void sorts_on_a_small_stack(void **unused)
{
    static const uint8_t empty[SORT_LENGTH_BYTES];
    struct sort_entry entries[100];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 192 * 1024);
    (void)unused;
    for (int n_bits = 1; n_bits <= 16; n_bits++) {
        for (int i = 0; i < 100; i++) {
            bool is_apart = i * n_bits < 64;
            entries[i] =
                (struct sort_entry){ is_apart ? UINT64_C(1) << (63 - i * n_bits) : 0,
                                     empty };
        }
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, &attributes, sort_in_thread, entries),
                         0);
        pthread_join(thread, NULL);
        for (int i = 1; i < 100; i++)
            assert_true(entries[i - 1].prefix <= entries[i].prefix);
    }
    pthread_attr_destroy(&attributes);
}

struct alone {
    struct memory memory;
    struct scratch scratch;
    struct sorter *sorter;
};

static void open_alone(struct alone *alone, int64_t n_bytes)
{
    struct error err;
    assert_fine(memory_init(&alone->memory, MEMORY, &err), &err);
    assert_fine(scratch_open(&alone->scratch, "/tmp/x", &team_alone, &err), &err);
    uint8_t *bytes = memory_take(&alone->memory, MEMORY_BATCH, n_bytes, &err);
    assert_non_null(bytes);
    assert_fine(sorter_open(&alone->sorter,
                            &alone->scratch,
                            &weights,
                            &team_alone,
                            bytes,
                            n_bytes,
                            &err),
                &err);
}

static void close_alone(struct alone *alone)
{
    sorter_close(alone->sorter);
    scratch_close(&alone->scratch);
    memory_release(&alone->memory);
}

static void a_record_has_at_most_a_fifth(void **unused)
{
    struct alone alone;
    struct error err;
    const uint8_t *records[2];
    int64_t n = 0;
    int32_t n_given;
    (void)unused;
    uint8_t *bytes = calloc(1, 1 << 20);
    open_alone(&alone, 1 << 20);
    int64_t most = sorter_most_bytes(alone.sorter);
    assert_int_equal(most, ((1 << 20) - (1 << 16)) / 5);
    for (int i = 0; i < 300; i++) { /* many runs of short ones, then long ones */
        bytes[0] = (uint8_t)i;
        assert_fine(add(alone.sorter, bytes, i < 200 ? 64000 : most - (i & 1), &err),
                    &err);
    }
    assert_refused(add(alone.sorter, bytes, most + 1, &err),
                   &err,
                   ERROR_BUDGET,
                   "raise [limits] memory");
    assert_fine(sorter_end(alone.sorter, 0, 1 << 20, &err), &err);
    assert_fine(sorter_start(alone.sorter, 1 << 20, &alone.memory, &err), &err);
    while (sorter_next(alone.sorter, 2, records, &n_given, &err) == 0 && n_given > 0)
        n += n_given;
    assert_int_equal(n, 300);
    close_alone(&alone);
    struct sorter *sorter;
    assert_refused(sorter_open(&sorter,
                               &alone.scratch,
                               &weights,
                               &team_alone,
                               bytes,
                               (1 << 20) - 1,
                               &err),
                   &err,
                   ERROR_BUDGET,
                   "1.0 MiB");
    free(bytes);
}

/* Merging has to hold the longest record of every rank once a run. */
static void too_little_to_merge_is_said(void **unused)
{
    struct alone alone;
    struct error err;
    (void)unused;
    uint8_t *bytes = calloc(1, 1 << 20);
    open_alone(&alone, 1 << 20);
    assert_fine(add(alone.sorter, bytes, 190000, &err), &err);
    assert_refused(sorter_end(alone.sorter, 0, 190000, &err),
                   &err,
                   ERROR_BUDGET,
                   "raise [limits] memory");
    close_alone(&alone);
    free(bytes);
}

/* One rank has failed, and all of them hear of it. */
static void fail_on_one_rank(const struct team *team, void *context)
{
    struct alone alone;
    struct error err = { ERROR_NONE, "" };
    (void)context;
    RANK_CHECK(memory_init(&alone.memory, MEMORY, &err) == 0);
    RANK_CHECK(scratch_open(&alone.scratch, "/tmp/x", team, &err) == 0);
    uint8_t *bytes = memory_take(&alone.memory, MEMORY_BATCH, 1 << 20, &err);
    RANK_CHECK(
        sorter_open(&alone.sorter, &alone.scratch, &weights, team, bytes, 1 << 20, &err)
        == 0);
    int status = team->rank == 1 ? error_set(&err, ERROR_STOPPED, "enough") : 0;
    RANK_CHECK(sorter_end(alone.sorter, status, 1 << 20, &err) == -1);
    RANK_CHECK(err.code == ERROR_STOPPED && strcmp(err.text, "enough") == 0);
    close_alone(&alone);
}

static void what_fails_on_one_rank_fails_on_all(void **unused)
{
    (void)unused;
    forks_run(3, fail_on_one_rank, NULL);
}

static void no_folder_no_scratch(void **unused)
{
    struct scratch scratch;
    struct error err = { ERROR_NONE, "" };
    (void)unused;
    assert_refused(scratch_open(&scratch, "/tmp/no/such/x", &team_alone, &err),
                   &err,
                   ERROR_IO,
                   "/tmp/no/such");
}

static int n_files(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* With a name, where a file system wants one, for as long as others have to find it. */
static void use_scratch(const struct team *team, void *folder)
{
    struct scratch scratch;
    struct error err;
    char path[128];
    int64_t n = (int64_t)(9 << 20) * (team->rank + 1), at;
    snprintf(path, sizeof path, "%s/out", (const char *)folder);
    uint8_t *bytes = calloc(1, (size_t)n);
    RANK_CHECK(bytes && scratch_open(&scratch, path, team, &err) == 0);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i / 999 + team->rank);
    for (at = 0; at < n; at += 1000003)
        RANK_CHECK(scratch_append(&scratch,
                                  bytes + at,
                                  n - at < 1000003 ? n - at : 1000003,
                                  &err)
                   == 0);
    RANK_CHECK(team_agree(team, 0, &err) == 0);
    int other = (team->rank + 1) % team->size;
    n = (int64_t)(9 << 20) * (other + 1);
    uint8_t *seen = calloc(1, (size_t)n);
    RANK_CHECK(seen && scratch_read(&scratch, other, 0, seen, n, &err) == 0);
    for (int64_t i = 0; i < n; i++)
        RANK_CHECK(seen[i] == (uint8_t)(i / 999 + other));
    RANK_CHECK(scratch_read(&scratch, other, n + (200 << 20), seen, 1, &err) == -1
               && err.code == ERROR_IO);
    RANK_CHECK(team_agree(team, 0, &err) == 0); /* the others have read it */
    scratch_drop(&scratch, 5, 20 << 20);
    free(seen);
    free(bytes);
    scratch_close(&scratch);
}

static void scratch_is_shared_and_leaves_nothing(void **unused)
{
    char folder[] = "/tmp/rooftally-scratch-XXXXXX";
    (void)unused;
    assert_non_null(mkdtemp(folder));
    use_scratch(&team_alone, folder);
    forks_run(3, use_scratch, folder);
    assert_int_equal(n_files(folder), 2);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_what_fits_and_what_does_not),
        cmocka_unit_test(sorts_sorted_and_equal_ones),
        cmocka_unit_test(sorts_on_a_small_stack),
        cmocka_unit_test(a_record_has_at_most_a_fifth),
        cmocka_unit_test(too_little_to_merge_is_said),
        cmocka_unit_test(what_fails_on_one_rank_fails_on_all),
        cmocka_unit_test(no_folder_no_scratch),
        cmocka_unit_test(scratch_is_shared_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
