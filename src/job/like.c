#include "evaluate.h"

struct cursor {
    const char *at, *end;
};

static bool ended(const struct cursor *cursor)
{
    return cursor->at >= cursor->end;
}

static void skip_character(struct cursor *cursor)
{
    do
        cursor->at++;
    while (!ended(cursor) && ((unsigned char)*cursor->at & 0xc0) == 0x80);
}

static int bad_escape(struct error *err)
{
    return error_set(err, ERROR_DATA, "a LIKE pattern ends in its escape, a backslash");
}

/* After a '%': skip the wildcards that follow, and as many characters as they ask for.
 * Returns 1 when the match is decided (*matches), 0 when not, -1 failed. */
static int pass_wildcards(struct cursor *text,
                          struct cursor *pattern,
                          bool *matches,
                          struct error *err)
{
    for (; !ended(pattern) && (*pattern->at == '%' || *pattern->at == '_');
         pattern->at++) {
        if (*pattern->at == '%')
            continue;
        if (ended(text)) {
            *matches = false;
            return 1;
        }
        skip_character(text);
    }
    if (ended(pattern)) {
        *matches = true;
        return 1;
    }
    if (*pattern->at == '\\' && pattern->end - pattern->at < 2)
        return bad_escape(err);
    return 0;
}

/* Move the text to the next place where what follows the last '%' may begin. */
static bool find_start(struct cursor *text, const struct cursor *pattern)
{
    char first = *pattern->at == '\\' ? pattern->at[1] : *pattern->at;
    while (!ended(text) && *text->at != first)
        skip_character(text);
    return !ended(text);
}

/* PostgreSQL's like_match.c (MatchText), which meets a bad escape only where it gets
 * that far. Only the last '%' needs to be tried again: when what follows a later one
 * is nowhere to be found, moving an earlier one on cannot help. */
int like_match(struct text string, struct text like, struct error *err)
{
    struct cursor text = { string.bytes, string.bytes + string.n };
    struct cursor pattern = { like.bytes, like.bytes + like.n };
    struct cursor text_again = text, pattern_again = pattern;
    bool again = false; /* there was a '%' */
    while (!ended(&text)) {
        bool fails = ended(&pattern);
        if (!fails && *pattern.at == '%') {
            bool matches;
            pattern.at++;
            int decided = pass_wildcards(&text, &pattern, &matches, err);
            if (decided)
                return decided < 0 ? -1 : matches;
            if (!find_start(&text, &pattern))
                return 0;
            text_again = text;
            pattern_again = pattern;
            again = true;
            continue;
        }
        if (!fails && *pattern.at == '_') {
            skip_character(&text);
            pattern.at++;
            continue;
        }
        if (!fails && *pattern.at == '\\') {
            pattern.at++;
            if (ended(&pattern))
                return bad_escape(err);
        }
        fails = fails || *pattern.at != *text.at;
        if (!fails) {
            text.at++;
            pattern.at++;
            continue;
        }
        if (!again)
            return 0;
        skip_character(&text_again);
        if (!find_start(&text_again, &pattern_again))
            return 0;
        text = text_again;
        pattern = pattern_again;
    }
    while (!ended(&pattern) && *pattern.at == '%')
        pattern.at++;
    return ended(&pattern);
}
