#include "order.h"

#include <stdbool.h>

enum { FEW = 24 };

static void swap(int64_t *a, int64_t *b)
{
    int64_t c = *a;
    *a = *b;
    *b = c;
}

static void insertion_sort(int64_t *keys, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        int64_t key = keys[i], j = i;
        for (; j > 0 && keys[j - 1] > key; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

static void sift_down(int64_t *keys, int64_t at, int64_t n)
{
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && keys[child + 1] > keys[child];
        if (keys[at] >= keys[child])
            return;
        swap(keys + at, keys + child);
    }
}

static void heap_sort(int64_t *keys, int64_t n)
{
    for (int64_t at = n / 2; at-- > 0;)
        sift_down(keys, at, n);
    for (int64_t last = n; last-- > 1;) {
        swap(keys, keys + last);
        sift_down(keys, 0, last);
    }
}

static int64_t middle(int64_t a, int64_t b, int64_t c)
{
    if (a > b)
        swap(&a, &b);
    return c < a ? a : c > b ? b : c;
}

static int64_t pivot_of(const int64_t *keys, int64_t n)
{
    int64_t m = n / 2, s = n / 8;
    return middle(middle(keys[0], keys[s], keys[2 * s]),
                  middle(keys[m - s], keys[m], keys[m + s]),
                  middle(keys[n - 1 - 2 * s], keys[n - 1 - s], keys[n - 1]));
}

/* Keys below `bound` to the front, in one pass without a branch; how many. */
static int64_t partition(int64_t *keys, int64_t n, int64_t bound)
{
    int64_t below = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t key = keys[i];
        keys[i] = keys[below];
        keys[below] = key;
        below += key < bound;
    }
    return below;
}

/* Three ranges: below the pivot, equal to it, above it. */
static void
partition3(int64_t *keys, int64_t n, int64_t *first_equal, int64_t *first_above)
{
    int64_t pivot = pivot_of(keys, n);
    *first_equal = partition(keys, n, pivot);
    *first_above = n;
    if (pivot < INT64_MAX) {
        int64_t rest = n - *first_equal;
        *first_above = *first_equal + partition(keys + *first_equal, rest, pivot + 1);
    }
}

/* Quicksort that turns to a heap sort when its splits stay uneven. */
static void sort(int64_t *keys, int64_t n, int depth)
{
    while (n > FEW) {
        int64_t equal, above;
        if (depth-- == 0) {
            heap_sort(keys, n);
            return;
        }
        partition3(keys, n, &equal, &above);
        if (equal < n - above) {
            sort(keys, equal, depth);
            keys += above;
            n -= above;
        } else {
            sort(keys + above, n - above, depth);
            n = equal;
        }
    }
    insertion_sort(keys, n);
}

static int most_depth(int64_t n)
{
    int depth = 8;
    for (; n > 0; n >>= 1)
        depth += 2;
    return depth;
}

void order_sort(int64_t *keys, int64_t n)
{
    bool sorted = true;
    for (int64_t i = 1; i < n; i++)
        sorted &= keys[i - 1] <= keys[i];
    if (!sorted)
        sort(keys, n, most_depth(n));
}

void order_select(int64_t *keys, int64_t n, int64_t k)
{
    int depth = most_depth(n);
    while (n > FEW) {
        int64_t equal, above;
        if (depth-- == 0) {
            heap_sort(keys, n);
            return;
        }
        partition3(keys, n, &equal, &above);
        if (k >= equal && k < above)
            return;
        if (k < equal) {
            n = equal;
        } else {
            keys += above;
            n -= above;
            k -= above;
        }
    }
    insertion_sort(keys, n);
}
