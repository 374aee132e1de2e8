/* The known word nearest to a mistyped one. */
#ifndef ROOFTALLY_BASE_NEAREST_H
#define ROOFTALLY_BASE_NEAREST_H

/* The word of `words` with the least edit distance (Levenshtein, case folded) to
 * `word`; NULL when none is nearer than half its length. */
const char *nearest_word(const char *word, const char *const *words, int n_words);

#endif
