/* How HDF5 reaches a file that all ranks share. */
#include "rooftally/comm/file.h"

#include "world.h"

/* ROMIO takes its buffer out of the heap, on every aggregating rank: 16 MiB unless
 * told. Slabs are no larger than this, so more would be idle. */
static const char *const hints[][2] = {
    { "cb_buffer_size", "1048576" },
    { "romio_ds_write", "disable" },
};

hid_t comm_file_access(struct comm *comm)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || comm->size == 1)
        return access;
    MPI_Info info = MPI_INFO_NULL;
    MPI_Info_create(&info);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        MPI_Info_set(info, hints[i][0], hints[i][1]);
    herr_t status = H5Pset_fapl_mpio(access, comm->collectives, info);
    if (status >= 0)
        status = H5Pset_all_coll_metadata_ops(access, true);
    MPI_Info_free(&info);
    if (status < 0) {
        H5Pclose(access);
        return H5I_INVALID_HID;
    }
    return access;
}

/* Where a collective write fails on one rank, HDF5 1.10 leaves its collective there and
 * waits for that rank forever on the others: the caller has to take the disk space
 * before. */
hid_t comm_transfer(struct comm *comm)
{
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    if (transfer >= 0 && comm->size > 1
        && H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE) < 0) {
        H5Pclose(transfer);
        return H5I_INVALID_HID;
    }
    return transfer;
}
