#include "rooftally/base/count.h"

#include <inttypes.h>
#include <stdio.h>

char *count_text(char text[COUNT_TEXT_BYTES], int64_t n)
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;
    for (int i = 0; i < n_digits; i++) {
        if (i > 0 && (n_digits - i) % 3 == 0 && digits[i - 1] != '-')
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}
