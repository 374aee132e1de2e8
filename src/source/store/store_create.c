#include "store_create.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/base/file.h"
#include "rooftally/h5/h5.h"

#include "store_format.h"

struct creation {
    hid_t file;
    const struct store_plan *plan;
    const struct store_size *size;
};

static int add(hid_t parent, const char *name, hid_t type, int64_t n, struct error *err)
{
    hsize_t dims[] = { (hsize_t)n };
    hid_t dataset = h5_create_dataset(parent, name, type, 1, dims, err);
    if (dataset < 0)
        return -1;
    h5_close(&dataset, H5Dclose);
    return 0;
}

static int add_boxes(hid_t group, hid_t type, int64_t n, struct error *err)
{
    return add(group, "xmin", type, n, err) || add(group, "ymin", type, n, err)
                   || add(group, "xmax", type, n, err)
                   || add(group, "ymax", type, n, err)
               ? -1
               : 0;
}

static int add_id(hid_t group,
                  const struct store_table_plan *plan,
                  const struct store_table_size *size,
                  bool is_zone,
                  struct error *err)
{
    bool text = is_zone || plan->id_type == TYPE_TEXT;
    hsize_t dims[] = { (hsize_t)size->n };
    hid_t type = text ? h5_text_type(size->id_bytes) : H5Tcopy(H5T_STD_I64LE);
    hid_t dataset = h5_create_dataset(group, "id", type, 1, dims, err);
    int status =
        dataset < 0 || h5_put_text(dataset, "name", plan->id_name, err)
                || h5_put_text(dataset, "type", value_type_word(plan->id_type), err)
            ? -1
            : 0;
    h5_close(&dataset, H5Dclose);
    h5_close(&type, H5Tclose);
    return status;
}

static int add_fields(hid_t group,
                      const struct store_table_plan *plan,
                      const struct store_table_size *size,
                      struct error *err)
{
    for (int i = 0; i < plan->n_fields; i++) {
        const struct store_field *field = &plan->fields[i];
        bool text = field->type == TYPE_TEXT;
        bool words = text && !size->fields[i].words->too_many;
        hsize_t dims[] = { (hsize_t)(size->n + (text && !words)) };
        hid_t type = words                      ? H5T_STD_U16LE
                     : field->type == TYPE_REAL ? H5T_IEEE_F64LE
                                                : H5T_STD_I64LE;
        hid_t dataset = h5_create_dataset(group, plan->datasets[i], type, 1, dims, err);
        bool renamed = strcmp(field->name, plan->datasets[i]) != 0;
        bool computed = i >= plan->n_fields - plan->n_computed;
        int status =
            dataset < 0
                    || h5_put_text(dataset, "type", value_type_word(field->type), err)
                    || (renamed && h5_put_text(dataset, "name", field->name, err))
                    || (computed && h5_put_integer(dataset, "computed", 1, err))
                ? -1
                : 0;
        h5_close(&dataset, H5Dclose);
        if (status)
            return error_prefix(err, "field %s", field->name);
    }
    return 0;
}

/* The words of a field, which are known already. */
static int write_words(hid_t group, const struct words *words, struct error *err)
{
    int64_t offsets[STORE_MOST_WORDS + 1] = { 0 };
    char bytes[STORE_WORDS_BYTES];
    for (int32_t i = 0; i < words->n; i++) {
        struct text word = words_at(words, i);
        if (word.n > 0)
            memcpy(bytes + offsets[i], word.bytes, (size_t)word.n);
        offsets[i + 1] = offsets[i] + word.n;
    }
    hsize_t n_offsets[] = { (hsize_t)words->n + 1 };
    hsize_t n_bytes[] = { (hsize_t)offsets[words->n] };
    hid_t offset = h5_create_dataset(group, "offset", H5T_STD_I64LE, 1, n_offsets, err);
    hid_t text = offset < 0
                     ? H5I_INVALID_HID
                     : h5_create_dataset(group, "text", H5T_STD_U8LE, 1, n_bytes, err);
    int status =
        text < 0 || h5_write(offset, H5T_NATIVE_INT64, offsets, err)
                || (*n_bytes > 0 && h5_write(text, H5T_NATIVE_UINT8, bytes, err))
            ? -1
            : 0;
    h5_close(&text, H5Dclose);
    h5_close(&offset, H5Dclose);
    return status;
}

static int add_texts(hid_t parent,
                     const struct store_table_plan *plan,
                     const struct store_table_size *size,
                     struct error *err)
{
    for (int i = 0; i < plan->n_fields; i++) {
        const struct store_field_size *field = &size->fields[i];
        if (plan->fields[i].type != TYPE_TEXT)
            continue;
        hid_t group = h5_create_group(parent, plan->datasets[i], err);
        int status = group < 0 ? -1
                     : field->words->too_many
                         ? add(group, "text", H5T_STD_U8LE, field->n_text, err)
                         : write_words(group, field->words, err);
        h5_close(&group, H5Gclose);
        if (status)
            return -1;
    }
    return 0;
}

static int add_valid(hid_t group,
                     const struct store_table_plan *plan,
                     const struct store_table_size *size,
                     struct error *err)
{
    for (int i = 0; i < plan->n_fields; i++)
        if (size->fields[i].n_null > 0
            && add(group, plan->datasets[i], H5T_STD_U8LE, size->n, err))
            return -1;
    return 0;
}

/* /texts/<table> or /valid/<table>. */
static int add_side(hid_t parent,
                    const char *name,
                    const struct store_table_plan *plan,
                    const struct store_table_size *size,
                    int (*fill)(hid_t group,
                                const struct store_table_plan *plan,
                                const struct store_table_size *size,
                                struct error *err),
                    struct error *err)
{
    hid_t group = h5_create_group(parent, name, err);
    int status = group < 0 ? -1 : fill(group, plan, size, err);
    h5_close(&group, H5Gclose);
    return status;
}

static int add_sides(const struct creation *c, struct error *err)
{
    hid_t texts = h5_create_group(c->file, "texts", err);
    hid_t valid = texts < 0 ? H5I_INVALID_HID : h5_create_group(c->file, "valid", err);
    const struct store_table_plan *zones = &c->plan->zones;
    const struct store_table_plan *buildings = &c->plan->buildings;
    int status =
        valid < 0 || add_side(texts, "zones", zones, &c->size->zones, add_texts, err)
                || add_side(valid, "zones", zones, &c->size->zones, add_valid, err)
                || add_side(texts,
                            "buildings",
                            buildings,
                            &c->size->buildings,
                            add_texts,
                            err)
                || add_side(valid,
                            "buildings",
                            buildings,
                            &c->size->buildings,
                            add_valid,
                            err)
            ? -1
            : 0;
    h5_close(&valid, H5Gclose);
    h5_close(&texts, H5Gclose);
    return status;
}

static int
add_geometry(hid_t group, const struct store_table_size *size, struct error *err)
{
    return add(group, "offset", H5T_STD_I64LE, size->n + 1, err)
                   || add(group, "wkb", H5T_STD_U8LE, size->n_wkb, err)
               ? -1
               : 0;
}

static int add_buildings(const struct creation *c, struct error *err)
{
    const struct store_table_plan *plan = &c->plan->buildings;
    const struct store_table_size *size = &c->size->buildings;
    hid_t geometry = H5I_INVALID_HID;
    hid_t group = h5_create_group(c->file, "buildings", err);
    int status = -1;
    if (group < 0 || add_id(group, plan, size, false, err)
        || add_boxes(group, H5T_IEEE_F32LE, size->n, err)
        || add(group, "fault", H5T_STD_U8LE, size->n, err)
        || add_fields(group, plan, size, err))
        goto out;
    geometry = h5_create_group(group, "geometry", err);
    if (geometry >= 0)
        status = add_geometry(geometry, size, err);
out:
    h5_close(&geometry, H5Gclose);
    h5_close(&group, H5Gclose);
    return status;
}

static int add_zones(const struct creation *c, struct error *err)
{
    const struct store_table_plan *plan = &c->plan->zones;
    const struct store_table_size *size = &c->size->zones;
    hid_t group = h5_create_group(c->file, "zones", err);
    int status = group < 0 || add_id(group, plan, size, true, err)
                         || add_boxes(group, H5T_IEEE_F64LE, size->n, err)
                         || add(group, "vertices", H5T_STD_I64LE, size->n, err)
                         || add_fields(group, plan, size, err)
                         || add_geometry(group, size, err)
                     ? -1
                     : 0;
    h5_close(&group, H5Gclose);
    return status;
}

static int add_shapes(const struct creation *c, struct error *err)
{
    int64_t n = c->size->zones.n;
    hid_t group = h5_create_group(c->file, "shapes", err);
    int status = group < 0 || add(group, "area_m2", H5T_IEEE_F64LE, n, err)
                         || add(group, "valid", H5T_STD_U8LE, n, err)
                     ? -1
                     : 0;
    h5_close(&group, H5Gclose);
    return status;
}

static int add_range(hid_t group,
                     const char *dataset,
                     enum value_type type,
                     int64_t n,
                     struct error *err)
{
    static const char *const ends[] = { "nulls", "min", "max" };
    char name[NAME_BYTES + 8];
    for (int i = 0; i < (type == TYPE_TEXT ? 1 : 3); i++) {
        bool real = i > 0 && type == TYPE_REAL;
        snprintf(name, sizeof name, "%s_%s", dataset, ends[i]);
        if (add(group, name, real ? H5T_IEEE_F64LE : H5T_STD_I64LE, n, err))
            return -1;
    }
    return 0;
}

static int add_blocks(const struct creation *c, struct error *err)
{
    int64_t n = (c->size->buildings.n + STORE_BLOCK_ROWS - 1) / STORE_BLOCK_ROWS;
    const struct store_table_plan *plan = &c->plan->buildings;
    hid_t group = h5_create_group(c->file, "blocks", err);
    int status = group < 0 || add(group, "first", H5T_STD_I64LE, n, err)
                         || add(group, "count", H5T_STD_I64LE, n, err)
                         || add_boxes(group, H5T_IEEE_F64LE, n, err)
                         || add(group, "faults", H5T_STD_I64LE, n, err)
                     ? -1
                     : 0;
    for (int i = 0; i < plan->n_fields && status == 0; i++)
        status = add_range(group, plan->datasets[i], plan->fields[i].type, n, err);
    h5_close(&group, H5Gclose);
    return status;
}

static int put_where(hid_t file, const char *name, const char *where, struct error *err)
{
    return h5_put_text(file, name, where ? where : "", err);
}

static int put_head(const struct creation *c, struct error *err)
{
    const struct box *extent = &c->size->extent;
    return h5_put_text(c->file, "format", "rooftally store", err)
                   || h5_put_integer(c->file, "format_version", STORE_VERSION, err)
                   || h5_put_text(c->file, "origin", c->plan->origin, err)
                   || put_where(c->file, "zones_where", c->plan->zones_where, err)
                   || put_where(c->file,
                                "buildings_where",
                                c->plan->buildings_where,
                                err)
                   || h5_put_integer(c->file, "srid", c->plan->srid, err)
                   || h5_put_text(c->file, "crs", c->plan->crs, err)
                   || h5_put_integer(c->file, "block_rows", STORE_BLOCK_ROWS, err)
                   || h5_put_real(c->file, "extent_xmin", extent->xmin, err)
                   || h5_put_real(c->file, "extent_ymin", extent->ymin, err)
                   || h5_put_real(c->file, "extent_xmax", extent->xmax, err)
                   || h5_put_real(c->file, "extent_ymax", extent->ymax, err)
               ? -1
               : 0;
}

int store_create(const char *path,
                 const struct store_plan *plan,
                 const struct store_size *size,
                 struct error *err)
{
    struct creation c = { .plan = plan, .size = size };
    h5_silence();
    c.file = h5_overwrite_file(path, err);
    if (c.file < 0)
        return -1;
    int status = put_head(&c, err) || add_zones(&c, err) || add_shapes(&c, err)
                         || add_buildings(&c, err) || add_blocks(&c, err)
                         || add(c.file, "content", H5T_STD_I64LE, 2, err)
                         || add_sides(&c, err)
                     ? -1
                     : 0;
    errno = 0; /* what HDF5 keeps of a close that fails does not always say why */
    if (h5_close(&c.file, H5Fclose) < 0 && status == 0)
        status = errno ? error_set(err,
                                   ERROR_IO,
                                   "%s cannot be written: %s",
                                   path,
                                   file_reason(errno))
                       : h5_error(err, ERROR_IO, "%s", path);
    return status;
}
