/* Sorting the records that lie in memory. */
#ifndef ROOFTALLY_SOURCE_SORT_ENTRIES_H
#define ROOFTALLY_SOURCE_SORT_ENTRIES_H

#include <stdint.h>

/* A record: its first eight bytes as a number, and where it lies (length, bytes). */
struct sort_entry {
    uint64_t prefix;
    const uint8_t *record;
};

/* A record in memory and in the file is its length in 4 bytes, then itself. */
enum { SORT_LENGTH_BYTES = 4 };

struct sort_entry sort_entry_of(const uint8_t *record);
int64_t sort_length(const uint8_t *record);
int sort_compare(const struct sort_entry *a, const struct sort_entry *b);

/* In place: no memory but the stack's, of depth log n. */
void sort_entries(struct sort_entry *entries, int64_t n);

#endif
