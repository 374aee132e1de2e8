/*
 * COPY's binary format, one message of bytes at a time; and rows of it into a batch.
 *
 *     first message:  signature 11, flags 4, n 4, extension n, then a row
 *     a row:          n_fields 2, then for each field: length 4 (-1: null), bytes
 *     the trailer:    -1 in place of n_fields
 *
 * Origin  PostgreSQL manual, COPY, "Binary Format"; integers are big-endian
 */
#ifndef ROOFTALLY_SOURCE_COPY_H
#define ROOFTALLY_SOURCE_COPY_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"
#include "rooftally/job/binding.h"
#include "rooftally/source/batch.h"

struct copy_field {
    const uint8_t *bytes;
    int32_t n; /* -1: null */
};

enum { COPY_MAX_FIELDS = BINDING_MAX_SLOTS + 2 };

/* Length of the header at the start of the first message, or -1 with ERROR_FORMAT. */
int64_t copy_header(const uint8_t *bytes, int64_t n_bytes, struct error *err);

/*
 * Split one row, which must fill the bytes exactly, into n_fields fields.
 *
 * Owner    fields point into bytes
 * Returns  1, 0 for the trailer, or -1 with ERROR_FORMAT
 */
int copy_row(const uint8_t *bytes,
             int64_t n_bytes,
             struct copy_field *fields,
             int n_fields,
             struct error *err);

/* Whether they are a row of n_fields nulls: what the filter leaves of a building. */
bool copy_is_null(const uint8_t *bytes, int64_t n_bytes, int n_fields);

/* Whether the bytes, which begin where a message does, end where a row or the trailer
 * does. */
bool copy_is_whole(const uint8_t *bytes, int64_t n_bytes);

/* Values of fixed length; the caller has checked n. */
int32_t copy_int32(const uint8_t *bytes);
int64_t copy_int64(const uint8_t *bytes);
double copy_float8(const uint8_t *bytes);

/* The SRID that all geometry is in, and which batch column each field after id and
 * geometry fills. */
struct copy_shape {
    bool is_zone; /* rows are zones, and are called so */
    int32_t srid;
    int n_columns;
    int slot[BINDING_MAX_SLOTS];
};

/*
 * Put a row (id, geometry, columns of the shape) into the batch. A null geometry is a
 * building that failed the source's filter: it is counted and takes no row; a zone without
 * geometry is still a zone.
 *
 * Returns  1, 0 when it does not fit into what is left, or -1 with
 *            ERROR_FORMAT  a value's length is not its type's
 *            ERROR_USAGE   a zone without an id
 *            ERROR_DATA    a building in another SRID
 *            ERROR_BUDGET  it does not fit into an empty batch: names the id
 */
int copy_add(const struct copy_field *fields,
             const struct copy_shape *shape,
             struct batch *batch,
             struct error *err);

#endif
