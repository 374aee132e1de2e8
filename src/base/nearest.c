#include "rooftally/base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64 };

/* Levenshtein distance with one row of the matrix; LONGEST + 1 when too long. */
static int distance(const char *a, const char *b)
{
    int n_a = (int)strnlen(a, LONGEST + 1), n_b = (int)strnlen(b, LONGEST + 1);
    if (n_a > LONGEST || n_b > LONGEST)
        return LONGEST + 1;
    int row[LONGEST + 1];
    for (int j = 0; j <= n_b; j++)
        row[j] = j;
    for (int i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            int same =
                tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            int best = diagonal + !same;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n_b];
}

const char *nearest_word(const char *word, const char *const *words, int n_words)
{
    const char *nearest = NULL;
    int n = (int)strnlen(word, LONGEST), best = n / 2 + 1;
    for (int i = 0; i < n_words; i++) {
        int d = distance(word, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}
