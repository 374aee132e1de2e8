/* Stores too large to be read whole are known by what they hold all the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/source/store.h"

#include "check.h"
#include "store_format.h"
#include "team_forks.h"

enum { N_POINTS = 90, N_ROWS = 14500, MOST_BYTES = 13 + 16 * N_POINTS };

static char path[] = "/tmp/rooftally-identity-XXXXXX";

/* What one store holds; and the ranks that write it. */
struct content {
    int changed; /* a row whose value or geometry is another; -1: none */
    int swapped; /* a row that has its value swapped with that of the next one; -1 */
    bool in_geometry;
    const struct team *team;
    bool in_zone; /* the zone's geometry is another */
};

/* A saw-toothed polygon: one point more or less inside changes no box. */
static struct text make_polygon(uint8_t *bytes, double size, bool is_changed)
{
    const uint32_t head[] = { 3, 1, N_POINTS };
    bytes[0] = 1;
    memcpy(bytes + 1, head, sizeof head);
    for (int i = 0; i < N_POINTS; i++) {
        double at[2] = { size * i / (N_POINTS - 2), i % 2 ? size : size / 2 };
        if (i == 0 || i >= N_POINTS - 1)
            at[0] = at[1] = 0;
        if (i == N_POINTS / 2 && is_changed)
            at[1] *= 0.99;
        memcpy(bytes + 13 + 16 * i, at, sizeof at);
    }
    return (struct text){ (const char *)bytes, MOST_BYTES };
}

/* A sawtooth that no row's neighbours in its block are exceeded by. */
static double height_of(const struct content *content, int row)
{
    double height = row % 17;
    if (row == content->swapped || row == content->swapped + 1)
        height = (2 * content->swapped + 1 - row) % 17;
    return height + (row == content->changed && !content->in_geometry ? 0.5 : 0);
}

static int write_rows(const struct content *content,
                      struct store_writer *writer,
                      struct error *err)
{
    static uint8_t bytes[MOST_BYTES];
    const struct team *team = content->team ? content->team : &team_alone;
    struct text wkb = make_polygon(bytes, 4, content->in_zone), zone_id = { "z", 1 };
    if (team->rank == 0 && store_writer_zone(writer, zone_id, wkb, NULL, 0, err))
        return -1;
    if (store_writer_zones_end(writer, 0, err))
        return -1;
    for (int row = team->rank; row < N_ROWS; row += team->size) {
        uint8_t valid = 1;
        int64_t number = row;
        double height = height_of(content, row);
        struct column id = { .type = TYPE_INTEGER, .valid = &valid };
        struct column field = { .type = TYPE_REAL, .valid = &valid };
        id.integers = &number;
        field.reals = &height;
        wkb = make_polygon(bytes, 2, row == content->changed && content->in_geometry);
        if (store_writer_building(writer, &id, wkb, NULL, &field, 0, err))
            return -1;
    }
    return 0;
}

static int write_store(const struct content *content, struct error *err)
{
    struct store_plan plan = { .origin = "test", .crs = "" };
    struct store_options options = { .force = true, .team = content->team };
    struct store_counts counts;
    struct store_writer *writer = NULL;
    struct memory memory;
    strcpy(plan.zones.id_name, "id");
    plan.zones.id_type = TYPE_TEXT;
    strcpy(plan.buildings.id_name, "id");
    plan.buildings.id_type = TYPE_INTEGER;
    plan.buildings.n_fields = 1;
    strcpy(plan.buildings.fields[0].name, "height");
    plan.buildings.fields[0].type = TYPE_REAL;
    int status =
        memory_init(&memory, 16 << 20, err)
                || store_writer_open(&writer, path, &plan, &options, &memory, err)
                || write_rows(content, writer, err)
                || store_writer_commit(writer, 0, &counts, err)
            ? -1
            : 0;
    store_writer_close(writer);
    memory_release(&memory);
    return status;
}

static void identify(char identity[128], int64_t *n_bytes)
{
    struct store *store;
    struct error err;
    assert_fine(store_open(&store, path, false, &err), &err);
    assert_fine(store_identify(store, identity, 128, &err), &err);
    *n_bytes = store->n_bytes;
    store_close(store);
}

static void one_value_inside_its_range_makes_another_store(void **unused)
{
    static const struct content others[] = {
        { 3001, -1, false, NULL, false },
        { 7007, -1, true, NULL, false },
        { -1, 5003, false, NULL, false },
    };
    const struct content content = { -1, -1, false, NULL, false };
    char first[128], other[128];
    int64_t n_bytes, n_other;
    struct error err;
    (void)unused;
    assert_fine(write_store(&content, &err), &err);
    identify(first, &n_bytes);
    assert_true(n_bytes > 20 << 20);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_fine(write_store(&others[i], &err), &err);
        identify(other, &n_other);
        assert_int_equal(n_other, n_bytes);
        assert_string_not_equal(first, other);
    }
    assert_fine(write_store(&content, &err), &err);
    identify(other, &n_other);
    assert_string_equal(first, other);
}

/* A row whose middle vertex lies where a large store is not read; rows lie as their ids do. */
static int row_out_of_sight(void)
{
    enum { CHUNK = 64 * 1024, MOST_CHUNKS = 256 };
    struct store *store;
    struct error err;
    assert_fine(store_open(&store, path, false, &err), &err);
    int64_t n = (store->n_bytes + CHUNK - 1) / CHUNK, wkb_at = store->buildings.wkb_at;
    store_close(store);
    for (int row = 0; row < N_ROWS; row++) {
        int64_t at = wkb_at + (int64_t)row * MOST_BYTES + 13 + 16 * (N_POINTS / 2);
        bool is_read = false;
        for (int64_t i = 0; i < MOST_CHUNKS; i++) {
            int64_t chunk = i * (n - 1) / (MOST_CHUNKS - 1);
            is_read |= chunk == at / CHUNK || chunk == (at + 16) / CHUNK;
        }
        if (!is_read)
            return row;
    }
    fail_msg("all of the store is read");
    return -1;
}

static void what_is_not_read_is_known_by_its_sum(void **unused)
{
    struct content content = { -1, -1, false, NULL, false };
    char first[128], other[128];
    int64_t n_bytes, n_other;
    struct error err;
    (void)unused;
    assert_fine(write_store(&content, &err), &err);
    identify(first, &n_bytes);
    content.changed = row_out_of_sight();
    content.in_geometry = true;
    assert_fine(write_store(&content, &err), &err);
    identify(other, &n_other);
    assert_int_equal(n_other, n_bytes);
    assert_string_not_equal(first, other);
}

/* The sums of the zones and of the buildings. */
static void read_sums(int64_t sums[2])
{
    struct store *store;
    struct error err;
    assert_fine(store_open(&store, path, false, &err), &err);
    assert_fine(store_read(store, store->content_at, sums, 16, &err), &err);
    store_close(store);
}

static void each_table_has_a_sum_of_its_own(void **unused)
{
    const struct content contents[] = {
        { -1, -1, false, NULL, false },
        { -1, -1, false, NULL, true },
        { 3001, -1, true, NULL, false },
    };
    int64_t sums[3][2];
    struct error err;
    (void)unused;
    for (int i = 0; i < 3; i++) {
        assert_fine(write_store(&contents[i], &err), &err);
        read_sums(sums[i]);
    }
    assert_true(sums[0][0] != sums[1][0] && sums[0][1] == sums[1][1]);
    assert_true(sums[0][0] == sums[2][0] && sums[0][1] != sums[2][1]);
}

static void write_on_a_rank(const struct team *team, void *context)
{
    struct content content = { -1, -1, false, team, false };
    struct error err = { ERROR_NONE, "" };
    (void)context;
    RANK_CHECK(write_store(&content, &err) == 0);
}

static void ranks_sum_up_to_the_same(void **unused)
{
    const struct content content = { -1, -1, false, NULL, false };
    char first[128], other[128];
    int64_t n_bytes;
    struct error err;
    (void)unused;
    assert_fine(write_store(&content, &err), &err);
    identify(first, &n_bytes);
    forks_run(3, write_on_a_rank, NULL);
    identify(other, &n_bytes);
    assert_string_equal(first, other);
}

static int make_file(void **unused)
{
    (void)unused;
    return close(mkstemp(path));
}

static int remove_file(void **unused)
{
    (void)unused;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_value_inside_its_range_makes_another_store),
        cmocka_unit_test(what_is_not_read_is_known_by_its_sum),
        cmocka_unit_test(each_table_has_a_sum_of_its_own),
        cmocka_unit_test(ranks_sum_up_to_the_same),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
