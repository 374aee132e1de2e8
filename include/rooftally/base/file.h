/* Bytes of a file at a place, all of them, whatever signals come in between; and which file a
 * path leads to. */
#ifndef ROOFTALLY_BASE_FILE_H
#define ROOFTALLY_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Returns false, with errno: ENOSPC where nothing more could be written. */
bool file_write_at(int fd, int64_t at, const void *bytes, int64_t n_bytes);

/* Returns false, with errno: 0 where the file ends before. */
bool file_read_at(int fd, int64_t at, void *bytes, int64_t n_bytes);

/* "name" of "folder/name", in it; and a copy of "folder", "." where none is named (heap; NULL
 * where there is no memory). */
const char *file_name(const char *path);
char *file_folder(const char *path);

/* Whether both are there and are one file, whatever links lead to it. */
bool file_is_same(const char *one, const char *other);

/* Whether a file system takes a name of this length there: `path` with `ending`. */
bool file_name_fits(const char *path, const char *ending);

#endif
