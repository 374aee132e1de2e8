/* Sorting the records that lie in memory. */
#ifndef ROOFTALLY_SOURCE_SORT_ENTRIES_H
#define ROOFTALLY_SOURCE_SORT_ENTRIES_H

#include <stdint.h>
#include <string.h>

/* A record: its first eight bytes as a number, and where it lies (length, bytes). */
struct sort_entry {
    uint64_t prefix;
    const uint8_t *record;
};

/* A record in memory and in the file is its length in 4 bytes, then itself. */
enum { SORT_LENGTH_BYTES = 4 };

static inline int64_t sort_length(const uint8_t *record)
{
    uint32_t n;
    memcpy(&n, record, sizeof n);
    return n;
}

static inline struct sort_entry sort_entry_of(const uint8_t *record)
{
    uint8_t head[8] = { 0 };
    uint64_t prefix;
    int64_t n = sort_length(record);
    if (n >= 8)
        memcpy(head, record + SORT_LENGTH_BYTES, 8);
    else
        memcpy(head, record + SORT_LENGTH_BYTES, (size_t)n);
    memcpy(&prefix, head, sizeof prefix);
    return (struct sort_entry){ __builtin_bswap64(prefix), record };
}

int sort_compare(const struct sort_entry *a, const struct sort_entry *b);

/* In place: no memory but the stack's, less than 100 KiB. */
void sort_entries(struct sort_entry *entries, int64_t n);

#endif
