/* What a copy of a table leaves behind: the shapes that nobody will ask about. */
#include <math.h>

#include "rooftally/geometry/ewkb.h"
#include "rooftally/source/store.h"

#include "check.h"
#include "postgres_case.h"

enum { ROWS = 256, N_BUILDINGS = 38 * 18 };

/* Two squares of 10 by 10 side by side, and houses 0.2 wide with half a unit from one to the
 * next, of which one in 19 stands on the border between them. */
static void make_tables(void)
{
    sql("CREATE TABLE zone (zip text, boundary geometry)");
    sql("INSERT INTO zone VALUES ('a', ST_MakeEnvelope(0, 0, 10, 10)),"
        " ('b', ST_MakeEnvelope(10, 0, 20, 10))");
    sql("CREATE TABLE building (id int8, height float8, boundary geometry)");
    sql("INSERT INTO building SELECT 18 * i + j, i, ST_MakeEnvelope(x, y, x + 0.2, y + "
        "0.2) FROM generate_series(1, 38) i, generate_series(1, 18) j,"
        " LATERAL (SELECT i / 2.0 + 0.4 AS x, j / 2.0 + 0.4 AS y) q");
    sql("CREATE INDEX ON building USING gist (boundary)");
    sql("ANALYZE building");
}

struct seen {
    int64_t n_rows,
        n_boxes; /* n_boxes: of them have the shape of their box of floats */
};

static bool is_box_of_floats(const struct batch *batch, int32_t row)
{
    struct ewkb head;
    const struct text wkb = batch->geometry[row];
    assert_int_equal(ewkb_read((const uint8_t *)wkb.bytes, wkb.n, &head), EWKB_FINE);
    return (double)(float)head.box.xmin == head.box.xmin
           && (double)(float)head.box.xmax == head.box.xmax;
}

/* Nothing near a border is taken for its box. */
static void check_row(const struct batch *batch, int32_t row, struct seen *seen)
{
    const struct box *box = &batch->boxes[row];
    double x = 0.5 * (box->xmin + box->xmax), y = 0.5 * (box->ymin + box->ymax);
    double away = fmin(fmin(fabs(x - 10), fmin(x, 20 - x)), fmin(y, 10 - y));
    bool is_box = is_box_of_floats(batch, row);
    if (away < 0.1)
        assert_false(is_box);
    seen->n_rows++;
    seen->n_boxes += is_box;
}

static struct seen read_copy(struct rank *rank, struct source *copy, const char *id)
{
    struct error err;
    struct seen seen = { 0 };
    int32_t rows[ROWS], n;
    struct source *source = rank->source;
    rank->source = copy;
    assert_fine(open_zone(rank, id, ROWS, 256 * 1024, &err), &err);
    assert_fine(source_prepare(copy, &rank->memory, &err), &err);
    assert_fine(source_buildings(copy, rank->zone, &err), &err);
    while (source_next(copy, &rank->batch, &err) == 1)
        for (int32_t i = 0; i < rank->batch.n_rows; i += n) {
            for (int32_t row = i; row < rank->batch.n_rows; row++)
                rows[row - i] = row;
            n = source_geometry(copy, &rank->batch, rows, rank->batch.n_rows - i, &err);
            assert_true(n > 0);
            for (int32_t row = i; row < i + n; row++)
                check_row(&rank->batch, row, &seen);
        }
    rank->source = source;
    return seen;
}

/* What a run does for fetch = scan. */
static struct seen copy_and_read(const char *const *overrides, int n_overrides)
{
    struct rank rank;
    struct error err = { 0 };
    struct source *copy;
    struct memory_mark mark;
    const struct store_options options = { .force = true, .any_order = true };
    assert_fine(open_rank(&rank, overrides, n_overrides, NULL, NULL, NULL, &err), &err);
    const struct source_columns *from = &source_schema(rank.source)->buildings;
    struct source_columns columns = {
        .columns = calloc((size_t)from->n, sizeof *columns.columns), .n = from->n
    };
    for (int i = 0; i < from->n; i++) {
        columns.columns[i] = from->columns[i];
        columns.columns[i].sql = NULL;
    }
    binding_release(&rank.binding);
    assert_fine(binding_init(&rank.binding, rank.job, &columns, &err), &err);
    rank.binding.id_type = source_schema(rank.source)->building_id_type;
    mark = memory_mark(&rank.memory);
    assert_fine(store_copy(&copy,
                           rank.source,
                           rank.job,
                           &rank.binding,
                           NULL,
                           "/tmp/rooftally-test.scan",
                           &options,
                           &rank.memory,
                           &err),
                &err);
    assert_true(rank.memory.used_bytes == mark.used_bytes);
    struct seen all = read_copy(&rank, copy, "a"), more;
    memory_rewind(&rank.memory, &mark);
    more = read_copy(&rank, copy, "b");
    source_close(copy);
    close_rank(&rank);
    free(columns.columns);
    return (struct seen){ all.n_rows + more.n_rows, all.n_boxes + more.n_boxes };
}

static void shapes_stay_behind_where_nobody_asks(void **unused)
{
    (void)unused;
    struct seen seen = copy_and_read(NULL, 0);
    assert_in_range(seen.n_rows, N_BUILDINGS, N_BUILDINGS + 100);
    assert_in_range(seen.n_boxes, N_BUILDINGS * 8 / 10, N_BUILDINGS - 18);
}

static void shapes_come_where_somebody_might(void **unused)
{
    static const char *const askers[] = {
        "buildings.where=area_m2 > 0",    "buildings.where=vertices > 1 or height > 0",
        "buildings.predicate=centroid",   "buildings.invalid=skip",
        "buildings.invalid=repair",       "buildings.invalid=fail",
        "buildings.keep=id, perimeter_m",
    };
    (void)unused;
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
        assert_int_equal(copy_and_read(&askers[i], 1).n_boxes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_stay_behind_where_nobody_asks),
        cmocka_unit_test(shapes_come_where_somebody_might),
    };
    open_schema();
    make_tables();
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    close_schema();
    return n_failed;
}
