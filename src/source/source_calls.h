/*
 * What an implementation of a source embeds first, and the calls it answers. The
 * contracts of the calls are those of rooftally/source/source.h.
 */
#ifndef ROOFTALLY_SOURCE_SOURCE_CALLS_H
#define ROOFTALLY_SOURCE_SOURCE_CALLS_H

#include "rooftally/source/source.h"

struct source_calls {
    void (*close)(struct source *source);
    int (*bind)(struct source *source,
                const struct binding *binding,
                struct error *err);
    /* NULL, with the calls that follow but next and cancel: it can only be scanned. */
    int (*zones)(struct source *source,
                 struct zone_list *zones,
                 struct memory *memory,
                 struct error *err);
    int (*zone)(struct source *source,
                const char *id,
                int32_t n_id,
                struct text *wkb,
                struct memory *memory,
                struct error *err);
    int (*buildings)(struct source *source, const struct zone *zone, struct error *err);
    int (*next)(struct source *source, struct batch *batch, struct error *err);
    int32_t (*geometry)(struct source *source,
                        struct batch *batch,
                        const int32_t *rows,
                        int32_t n_rows,
                        struct error *err);
    void (*cancel)(struct source *source);
    int (*scan)(struct source *source, /* NULL: the source cannot */
                enum source_table table,
                const struct binding *binding,
                int part,
                int n_parts,
                struct error *err);
    /* These may be NULL: all is done when it is reached. */
    int (*enter)(struct source *source, const char *snapshot, struct error *err);
    int (*encode)(struct source *source,
                  uint8_t **bytes,
                  int64_t *n_bytes,
                  struct error *err);
    int (*follow)(struct source *source,
                  const uint8_t *bytes,
                  int64_t n_bytes,
                  struct error *err);
    struct zone_shape (*zone_shape)(const struct source *source); /* NULL: unknown */
    /* These may be NULL: nothing to prepare, to reopen, to lose, to count. */
    int (*prepare)(struct source *source, struct memory *memory, struct error *err);
    int64_t (*prepared_bytes)(struct source *source, int64_t budget_bytes);
    int (*reopen)(struct source *source, struct error *err);
    int (*check)(struct source *source, struct error *err);
    int (*connections)(struct source *source, int64_t *n_free, struct error *err);
    int (*count)(struct source *source,
                 struct zone_list *zones,
                 struct geos *geos,
                 double most_s,
                 struct source_work *work,
                 struct memory *memory,
                 struct error *err);
    int (*costs)(struct source *source,
                 int64_t n_zones,
                 double n_candidates,
                 struct source_costs *costs,
                 struct error *err);
    void (*rest)(struct source *source);
    bool (*reads_file)(const struct source *source, const char *path);
    const char *(*warned)(struct source *source, int64_t *n);
    int (*explain)(struct source *source,
                   const struct source_scans *scans,
                   FILE *out,
                   int n_ranks,
                   int64_t *n_free,
                   struct error *err);
};

struct source {
    const struct source_calls *calls;
    struct source_schema schema; /* its columns and CRS definition are on the heap */
    char snapshot[64];
};

enum {
    COVER_MAX = 16, /* boxes that cover a zone */
    COVER_COST =
        60, /* candidates that one more box must save: a descent of the index */
};

/* Append a column; copies its words. Returns 0, or -1 with ERROR_BUDGET. */
int source_columns_add(struct source_columns *columns,
                       const char *name,
                       enum value_type type,
                       const char *type_name,
                       const char *sql,
                       struct error *err);
void source_columns_release(struct source_columns *columns);

/* The column of that name, NULL when there is none. */
const struct source_column *source_columns_find(const struct source_columns *columns,
                                                const char *name);

/* ERROR_USAGE "table: no column 'hight': did you mean 'height'?". Returns -1. */
int source_columns_missing(const struct source_columns *columns,
                           const char *table,
                           const char *name,
                           struct error *err);

#endif
