#include "rooftally/h5/h5.h"

static bool is_of(hid_t actual, hid_t wanted)
{
    if (H5Tequal(wanted, H5T_C_S1) > 0)
        return H5Tget_class(actual) == H5T_STRING && H5Tis_variable_str(actual) == 0;
    return H5Tequal(actual, wanted) > 0;
}

static int read_extent(hid_t dataset,
                       const char *name,
                       hid_t wanted,
                       struct h5_extent *extent,
                       struct error *err)
{
    int status = -1;
    hsize_t n = 0;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hid_t create = H5Dget_create_plist(dataset);
    if (type < 0 || space < 0 || create < 0) {
        h5_error(err, ERROR_FORMAT, "dataset %s", name);
        goto out;
    }
    if (!is_of(type, wanted)) {
        error_set(err, ERROR_FORMAT, "dataset %s is of another type", name);
        goto out;
    }
    if (H5Sget_simple_extent_ndims(space) != 1
        || H5Sget_simple_extent_dims(space, &n, NULL) < 0
        || H5Pget_layout(create) != H5D_CONTIGUOUS || H5Pget_external_count(create) != 0
        || n > INT64_MAX / 4096) {
        error_set(err, ERROR_FORMAT, "dataset %s is not one contiguous column", name);
        goto out;
    }
    haddr_t at = n > 0 ? H5Dget_offset(dataset) : 0;
    if (at == HADDR_UNDEF || at > INT64_MAX) {
        H5Eclear2(H5E_DEFAULT);
        error_set(err, ERROR_FORMAT, "dataset %s has no values", name);
        goto out;
    }
    *extent = (struct h5_extent){ (int64_t)n, (int64_t)at, (int64_t)H5Tget_size(type) };
    status = 0;
out:
    h5_close(&create, H5Pclose);
    h5_close(&space, H5Sclose);
    h5_close(&type, H5Tclose);
    return status;
}

int h5_locate(hid_t parent,
              const char *name,
              hid_t type,
              struct h5_extent *extent,
              struct error *err)
{
    hid_t dataset = H5Dopen2(parent, name, H5P_DEFAULT);
    if (dataset < 0)
        return h5_error(err, ERROR_FORMAT, "no dataset %s", name);
    int status = read_extent(dataset, name, type, extent, err);
    h5_close(&dataset, H5Dclose);
    return status;
}

int h5_read_shape(hid_t dataset, struct h5_shape *shape, struct error *err)
{
    enum { MOST_ROW_BYTES = 64 << 20 };
    hsize_t dims[2] = { 0, 1 };
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    hid_t create = H5Dget_create_plist(dataset);
    hsize_t n_bytes = type < 0 ? 0 : H5Tget_size(type);
    int n = space < 0 ? -1 : H5Sget_simple_extent_ndims(space), status = -1;
    if (n < 1 || n > 2 || n_bytes == 0 || create < 0
        || H5Sget_simple_extent_dims(space, dims, NULL) < 0) {
        h5_error(err, ERROR_FORMAT, "it has neither one nor two axes");
    } else if (dims[1] > MOST_ROW_BYTES / (n_bytes < 8 ? 8 : n_bytes)
               || dims[0] > INT64_MAX / MOST_ROW_BYTES) {
        error_set(err, ERROR_FORMAT, "its shape makes no sense");
    } else {
        bool there = H5Pget_layout(create) != H5D_CONTIGUOUS
                     || H5Dget_storage_size(dataset) >= dims[0] * dims[1] * n_bytes;
        *shape = (struct h5_shape){ (int64_t)dims[0], (int64_t)dims[1], n };
        status = there ? 0 : error_set(err, ERROR_FORMAT, "it has no values");
    }
    h5_close(&create, H5Pclose);
    h5_close(&type, H5Tclose);
    h5_close(&space, H5Sclose);
    return status;
}
