/* UTF-8 as RFC 3629 has it. */
#ifndef JOB_UTF8_H
#define JOB_UTF8_H

#include <stddef.h>

/* Bytes of the character at text, of which n >= 1 are there; 0 when it is none. */
int utf8_length(const char *text, size_t n);

#endif
