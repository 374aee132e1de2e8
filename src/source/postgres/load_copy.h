/*
 * Rows into a table, by COPY ... FROM STDIN (FORMAT binary), through one fixed buffer.
 *
 *     load_copy_open; for each row load_copy_row and its fields; load_copy_commit.
 *     load_copy_open ... load_copy_cancel instead, when something failed.
 *
 * Origin   PostgreSQL manual, COPY, "Binary Format"
 */
#ifndef ROOFTALLY_SOURCE_LOAD_COPY_H
#define ROOFTALLY_SOURCE_LOAD_COPY_H

#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/base/terms.h"

#include "session.h"

struct load_copy {
    struct session *session;
    uint8_t *buffer;
    int64_t n;       /* bytes in the buffer */
    int64_t n_bytes; /* sent, and in the buffer */
};

/* Run `statement`, a COPY, and begin. Returns 0, or -1 as session.h says, or ERROR_BUDGET. */
int load_copy_open(struct load_copy *copy,
                   struct session *session,
                   const char *statement,
                   struct memory *memory,
                   struct error *err);

/* Begin a row; `most_bytes` is no less than all its fields take, with 4 bytes each for
 * their lengths. Returns 0 or -1. */
int load_copy_row(struct load_copy *copy,
                  int n_fields,
                  int64_t most_bytes,
                  struct error *err);
void load_copy_null(struct load_copy *copy);
void load_copy_int4(struct load_copy *copy, int32_t value);
void load_copy_int8(struct load_copy *copy, int64_t value);
void load_copy_float8(struct load_copy *copy, double value);
void load_copy_bytes(struct load_copy *copy, const void *bytes, int64_t n);

/* End the COPY and read what the server made of it. Returns 0, or -1. */
int load_copy_commit(struct load_copy *copy, struct error *err);
void load_copy_cancel(struct load_copy *copy);

#endif
