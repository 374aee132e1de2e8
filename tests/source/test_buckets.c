/* Sorting byte strings that are dealt to buckets first: against qsort, on several ranks. */
#include "buckets.h"
#include "buckets_state.h"
#include "sort_case.h"
#include "store_keys.h"

enum { KEY_BYTES = 4, MOST_KEYS = 300 };

/* How the keys part the records, whose first bytes are drawn evenly, or hardly differ. */
enum parting { EVEN, ONE, ALL_ZERO, AT_THE_END, CLOSE };

struct job {
    struct record *records; /* as they are added */
    struct record *sorted;
    int64_t n, n_bytes, n_merge, n_keep;
    uint64_t n_lazy; /* one rank adds only one in n_lazy of what is its share */
    enum parting parting;
    int n_keys, most_parts, n_parts;
    bool keeps; /* what every rank adds stays in its memory */
};

static uint32_t key_of(const struct record *record)
{
    return (uint32_t)record->bytes[0] << 24 | (uint32_t)record->bytes[1] << 16
           | (uint32_t)record->bytes[2] << 8 | record->bytes[3];
}

static void make_keys(const struct job *job, uint32_t *keys)
{
    for (int i = 0; i < job->n_keys; i++)
        keys[i] = job->parting == EVEN
                      ? (uint32_t)((INT64_C(1) << 32) / job->n_keys * i)
                  : job->parting == ALL_ZERO ? 0
                  : i == 0                   ? 0
                  : job->parting == CLOSE    ? 0x80000000 + (uint32_t)i
                                             : UINT32_MAX;
}

static int whose(const struct job *job, const struct team *team, int64_t i)
{
    int rank = (int)(i % team->size);
    bool is_lazy = rank == team->size - 1 && (uint64_t)(i / team->size) % job->n_lazy;
    return is_lazy ? 0 : rank;
}

static int add(struct buckets *buckets, const struct record *record, struct error *err)
{
    uint8_t *room = buckets_room(buckets, key_of(record), record->n, err);
    if (!room)
        return -1;
    memcpy(room, record->bytes, (size_t)record->n);
    return buckets_add(buckets, err);
}

/* The job's records that are this rank's, in order. */
static struct record *own_records(const struct job *job, const struct team *team)
{
    struct record *own = calloc((size_t)job->n + 1, sizeof *own);
    int64_t n = 0;
    for (int64_t i = 0; i < job->n; i++)
        if (whose(job, team, i) == team->rank)
            own[n++] = job->records[i];
    qsort(own, (size_t)n, sizeof *own, compare);
    return own;
}

/* A part of a range, on its way out. */
struct coming {
    const struct record *wanted;
    int64_t before[2], own[2], all[2];
    int64_t n, sum; /* records so far, and their weights */
};

static void open_part(struct coming *part,
                      const struct buckets *buckets,
                      int number,
                      const struct job *job,
                      const struct record *own)
{
    int64_t sum = 0;
    *part = (struct coming){ .n = 0 };
    buckets_sums(buckets, number, part->before, part->own, part->all);
    RANK_CHECK(part->all[0] == job->n);
    part->wanted = job->keeps ? own : job->sorted + part->before[0];
    for (int64_t i = 0; !job->keeps && i < part->before[0]; i++)
        sum += weight_of(&job->sorted[i]);
    RANK_CHECK(job->keeps || sum == part->before[1]);
}

/* The next few of a part: false at its end. */
static bool take_some(struct coming *part, struct buckets *buckets, int number)
{
    enum { AT_ONCE = 7 };
    struct error err = { ERROR_NONE, "" };
    const uint8_t *records[AT_ONCE];
    int32_t n_given;
    RANK_CHECK(buckets_next(buckets, number, AT_ONCE, records, &n_given, &err) == 0);
    for (int32_t i = 0; i < n_given; i++, part->n++) {
        const struct record *wanted = &part->wanted[part->n];
        RANK_CHECK(part->n < part->own[0]
                   && sort_length(records[i] - SORT_LENGTH_BYTES) == wanted->n);
        RANK_CHECK(memcmp(records[i], wanted->bytes, (size_t)wanted->n) == 0);
        part->sum += weight_of(wanted);
    }
    return n_given > 0;
}

/* What comes out of all parts of a rank, in turn. */
static void take_parts(struct buckets *buckets,
                       const struct job *job,
                       const struct record *own,
                       int size,
                       struct memory *memory)
{
    struct coming parts[BUCKETS_MOST_PARTS];
    struct error err = { ERROR_NONE, "" };
    int n = buckets_parts(buckets);
    for (int i = 0; i < n; i++) {
        open_part(&parts[i], buckets, i, job, own);
        RANK_CHECK(buckets_start(buckets,
                                 i,
                                 buckets_part_bytes(buckets),
                                 NULL,
                                 NULL,
                                 memory,
                                 &err)
                   == 0);
        RANK_CHECK(i == 0
                   || parts[i].before[0]
                          == parts[i - 1].before[0] + parts[i - 1].own[0]);
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < n; i++)
            more |= take_some(&parts[i], buckets, i);
    }
    for (int i = 0; i < n; i++) {
        RANK_CHECK(parts[i].n == parts[i].own[0] && parts[i].sum == parts[i].own[1]);
        RANK_CHECK(!take_some(&parts[i], buckets, i));
    }
    if (job->parting == EVEN && job->n > 100000 && !job->keeps)
        for (int i = 0; i < n; i++)
            RANK_CHECK(parts[i].own[0] < 2 * job->n / (n * size));
}

/* Each rank its share; what comes out at the place that the sums say. */
static void sort_on_a_rank(const struct team *team, void *context)
{
    const struct job *job = context;
    uint32_t keys[MOST_KEYS];
    struct memory memory;
    struct scratch scratch;
    struct buckets *buckets;
    struct error err = { ERROR_NONE, "" };
    make_keys(job, keys);
    RANK_CHECK(memory_init(&memory, MEMORY, &err) == 0);
    RANK_CHECK(scratch_open(&scratch, "/tmp/dealt", team, &err) == 0);
    struct memory_mark mark = memory_mark(&memory);
    uint8_t *bytes = memory_take(&memory, MEMORY_BATCH, job->n_bytes, &err);
    RANK_CHECK(buckets_open(&buckets,
                            &scratch,
                            &weights,
                            team,
                            bytes,
                            job->n_bytes,
                            job->n_keep,
                            job->n_merge,
                            keys,
                            job->n_keys,
                            &err)
               == 0);
    for (int64_t i = 0; i < job->n; i++)
        if (whose(job, team, i) == team->rank)
            RANK_CHECK(add(buckets, &job->records[i], &err) == 0);
    RANK_CHECK(buckets_end(buckets, 0, job->n_merge, job->most_parts, &err) == 0);
    RANK_CHECK(buckets_parts(buckets) == (job->keeps ? 1 : job->n_parts));
    int64_t n_kept = buckets_kept_bytes(buckets);
    RANK_CHECK((n_kept > 0) == job->keeps && n_kept <= job->n_keep);
    RANK_CHECK((scratch.n_bytes == 0) == job->keeps);
    memory_rewind(&memory, &mark);
    if (n_kept > 0)
        RANK_CHECK(memory_take(&memory, MEMORY_BATCH, n_kept, &err) == bytes);
    struct record *own = own_records(job, team);
    take_parts(buckets, job, own, team->size, &memory);
    free(own);
    buckets_close(buckets);
    scratch_close(&scratch);
    memory_release(&memory);
}

static void sorts_however_the_keys_part(void **unused)
{
    enum { MIB = 1 << 20 };
    static const struct {
        int64_t n, n_bytes, n_merge, n_keep;
        uint64_t n_letters, n_lazy;
        enum parting parting;
        int n_keys, most_parts, n_parts;
        bool keeps[3]; /* on 1, 2 and 5 ranks */
    } table[] = {
        { 0, MIB, MIB, 0, 256, 1, EVEN, 10, 1, 1, { false } },
        { 1, MIB, MIB, 0, 256, 1, EVEN, 10, 4, 1, { false } },
        { 17, MIB, MIB, 0, 2, 5, ONE, 1, 1, 1, { false } },
        { 1000, MIB, MIB, 0, 1, 1, EVEN, 7, 1, 1, { false } },
        { 100000, MIB, MIB, 0, 256, 1, EVEN, 60, 1, 1, { false } },
        { 200000, 4 * MIB, 9 * MIB, 0, 256, 3, EVEN, 200, 4, 2, { false } },
        { 200000, 14 * MIB, 14 * MIB, 0, 256, 1, EVEN, 64, 4, 3, { false } },
        { 0, 14 * MIB, 14 * MIB, 0, 256, 1, EVEN, 64, 4, 3, { false } },
        { 1, 14 * MIB, 14 * MIB, 0, 256, 1, EVEN, 64, 2, 2, { false } },
        /* a bucket that one part holds, and two do not */
        { 100000, 2 * MIB, 9 * MIB, 0, 2, 1, EVEN, 20, 2, 1, { false } },
        /* a bucket that its memory does not hold */
        { 200000, MIB, 1200000, 0, 256, 1, ONE, 1, 1, 1, { false } },
        { 200000, 2 * MIB, 1500000, 0, 256, 1, ALL_ZERO, 30, 1, 1, { false } },
        { 200000, 2 * MIB, 9 * MIB, 0, 256, 1, AT_THE_END, 30, 2, 2, { false } },
        { 200000, 2 * MIB, 1500000, 0, 256, 2, CLOSE, 30, 1, 1, { false } },
        { 150000, 2 * MIB, 1500000, 0, 256, 1, EVEN, 3, 1, 1, { false } },
        /* records that stay, or nearly do */
        { 1000, 4 * MIB, MIB, MIB, 256, 1, EVEN, 10, 4, 1, { true, true, true } },
        { 0, 4 * MIB, MIB, MIB, 256, 1, EVEN, 10, 4, 1, { true, true, true } },
        { 2, 4 * MIB, MIB, MIB, 256, 1, EVEN, 10, 4, 1, { true, true, true } },
        { 100000,
          10 * MIB,
          5 * MIB,
          6 * MIB,
          256,
          1,
          EVEN,
          10,
          1,
          1,
          { true, true, true } },
        { 100000,
          10 * MIB,
          5 * MIB,
          3 * MIB,
          256,
          1,
          EVEN,
          10,
          1,
          1,
          { false, true, true } },
        { 100000,
          10 * MIB,
          5 * MIB,
          3 * MIB,
          256,
          1000,
          EVEN,
          10,
          1,
          1,
          { false, false, true } },
        { 100000, 10 * MIB, 5 * MIB, 200000, 256, 1, EVEN, 90, 1, 1, { false } },
        { 100, 10 * MIB, 5 * MIB, 64, 256, 1, EVEN, 90, 1, 1, { false } },
    };
    static const int sizes[] = { 1, 2, 5 };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct job job = { .n = table[i].n,
                           .n_bytes = table[i].n_bytes,
                           .n_merge = table[i].n_merge,
                           .n_keep = table[i].n_keep,
                           .n_lazy = table[i].n_lazy,
                           .parting = table[i].parting,
                           .n_keys = table[i].n_keys,
                           .most_parts = table[i].most_parts,
                           .n_parts = table[i].n_parts };
        job.records = calloc((size_t)job.n + 1, sizeof *job.records);
        job.sorted = calloc((size_t)job.n + 1, sizeof *job.sorted);
        make_records(job.records, job.n, table[i].n_letters, KEY_BYTES);
        memcpy(job.sorted, job.records, (size_t)job.n * sizeof *job.sorted);
        qsort(job.sorted, (size_t)job.n, sizeof *job.sorted, compare);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            job.keeps = table[i].keeps[s];
            if (sizes[s] == 1)
                sort_on_a_rank(&team_alone, &job);
            else
                forks_run(sizes[s], sort_on_a_rank, &job);
        }
        free(job.records);
        free(job.sorted);
    }
}

/* One rank, with records of any length. */
struct alone {
    struct memory memory;
    struct scratch scratch;
    struct buckets *buckets;
    uint32_t keys[8];
};

static void
open_alone(struct alone *alone, int64_t n_bytes, int64_t n_keep, int64_t n_merge)
{
    struct error err;
    for (int i = 0; i < 8; i++)
        alone->keys[i] = (uint32_t)i << 29;
    assert_fine(memory_init(&alone->memory, 2 * MEMORY, &err), &err);
    assert_fine(scratch_open(&alone->scratch, "/tmp/x", &team_alone, &err), &err);
    uint8_t *bytes = memory_take(&alone->memory, MEMORY_BATCH, n_bytes, &err);
    assert_non_null(bytes);
    assert_fine(buckets_open(&alone->buckets,
                             &alone->scratch,
                             &weights,
                             &team_alone,
                             bytes,
                             n_bytes,
                             n_keep,
                             n_merge,
                             alone->keys,
                             8,
                             &err),
                &err);
}

static void close_alone(struct alone *alone)
{
    buckets_close(alone->buckets);
    scratch_close(&alone->scratch);
    memory_release(&alone->memory);
}

/* A number in front, so that all differ; what follows is the same of all. */
static void add_numbered(struct alone *alone, uint32_t number, int64_t n)
{
    struct error err;
    uint32_t key = number * 2654435761u, first = __builtin_bswap32(key);
    uint8_t *room = buckets_room(alone->buckets, key, n, &err);
    assert_non_null(room);
    memset(room, (int)(n % 251), (size_t)n);
    memcpy(room, &first, sizeof first);
    assert_fine(buckets_add(alone->buckets, &err), &err);
}

static int64_t length_of(uint32_t number)
{
    static const int64_t lengths[] = { 4,     4000,   20,    65516, 65517,
                                       32760, 150000, 16368, 8 };
    return lengths[number % 9];
}

/* In order, each as it was added; n of them. */
static void expect_numbered(struct alone *alone, int64_t n_merge, uint32_t n)
{
    struct error err;
    int64_t seen = 0;
    uint32_t last = 0;
    int32_t n_given = 0;
    const uint8_t *records[5];
    memory_rewind(&alone->memory, &(struct memory_mark){ 0, { 0 } });
    if (buckets_kept_bytes(alone->buckets) > 0)
        memory_take(&alone->memory,
                    MEMORY_BATCH,
                    buckets_kept_bytes(alone->buckets),
                    &err);
    assert_fine(buckets_start(alone->buckets,
                              0,
                              n_merge,
                              NULL,
                              NULL,
                              &alone->memory,
                              &err),
                &err);
    do {
        assert_fine(buckets_next(alone->buckets, 0, 5, records, &n_given, &err), &err);
        for (int i = 0; i < n_given; i++, seen++) {
            uint32_t key;
            int64_t length = sort_length(records[i] - SORT_LENGTH_BYTES);
            memcpy(&key, records[i], sizeof key);
            key = __builtin_bswap32(key);
            assert_true(seen == 0 || key > last);
            last = key;
            assert_int_equal(length, length_of(key * 244002641u)); /* the inverse */
            for (int64_t at = 4; at < length; at++)
                assert_int_equal(records[i][at], length % 251);
        }
    } while (n_given > 0);
    assert_int_equal(seen, n);
}

/* Longer than a piece, exactly as long, in memory that holds a bucket and in one that does not,
 * kept and not. */
static void takes_records_of_any_length(void **unused)
{
    static const struct {
        int64_t n_bytes, n_keep, n_merge;
        uint32_t n;
    } table[] = {
        { 8 << 20, 0, 8 << 20, 500 },        { 2 << 20, 0, 3 << 19, 900 },
        { 3 << 20, 1 << 20, 3 << 19, 10 },   { 3 << 20, 1 << 20, 3 << 19, 400 },
        { 16 << 20, 8 << 20, 8 << 20, 100 },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct alone alone;
        struct error err;
        open_alone(&alone, table[i].n_bytes, table[i].n_keep, table[i].n_merge);
        for (uint32_t number = 0; number < table[i].n; number++)
            add_numbered(&alone, number, length_of(number));
        assert_fine(buckets_end(alone.buckets, 0, table[i].n_merge, 1, &err), &err);
        expect_numbered(&alone, table[i].n_merge, table[i].n);
        close_alone(&alone);
    }
}

static void a_record_that_is_too_long_is_refused(void **unused)
{
    struct alone alone;
    struct error err;
    (void)unused;
    open_alone(&alone, 4 << 20, 0, 2 << 20);
    int64_t most = buckets_most_bytes(alone.buckets);
    assert_int_equal(most, (2 << 20) / 8);
    assert_null(buckets_room(alone.buckets, 0, most + 1, &err));
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.text, "raise [limits] memory"));
    assert_non_null(buckets_room(alone.buckets, 0, most, &err));
    close_alone(&alone);
    struct buckets *buckets;
    uint8_t *bytes = calloc(1, 1 << 20);
    assert_refused(buckets_open(&buckets,
                                &alone.scratch,
                                &weights,
                                &team_alone,
                                bytes,
                                (1 << 20) - 1,
                                0,
                                1 << 20,
                                alone.keys,
                                8,
                                &err),
                   &err,
                   ERROR_BUDGET,
                   "1.0 MiB");
    free(bytes);
}

static bool is_asked(void *context)
{
    ++*(int *)context;
    return true;
}

/* While records are added, and while a large bucket is sorted. */
static void stops_when_asked(void **unused)
{
    struct alone alone;
    struct error err;
    const uint8_t *record;
    int32_t n;
    int n_asked = 0;
    (void)unused;
    open_alone(&alone, 2 << 20, 0, 3 << 19);
    for (uint32_t number = 0; number < 900; number++)
        add_numbered(&alone, number, 20000);
    alone.scratch.stop = is_asked;
    alone.scratch.stop_context = &n_asked;
    assert_int_equal(buckets_end(alone.buckets, 0, 3 << 19, 1, &err), -1);
    assert_int_equal(err.code, ERROR_STOPPED);
    assert_int_equal(n_asked, 1);
    alone.scratch.stop = NULL;
    close_alone(&alone);
    open_alone(&alone, 2 << 20, 0, 3 << 19);
    for (uint32_t number = 0; number < 900; number++)
        add_numbered(&alone, number, 20000);
    assert_fine(buckets_end(alone.buckets, 0, 3 << 19, 1, &err), &err);
    memory_rewind(&alone.memory, &(struct memory_mark){ 0, { 0 } });
    assert_fine(buckets_start(alone.buckets,
                              0,
                              3 << 19,
                              is_asked,
                              &n_asked,
                              &alone.memory,
                              &err),
                &err);
    assert_int_equal(buckets_next(alone.buckets, 0, 1, &record, &n, &err), -1);
    assert_int_equal(err.code, ERROR_STOPPED);
    assert_int_equal(n_asked, 2);
    close_alone(&alone);
}

/* One rank has failed, and all of them hear of it. */
static void fail_on_one_rank(const struct team *team, void *context)
{
    struct alone alone = { .keys = { 0 } };
    struct error err = { ERROR_NONE, "" };
    (void)context;
    RANK_CHECK(memory_init(&alone.memory, MEMORY, &err) == 0);
    RANK_CHECK(scratch_open(&alone.scratch, "/tmp/x", team, &err) == 0);
    uint8_t *bytes = memory_take(&alone.memory, MEMORY_BATCH, 1 << 20, &err);
    RANK_CHECK(buckets_open(&alone.buckets,
                            &alone.scratch,
                            &weights,
                            team,
                            bytes,
                            1 << 20,
                            0,
                            1 << 20,
                            alone.keys,
                            1,
                            &err)
               == 0);
    int status = team->rank == 1 ? error_set(&err, ERROR_STOPPED, "enough") : 0;
    RANK_CHECK(buckets_end(alone.buckets, status, 1 << 20, 1, &err) == -1);
    RANK_CHECK(err.code == ERROR_STOPPED && strcmp(err.text, "enough") == 0);
    close_alone(&alone);
}

static void what_fails_on_one_rank_fails_on_all(void **unused)
{
    (void)unused;
    forks_run(3, fail_on_one_rank, NULL);
}

/* What lies in scratch space is not believed: every length and place is looked at. */
static void damaged_scratch_is_noticed(void **unused)
{
    (void)unused;
    for (int64_t turn = 0; turn < 400; turn++) {
        bool is_small = turn % 2 == 0; /* so that the buckets do not fit */
        int64_t n_merge = is_small ? 3 << 19 : 8 << 20;
        struct alone alone;
        struct error err;
        const uint8_t *records[5];
        int32_t n = 1;
        int64_t seen = 0;
        int status;
        open_alone(&alone, is_small ? 2 << 20 : 8 << 20, 0, n_merge);
        for (uint32_t number = 0; number < 150; number++)
            add_numbered(&alone, number, is_small ? 150000 : length_of(number));
        assert_fine(buckets_end(alone.buckets, 0, n_merge, 1, &err), &err);
        for (int i = 0; i < 3; i++) { /* where lengths, places and chains are likely */
            int64_t from_end = (int64_t)draw(8 * sizeof(int64_t) * 4);
            int64_t each =
                is_small ? 150080 : 65536; /* from extent to extent, or piece */
            int64_t at = turn % 4 < 2 ? alone.scratch.n_bytes - 1 - from_end
                                      : (int64_t)draw(64) * each + (int64_t)draw(24);
            uint8_t byte = (uint8_t)draw(256);
            if (at < alone.scratch.n_bytes)
                assert_int_equal(pwrite(alone.scratch.file, &byte, 1, at), 1);
        }
        memory_rewind(&alone.memory, &(struct memory_mark){ 0, { 0 } });
        assert_fine(buckets_start(alone.buckets,
                                  0,
                                  n_merge,
                                  NULL,
                                  NULL,
                                  &alone.memory,
                                  &err),
                    &err);
        while ((status = buckets_next(alone.buckets, 0, 5, records, &n, &err)) == 0
               && n > 0)
            seen += n;
        assert_true(status == -1 ? err.code == ERROR_IO || err.code == ERROR_BUDGET
                                 : seen <= 150);
        close_alone(&alone);
    }
}

/* Half of the zones lie in a hundredth of the extent: so do half of the keys. */
static void choose_on_a_rank(const struct team *team, void *context)
{
    enum { N = 64, ZONES = 5000 };
    static struct store_keys seen;
    static uint8_t room[1 << 20] __attribute__((aligned(8)));
    uint32_t keys[N], expected[N];
    const struct box extent = { 0, 0, 10, 10 };
    struct error err = { ERROR_NONE, "" };
    int n_low = 0;
    (void)context;
    store_keys_init(&seen);
    for (int i = team->rank; i < ZONES; i += team->size) {
        double x = i % 2 ? i % 100 / 100.0 : i % 100 / 10.0, y = i / 100 / 50.0;
        y *= i % 2 ? 1 : 10;
        store_keys_see(&seen, &(struct box){ x, y, x + 0.001, y + 0.001 });
    }
    RANK_CHECK(store_keys_choose(&seen, &extent, team, room, sizeof room, keys, N, &err)
               == 0);
    RANK_CHECK(keys[0] == 0);
    for (int i = 1; i < N; i++)
        RANK_CHECK(keys[i] >= keys[i - 1]);
    for (int i = 0; i < N; i++)
        n_low +=
            keys[i] < UINT32_MAX / 50; /* the curve begins in the lower left corner */
    RANK_CHECK(n_low > N / 2 - 6 && n_low < N / 2 + 8);
    memcpy(expected, keys, sizeof keys);
    RANK_CHECK(team_broadcast(team, 0, expected, sizeof expected, &err) == 0);
    RANK_CHECK(memcmp(expected, keys, sizeof keys) == 0);
    store_keys_init(&seen); /* no zone at all */
    RANK_CHECK(store_keys_choose(&seen, &extent, team, room, 64, keys, N, &err) == 0);
    for (int i = 0; i < N; i++)
        RANK_CHECK(keys[i] == (uint32_t)i << 26);
}

static void keys_follow_the_zones(void **unused)
{
    (void)unused;
    choose_on_a_rank(&team_alone, NULL);
    forks_run(3, choose_on_a_rank, NULL);
}

/* Few while they are large enough, more where one would not fit, none that has no room. */
static void there_are_as_many_buckets_as_are_worth_it(void **unused)
{
    enum { MIB = 1 << 20 };
    (void)unused;
    int n = buckets_number(55 * MIB, 34 * MIB, 2, 1, 1);
    assert_int_equal(n, 128);
    assert_int_equal(buckets_number(55 * MIB, 34 * MIB, 2, 1, 3e8), n);
    assert_int_equal(buckets_number(1000 * (int64_t)MIB, 600 * (int64_t)MIB, 2, 1, 3e8),
                     n);
    assert_int_equal(buckets_number(55 * MIB, 34 * MIB, 2, 1, 0), 256);
    int more = buckets_number(55 * MIB, 34 * MIB, 1, 4, 1e9);
    assert_in_range(more, 220, 260);
    assert_in_range(buckets_number(55 * MIB, 34 * MIB, 4, 1, 1e9),
                    2 * more - 2,
                    2 * more + 2);
    more = buckets_number(55 * MIB, 34 * MIB, 1, 4, 26e9);
    assert_in_range(more, 1000, BUCKETS_MOST);
    more = buckets_number(1000 * (int64_t)MIB, 600 * (int64_t)MIB, 4, 1, 26e9);
    assert_int_equal(more, BUCKETS_MOST);
    assert_int_equal(buckets_number(55 * MIB, 34 * MIB, 1, 100, 1), 800);
    assert_in_range(buckets_number(7 * MIB, 4 * MIB, 1, 1, 1), 10, n);
    assert_in_range(buckets_number(MIB, MIB, 1, 64, 1e15), 1, n);
}

/* What is touched is foreseen, whatever is kept and however many buckets there are; a long
 * record lies behind it, and all of it within the memory. */
static void what_is_resident_is_foreseen(void **unused)
{
    static const uint32_t keys[BUCKETS_MOST];
    uint8_t *bytes = mmap(NULL,
                          (size_t)1 << 30,
                          PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                          -1,
                          0);
    (void)unused;
    assert_true(bytes != MAP_FAILED);
    for (int turn = 0; turn < 500; turn++) {
        struct buckets *buckets;
        struct error err;
        int64_t n_bytes = (1 << 20) + (int64_t)draw((uint64_t)1 << (20 + draw(10)));
        int64_t n_keep = draw(3) == 0 ? 0 : (int64_t)draw(22 << 20);
        int64_t n_merge = n_bytes / 8 * 5;
        int n = buckets_number(n_bytes,
                               n_merge,
                               1 + (int)draw(4),
                               1 + (int)draw(40),
                               (double)draw(UINT64_C(1) << 31) * 8);
        assert_fine(buckets_open(&buckets,
                                 NULL,
                                 &weights,
                                 &team_alone,
                                 bytes,
                                 n_bytes,
                                 n_keep,
                                 n_merge,
                                 keys,
                                 n,
                                 &err),
                    &err);
        int64_t end = buckets->long_room - bytes;
        int64_t n_long = SORT_LENGTH_BYTES + buckets_most_bytes(buckets);
        assert_in_range(end, buckets->n_keep, buckets_resident_bytes(n_bytes, n_keep));
        assert_in_range(end + n_long, end, n_bytes);
        assert_true(buckets->pieces + (int64_t)n * buckets->piece
                    <= buckets->long_room);
        assert_true(buckets->n_keep <= n_keep && buckets->n_keep % 64 == 0);
        buckets_close(buckets);
    }
    munmap(bytes, (size_t)1 << 30);
    for (int n = 1; n <= BUCKETS_MOST_PARTS; n++) {
        assert_int_equal(buckets_parts_bytes(1 << 30, n), (n == 1 ? 12 : 24) << 20);
        assert_int_equal(buckets_parts_bytes(7 << 20, n), 7 << 20);
    }
}

/* Little, however much there is, but for one that holds a very long record. */
static void a_part_takes_what_it_needs(void **unused)
{
    struct alone alone;
    struct error err;
    (void)unused;
    for (int is_long = 0; is_long < 2; is_long++) {
        int64_t n = is_long ? 2000000 : 30;
        open_alone(&alone, 20 << 20, 0, 64 << 20);
        add_numbered(&alone, 1, n);
        assert_fine(buckets_end(alone.buckets, 0, 64 << 20, 4, &err), &err);
        assert_int_equal(buckets_parts(alone.buckets), 4);
        assert_int_equal(buckets_part_bytes(alone.buckets), is_long ? 8 * n : 6 << 20);
        close_alone(&alone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_however_the_keys_part),
        cmocka_unit_test(takes_records_of_any_length),
        cmocka_unit_test(a_record_that_is_too_long_is_refused),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(what_fails_on_one_rank_fails_on_all),
        cmocka_unit_test(damaged_scratch_is_noticed),
        cmocka_unit_test(keys_follow_the_zones),
        cmocka_unit_test(there_are_as_many_buckets_as_are_worth_it),
        cmocka_unit_test(what_is_resident_is_foreseen),
        cmocka_unit_test(a_part_takes_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
