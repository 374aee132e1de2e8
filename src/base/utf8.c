#include "rooftally/base/utf8.h"

int utf8_read(const char *text, size_t n, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *at = (const unsigned char *)text;
    int length = at[0] < 0x80   ? 1
                 : at[0] < 0xc2 ? 0
                 : at[0] < 0xe0 ? 2
                 : at[0] < 0xf0 ? 3
                 : at[0] < 0xf5 ? 4
                                : 0;
    if ((size_t)length > n)
        return 0;
    *code = length > 1 ? at[0] & (0x7fu >> length) : at[0];
    for (int i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3fu);
    }
    bool is_one = *code >= least[length] && *code <= 0x10ffff
                  && (*code < 0xd800 || *code >= 0xe000);
    return is_one ? length : 0;
}

int utf8_length(const char *text, size_t n)
{
    uint32_t code;
    return utf8_read(text, n, &code);
}

bool utf8_is_harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0)
           || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

bool utf8_is_text(const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        int length = utf8_length(text + i, n - i);
        if (length == 0)
            return false;
        i += (size_t)length;
    }
    return true;
}
