/*
 * The result, written and read back. With arguments it is no test but the writer that
 * tests/mpi/writer.sh runs under mpirun:
 *     result_test_writer PATH full|empty|bare|missing|poor N_ZONES MEMORY_KIB
 * missing: one zone is in no spool; poor: the rank with the huge zone has no memory
 * for it
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rooftally/h5/h5.h"

#include "result/case.h"

/* Spool all zones, let `change` spoil something, and write the result. */
static int
write_case(struct comm *comm,
           const char *path,
           enum case_kind kind,
           int64_t n_zones,
           int64_t memory_bytes,
           int (*change)(struct case_input *, struct spool *, struct memory *),
           struct error *err)
{
    struct memory memory = { 0 };
    struct spool *spool = NULL;
    struct case_input c;
    char *folder = spool_folder(path);
    int status = comm_rank(comm) == 0 ? spool_create(folder, err) : 0;
    case_input_init(&c, kind, path, n_zones, comm);
    status = comm_agree(comm, status, err);
    if (status == 0
        && (memory_init(&memory, memory_bytes, err) < 0
            || spool_open(&spool, folder, "run", 1, comm_rank(comm), err) < 0))
        status = -1;
    if (status == 0) {
        struct memory room;
        memory_init(&room, INT64_C(64) << 20, err);
        status = case_fill(spool, kind, &c.binding, n_zones, comm, &room, err);
        if (status == 0 && change)
            status = change(&c, spool, &room);
        memory_release(&room);
    }
    if (comm_agree(comm, status, err) == 0) {
        int64_t used = memory.used_bytes;
        status = result_write(comm, &c.input, spool, &memory, err);
        if (memory.used_bytes != used)
            abort();
    }
    spool_close(spool);
    (void)comm_agree(comm, 0, NULL);
    if (comm_rank(comm) == 0)
        spool_remove(folder, NULL);
    memory_release(&memory);
    case_input_release(&c);
    free(folder);
    return status;
}

enum { N_ZONES = 60, MEMORY = 16 << 20 };

static char folder[] = "/tmp/rooftally-XXXXXX";
static char path[64];
static struct comm *alone;

static int open_folder(void **state)
{
    (void)state;
    h5_silence();
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/out.h5", folder);
    return comm_open(&alone, NULL, NULL, NULL);
}

static int close_folder(void **state)
{
    (void)state;
    comm_close(alone);
    return rmdir(folder);
}

/* Nothing but the result itself, if that, is left of a run. */
static void assert_left(int n_files)
{
    DIR *entries = opendir(folder);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(entries));)
        n += entry->d_name[0] != '.';
    closedir(entries);
    assert_int_equal(n, n_files);
}

static int write_quietly(enum case_kind kind, int64_t n_zones, struct error *err)
{
    return write_case(alone, path, kind, n_zones, MEMORY, NULL, err);
}

static void *read_all(hid_t file, const char *name, hid_t type, int64_t *n_values)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(dataset >= 0);
    hid_t space = H5Dget_space(dataset), own = H5Dget_type(dataset);
    int64_t n = H5Sget_simple_extent_npoints(space);
    hid_t read_as = type == H5T_C_S1 ? own : type;
    char *values = calloc((size_t)n + 1, H5Tget_size(read_as) + 1);
    if (n > 0)
        assert_true(H5Dread(dataset, read_as, H5S_ALL, H5S_ALL, H5P_DEFAULT, values)
                    >= 0);
    if (n_values)
        *n_values = type == H5T_C_S1 ? (int64_t)H5Tget_size(own) : n;
    H5Tclose(own);
    H5Sclose(space);
    H5Dclose(dataset);
    return values;
}

static int64_t *integers(hid_t file, const char *name)
{
    return read_all(file, name, H5T_NATIVE_INT64, NULL);
}

static double *reals(hid_t file, const char *name)
{
    return read_all(file, name, H5T_NATIVE_DOUBLE, NULL);
}

static bool same_text(const char *row, int64_t width, struct text text)
{
    return (int64_t)strnlen(row, (size_t)width) == text.n
           && (text.n == 0 || memcmp(row, text.bytes, (size_t)text.n) == 0);
}

static bool same_real(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Every value of the file against the record it came from. */
static void check_full(int64_t n_zones)
{
    struct memory memory;
    struct binding binding = case_binding(CASE_FULL);
    memory_init(&memory, 64 << 20, NULL);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    int64_t *buildings = integers(file, "/buildings"),
            *heights = integers(file, "/heights");
    int64_t *uses = integers(file, "/uses"),
            *offset = integers(file, "/selection/offset");
    int64_t *id = integers(file, "/selection/id"),
            *built = integers(file, "/selection/built");
    double *mean = reals(file, "/mean_size"), *tallest = reals(file, "/tallest");
    double *height = reals(file, "/selection/height"),
           *xmax = reals(file, "/zones/xmax");
    int64_t *bytes_at = integers(file, "/zones/geometry_offset");
    int64_t *rejected_id = integers(file, "/rejected/id");
    uint8_t *wkb = read_all(file, "/zones/geometry", H5T_NATIVE_UINT8, NULL);
    int64_t use_width, reason_width, zone_width, key_width, common_width;
    char *use = read_all(file, "/selection/use", H5T_C_S1, &use_width);
    char *reason = read_all(file, "/rejected/reason", H5T_C_S1, &reason_width);
    char *rejected_zone = read_all(file, "/rejected/zone", H5T_C_S1, &zone_width);
    char *keys = read_all(file, "/uses_category", H5T_C_S1, &key_width);
    char *common = read_all(file, "/commonest", H5T_C_S1, &common_width);
    static const char *const sorted[] = { "",
                                          "K\xc3\xbc"
                                          "che",
                                          "an unusually long use of a building",
                                          "house",
                                          "shed",
                                          "zoo" };
    for (int k = 0; k < 6; k++)
        assert_true(same_text(keys + k * key_width, key_width, case_text(sorted[k])));

    int64_t n_rejected = 0;
    assert_int_equal(offset[0], 0);
    for (int64_t row = 0; row < n_zones; row++) {
        struct memory_mark mark = memory_mark(&memory);
        struct zone_record r;
        case_record(&r, CASE_FULL, &binding, row, 0, &memory);
        assert_int_equal(buildings[row], r.outputs[0].integers[0]);
        assert_true(same_real(mean[row], r.outputs[1].reals[0]));
        assert_true(same_text(common + row * common_width,
                              common_width,
                              r.outputs[2].texts[0]));
        assert_memory_equal(heights + 20 * row, r.outputs[4].integers, 20 * 8);
        int64_t counts[6] = { 0 };
        for (int64_t i = 0; i < r.outputs[5].n; i++)
            for (int k = 0; k < 6; k++)
                if (same_text(sorted[k],
                              (int64_t)strlen(sorted[k]) + 1,
                              r.outputs[5].texts[i]))
                    counts[k] = r.outputs[5].counts[i];
        assert_memory_equal(uses + 6 * row, counts, sizeof counts);
        for (int i = 0; i < 3; i++)
            assert_true(same_real(tallest[3 * row + i], r.outputs[8].reals[i]));
        assert_true(
            same_real(xmax[row], r.box.xmin > r.box.xmax ? (double)NAN : r.box.xmax));
        assert_int_equal(bytes_at[row + 1] - bytes_at[row], r.wkb.n);
        if (r.wkb.n > 0)
            assert_memory_equal(wkb + bytes_at[row], r.wkb.bytes, (size_t)r.wkb.n);
        assert_int_equal(offset[row + 1] - offset[row], r.n_selected);
        for (int64_t i = 0; i < r.n_selected; i++) {
            int64_t at = offset[row] + i;
            assert_int_equal(id[at], r.keep[0].integers[i]);
            assert_true(
                same_real(height[at],
                          r.keep[1].valid[i] ? r.keep[1].reals[i] : (double)NAN));
            assert_true(same_text(use + at * use_width,
                                  use_width,
                                  r.keep[2].valid[i] ? r.keep[2].texts[i]
                                                     : (struct text){ 0 }));
            assert_int_equal(built[at],
                             r.keep[3].valid[i] ? r.keep[3].integers[i] : FILL_INTEGER);
        }
        for (int64_t i = 0; i < r.n_rejected; i++, n_rejected++) {
            char zone[8];
            snprintf(zone, sizeof zone, "%05d", (int)row);
            assert_true(same_text(rejected_zone + n_rejected * zone_width,
                                  zone_width,
                                  case_text(zone)));
            assert_int_equal(rejected_id[n_rejected], r.rejected_id.integers[i]);
            assert_true(same_text(reason + n_rejected * reason_width,
                                  reason_width,
                                  r.rejected_reason[i]));
        }
        memory_rewind(&memory, &mark);
    }
    assert_true(n_rejected > 0);
    void *all[] = { buildings, heights, uses,   offset,        id,       built,
                    mean,      tallest, height, xmax,          bytes_at, rejected_id,
                    wkb,       use,     reason, rejected_zone, keys,     common };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    H5Fclose(file);
    memory_release(&memory);
}

static void every_value_arrives_at_its_row(void **state)
{
    (void)state;
    /* little memory cuts the huge zone across slabs, one zone has no neighbours */
    static const struct {
        int64_t n_zones, memory_bytes;
    } cases[] = { { N_ZONES, 64 << 20 }, { N_ZONES, 9 << 20 }, { 6, 16 << 20 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        if (write_case(alone,
                       path,
                       CASE_FULL,
                       cases[i].n_zones,
                       cases[i].memory_bytes,
                       NULL,
                       &err)
            < 0)
            fail_msg("%s", err.text);
        check_full(cases[i].n_zones);
        assert_left(1);
        unlink(path);
    }
}

static void the_job_text_is_whole(void **state)
{
    (void)state;
    assert_int_equal(write_quietly(CASE_BARE, 5, NULL), 0);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(h5_has(file, "/zones") && !h5_has(file, "/selection"));
    hid_t group = H5Gopen2(file, "/provenance", H5P_DEFAULT);
    char *text = h5_get_text(group, "job", NULL);
    assert_non_null(text);
    assert_int_equal(strlen(text), 100 * 1024);
    free(text);
    text = h5_get_text(group, "snapshot", NULL);
    assert_string_equal(text, "");
    free(text);
    H5Gclose(group);
    H5Fclose(file);
    unlink(path);
}

static int add_twice(struct case_input *c, struct spool *spool, struct memory *memory)
{
    struct zone_record record;
    case_record(&record, CASE_FULL, &c->binding, 2, 0, memory);
    return spool_append(spool, &record, &case_statistics, NULL);
}

static int
add_one_more(struct case_input *c, struct spool *spool, struct memory *memory)
{
    struct zone_record record;
    case_record(&record, CASE_FULL, &c->binding, c->input.n_zones, 0, memory);
    return spool_append(spool, &record, &case_statistics, NULL);
}

static int
expect_one_more(struct case_input *c, struct spool *spool, struct memory *memory)
{
    (void)spool, (void)memory;
    c->input.n_zones++;
    return 0;
}

static int force(struct case_input *c, struct spool *spool, struct memory *memory)
{
    (void)spool, (void)memory;
    c->input.force = 1;
    c->input.title = "Forced";
    return 0;
}

static int keep_offset(struct case_input *c, struct spool *spool, struct memory *memory)
{
    (void)spool, (void)memory;
    snprintf(c->binding.slots[1].name, NAME_BYTES, "offset");
    return 0;
}

static void a_failure_leaves_nothing_and_names_its_cause(void **state)
{
    (void)state;
    static const struct {
        int64_t n_zones, memory_bytes;
        int (*change)(struct case_input *, struct spool *, struct memory *);
        enum error_code code;
        const char *says;
    } cases[] = {
        { 6, MEMORY, add_one_more, ERROR_INTERNAL, "6 zones" },
        { 6, MEMORY, expect_one_more, ERROR_INTERNAL, "no record" },
        { 6, MEMORY, keep_offset, ERROR_USAGE, "'offset'" },
        { 6, 2 << 20, NULL, ERROR_BUDGET, "row 3" }, /* the huge zone */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        assert_int_equal(write_case(alone,
                                    path,
                                    CASE_FULL,
                                    cases[i].n_zones,
                                    cases[i].memory_bytes,
                                    cases[i].change,
                                    &err),
                         -1);
        if (err.code != cases[i].code || !strstr(err.text, cases[i].says))
            fail_msg("case %d: %d %s", (int)i, err.code, err.text);
        assert_left(0);
    }
}

static void a_zone_recorded_twice_counts_once(void **state)
{
    (void)state;
    struct error err = { 0 };
    int64_t n_once = 0, n_twice = 0;
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(write_case(alone,
                                    path,
                                    CASE_FULL,
                                    6,
                                    MEMORY,
                                    twice ? add_twice : NULL,
                                    &err),
                         0);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        free(read_all(file,
                      "/selection/id",
                      H5T_NATIVE_INT64,
                      twice ? &n_twice : &n_once));
        int64_t consistent = -1;
        assert_int_equal(h5_get_integer(file, "consistent", &consistent, NULL), 0);
        assert_int_equal(consistent, 1);
        H5Fclose(file);
        unlink(path);
    }
    assert_true(n_once > 0);
    assert_int_equal(n_once, n_twice);
}

static void an_older_result_stays_unless_forced(void **state)
{
    (void)state;
    struct error err = { 0 };
    assert_int_equal(write_quietly(CASE_EMPTY, 3, NULL), 0);
    assert_int_equal(write_quietly(CASE_EMPTY, 3, &err), -1);
    assert_int_equal(err.code, ERROR_IO); /* the work was done */
    assert_left(1);
    /* a failure after all is written does not touch it either */
    assert_int_equal(write_case(alone,
                                path,
                                CASE_EMPTY,
                                3,
                                MEMORY,
                                expect_one_more,
                                &err),
                     -1);
    assert_left(1);
    assert_int_equal(write_case(alone, path, CASE_EMPTY, 3, MEMORY, force, &err), 0);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    char *title = h5_get_text(file, "title", NULL);
    assert_string_equal(title, "Forced");
    free(title);
    H5Fclose(file);
    struct stat stat_path;
    stat(path, &stat_path);
    assert_int_equal(stat_path.st_mode & 022, 0);
    unlink(path);
}

static void a_full_disk_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit limit, less;
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(write_quietly(CASE_EMPTY, 100, NULL), 0);
    struct stat stat_path;
    stat(path, &stat_path);
    unlink(path);
    static const int percent[] = { 1, 30, 70, 99 };
    for (int i = 0; i < 4; i++) {
        less = limit;
        less.rlim_cur = (rlim_t)(stat_path.st_size * percent[i] / 100);
        /* in a process of its own: HDF5 keeps what it could not close */
        pid_t child = fork();
        if (child == 0) {
            struct error err = { 0 };
            setrlimit(RLIMIT_FSIZE, &less); /* the spool of an empty case is smaller */
            int status = write_quietly(CASE_EMPTY, 100, &err);
            _exit(status == -1 && err.code == ERROR_IO ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_left(0);
    }
}

static void only_leftovers_of_dead_processes_go(void **state)
{
    (void)state;
    char host[64] = "", live[256], dead[256], foreign[256], mine[256], zombie[256],
         copy[256], notes[256], backup[256];
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t ended;
    waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT);
    gethostname(host, sizeof host - 1);
    snprintf(live, sizeof live, "%s.partial-%s-%ld", path, host, (long)getppid());
    snprintf(mine, sizeof mine, "%s.partial-%s-%ld", path, host, (long)getpid());
    snprintf(dead, sizeof dead, "%s.partial-%s-999999999", path, host);
    snprintf(copy, sizeof copy, "%s.scan.partial-%s-999999999", path, host);
    snprintf(foreign, sizeof foreign, "%s.partial-elsewhere-1", path);
    snprintf(zombie, sizeof zombie, "%s.partial-%s-%ld", path, host, (long)child);
    snprintf(notes, sizeof notes, "%s.partial-notes", path);
    snprintf(backup, sizeof backup, "%s.partial-%s-7.old", path, host);
    const char *all[] = { live, mine, dead, copy, foreign, zombie, notes, backup };
    for (int i = 0; i < 8; i++)
        fclose(fopen(all[i], "w"));
    assert_int_equal(write_quietly(CASE_EMPTY, 3, NULL), 0);
    assert_int_equal(access(live, F_OK), 0);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_int_equal(access(dead, F_OK), -1);
    assert_int_equal(access(copy, F_OK), -1);
    assert_int_equal(access(zombie, F_OK), -1);
    waitpid(child, NULL, 0);
    assert_left(5);
    /* a day later another host's is no one's, but what lives and what is not ours is not touched */
    struct timespec long_ago[2] = { { 1, 0 }, { 1, 0 } };
    const char *old[] = { foreign, live, notes, backup };
    for (int i = 0; i < 4; i++)
        utimensat(AT_FDCWD, old[i], long_ago, 0);
    unlink(path);
    assert_int_equal(write_quietly(CASE_EMPTY, 3, NULL), 0);
    assert_int_equal(access(foreign, F_OK), -1);
    for (int i = 1; i < 4; i++)
        assert_int_equal(unlink(old[i]), 0);
    unlink(path);
}

static void an_output_is_checked_before_the_work(void **state)
{
    (void)state;
    struct error err = { 0 };
    char inside[96], below[96], links[4][96];
    assert_int_equal(result_check(path, 0, &err), 0);
    const char *const targets[] = { path, "nowhere", "/dev/null", "." };
    for (int i = 0; i < 4; i++) {
        snprintf(links[i], sizeof links[i], "%s/link%d", folder, i);
        assert_int_equal(symlink(targets[i], links[i]), 0);
    }
    fclose(fopen(path, "w"));
    snprintf(inside, sizeof inside, "%s/missing/out.h5", folder);
    snprintf(below, sizeof below, "%s/out.h5", path);
    const struct {
        const char *path;
        int force, status;
        const char *says;
    } cases[] = {
        { path, 0, -1, "--force" },           { path, 1, 0, "" },
        { inside, 1, -1, "missing" },         { below, 1, -1, "output" },
        { folder, 1, -1, "not a file" },      { "", 1, -1, "name of a file" },
        { "/tmp/", 1, -1, "name of a file" }, { "/proc/out.h5", 0, -1, "" },
        { links[0], 0, -1, "--force" },       { links[0], 1, 0, "" },
        { links[1], 0, -1, "--force" },       { links[1], 1, 0, "" },
        { links[2], 1, -1, "not a file" },    { links[2], 0, -1, "not a file" },
        { links[3], 1, -1, "not a file" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i == 7 && access("/proc", W_OK) == 0)
            continue;
        err = (struct error){ 0 };
        assert_int_equal(result_check(cases[i].path, cases[i].force, &err),
                         cases[i].status);
        if (cases[i].status < 0) {
            assert_int_equal(err.code, ERROR_USAGE);
            assert_non_null(strstr(err.text, cases[i].says));
        }
    }
    for (int i = 0; i < 4; i++)
        unlink(links[i]);
    unlink(path);
}

static void kept_names_must_be_free(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
    } cases[] = { { "height2", 0 },   { "id", -1 },         { "offset", -1 },
                  { "building", -1 }, { "zone_bound", -1 }, { "a/b", -1 },
                  { ".", -1 },        { "", -1 },           { "use", -1 },
                  { " x", -1 },       { "x ", -1 },         { "\tx", -1 },
                  { "x\x7fy", -1 },   { "\xc3\xa9 x", 0 },  { "a b", 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = { 0 };
        struct binding binding = case_binding(CASE_FULL);
        snprintf(binding.slots[0].name, NAME_BYTES, "%s", cases[i].name);
        assert_int_equal(result_check_keep(&binding, &err), cases[i].status);
        if (cases[i].status < 0)
            assert_int_equal(err.code, ERROR_USAGE);
    }
}

static void check_totals(const struct result_totals *totals, int64_t n_zones)
{
    struct memory memory;
    struct binding binding = case_binding(CASE_FULL);
    int64_t sums[5] = { 0 }, n[2] = { 0 };
    memory_init(&memory, 64 << 20, NULL);
    for (int64_t row = 0; row < n_zones; row++) {
        struct memory_mark mark = memory_mark(&memory);
        struct zone_record r;
        case_record(&r, CASE_FULL, &binding, row, 0, &memory);
        sums[0] += r.n_candidates;
        sums[1] += r.n_selected;
        sums[2] += r.n_outside;
        sums[3] += r.n_filtered;
        sums[4] += r.n_rejected;
        for (int64_t i = 0; i < r.n_rejected; i++)
            n[r.rejected_reason[i].bytes[0] == 'N']++;
        memory_rewind(&memory, &mark);
    }
    memory_release(&memory);
    assert_int_equal(totals->n_candidates, sums[0]);
    assert_int_equal(totals->n_selected, sums[1]);
    assert_int_equal(totals->n_outside, sums[2]);
    assert_int_equal(totals->n_filtered, sums[3]);
    assert_int_equal(totals->n_rejected, sums[4]);
    assert_true(totals->consistent);
    assert_int_equal(totals->n_reasons, 2);
    assert_int_equal(totals->n_others, 0);
    int most = n[1] > n[0];
    assert_true(n[0] != n[1] && n[0] > 0 && n[1] > 0);
    assert_int_equal(totals->reasons[0].n, n[most]);
    assert_int_equal(totals->reasons[1].n, n[!most]);
    assert_int_equal(totals->reasons[0].text[0], most ? 'N' : 'r');
}

static int n_selected(const char *of)
{
    hid_t file = H5Fopen(of, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t ids = H5Dopen2(file, "/selection/id", H5P_DEFAULT), space = H5Dget_space(ids);
    int n = (int)H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    H5Dclose(ids);
    H5Fclose(file);
    assert_true(n > 0);
    return n;
}

static void info_tells_what_a_result_holds(void **state)
{
    (void)state;
    struct error err = { 0 };
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(write_quietly(CASE_FULL, N_ZONES, NULL), 0);
    FILE *out = open_memstream(&text, &n);
    if (result_info(path, out, &err) < 0)
        fail_msg("%s", err.text);
    fclose(out);
    char selected[64];
    snprintf(selected, sizeof selected, "selection   %d buildings:", n_selected(path));
    const char *const said[] = { "Zones made up",
                                 "zones       60, EPSG:4326",
                                 selected,
                                 "heights",
                                 "x 20",
                                 "mean(size)",
                                 "ring 1 is open",
                                 "1 rank, ",
                                 "job" };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (!strstr(text, said[i]))
            fail_msg("no '%s' in:\n%s", said[i], text);
    free(text);

    /* the totals are the sums of the records */
    struct result_totals totals;
    if (result_total(path, &totals, &err) < 0)
        fail_msg("%s", err.text);
    check_totals(&totals, N_ZONES);

    /* a number of bytes that cannot be one */
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/telemetry/rank/peak_rss", H5P_DEFAULT);
    int64_t huge = INT64_MAX;
    assert_true(
        H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &huge) >= 0);
    H5Dclose(dataset);
    H5Fclose(file);
    out = fopen("/dev/null", "w");
    assert_int_equal(result_info(path, out, &err), 0);
    fclose(out);

    /* rows whose bytes no number counts */
    static const hsize_t dims[] = { N_ZONES, UINT64_C(1) << 61 };
    static const char candidates[] = "/telemetry/zone/candidates";
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE),
          space = H5Screate_simple(2, dims, NULL);
    H5Pset_chunk(create, 2, (hsize_t[]){ 1, 1 });
    H5Lmove(file, candidates, file, "/candidates", H5P_DEFAULT, H5P_DEFAULT);
    dataset = H5Dcreate2(file,
                         candidates,
                         H5T_STD_I64LE,
                         space,
                         H5P_DEFAULT,
                         create,
                         H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(create);
    H5Fclose(file);
    out = fopen("/dev/null", "w");
    assert_int_equal(result_info(path, out, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_non_null(strstr(err.text, candidates));
    fclose(out);
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, candidates, H5P_DEFAULT);
    H5Lmove(file, "/candidates", file, candidates, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);

    /* what is none, or not whole, is refused */
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Adelete(file, "consistent");
    H5Fclose(file);
    assert_int_equal(result_info(path, stderr, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_int_equal(result_total(path, &totals, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(result_info(path, stderr, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    unlink(path);
    static const struct {
        const char *path, *says;
    } none[] = { { "no such file",
                   "no such file: No such file or directory: check its path" },
                 { ".", ". is not a file" },
                 { "/dev/null", "/dev/null is not a file" } };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(result_info(none[i].path, stderr, &err), -1);
        assert_int_equal(err.code, ERROR_IO);
        assert_string_equal(err.text, none[i].says);
    }
    file = h5_create_file(path, NULL);
    H5Fclose(file);
    assert_int_equal(result_info(path, stderr, &err), -1);
    assert_int_equal(err.code, ERROR_FORMAT);
    unlink(path);
}

static int write_as_told(int argc, char **argv)
{
    struct comm *comm = NULL;
    struct error err = { 0 };
    if (comm_open(&comm, &argc, &argv, &err) < 0 || argc != 5) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    enum case_kind kind = argv[2][0] == 'f'   ? CASE_FULL
                          : argv[2][0] == 'e' ? CASE_EMPTY
                                              : CASE_BARE;
    bool is_missing = argv[2][0] == 'm', is_poor = argv[2][0] == 'p';
    int64_t n_bytes = 1024 * atol(argv[4]);
    if (is_poor && case_is_mine(CASE_HUGE_ROW, comm_rank(comm), comm_size(comm)))
        n_bytes = 1 << 20;
    int status = write_case(comm,
                            argv[1],
                            is_missing || is_poor ? CASE_FULL : kind,
                            atol(argv[3]),
                            n_bytes,
                            is_missing ? expect_one_more : NULL,
                            &err);
    if (status < 0)
        fprintf(stderr, "rank %d: %s\n", comm_rank(comm), err.text);
    comm_close(comm);
    return status < 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return write_as_told(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_arrives_at_its_row),
        cmocka_unit_test(the_job_text_is_whole),
        cmocka_unit_test(a_failure_leaves_nothing_and_names_its_cause),
        cmocka_unit_test(a_zone_recorded_twice_counts_once),
        cmocka_unit_test(an_older_result_stays_unless_forced),
        cmocka_unit_test(a_full_disk_is_an_error_and_leaves_nothing),
        cmocka_unit_test(only_leftovers_of_dead_processes_go),
        cmocka_unit_test(an_output_is_checked_before_the_work),
        cmocka_unit_test(kept_names_must_be_free),
        cmocka_unit_test(info_tells_what_a_result_holds),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
