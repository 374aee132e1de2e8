/* What only the data and the planner know: SRIDs of unconstrained columns, the CRS,
 * whether indexes serve our statements, and how many rows there are about. */
#ifndef ROOFTALLY_SOURCE_POSTGRES_PROBE_H
#define ROOFTALLY_SOURCE_POSTGRES_PROBE_H

#include "postgres.h"

/* Look at one row where the column's type does not tell the SRID. */
int postgres_probe_srid(struct postgres *postgres,
                        struct postgres_table *table,
                        struct error *err);

/* crs, spatial_index, zone_id_index and n_buildings of the schema; and make sure that
 * the index on the buildings is used where there is one. */
int postgres_probe(struct postgres *postgres, struct error *err);

/* Tell the planner to take the index, or leave it to it. */
int postgres_use_index(struct postgres *postgres, bool only, struct error *err);
/* Leave it to the planner until postgres_use_index is called again. */
int postgres_use_scan(struct postgres *postgres, struct error *err);

/* Whether ANALYZE has left statistics on the buildings' geometry. */
int postgres_probe_statistics(struct postgres *postgres,
                              bool *there,
                              struct error *err);

#endif
