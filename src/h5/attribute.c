#include <stdlib.h>
#include <string.h>

#include "rooftally/h5/h5.h"

static int put(hid_t object,
               const char *name,
               hid_t type,
               hid_t space,
               const void *value,
               struct error *err)
{
    int status = -1;
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        h5_error(err, ERROR_IO, "attribute %s", name);
    else
        status = 0;
    if (h5_close(&attribute, H5Aclose) < 0 && status == 0)
        status = h5_error(err, ERROR_IO, "attribute %s", name);
    return status;
}

int h5_put_text(hid_t object, const char *name, const char *value, struct error *err)
{
    int status = -1;
    size_t n = strlen(value);
    hid_t type = H5Tcopy(H5T_C_S1);
    hid_t space = H5Screate(H5S_SCALAR);
    /* an empty string still has one byte: the zero that pads it */
    if (type < 0 || space < 0 || H5Tset_size(type, n > 0 ? n : 1) < 0
        || H5Tset_cset(type, H5T_CSET_UTF8) < 0
        || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0)
        h5_error(err, ERROR_IO, "attribute %s", name);
    else
        status = put(object, name, type, space, value, err);
    h5_close(&space, H5Sclose);
    h5_close(&type, H5Tclose);
    return status;
}

static int put_number(hid_t object,
                      const char *name,
                      hid_t type,
                      const void *value,
                      struct error *err)
{
    hid_t space = H5Screate(H5S_SCALAR);
    int status = put(object, name, type, space, value, err);
    h5_close(&space, H5Sclose);
    return status;
}

int h5_put_integer(hid_t object, const char *name, int64_t value, struct error *err)
{
    return put_number(object, name, H5T_NATIVE_INT64, &value, err);
}

int h5_put_real(hid_t object, const char *name, double value, struct error *err)
{
    return put_number(object, name, H5T_NATIVE_DOUBLE, &value, err);
}

char *h5_get_text(hid_t object, const char *name, struct error *err)
{
    char *text = NULL;
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    if (H5Aexists(object, name) <= 0)
        goto out;
    attribute = H5Aopen(object, name, H5P_DEFAULT);
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    if (type < 0 || space < 0 || H5Tget_class(type) != H5T_STRING
        || H5Tis_variable_str(type) > 0 || H5Sget_simple_extent_npoints(space) != 1)
        goto out;
    text = calloc(H5Tget_size(type) + 1, 1);
    if (text && H5Aread(attribute, type, text) < 0) {
        free(text);
        text = NULL;
    }
out:
    if (!text)
        h5_error(err, ERROR_FORMAT, "no text attribute %s", name);
    h5_close(&space, H5Sclose);
    h5_close(&type, H5Tclose);
    h5_close(&attribute, H5Aclose);
    return text;
}

int h5_get_integer(hid_t object, const char *name, int64_t *value, struct error *err)
{
    int status = -1;
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    if (H5Aexists(object, name) > 0) {
        attribute = H5Aopen(object, name, H5P_DEFAULT);
        type = H5Aget_type(attribute);
        space = H5Aget_space(attribute);
        if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER
            && H5Sget_simple_extent_npoints(space) == 1
            && H5Aread(attribute, H5T_NATIVE_INT64, value) >= 0)
            status = 0;
    }
    if (status < 0)
        h5_error(err, ERROR_FORMAT, "no integer attribute %s", name);
    h5_close(&space, H5Sclose);
    h5_close(&type, H5Tclose);
    h5_close(&attribute, H5Aclose);
    return status;
}
