/*
 * The source that reads vector files: zones and buildings are a layer each. It can be
 * scanned, to be staged; zones and buildings of a zone cannot be asked for.
 *
 *   CRS    all geometry comes in that of the zones, longitude or easting first: the
 *          borders of zones are the long edges, which a transformation bends
 *   Names  columns are the layer's fields and its feature number (FID, by its name in the
 *          file, or "fid"); where the job names no id, the row's number from 1 in the order
 *          of reading, JOB_ROW_NAME, is one too
 */
#ifndef ROOFTALLY_SOURCE_VECTOR_H
#define ROOFTALLY_SOURCE_VECTOR_H

#include "source_calls.h"
#include "vector_layer.h"

enum { VECTOR_ROW = -1, VECTOR_NONE = -2 };

struct vector_table {
    const char *section, *path, *shown; /* shown: without secrets */
    struct vector_layer *layer;
    const struct vector_about *about;
    int id; /* its field, or VECTOR_ROW */
};

struct vector {
    struct source base;
    const struct job *job;
    const struct vector_module *module;
    struct vector_table zones, buildings;
    char *shown[2];

    /* the stream */
    struct vector_table *table; /* NULL: none */
    const struct binding *binding;
    int fields[BINDING_MAX_SLOTS]; /* of each slot, VECTOR_ROW or VECTOR_NONE */
    bool filters;                  /* there is a row filter: applied here */
    uint8_t in_filter[BINDING_MAX_SLOTS];
    bool pending;     /* the feature at hand waits for the next batch */
    bool is_unusable; /* the zone at hand: an error, unless the filter drops it */
    int64_t row;      /* its number, from 1 */
};

int vector_open(struct source **source, const struct job *job, struct error *err);

/* The module that reads, loaded when it is first asked for; NULL with ERROR_USAGE that
 * says what to install. */
const struct vector_module *vector_module(struct error *err);

/* vector_scan.c */
int vector_scan(struct source *source,
                enum source_table table,
                const struct binding *binding,
                int part,
                int n_parts,
                struct error *err);
int vector_next(struct source *source, struct batch *batch, struct error *err);
void vector_cancel(struct source *source);

/* vector_filter.c: drop the rows of the batch that fail the binding's row_filter. */
int vector_filter(const struct binding *binding,
                  struct batch *batch,
                  struct error *err);

#endif
