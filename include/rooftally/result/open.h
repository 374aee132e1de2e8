/* A result, opened for reading by those who know HDF5. */
#ifndef ROOFTALLY_RESULT_OPEN_H
#define ROOFTALLY_RESULT_OPEN_H

#include "rooftally/h5/h5.h"

/*
 * Open a whole result of this version.
 *
 * consistent  0 where its zones were read under several snapshots; may be NULL
 * Returns     a file for H5Fclose, or an invalid handle with
 *               ERROR_IO      it cannot be read
 *               ERROR_FORMAT  it is no result, a torso, or of another version
 */
hid_t result_open(const char *path, int64_t *consistent, struct error *err);

/* Every statistic of a result: what lies along the zones and is no scale. As
 * h5_each_dataset; ERROR_FORMAT also where there is no /zone. */
int result_each_statistic(hid_t file,
                          h5_each_dataset_call *each,
                          void *context,
                          struct error *err);

#endif
