/* A result of seven zones with polygons, made and changed; what is written of it. */
#ifndef ROOFTALLY_TESTS_REPORT_POLYGONS_H
#define ROOFTALLY_TESTS_REPORT_POLYGONS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "result/case.h"

/* HDF5 1.10 itself forgets what it has read of a damaged file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\nleak:libmpi\nleak:libopen\nleak:mca_\nleak:libpmix\n";
}

/* What `put` writes. */
static char *written(void (*put)(const void *context, FILE *out), const void *context)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    put(context, out);
    fclose(out);
    return text;
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

/* ---- polygons ---- */

struct wkb {
    uint8_t bytes[512];
    int64_t n;
};

static void put_words(struct wkb *wkb, const void *from, size_t n)
{
    memcpy(wkb->bytes + wkb->n, from, n);
    wkb->n += (int64_t)n;
}

static void put_head(struct wkb *wkb, uint32_t type, uint32_t n)
{
    wkb->bytes[wkb->n++] = 1;
    put_words(wkb, &type, 4);
    put_words(wkb, &n, 4);
}

/* A square; clockwise, or the other way round. */
static void put_square(struct wkb *wkb, double x, double side, bool clockwise)
{
    double points[5][2] = {
        { x, x }, { x, x + side }, { x + side, x + side }, { x + side, x }, { x, x }
    };
    uint32_t n = 5;
    if (!clockwise) {
        points[1][0] = x + side, points[1][1] = x;
        points[3][0] = x, points[3][1] = x + side;
    }
    put_words(wkb, &n, 4);
    put_words(wkb, points, sizeof points);
}

/* ---- whole results ---- */

enum { N_ZONES = 7 };
static char folder[] = "/tmp/rooftally-report-XXXXXX", path[64];
static struct comm *alone;

/* The polygon of a zone stands in for the noise that case.h makes. */
static int write_result(enum case_kind kind, int64_t n_zones)
{
    struct memory memory, room;
    struct spool *spool = NULL;
    struct case_input c;
    struct error err;
    static struct wkb wkb;
    char *spool_path = spool_folder(path);
    assert_fine(spool_create(spool_path, &err), &err);
    assert_fine(spool_open(&spool, spool_path, "run", 1, 0, &err), &err);
    assert_fine(memory_init(&memory, 16 << 20, &err), &err);
    assert_fine(memory_init(&room, 64 << 20, &err), &err);
    case_input_init(&c, kind, path, n_zones, alone);
    c.input.force = 1;
    c.input.crs_kind = "geographic";
    for (int64_t row = 0; row < n_zones; row++) {
        struct memory_mark mark = memory_mark(&room);
        struct zone_record record;
        case_record(&record,
                    kind,
                    &c.binding,
                    row == CASE_HUGE_ROW ? 1 : row,
                    0,
                    &room);
        record.row = row;
        wkb.n = 0;
        put_head(&wkb, 3, row % 6 ? 1 : 0);
        if (row % 6)
            put_square(&wkb, (double)row, 1, false);
        record.wkb = (struct text){ (const char *)wkb.bytes, wkb.n };
        assert_fine(spool_append(spool, &record, &case_statistics, &err), &err);
        memory_rewind(&room, &mark);
    }
    assert_fine(result_write(alone, &c.input, spool, &memory, &err), &err);
    spool_close(spool);
    spool_remove(spool_path, NULL);
    free(spool_path);
    memory_release(&room);
    memory_release(&memory);
    case_input_release(&c);
    return 0;
}

static int open_folder(void **unused)
{
    (void)unused;
    h5_silence();
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/out.h5", folder);
    return comm_open(&alone, NULL, NULL, NULL);
}

static int close_folder(void **unused)
{
    (void)unused;
    unlink(path);
    comm_close(alone);
    return rmdir(folder);
}

/* ---- changes, as a well-meaning program might make them ---- */

static void delete_zone(hid_t file)
{
    assert_true(H5Ldelete(file, "/zone", H5P_DEFAULT) >= 0);
}

static void shorten_edges(hid_t file)
{
    assert_true(H5Ldelete(file, "/heights_edges", H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file,
                               "/tallest_rank",
                               file,
                               "/heights_edges",
                               H5P_DEFAULT,
                               H5P_DEFAULT)
                >= 0);
}

static void put_offset(hid_t file, int64_t value)
{
    int64_t offsets[N_ZONES + 1];
    hid_t dataset = H5Dopen2(file, "/zones/geometry_offset", H5P_DEFAULT);
    assert_true(
        H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, offsets)
        >= 0);
    offsets[3] = value;
    assert_true(
        H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, offsets)
        >= 0);
    H5Dclose(dataset);
}

static void move_outside(hid_t file)
{
    put_offset(file, 1 << 20);
}

static void move_before(hid_t file)
{
    put_offset(file, -1);
}

static void move_a_little(hid_t file)
{
    put_offset(file, 150);
}

static void drop_geometry(hid_t file)
{
    assert_true(H5Ldelete(file, "/zones/geometry", H5P_DEFAULT) >= 0);
}

static void set_version(hid_t file)
{
    assert_true(H5Adelete(file, "format_version") >= 0);
    assert_fine(h5_put_integer(file, "format_version", 9, NULL), &(struct error){ 0 });
}

static void set_torso(hid_t file)
{
    assert_true(H5Adelete(file, "consistent") >= 0);
}

#endif
