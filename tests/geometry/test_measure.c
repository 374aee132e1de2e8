#include <stdlib.h>

#include "rooftally/geometry/measure.h"

#include "check.h"
#include "shapes.h"

/* As PostGIS's spatial_ref_sys has them. */
static const char wgs84[] =
    "GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS 84\",6378137,298.257223563,"
    "AUTHORITY[\"EPSG\",\"7030\"]],AUTHORITY[\"EPSG\",\"6326\"]],PRIMEM[\"Greenwich\","
    "0,"
    "AUTHORITY[\"EPSG\",\"8901\"]],UNIT[\"degree\",0.0174532925199433,"
    "AUTHORITY[\"EPSG\",\"9122\"]],AUTHORITY[\"EPSG\",\"4326\"]]";

#define MASSACHUSETTS(name, easting, northing, unit, code)                             \
    "PROJCS[\"" name "\",GEOGCS[\"NAD83\",DATUM[\"North_American_Datum_1983\","        \
    "SPHEROID[\"GRS 1980\",6378137,298.257222101,AUTHORITY[\"EPSG\",\"7019\"]],"       \
    "AUTHORITY[\"EPSG\",\"6269\"]],PRIMEM[\"Greenwich\",0],"                           \
    "UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4269\"]],"               \
    "PROJECTION[\"Lambert_Conformal_Conic_2SP\"],"                                     \
    "PARAMETER[\"latitude_of_origin\",41],PARAMETER[\"central_meridian\",-71.5],"      \
    "PARAMETER[\"standard_parallel_1\",42.68333333333333],"                            \
    "PARAMETER[\"standard_parallel_2\",41.71666666666667],"                            \
    "PARAMETER[\"false_easting\"," easting "],PARAMETER[\"false_northing\"," northing  \
    "]," unit ",AXIS[\"X\",EAST],AXIS[\"Y\",NORTH],AUTHORITY[\"EPSG\",\"" code "\"]]"

static const char mainland[] =
    MASSACHUSETTS("NAD83 / Massachusetts Mainland",
                  "200000",
                  "750000",
                  "UNIT[\"metre\",1,AUTHORITY[\"EPSG\",\"9001\"]]",
                  "26986");
static const char mainland_feet[] =
    MASSACHUSETTS("NAD83 / Massachusetts Mainland (ftUS)",
                  "656166.667",
                  "2460625",
                  "UNIT[\"US survey "
                  "foot\",0.3048006096012192,AUTHORITY[\"EPSG\",\"9003\"]]",
                  "2249");
static const char mercator[] =
    "PROJCS[\"WGS 84 / Pseudo-Mercator\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\","
    "SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],"
    "UNIT[\"degree\",0.0174532925199433]],PROJECTION[\"Mercator_1SP\"],"
    "PARAMETER[\"central_meridian\",0],PARAMETER[\"scale_factor\",1],"
    "PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],"
    "UNIT[\"metre\",1,AUTHORITY[\"EPSG\",\"9001\"]],AXIS[\"X\",EAST],AXIS[\"Y\",NORTH],"
    "EXTENSION[\"PROJ4\",\"+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 "
    "+y_0=0 +k=1 +units=m +nadgrids=@null +wktext +no_defs\"],"
    "AUTHORITY[\"EPSG\",\"3857\"]]";
static const char compound[] =
    "COMPD_CS[\"WGS 84 + EGM96 height\",GEOGCS[\"WGS 84\",DATUM[\"WGS_1984\","
    "SPHEROID[\"WGS 84\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],"
    "UNIT[\"degree\",0.0174532925199433]],VERT_CS[\"EGM96 height\","
    "VERT_DATUM[\"EGM96 geoid\",2005],UNIT[\"metre\",1],AXIS[\"Up\",UP]]]";
static const char gradians[] =
    "GEOGCS[\"NTF (Paris)\",DATUM[\"Nouvelle_Triangulation_Francaise_Paris\","
    "SPHEROID[\"Clarke 1880 (IGN)\",6378249.2,293.4660212936269]],"
    "PRIMEM[\"Paris\",2.5969213],UNIT[\"grad\",0.01570796326794897]]";
static const char sphere[] =
    "GEOGCS[\"Sphere\",DATUM[\"Sphere\",SPHEROID[\"Sphere\",6371000,0]],"
    "PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]]";
static const char local[] = "LOCAL_CS[\"Site\",UNIT[\"foot\",0.3048],AXIS[\"X\",EAST],"
                            "AXIS[\"Y\",NORTH]]";

static bool is_about(double value, double wanted, double relative)
{
    return fabs(value - wanted) <= relative * fabs(wanted);
}

static void a_crs_is_read_from_what_postgis_has(void **state)
{
    (void)state;
    static const struct {
        const char *definition, *name;
        bool geographic;
        double unit, semimajor_m, inverse_flattening;
    } cases[] = {
        { wgs84, "WGS 84", true, 1, 6378137, 298.257223563 },
        { mainland, "NAD83 / Massachusetts Mainland", false, 1, 0, 0 },
        { mainland_feet,
          "NAD83 / Massachusetts Mainland (ftUS)",
          false,
          0.3048006096012192,
          0,
          0 },
        { mercator, "WGS 84 / Pseudo-Mercator", false, 1, 0, 0 },
        { compound, "WGS 84", true, 1, 6378137, 298.257223563 },
        { gradians, "NTF (Paris)", true, 0.9, 6378249.2, 293.4660212936269 },
        { sphere, "Sphere", true, 1, 6371000, 0 },
        { local, "Site", false, 0.3048, 0, 0 },
        { "", "unknown", false, 1, 0, 0 },
        { NULL, "unknown", false, 1, 0, 0 },
    };
    setenv("PROJ_DATA", "/nonexistent", 1); /* WKT must do without proj.db */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crs crs;
        struct error err;
        assert_fine(crs_read(&crs, cases[i].definition, &err), &err);
        assert_string_equal(crs.name, cases[i].name);
        assert_int_equal(crs.geographic, cases[i].geographic);
        /* the WKT gives a degree with 15 digits */
        assert_true(is_about(crs.unit, cases[i].unit, 1e-14));
        if (!crs.geographic)
            continue;
        assert_true(crs.semimajor_m == cases[i].semimajor_m);
        assert_true(is_about(crs.flattening * cases[i].inverse_flattening,
                             cases[i].inverse_flattening > 0,
                             1e-14));
    }
    unsetenv("PROJ_DATA");
}

static void what_is_no_crs_for_measuring_is_refused(void **state)
{
    (void)state;
    static const char *const definitions[] = {
        "nonsense",
        "GEOGCS[\"cut",
        "VERT_CS[\"height\",VERT_DATUM[\"geoid\",2005],UNIT[\"metre\",1]]",
        "GEOCCS[\"WGS 84\",DATUM[\"WGS_1984\",SPHEROID[\"WGS "
        "84\",6378137,298.257223563]],"
        "PRIMEM[\"Greenwich\",0],UNIT[\"metre\",1]]",
    };
    for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
        struct crs crs = { .unit = 7 };
        struct error err;
        assert_refused(crs_read(&crs, definitions[i], &err), &err, ERROR_USAGE, "CRS");
        assert_true(crs.unit == 7);
    }
}

static struct measures measured(const struct crs *crs, const struct shape *shape)
{
    struct measures measures;
    struct error err;
    assert_fine(measure(crs, shape->bytes, shape->n, true, &measures, &err), &err);
    return measures;
}

static struct shape shape;

static void put_one(const struct point *points, int n)
{
    shape_init(&shape);
    put_type(&shape, 3, 0);
    put_count(&shape, 1);
    put_ring(&shape, points, n);
}

/* Against figures of GeographicLib: the octant is an eighth of the earth's 5.1e14 m2, its
 * border a quarter of the equator and two of a meridian. */
static void geodesic_areas_are_geographiclibs(void **state)
{
    (void)state;
    struct crs crs;
    struct error err;
    assert_fine(crs_read(&crs, wgs84, &err), &err);
    put_one((struct point[]){ { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 } }, 4);
    struct measures degree = measured(&crs, &shape);
    assert_true(is_about(degree.area_m2, 12308778361.469, 1e-13));
    assert_true(is_about(degree.perimeter_m, 443770.917, 1e-9));
    assert_int_equal(degree.n_vertices, 5);
    put_one((struct point[]){ { 0, 0 }, { 90, 0 }, { 0, 90 } }, 3);
    struct measures octant = measured(&crs, &shape);
    assert_true(is_about(octant.area_m2, 510065621724088.44 / 8, 1e-13));
    assert_true(is_about(octant.perimeter_m, 2 * 10001965.729 + 10018754.171, 1e-10));
    put_one((struct point[]){ { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 0 } }, 4);
    assert_true(measured(&crs, &shape).area_m2 == degree.area_m2); /* clockwise */
    put_one((struct point[]){ { 179.5, 0 },
                              { -179.5, 0 },
                              { -179.5, 1 },
                              { 179.5, 1 } },
            4);
    assert_true(is_about(measured(&crs, &shape).area_m2, degree.area_m2, 1e-13));
    assert_fine(crs_read(&crs, gradians, &err), &err);
    crs.semimajor_m = 6378137;
    crs.flattening = 1 / 298.257223563;
    put_one((struct point[]){ { 0, 0 },
                              { 1 / .9, 0 },
                              { 1 / .9, 1 / .9 },
                              { 0, 1 / .9 } },
            4);
    assert_true(is_about(measured(&crs, &shape).area_m2, degree.area_m2, 1e-12));
}

/* A shape of 10 x 10 m far from the origin: nothing is lost to the distance. */
static void planar_areas_do_not_depend_on_the_place(void **state)
{
    (void)state;
    static const struct point places[] = { { 0, 0 }, { 236000, 9e5 }, { -1e12, 1e12 } };
    struct crs metres, feet;
    struct error err;
    assert_fine(crs_read(&metres, mainland, &err), &err);
    assert_fine(crs_read(&feet, mainland_feet, &err), &err);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        double x = places[i].x, y = places[i].y;
        shape_init(&shape);
        put_type(&shape, 6, 0);
        put_count(&shape, 2);
        for (int part = 0; part < 2; part++) {
            put_part(&shape, 3);
            put_count(&shape, 2);
            put_rectangle(&shape, x, y, x + 10, y + 10);
            put_rectangle(&shape, x + 2, y + 2, x + 4, y + 5);
            x += 20;
        }
        struct measures measures = measured(&metres, &shape);
        assert_true(measures.area_m2 == 188);
        assert_true(measures.perimeter_m == 100);
        assert_int_equal(measures.n_vertices, 20);
        double foot = 0.3048006096012192;
        measures = measured(&feet, &shape);
        assert_true(is_about(measures.area_m2, 188 * foot * foot, 1e-15));
        assert_true(is_about(measures.perimeter_m, 100 * foot, 1e-15));
    }
}

static void lines_have_length_and_points_nothing(void **state)
{
    (void)state;
    struct crs plane, globe;
    struct error err;
    struct measures measures;
    assert_fine(crs_read(&plane, "", &err), &err);
    assert_fine(crs_read(&globe, wgs84, &err), &err);
    shape_init(&shape);
    put_type(&shape, 2, 0);
    put_count(&shape, 3);
    put_raw(&shape, 0, 0);
    put_raw(&shape, 3, 4);
    put_raw(&shape, 3, 5);
    measures = measured(&plane, &shape);
    assert_true(measures.area_m2 == 0 && measures.perimeter_m == 6);
    shape_init(&shape);
    put_type(&shape, 2, 0);
    put_count(&shape, 2);
    put_raw(&shape, 0, 0);
    put_raw(&shape, 0, 90);
    measures = measured(&globe, &shape);
    assert_true(measures.area_m2 == 0);
    assert_true(is_about(measures.perimeter_m, 10001965.729, 1e-10));
    assert_fine(measure(&globe, shape.bytes, shape.n, false, &measures, &err), &err);
    assert_true(measures.perimeter_m == 0 && measures.n_vertices == 2);
    shape_init(&shape);
    put_type(&shape, 1, 0);
    put_raw(&shape, 5, 6);
    for (int i = 0; i < 2; i++) {
        measures = measured(i ? &globe : &plane, &shape);
        assert_true(measures.area_m2 == 0 && measures.perimeter_m == 0);
        assert_int_equal(measures.n_vertices, 1);
    }
}

/* Of POINT, (POLYGON with a hole, LINESTRING), MULTIPOLYGON: as ST_Area, ST_Perimeter and
 * ST_NPoints, the rings of all and no line. */
static void collections_measure_as_their_polygons(void **state)
{
    (void)state;
    struct crs plane, globe;
    struct error err;
    assert_fine(crs_read(&plane, "", &err), &err);
    assert_fine(crs_read(&globe, wgs84, &err), &err);
    shape_init(&shape);
    put_type(&shape, 7, 0);
    put_count(&shape, 3);
    put_part(&shape, 1);
    put_raw(&shape, 40, 50);
    put_part(&shape, 7);
    put_count(&shape, 2);
    put_part(&shape, 3);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 4, 3);
    put_rectangle(&shape, 1, 1, 2, 2);
    put_part(&shape, 2);
    put_count(&shape, 2);
    put_raw(&shape, 0, 0);
    put_raw(&shape, 30, 40);
    put_part(&shape, 6);
    put_count(&shape, 1);
    put_part(&shape, 3);
    put_count(&shape, 1);
    put_rectangle(&shape, 2, 0, 6, 1); /* overlaps the other, and counts all the same */
    struct measures all = measured(&plane, &shape);
    assert_true(all.area_m2 == 11 + 4);
    assert_true(all.perimeter_m == 14 + 4 + 10);
    assert_int_equal(all.n_vertices, 1 + 10 + 2 + 5);
    all = measured(&globe, &shape);
    shape_init(&shape);
    put_type(&shape, 3, 0);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 4, 3);
    put_rectangle(&shape, 1, 1, 2, 2);
    struct measures one = measured(&globe, &shape);
    shape_init(&shape);
    put_type(&shape, 3, 0);
    put_count(&shape, 1);
    put_rectangle(&shape, 2, 0, 6, 1);
    struct measures other = measured(&globe, &shape);
    assert_true(all.area_m2 == one.area_m2 + other.area_m2);
    assert_true(is_about(all.perimeter_m, one.perimeter_m + other.perimeter_m, 1e-15));
}

static void odd_polygons_never_measure_below_zero(void **state)
{
    (void)state;
    struct crs plane;
    struct error err;
    struct measures measures = { .area_m2 = 7 };
    assert_fine(crs_read(&plane, NULL, &err), &err);
    shape_init(&shape); /* a hole larger than its shell */
    put_type(&shape, 3, 0);
    put_count(&shape, 2);
    put_rectangle(&shape, 0, 0, 1, 1);
    put_rectangle(&shape, 0, 0, 3, 3);
    assert_true(measured(&plane, &shape).area_m2 == 0);
    assert_refused(measure(&plane, shape.bytes, shape.n - 1, true, &measures, &err),
                   &err,
                   ERROR_FORMAT,
                   "malformed");
    assert_true(measures.area_m2 == 7);
    shape_init(&shape);
    put_type(&shape, 3, 0);
    put_count(&shape, 0);
    measures = measured(&plane, &shape);
    assert_true(measures.area_m2 == 0 && measures.n_vertices == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crs_is_read_from_what_postgis_has),
        cmocka_unit_test(what_is_no_crs_for_measuring_is_refused),
        cmocka_unit_test(geodesic_areas_are_geographiclibs),
        cmocka_unit_test(planar_areas_do_not_depend_on_the_place),
        cmocka_unit_test(lines_have_length_and_points_nothing),
        cmocka_unit_test(collections_measure_as_their_polygons),
        cmocka_unit_test(odd_polygons_never_measure_below_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
