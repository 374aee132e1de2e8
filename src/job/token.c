#include "token.h"

#include <stdlib.h>
#include <string.h>

/* As PostgreSQL's scanner: every byte of a multibyte character is a letter. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int token_column(const char *text, int at)
{
    int column = 1;
    for (int i = 0; i < at && text[i]; i++)
        column += ((unsigned char)text[i + 1] & 0xc0) != 0x80;
    return column;
}

bool token_is(const struct token *token, const char *word)
{
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_SYMBOL)
           && strcmp(token->word, word) == 0;
}

static int refuse(const char *text, int at, const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "column %d: %s", token_column(text, at), what);
}

static int read_word(struct token *token, const char *text, int at, struct error *err)
{
    int n = 0;
    for (; is_letter(text[at]) || is_digit(text[at]) || text[at] == '$'; at++) {
        if (n == NAME_BYTES - 1)
            return refuse(text, token->first, "a name longer than 63 bytes", err);
        char c = text[at];
        token->word[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    token->word[n] = '\0';
    token->kind = TOKEN_WORD;
    token->end = at;
    return 0;
}

static int read_quoted(struct token *token, const char *text, int at, struct error *err)
{
    char quote = text[at++];
    int n = 0;
    for (; text[at] != quote || text[at + 1] == quote; at++, n++) {
        if (!text[at])
            return error_set(err,
                             ERROR_USAGE,
                             "column %d: the quote %c is never closed",
                             token_column(text, token->first),
                             quote);
        if (text[at] == quote)
            at++;
    }
    if (quote == '"' && (n == 0 || n >= NAME_BYTES))
        return refuse(text, token->first, "a name has 1 to 63 bytes", err);
    token->kind = quote == '"' ? TOKEN_QUOTED : TOKEN_STRING;
    token->end = at + 1;
    return 0;
}

static int read_number(struct token *token, const char *text, int at, struct error *err)
{
    token->kind = TOKEN_INTEGER;
    while (is_digit(text[at]))
        at++;
    if (text[at] == '.') {
        token->kind = TOKEN_REAL;
        for (at++; is_digit(text[at]);)
            at++;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        token->kind = TOKEN_REAL;
        at++;
        if (text[at] == '+' || text[at] == '-')
            at++;
        if (!is_digit(text[at]))
            return refuse(text, token->first, "a number without its exponent", err);
        while (is_digit(text[at]))
            at++;
    }
    if (is_letter(text[at]) || text[at] == '.')
        return refuse(text, token->first, "a number runs into what follows", err);
    token->end = at;
    return 0;
}

static int read_symbol(struct token *token, const char *text, int at, struct error *err)
{
    static const char *const symbols[] = { "<>", "!=", "<=", ">=", "=", "<", ">", "(",
                                           ")",  ",",  "+",  "-",  "*", "/", "%" };
    if (strncmp(text + at, "--", 2) == 0 || strncmp(text + at, "/*", 2) == 0)
        return error_set(err,
                         ERROR_USAGE,
                         "column %d: '%.2s' would begin a comment in SQL",
                         token_column(text, at),
                         text + at);
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        size_t n = strlen(symbols[i]);
        if (strncmp(text + at, symbols[i], n) == 0) {
            memcpy(token->word, symbols[i], n + 1);
            token->kind = TOKEN_SYMBOL;
            token->end = at + (int)n;
            return 0;
        }
    }
    if ((unsigned char)text[at] < 0x20 || text[at] == 0x7f)
        return refuse(text, at, "unexpected control character", err);
    return error_set(err,
                     ERROR_USAGE,
                     "column %d: unexpected '%c'",
                     token_column(text, at),
                     text[at]);
}

int token_read(struct token *token, const char *text, int at, struct error *err)
{
    while (text[at] && strchr(" \t\r\n\f\v", text[at]))
        at++;
    struct token read = { .first = at, .end = at };
    int status = 0;
    if (!text[at])
        read.kind = TOKEN_END;
    else if (is_letter(text[at]))
        status = read_word(&read, text, at, err);
    else if (is_digit(text[at]) || (text[at] == '.' && is_digit(text[at + 1])))
        status = read_number(&read, text, at, err);
    else if (text[at] == '\'' || text[at] == '"')
        status = read_quoted(&read, text, at, err);
    else
        status = read_symbol(&read, text, at, err);
    if (status == 0)
        *token = read;
    return status;
}

char *token_unquote(const struct token *token, const char *text, int *n)
{
    char *out = malloc((size_t)(token->end - token->first));
    if (!out)
        return NULL;
    int at = 0;
    for (int i = token->first + 1; i < token->end - 1; i++) {
        out[at++] = text[i];
        if (text[i] == text[token->first])
            i++;
    }
    out[at] = '\0';
    if (n)
        *n = at;
    return out;
}
