/* The store: written, read, refused, damaged in every way that a file can be. */
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "rooftally/base/partial.h"
#include "rooftally/h5/h5.h"

#include "store_case.h"
#include "store_format.h"
#include "team_forks.h"

/* HDF5 1.10 itself forgets what it has read of a damaged file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\n";
}

enum { N_ZONES = 9, N_BUILDINGS = 5000 };

static uint8_t *whole;
static size_t n_whole;
static char other_path[sizeof store_path + 8]; /* beside it, nothing is there */

static uint64_t seed = 11;

static uint64_t draw(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static int set_up(void **unused)
{
    struct error err = { ERROR_NONE, "" };
    (void)unused;
    close(mkstemp(store_path));
    snprintf(other_path, sizeof other_path, "%s.other", store_path);
    close(mkstemp(job_path));
    if (generate(store_path, N_ZONES, N_BUILDINGS, true, 64 << 20, &err))
        fail_msg("%s", err.text);
    whole = read_file(store_path, &n_whole);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    free(whole);
    unlink(store_path);
    unlink(job_path);
    return 0;
}

static void everything_comes_back(void **unused)
{
    struct error err;
    struct totals all, filtered;
    (void)unused;
    write_file(store_path, whole, n_whole);
    struct job *job = make_job("");
    assert_fine(read_store(job, &all, &err), &err);
    assert_int_equal(all.n_zones, N_ZONES);
    assert_true(all.n_rows >= N_BUILDINGS * 9 / 10 && all.n_rows < 2 * N_BUILDINGS);
    assert_true(all.n_geometry_bytes > all.n_rows * 90);
    assert_int_equal(all.n_filtered, 0);
    job_close(job);

    job = make_job("where = height > 10");
    assert_fine(read_store(job, &filtered, &err), &err);
    assert_int_equal(filtered.n_rows + filtered.n_filtered, all.n_rows);
    assert_true(filtered.n_filtered > all.n_rows / 3);
    job_close(job);
}

static bool meet(const struct box *a, const struct box *b)
{
    return a->xmin <= b->xmax && b->xmin <= a->xmax && a->ymin <= b->ymax
           && b->ymin <= a->ymax;
}

/* Pairs of a zone and a building whose boxes meet, by looking at all of them. */
static int64_t count_pairs(const char *path)
{
    struct store *store;
    struct error err;
    int64_t n_pairs = 0;
    assert_fine(store_open(&store, path, false, &err), &err);
    int64_t n = store->buildings.n, n_zones = store->zones.n;
    struct box *boxes = calloc((size_t)n, sizeof *boxes);
    struct box *zones = calloc((size_t)n_zones, sizeof *zones);
    double *scratch = calloc((size_t)(n + n_zones), 4 * sizeof *scratch);
    assert_fine(store_read_row_boxes(store, 0, n, (float *)scratch, boxes, &err), &err);
    assert_fine(store_read_boxes(store,
                                 store->zones.box_at,
                                 0,
                                 n_zones,
                                 scratch,
                                 zones,
                                 &err),
                &err);
    for (int64_t i = 0; i < n_zones; i++)
        for (int64_t k = 0; k < n; k++)
            n_pairs += meet(&zones[i], &boxes[k]);
    free(scratch);
    free(zones);
    free(boxes);
    store_close(store);
    return n_pairs;
}

/* In many blocks, in groups, of which a small zone meets few. */
static void no_building_is_passed_over(void **unused)
{
    struct error err;
    struct totals totals;
    (void)unused;
    assert_fine(generate(store_path, 1000, 120000, true, 64 << 20, &err), &err);
    struct job *job = make_job("predicate = centroid"); /* asks for all of them */
    assert_fine(read_store(job, &totals, &err), &err);
    assert_int_equal(totals.n_zones, 1000);
    assert_int_equal(totals.n_rows, count_pairs(store_path));
    job_close(job);
}

static void zones_are_filtered_by_their_fields(void **unused)
{
    static const struct {
        const char *where;
        int64_t n;
    } table[] = {
        { "zip < '01003'", 2 },
        { "state = 'MA'", N_ZONES },
        { "state <> 'MA' or name is null", 0 },
        { "area_m2 > 0 and zip = '01001'", 1 },
        { "case when area_m2 > 1e12 then state = 'MA' else zip = '01002' end", 1 },
    };
    (void)unused;
    write_file(store_path, whole, n_whole);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char override[160];
        const char *overrides[] = { override };
        struct job *job = make_job(""), *other;
        struct totals totals;
        struct error err;
        snprintf(override, sizeof override, "zones.where=%s", table[i].where);
        assert_fine(job_open(&other, job_path, overrides, 1, &err), &err);
        assert_fine(read_store(other, &totals, &err), &err);
        assert_int_equal(totals.n_zones, table[i].n);
        job_close(other);
        job_close(job);
    }
}

/* Another memory means other runs and merges. */
static void the_same_state_gives_the_same_bytes(void **unused)
{
    char path[] = "/tmp/rooftally-store-XXXXXX";
    struct error err;
    (void)unused;
    close(mkstemp(path));
    for (int64_t memory = 16 << 20; memory <= 256 << 20; memory *= 4) {
        size_t n;
        assert_fine(generate(path, N_ZONES, N_BUILDINGS, true, memory, &err), &err);
        uint8_t *bytes = read_file(path, &n);
        assert_int_equal(n, n_whole);
        assert_memory_equal(bytes, whole, n);
        free(bytes);
    }
    unlink(path);
}

struct generation {
    const char *path;
    int64_t memory_bytes, first_memory_bytes, n_buildings;
};

static void generate_on_a_rank(const struct team *team, void *context)
{
    const struct generation *g = context;
    struct error err = { ERROR_NONE, "" };
    store_team = team;
    int64_t n_bytes = team->rank > 0 ? g->memory_bytes : g->first_memory_bytes;
    RANK_CHECK(generate(g->path, N_ZONES, g->n_buildings, true, n_bytes, &err) == 0);
}

static void any_number_of_ranks_gives_the_same_bytes(void **unused)
{
    char path[] = "/tmp/rooftally-store-XXXXXX";
    (void)unused;
    close(mkstemp(path));
    for (int size = 1; size <= 12; size += size < 3 ? 1 : 3) {
        int64_t n_bytes = size % 2 ? 16 << 20 : 64 << 20;
        struct generation g = { path, n_bytes, n_bytes, N_BUILDINGS };
        size_t n;
        forks_run(size, generate_on_a_rank, &g);
        uint8_t *bytes = read_file(path, &n);
        assert_int_equal(n, n_whole);
        assert_memory_equal(bytes, whole, n);
        free(bytes);
    }
    unlink(path);
}

/* The first rank of a run has zones to remember, and less memory for this. */
static void ranks_may_have_different_memory(void **unused)
{
    char path[] = "/tmp/rooftally-store-XXXXXX";
    struct generation g = { path, 64 << 20, 64 << 20, few(100000) };
    size_t n, n_alone;
    (void)unused;
    close(mkstemp(path));
    forks_run(1, generate_on_a_rank, &g);
    uint8_t *alone = read_file(path, &n_alone);
    g.first_memory_bytes = 7 << 20; /* by which it would write smaller pieces */
    for (int size = 2; size <= 3; size++) {
        forks_run(size, generate_on_a_rank, &g);
        uint8_t *bytes = read_file(path, &n);
        assert_int_equal(n, n_alone);
        assert_memory_equal(bytes, alone, n);
        free(bytes);
    }
    free(alone);
    unlink(path);
}

static void refuse_on_a_rank(const struct team *team, void *context)
{
    struct error err = { ERROR_NONE, "" };
    (void)context;
    store_team = team;
    RANK_CHECK(
        generate(other_path, 4, 100, true, team->rank == 1 ? 4 << 20 : 64 << 20, &err)
            == -1
        && err.code == ERROR_BUDGET && strstr(err.text, "a store needs "));
}

static void one_rank_without_memory_ends_all(void **unused)
{
    (void)unused;
    forks_run(3, refuse_on_a_rank, NULL);
    assert_int_equal(access(other_path, F_OK), -1);
}

static void what_is_there_stays(void **unused)
{
    struct error err;
    size_t n;
    (void)unused;
    write_file(store_path, whole, n_whole);
    assert_refused(generate(store_path, 4, 100, false, 64 << 20, &err),
                   &err,
                   ERROR_USAGE,
                   "--force");
    uint8_t *bytes = read_file(store_path, &n);
    assert_int_equal(n, n_whole);
    assert_memory_equal(bytes, whole, n);
    free(bytes);
    char *partial = partial_name(store_path);
    assert_int_equal(access(partial, F_OK), -1);
    free(partial);
    assert_refused(generate("/tmp/no/such/x.h5", 4, 100, false, 64 << 20, &err),
                   &err,
                   ERROR_USAGE,
                   "/tmp/no/such");
    /* what is said to be needed is what it takes, to the tenth that is said */
    static const char told[] = "a store needs ";
    assert_refused(generate(other_path, 4, 100, true, 4 << 20, &err),
                   &err,
                   ERROR_BUDGET,
                   told);
    double needed = strtod(strstr(err.text, told) + sizeof told - 1, NULL) * (1 << 20);
    assert_int_equal(generate(other_path,
                              4,
                              100,
                              true,
                              (int64_t)(needed - 120000),
                              &err),
                     -1);
    assert_fine(generate(other_path, 4, 100, true, (int64_t)(needed + 120000), &err),
                &err);
    unlink(other_path);
}

static void info_tells_what_it_holds(void **unused)
{
    static const char *const parts[] = {
        "store of a synthetic state: 9 zones, 5000 buildings, seed 7",
        "SRID 4326",
        "20 of 256 rows",
        "zip                  text, the id",
        "year_built           integer, 1701 to 2025, 379 null",
        "use                  text, 11 words, 28 null",
    };
    char *text = NULL;
    size_t n;
    struct error err;
    (void)unused;
    write_file(store_path, whole, n_whole);
    assert_true(store_is_one(store_path));
    FILE *out = open_memstream(&text, &n);
    assert_fine(store_info(store_path, out, &err), &err);
    fclose(out);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("'%s' is not in '%s'", parts[i], text);
    free(text);
    assert_false(store_is_one(job_path));
    assert_false(store_is_one("/tmp/no/such.h5"));
}

/* Every way in which a file can be no store. */
static void what_is_no_store_is_refused(void **unused)
{
    static const char text[] = "zip,count\n";
    struct store *store;
    struct error err;
    (void)unused;
    assert_refused(store_open(&store, "/tmp/no/such.h5", false, &err),
                   &err,
                   ERROR_USAGE,
                   "/tmp/no/such.h5: No such file");
    assert_refused(store_open(&store, "/tmp", false, &err),
                   &err,
                   ERROR_USAGE,
                   "not a file");
    write_file(store_path, (const uint8_t *)text, sizeof text);
    assert_refused(store_open(&store, store_path, false, &err),
                   &err,
                   ERROR_FORMAT,
                   "no HDF5 file");
    unlink(store_path);
    hid_t file = h5_create_file(store_path, &err);
    h5_close(&file, H5Fclose);
    assert_refused(store_open(&store, store_path, false, &err),
                   &err,
                   ERROR_FORMAT,
                   "of another kind");
}

/* Change the store through HDF5, as a well-meaning program might. */
static void with_file(void (*change)(hid_t file), const char *part)
{
    struct store *store;
    struct error err;
    write_file(store_path, whole, n_whole);
    hid_t file = H5Fopen(store_path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    change(file);
    h5_close(&file, H5Fclose);
    assert_refused(store_open(&store, store_path, false, &err),
                   &err,
                   ERROR_FORMAT,
                   part);
}

static void set_version(hid_t file)
{
    struct error err;
    assert_true(H5Adelete(file, "format_version") >= 0);
    assert_fine(h5_put_integer(file, "format_version", STORE_VERSION + 1, &err), &err);
}

static void set_rows(hid_t file)
{
    struct error err;
    assert_true(H5Adelete(file, "block_rows") >= 0);
    assert_fine(h5_put_integer(file, "block_rows", 0, &err), &err);
}

static void drop_height(hid_t file)
{
    assert_true(H5Ldelete(file, "/blocks/height_min", H5P_DEFAULT) >= 0);
}

static void drop_id(hid_t file)
{
    assert_true(H5Ldelete(file, "/buildings/id", H5P_DEFAULT) >= 0);
}

static void swap_xmin(hid_t file)
{
    assert_true(H5Ldelete(file, "/buildings/xmin", H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file,
                               "/buildings/fault",
                               file,
                               "/buildings/xmin",
                               H5P_DEFAULT,
                               H5P_DEFAULT)
                >= 0);
}

static void swap_ymin(hid_t file)
{
    assert_true(H5Ldelete(file, "/zones/ymin", H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file,
                               "/blocks/ymin",
                               file,
                               "/zones/ymin",
                               H5P_DEFAULT,
                               H5P_DEFAULT)
                >= 0);
}

static void add_chunked(hid_t file)
{
    hsize_t dims[] = { N_BUILDINGS }, chunk[] = { 64 };
    assert_true(H5Ldelete(file, "/buildings/ymax", H5P_DEFAULT) >= 0);
    hid_t space = H5Screate_simple(1, dims, NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 1, chunk);
    hid_t dataset = H5Dcreate2(file,
                               "/buildings/ymax",
                               H5T_IEEE_F32LE,
                               space,
                               H5P_DEFAULT,
                               create,
                               H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Pclose(create);
    H5Sclose(space);
}

/* Ids one byte longer than there is room for. */
static void lengthen_id(hid_t file)
{
    hsize_t dims[] = { N_ZONES };
    char *ids = calloc(N_ZONES, STORE_ID_BYTES + 1);
    assert_non_null(ids);
    assert_true(H5Lmove(file, "/zones/id", file, "/zones/old", H5P_DEFAULT, H5P_DEFAULT)
                >= 0);
    hid_t old = H5Dopen2(file, "/zones/old", H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, STORE_ID_BYTES + 1);
    hid_t space = H5Screate_simple(1, dims, NULL);
    hid_t dataset = H5Dcreate2(file,
                               "/zones/id",
                               type,
                               space,
                               H5P_DEFAULT,
                               H5P_DEFAULT,
                               H5P_DEFAULT);
    assert_true(dataset >= 0);
    assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, ids) >= 0);
    struct error err;
    const char *const keys[] = { "name", "type" };
    for (int i = 0; i < 2; i++) {
        char *text = h5_get_text(old, keys[i], &err);
        assert_non_null(text);
        assert_fine(h5_put_text(dataset, keys[i], text, &err), &err);
        free(text);
    }
    H5Dclose(dataset);
    H5Dclose(old);
    H5Sclose(space);
    H5Tclose(type);
    free(ids);
}

static void a_store_that_was_changed_is_refused(void **unused)
{
    (void)unused;
    h5_silence();
    with_file(set_version, "of version 4, this program reads version 3");
    with_file(set_rows, "block_rows");
    with_file(drop_height, "height_min");
    with_file(drop_id, "/buildings/id");
    with_file(lengthen_id, "/zones/id: ids are too long");
    with_file(swap_xmin, "/buildings/xmin is of another type");
    with_file(swap_ymin, "/zones/ymin has 20 values, not ");
    with_file(add_chunked, "/buildings/ymax is not one contiguous column");
}

static void nulls_that_are_lost_are_no_values(void **unused)
{
    struct error err;
    struct totals totals;
    (void)unused;
    write_file(store_path, whole, n_whole);
    hid_t file = H5Fopen(store_path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Ldelete(file, "/valid/buildings/height", H5P_DEFAULT) >= 0);
    h5_close(&file, H5Fclose);
    struct job *job = make_job("");
    assert_refused(read_store(job, &totals, &err),
                   &err,
                   ERROR_FORMAT,
                   "damaged: which values of height are null is lost");
    job_close(job);
}

static void put_at(int64_t at, const void *bytes, size_t n)
{
    int file = open(store_path, O_WRONLY);
    assert_int_equal(pwrite(file, bytes, n, at), n);
    close(file);
}

/* Values that point outside, one at a time; and the words of the refusal. */
static void values_that_point_outside_are_refused(void **unused)
{
    struct error err;
    struct store *s;
    struct totals totals;
    (void)unused;
    write_file(store_path, whole, n_whole);
    assert_fine(store_open(&s, store_path, false, &err), &err);
    const struct store_column *use = NULL;
    for (int i = 0; i < s->buildings.n_columns; i++)
        if (strcmp(s->buildings.columns[i].name, "use") == 0)
            use = &s->buildings.columns[i];
    assert_non_null(use);
    assert_int_equal(use->layout, STORE_WORDS);
    const int64_t negative = -1, huge = INT64_MAX, beyond = s->buildings.n_wkb + 1;
    const double nan = NAN;
    const uint16_t word = 77;
    const uint8_t fault = 200;
    const uint8_t order = 9; /* no byte order of WKB */
    const int64_t none = 0, many = 1;
    const struct {
        int64_t at;
        const void *bytes;
        size_t n;
        const char *part;
    } table[] = {
        { s->first_at + 8, &negative, 8, "block 1" },
        { s->count_at + 8 * 9, &huge, 8, "block 9" },
        { s->block_box_at[0], &nan, 8, "box of block 0: stage it again" },
        { s->block_box_at[3] + 8 * 9, &nan, 8, "box of block 9: stage it again" },
        { s->zones.box_at[1] + 8, &nan, 8, "the box of zone " },
        { s->buildings.offset_at + 8 * 3, &negative, 8, "offset -1 of row 3" },
        { s->buildings.offset_at + 8 * 4000, &beyond, 8, "of row 4000" },
        { s->buildings.offset_at + 8 * N_BUILDINGS, &huge, 8, "offsets of buildings" },
        { s->buildings.wkb_at, &order, 1, "geometry of row 0" },
        { s->zones.offset_at + 8, &huge, 8, "zones: the store is damaged" },
        { s->zones.offset_at, &s->zones.n_wkb, 8, "offsets of zones lead from" },
        { s->zones.offset_at + 8 * N_ZONES,
          &many,
          8,
          "offsets of zones lead from 0 to 1" },
        { s->zones.offset_at + 8, &none, 8, "vertices without them" },
        { s->zones.vertices_at, &negative, 8, "vertices" },
        { use->at + 2 * 1234, &word, 2, "word 77 of use" },
        { use->words_at, &use->n_text, 8, "offsets of use" },
        { use->words_at + 8 * use->n_words, &many, 8, "offsets of use lead" },
        { use->text_at, "~", 1, "words of use: the store is damaged: they are not in" },
        { use->words_at + 8, &huge, 8, "words of use" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        write_file(store_path, whole, n_whole);
        put_at(table[i].at, table[i].bytes, table[i].n);
        struct job *job = make_job("");
        assert_refused(read_store(job, &totals, &err),
                       &err,
                       ERROR_FORMAT,
                       table[i].part);
        job_close(job);
    }
    /* a fault is looked for where its block says that there is one */
    write_file(store_path, whole, n_whole);
    put_at(s->buildings.fault_at + 5, &fault, 1);
    put_at(s->faults_at, &many, 8);
    struct job *job = make_job("");
    assert_refused(read_store(job, &totals, &err), &err, ERROR_FORMAT, "fault 200");
    job_close(job);
    store_close(s);
}

static void a_store_cut_anywhere_is_refused(void **unused)
{
    struct error err;
    struct store *store;
    (void)unused;
    for (size_t n = 0; n < n_whole; n += n < 4096 ? 64 : n_whole / 61) {
        write_file(store_path, whole, n);
        assert_refused(store_open(&store, store_path, false, &err),
                       &err,
                       ERROR_FORMAT,
                       store_path);
    }
    write_file(store_path, whole, n_whole - 1);
    assert_refused(store_open(&store, store_path, false, &err), &err, ERROR_FORMAT, "");
}

/* Whatever bytes change, reading ends with an answer or an error. */
static void random_damage_is_survived(void **unused)
{
    enum { ROUNDS = 300 };
    int n_refused = 0;
    (void)unused;
    uint8_t *bytes = malloc(n_whole);
    struct job *job = make_job("where = size > 20 and use <> 'shed'");
    for (int round = 0; round < few(ROUNDS); round++) {
        struct totals totals;
        struct error err = { ERROR_NONE, "" };
        memcpy(bytes, whole, n_whole);
        int n = 1 + (int)draw(round % 3 == 0 ? 400 : 4);
        for (int i = 0; i < n; i++) {
            /* metadata lies in the first and last bytes, offsets in between */
            uint64_t at = draw(3) == 0 ? draw(20000) : draw(n_whole);
            bytes[at] = draw(2) ? (uint8_t)draw(256) : draw(2) ? 0xff : 0x7f;
        }
        write_file(store_path, bytes, n_whole);
        if (read_store(job, &totals, &err) == 0)
            continue;
        assert_true(err.text[0] && err.code != ERROR_INTERNAL);
        n_refused++;
    }
    job_close(job);
    free(bytes);
    assert_true(n_refused > few(ROUNDS) / 10);
}

static void identify(char identity[128])
{
    struct error err;
    struct source *source = NULL;
    struct job *job = make_job("");
    assert_fine(source_open(&source, job, NULL, 0, NULL, NULL, &err), &err);
    snprintf(identity, 128, "%s", source_schema(source)->identity);
    source_close(source);
    job_close(job);
}

/* Rewritten, it is the same store; with one value changed in place, another. */
static void a_store_is_known_by_what_it_holds(void **unused)
{
    char first[128], again[128], other[128];
    (void)unused;
    write_file(store_path, whole, n_whole);
    identify(first);
    assert_non_null(strstr(first, " bytes"));
    unlink(store_path);
    write_file(store_path, whole, n_whole);
    identify(again);
    assert_string_equal(first, again);
    struct store *store;
    struct error err;
    assert_fine(store_open(&store, store_path, false, &err), &err);
    const int64_t places[] = { store->buildings.columns[0].at + 8,
                               store->buildings.wkb_at + 40,
                               store->zones.wkb_at + 40 };
    store_close(store);
    for (int i = 0; i < 3; i++) {
        whole[places[i]] ^= 1;
        write_file(store_path, whole, n_whole);
        whole[places[i]] ^= 1;
        identify(other);
        assert_string_not_equal(first, other);
    }
    write_file(store_path, whole, n_whole);
}

static bool goes_on(void *context, double share)
{
    double *last = context;
    if (share >= 0)
        assert_true(share >= *last && share <= 1);
    *last = share >= 0 ? share : *last;
    return false;
}

/* As many zones as buildings: neither table is all of the work. */
static void progress_never_goes_back(void **unused)
{
    enum { N = 3000 };
    struct error err;
    struct memory memory = { 0 };
    struct synthetic_state made;
    struct store_counts counts;
    double last = 0;
    struct store_options options = { .force = true,
                                     .progress = goes_on,
                                     .context = &last };
    (void)unused;
    assert_fine(memory_init(&memory, 64 << 20, &err), &err);
    assert_fine(synthetic_init(&made, N, N, 1, &memory, &err), &err);
    assert_fine(store_generate(&made, other_path, &options, &counts, &memory, &err),
                &err);
    assert_true(last > 0.9);
    memory_release(&memory);
    unlink(other_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(no_building_is_passed_over),
        cmocka_unit_test(zones_are_filtered_by_their_fields),
        cmocka_unit_test(the_same_state_gives_the_same_bytes),
        cmocka_unit_test(any_number_of_ranks_gives_the_same_bytes),
        cmocka_unit_test(ranks_may_have_different_memory),
        cmocka_unit_test(one_rank_without_memory_ends_all),
        cmocka_unit_test(what_is_there_stays),
        cmocka_unit_test(info_tells_what_it_holds),
        cmocka_unit_test(progress_never_goes_back),
        cmocka_unit_test(what_is_no_store_is_refused),
        cmocka_unit_test(a_store_that_was_changed_is_refused),
        cmocka_unit_test(nulls_that_are_lost_are_no_values),
        cmocka_unit_test(values_that_point_outside_are_refused),
        cmocka_unit_test(a_store_cut_anywhere_is_refused),
        cmocka_unit_test(random_damage_is_survived),
        cmocka_unit_test(a_store_is_known_by_what_it_holds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
