#include "rooftally/source/memory.h"

#include <stdlib.h>
#include <string.h>

#include "memory_twin.h"
#include "zone_filter.h"
#include "zone_list.h"

static void close_twin(struct source *source)
{
    struct twin *twin = (struct twin *)source;
    source_columns_release(&source->schema.zones);
    source_columns_release(&source->schema.buildings);
    free(twin->zone_id);
    free(twin);
}

static int bind(struct source *source, const struct binding *binding, struct error *err)
{
    (void)err;
    ((struct twin *)source)->binding = binding;
    return 0;
}

static double count_meeting(const struct memory_table *buildings, const struct box *box)
{
    double n = 0;
    struct ewkb ewkb;
    for (int64_t i = 0; i < buildings->n_rows; i++)
        if (twin_read_row(&buildings->rows[i], &ewkb) == EWKB_FINE
            && boxes_meet(&ewkb.box, box))
            n++;
    return n;
}

static int compare_ids(const void *a, const void *b)
{
    const struct memory_row *const *x = a, *const *y = b;
    const char *id_x = (*x)->id ? (*x)->id : "", *id_y = (*y)->id ? (*y)->id : "";
    return strcmp(id_x, id_y);
}

static int add_zone(struct twin *twin,
                    const struct memory_row *from,
                    struct zone_list *zones,
                    int64_t n_most,
                    struct error *err)
{
    struct ewkb ewkb;
    struct zone_row row = { .box = box_none() };
    if (from->id)
        row.id = (struct text){ from->id, (int64_t)strlen(from->id) };
    enum ewkb_fault fault = twin_read_row(from, &ewkb);
    if (fault != EWKB_FINE
        || (from->n_wkb > 0 && ewkb.type != EWKB_POLYGON
            && ewkb.type != EWKB_MULTIPOLYGON))
        return error_set(err,
                         ERROR_USAGE,
                         "[zones] geometry: zone '%s' is not a polygon",
                         from->id ? from->id : "");
    if (!ewkb.empty) {
        row.box = ewkb.box;
        row.n_vertices = ewkb.n_vertices;
        row.estimate = count_meeting(&twin->tables->buildings, &ewkb.box);
    }
    return zone_list_add(zones, n_most, &row, err);
}

/* One row of values as a filter reads them. */
struct zone_values {
    struct column *columns; /* [1 + n]: the area, then the table's columns */
    uint8_t *valid;
    int64_t *integers;
    struct text *texts;
};

static void set_value(struct column *column, const char *value)
{
    column->valid[0] = value != NULL;
    if (!value)
        return;
    if (column->type == TYPE_TEXT)
        column->texts[0] = (struct text){ value, (int64_t)strlen(value) };
    else if (column->type == TYPE_REAL)
        column->reals[0] = strtod(value, NULL);
    else if (column->type == TYPE_BOOLEAN)
        column->integers[0] = value[0] == 't';
    else
        column->integers[0] = strtoll(value, NULL, 10);
}

static int zone_values_take(struct zone_values *values,
                            const struct source_columns *columns,
                            struct memory *memory,
                            struct error *err)
{
    int64_t n = columns->n + 1;
    values->columns =
        memory_take(memory, MEMORY_ZONES, n * (int64_t)sizeof(struct column), err);
    values->valid = memory_take(memory, MEMORY_ZONES, n, err);
    values->integers = memory_take(memory, MEMORY_ZONES, 8 * n, err);
    values->texts =
        memory_take(memory, MEMORY_ZONES, n * (int64_t)sizeof(struct text), err);
    if (!values->columns || !values->valid || !values->integers || !values->texts)
        return -1;
    for (int c = 0; c < columns->n; c++) {
        struct column *column = &values->columns[1 + c];
        *column = (struct column){ .type = columns->columns[c].type,
                                   .valid = &values->valid[c],
                                   .integers = &values->integers[c] };
        values->valid[c] = 0;
        if (column->type == TYPE_TEXT)
            column->texts = &values->texts[c];
        else if (column->type == TYPE_REAL)
            column->reals = (double *)(void *)&values->integers[c];
    }
    return 0;
}

static void zone_values_set(const struct zone_values *values,
                            const struct memory_table *table,
                            const struct memory_row *row)
{
    set_value(&values->columns[1], row->id);
    for (int i = 0; row->values && i < table->n_columns; i++)
        set_value(&values->columns[3 + i], row->values[i]); /* after id and geometry */
}

static int list_zones(struct twin *twin,
                      const struct memory_row **rows,
                      const struct expression *local,
                      struct zone_list *zones,
                      struct memory *memory,
                      struct error *err)
{
    const struct memory_table *table = &twin->tables->zones;
    struct zone_list list;
    struct zone_values values;
    int32_t id_bytes = 1;
    for (int64_t i = 0; i < table->n_rows; i++) {
        rows[i] = &table->rows[i];
        int32_t n = rows[i]->id ? (int32_t)strlen(rows[i]->id) : 0;
        id_bytes = n > id_bytes ? n : id_bytes;
    }
    qsort(rows, (size_t)table->n_rows, sizeof(*rows), compare_ids);
    if (zone_list_init(&list, table->n_rows, id_bytes, memory, err)
        || zone_values_take(&values, &twin->base.schema.zones, memory, err))
        return -1;
    for (int64_t i = 0; i < table->n_rows; i++) {
        struct text wkb = { (const char *)rows[i]->wkb, rows[i]->n_wkb };
        zone_values_set(&values, table, rows[i]);
        int passes = zone_filter(local,
                                 &twin->base.schema.crs,
                                 wkb,
                                 values.columns,
                                 memory,
                                 err);
        if (passes < 0)
            return -1;
        if (passes && add_zone(twin, rows[i], &list, table->n_rows, err))
            return -1;
    }
    zone_list_end(&list);
    *zones = list;
    return 0;
}

static int zones(struct source *source,
                 struct zone_list *list,
                 struct memory *memory,
                 struct error *err)
{
    struct twin *twin = (struct twin *)source;
    char *filter = NULL;
    struct expression *local = NULL;
    if (binding_zones(twin->job, &source->schema.zones, &filter, &local, err))
        return -1;
    int status = -1;
    const struct memory_row **rows =
        calloc((size_t)twin->tables->zones.n_rows + 1, sizeof(*rows));
    if (!rows)
        error_set(err, ERROR_BUDGET, "no memory for the list of zones");
    else if (filter)
        error_set(err, ERROR_INTERNAL, "a source in memory knows no SQL");
    else
        status = list_zones(twin, rows, local, list, memory, err);
    free(rows);
    free(filter);
    expression_free(local);
    return status;
}

static int zone(struct source *source,
                const char *id,
                int32_t n_id,
                struct text *wkb,
                struct memory *memory,
                struct error *err)
{
    struct twin *twin = (struct twin *)source;
    const struct memory_table *table = &twin->tables->zones;
    free(twin->zone_id);
    twin->zone_id = strndup(id, (size_t)n_id);
    if (twin_fault_due(twin, false, err))
        return -1;
    for (int64_t i = 0; twin->zone_id && i < table->n_rows; i++) {
        const struct memory_row *row = &table->rows[i];
        if (!row->id || strcmp(row->id, twin->zone_id) != 0)
            continue;
        char *bytes = NULL;
        if (row->n_wkb > 0) {
            bytes = memory_take(memory, MEMORY_GEOMETRY, row->n_wkb, err);
            if (!bytes)
                return -1;
            memcpy(bytes, row->wkb, (size_t)row->n_wkb);
        }
        *wkb = (struct text){ bytes, row->n_wkb };
        return 0;
    }
    return error_set(err, ERROR_DATA, "the zone is gone from its table");
}

static int explain(struct source *source,
                   const struct source_scans *scans,
                   FILE *out,
                   int n_ranks,
                   int64_t *n_free,
                   struct error *err)
{
    (void)source, (void)scans, (void)n_ranks, (void)err;
    fputs("tables in memory\n", out);
    *n_free = -1;
    return 0;
}

static const struct source_calls calls = {
    .close = close_twin,
    .bind = bind,
    .zones = zones,
    .zone = zone,
    .buildings = twin_buildings,
    .next = twin_next,
    .cancel = twin_cancel,
    .explain = explain,
};

static const char *type_name(enum value_type type)
{
    static const char *const names[] = {
        "null", "boolean", "bigint", "double precision", "text", "date", "timestamp"
    };
    return names[type];
}

static int add_columns(struct source_columns *columns,
                       const struct memory_table *table,
                       struct error *err)
{
    enum value_type id = table->id_type;
    if (source_columns_add(columns, "id", id, type_name(id), NULL, err)
        || source_columns_add(columns, "geometry", TYPE_NULL, "geometry", NULL, err))
        return -1;
    for (int i = 0; i < table->n_columns; i++)
        if (source_columns_add(columns,
                               table->names[i],
                               table->types[i],
                               type_name(table->types[i]),
                               NULL,
                               err))
            return -1;
    return 0;
}

int source_memory_open(struct source **source,
                       const struct job *job,
                       const struct memory_tables *tables,
                       struct error *err)
{
    struct twin *twin = calloc(1, sizeof *twin);
    if (!twin)
        return error_set(err, ERROR_BUDGET, "no memory for a source");
    struct source_schema *schema = &twin->base.schema;
    twin->base.calls = &calls;
    twin->job = job;
    twin->tables = tables;
    twin->row = tables->buildings.n_rows;
    schema->zone_id_type = tables->zones.id_type;
    schema->building_id_type = tables->buildings.id_type;
    schema->srid = tables->srid;
    schema->spatial_index = schema->zone_id_index = true;
    schema->n_buildings = (double)tables->buildings.n_rows;
    strcpy(schema->description, "memory");
    strcpy(schema->identity, "memory");
    if (crs_read(&schema->crs, tables->crs, err)
        || add_columns(&schema->zones, &tables->zones, err)
        || add_columns(&schema->buildings, &tables->buildings, err)) {
        close_twin(&twin->base);
        return -1;
    }
    *source = &twin->base;
    return 0;
}
