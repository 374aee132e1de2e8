/* The different texts of a field: each is found again, and ranks are their order as bytes. */
#include <stdio.h>

#include "check.h"
#include "store_words.h"

enum { MOST_BYTES = 40, N_TEXTS = 3000 };

struct sample {
    char bytes[MOST_BYTES];
    int n;
};

static int compare(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, (size_t)(x->n < y->n ? x->n : y->n));
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static uint32_t draw(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*state * n >> 32);
}

static struct text text_of(const struct sample *sample)
{
    return (struct text){ sample->bytes, sample->n };
}

static void check(struct words *words, struct sample *samples, int n)
{
    words_init(words);
    for (int i = 0; i < n; i++)
        words_add(words, text_of(&samples[i]));
    assert_false(words->too_many);
    words_sort(words);
    qsort(samples, (size_t)n, sizeof *samples, compare);
    int n_words = 0;
    for (int i = 0; i < n; i++) {
        bool is_new = i == 0 || compare(&samples[i - 1], &samples[i]) != 0;
        n_words += is_new;
        assert_int_equal(words_rank(words, text_of(&samples[i])), n_words - 1);
        struct text word = words_at(words, n_words - 1);
        assert_int_equal(word.n, samples[i].n);
        assert_memory_equal(word.bytes, samples[i].bytes, (size_t)word.n);
    }
    assert_int_equal(words->n, n_words);
}

/* Few letters, zeros and bytes above 127 among them, so that texts differ in one place only. */
static void each_text_has_its_rank(void **state)
{
    static const char letters[] = { 'a', '\0', (char)0xff, 'b' };
    static struct words words;
    static struct sample samples[N_TEXTS];
    uint32_t seed = 1;
    (void)state;
    for (uint32_t most = 1; most <= MOST_BYTES; most++)
        for (uint32_t n_letters = 1; n_letters <= 4; n_letters++) {
            int n = few(N_TEXTS) / (int)(n_letters == 4 ? 1 : 10);
            for (int i = 0; i < n; i++) {
                samples[i].n = (int)draw(&seed, most + 1);
                memset(samples[i].bytes, 'a', MOST_BYTES);
                for (int k = 0; k < 3 && samples[i].n > 0; k++)
                    samples[i].bytes[draw(&seed, (uint32_t)samples[i].n)] =
                        letters[draw(&seed, n_letters)];
            }
            check(&words, samples, n);
        }
}

static void an_unknown_text_has_none(void **state)
{
    static struct words words;
    static const struct text known = { "residential", 11 };
    (void)state;
    words_init(&words);
    words_add(&words, known);
    words_sort(&words);
    assert_int_equal(words_rank(&words, known), 0);
    assert_int_equal(words_rank(&words, (struct text){ "residentiak", 11 }),
                     WORDS_NULL);
    assert_int_equal(words_rank(&words, (struct text){ "residentia", 10 }), WORDS_NULL);
    assert_int_equal(words_rank(&words, (struct text){ NULL, 0 }), WORDS_NULL);
    words_add(&words, (struct text){ NULL, 0 });
    words_sort(&words);
    assert_int_equal(words_rank(&words, (struct text){ NULL, 0 }), 0);
    assert_int_equal(words_rank(&words, known), 1);
}

static void too_many_are_told(void **state)
{
    static struct words words;
    char bytes[32];
    int n = 0;
    (void)state;
    words_init(&words);
    for (; n < STORE_MOST_WORDS && !words.too_many; n++) {
        int n_bytes = snprintf(bytes, sizeof bytes, "%d", n);
        words_add(&words, (struct text){ bytes, n_bytes });
    }
    assert_false(words.too_many);
    words_add(&words, (struct text){ "7", 1 });
    assert_false(words.too_many);
    words_add(&words, (struct text){ "one more", 8 });
    assert_true(words.too_many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_its_rank),
        cmocka_unit_test(an_unknown_text_has_none),
        cmocka_unit_test(too_many_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
