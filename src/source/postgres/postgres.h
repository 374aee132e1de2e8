/*
 * The source that reads from PostgreSQL with PostGIS. One connection a rank, one
 * read-only transaction on the shared snapshot, one COPY a zone.
 */
#ifndef ROOFTALLY_SOURCE_POSTGRES_H
#define ROOFTALLY_SOURCE_POSTGRES_H

#include "rooftally/geometry/ewkb.h"

#include "copy.h"
#include "session.h"
#include "source_calls.h"
#include "sql.h"

/* A table of the job as the server knows it. */
struct postgres_table {
    const char *section; /* "zones" or "buildings", for messages */
    const char *alias;   /* "z" or "b" */
    const char *name;    /* as the job spells it, borrowed */
    char oid[16];
    char kind;                 /* pg_class.relkind */
    int64_t n_blocks;          /* when it was found; 0: it cannot be read by them */
    char *sql;                 /* "public"."building" */
    const char *id, *geometry; /* columns, exact; borrowed from the schema */
    int32_t srid;              /* of the geometry; 0 unknown */
    bool has_rows;             /* false: srid 0 says nothing */
};

struct postgres {
    struct source base;
    struct session session;
    const struct job *job;
    int rank;
    char postgis[136]; /* its schema, quoted, with the dot: "public". */
    struct postgres_table zones, buildings;

    struct copy_shape shape;
    struct sql statement; /* of the buildings; the cover goes behind n_prefix */
    size_t n_prefix;
    const char *filter; /* of the binding; borrowed */
    /* what the server computes with, for messages: "volume, where" */
    char numbers[BINDING_MAX_SLOTS * (NAME_BYTES + 2) + sizeof "where"];

    bool exports;           /* its transaction holds the shared snapshot */
    bool index_only;        /* the planner was told to use the index */
    bool knows_zone_filter; /* and this is the server's half of it, or there is none: */
    char *zone_filter;
    bool scans;             /* though it is free to scan just now */
    bool started;           /* the header of the open copy is read */
    const uint8_t *pending; /* a row that did not fit; libpq's */
    int64_t n_pending;
};

int postgres_reach(struct source **source,
                   const struct job *job,
                   int rank,
                   bool (*stop)(void *context),
                   void *stop_context,
                   struct error *err);

/* postgres_encode.c */
int postgres_encode(struct source *source,
                    uint8_t **bytes,
                    int64_t *n_bytes,
                    struct error *err);
int postgres_follow(struct source *source,
                    const uint8_t *bytes,
                    int64_t n_bytes,
                    struct error *err);

/* postgres_schema.c: resolve tables, columns, SRIDs, CRS, indexes into base.schema; and
 * steps of it alone: PostGIS and its schema; which database it is. */
int postgres_read_schema(struct postgres *postgres, struct error *err);
int postgres_read_versions(struct postgres *postgres, struct error *err);
int postgres_read_identity(struct postgres *postgres, struct error *err);
void postgres_name_tables(struct postgres *postgres); /* as the job spells them */

/* postgres_table.c: resolve table->name, or ERROR_USAGE with the nearest known name. */
int postgres_find_table(struct postgres *postgres,
                        struct postgres_table *table,
                        struct error *err);

/* postgres_zones.c */
int postgres_zones(struct source *source,
                   struct zone_list *zones,
                   struct memory *memory,
                   struct error *err);
int postgres_zone(struct source *source,
                  const char *id,
                  int32_t n_id,
                  struct text *wkb,
                  struct memory *memory,
                  struct error *err);
/* The statements of the two calls above. */
int postgres_zones_sql(struct postgres *postgres,
                       const char *filter,
                       bool with_geometry,
                       struct sql *sql,
                       struct error *err);
int postgres_zone_sql(struct postgres *postgres, struct sql *sql, struct error *err);

/* postgres_stream.c */
int postgres_bind(struct source *source,
                  const struct binding *binding,
                  struct error *err);
/* The statement for a cover of n boxes; NULL with ERROR_BUDGET. */
const char *postgres_buildings_sql(struct postgres *postgres,
                                   const struct box *boxes,
                                   int n,
                                   struct error *err);
int postgres_buildings(struct source *source,
                       const struct zone *zone,
                       struct error *err);
int postgres_next(struct source *source, struct batch *batch, struct error *err);
/* Remember what the server is to compute, for the message when it cannot. */
void postgres_list_numbers(struct postgres *postgres, const struct binding *binding);
/* What a statement over zones or buildings failed at. Returns -1. */
int postgres_name_place(const struct postgres *postgres, struct error *err);
void postgres_cancel(struct source *source);

/* postgres_scan.c */
int postgres_scan(struct source *source,
                  enum source_table table,
                  const struct binding *binding,
                  int part,
                  int n_parts,
                  struct error *err);

/* The statement of the call above. */
int postgres_scan_sql(struct postgres *postgres,
                      const struct postgres_table *table,
                      const struct binding *binding,
                      int part,
                      int n_parts,
                      struct sql *sql,
                      struct error *err);

/* postgres_costs.c */
int postgres_costs(struct source *source,
                   int64_t n_zones,
                   double n_candidates,
                   struct source_costs *costs,
                   struct error *err);

/* postgres_transaction.c */
void postgres_rest(struct source *source);

/* postgres_explain.c */
int postgres_connections(struct source *source, int64_t *n_free, struct error *err);
int postgres_explain(struct source *source,
                     const struct source_scans *scans,
                     FILE *out,
                     int n_ranks,
                     int64_t *n_free,
                     struct error *err);

/* A value as the type that the batch expects on the wire. */
void postgres_add_value(struct sql *sql, const char *value, enum value_type type);

/* postgres_transaction.c: begin the transaction that all reading happens in. `snapshot`
 * as in source_enter. */
int postgres_begin(struct postgres *postgres, const char *snapshot, struct error *err);
int postgres_connect(struct postgres *postgres, struct error *err);
int postgres_reopen(struct source *source, struct error *err);
int postgres_check(struct source *source, struct error *err);

/* A closed rectangle as EWKB in hex: what && takes without looking anything up. */
enum { BOX_HEX_BYTES = 2 * EWKB_BOX_BYTES + 1 };
void postgres_box_hex(char hex[BOX_HEX_BYTES], const struct box *box, int32_t srid);

#endif
