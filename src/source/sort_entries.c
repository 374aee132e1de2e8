#include "sort_entries.h"

#include <string.h>

int64_t sort_length(const uint8_t *record)
{
    uint32_t n;
    memcpy(&n, record, sizeof n);
    return n;
}

struct sort_entry sort_entry_of(const uint8_t *record)
{
    uint8_t head[8] = { 0 };
    uint64_t prefix;
    int64_t n = sort_length(record);
    memcpy(head, record + SORT_LENGTH_BYTES, n < 8 ? (size_t)n : 8);
    memcpy(&prefix, head, sizeof prefix);
    return (struct sort_entry){ __builtin_bswap64(prefix), record };
}

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

static void insert(struct sort_entry *entries, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = i; j > 0 && sort_compare(&entries[j], &entries[j - 1]) < 0;
             j--)
            swap(&entries[j], &entries[j - 1]);
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

/* Put every entry into the bucket of its digit, in place: each swap brings one home. */
static void
deal(struct sort_entry *entries, int shift, const int64_t *counts, int64_t *ends)
{
    int64_t next[256], sum = 0;
    for (int digit = 0; digit < 256; digit++) {
        next[digit] = sum;
        sum += counts[digit];
        ends[digit] = sum;
    }
    for (int digit = 0; digit < 256; digit++)
        while (next[digit] < ends[digit]) {
            struct sort_entry entry = entries[next[digit]];
            int to = (int)(entry.prefix >> shift & 255);
            while (to != digit) {
                struct sort_entry *there = &entries[next[to]++], kept = *there;
                *there = entry;
                entry = kept;
                to = (int)(entry.prefix >> shift & 255);
            }
            entries[next[digit]++] = entry;
        }
}

/* By the prefix, a byte at a time from the first; few, or equal ones, by comparing. */
static void sort_by_digit(struct sort_entry *entries, int64_t n, int shift)
{
    enum { FEW = 64 };
    int64_t counts[256] = { 0 }, ends[256];
    if (n <= FEW || shift < 0) {
        sort_by_comparing(entries, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        counts[entries[i].prefix >> shift & 255]++;
    if (counts[entries[0].prefix >> shift & 255] == n) {
        sort_by_digit(entries, n, shift - 8);
        return;
    }
    deal(entries, shift, counts, ends);
    for (int digit = 0; digit < 256; digit++)
        if (counts[digit] > 1)
            sort_by_digit(entries + ends[digit] - counts[digit],
                          counts[digit],
                          shift - 8);
}

void sort_entries(struct sort_entry *entries, int64_t n)
{
    sort_by_digit(entries, n, 56);
}
