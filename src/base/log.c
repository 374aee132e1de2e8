#include "rooftally/base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "rooftally/base/error.h"
#include "rooftally/base/utf8.h"

static int own_rank;

void log_open(int rank)
{
    own_rank = rank;
}

void log_warn(const char *event, const char *fmt, ...)
{
    char text[ERROR_TEXT_BYTES + 200], line[sizeof text + 128];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    char clean[sizeof text];
    log_clean(clean,
              sizeof clean,
              text,
              n < (int)sizeof text ? n : (int)sizeof text - 1);
    snprintf(line,
             sizeof line,
             "level=warn rank=%d event=%s%s%s\n",
             own_rank,
             event,
             *clean ? " " : "",
             clean);
    fputs(line, stderr);
}

char *log_clean(char *out, int n_out, const char *text, int n_text)
{
    int at = 0;
    for (int i = 0; i < n_text && at < n_out - 1;) {
        uint32_t code;
        int n = utf8_read(text + i, (size_t)(n_text - i), &code);
        if (n == 0 || utf8_is_harmful(code)) {
            out[at++] = '?';
            i++; /* each byte of it */
            continue;
        }
        if (at + n > n_out - 1)
            break;
        for (int k = 0; k < n; k++)
            out[at++] = text[i++];
    }
    if (n_out > 0)
        out[at] = '\0';
    return out;
}
