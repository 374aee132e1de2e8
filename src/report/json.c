#include "rooftally/base/utf8.h"

#include "write.h"

/* Written as \uXXXX whatever reads it: controls, C1 among them, quote and backslash, the
 * marks that turn the direction of text, and line ends of JavaScript. */
static bool is_escaped(uint32_t code)
{
    return code < 0x20 || code == '"' || code == '\\' || (code >= 0x7f && code < 0xa0)
           || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void json_put_inside(struct text text, FILE *out)
{
    static const char digits[] = "0123456789abcdef";
    const char *s = text.bytes;
    for (int64_t i = 0; i < text.n;) {
        uint32_t code;
        int n = utf8_read(s + i, (size_t)(text.n - i), &code);
        if (n == 0) {
            fputs("\xef\xbf\xbd", out);
            i++;
        } else if (is_escaped(code)) {
            fputs("\\u", out);
            for (int shift = 12; shift >= 0; shift -= 4)
                putc(digits[code >> shift & 15], out);
            i += n;
        } else {
            for (; n > 0; n--)
                putc(s[i++], out);
        }
    }
}

void json_put_text(struct text text, FILE *out)
{
    putc('"', out);
    json_put_inside(text, out);
    putc('"', out);
}
