/*
 * geos_loop STORE LEAST_HEIGHT: what a careful program makes of a store with GEOS alone, for
 * tests/bench/store to compare with: an STRtree of prepared zones, one pass over the
 * buildings, their fields and geometry read in slabs.
 *
 * Prints "zone count sum" for each zone, of the buildings within it that are higher: how
 * many, and the sum of their sizes; then, on standard error, "read_s loop_s".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <geos_c.h>
#include <hdf5.h>

enum { SLAB = 65536 };

struct zone {
    char id[64];
    const GEOSPreparedGeometry *prepared;
    long long n;
    double sum;
};

struct query {
    const GEOSGeometry *building;
    double size; /* NaN-free: 0 where it is null */
};

static void fail(const char *what)
{
    fprintf(stderr, "geos_loop: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static hid_t open_dataset(hid_t file, const char *name, hsize_t *n)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0)
        fail(name);
    hid_t space = H5Dget_space(dataset);
    H5Sget_simple_extent_dims(space, n, NULL);
    H5Sclose(space);
    return dataset;
}

static void read_rows(hid_t dataset, hid_t type, hsize_t first, hsize_t n, void *out)
{
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(1, &n, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &n, NULL);
    if (n > 0 && H5Dread(dataset, type, memory, space, H5P_DEFAULT, out) < 0)
        fail("a dataset cannot be read");
    H5Sclose(memory);
    H5Sclose(space);
}

static void *read_all(hid_t file, const char *name, hid_t type, size_t size, hsize_t *n)
{
    hid_t dataset = open_dataset(file, name, n);
    void *values = malloc((size_t)*n * size + 1);
    if (!values)
        fail("no memory");
    read_rows(dataset, type, 0, *n, values);
    H5Dclose(dataset);
    return values;
}

static struct zone *
read_zones(hid_t file, GEOSContextHandle_t geos, GEOSSTRtree *tree, hsize_t *n)
{
    hsize_t n_bytes, n_offsets;
    int64_t *offsets = read_all(file, "/zones/offset", H5T_NATIVE_INT64, 8, &n_offsets);
    uint8_t *wkb = read_all(file, "/zones/wkb", H5T_NATIVE_UINT8, 1, &n_bytes);
    hid_t dataset = open_dataset(file, "/zones/id", n);
    hid_t type = H5Dget_type(dataset);
    size_t id_bytes = H5Tget_size(type);
    char *ids = malloc((size_t)*n * id_bytes + 1);
    struct zone *zones = calloc((size_t)*n + 1, sizeof *zones);
    GEOSWKBReader *reader = GEOSWKBReader_create_r(geos);
    read_rows(dataset, type, 0, *n, ids);
    for (hsize_t i = 0; i < *n; i++) {
        memcpy(zones[i].id, ids + i * id_bytes, id_bytes < 63 ? id_bytes : 63);
        GEOSGeometry *zone =
            GEOSWKBReader_read_r(geos,
                                 reader,
                                 wkb + offsets[i],
                                 (size_t)(offsets[i + 1] - offsets[i]));
        if (!zone)
            fail("a zone cannot be read");
        zones[i].prepared = GEOSPrepare_r(geos, zone);
        GEOSSTRtree_insert_r(geos, tree, zone, &zones[i]);
    }
    GEOSWKBReader_destroy_r(geos, reader);
    H5Tclose(type);
    H5Dclose(dataset);
    free(ids);
    free(offsets);
    free(wkb);
    return zones;
}

static GEOSContextHandle_t context;

static void add(void *item, void *data)
{
    struct zone *zone = item;
    const struct query *query = data;
    if (GEOSPreparedContains_r(context, zone->prepared, query->building) != 1)
        return;
    zone->n++;
    zone->sum += query->size;
}

/* The columns of a slab of buildings. */
struct slab {
    double height[SLAB], size[SLAB];
    uint8_t has_height[SLAB], has_size[SLAB];
    int64_t offset[SLAB + 1];
    uint8_t *wkb;
    size_t capacity;
};

static void
read_slab(const hid_t *datasets, hsize_t first, hsize_t n, struct slab *slab)
{
    read_rows(datasets[0], H5T_NATIVE_DOUBLE, first, n, slab->height);
    read_rows(datasets[1], H5T_NATIVE_UINT8, first, n, slab->has_height);
    read_rows(datasets[2], H5T_NATIVE_DOUBLE, first, n, slab->size);
    read_rows(datasets[3], H5T_NATIVE_UINT8, first, n, slab->has_size);
    read_rows(datasets[4], H5T_NATIVE_INT64, first, n + 1, slab->offset);
    size_t n_bytes = (size_t)(slab->offset[n] - slab->offset[0]);
    if (n_bytes > slab->capacity) {
        slab->wkb = realloc(slab->wkb, n_bytes);
        slab->capacity = n_bytes;
    }
    if (!slab->wkb)
        fail("no memory");
    read_rows(datasets[5],
              H5T_NATIVE_UINT8,
              (hsize_t)slab->offset[0],
              n_bytes,
              slab->wkb);
}

static void
ask_slab(const struct slab *slab, hsize_t n, double least, GEOSSTRtree *tree)
{
    GEOSWKBReader *reader = GEOSWKBReader_create_r(context);
    for (hsize_t i = 0; i < n; i++) {
        if (!slab->has_height[i] || !(slab->height[i] > least))
            continue;
        GEOSGeometry *building =
            GEOSWKBReader_read_r(context,
                                 reader,
                                 slab->wkb + (slab->offset[i] - slab->offset[0]),
                                 (size_t)(slab->offset[i + 1] - slab->offset[i]));
        if (!building)
            fail("a building cannot be read");
        struct query query = { building, slab->has_size[i] ? slab->size[i] : 0 };
        GEOSSTRtree_query_r(context, tree, building, add, &query);
        GEOSGeom_destroy_r(context, building);
    }
    GEOSWKBReader_destroy_r(context, reader);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {
        "/buildings/height",     "/valid/buildings/height",    "/buildings/size",
        "/valid/buildings/size", "/buildings/geometry/offset", "/buildings/geometry/wkb"
    };
    static struct slab slab;
    hid_t datasets[6];
    hsize_t n_zones, n_buildings = 0, n;
    if (argc != 3)
        fail("usage: geos_loop STORE LEAST_HEIGHT");
    double start_s = now_s();
    hid_t file = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    context = GEOS_init_r();
    GEOSSTRtree *tree = GEOSSTRtree_create_r(context, 10);
    struct zone *zones = read_zones(file, context, tree, &n_zones);
    for (int i = 6; i-- > 0;)
        datasets[i] = open_dataset(file, names[i], i == 0 ? &n_buildings : &n);
    double read_s = now_s() - start_s, loop_s = now_s();
    for (hsize_t first = 0; first < n_buildings; first += n) {
        n = n_buildings - first < SLAB ? n_buildings - first : SLAB;
        read_slab(datasets, first, n, &slab);
        ask_slab(&slab, n, atof(argv[2]), tree);
    }
    loop_s = now_s() - loop_s;
    for (hsize_t i = 0; i < n_zones; i++)
        printf("%s %lld %.17g\n", zones[i].id, zones[i].n, zones[i].sum);
    fprintf(stderr, "%.3f %.3f\n", read_s, loop_s);
    return 0;
}
