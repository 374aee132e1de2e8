/* Opening a layer and saying what it has. */
#include "layer.h"

#include <cpl_string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rooftally/base/nearest.h"

static void close_layer(struct vector_layer *layer)
{
    if (!layer)
        return;
    layer_forget_feature(layer);
    if (layer->way)
        OCTDestroyCoordinateTransformation(layer->way);
    if (layer->crs_used)
        OSRRelease(layer->crs_used);
    if (layer->dataset)
        GDALClose(layer->dataset);
    free(layer->fields);
    free(layer->crs);
    free(layer);
}

static const char *layer_name(GDALDatasetH dataset, int i)
{
    return OGR_L_GetName(GDALDatasetGetLayer(dataset, i));
}

/* "'a', 'b', 'c' and 4 more" */
static void list_layers(GDALDatasetH dataset, char *text, size_t n_text)
{
    int n = GDALDatasetGetLayerCount(dataset), at = 0;
    for (int i = 0; i < n; i++) {
        if ((size_t)at + strlen(layer_name(dataset, i)) + 20 > n_text) {
            snprintf(text + at, n_text - (size_t)at, " and %d more", n - i);
            return;
        }
        at += snprintf(text + at,
                       n_text - (size_t)at,
                       "%s'%s'",
                       i ? ", " : "",
                       layer_name(dataset, i));
    }
}

static int no_layer(GDALDatasetH dataset, const char *name, struct error *err)
{
    int n = GDALDatasetGetLayerCount(dataset);
    const char **names = calloc((size_t)n + 1, sizeof *names);
    char all[120] = "";
    for (int i = 0; names && i < n; i++)
        names[i] = layer_name(dataset, i);
    const char *nearest = names ? nearest_word(name, names, n) : NULL;
    free(names);
    if (nearest)
        return error_set(err,
                         ERROR_USAGE,
                         "no layer '%.60s': did you mean '%s'?",
                         name,
                         nearest);
    list_layers(dataset, all, sizeof all);
    return error_set(err, ERROR_USAGE, "no layer '%.60s': there are %s", name, all);
}

static int find_layer(struct vector_layer *layer, const char *name, struct error *err)
{
    GDALDatasetH dataset = layer->dataset;
    int n = GDALDatasetGetLayerCount(dataset);
    char all[120] = "";
    if (n == 0)
        return error_set(err, ERROR_USAGE, "holds no layer");
    if (*name) {
        for (int i = 0; i < n && !layer->layer; i++)
            if (strcmp(layer_name(dataset, i), name) == 0)
                layer->layer = GDALDatasetGetLayer(dataset, i);
        return layer->layer ? 0 : no_layer(dataset, name, err);
    }
    if (n > 1) {
        list_layers(dataset, all, sizeof all);
        return error_set(err,
                         ERROR_USAGE,
                         "holds %d layers: write layer = NAME: there are %s",
                         n,
                         all);
    }
    layer->layer = GDALDatasetGetLayer(dataset, 0);
    return layer->layer ? 0 : gdal_error(err, ERROR_USAGE, "its layer cannot be read");
}

static int
find_geometry(struct vector_layer *layer, const char *name, struct error *err)
{
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(layer->layer);
    int n = OGR_FD_GetGeomFieldCount(definition);
    if (n == 0)
        return gdal_error(err, ERROR_USAGE, "has no geometry");
    if (n > 1)
        layer->geometry_index = OGR_FD_GetGeomFieldIndex(definition, name);
    if (layer->geometry_index < 0)
        return error_set(err,
                         ERROR_USAGE,
                         "has %d geometry columns and none '%.60s': write geometry = "
                         "%s",
                         n,
                         name,
                         OGR_GFld_GetNameRef(OGR_FD_GetGeomFieldDefn(definition, 0)));
    OGRwkbGeometryType type =
        OGR_GFld_GetType(OGR_FD_GetGeomFieldDefn(definition, layer->geometry_index));
    OGRwkbGeometryType flat = wkbFlatten(type);
    layer->about.shape = OGRGeometryTypeToName(flat);
    layer->about.may_be_polygons =
        flat == wkbUnknown || flat == wkbPolygon || flat == wkbMultiPolygon
        || flat == wkbCurvePolygon || flat == wkbMultiSurface
        || flat == wkbGeometryCollection || flat == wkbSurface;
    return 0;
}

static enum value_type type_of(OGRFieldDefnH field)
{
    switch (OGR_Fld_GetType(field)) {
    case OFTInteger:
        return OGR_Fld_GetSubType(field) == OFSTBoolean ? TYPE_BOOLEAN : TYPE_INTEGER;
    case OFTInteger64:
        return TYPE_INTEGER;
    case OFTReal:
        return TYPE_REAL;
    case OFTString:
        return TYPE_TEXT;
    case OFTDate:
        return TYPE_DATE;
    case OFTDateTime:
        return TYPE_TIMESTAMP;
    default:
        return TYPE_NULL;
    }
}

static int list_fields(struct vector_layer *layer, struct error *err)
{
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(layer->layer);
    const char *number = OGR_L_GetFIDColumn(layer->layer);
    int n = OGR_FD_GetFieldCount(definition);
    bool is_taken = false;
    layer->fields = calloc((size_t)n + 1, sizeof *layer->fields);
    if (!layer->fields)
        return error_set(err, ERROR_BUDGET, "no memory for a layer");
    number = *number ? number : "fid";
    for (int i = 0; i < n; i++) {
        OGRFieldDefnH field = OGR_FD_GetFieldDefn(definition, i);
        enum value_type type = type_of(field);
        layer->fields[i] = (struct vector_field){
            .name = OGR_Fld_GetNameRef(field),
            .type = type,
            .type_name = type == TYPE_BOOLEAN
                             ? OGR_GetFieldSubTypeName(OFSTBoolean)
                             : OGR_GetFieldTypeName(OGR_Fld_GetType(field)),
        };
        is_taken |= strcasecmp(layer->fields[i].name, number) == 0;
    }
    if (!is_taken)
        layer->fields[n] = (struct vector_field){ .name = number,
                                                  .type = TYPE_INTEGER,
                                                  .type_name = "Integer64" };
    layer->about.fields = layer->fields;
    layer->about.n_fields = n + !is_taken;
    return 0;
}

static int describe(struct vector_layer *layer, const char *geometry, struct error *err)
{
    layer->about.driver = GDALGetDriverShortName(GDALGetDatasetDriver(layer->dataset));
    layer->about.name = OGR_L_GetName(layer->layer);
    layer->about.n_features = OGR_L_GetFeatureCount(layer->layer, false);
    return find_geometry(layer, geometry, err) || list_fields(layer, err)
                   || layer_read_crs(layer, err)
               ? -1
               : 0;
}

static int open_layer(struct vector_layer **layer,
                      const char *path,
                      const char *name,
                      const char *geometry,
                      struct error *err)
{
    struct vector_layer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, ERROR_BUDGET, "no memory for a layer");
    gdal_listen();
    GDALAllRegister();
    gdal_forget();
    made->dataset =
        GDALOpenEx(path,
                   GDAL_OF_VECTOR | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                   NULL,
                   NULL,
                   NULL);
    if (!made->dataset) {
        gdal_error(err, ERROR_USAGE, "cannot be read");
        close_layer(made);
        return -1;
    }
    if (find_layer(made, name, err) || describe(made, geometry, err)) {
        close_layer(made);
        return -1;
    }
    *layer = made;
    return 0;
}

static int layer_files(const struct vector_layer *layer,
                       bool (*seen)(void *context, const char *path),
                       void *context)
{
    int n_seen = 0;
    char **files = GDALGetFileList(layer->dataset);
    for (int i = 0; files && files[i]; i++)
        n_seen += seen(context, files[i]);
    CSLDestroy(files);
    return n_seen;
}

static const struct vector_about *about(const struct vector_layer *layer)
{
    return &layer->about;
}

extern const struct vector_module rooftally_vector;

__attribute__((visibility("default"))) const struct vector_module rooftally_vector = {
    .library = "GDAL " GDAL_RELEASE_NAME,
    .open = open_layer,
    .close = close_layer,
    .about = about,
    .files = layer_files,
    .warned = gdal_warned,
    .use_crs = layer_use_crs,
    .start = layer_start,
    .next = layer_next,
    .feature_number = layer_feature_number,
    .value = layer_value,
    .geometry_bytes = layer_geometry_bytes,
    .geometry = layer_geometry,
    .geometry_name = layer_geometry_name,
};
