/*
 * The one reservation of a rank: every buffer whose size follows from the data is cut from
 * it, but for one row of PostgreSQL on its way, one geometry that GEOS is given, what a store
 * keeps of its index (a box for each group of blocks, the zones' ids), and what foreign
 * libraries take themselves.
 *
 * A stack of bytes. Buffers live until the memory is rewound to a mark taken before
 * them, so lifetimes nest: job, then unit, then zone, then batch. Rewinding keeps the
 * pages, so the next zone uses the same ones and RSS stays at the largest zone.
 *
 *   0            job      mark    zone      mark   batch              budget
 *   |#############|========|########|=========|######|..................|
 *
 * Invariants  used_bytes <= budget_bytes, always; sum of live_bytes == used_bytes
 */
#ifndef ROOFTALLY_BASE_MEMORY_H
#define ROOFTALLY_BASE_MEMORY_H

#include <stdint.h>

#include "rooftally/base/error.h"

enum memory_owner {
    MEMORY_ZONES,      /* the coordinator's list of zones */
    MEMORY_SCHEDULE,   /* work units and messages */
    MEMORY_BATCH,      /* rows in flight from the source */
    MEMORY_GEOMETRY,   /* the open zone's geometry */
    MEMORY_GRID,       /* its cells and edges */
    MEMORY_STATISTICS, /* states of the statistics of the open zone */
    MEMORY_SELECTION,  /* ids and fields of the buildings selected in the open zone */
    MEMORY_RECORD,     /* the finished zone on its way to the spool */
    MEMORY_GATHER,     /* slabs on their way to the result */
    MEMORY_N_OWNERS
};

struct memory {
    uint8_t *base;        /* NULL when released */
    int64_t budget_bytes; /* what the user allows */
    int64_t used_bytes;   /* top of the stack */
    int64_t peak_bytes;   /* highest top ever */
    int64_t live_bytes[MEMORY_N_OWNERS];
    int64_t owner_peak_bytes[MEMORY_N_OWNERS];
};

struct memory_mark {
    int64_t used_bytes;
    int64_t live_bytes[MEMORY_N_OWNERS];
};

/*
 * Reserve budget_bytes of address space; pages are touched as they are used.
 *
 * Returns  0, or -1 with
 *            ERROR_BUDGET  the system refuses, or budget_bytes is under 1 MiB
 */
int memory_init(struct memory *memory, int64_t budget_bytes, struct error *err);
void memory_release(struct memory *memory);

/* Touch the first n_bytes (at most the budget), so that page faults do not fall into
 * the work and a small job holds what a large one holds. */
void memory_prefault(struct memory *memory, int64_t n_bytes);

/*
 * Take n_bytes, aligned to 64, contents undefined; n_bytes may be 0.
 *
 * Owner    the memory; valid until a rewind to an earlier mark
 * Returns  the bytes, or NULL with
 *            ERROR_BUDGET  "selection needs 80.0 MiB, 12.3 MiB of 64.0 MiB are free"
 */
void *memory_take(struct memory *memory,
                  enum memory_owner owner,
                  int64_t n_bytes,
                  struct error *err);

int64_t memory_free_bytes(const struct memory *memory);
struct memory_mark memory_mark(const struct memory *memory);
void memory_rewind(struct memory *memory, const struct memory_mark *mark);

const char *memory_owner_name(enum memory_owner owner);

/* Resident bytes of this process now (/proc/self/statm), and bytes in use on the heap
 * of the C library, foreign libraries included. */
int64_t memory_rss_bytes(void);
int64_t memory_heap_bytes(void);
/* Highest resident bytes so far (VmHWM). */
int64_t memory_peak_rss_bytes(void);

/* "64.0 MiB" into text; returns text. */
char *memory_size_text(char text[24], int64_t n_bytes);

#endif
