/*
 * A layer of a vector file, read feature by feature through GDAL.
 *
 * GDAL and the hundred libraries behind it take some 70 ms to load, so they are linked to
 * a module of their own, rooftally-vector.so, which is opened when a job reads vector files
 * and not before. This header is what module and program agree on; the module uses room
 * base and nothing else of ours.
 *
 * Messages  GDAL's own never reach standard error: the first failure of a call is part of
 *           its error's text, and the first warning can be asked for, without control
 *           characters
 */
#ifndef ROOFTALLY_SOURCE_VECTOR_LAYER_H
#define ROOFTALLY_SOURCE_VECTOR_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"

struct vector_field {
    const char *name;
    enum value_type type;  /* TYPE_NULL: one that no expression can use */
    const char *type_name; /* GDAL's word: "Binary" */
};

struct vector_about {
    const char *driver, *name; /* "GPKG"; of the layer */
    /* What can be asked for; the last one is the feature's number (FID) where no field
     * has its name, in any case, which is "fid" where the file gives it none. */
    const struct vector_field *fields;
    int n_fields;
    int64_t n_features; /* -1: not known without reading */
    const char *shape;  /* "Multi Polygon"; "Unknown (any)" */
    bool may_be_polygons;
    const char *crs;      /* as crs_read takes it; NULL: none */
    const char *crs_name; /* "EPSG:4326", or as the file calls it */
    int32_t srid;         /* its EPSG code; 0: none known */
};

/* A value of the feature at hand; text is borrowed until the next one. */
struct vector_value {
    bool valid;
    int64_t integer; /* of BOOLEAN, INTEGER, DATE, TIMESTAMP */
    double real;
    struct text text;
};

struct vector_layer;

struct vector_module {
    const char *library; /* "GDAL 3.6.2" */

    /*
     * Open one layer of a file for reading.
     *
     * name      of the layer; "" where the file has one only
     * geometry  of its geometry column; looked at where it has several
     * Returns   0, or -1 with ERROR_USAGE: cannot be read, no such layer (the nearest is
     *           named), which of several, without geometry
     */
    int (*open)(struct vector_layer **layer,
                const char *path,
                const char *name,
                const char *geometry,
                struct error *err);
    void (*close)(struct vector_layer *layer); /* NULL is silent */
    const struct vector_about *(*about)(const struct vector_layer *layer);

    /* Show every file that the layer is read from, as far as GDAL knows; how many were
     * answered with true. */
    int (*files)(const struct vector_layer *layer,
                 bool (*seen)(void *context, const char *path),
                 void *context);
    /* The first warning of GDAL since this was last asked, "" for none, and how many there
     * were: a value that does not fit its type, say. */
    const char *(*warned)(int64_t *n);

    /* Give all geometry in the CRS of `other`, longitude or easting first; `other` may be
     * the layer itself. Returns 0, or -1 with ERROR_USAGE (PROJ knows no way). */
    int (*use_crs)(struct vector_layer *layer,
                   const struct vector_layer *other,
                   struct error *err);

    /*
     * Begin to read the features of one part of n_parts that together are the layer.
     *
     * wanted   [n_fields] 1 for the fields whose values will be asked for
     * Returns  0 with *first, how many features the parts before this one hold (0 is set
     *          for a part without features), or -1 with ERROR_IO
     */
    int (*start)(struct vector_layer *layer,
                 const uint8_t *wanted,
                 int part,
                 int n_parts,
                 int64_t *first,
                 struct error *err);

    /* The next feature: 1, 0 at the end, -1 with ERROR_IO (the file is damaged, or a
     * FlatGeobuf holds fewer features than its header says). *row is
     * the number of the one before, or *first, and becomes the feature's own: from 1, the
     * same in whatever parts the layer is read; a Shapefile's deleted records have one. */
    int (*next)(struct vector_layer *layer, int64_t *row, struct error *err);

    int64_t (*feature_number)(struct vector_layer *layer); /* its FID */
    void (*value)(struct vector_layer *layer, int field, struct vector_value *value);

    /* Bytes of the feature's geometry as plane EWKB; 0 for none. What has no place in the
     * CRS that was asked for may be anywhere: it is a line from minus infinity to infinity. */
    int64_t (*geometry_bytes)(struct vector_layer *layer);
    int (*geometry)(struct vector_layer *layer, uint8_t *ewkb, struct error *err);
    /* "POLYGON", of the feature at hand. */
    const char *(*geometry_name)(struct vector_layer *layer);
};

#define VECTOR_MODULE_SYMBOL "rooftally_vector"

#endif
