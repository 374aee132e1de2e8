/* UTF-8 as RFC 3629 has it. */
#ifndef ROOFTALLY_BASE_UTF8_H
#define ROOFTALLY_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text, of which n >= 1 are there; 0 when it is none. */
int utf8_length(const char *text, size_t n);

/* The same, with its code. */
int utf8_read(const char *text, size_t n, uint32_t *code);

/* Controls, C1 among them, line ends of Unicode, and marks that turn the direction of what
 * follows: what a terminal, a page or a log is not to be given out of data. */
bool utf8_is_harmful(uint32_t code);

/* Whether all n bytes are such characters. */
bool utf8_is_text(const char *text, size_t n);

#endif
