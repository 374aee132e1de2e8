#include "vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/file.h"
#include "rooftally/job/spelling.h"

static void close_vector(struct source *source)
{
    struct vector *vector = (struct vector *)source;
    vector->module->close(vector->zones.layer);
    vector->module->close(vector->buildings.layer);
    source_columns_release(&source->schema.zones);
    source_columns_release(&source->schema.buildings);
    free(source->schema.crs_definition);
    free(vector->shown[0]);
    free(vector->shown[1]);
    free(vector);
}

/* What is asked of a zone is asked of the store. */
static int bind(struct source *source, const struct binding *binding, struct error *err)
{
    (void)source, (void)binding, (void)err;
    return 0;
}

/* GDAL's file, or what it lies in: "/vsizip/folder/a.zip/b.shp", "/vsizip/{a.zip}/b.shp". */
static bool is_it(void *context, const char *file)
{
    const char *const *path = context;
    const char *within = strncmp(file, "/vsi", 4) == 0 ? strchr(file + 1, '/') : NULL;
    bool is_same = file_is_same(*path, file);
    if (is_same || !within)
        return is_same;
    char *outer = strdup(within + (within[1] == '{' ? 2 : 1));
    for (size_t n = outer ? strlen(outer) : 0; n > 0 && !is_same; n--)
        if (outer[n] == '\0' || outer[n] == '/' || outer[n] == '}') {
            outer[n] = '\0';
            is_same = is_it(context, outer);
        }
    free(outer);
    return is_same;
}

/* A Shapefile is three files and more, a folder of them a layer each. */
static bool reads_file(const struct source *source, const char *path)
{
    const struct vector *vector = (const struct vector *)source;
    const struct vector_layer *layers[] = { vector->zones.layer,
                                            vector->buildings.layer };
    return vector->module->files(layers[0], is_it, &path) > 0
           || vector->module->files(layers[1], is_it, &path) > 0;
}

static const char *warned(struct source *source, int64_t *n)
{
    return ((struct vector *)source)->module->warned(n);
}

static const struct source_calls calls = {
    .close = close_vector,
    .bind = bind,
    .scan = vector_scan,
    .next = vector_next,
    .cancel = vector_cancel,
    .reads_file = reads_file,
    .warned = warned,
};

static int open_table(struct vector *vector,
                      struct vector_table *table,
                      const char *layer,
                      const char *geometry,
                      struct error *err)
{
    struct spelling name; /* GDAL looks for it without regard to case */
    if (spelling_read(&name, geometry, err)
        || vector->module->open(&table->layer, table->path, layer, name.name, err))
        return error_prefix(err, "[%s] %.100s", table->section, table->shown);
    table->about = vector->module->about(table->layer);
    return 0;
}

static bool is_row_number(const struct vector_about *about, const char *id)
{
    for (int i = 0; i < about->n_fields; i++)
        if (strcmp(about->fields[i].name, id) == 0)
            return false;
    return strcmp(id, JOB_ROW_NAME) == 0;
}

static int read_columns(struct vector_table *table,
                        struct source_columns *columns,
                        const char *id,
                        enum value_type *id_type,
                        struct error *err)
{
    const struct vector_about *about = table->about;
    char place[160];
    for (int i = 0; i < about->n_fields; i++) {
        const struct vector_field *field = &about->fields[i];
        if (source_columns_add(columns,
                               field->name,
                               field->type,
                               field->type_name,
                               NULL,
                               err))
            return -1;
    }
    table->id = VECTOR_ROW;
    *id_type = TYPE_INTEGER;
    if (is_row_number(about, id))
        return source_columns_add(columns, id, TYPE_INTEGER, "Integer64", NULL, err);
    snprintf(place, sizeof place, "[%s] id: %.100s", table->section, table->shown);
    const struct source_column *column;
    if (spelling_column(columns, id, &column, err))
        return error_prefix(err, "%s", place);
    if (!column)
        return source_columns_missing(columns, place, id, err);
    if (column->type != TYPE_INTEGER && column->type != TYPE_TEXT)
        return error_set(err,
                         ERROR_USAGE,
                         "%s: field '%s' is of type %s: an id is an integer or a text",
                         place,
                         column->name,
                         column->type_name);
    table->id = (int)(column - columns->columns);
    *id_type = column->type;
    return 0;
}

/* Without a CRS coordinates are taken as metres in a plane, if that is so for both. */
static int read_crs(struct vector *vector, struct error *err)
{
    struct source_schema *schema = &vector->base.schema;
    const struct vector_table *zones = &vector->zones, *buildings = &vector->buildings;
    const struct vector_table *bare = zones->about->crs ? buildings : zones;
    const struct vector_table *other = zones->about->crs ? zones : buildings;
    if (!bare->about->crs && other->about->crs)
        return error_set(err,
                         ERROR_USAGE,
                         "[%s] %.80s has no CRS, the %s are in %s: give it one, "
                         "as "
                         "ogr2ogr -a_srs EPSG:4326 NEW OLD does",
                         bare->section,
                         bare->shown,
                         other->section,
                         other->about->crs_name);
    for (int i = 0; i < 2; i++) {
        const struct vector_table *table = i ? buildings : zones;
        if (vector->module->use_crs(table->layer, zones->layer, err))
            return error_prefix(err, "[%s] %.80s", table->section, table->shown);
    }
    schema->srid = zones->about->srid;
    if (crs_read(&schema->crs, zones->about->crs, err))
        return error_prefix(err, "[zones] %.80s", zones->shown);
    if (zones->about->crs && !(schema->crs_definition = strdup(zones->about->crs)))
        return error_set(err, ERROR_BUDGET, "no memory for a source");
    return 0;
}

static void describe(struct vector *vector)
{
    struct source_schema *schema = &vector->base.schema;
    const struct vector_table *zones = &vector->zones, *buildings = &vector->buildings;
    snprintf(schema->description,
             sizeof schema->description,
             "%.20s %.80s (%.20s) and %.20s %.80s (%.20s)",
             zones->about->driver,
             zones->shown,
             zones->about->name,
             buildings->about->driver,
             buildings->shown,
             buildings->about->name);
    snprintf(schema->identity, sizeof schema->identity, "%.120s", schema->description);
    schema->spatial_index = schema->zone_id_index = true;
    schema->n_buildings = (double)buildings->about->n_features;
}

static int read_schema(struct vector *vector, struct error *err)
{
    const struct job *job = vector->job;
    struct source_schema *schema = &vector->base.schema;
    if (open_table(vector, &vector->zones, job->zone_layer, job->zone_geometry, err))
        return -1;
    if (!vector->zones.about->may_be_polygons)
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] %.80s: layer '%.40s' holds %s: zones are "
                         "polygons",
                         vector->zones.shown,
                         vector->zones.about->name,
                         vector->zones.about->shape);
    if (open_table(vector,
                   &vector->buildings,
                   job->building_layer,
                   job->building_geometry,
                   err)
        || read_columns(&vector->zones,
                        &schema->zones,
                        job->zone_id,
                        &schema->zone_id_type,
                        err)
        || read_columns(&vector->buildings,
                        &schema->buildings,
                        job->building_id,
                        &schema->building_id_type,
                        err)
        || read_crs(vector, err))
        return -1;
    describe(vector);
    return 0;
}

int vector_open(struct source **source, const struct job *job, struct error *err)
{
    const struct vector_module *module = vector_module(err);
    if (!module)
        return -1;
    struct vector *vector = calloc(1, sizeof *vector);
    if (!vector)
        return error_set(err, ERROR_BUDGET, "no memory for a source");
    vector->base.calls = &calls;
    vector->job = job;
    vector->module = module;
    vector->shown[0] = job_redact_path(job->zone_path);
    vector->shown[1] = job_redact_path(job->building_path);
    vector->zones = (struct vector_table){ .section = "zones",
                                           .path = job->zone_path,
                                           .shown = vector->shown[0] };
    vector->buildings = (struct vector_table){ .section = "buildings",
                                               .path = job->building_path,
                                               .shown = vector->shown[1] };
    int status = vector->shown[0] && vector->shown[1]
                     ? read_schema(vector, err)
                     : error_set(err, ERROR_BUDGET, "no memory for a source");
    if (status) {
        close_vector(&vector->base);
        return -1;
    }
    *source = &vector->base;
    return 0;
}
