/* The CRS of a layer, and the way from one to another. */
#include <cpl_conv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"

/* NULL for none, and for what GeoPackage calls undefined. Some drivers, as that of MIF, tell it
 * of the layer alone. */
static OGRSpatialReferenceH crs_of(const struct vector_layer *layer)
{
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(layer->layer);
    OGRSpatialReferenceH crs = OGR_GFld_GetSpatialRef(
        OGR_FD_GetGeomFieldDefn(definition, layer->geometry_index));
    if (!crs && layer->geometry_index == 0)
        crs = OGR_L_GetSpatialRef(layer->layer);
    const char *name = crs ? OSRGetName(crs) : NULL;
    bool is_undefined = name
                        && (strcmp(name, "Undefined geographic SRS") == 0
                            || strcmp(name, "Undefined Cartesian SRS") == 0);
    return is_undefined ? NULL : crs;
}

/* Longitude first is what every source has, so that OGC's word for it says nothing new. */
static int32_t srid_of(const char *authority, const char *code)
{
    if (!authority || !code)
        return 0;
    if (strcmp(authority, "OGC") == 0)
        return strcmp(code, "CRS84") == 0   ? 4326
               : strcmp(code, "CRS83") == 0 ? 4269
                                            : 0;
    return strcmp(authority, "EPSG") == 0 ? atoi(code) : 0;
}

int layer_read_crs(struct vector_layer *layer, struct error *err)
{
    static const char *const options[] = { "FORMAT=WKT2_2018", NULL };
    OGRSpatialReferenceH crs = crs_of(layer);
    char *text = NULL;
    if (!crs)
        return 0;
    const char *authority = OSRGetAuthorityName(crs, NULL);
    const char *code = OSRGetAuthorityCode(crs, NULL);
    const char *name = OSRGetName(crs);
    if (authority && code)
        snprintf(layer->crs_name, sizeof layer->crs_name, "%s:%s", authority, code);
    else
        snprintf(layer->crs_name, sizeof layer->crs_name, "'%s'", name ? name : "");
    layer->about.srid = srid_of(authority, code);
    bool failed = OSRExportToWktEx(crs, &text, options) != OGRERR_NONE || !text;
    layer->crs = failed ? NULL : strdup(text);
    CPLFree(text);
    if (!layer->crs)
        return gdal_error(err, ERROR_USAGE, "its CRS cannot be used");
    layer->about.crs = layer->crs;
    layer->about.crs_name = layer->crs_name;
    return 0;
}

/* The same CRS with longitude or easting first, as every source has it. */
int layer_use_crs(struct vector_layer *layer,
                  const struct vector_layer *other,
                  struct error *err)
{
    static const char *const same[] = { "CRITERION=EQUIVALENT", NULL };
    OGRSpatialReferenceH own = crs_of(layer), wanted = crs_of(other);
    layer->srid = other->about.srid;
    if (!own || !wanted)
        return 0;
    gdal_forget();
    layer->crs_used = OSRClone(wanted);
    if (!layer->crs_used)
        return gdal_error(err, ERROR_USAGE, "its CRS cannot be used");
    OSRSetAxisMappingStrategy(layer->crs_used, OAMS_TRADITIONAL_GIS_ORDER);
    if (OSRIsSameEx(own, layer->crs_used, same))
        return 0;
    layer->way = OCTNewCoordinateTransformation(own, layer->crs_used);
    if (!layer->way)
        return gdal_error(err,
                          ERROR_USAGE,
                          "no way is known from its CRS %s to %s of the zones: if it "
                          "is another, say so, as ogr2ogr -a_srs EPSG:4326 NEW OLD "
                          "does",
                          layer->crs_name,
                          other->crs_name);
    return 0;
}
