/*
 * The name of a file that is not whole yet: "<path>.partial-<host>-<pid>", so that two who
 * make the same file do not touch each other's, and what is left of one that was killed can be told
 * from what is still being written.
 */
#ifndef ROOFTALLY_BASE_PARTIAL_H
#define ROOFTALLY_BASE_PARTIAL_H

/* This process's, on the heap; NULL without memory. */
char *partial_name(const char *path);

/* Remove what was left of `path`: by processes of this host that are gone, and of others what is
 * a day old. */
void partial_clear(const char *path);

#endif
