/* The entries of a job file before their values are understood. */
#ifndef ROOFTALLY_JOB_ENTRIES_H
#define ROOFTALLY_JOB_ENTRIES_H

#include "rooftally/base/error.h"

enum { MOST_FILE_BYTES = 1 << 20 };

struct entry {
    char *section, *key, *value;
    int line; /* 0: from --set */
};

struct entries {
    const char *path; /* borrowed */
    struct entry *list;
    int n;
};

/*
 * Read a file of known sections and keys, each key once.
 *
 * Form     libinih's, with what it would do in silence refused: a line that is indented
 *          continues the value above it, unless it looks like a key; " ;" inside a
 *          quoted string, where libinih begins a comment all the same; bytes that are
 *          no UTF-8; files longer than MOST_FILE_BYTES
 * Returns  0, or -1 with ERROR_USAGE or ERROR_IO
 */
int entries_read(struct entries *entries, const char *path, struct error *err);
void entries_release(struct entries *entries);

/* Apply "section.key=value", where the value could stand in a file. */
int entries_override(struct entries *entries, const char *override, struct error *err);

/* NULL when not given. */
const struct entry *
entries_find(const struct entries *entries, const char *section, const char *key);

/* Put the entry's place in front: "file:14: [buildings] where: " or
 * "--set buildings.where: ". Returns -1. */
int entries_prefix(const struct entries *entries,
                   const struct entry *entry,
                   struct error *err);

/* The whole as text that reads back as the same, passwords starred out; NULL when
 * there is no memory. */
char *entries_text(const struct entries *entries);

/* What decides the result, see job_identity_differs; NULL when there is no memory. */
char *entries_identity(const struct entries *entries);

#endif
