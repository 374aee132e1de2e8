#include "rooftally/base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "rooftally/base/error.h"

static enum log_level least_level = LOG_WARN;
static int own_rank;

void log_open(enum log_level least, int rank)
{
    least_level = least;
    own_rank = rank;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    if (level < least_level)
        return;
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
             "level=%s rank=%d event=%s%s%s\n",
             names[level],
             own_rank,
             event,
             *clean ? " " : "",
             clean);
    fputs(line, stderr);
}

/* Length of the UTF-8 sequence at s, 0 when it is none or a control character. */
static int sequence_length(const unsigned char *s, int n)
{
    unsigned code = s[0];
    if (code < 0x80)
        return code >= 0x20 && code != 0x7f;
    int more = code >= 0xf0 && code < 0xf5   ? 3
               : code >= 0xe0 && code < 0xf0 ? 2
               : code >= 0xc2 && code < 0xe0 ? 1
                                             : 0;
    if (more == 0 || more >= n)
        return 0;
    code &= 0x3fu >> more;
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    static const unsigned least[] = { 0, 0x80, 0x800, 0x10000 };
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    /* C1 controls, and marks that turn the direction of what follows */
    if (code < 0xa0 || (code >= 0x202a && code <= 0x202e)
        || (code >= 0x2066 && code <= 0x2069))
        return 0;
    return more + 1;
}

char *log_clean(char *out, int n_out, const char *text, int n_text)
{
    int at = 0;
    for (int i = 0; i < n_text && at < n_out - 1;) {
        int n = sequence_length((const unsigned char *)text + i, n_text - i);
        if (n == 0) {
            out[at++] = '?';
            i++;
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
