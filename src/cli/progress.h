/*
 * Progress on standard error: one live line on a terminal, a line every 10 s elsewhere,
 * nothing when quiet. Work is measured by estimated cost, not by zones.
 *
 *     [####............]  25 % 71/300 zones, 290,114 buildings, 3.2 M/s, ETA 0:12, peak 38 MiB
 *
 * The live line takes no more than the terminal's width. Where it is too long, its bar is
 * shortened, then the number of buildings is left out, the bar, the number of zones, commas,
 * and at last the word "peak"; share, rate, ETA and peak memory stay, down to 38 columns.
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
/* What there is to say; peak memory of the worker that has most. */
struct progress_facts {
    double share; /* of the work, 0 to 1 */
    int64_t n_zones, n_all_zones, n_candidates;
    double rate; /* candidates a second */
    double eta_s;
    int64_t peak_rss_bytes;
};

/* The live line in at most n_most bytes; returns text. */
enum { PROGRESS_TEXT_BYTES = 256 };
char *progress_live_text(char text[PROGRESS_TEXT_BYTES],
                         const struct progress_facts *facts,
                         int n_most);

/* Show what is due. */
void progress_tick(struct progress_line *line);
/* The share of the result that is written; void * for result_input. */
void progress_write(void *line, double share);
/* Clear the live line. */
void progress_end(struct progress_line *line);

/* "1:02:03" or "0:07"; "?" when it is not known. */
char *progress_duration(char text[24], double seconds);
/* Whole per cent of a share, rounded down: 100 only where nothing is left. */
double progress_percent(double share);

#endif
