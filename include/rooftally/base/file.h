/* Bytes of a file at a place, all of them, whatever signals come in between; which file a path
 * leads to; and the name of a file that is whole. */
#ifndef ROOFTALLY_BASE_FILE_H
#define ROOFTALLY_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"

/* Returns false, with errno: ENOSPC where nothing more could be written. */
bool file_write_at(int fd, int64_t at, const void *bytes, int64_t n_bytes);

/* Returns false, with errno: 0 where the file ends before. */
bool file_read_at(int fd, int64_t at, void *bytes, int64_t n_bytes);

/* Why a file cannot be read or written, and what to do where that is known: "File too large: raise
 * the limit on the size of files (ulimit -f)". Until this thread's next call. */
const char *file_reason(int error);

/* "name" of "folder/name", in it; and a copy of "folder", "." where none is named (heap; NULL
 * where there is no memory). */
const char *file_name(const char *path);
char *file_folder(const char *path);

/* Whether both are there and are one file, whatever links lead to it. */
bool file_is_same(const char *one, const char *other);

/* Whether a file system takes a name of this length there: `path` with `ending`. */
bool file_name_fits(const char *path, const char *ending);

/*
 * Give a file that is whole and on the disk the name `path`, and put that on the disk too, as
 * far as the file system does such a thing and the folder may be read.
 *
 * fd       of a file without a name; -1: its name so far is `partial`
 * partial  a name beside `path`, not there afterwards; a file that had it keeps it on failure
 * replace  what is there; otherwise it stays
 * Returns  0, or -1 with ERROR_IO
 */
int file_publish(int fd,
                 const char *partial,
                 const char *path,
                 bool replace,
                 struct error *err);

/* Put what a folder names on the disk, as far as above. Returns false, with errno. */
bool file_sync_folder(const char *folder);

#endif
