#include <stdio.h>

#include <hdf5_hl.h>

#include "rooftally/h5/h5.h"

static const unsigned IN_ORDER = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

/* The file format of HDF5 1.8: attributes over 64 KiB, and every reader knows it. */
static herr_t set_format(hid_t access)
{
    return H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
}

static hid_t create_file(const char *path, bool is_there, struct error *err)
{
    hid_t file = H5I_INVALID_HID;
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    if (create >= 0 && access >= 0 && set_format(access) >= 0
        && (!is_there || H5Pset_fapl_stdio(access) >= 0)
        && H5Pset_link_creation_order(create, IN_ORDER) >= 0
        && H5Pset_attr_creation_order(create, IN_ORDER) >= 0
        && H5Pset_obj_track_times(create, false) >= 0)
        file = H5Fcreate(path, is_there ? H5F_ACC_TRUNC : H5F_ACC_EXCL, create, access);
    if (file < 0)
        h5_error(err, ERROR_IO, "%s cannot be created", path);
    h5_close(&access, H5Pclose);
    h5_close(&create, H5Pclose);
    return file;
}

hid_t h5_create_file(const char *path, struct error *err)
{
    return create_file(path, false, err);
}

hid_t h5_overwrite_file(const char *path, struct error *err)
{
    return create_file(path, true, err);
}

hid_t h5_read_file(const char *path)
{
    hid_t file = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && H5Pset_fapl_stdio(access) >= 0)
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    h5_close(&access, H5Pclose);
    return file;
}

hid_t h5_create_group(hid_t parent, const char *name, struct error *err)
{
    hid_t group = H5I_INVALID_HID, create = H5Pcreate(H5P_GROUP_CREATE);
    if (create >= 0 && H5Pset_link_creation_order(create, IN_ORDER) >= 0
        && H5Pset_attr_creation_order(create, IN_ORDER) >= 0
        && H5Pset_obj_track_times(create, false) >= 0)
        group = H5Gcreate2(parent, name, H5P_DEFAULT, create, H5P_DEFAULT);
    if (group < 0)
        h5_error(err, ERROR_IO, "group %s", name);
    h5_close(&create, H5Pclose);
    return group;
}

hid_t h5_text_type(int64_t n_bytes)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0
        && (H5Tset_size(type, n_bytes < 2 ? 2 : (size_t)n_bytes) < 0
            || H5Tset_cset(type, H5T_CSET_UTF8) < 0
            || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0))
        h5_close(&type, H5Tclose);
    return type;
}

static hid_t create_dataset(hid_t parent,
                            const char *name,
                            hid_t type,
                            int n_dims,
                            const hsize_t *dims,
                            H5D_alloc_time_t when,
                            struct error *err)
{
    hid_t dataset = H5I_INVALID_HID;
    hid_t space = H5Screate_simple(n_dims, dims, NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (space >= 0 && create >= 0 && H5Pset_attr_creation_order(create, IN_ORDER) >= 0
        && H5Pset_obj_track_times(create, false) >= 0
        && H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0
        && H5Pset_alloc_time(create, when) >= 0)
        dataset =
            H5Dcreate2(parent, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    if (dataset < 0)
        h5_error(err, ERROR_IO, "dataset %s", name);
    h5_close(&create, H5Pclose);
    h5_close(&space, H5Sclose);
    return dataset;
}

hid_t h5_create_dataset(hid_t parent,
                        const char *name,
                        hid_t type,
                        int n_dims,
                        const hsize_t *dims,
                        struct error *err)
{
    return create_dataset(parent, name, type, n_dims, dims, H5D_ALLOC_TIME_EARLY, err);
}

int h5_write(hid_t dataset, hid_t type, const void *values, struct error *err)
{
    if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return h5_error(err, ERROR_IO, "dataset");
    return 0;
}

int h5_make_scale(hid_t dataset, const char *name, struct error *err)
{
    if (H5DSset_scale(dataset, name) < 0)
        return h5_error(err, ERROR_IO, "dimension scale %s", name);
    return 0;
}

hid_t h5_create_dimension(hid_t parent, const char *name, int64_t n, struct error *err)
{
    /* the name that tells netCDF-4 that there are no values to read */
    char mark[80];
    snprintf(mark,
             sizeof mark,
             "This is a netCDF dimension but not a netCDF variable. %10lld",
             (long long)n);
    hsize_t dims[] = { (hsize_t)n };
    hid_t dataset =
        create_dataset(parent, name, H5T_IEEE_F32BE, 1, dims, H5D_ALLOC_TIME_LATE, err);
    if (dataset >= 0 && h5_make_scale(dataset, mark, err) < 0)
        h5_close(&dataset, H5Dclose);
    return dataset;
}

int h5_attach_scale(hid_t dataset, hid_t scale, int axis, struct error *err)
{
    if (H5DSattach_scale(dataset, scale, (unsigned)axis) < 0)
        return h5_error(err, ERROR_IO, "dimension scale of axis %d", axis);
    return 0;
}
