/*
 * HDF5 with errors as text, and handles that close once.
 *
 * h5_silence turns off HDF5's printing; h5_error turns the top of its stack into text.
 */
#ifndef ROOFTALLY_H5_H5_H
#define ROOFTALLY_H5_H5_H

#include <stdint.h>

#include <hdf5.h>

#include "rooftally/base/error.h"

void h5_silence(void);
const char *h5_version(void);

/* error_set with HDF5's innermost message after the text; clears the stack; -1. */
int h5_error(struct error *err, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Close if open, then mark invalid; the status of the close. */
herr_t h5_close(hid_t *handle, herr_t (*close)(hid_t));

/* Attributes on any object; scalar. Text is fixed-length UTF-8. */
int h5_put_text(hid_t object, const char *name, const char *value, struct error *err);
int h5_put_integer(hid_t object, const char *name, int64_t value, struct error *err);
int h5_put_real(hid_t object, const char *name, double value, struct error *err);
/* Text on the heap; NULL with ERROR_FORMAT when it is not there or no text. */
char *h5_get_text(hid_t object, const char *name, struct error *err);

#endif
