/*
 * One failure, as one line of text and a code that says what a caller can do.
 *
 * Negative is failure, everywhere. On failure *err is set and other outputs are
 * untouched; err may be NULL. Leaves report, each level adds its place in front, the
 * coordinator decides, main alone prints and exits.
 */
#ifndef ROOFTALLY_BASE_ERROR_H
#define ROOFTALLY_BASE_ERROR_H

#include <stddef.h>

enum error_code {
    ERROR_NONE,
    ERROR_USAGE,    /* command line, job file or data does not fit: change it */
    ERROR_SOURCE,   /* connection lost or query refused: reopen and retry */
    ERROR_DATA,     /* the source's data cannot be used as it is: a retry fails again */
    ERROR_GONE,     /* a snapshot is gone with its session: go on under a new one */
    ERROR_FORMAT,   /* bytes are not what they claim to be: a retry fails again */
    ERROR_BUDGET,   /* needs more than the memory limit allows */
    ERROR_IO,       /* a file could not be read or written */
    ERROR_GEOMETRY, /* GEOS could not evaluate */
    ERROR_COMM,     /* another rank is gone or does not answer */
    ERROR_STOPPED,  /* stopped early on request: resumable */
    ERROR_INTERNAL, /* our own mistake */
};

enum { ERROR_TEXT_BYTES = 1000 };

struct error {
    enum error_code code;
    char text[ERROR_TEXT_BYTES]; /* one line, as error_fit makes it */
};

/*
 * `text` as one line that fits; line breaks become spaces. What is too long loses the
 * middle of its longest word, mostly a path, with … in its place; where words are short,
 * its own middle. The end, where the reason is, stays.
 */
char *error_fit(char *out, size_t n_out, const char *text);

/* Set code and text. Returns -1. */
int error_set(struct error *err, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put a place in front of the text: "zone 02139: " + text. Returns -1. */
int error_prefix(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
