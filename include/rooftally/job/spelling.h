/*
 * A name as somebody wrote it, and which of the names that there are it means.
 *
 * First what PostgreSQL does: a bare name is folded to lower case, a "quoted" one is
 * meant exactly. Where a bare one finds nothing so, the name that is spelled as it was
 * typed; and where there is none, the only one that differs in nothing but case.
 */
#ifndef ROOFTALLY_JOB_SPELLING_H
#define ROOFTALLY_JOB_SPELLING_H

#include <stdbool.h>

#include "rooftally/job/binding.h"

struct spelling {
    char name[NAME_BYTES]; /* without its quotes, as typed */
    bool quoted;
};

enum { SPELLED_OTHERWISE, SPELLED_BUT_FOR_CASE, SPELLED_AS_TYPED, SPELLED_IN_SQL };

/* Read a bare or "quoted" name, all of `written`; "" for a quote in a quoted one.
 * Returns 0, or -1 with ERROR_USAGE: longer than 63 bytes, or quoted and not closed. */
int spelling_read(struct spelling *spelling, const char *written, struct error *err);

/* How well `name` fits: one of SPELLED_..., the higher the better. */
int spelling_rank(const struct spelling *spelling, const char *name);

/* The best of the names that were offered; {0} before the first. */
struct spelling_match {
    int rank;          /* SPELLED_OTHERWISE: none */
    int number;        /* of the best */
    const char *name;  /* of the best */
    const char *rival; /* another that fits as well; NULL: none */
};

/* Of two that fit alike the earlier is taken; when they differ in case it has a rival. */
void spelling_offer(struct spelling_match *match,
                    const struct spelling *spelling,
                    const char *name,
                    int number);

/* Returns 0, or -1 with ERROR_USAGE that names both when the best has a rival. */
int spelling_settle(const struct spelling_match *match,
                    const struct spelling *spelling,
                    struct error *err);

/* The column that a name means, *column NULL when none.
 * Returns 0, or -1 as spelling_read and spelling_settle do. */
int spelling_column(const struct source_columns *columns,
                    const char *written,
                    const struct source_column **column,
                    struct error *err);

#endif
