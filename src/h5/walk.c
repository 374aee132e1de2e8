#include <hdf5_hl.h>

#include "rooftally/h5/h5.h"

struct walk {
    h5_each_dataset_call *each;
    void *context;
    bool refused; /* by each(), whose error it is */
    struct error *err;
};

static herr_t
look_at(hid_t group, const char *name, const H5L_info_t *link, void *context)
{
    struct walk *walk = context;
    H5O_info_t info;
    (void)link;
    if (H5Oget_info_by_name2(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0
        || info.type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    if (dataset >= 0 && H5DSis_scale(dataset) <= 0
        && walk->each(walk->context, dataset, name, walk->err) < 0)
        walk->refused = true;
    h5_close(&dataset, H5Dclose);
    return walk->refused ? -1 : 0;
}

/* A file says whether it knows the order; asked for an order that it does not know, HDF5
 * fails. */
static H5_index_t order_of(hid_t group)
{
    unsigned order = 0;
    hid_t create = H5Gget_create_plist(group);
    if (create >= 0)
        H5Pget_link_creation_order(create, &order);
    h5_close(&create, H5Pclose);
    return order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
}

int h5_each_dataset(hid_t parent,
                    const char *group,
                    h5_each_dataset_call *each,
                    void *context,
                    struct error *err)
{
    struct walk walk = { .each = each, .context = context, .err = err };
    hsize_t at = 0;
    hid_t found = H5Gopen2(parent, group, H5P_DEFAULT);
    herr_t status = -1;
    if (found >= 0)
        status = H5Literate(found, order_of(found), H5_ITER_INC, &at, look_at, &walk);
    if (status < 0 && !walk.refused)
        h5_error(err,
                 ERROR_FORMAT,
                 "it is damaged: the datasets of %s cannot be listed",
                 group);
    h5_close(&found, H5Gclose);
    H5Eclear2(H5E_DEFAULT);
    return status < 0 ? -1 : 0;
}
