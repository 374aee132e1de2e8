/*
 * Write a synthetic state into PostgreSQL: COPY, primary keys, spatial indexes, ANALYZE.
 *
 *     zipcode   id int primary key, zip text not null unique, name text, state text,
 *               boundary geometry(MultiPolygon, 4326)
 *     building  id bigint primary key, height float8, size float8, year_built int,
 *               use text, notes text, boundary geometry(Polygon, 4326)
 *
 * Rows come zone by zone, in the order of ids. One transaction: both tables are there,
 * loaded and indexed, or nothing has changed. VACUUM ANALYZE follows it, and is left out
 * where progress says so by then.
 */
#ifndef ROOFTALLY_SOURCE_LOAD_H
#define ROOFTALLY_SOURCE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "rooftally/base/error.h"
#include "rooftally/base/memory.h"
#include "rooftally/source/synthetic.h"

struct load_options {
    const char *schema; /* made if it is not there; NULL: public */
    bool force;         /* replace tables of these names */
    /* Called often while rows are sent, with the share of rows, once with 1 before the
     * indexes are built, and below 0 while the server is waited for; true gives up with
     * ERROR_STOPPED. May be NULL. */
    bool (*progress)(void *context, double share);
    void *context;
};

/* What was done, and what it took. */
struct load_counts {
    int64_t n_zones, n_buildings, n_straddling;
    int64_t n_bytes;                  /* sent, in all */
    double copy_wall_s, index_wall_s; /* vacuum belongs to the latter */
    bool is_vacuumed;
};

/*
 * Load `state` over a connection of its own.
 *
 * conninfo  as in every libpq program; "" means the PG* environment. Error texts tell
 *           the reason alone, which may name a role, database or service, and nothing
 *           else of it.
 * Memory    under 2 MiB, rewound at the end
 * Returns   0, or -1 with
 *             ERROR_USAGE    unusable conninfo; no connection; tables that exist, without force; no
 *                            PostGIS and none can be created; no permission
 *             ERROR_SOURCE, ERROR_DATA  the connection was lost, the server refused
 *             ERROR_BUDGET
 *             ERROR_STOPPED  progress said so, before all was loaded
 */
int load_postgres(const struct synthetic_state *state,
                  const char *conninfo,
                  const struct load_options *options,
                  struct load_counts *counts,
                  struct memory *memory,
                  struct error *err);

#endif
