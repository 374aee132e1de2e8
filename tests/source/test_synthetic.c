#include <stdlib.h>

#include "rooftally/base/crc32c.h"

#include "synthetic_state.h"

static uint32_t building_crc(uint32_t crc, const struct synthetic_building *b)
{
    struct {
        int64_t id;
        double height, size;
        int32_t year, flags;
    } fields = {
        b->id,
        b->height,
        b->size,
        b->year_built,
        b->straddles | b->has_height << 1 | b->has_size << 2 | b->has_year << 3,
    };
    crc = crc32c(crc, &fields, sizeof fields);
    crc = crc32c(crc, b->use.bytes, (size_t)b->use.n);
    crc = crc32c(crc, b->notes.bytes, (size_t)b->notes.n);
    return crc32c(crc, b->wkb, (size_t)b->n_wkb);
}

/* A sum over rows, so that it does not tell in which order they came. */
static uint64_t
zone_sum(const struct synthetic_state *state, int64_t row, int64_t stride)
{
    struct memory_mark mark = memory_mark(&memory);
    struct synthetic_zone zone = new_zone(state, row);
    uint32_t crc = crc32c(0, zone.zip, strlen(zone.zip));
    crc = crc32c(crc, zone.name, strlen(zone.name));
    crc = crc32c(crc, zone.code, strlen(zone.code));
    uint64_t sum = crc32c(crc, zone.wkb.bytes, (size_t)zone.wkb.n);
    for (int64_t i = 0; i < zone.n_buildings; i++) {
        struct synthetic_building building;
        synthetic_building(&zone, i * stride % zone.n_buildings, &building);
        sum += building_crc(0, &building);
    }
    memory_rewind(&memory, &mark);
    return sum;
}

static uint64_t
state_sum(const struct synthetic_state *state, bool backward, int64_t stride)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < state->n_zones; i++)
        sum += zone_sum(state, backward ? state->n_zones - 1 - i : i, stride);
    return sum;
}

static void the_order_of_asking_changes_nothing(void **context)
{
    (void)context;
    struct synthetic_state state = new_state(50, 20000, 7),
                           again = new_state(50, 20000, 7);
    struct synthetic_state other = new_state(50, 20000, 8);
    uint64_t sum = state_sum(&state, false, 1);
    assert_true(sum == state_sum(&again, true, 1));
    /* 1000003 is a prime beyond the size of any zone: each building comes once. */
    assert_true(sum == state_sum(&state, true, 1000003));
    assert_true(sum != state_sum(&other, false, 1));
}

/* The bits are a promise to whoever compares results of one seed: over compilers,
 * machines and versions. A change of these numbers is a change of every state. */
static void a_seed_names_the_same_state_everywhere(void **context)
{
    (void)context;
    static const struct {
        int64_t n_zones, n_buildings;
        uint64_t seed, sum;
    } cases[] = {
        { 1, 100, 1, 0x311ca5d184 },
        { 20, 5000, 1, 0x9d41d295384 },
        { 700, 3000, UINT64_MAX, 0x72ee49f7e99 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct synthetic_state state =
            new_state(cases[i].n_zones, cases[i].n_buildings, cases[i].seed);
        assert_int_equal(state_sum(&state, false, 1), cases[i].sum);
    }
}

static void totals_are_exact(void **context)
{
    (void)context;
    static const int64_t cases[][2] = {
        { 1, 0 },
        { 1, 1 },
        { 2, 1 },
        { 3, 1000 },
        { 400, 0 },
        { 400, 399 },
        { 400, 1200000 },
        { 33000, 130000000 },
        { 641, 12345 },
        { 100000, 7 },
        { SYNTHETIC_MOST_ZONES, 1000003 },
        { 7, SYNTHETIC_MOST_BUILDINGS },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct memory_mark mark = memory_mark(&memory);
        struct synthetic_state state = new_state(cases[i][0], cases[i][1], i);
        int64_t n = 0;
        for (int64_t row = 0; row < state.n_zones; row++) {
            assert_true(synthetic_n_buildings(&state, row) >= 0);
            n += synthetic_n_buildings(&state, row);
        }
        assert_int_equal(n, cases[i][1]);
        assert_int_equal(state.first_id[0], 1);
        assert_int_equal(state.first_id[state.n_zones], cases[i][1] + 1);
        memory_rewind(&memory, &mark);
    }
}

static void ids_are_one_run_from_zone_to_zone(void **context)
{
    (void)context;
    struct synthetic_state state = new_state(30, 2000, 3);
    int64_t id = 0;
    for (int64_t row = 0; row < state.n_zones; row++) {
        struct synthetic_zone zone = new_zone(&state, row);
        for (int64_t i = 0; i < zone.n_buildings; i++) {
            struct synthetic_building building;
            synthetic_building(&zone, i, &building);
            assert_int_equal(building.id, ++id);
        }
    }
    assert_int_equal(id, 2000);
}

static void what_is_out_of_range_is_refused(void **context)
{
    (void)context;
    static const struct {
        int64_t n_zones, n_buildings;
        const char *text;
    } cases[] = {
        { 0, 1, "0 zones" },
        { -1, 1, "-1 zones" },
        { SYNTHETIC_MOST_ZONES + 1, 1, "1000001 zones" },
        { 1, -1, "-1 buildings" },
        { 1, SYNTHETIC_MOST_BUILDINGS + 1, "100000000001 buildings" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct synthetic_state state = { .seed = 42 };
        struct error err;
        int64_t used = memory.used_bytes;
        assert_refused(synthetic_init(&state,
                                      cases[i].n_zones,
                                      cases[i].n_buildings,
                                      1,
                                      &memory,
                                      &err),
                       &err,
                       ERROR_USAGE,
                       cases[i].text);
        assert_int_equal(state.seed, 42);
        assert_int_equal(memory.used_bytes, used);
    }
}

static void too_little_memory_is_said_and_one_mebibyte_is_enough(void **context)
{
    (void)context;
    struct memory small;
    assert_int_equal(memory_init(&small, 1 << 20, NULL), 0);
    struct synthetic_state state = { .seed = 42 };
    struct error err = { ERROR_NONE, "" };
    assert_refused(synthetic_init(&state, 131072, 1, 1, &small, &err),
                   &err,
                   ERROR_BUDGET,
                   "zones");
    assert_int_equal(state.seed, 42);

    static const int64_t sizes[] = { 1, 2, 400, 33000, SYNTHETIC_MOST_ZONES };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct memory_mark mark = memory_mark(&memory);
        state = new_state(sizes[i], 1000, i);
        struct memory_mark empty = memory_mark(&small);
        int64_t step = state.n_zones / 50 + 1;
        for (int64_t row = 0; row < state.n_zones; row += step) {
            struct synthetic_zone zone;
            assert_int_equal(synthetic_zone(&zone, &state, row, &small, &err), 0);
            memory_rewind(&small, &empty);
        }
        /* With too little left, every step that takes memory refuses in its turn. */
        int n_refused = 0, n_made = 0;
        for (int64_t left = 0; left < 200000; left += 1024) {
            struct synthetic_zone zone = { .row = 42 };
            memory_take(&small, MEMORY_ZONES, (1 << 20) - left, NULL);
            if (synthetic_zone(&zone, &state, 0, &small, &err) < 0) {
                assert_int_equal(err.code, ERROR_BUDGET);
                assert_int_equal(zone.row, 42);
                assert_int_equal(n_made, 0);
                n_refused++;
            } else
                n_made++;
            memory_rewind(&small, &empty);
        }
        assert_true(n_refused > 10 && n_made > 10);
        memory_rewind(&memory, &mark);
    }
    memory_release(&small);
}

static int compare_counts(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void zones_are_as_uneven_as_zip_codes(void **context)
{
    (void)context;
    enum { N = 400 };
    double ratios = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct synthetic_state state = new_state(N, 400000, seed);
        int64_t counts[N];
        for (int i = 0; i < N; i++)
            counts[i] = synthetic_n_buildings(&state, i);
        qsort(counts, N, sizeof counts[0], compare_counts);
        double ratio = (double)counts[N - 1] / 1000;
        assert_true(ratio > 5 && ratio < 30);
        assert_true(counts[N / 2] > 500 && counts[N / 2] < 750); /* e^(-0.95^2 / 2) */
        ratios += ratio;
    }
    assert_true(ratios / 20 > 10 && ratios / 20 < 15);
}

static void zip_codes_are_unique_and_keep_their_zeros(void **context)
{
    (void)context;
    static const struct {
        int64_t row;
        const char *zip;
    } cases[] = {
        { 0, "01001" },
        { 1, "01002" },
        { 98998, "99999" },
        { 98999, "100000" },
    };
    struct synthetic_state state = new_state(100000, 0, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct synthetic_zone zone = new_zone(&state, cases[i].row);
        assert_string_equal(zone.zip, cases[i].zip);
        assert_int_equal(strlen(zone.code), 2);
        assert_true(*zone.name);
    }
    state = new_state(640, 0, 1);
    for (int64_t row = 0; row < 640; row += 71)
        assert_string_equal(new_zone(&state, row).code, "MA");
}

static void fields_are_spread_and_have_nulls(void **context)
{
    (void)context;
    enum { N = 50000 };
    struct synthetic_state state = new_state(1, N, 9);
    struct synthetic_zone zone = new_zone(&state, 0);
    int n_tall = 0, n_height = 0, n_size = 0, n_year = 0, n_use = 0, n_notes = 0;
    int by_vertices[13] = { 0 };
    for (int64_t i = 0; i < N; i++) {
        struct synthetic_building b;
        synthetic_building(&zone, i, &b);
        n_tall += b.has_height && b.height > 10;
        n_height += b.has_height;
        n_size += b.has_size;
        n_year += b.has_year;
        n_use += b.use.n > 0;
        n_notes += b.notes.n > 0;
        by_vertices[b.n_vertices]++;
        assert_true(b.height >= 3 && b.height <= 210 && b.size >= 8 && b.size < 3600);
        assert_in_range(b.year_built, 1700, 2025);
    }
    assert_in_range(n_tall, 0.39 * N, 0.41 * N);
    assert_in_range(n_height, 0.92 * N, 0.94 * N);
    assert_in_range(n_size, 0.975 * N, 0.985 * N);
    assert_in_range(n_year, 0.91 * N, 0.93 * N);
    assert_in_range(n_use, 0.99 * N, 0.999 * N);
    assert_in_range(n_notes, 0.07 * N, 0.09 * N);
    static const int seen[] = { 4, 5, 6, 8, 10, 12 };
    for (int i = 0; i < 6; i++)
        assert_true(by_vertices[seen[i]] > N / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_order_of_asking_changes_nothing),
        TEST(a_seed_names_the_same_state_everywhere),
        TEST(totals_are_exact),
        TEST(ids_are_one_run_from_zone_to_zone),
        TEST(what_is_out_of_range_is_refused),
        TEST(too_little_memory_is_said_and_one_mebibyte_is_enough),
        TEST(zones_are_as_uneven_as_zip_codes),
        TEST(zip_codes_are_unique_and_keep_their_zeros),
        TEST(fields_are_spread_and_have_nulls),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
