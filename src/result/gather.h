/*
 * From the spools of all ranks to one file: what the steps of result_write share.
 *
 *   survey   every rank's records: where the rows of each zone lie, lengths, categories
 *   layout   rank 0 alone: groups, datasets, scales, and what it knows by itself
 *   slabs    all together: the rows that come from the records
 */
#ifndef ROOFTALLY_RESULT_GATHER_H
#define ROOFTALLY_RESULT_GATHER_H

#include "rooftally/base/syncer.h"
#include "rooftally/result/result.h"

#include "field.h"

struct gather {
    struct comm *comm;
    const struct result_input *input;
    struct spool *spool;
    struct memory *memory;
    struct field_table table;

    /* Rows of zone z in a family: first[family][z] to first[family][z + 1]; NULL for
     * FAMILY_ZONE, whose rows are the zones. */
    int64_t *first[N_FAMILIES];
    int64_t n_rows[N_FAMILIES];

    bool is_consistent; /* all zones were read under one snapshot */

    double bytes_in_all, bytes_done; /* for progress */
    struct syncer *syncer; /* of the file, while slabs are written; on rank 0 */
};

/* The record that was read last, so that a zone cut across slabs is read once. */
struct reader {
    struct gather *gather;
    struct memory_mark mark; /* the record lies above */
    int64_t index;           /* -1: none */
    struct zone_record record;
};

void reader_init(struct reader *reader, struct gather *gather);
int reader_get(struct reader *reader, int64_t index, struct error *err);

/* Each is collective and agreed. */
int gather_survey(struct gather *gather, struct error *err);
int gather_layout(struct gather *gather, const char *path, struct error *err);
int gather_slabs(struct gather *gather, const char *path, struct error *err);

/* First row of a zone in a family, and one past its last. */
int64_t gather_first(const struct gather *gather, enum family family, int64_t zone);

#endif
