#include "write.h"

/* Length of the UTF-8 sequence at s, with its code; 0 when it is none. */
static int sequence(const unsigned char *s, int64_t n, unsigned *code)
{
    static const unsigned least[] = { 0, 0x80, 0x800, 0x10000 };
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    int more = s[0] >= 0xf0 && s[0] < 0xf5   ? 3
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 2
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 1
                                             : 0;
    if (more == 0 || more >= n)
        return 0;
    *code = s[0] & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    return *code < least[more] || *code > 0x10ffff
                   || (*code >= 0xd800 && *code < 0xe000)
               ? 0
               : more + 1;
}

/* Written as \uXXXX whatever reads it: controls, C1 among them, quote and backslash, the
 * marks that turn the direction of text, and line ends of JavaScript. */
static bool is_escaped(unsigned code)
{
    return code < 0x20 || code == '"' || code == '\\' || (code >= 0x7f && code < 0xa0)
           || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void json_put_inside(struct text text, FILE *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *s = (const unsigned char *)text.bytes;
    for (int64_t i = 0; i < text.n;) {
        unsigned code;
        int n = sequence(s + i, text.n - i, &code);
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
