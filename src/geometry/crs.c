/* What measuring needs of a CRS, asked of PROJ. Reading WKT needs no proj.db. */
#include <stdio.h>
#include <string.h>

#include <proj.h>

#include "rooftally/geometry/measure.h"

static const double degree = 0.017453292519943295; /* radians, as PROJ and EPSG 9122 */

/* The horizontal CRS that a bound or compound one wraps; takes crs, may return NULL. */
static PJ *unwrap(PJ_CONTEXT *context, PJ *crs)
{
    for (;;) {
        PJ_TYPE type = crs ? proj_get_type(crs) : PJ_TYPE_UNKNOWN;
        PJ *inner = NULL;
        if (type == PJ_TYPE_BOUND_CRS)
            inner = proj_get_source_crs(context, crs);
        else if (type == PJ_TYPE_COMPOUND_CRS)
            inner = proj_crs_get_sub_crs(context, crs, 0);
        else
            return crs;
        proj_destroy(crs);
        crs = inner;
    }
}

/* What one unit of the first axis is: metres or radians. */
static bool read_unit(PJ_CONTEXT *context, const PJ *crs, double *unit)
{
    PJ *system = proj_crs_get_coordinate_system(context, crs);
    bool found = system
                 && proj_cs_get_axis_info(context,
                                          system,
                                          0,
                                          NULL,
                                          NULL,
                                          NULL,
                                          unit,
                                          NULL,
                                          NULL,
                                          NULL);
    proj_destroy(system);
    return found && *unit > 0;
}

static bool read_ellipsoid(PJ_CONTEXT *context, const PJ *crs, struct crs *out)
{
    double inverse_flattening = 0;
    PJ *ellipsoid = proj_get_ellipsoid(context, crs);
    bool found = ellipsoid
                 && proj_ellipsoid_get_parameters(context,
                                                  ellipsoid,
                                                  &out->semimajor_m,
                                                  NULL,
                                                  NULL,
                                                  &inverse_flattening);
    proj_destroy(ellipsoid);
    out->flattening = inverse_flattening > 0 ? 1 / inverse_flattening : 0; /* sphere */
    return found && out->semimajor_m > 0;
}

static bool describe(PJ_CONTEXT *context, const PJ *crs, struct crs *out)
{
    PJ_TYPE type = crs ? proj_get_type(crs) : PJ_TYPE_UNKNOWN;
    if (type != PJ_TYPE_GEOGRAPHIC_2D_CRS && type != PJ_TYPE_GEOGRAPHIC_3D_CRS
        && type != PJ_TYPE_PROJECTED_CRS && type != PJ_TYPE_ENGINEERING_CRS)
        return false;
    out->geographic =
        type == PJ_TYPE_GEOGRAPHIC_2D_CRS || type == PJ_TYPE_GEOGRAPHIC_3D_CRS;
    if (!read_unit(context, crs, &out->unit))
        return false;
    const char *name = proj_get_name(crs);
    snprintf(out->name, sizeof out->name, "%s", name && *name ? name : "unknown");
    if (!out->geographic)
        return true;
    out->unit /= degree;
    return read_ellipsoid(context, crs, out);
}

/* PROJ prints of its own accord where it finds no proj.db, at any log level. */
static void ignore(void *user, int level, const char *message)
{
    (void)user, (void)level, (void)message;
}

int crs_read(struct crs *crs, const char *definition, struct error *err)
{
    struct crs read = { .unit = 1, .name = "unknown" };
    if (!definition || !*definition) {
        *crs = read;
        return 0;
    }
    PJ_CONTEXT *context = proj_context_create();
    proj_log_func(context, NULL, ignore);
    PJ *object = unwrap(context, proj_create(context, definition));
    bool known = describe(context, object, &read);
    if (known)
        *crs = read;
    else
        error_set(err,
                  ERROR_USAGE,
                  object
                      ? "the CRS is neither a plane nor longitude and latitude: %.80s"
                      : "PROJ cannot read the CRS: %.80s",
                  definition);
    proj_destroy(object);
    proj_context_destroy(context);
    return known ? 0 : -1;
}

const char *crs_library(void)
{
    return proj_info().version;
}
