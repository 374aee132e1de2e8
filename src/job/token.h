/* The words of an expression. */
#ifndef ROOFTALLY_JOB_TOKEN_H
#define ROOFTALLY_JOB_TOKEN_H

#include <stdbool.h>

#include "rooftally/base/error.h"
#include "rooftally/base/terms.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* a keyword, function or bare name, folded in `word` */
    TOKEN_QUOTED, /* a name in double quotes */
    TOKEN_STRING,
    TOKEN_INTEGER, /* digits alone */
    TOKEN_REAL,
    TOKEN_SYMBOL, /* in `word` */
};

struct token {
    enum token_kind kind;
    int first, end;        /* bytes of the text */
    char word[NAME_BYTES]; /* of WORD and SYMBOL */
};

/*
 * Read the token at or after text[at].
 *
 * Returns  0, or -1 with ERROR_USAGE "column 8: ..."
 */
int token_read(struct token *token, const char *text, int at, struct error *err);

/* Whether it is this keyword or symbol. */
bool token_is(const struct token *token, const char *word);

/* The column of a byte, counted in characters from 1. */
int token_column(const char *text, int at);

/* What a QUOTED or STRING token holds, quotes undoubled, on the heap; *n may be NULL. */
char *token_unquote(const struct token *token, const char *text, int *n);

#endif
