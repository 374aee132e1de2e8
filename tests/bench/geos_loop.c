/*
 * geos_loop STORE LEAST_HEIGHT: what a careful program makes of a store with GEOS alone, for
 * tests/bench/store to compare with: an STRtree of prepared zones, one pass over the
 * buildings, their fields and geometry read in slabs, then the statistics of each zone.
 *
 * Prints "zone count sum mean stddev p90 ids" for each zone, of the buildings within it that
 * are higher: how many; sum, mean and sample standard deviation of the sizes that are not
 * null (nan where there are too few); quantile(height, 0.9), linear between neighbours; and
 * for the sorted ids the FNV-1a of their bytes, in hexadecimal. Then, on standard error,
 * "read_s loop_s cpu_s": opening the store and its zones, the pass with the statistics and
 * the sorting, and the processor time of both; what is printed is not in them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <geos_c.h>
#include <hdf5.h>

enum { SLAB = 65536 };

/* A zone and what was found within it. */
struct zone {
    char id[64];
    GEOSGeometry *geometry;
    const GEOSPreparedGeometry *prepared;
    size_t n, n_sizes,
        capacity; /* of ids and heights; of sizes, without nulls; of each */
    int64_t *ids;
    double *heights, *sizes;
    double sum, mean, stddev, p90;
};

/* A building that asks for its zones. */
struct query {
    const GEOSGeometry *geometry;
    int64_t id;
    double height, size; /* NaN: no size */
};

static void fail(const char *what)
{
    fprintf(stderr, "geos_loop: %s\n", what);
    exit(1);
}

static void *resized(void *memory, size_t n_bytes)
{
    memory = realloc(memory, n_bytes);
    if (!memory)
        fail("no memory");
    return memory;
}

static double clock_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
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
    void *values = resized(NULL, (size_t)*n * size + 1);
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
    char *ids = resized(NULL, (size_t)*n * id_bytes + 1);
    struct zone *zones = calloc((size_t)*n + 1, sizeof *zones);
    if (!zones)
        fail("no memory");
    GEOSWKBReader *reader = GEOSWKBReader_create_r(geos);
    read_rows(dataset, type, 0, *n, ids);
    for (hsize_t i = 0; i < *n; i++) {
        memcpy(zones[i].id, ids + i * id_bytes, id_bytes < 63 ? id_bytes : 63);
        zones[i].geometry = GEOSWKBReader_read_r(geos,
                                                 reader,
                                                 wkb + offsets[i],
                                                 (size_t)(offsets[i + 1] - offsets[i]));
        if (!zones[i].geometry)
            fail("a zone cannot be read");
        zones[i].prepared = GEOSPrepare_r(geos, zones[i].geometry);
        GEOSSTRtree_insert_r(geos, tree, zones[i].geometry, &zones[i]);
    }
    GEOSWKBReader_destroy_r(geos, reader);
    H5Tclose(type);
    H5Dclose(dataset);
    free(ids);
    free(offsets);
    free(wkb);
    return zones;
}

/* The pass ------------------------------------------------------------------------------- */

static GEOSContextHandle_t context;

static void grow(struct zone *zone)
{
    zone->capacity = zone->capacity ? 2 * zone->capacity : 64;
    zone->ids = resized(zone->ids, zone->capacity * sizeof *zone->ids);
    zone->heights = resized(zone->heights, zone->capacity * sizeof *zone->heights);
    zone->sizes = resized(zone->sizes, zone->capacity * sizeof *zone->sizes);
}

static void add(void *item, void *data)
{
    struct zone *zone = item;
    const struct query *query = data;
    if (GEOSPreparedContains_r(context, zone->prepared, query->geometry) != 1)
        return;
    if (zone->n == zone->capacity)
        grow(zone);
    zone->ids[zone->n] = query->id;
    zone->heights[zone->n++] = query->height;
    if (!isnan(query->size))
        zone->sizes[zone->n_sizes++] = query->size;
}

/* The columns of a slab of buildings. */
struct slab {
    int64_t id[SLAB];
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
    read_rows(datasets[5], H5T_NATIVE_INT64, first, n, slab->id);
    size_t n_bytes = (size_t)(slab->offset[n] - slab->offset[0]);
    if (n_bytes > slab->capacity) {
        slab->wkb = resized(slab->wkb, n_bytes);
        slab->capacity = n_bytes;
    }
    read_rows(datasets[6],
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
        struct query query = { building,
                               slab->id[i],
                               slab->height[i],
                               slab->has_size[i] ? slab->size[i] : NAN };
        GEOSSTRtree_query_r(context, tree, building, add, &query);
        GEOSGeom_destroy_r(context, building);
    }
    GEOSWKBReader_destroy_r(context, reader);
}

static void pass(hid_t file, double least, GEOSSTRtree *tree)
{
    static const char *const names[] = {
        "/buildings/height",      "/valid/buildings/height",    "/buildings/size",
        "/valid/buildings/size",  "/buildings/geometry/offset", "/buildings/id",
        "/buildings/geometry/wkb"
    };
    static struct slab slab;
    hid_t datasets[7];
    hsize_t n_buildings = 0, n;
    for (int i = 7; i-- > 0;)
        datasets[i] = open_dataset(file, names[i], i == 0 ? &n_buildings : &n);
    for (hsize_t first = 0; first < n_buildings; first += n) {
        n = n_buildings - first < SLAB ? n_buildings - first : SLAB;
        read_slab(datasets, first, n, &slab);
        ask_slab(&slab, n, least, tree);
    }
    for (int i = 0; i < 7; i++)
        H5Dclose(datasets[i]);
    free(slab.wkb);
}

/* The answer ----------------------------------------------------------------------------- */

static int compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Type 7, as percentile_cont. */
static double quantile(const double *sorted, size_t n, double share)
{
    if (n == 0)
        return NAN;
    double at = share * (double)(n - 1), below = floor(at);
    double low = sorted[(size_t)below], high = sorted[(size_t)ceil(at)];
    return low + (at - below) * (high - low);
}

/* The squares are those of differences from the mean: nothing cancels. */
static void describe_sizes(struct zone *zone)
{
    size_t n = zone->n_sizes;
    double squares = 0;
    zone->sum = n > 0 ? 0 : NAN;
    for (size_t i = 0; i < n; i++)
        zone->sum += zone->sizes[i];
    zone->mean = zone->sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (zone->sizes[i] - zone->mean) * (zone->sizes[i] - zone->mean);
    zone->stddev = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
}

static void describe(struct zone *zone)
{
    describe_sizes(zone);
    if (zone->n > 0) {
        qsort(zone->heights, zone->n, sizeof *zone->heights, compare_reals);
        qsort(zone->ids, zone->n, sizeof *zone->ids, compare_ids);
    }
    zone->p90 = quantile(zone->heights, zone->n, 0.9);
}

static uint64_t fnv1a(const void *bytes, size_t n_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n_bytes; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void print(const struct zone *zone)
{
    printf("%s %zu %.17g %.17g %.17g %.17g %016" PRIx64 "\n",
           zone->id,
           zone->n,
           zone->sum,
           zone->mean,
           zone->stddev,
           zone->p90,
           fnv1a(zone->ids, zone->n * sizeof *zone->ids));
}

static void release(struct zone *zone)
{
    GEOSPreparedGeom_destroy_r(context, zone->prepared);
    GEOSGeom_destroy_r(context, zone->geometry);
    free(zone->ids);
    free(zone->heights);
    free(zone->sizes);
}

int main(int argc, char **argv)
{
    hsize_t n_zones;
    if (argc != 3)
        fail("usage: geos_loop STORE LEAST_HEIGHT");
    double start_s = clock_s(CLOCK_MONOTONIC);
    double start_cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    hid_t file = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    context = GEOS_init_r();
    GEOSSTRtree *tree = GEOSSTRtree_create_r(context, 10);
    struct zone *zones = read_zones(file, context, tree, &n_zones);
    double read_s = clock_s(CLOCK_MONOTONIC) - start_s;
    pass(file, atof(argv[2]), tree);
    for (hsize_t i = 0; i < n_zones; i++)
        describe(&zones[i]);
    double loop_s = clock_s(CLOCK_MONOTONIC) - start_s - read_s;
    double cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - start_cpu_s;
    GEOSSTRtree_destroy_r(context, tree);
    for (hsize_t i = 0; i < n_zones; i++) {
        print(&zones[i]);
        release(&zones[i]);
    }
    free(zones);
    GEOS_finish_r(context);
    H5Fclose(file);
    fprintf(stderr, "%.3f %.3f %.3f\n", read_s, loop_s, cpu_s);
    return 0;
}
