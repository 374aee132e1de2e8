/* Counts as people read them. */
#ifndef ROOFTALLY_BASE_COUNT_H
#define ROOFTALLY_BASE_COUNT_H

#include <stdint.h>

enum { COUNT_TEXT_BYTES = 32 };

/* "1,234,567"; returns text. */
char *count_text(char text[COUNT_TEXT_BYTES], int64_t n);

#endif
