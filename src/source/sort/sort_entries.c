#include "sort_entries.h"

#include <stdbool.h>
#include <string.h>

int sort_compare(const struct sort_entry *a, const struct sort_entry *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    int64_t n_a = sort_length(a->record), n_b = sort_length(b->record);
    int order = memcmp(a->record + SORT_LENGTH_BYTES,
                       b->record + SORT_LENGTH_BYTES,
                       (size_t)(n_a < n_b ? n_a : n_b));
    return order ? order : (n_a > n_b) - (n_a < n_b);
}

static void swap(struct sort_entry *a, struct sort_entry *b)
{
    struct sort_entry kept = *a;
    *a = *b;
    *b = kept;
}

static bool is_before(const struct sort_entry *a, const struct sort_entry *b)
{
    return a->prefix != b->prefix ? a->prefix < b->prefix : sort_compare(a, b) < 0;
}

static void insert(struct sort_entry *entries, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct sort_entry entry = entries[i];
        int64_t to = i;
        for (; to > 0 && is_before(&entry, &entries[to - 1]); to--)
            entries[to] = entries[to - 1];
        entries[to] = entry;
    }
}

static void sink(struct sort_entry *entries, int64_t at, int64_t n)
{
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && sort_compare(&entries[child], &entries[child + 1]) < 0)
            child++;
        if (sort_compare(&entries[at], &entries[child]) >= 0)
            return;
        swap(&entries[at], &entries[child]);
    }
}

static void heap_sort(struct sort_entry *entries, int64_t n)
{
    for (int64_t i = n / 2; i-- > 0;)
        sink(entries, i, n);
    for (int64_t i = n; i-- > 1;) {
        swap(&entries[0], &entries[i]);
        sink(entries, 0, i);
    }
}

/* The middle one of three, put first. */
static void choose_pivot(struct sort_entry *entries, int64_t n)
{
    struct sort_entry *a = entries, *b = entries + n / 2, *c = entries + n - 1;
    if (sort_compare(a, b) < 0)
        swap(a, b);
    if (sort_compare(b, c) < 0)
        swap(b, c);
    if (sort_compare(a, b) > 0)
        swap(a, b);
}

/* Quicksort, until it has split badly as often as only bad luck or malice can make it. */
static void sort_to_depth(struct sort_entry *entries, int64_t n, int depth)
{
    while (n > 16) {
        if (depth-- == 0) {
            heap_sort(entries, n);
            return;
        }
        choose_pivot(entries, n);
        int64_t low = 0, high = n;
        for (;;) {
            while (++low < n && sort_compare(&entries[low], &entries[0]) < 0)
                ;
            while (sort_compare(&entries[--high], &entries[0]) > 0)
                ;
            if (low >= high)
                break;
            swap(&entries[low], &entries[high]);
        }
        swap(&entries[0], &entries[high]);
        int64_t n_right = n - high - 1;
        if (high < n_right) {
            sort_to_depth(entries, high, depth);
            entries += high + 1;
            n = n_right;
        } else {
            sort_to_depth(entries + high + 1, n_right, depth);
            n = high;
        }
    }
    insert(entries, n);
}

static void sort_by_comparing(struct sort_entry *entries, int64_t n)
{
    int depth = 2;
    for (int64_t i = n; i > 0; i /= 2)
        depth += 2;
    sort_to_depth(entries, n, depth);
}

enum { LEAST_DIGIT_BITS = 8, MOST_DIGIT_BITS = 10, MOST_DIGITS = 1 << MOST_DIGIT_BITS };

/* Bits of the prefix, from `shift` on. */
struct digit {
    int shift, n_bits;
};

static int digit_of(struct digit digit, uint64_t prefix)
{
    return (int)(prefix >> digit.shift & ((UINT64_C(1) << digit.n_bits) - 1));
}

/* Put every entry into the bucket of its digit, in place: each swap brings one home. Not
 * inline: what it needs of the stack it shall not need once more for each digit. */
__attribute__((noinline)) static void
deal(struct sort_entry *entries, struct digit digit, const int64_t *ends)
{
    int64_t next[MOST_DIGITS];
    int n = 1 << digit.n_bits;
    next[0] = 0;
    memcpy(next + 1, ends, sizeof *ends * (size_t)(n - 1));
    for (int home = 0; home < n; home++)
        while (next[home] < ends[home]) {
            struct sort_entry entry = entries[next[home]];
            int to = digit_of(digit, entry.prefix);
            while (to != home) {
                struct sort_entry *there = &entries[next[to]++], kept = *there;
                *there = entry;
                entry = kept;
                to = digit_of(digit, entry.prefix);
            }
            entries[next[home]++] = entry;
        }
}

/* The first bits in which prefixes differ, so many that about eight entries have each digit,
 * and no fewer than make eight digits of a prefix; none where all are equal. */
static struct digit first_digit(const struct sort_entry *entries, int64_t n)
{
    enum { EACH_BITS = 3 };
    uint64_t differ = 0;
    for (int64_t i = 1; i < n; i++)
        differ |= entries[i].prefix ^ entries[0].prefix;
    int n_differ = differ ? 64 - __builtin_clzll(differ) : 0;
    int wanted = 64 - __builtin_clzll((uint64_t)n) - EACH_BITS;
    int n_bits = wanted < LEAST_DIGIT_BITS  ? LEAST_DIGIT_BITS
                 : wanted < MOST_DIGIT_BITS ? wanted
                                            : MOST_DIGIT_BITS;
    n_bits = n_bits < n_differ ? n_bits : n_differ;
    return (struct digit){ n_differ - n_bits, n_bits };
}

/* By the prefix, digit after digit; few, or equal ones, by comparing. */
void sort_entries(struct sort_entry *entries, int64_t n)
{
    enum { FEW = 64 };
    int64_t ends[MOST_DIGITS], first = 0;
    struct digit digit = { 0, 0 };
    if (n > FEW)
        digit = first_digit(entries, n);
    if (digit.n_bits == 0) {
        sort_by_comparing(entries, n);
        return;
    }
    int n_digits = 1 << digit.n_bits;
    memset(ends, 0, sizeof *ends * (size_t)n_digits);
    for (int64_t i = 0; i < n; i++)
        ends[digit_of(digit, entries[i].prefix)]++;
    for (int i = 1; i < n_digits; i++)
        ends[i] += ends[i - 1];
    deal(entries, digit, ends);
    for (int i = 0; i < n_digits; i++) {
        if (ends[i] - first > 1)
            sort_entries(entries + first, ends[i] - first);
        first = ends[i];
    }
}
