#include <stdlib.h>

#include "rooftally/h5/h5.h"

/* As HDF5's high-level library writes it. */
struct reference {
    hobj_ref_t dataset;
    int axis;
};

static hid_t reference_type(void)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct reference));
    if (type >= 0
        && (H5Tinsert(type,
                      "dataset",
                      HOFFSET(struct reference, dataset),
                      H5T_STD_REF_OBJ)
                < 0
            || H5Tinsert(type,
                         "dimension",
                         HOFFSET(struct reference, axis),
                         H5T_NATIVE_INT)
                   < 0))
        h5_close(&type, H5Tclose);
    return type;
}

/* The datasets of a scale, on the heap; NULL: none. */
static struct reference *read_references(hid_t scale, hssize_t *n)
{
    struct reference *references = NULL;
    if (H5Aexists(scale, "REFERENCE_LIST") <= 0)
        return NULL;
    hid_t attribute = H5Aopen(scale, "REFERENCE_LIST", H5P_DEFAULT);
    hid_t stored = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hid_t type = reference_type();
    *n = H5Sget_simple_extent_npoints(space);
    if (type >= 0 && stored >= 0 && H5Tdetect_class(stored, H5T_VLEN) == 0 && *n > 0
        && H5Aget_storage_size(attribute) / H5Tget_size(stored) >= (hsize_t)*n)
        references = calloc((size_t)*n, sizeof *references);
    if (references && H5Aread(attribute, type, references) < 0) {
        free(references);
        references = NULL;
    }
    h5_close(&type, H5Tclose);
    h5_close(&space, H5Sclose);
    h5_close(&stored, H5Tclose);
    h5_close(&attribute, H5Aclose);
    return references;
}

bool h5_is_attached(hid_t dataset, hid_t scale)
{
    H5O_info_t info;
    hssize_t n = 0;
    bool found = false;
    struct reference *references = H5Oget_info2(dataset, &info, H5O_INFO_BASIC) < 0
                                       ? NULL
                                       : read_references(scale, &n);
    for (hssize_t i = 0; references && i < n && !found; i++)
        found = references[i].dataset == info.addr && references[i].axis == 0;
    free(references);
    return found;
}
