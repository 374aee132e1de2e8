/*
 * Files that several ranks have open and that have no name, so that nothing is left of
 * them, whatever ends the ranks; and one of them as scratch space.
 *
 * A nameless file is opened by the other ranks through /proc, on one host. Where that
 * does not work (several hosts, a file system without nameless files) it has a name,
 * which is removed as soon as it can be.
 */
#ifndef ROOFTALLY_SOURCE_SCRATCH_H
#define ROOFTALLY_SOURCE_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rooftally/base/error.h"
#include "rooftally/source/team.h"

/*
 * Make an empty file in `folder`, open for reading and writing on every rank. Collective
 * and agreed.
 *
 * name     what rank 0 calls it there if it needs a name: nobody else's (partial.h)
 * has_name out: it has, on every rank alike
 * Returns  0, or -1 with ERROR_IO (the folder is not there, or cannot be written), or
 *          ERROR_COMM
 */
int nameless_open(int *file,
                  bool *has_name,
                  const char *folder,
                  const char *name,
                  mode_t mode,
                  const struct team *team,
                  struct error *err);

/*
 * Space that every rank writes to for itself, and reads from everywhere. In the file,
 * ranks take turns by pieces, so that all space is one file:
 *
 *     | rank 0, piece 0 | rank 1, piece 0 | rank 0, piece 1 | …
 */
struct scratch {
    int file; /* -1: closed */
    int rank, size;
    bool is_far; /* other ranks see it by its name, maybe on other hosts */
    bool (*stop)(void *context); /* asked whenever something is written; NULL: never */
    void *stop_context;
    int64_t n_bytes; /* appended or reserved by this rank */
    char *path;      /* as given to scratch_open */
    char *folder;    /* for messages */
};

/* Collective and agreed. */
int scratch_open(struct scratch *scratch,
                 const char *path,
                 const struct team *team,
                 struct error *err);
void scratch_close(struct scratch *scratch);

/* What is appended next begins at a multiple of n_bytes, a power of two: a hole goes before it. */
void scratch_align(struct scratch *scratch, int64_t n_bytes);
/* Reserve n_bytes, of which nobody else has any, from a multiple of `align`: a hole, until it is
 * written. */
int64_t scratch_reserve(struct scratch *scratch, int64_t n_bytes, int64_t align);
int scratch_write(const struct scratch *scratch,
                  int64_t at,
                  const void *bytes,
                  int64_t n_bytes,
                  struct error *err);
/* Append. Returns 0, or -1 with ERROR_IO or ERROR_STOPPED. */
int scratch_append(struct scratch *scratch,
                   const void *bytes,
                   int64_t n_bytes,
                   struct error *err);

/* What was appended is there for every rank to read: 0, or -1 with ERROR_IO. */
int scratch_settle(const struct scratch *scratch, struct error *err);

/* Read what `rank` has appended; it must have agreed since. 0, or -1 with ERROR_IO. */
int scratch_read(const struct scratch *scratch,
                 int rank,
                 int64_t at,
                 void *bytes,
                 int64_t n_bytes,
                 struct error *err);

/* ERROR_IO: what was read is not what was written. Returns -1. */
int scratch_damaged(const struct scratch *scratch, struct error *err);

/* Tell the disk that `rank`'s bytes at [at, at + n_bytes) will be read, if they are one piece. */
void scratch_expect(const struct scratch *scratch,
                    int rank,
                    int64_t at,
                    int64_t n_bytes);

/* Give the disk back what this rank has at [at, at + n_bytes), if it takes it. */
void scratch_drop(const struct scratch *scratch, int64_t at, int64_t n_bytes);

#endif
