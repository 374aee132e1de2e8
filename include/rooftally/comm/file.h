/* What HDF5 needs to know of the ranks, for those who write a file together. */
#ifndef ROOFTALLY_COMM_FILE_H
#define ROOFTALLY_COMM_FILE_H

#include <hdf5.h>

#include "rooftally/comm/comm.h"

/* HDF5 access list for a file that all ranks open together (collective), and the
 * transfer list for collective writes: every rank takes part, with no rows too, and the
 * disk space is taken before, because HDF5 1.10 waits forever for a rank whose write
 * failed. The caller closes both. */
hid_t comm_file_access(struct comm *comm);
hid_t comm_transfer(struct comm *comm);

#endif
