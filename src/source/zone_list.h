/* Making a zone_list of a known greatest length, zone by zone in order of id. */
#ifndef ROOFTALLY_SOURCE_ZONE_LIST_H
#define ROOFTALLY_SOURCE_ZONE_LIST_H

#include "rooftally/source/source.h"

/* One zone as a source reads it. */
struct zone_row {
    struct text id; /* bytes NULL: null */
    struct box box; /* empty: no geometry */
    int64_t n_vertices;
    double estimate; /* candidates; < 0 unknown */
};

/* Take room for n_most zones with ids of at most id_bytes; n is 0. Ids travel in messages
 * between ranks: ERROR_USAGE where they are longer than that allows. */
enum { ZONE_ID_MOST_BYTES = 1024 };
int zone_list_init(struct zone_list *zones,
                   int64_t n_most,
                   int32_t id_bytes,
                   struct memory *memory,
                   struct error *err);

/* Refuse a zone without an id, as every source does: -1 with ERROR_USAGE. */
int zone_without_id(bool is_null, struct error *err);

/* Refuse the second zone of an id: -1 with ERROR_USAGE. */
int zone_again(struct text id, struct error *err);

/* Returns 0, or -1 with ERROR_USAGE (id null, empty or a duplicate) or ERROR_SOURCE
 * (more zones than announced: they changed meanwhile). */
int zone_list_add(struct zone_list *zones,
                  int64_t n_most,
                  const struct zone_row *row,
                  struct error *err);

/* After the last zone: ids are as wide as the longest one that is in the list, whatever was
 * left out of it, so that every source gives a job the same list. */
void zone_list_end(struct zone_list *zones);

/* Replace unknown estimates: a share of n_buildings (< 0: of 1000 a zone) by area. */
void zone_list_estimate(struct zone_list *zones, double n_buildings);

#endif
