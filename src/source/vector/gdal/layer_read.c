/* Features of a layer, one after the other. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rooftally/base/calendar.h"

#include "layer.h"

void layer_forget_feature(struct vector_layer *layer)
{
    OGR_G_DestroyGeometry(layer->own);
    OGR_F_Destroy(layer->feature);
    layer->own = layer->geometry = NULL;
    layer->feature = NULL;
}

/* GDAL leaves out the first field that has the name, whatever its case. */
static bool
shares_name(const struct vector_layer *layer, int field, const uint8_t *wanted, int n)
{
    for (int i = 0; i < n; i++)
        if (wanted[i]
            && strcasecmp(layer->fields[i].name, layer->fields[field].name) == 0)
            return true;
    return false;
}

/* Fields that nobody asks for are not decoded, where the driver can leave them out; that of
 * VRT leaves out what it makes geometry from, too. */
static void choose_fields(struct vector_layer *layer, const uint8_t *wanted)
{
    char **names = NULL;
    int n = OGR_FD_GetFieldCount(OGR_L_GetLayerDefn(layer->layer));
    bool can = OGR_L_TestCapability(layer->layer, OLCIgnoreFields)
               && strcmp(layer->about.driver, "OGR_VRT") != 0;
    for (int i = 0; can && i < n; i++)
        if (!wanted[i] && !shares_name(layer, i, wanted, n))
            names = CSLAddString(names, layer->fields[i].name);
    names = CSLAddString(names, "OGR_STYLE");
    if (can)
        OGR_L_SetIgnoredFields(layer->layer, (const char **)names);
    CSLDestroy(names);
}

/* One number that SQL gives; 0 where it gives none. Frees the statement. */
static int64_t ask(struct vector_layer *layer, char *sql)
{
    int64_t n = 0;
    OGRLayerH answer = GDALDatasetExecuteSQL(layer->dataset, sql, NULL, NULL);
    OGRFeatureH row = answer ? OGR_L_GetNextFeature(answer) : NULL;
    if (row)
        n = OGR_F_GetFieldAsInteger64(row, 0);
    OGR_F_Destroy(row);
    if (answer)
        GDALDatasetReleaseResultSet(layer->dataset, answer);
    CPLFree(sql);
    return n;
}

/* Numbers below `least`; to count them SQLite reads the table up to there. */
static int64_t
count_below(struct vector_layer *layer, const char *column, int64_t least)
{
    OGR_L_SetAttributeFilter(layer->layer,
                             CPLSPrintf("\"%s\" < %lld", column, (long long)least));
    return OGR_L_GetFeatureCount(layer->layer, true);
}

/* Rows of a table are read in the order of their numbers, which are unique; those of a view
 * need be neither. */
static bool has_numbers(struct vector_layer *layer, const char *column)
{
    const char *table = OGR_L_GetName(layer->layer);
    bool is_sqlite = strcmp(layer->about.driver, "GPKG") == 0
                     || strcmp(layer->about.driver, "SQLite") == 0;
    if (!is_sqlite || !*column || strpbrk(column, "\"") || strpbrk(table, "\"'"))
        return false;
    char *sql = CPLStrdup(CPLSPrintf("SELECT count(*) FROM sqlite_master WHERE"
                                     " type = 'table' AND lower(name) = lower('%s')",
                                     table));
    return ask(layer, sql) == 1;
}

static int64_t edge_number(struct vector_layer *layer, const char *which)
{
    return ask(layer,
               CPLStrdup(CPLSPrintf("SELECT %s(\"%s\") FROM \"%s\"",
                                    which,
                                    OGR_L_GetFIDColumn(layer->layer),
                                    OGR_L_GetName(layer->layer))));
}

/* Where a part of the numbers from low to low + span begins: whole numbers, for there may be
 * more of them than a double tells apart. */
static int64_t number_of_part(int64_t low, uint64_t span, int part, int n_parts)
{
    uint64_t n = (uint64_t)n_parts, i = (uint64_t)part;
    return (int64_t)((uint64_t)low + span / n * i + span % n * i / n);
}

/* The first and the last part have no bound on their side. */
static void choose_numbers(struct vector_layer *layer,
                           const char *column,
                           const int64_t *from,
                           const int64_t *to)
{
    char *least =
        CPLStrdup(from ? CPLSPrintf("\"%s\" >= %lld", column, (long long)*from) : "");
    char *end =
        CPLStrdup(to ? CPLSPrintf("\"%s\" < %lld", column, (long long)*to) : "");
    OGR_L_SetAttributeFilter(layer->layer,
                             CPLSPrintf("%s%s%s",
                                        least,
                                        from && to ? " AND " : "",
                                        end));
    CPLFree(least);
    CPLFree(end);
}

/*
 * SQLite finds rows by their number: each part is a range of numbers. Where the count that
 * the file keeps says that there are no gaps, a row's number follows from its FID, on any
 * number of ranks, even if that count is wrong.
 */
static bool
start_at_number(struct vector_layer *layer, int part, int n_parts, int64_t *first)
{
    const char *column = OGR_L_GetFIDColumn(layer->layer);
    if (!has_numbers(layer, column))
        return false;
    int64_t low = edge_number(layer, "min"), high = edge_number(layer, "max");
    uint64_t span = (uint64_t)high - (uint64_t)low;
    if (gdal_failed())
        return false;
    bool has_gaps =
        layer->about.n_features < 1 || (uint64_t)layer->about.n_features - 1 != span;
    layer->numbers_by_fid = !has_gaps;
    layer->fid_before = (int64_t)((uint64_t)low - 1);
    if (n_parts == 1)
        return true;
    int64_t from = number_of_part(low, span, part, n_parts);
    int64_t to = number_of_part(low, span, part + 1, n_parts);
    if (part > 0)
        *first = has_gaps ? count_below(layer, column, from) : from - low;
    choose_numbers(layer,
                   column,
                   part > 0 ? &from : NULL,
                   part < n_parts - 1 ? &to : NULL);
    return !gdal_failed();
}

/*
 * Where a driver finds the n-th feature at once, each part is a run of features. That of
 * Shapefiles counts and finds records, FID + 1 each, and leaves out deleted ones when it
 * reads; a virtual layer does as the one behind it does, and numbers its rows anew.
 */
static bool
start_at_index(struct vector_layer *layer, int part, int n_parts, int64_t *first)
{
    int64_t n = layer->about.n_features;
    if (n < 0 || strcmp(layer->about.driver, "OGR_VRT") == 0
        || !OGR_L_TestCapability(layer->layer, OLCFastSetNextByIndex))
        return false;
    int64_t from = n / n_parts * part + n % n_parts * part / n_parts;
    int64_t to = n / n_parts * (part + 1) + n % n_parts * (part + 1) / n_parts;
    if (to > from && OGR_L_SetNextByIndex(layer->layer, from) != OGRERR_NONE)
        return false;
    *first = from;
    bool is_last = part == n_parts - 1;
    layer->numbers_by_fid = strcmp(layer->about.driver, "ESRI Shapefile") == 0;
    layer->fid_before = -1;
    if (layer->numbers_by_fid && to > from)
        layer->fid_end = is_last ? -1 : to;
    else
        layer->left = is_last ? -1 : to - from;
    return true;
}

int layer_start(struct vector_layer *layer,
                const uint8_t *wanted,
                int part,
                int n_parts,
                int64_t *first,
                struct error *err)
{
    layer_forget_feature(layer);
    gdal_forget();
    OGR_L_SetAttributeFilter(layer->layer, NULL);
    choose_fields(layer, wanted);
    OGR_L_ResetReading(layer->layer);
    layer->left = layer->fid_end = -1;
    layer->numbers_by_fid = false;
    *first = 0;
    if (!start_at_index(layer, part, n_parts, first)
        && !start_at_number(layer, part, n_parts, first)) {
        *first = 0;
        layer->left = part == 0 ? -1 : 0; /* the first part reads it all */
    }
    if (gdal_failed())
        return gdal_error(err, ERROR_IO, "cannot be read");
    return 0;
}

/* What comes out of a transformation that has no answer is not finite. */
static bool is_finite(OGRGeometryH geometry)
{
    OGREnvelope box;
    if (OGR_G_IsEmpty(geometry))
        return true;
    OGR_G_GetEnvelope(geometry, &box);
    return isfinite(box.MinX) && isfinite(box.MaxX) && isfinite(box.MinY)
           && isfinite(box.MaxY);
}

/* The plane geometry of the feature, transformed where that is due. */
static void take_geometry(struct vector_layer *layer)
{
    OGRGeometryH own = OGR_F_GetGeomFieldRef(layer->feature, layer->geometry_index);
    layer->is_nowhere = false;
    layer->geometry = own;
    if (!own)
        return;
    if (OGR_G_Is3D(own) || OGR_G_IsMeasured(own))
        OGR_G_FlattenTo2D(own);
    if (!layer->way)
        return;
    bool was_finite = is_finite(own);
    layer->own = layer->geometry = OGR_G_Clone(own);
    if (!layer->own)
        return;
    layer->is_nowhere = OGR_G_Transform(layer->own, layer->way) != OGRERR_NONE
                        || (was_finite && !is_finite(layer->own));
    gdal_forget();
}

int64_t layer_feature_number(struct vector_layer *layer)
{
    return OGR_F_GetFID(layer->feature);
}

/* Whether the feature is of this part; *row becomes its number. */
static bool number_feature(struct vector_layer *layer, int64_t *row)
{
    int64_t fid = layer_feature_number(layer);
    if (layer->fid_end >= 0 && fid >= layer->fid_end)
        return false;
    *row = layer->numbers_by_fid
               ? (int64_t)((uint64_t)fid - (uint64_t)layer->fid_before)
               : *row + 1;
    layer->left -= layer->left > 0;
    return true;
}

/* Where GDAL's driver of FlatGeobuf finds a file cut off within its index, it finds no
 * features and says nothing. The header of one that was written as a stream has no count. */
static int
check_end(const struct vector_layer *layer, int64_t n_read, struct error *err)
{
    int64_t n = layer->about.n_features;
    if (strcmp(layer->about.driver, "FlatGeobuf") != 0 || n_read >= n)
        return 0;
    return error_set(err,
                     ERROR_IO,
                     "it is cut off: its header says that it has %lld features",
                     (long long)n);
}

int layer_next(struct vector_layer *layer, int64_t *row, struct error *err)
{
    layer_forget_feature(layer);
    if (layer->left == 0)
        return 0;
    gdal_forget();
    layer->feature = OGR_L_GetNextFeature(layer->layer);
    if (gdal_failed()) { /* with a feature or without: what it says may be wrong */
        layer_forget_feature(layer);
        return gdal_error(err, ERROR_IO, "cannot be read to its end");
    }
    if (!layer->feature)
        return check_end(layer, *row, err);
    if (!number_feature(layer, row)) {
        layer_forget_feature(layer);
        layer->left = 0;
        return 0;
    }
    take_geometry(layer);
    return 1;
}

/* GDAL keeps milliseconds in a float, and offsets from UTC in quarters of an hour above
 * 100; below that the zone is unknown, and what is written is taken as UTC. */
static bool time_value(OGRFeatureH feature, int field, bool is_date, int64_t *value)
{
    int year, month, day, hour, minute, zone;
    float second;
    if (!OGR_F_GetFieldAsDateTimeEx(feature,
                                    field,
                                    &year,
                                    &month,
                                    &day,
                                    &hour,
                                    &minute,
                                    &second,
                                    &zone))
        return false;
    if (!calendar_has(year, month, day)) {
        /* a year alone, or a 30th of February, as files may have them */
        CPLError(CE_Warning,
                 CPLE_AppDefined,
                 "field %.60s: %04d-%02d-%02d is no day: taken for null",
                 OGR_Fld_GetNameRef(OGR_F_GetFieldDefnRef(feature, field)),
                 year,
                 month,
                 day);
        return false;
    }
    int64_t days = calendar_day(year, month, day);
    int64_t minutes = hour * 60 + minute - (zone > 1 ? (zone - 100) * 15 : 0);
    *value = is_date
                 ? days
                 : (days * 1440 + minutes) * 60000000 + llround(second * 1e3) * 1000;
    return true;
}

void layer_value(struct vector_layer *layer, int field, struct vector_value *value)
{
    OGRFeatureH feature = layer->feature;
    *value = (struct vector_value){ .valid = true };
    if (field == OGR_F_GetFieldCount(feature)) {
        value->integer = OGR_F_GetFID(feature);
        value->valid = value->integer != OGRNullFID;
        return;
    }
    if (!OGR_F_IsFieldSetAndNotNull(feature, field)) {
        value->valid = false;
        return;
    }
    switch (layer->fields[field].type) {
    case TYPE_BOOLEAN:
        value->integer = OGR_F_GetFieldAsInteger(feature, field) != 0;
        break;
    case TYPE_INTEGER:
        value->integer = OGR_F_GetFieldAsInteger64(feature, field);
        break;
    case TYPE_REAL:
        value->real = OGR_F_GetFieldAsDouble(feature, field);
        break;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        value->valid = time_value(feature,
                                  field,
                                  layer->fields[field].type == TYPE_DATE,
                                  &value->integer);
        break;
    case TYPE_TEXT:
        value->text.bytes = OGR_F_GetFieldAsString(feature, field);
        value->text.n = (int64_t)strlen(value->text.bytes);
        break;
    case TYPE_NULL:
        value->valid = false;
        break;
    }
}

enum { NOWHERE_BYTES = 41, SRID_BYTES = 4 };
static const uint32_t srid_flag = 0x20000000u;

int64_t layer_geometry_bytes(struct vector_layer *layer)
{
    int64_t srid = layer->srid ? SRID_BYTES : 0;
    if (layer->is_nowhere)
        return NOWHERE_BYTES + srid;
    return layer->geometry ? (int64_t)OGR_G_WkbSizeEx(layer->geometry) + srid : 0;
}

/* WKB and EWKB differ in the SRID behind the outermost type:
 *     order:1 type:4 …    order:1 type|flag:4 srid:4 … */
int layer_geometry(struct vector_layer *layer, uint8_t *ewkb, struct error *err)
{
    int64_t srid = layer->srid ? SRID_BYTES : 0;
    uint8_t *wkb = ewkb + srid;
    if (layer->is_nowhere) {
        const double at[4] = { -INFINITY, -INFINITY, INFINITY, INFINITY };
        const uint32_t head[2] = { wkbLineString, 2 };
        wkb[0] = wkbNDR;
        memcpy(wkb + 1, head, sizeof head);
        memcpy(wkb + 9, at, sizeof at);
    } else if (OGR_G_ExportToIsoWkb(layer->geometry, wkbNDR, wkb) != OGRERR_NONE) {
        return error_set(err,
                         ERROR_FORMAT,
                         "%s: GDAL has no WKB of it: leave it out by [buildings] "
                         "where, or repair the file",
                         OGR_G_GetGeometryName(layer->geometry));
    }
    if (!srid)
        return 0;
    uint32_t type;
    memcpy(&type, wkb + 1, sizeof type);
    type |= srid_flag;
    ewkb[0] = wkb[0];
    memcpy(ewkb + 1, &type, sizeof type);
    memcpy(ewkb + 5, &layer->srid, SRID_BYTES);
    return 0;
}

const char *layer_geometry_name(struct vector_layer *layer)
{
    return layer->geometry ? OGR_G_GetGeometryName(layer->geometry) : "";
}
