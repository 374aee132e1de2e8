#include "layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int layout_describe(hid_t dataset,
                    const char *units,
                    const char *long_name,
                    struct error *err)
{
    if (*units && h5_put_text(dataset, "units", units, err) < 0)
        return -1;
    /* as in PostgreSQL; CF takes dates before 1582 for Julian ones where it is not said */
    if (strstr(units, " since ")
        && h5_put_text(dataset, "calendar", "proleptic_gregorian", err) < 0)
        return -1;
    if (*long_name && h5_put_text(dataset, "long_name", long_name, err) < 0)
        return -1;
    return 0;
}

int layout_attach(hid_t file,
                  hid_t dataset,
                  int axis,
                  const char *scale,
                  struct error *err)
{
    hid_t other = H5Dopen2(file, scale, H5P_DEFAULT);
    int status = other < 0 ? h5_error(err, ERROR_INTERNAL, "no scale %s", scale)
                           : h5_attach_scale(dataset, other, axis, err);
    h5_close(&other, H5Dclose);
    return status;
}

int layout_write(hid_t parent,
                 const struct layout_column *column,
                 hid_t memory_type,
                 const void *values,
                 struct error *err)
{
    hsize_t dims[] = { (hsize_t)column->n };
    hid_t dataset = h5_create_dataset(parent, column->name, column->type, 1, dims, err);
    int status = -1;
    if (dataset < 0)
        return error_prefix(err, "%s", column->name);
    if (column->n > 0 && h5_write(dataset, memory_type, values, err) < 0)
        goto out;
    if (layout_describe(dataset, column->units, column->long_name, err) < 0)
        goto out;
    status = column->scale ? layout_attach(parent, dataset, 0, column->scale, err)
                           : h5_make_scale(dataset, column->name, err);
out:
    if (status < 0)
        error_prefix(err, "%s", column->name);
    h5_close(&dataset, H5Dclose);
    return status;
}

/* Zone ids, as they lie in memory: id_bytes each, padded with zeros. */
static int write_zones(struct gather *g, hid_t file, struct error *err)
{
    const struct result_input *input = g->input;
    hid_t type = h5_text_type(input->zone_id_bytes), in_memory = H5Tcopy(type);
    int status = -1;
    if (type < 0 || in_memory < 0
        || H5Tset_size(in_memory,
                       input->zone_id_bytes > 0 ? (size_t)input->zone_id_bytes : 1)
               < 0)
        h5_error(err, ERROR_IO, "type of zone ids");
    else
        status =
            layout_write(file,
                         &(struct layout_column){
                             "zone", "", "id of the zone", type, input->n_zones, NULL },
                         in_memory,
                         input->zone_ids,
                         err);
    h5_close(&in_memory, H5Tclose);
    h5_close(&type, H5Tclose);
    return status;
}

static int put_fill(const struct field *field, hid_t dataset, struct error *err)
{
    if (!field->has_fill)
        return 0;
    return field->type == TYPE_REAL
               ? h5_put_real(dataset, "_FillValue", NAN, err)
               : h5_put_integer(dataset, "_FillValue", FILL_INTEGER, err);
}

static const char *const family_scale[N_FAMILIES] = {
    [FAMILY_ZONE] = "/zone",
    [FAMILY_BUILDING] = "/selection/building",
    [FAMILY_REJECTED] = "/rejected/row",
    [FAMILY_BYTE] = "/zones/geometry_byte",
};

/* An empty dataset for a row of the table; the slabs fill it. */
static int
make_field(struct gather *g, hid_t file, const struct field *field, struct error *err)
{
    hsize_t dims[] = { (hsize_t)g->n_rows[field->family], (hsize_t)field->width };
    char path[2 * NAME_BYTES + 8];
    snprintf(path, sizeof path, "%s/%s", field->group, field->name);
    hid_t type = field_type(field);
    hid_t dataset =
        h5_create_dataset(file, path, type, *field->axis ? 2 : 1, dims, err);
    int status = -1;
    if (dataset < 0 || layout_describe(dataset, field->units, field->long_name, err) < 0
        || put_fill(field, dataset, err) < 0
        || layout_attach(file, dataset, 0, family_scale[field->family], err) < 0
        || (*field->axis && layout_attach(file, dataset, 1, field->axis, err) < 0))
        error_prefix(err, "%s", path);
    else
        status = 0;
    h5_close(&dataset, H5Dclose);
    h5_close(&type, H5Tclose);
    return status;
}

static int make_dimension(hid_t group, const char *name, int64_t n, struct error *err)
{
    hid_t dimension = h5_create_dimension(group, name, n, err);
    if (dimension < 0)
        return -1;
    return h5_close(&dimension, H5Dclose) < 0 ? h5_error(err, ERROR_IO, "%s", name) : 0;
}

/* Where the rows of each zone begin and end: one value more than there are zones. */
static int write_offsets(struct gather *g,
                         hid_t group,
                         const char *name,
                         enum family family,
                         const char *scale,
                         const char *long_name,
                         struct error *err)
{
    int64_t n = g->input->n_zones + 1;
    if (make_dimension(group, "zone_bound", n, err) < 0)
        return -1;
    return layout_write(group,
                        &(struct layout_column){
                            name, "1", long_name, H5T_STD_I64LE, n, scale },
                        H5T_NATIVE_INT64,
                        g->first[family],
                        err);
}

static int make_selection(struct gather *g, hid_t group, struct error *err)
{
    if (make_dimension(group, "building", g->n_rows[FAMILY_BUILDING], err) < 0)
        return -1;
    return write_offsets(g,
                         group,
                         "offset",
                         FAMILY_BUILDING,
                         "/selection/zone_bound",
                         "buildings of zone z: offset[z] to offset[z + 1]",
                         err);
}

static int make_zones(struct gather *g, hid_t group, struct error *err)
{
    if (h5_put_text(group, "crs", g->input->crs ? g->input->crs : "", err) < 0
        || h5_put_text(group,
                       "crs_kind",
                       g->input->crs_kind ? g->input->crs_kind : "",
                       err)
               < 0
        || make_dimension(group, "geometry_byte", g->n_rows[FAMILY_BYTE], err) < 0)
        return -1;
    return write_offsets(g,
                         group,
                         "geometry_offset",
                         FAMILY_BYTE,
                         "/zones/zone_bound",
                         "WKB of zone z: bytes offset[z] to offset[z + 1]",
                         err);
}

/* /rejected/zone: the id of its zone beside every rejected building, some rows at a
 * time. It follows from the offsets, so no record is asked. */
static int
fill_rejected_zone(struct gather *g, hid_t dataset, hid_t type, struct error *err)
{
    enum { ROWS = 1024 };
    const struct result_input *input = g->input;
    struct memory_mark mark = memory_mark(g->memory);
    int64_t id_bytes = input->zone_id_bytes, width = (int64_t)H5Tget_size(type);
    int64_t n_rows = g->n_rows[FAMILY_REJECTED], zone = 0;
    char *ids = memory_take(g->memory, MEMORY_GATHER, ROWS * width, err);
    int status = ids ? 0 : -1;
    for (int64_t row = 0; status == 0 && row < n_rows; row += ROWS) {
        hsize_t start[] = { (hsize_t)row };
        hsize_t count[] = { (hsize_t)(n_rows - row < ROWS ? n_rows - row : ROWS) };
        memset(ids, 0, (size_t)((int64_t)count[0] * width));
        for (int64_t i = 0; i < (int64_t)count[0]; i++) {
            while (g->first[FAMILY_REJECTED][zone + 1] <= row + i)
                zone++;
            memcpy(ids + i * width,
                   input->zone_ids + zone * id_bytes,
                   (size_t)id_bytes);
        }
        hid_t in_file = H5Dget_space(dataset);
        hid_t in_memory = H5Screate_simple(1, count, NULL);
        if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL) < 0
            || H5Dwrite(dataset, type, in_memory, in_file, H5P_DEFAULT, ids) < 0)
            status = h5_error(err, ERROR_IO, "writing /rejected/zone");
        h5_close(&in_memory, H5Sclose);
        h5_close(&in_file, H5Sclose);
    }
    memory_rewind(g->memory, &mark);
    return status;
}

static int make_rejected(struct gather *g, hid_t group, struct error *err)
{
    hsize_t dims[] = { (hsize_t)g->n_rows[FAMILY_REJECTED] };
    int status = -1;
    if (make_dimension(group, "row", g->n_rows[FAMILY_REJECTED], err) < 0)
        return -1;
    hid_t type = h5_text_type(g->input->zone_id_bytes);
    hid_t dataset = h5_create_dataset(group, "zone", type, 1, dims, err);
    if (dataset >= 0 && layout_describe(dataset, "", "id of the zone", err) == 0
        && layout_attach(group, dataset, 0, "/rejected/row", err) == 0)
        status = fill_rejected_zone(g, dataset, type, err);
    h5_close(&dataset, H5Dclose);
    h5_close(&type, H5Tclose);
    return status;
}

static int make_provenance(struct gather *g, hid_t group, struct error *err)
{
    for (int i = 0; i < g->input->n_provenance; i++) {
        const struct result_attribute *attribute = &g->input->provenance[i];
        if (attribute->value
                ? h5_put_text(group, attribute->name, attribute->value, err) < 0
                : h5_put_integer(group, attribute->name, attribute->number, err) < 0)
            return error_prefix(err, "/provenance");
    }
    return 0;
}

static int make_nothing(struct gather *g, hid_t group, struct error *err)
{
    (void)g, (void)group, (void)err;
    return 0;
}

static const struct {
    const char *name;
    int (*make)(struct gather *g, hid_t group, struct error *err);
} groups[] = {
    { "/selection", make_selection },    { "/zones", make_zones },
    { "/rejected", make_rejected },      { "/telemetry", make_nothing },
    { "/telemetry/zone", make_nothing }, { "/provenance", make_provenance },
};

static int make_groups(struct gather *g, hid_t file, struct error *err)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (groups[i].make == make_selection && g->input->binding->n_keep == 0)
            continue;
        hid_t group = h5_create_group(file, groups[i].name, err);
        int status = group < 0 ? -1 : groups[i].make(g, group, err);
        h5_close(&group, H5Gclose);
        if (status < 0)
            return -1;
    }
    return 0;
}

static int make_root(struct gather *g, hid_t file, struct error *err)
{
    if (h5_put_text(file, "Conventions", "CF-1.8", err) < 0
        || h5_put_text(file, "title", g->input->title, err) < 0
        || h5_put_text(file, "rooftally_format", "result", err) < 0
        || h5_put_integer(file, "format_version", RESULT_FORMAT_VERSION, err) < 0)
        return -1;
    return write_zones(g, file, err);
}

static int make_file(struct gather *g,
                     const char *path,
                     const uint8_t *telemetry,
                     struct error *err)
{
    int status = -1;
    mode_t mask = umask(0);
    umask(mask | S_IWGRP | S_IWOTH); /* no one else writes into it */
    hid_t file = h5_create_file(path, err);
    umask(mask);
    if (file < 0 || make_root(g, file, err) < 0 || layout_axes(g, file, err) < 0
        || make_groups(g, file, err) < 0)
        goto out;
    for (int k = 0; k < g->table.n; k++)
        if (make_field(g, file, &g->table.fields[k], err) < 0)
            goto out;
    status = layout_telemetry(g, file, telemetry, err);
out:
    if (h5_close(&file, H5Fclose) < 0 && status == 0)
        status = h5_error(err, ERROR_IO, "%s cannot be written", path);
    return status;
}

int gather_layout(struct gather *gather, const char *path, struct error *err)
{
    struct memory_mark mark = memory_mark(gather->memory);
    uint8_t *telemetry = NULL;
    int status = layout_collect(gather, &telemetry, err);
    if (status == 0 && comm_rank(gather->comm) == 0)
        status = make_file(gather, path, telemetry, err);
    memory_rewind(gather->memory, &mark);
    return comm_agree(gather->comm, status, err);
}
