/*
 * What coordinator and workers say to each other, as bytes: little-endian, fixed
 * fields first, then zones.
 */
#ifndef ROOFTALLY_SCHEDULE_MESSAGE_H
#define ROOFTALLY_SCHEDULE_MESSAGE_H

#include <stdint.h>

#include "rooftally/base/error.h"

enum message_kind {
    MESSAGE_READY = 1, /* worker: I can work */
    MESSAGE_UNIT,      /* coordinator: analyse these zones */
    MESSAGE_ZONE,      /* worker: a zone is finished and in my spool */
    MESSAGE_DONE,      /* worker: all zones of the unit are finished */
    MESSAGE_FAILED,    /* worker: a zone of the unit failed; the unit is dropped */
    MESSAGE_STOP,      /* coordinator: no more units; go to the end */
    MESSAGE_STOPPED,   /* worker: I have stopped */
    MESSAGE_SIGNAL,    /* worker: I was told to stop early; all shall */
};

/* One zone of a unit. */
struct message_zone {
    int64_t row;
    double estimate;
    int32_t n_id;
    const char *id; /* borrowed from the message's bytes */
};

struct message {
    enum message_kind kind;
    int32_t unit;    /* UNIT, ZONE, DONE, FAILED */
    int32_t n_zones; /* UNIT */
    int64_t row;     /* ZONE, FAILED: which zone */
    /* ZONE: as in struct zone_record */
    int64_t n_candidates, n_selected, n_outside, n_filtered, n_rejected, n_refined;
    int64_t peak_rss_bytes; /* ZONE */
    int32_t code;           /* FAILED, STOP, SIGNAL: enum error_code; 0: no failure */
    char text[ERROR_TEXT_BYTES]; /* FAILED, STOP, SIGNAL */
    const uint8_t *zones;        /* UNIT: encoded zones, see message_next_zone */
    int64_t n_zones_bytes;
};

enum {
    MESSAGE_FIXED_BYTES = 104 + ERROR_TEXT_BYTES,
    MESSAGE_ZONE_BYTES = 24 + 8, /* that a zone takes at most besides its id */
};

/* Bytes written to out, or -1 with ERROR_BUDGET. zones[message->n_zones] for UNIT. */
int64_t message_encode(const struct message *message,
                       const struct message_zone *zones,
                       uint8_t *out,
                       int64_t capacity,
                       struct error *err);

/* ERROR_FORMAT when the bytes are not a message. */
int message_decode(struct message *message,
                   const uint8_t *bytes,
                   int64_t n_bytes,
                   struct error *err);

/* The next zone of a decoded UNIT: 1, or 0 at the end. *at starts at 0. */
int message_next_zone(const struct message *message,
                      int64_t *at,
                      struct message_zone *zone);

#endif
