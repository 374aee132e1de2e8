/*
 * A warning, one event a line on standard error, with level and rank:
 *     level=warn rank=0 event=no_spatial_index table=public.building
 *
 * Calls    schedule/, cli/ and main only; other rooms return errors
 */
#ifndef ROOFTALLY_BASE_LOG_H
#define ROOFTALLY_BASE_LOG_H

void log_open(int rank);
void log_warn(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Copy text, with control characters (also C1 and bytes that are not UTF-8) as '?', so
 * that data never reaches a terminal raw. Always ends the string; returns out. */
char *log_clean(char *out, int n_out, const char *text, int n_text);

#endif
