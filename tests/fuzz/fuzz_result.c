/*
 * A file that calls itself a result, printed by `info`, exported, and made a page of. Input:
 * for each of its datasets and attributes some bytes that say whether it is there, of which
 * type and shape, and what it holds. Whatever that is, there is a text or an error.
 */
#include <unistd.h>

#include <hdf5_hl.h>

#include "rooftally/base/terms.h"
#include "rooftally/h5/h5.h"
#include "rooftally/report/export.h"
#include "rooftally/report/html.h"
#include "rooftally/result/result.h"

#include "fuzz.h"

static char path[SCRATCH_BYTES];

enum type { INTEGER, REAL, TEXT };

/* What a result has; n: zones, w: of the second axis. */
static const struct part {
    const char *name;
    enum type type;
    const char *axes;  /* lengths: n zones, p zones and one, b 2 bins, e 3 edges, c 2
                         categories, r 5 of others, w bytes of geometry */
    const char *scale; /* NULL: it is one */
} parts[] = {
    { "/zone", TEXT, "n", NULL },
    { "/uses_category", TEXT, "c", NULL },
    { "/heights_bin", REAL, "b", NULL },
    { "/heights_edges", REAL, "e", NULL },
    { "/tallest_rank", INTEGER, "b", NULL },
    { "/buildings", INTEGER, "n", "/zone" },
    { "/mean", REAL, "n", "/zone" },
    { "/commonest", TEXT, "n", "/zone" },
    { "/newest", INTEGER, "n", "/zone" },
    { "/uses", INTEGER, "nc", "/zone" },
    { "/heights", INTEGER, "nb", "/zone" },
    { "/tallest", REAL, "nb", "/zone" },
    { "/tallest_id", TEXT, "nb", "/zone" },
    { "/zones/geometry_offset", INTEGER, "p", NULL },
    { "/zones/geometry", INTEGER, "w", NULL },
    { "/selection/building", INTEGER, "r", NULL },
    { "/selection/id", INTEGER, "r", "/selection/building" },
    { "/rejected/reason", TEXT, "r", NULL },
    { "/telemetry/zone/start", REAL, "n", NULL },
    { "/telemetry/zone/seconds", REAL, "n", NULL },
    { "/telemetry/zone/candidates", INTEGER, "n", NULL },
    { "/telemetry/rank/busy", REAL, "b", NULL },
    { "/telemetry/rank/peak_rss", INTEGER, "b", NULL },
    { "/telemetry/rank/peak_live", INTEGER, "b", NULL },
    { "/zones/xmin", REAL, "n", NULL },
    { "/zones/ymin", REAL, "n", NULL },
    { "/zones/xmax", REAL, "n", NULL },
    { "/zones/ymax", REAL, "n", NULL },
    { "/telemetry/zone/decided", INTEGER, "n", NULL },
    { "/telemetry/zone/refined", INTEGER, "n", NULL },
    { "/telemetry/zone/selected", INTEGER, "n", NULL },
    { "/telemetry/zone/bytes", INTEGER, "n", NULL },
    { "/telemetry/zone/retries", INTEGER, "n", NULL },
    { "/telemetry/zone/rank", INTEGER, "n", NULL },
    { "/telemetry/rank/rank", INTEGER, "b", NULL },
    { "/telemetry/rank/host", TEXT, "b", NULL },
    { "/telemetry/rank/zones", INTEGER, "b", NULL },
    { "/telemetry/rank/candidates", INTEGER, "b", NULL },
    { "/telemetry/rank/waiting", REAL, "b", NULL },
    { "/telemetry/rank/cpu", REAL, "b", NULL },
    { "/telemetry/memory/rank", INTEGER, "r", NULL },
    { "/telemetry/memory/time", REAL, "r", NULL },
    { "/telemetry/memory/live", INTEGER, "r", NULL },
    { "/telemetry/memory/heap", INTEGER, "r", NULL },
    { "/telemetry/memory/rss", INTEGER, "r", NULL },
};

static void seeds(void)
{
    scratch_path("result.h5", path);
    h5_silence();
    static uint8_t bytes[2048];
    for (int i = 0; i < 24; i++) {
        memset(bytes, 0, sizeof bytes);
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = k % 19 == 0 ? (uint8_t)(i * k)
                       : i & 1     ? (uint8_t)(k / 40 % 3)
                                   : 0;
        seed(bytes, i < 4 ? (size_t)i : sizeof bytes / (size_t)(1 + i % 4));
    }
}

static hsize_t length(char axis, struct taker *taker, uint8_t how)
{
    hsize_t n = axis == 'n'   ? 3
                : axis == 'p' ? 4
                : axis == 'e' ? 3
                : axis == 'r' ? 5
                : axis == 'w' ? 120
                              : 2;
    if (how % 8 == 5)
        n = take_byte(taker) % 7;
    return n;
}

/* A type of the file, and what values are given as. */
static hid_t make_type(enum type type, uint8_t how, struct taker *taker)
{
    uint8_t which = how % 8 == 6 ? take_byte(taker) % 9 : 0;
    switch (which) {
    case 1:
        return H5Tcopy(H5T_STD_I8LE);
    case 2:
        return H5Tcopy(H5T_IEEE_F32BE);
    case 3:
        return h5_text_type(1 + take_byte(taker));
    case 4:
        return H5Tarray_create2(H5T_STD_I64LE, 1, (hsize_t[]){ 2 });
    case 5:
        return H5Tcreate(H5T_OPAQUE, 8);
    case 6:
        return H5Tcopy(H5T_STD_U64BE);
    case 7:
        return H5Tcopy(H5T_STD_B64LE);
    case 8:
        return h5_text_type(100000);
    default:
        return type == INTEGER ? H5Tcopy(H5T_STD_I64LE)
               : type == REAL  ? H5Tcopy(H5T_IEEE_F64LE)
                               : h5_text_type(6);
    }
}

/* Values that are awkward, from the input, or a polygon's WKB. */
static void
fill(hid_t dataset, hid_t type, hsize_t n, const char *name, struct taker *taker)
{
    static const double awkward[] = { 1e300, -1e300, 0x1p63, -0.0, 0.5, 1e-310 };
    static const int64_t edges[] = { 0, 120, INT64_MAX, INT64_MIN, -1, FILL_INTEGER };
    size_t size = H5Tget_size(type), n_bytes = size * n;
    uint8_t *values = calloc(n_bytes + 8, 1);
    take_bytes(taker, values, n_bytes < 96 ? n_bytes : 96);
    for (size_t at = 0; size == 8 && at + 8 <= n_bytes; at += 8) {
        uint8_t pick = values[at];
        if (pick >= 0xf0)
            memcpy(values + at, &awkward[pick % 6], 8);
        else if (pick >= 0xe0)
            memcpy(values + at, &edges[pick % 6], 8);
    }
    if (strcmp(name, "/zones/geometry") == 0 && size == 8) {
        static const uint8_t head[] = { 1, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0 };
        for (size_t i = 0; i < n && i < sizeof head; i++)
            values[8 * i] ^= head[i];
    }
    must(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    free(values);
}

static void make_dataset(hid_t file, const struct part *part, struct taker *taker)
{
    uint8_t how = take_byte(taker);
    hsize_t dims[3] = { 0 }, chunk[3] = { 1, 1, 1 };
    int n_axes = (int)strlen(part->axes);
    if (how % 8 == 7) /* not there, or a group */
        if (how & 0x40) {
            hid_t group = h5_create_group(file, part->name, NULL);
            h5_close(&group, H5Gclose);
            return;
        } else {
            return;
        }
    for (int i = 0; i < n_axes; i++)
        dims[i] = length(part->axes[i], taker, how);
    bool is_huge = n_axes == 2 && how % 8 == 3 && how & 0x80; /* and not filled */
    if (is_huge)
        dims[1] = UINT64_C(1) << take_byte(taker) % 63;
    if (how % 8 == 4)
        n_axes = take_byte(taker) % 4;
    hid_t type = make_type(part->type, how, taker);
    hid_t space = n_axes ? H5Screate_simple(n_axes, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (how & 0x80 && n_axes)
        H5Pset_chunk(create, n_axes, chunk);
    hid_t dataset =
        H5Dcreate2(file, part->name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    must(dataset >= 0);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    if (n > 0 && !is_huge && !(how & 0x20))
        fill(dataset, type, (hsize_t)n, part->name, taker);
    if (how & 0x10)
        h5_put_text(dataset,
                    "units",
                    how & 0x40 ? "days since 1970-01-01" : "\x1b[31m\n",
                    NULL);
    if (how & 0x08)
        h5_put_integer(dataset, "long_name", 7, NULL);
    if (!part->scale)
        h5_make_scale(dataset, part->name + 1, NULL);
    else if (n_axes > 0) {
        hid_t scale = H5Dopen2(file, part->scale, H5P_DEFAULT);
        if (scale >= 0)
            h5_attach_scale(dataset, scale, 0, NULL);
        h5_close(&scale, H5Dclose);
    }
    h5_close(&dataset, H5Dclose);
    h5_close(&create, H5Pclose);
    h5_close(&space, H5Sclose);
    h5_close(&type, H5Tclose);
}

static void make_attributes(hid_t file, struct taker *taker)
{
    uint8_t how = take_byte(taker);
    char text[64] = "";
    take_bytes(taker, text, how % 64 < 60 ? 0 : 20);
    h5_put_text(file, "title", text, NULL);
    if (how != 1)
        h5_put_text(file, "rooftally_format", "result", NULL);
    h5_put_integer(file,
                   "format_version",
                   how == 2 ? how : RESULT_FORMAT_VERSION,
                   NULL);
    if (how != 3)
        h5_put_integer(file, "consistent", how & 1, NULL);
    static const char *const groups[] = { "/zones",          "/selection",
                                          "/rejected",       "/telemetry",
                                          "/telemetry/zone", "/telemetry/rank",
                                          "/provenance",     "/telemetry/memory" };
    for (int i = 0; i < 8; i++) {
        if (how == 16 + i || (i > 3 && how == 19))
            continue;
        hid_t group = h5_create_group(file, groups[i], NULL);
        if (i == 0) {
            h5_put_text(group, "crs", how & 8 ? "EPSG:\x1b\"4326" : "EPSG:4326", NULL);
            if (how & 4)
                h5_put_text(group, "crs_kind", "geographic", NULL);
        }
        if (i == 6) {
            h5_put_text(group, "job", "[job]\n", NULL);
            h5_put_text(group, "run\x1b[2J", text, NULL);
            h5_put_real(group, "ranks", 3, NULL);
        }
        h5_close(&group, H5Gclose);
    }
}

static void make_file(struct taker *taker)
{
    unlink(path);
    hid_t file = h5_create_file(path, NULL);
    must(file >= 0);
    make_attributes(file, taker);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *last = strrchr(parts[i].name, '/');
        char group[40];
        snprintf(group,
                 sizeof group,
                 "%.*s",
                 (int)(last - parts[i].name),
                 parts[i].name);
        if (!*group || H5Lexists(file, group, H5P_DEFAULT) > 0)
            make_dataset(file, &parts[i], taker);
    }
    H5Eclear2(H5E_DEFAULT);
    must(h5_close(&file, H5Fclose) >= 0);
}

/* Nothing in the text steers a terminal. */
static void must_be_clean(const char *text, size_t n, const char *allowed)
{
    for (size_t i = 0; i < n; i++)
        must((unsigned char)text[i] >= 0x20 || strchr(allowed, text[i]));
}

static void print(int (*write)(FILE *out, struct error *err), const char *allowed)
{
    char *text = NULL;
    size_t n = 0;
    struct error err = { ERROR_NONE, "" };
    FILE *out = open_memstream(&text, &n);
    must(out);
    int status = write(out, &err);
    fclose(out);
    if (status < 0)
        must_tell(&err);
    else
        must(n > 0);
    must_be_clean(text, n, allowed);
    free(text);
    must(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

static int write_info(FILE *out, struct error *err)
{
    return result_info(path, out, err);
}

static int write_csv(FILE *out, struct error *err)
{
    const struct export_options options = { .format = EXPORT_CSV, .clean = true };
    return export_result(path, &options, out, NULL, NULL, err);
}

static int write_geojson(FILE *out, struct error *err)
{
    const struct export_options options = { .format = EXPORT_GEOJSON };
    enum export_crs crs;
    char name[128];
    return export_result(path, &options, out, &crs, name, err);
}

static int write_page(FILE *out, struct error *err)
{
    return report_html(path, out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct taker taker = { bytes, n };
    make_file(&taker);
    print(write_info, "\n");
    print(write_csv, "\r\n");
    print(write_geojson, "\n");
    print(write_page, "\n\t");
    return 0;
}
