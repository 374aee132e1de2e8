/* The state of an open layer, shared by the files of the module. */
#ifndef ROOFTALLY_SOURCE_GDAL_LAYER_H
#define ROOFTALLY_SOURCE_GDAL_LAYER_H

#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include "../vector_layer.h"

struct vector_layer {
    GDALDatasetH dataset;
    OGRLayerH layer;
    int geometry_index;
    struct vector_about about;
    struct vector_field *fields;
    char *crs, crs_name[96];

    OGRSpatialReferenceH crs_used;    /* what geometry comes in; NULL: none */
    OGRCoordinateTransformationH way; /* to it; NULL: it is the layer's own */
    int32_t srid;                     /* of what comes out */

    OGRFeatureH feature;
    OGRGeometryH geometry; /* of the feature, or our own where it was transformed */
    OGRGeometryH own;
    bool is_nowhere;
    int64_t left;    /* features of the part still to come; -1: up to the end */
    int64_t fid_end; /* the part ends before it; -1: it does not */
    bool numbers_by_fid;
    int64_t fid_before; /* the FID before row 1 */
};

/* message.c: forget GDAL's messages; whether a failure has come since; and an error that
 * ends in its text. */
void gdal_forget(void);
bool gdal_failed(void);
int gdal_error(struct error *err, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void gdal_listen(void);
const char *gdal_warned(int64_t *n); /* as vector_module.warned */

/* layer_crs.c */
int layer_read_crs(struct vector_layer *layer, struct error *err);
int layer_use_crs(struct vector_layer *layer,
                  const struct vector_layer *other,
                  struct error *err);

/* layer_read.c */
int layer_start(struct vector_layer *layer,
                const uint8_t *wanted,
                int part,
                int n_parts,
                int64_t *first,
                struct error *err);
int layer_next(struct vector_layer *layer, int64_t *row, struct error *err);
int64_t layer_feature_number(struct vector_layer *layer);
void layer_forget_feature(struct vector_layer *layer);
void layer_value(struct vector_layer *layer, int field, struct vector_value *value);
int64_t layer_geometry_bytes(struct vector_layer *layer);
int layer_geometry(struct vector_layer *layer, uint8_t *ewkb, struct error *err);
const char *layer_geometry_name(struct vector_layer *layer);

#endif
