/*
 * Progress on standard error: one live line on a terminal, a line every 10 s elsewhere,
 * nothing when quiet. Work is measured by estimated cost, not by zones.
 */
#ifndef ROOFTALLY_CLI_PROGRESS_H
#define ROOFTALLY_CLI_PROGRESS_H

#include <stdbool.h>

#include "rooftally/schedule/coordinator.h"

struct progress_line {
    const struct coordinator *coordinator;
    bool quiet, terminal, shown;
    double start_s, next_s;
    double write_started_s; /* 0 while zones are analysed */
    int64_t row_bytes;      /* what one selected building takes in the result */
};

void progress_init(struct progress_line *line,
                   const struct coordinator *coordinator,
                   int64_t row_bytes,
                   bool quiet);
/* Show what is due. */
void progress_tick(struct progress_line *line);
/* The share of the result that is written; void * for result_input. */
void progress_write(void *line, double share);
/* Clear the live line. */
void progress_end(struct progress_line *line);

/* "1:02:03" or "0:07"; "?" when it is not known. */
char *progress_duration(char text[24], double seconds);
/* "1,234,567" */
char *progress_count(char text[32], int64_t n);

#endif
