/* The parts of the file that rank 0 makes by itself. */
#ifndef ROOFTALLY_RESULT_LAYOUT_H
#define ROOFTALLY_RESULT_LAYOUT_H

#include "rooftally/h5/h5.h"

#include "gather.h"

/* What is said of a dataset: units and long_name ("": none). */
struct layout_column {
    const char *name, *units, *long_name;
    hid_t type; /* borrowed */
    int64_t n;
    const char *scale; /* path of the axis; NULL: the dataset is a scale itself */
};

/* A dataset of one axis with all its values, which have the same type in memory. */
int layout_write(hid_t parent,
                 const struct layout_column *column,
                 hid_t memory_type,
                 const void *values,
                 struct error *err);
/* Put both, and the calendar where the units are a time since another. */
int layout_describe(hid_t dataset,
                    const char *units,
                    const char *long_name,
                    struct error *err);
int layout_attach(hid_t file,
                  hid_t dataset,
                  int axis,
                  const char *scale,
                  struct error *err);

/* Scales of the second axes of the statistics, edges of histograms. */
int layout_axes(struct gather *gather, hid_t file, struct error *err);

/* Bytes of every rank's telemetry on rank 0 (MEMORY_GATHER), collective and agreed. */
int layout_collect(struct gather *gather, uint8_t **bytes, struct error *err);
int layout_telemetry(struct gather *gather,
                     hid_t file,
                     const uint8_t *bytes,
                     struct error *err);

#endif
