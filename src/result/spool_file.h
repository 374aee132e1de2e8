/* What the files of the spool share: the layout of a record, and the open spool. */
#ifndef ROOFTALLY_RESULT_SPOOL_FILE_H
#define ROOFTALLY_RESULT_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "rooftally/result/spool.h"

#define SPOOL_MAGIC UINT32_C(0x325a5452) /* "RTZ2", little-endian */

struct spool_head {
    uint32_t magic, crc;
    int64_t run; /* crc32c of its name */
    int64_t n_bytes, row, n_selected, n_rejected, n_wkb;
};

enum {
    SPOOL_BUFFER_BYTES = 64 * 1024,
    SPOOL_CRC_FROM = 8,
    SPOOL_START_BYTES = 4 * 1024 * 1024,
    SPOOL_ANY_RUN = -1,
};

/* A file of the folder: rank-<rank>.<attempt> */
struct spool_file {
    int rank, attempt;
    int64_t n_damaged_bytes; /* by the last scan */
};

struct spool {
    char *folder;
    int64_t run; /* whose records count, or SPOOL_ANY_RUN */
    int fd;      /* of the own file */
    char *path;
    struct spool_file *files; /* [n_files], the own one first */
    int n_files;
    int reading, reading_fd; /* which other file is open for reading; -1: none */

    bool is_named;   /* the own file's name is on disk */
    int64_t started; /* bytes that are on disk or on their way */
    int64_t n_appended;
    int64_t end;      /* of the last whole record */
    int64_t flushed;  /* bytes that the file holds; the buffer follows */
    int64_t n_buffer; /* bytes in the buffer */
    uint32_t crc;     /* of the payload that is being put */

    struct spool_entry *entries; /* of the last scan, borrowed */
    int64_t n_entries;
    uint8_t buffer[SPOOL_BUFFER_BYTES];
};

/* CRC of a head without its payload, to go on from. */
uint32_t spool_head_crc(const struct spool_head *head);

/* Returns 0, or -1 without memory. */
int spool_add_file(struct spool *spool, struct spool_file file);
/* Path of a file, on the heap; NULL without memory. */
char *spool_file_path(const struct spool *spool, int file);

/* Call `each` with every rank file of a folder, in any order, until it returns other
 * than 0; its value, or -1 with ERROR_IO, also where something else has the name of a rank
 * file. A link in the folder's place is not followed. */
int spool_each_file(const char *folder,
                    int (*each)(void *context, struct spool_file file),
                    void *context,
                    struct error *err);

#endif
