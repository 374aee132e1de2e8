/* How result_info prints: its parts, and text that is safe on a terminal. */
#ifndef ROOFTALLY_RESULT_INFO_H
#define ROOFTALLY_RESULT_INFO_H

#include <stdio.h>

#include "rooftally/h5/h5.h"
#include "rooftally/result/result.h"

enum { INFO_TEXT_BYTES = 256 };

void info_put(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text attribute, clean and cut to fit; "" when there is none. */
char *info_text(hid_t object, const char *name, char text[INFO_TEXT_BYTES]);

/* Number of values along the first axis of a dataset; 0 when it is not there. */
int64_t info_length(hid_t file, const char *path);

/* Sum, least and greatest of a numeric dataset, what is missing left out. */
struct info_range {
    int64_t n; /* values that are not missing */
    double sum, least, greatest;
};
int info_range(hid_t file,
               const char *path,
               struct info_range *range,
               struct error *err);

/* Call `row` with each text of a dataset of one axis. */
int info_texts(hid_t file,
               const char *path,
               void (*row)(void *context, const char *text, int n),
               void *context,
               struct error *err);

/* Count the rejected buildings by reason: n_rejected, reasons and n_others. */
int info_reasons(hid_t file, struct result_totals *totals, struct error *err);

#endif
