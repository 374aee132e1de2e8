#include "rooftally/base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 64 };

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters to insert, to leave out, to replace, or neighbours to swap ("optimal string
 * alignment"), with three rows of the matrix; LONGEST + 1 when too long. */
static int distance(const char *a, const char *b)
{
    int n_a = (int)strnlen(a, LONGEST + 1), n_b = (int)strnlen(b, LONGEST + 1);
    if (n_a > LONGEST || n_b > LONGEST)
        return LONGEST + 1;
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n_a; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            int best = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2])
                && same_letter(a[i - 2], b[j - 1]) && two_above[j - 2] + 1 < best)
                best = two_above[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n_a % 3][n_b];
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
