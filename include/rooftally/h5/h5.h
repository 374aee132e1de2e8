/*
 * HDF5 with errors as text, handles that close once, and the rules that make a file
 * netCDF-4: creation order tracked in every group, a dimension scale on every axis.
 *
 * h5_silence turns off HDF5's printing; h5_error turns its innermost message into text.
 */
#ifndef ROOFTALLY_H5_H5_H
#define ROOFTALLY_H5_H5_H

#include <stdbool.h>
#include <stdint.h>

#include <hdf5.h>

#include "rooftally/base/error.h"

/* The first call comes before any other of HDF5, and before MPI starts (comm_open sees to
 * it): HDF5 then leaves the end of the process alone. */
void h5_silence(void);
const char *h5_version(void);

/* error_set with HDF5's innermost message after the text; clears the stack; -1. */
int h5_error(struct error *err, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Close if open, then mark invalid; the status of the close. */
herr_t h5_close(hid_t *handle, herr_t (*close)(hid_t));

/* Attributes on any object; scalar. Text is fixed-length UTF-8, of any length. */
int h5_put_text(hid_t object, const char *name, const char *value, struct error *err);
int h5_put_integer(hid_t object, const char *name, int64_t value, struct error *err);
int h5_put_real(hid_t object, const char *name, double value, struct error *err);
/* Text on the heap; NULL with ERROR_FORMAT when it is not there or no text. */
char *h5_get_text(hid_t object, const char *name, struct error *err);
int h5_get_integer(hid_t object, const char *name, int64_t *value, struct error *err);

/* A new file, and a group in one; invalid with ERROR_IO. */
hid_t h5_create_file(const char *path, struct error *err);
/*
 * The same in a file that is there, whose contents are gone, and one that is read;
 * invalid, the latter without an error set. The path may be that of a nameless file, as in
 * /proc/self/fd: HDF5's usual driver resolves such links, the one that is used does not.
 */
hid_t h5_overwrite_file(const char *path, struct error *err);
hid_t h5_read_file(const char *path);
hid_t h5_create_group(hid_t parent, const char *name, struct error *err);

/* Fixed-length UTF-8, padded with zeros; at least 2 bytes, because netCDF takes a
 * string of one byte for a character. */
hid_t h5_text_type(int64_t n_bytes);

/*
 * A contiguous dataset whose space is taken at once and never filled: whoever creates
 * it writes all of it. With a length of 0 it takes none.
 */
hid_t h5_create_dataset(hid_t parent,
                        const char *name,
                        hid_t type,
                        int n_dims,
                        const hsize_t *dims,
                        struct error *err);
/* All of a dataset at once. */
int h5_write(hid_t dataset, hid_t type, const void *values, struct error *err);

/* Make a dataset the coordinates of the dimension that has its name. */
int h5_make_scale(hid_t dataset, const char *name, struct error *err);
/* A dimension without coordinates, as netCDF-4 keeps one; it takes no space. */
hid_t h5_create_dimension(hid_t parent, const char *name, int64_t n, struct error *err);
int h5_attach_scale(hid_t dataset, hid_t scale, int axis, struct error *err);
/* Whether the first axis of a dataset has this scale, by the scale's own list: that of the
 * dataset lies in a heap, which HDF5 reads beyond its end where it is damaged. */
bool h5_is_attached(hid_t dataset, hid_t scale);

/* Where the values of a dataset lie in its file. */
struct h5_extent {
    int64_t n;       /* values */
    int64_t at;      /* of the first; 0 when n is 0 */
    int64_t n_bytes; /* of one value */
};

/*
 * Find a contiguous, one-dimensional dataset.
 *
 * type     what its values must be, exactly; H5T_C_S1 stands for text of any fixed length
 * Returns  0, or -1 with ERROR_FORMAT (not there, chunked, of another type)
 */
int h5_locate(hid_t parent,
              const char *name,
              hid_t type,
              struct h5_extent *extent,
              struct error *err);

/* The lengths of a dataset of one or two axes, the second 1 where there is none. */
struct h5_shape {
    int64_t n_rows, width;
    int n_axes;
};

/*
 * Returns  0, or -1 with ERROR_FORMAT: no or more axes, a row that no result has (over
 *          64 MiB), or a contiguous dataset whose values were never written, which HDF5 would
 *          make up without end; of this one *shape is set all the same
 */
int h5_read_shape(hid_t dataset, struct h5_shape *shape, struct error *err);

/* What is done with a dataset, which stays the caller's: 0, or -1 with an error. */
typedef int
h5_each_dataset_call(void *context, hid_t dataset, const char *name, struct error *err);

/*
 * Every dataset of a group that is no scale, in the order they were made, where the file
 * knows it, and of their names otherwise. The first that is refused ends it.
 *
 * Returns  0, or -1 with each()'s error or ERROR_FORMAT: the group is not there or damaged
 */
int h5_each_dataset(hid_t parent,
                    const char *group,
                    h5_each_dataset_call *each,
                    void *context,
                    struct error *err);

/* Whether a link of this name is in the group. */
bool h5_has(hid_t parent, const char *name);

#endif
