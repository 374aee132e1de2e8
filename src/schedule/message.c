#include "rooftally/schedule/message.h"

#include <string.h>

/*
 * The wire: this host's own layout, as between equal ranks, without gaps; but a message is
 * data from outside, so all of it is checked.
 *
 *   0  u32 magic      4  i32 kind       8  i32 unit      12  i32 n_zones
 *  16  i64 row       24  i64 candidates 32  i64 selected  40  i64 outside
 *  48  i64 filtered  56  i64 rejected   64  i64 refined   72  i64 peak rss
 *  80  i32 code      84  i32 n_text     88  text[1000]  1088  i64 n_zones_bytes
 *1096  i64 zero    1104  zones: i64 row, f64 estimate, i32 n_id, i32 zero, id padded to 8
 */
static const uint32_t magic = 0x3154524d; /* "MRT1" */

struct fixed {
    uint32_t magic;
    int32_t kind, unit, n_zones;
    int64_t row, n_candidates, n_selected, n_outside, n_filtered, n_rejected, n_refined;
    int64_t peak_rss_bytes;
    int32_t code, n_text;
    char text[ERROR_TEXT_BYTES];
    int64_t n_zones_bytes, zero;
};
_Static_assert(sizeof(struct fixed) == MESSAGE_FIXED_BYTES, "the wire has no gaps");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as the header says");

struct zone_head {
    int64_t row;
    double estimate;
    int32_t n_id, zero;
};

static int64_t padded(int64_t n)
{
    return (n + 7) & ~INT64_C(7);
}

int64_t message_encode(const struct message *message,
                       const struct message_zone *zones,
                       uint8_t *out,
                       int64_t capacity,
                       struct error *err)
{
    int64_t n_bytes = MESSAGE_FIXED_BYTES;
    for (int32_t i = 0; i < message->n_zones; i++)
        n_bytes += (int64_t)sizeof(struct zone_head) + padded(zones[i].n_id);
    if (n_bytes > capacity)
        return error_set(err,
                         ERROR_BUDGET,
                         "a message of %lld bytes exceeds %lld",
                         (long long)n_bytes,
                         (long long)capacity);
    struct fixed fixed = {
        .magic = magic,
        .kind = message->kind,
        .unit = message->unit,
        .n_zones = message->n_zones,
        .row = message->row,
        .n_candidates = message->n_candidates,
        .n_selected = message->n_selected,
        .n_outside = message->n_outside,
        .n_filtered = message->n_filtered,
        .n_refined = message->n_refined,
        .n_rejected = message->n_rejected,
        .peak_rss_bytes = message->peak_rss_bytes,
        .code = message->code,
        .n_text = (int32_t)strnlen(message->text, sizeof message->text - 1),
        .n_zones_bytes = n_bytes - MESSAGE_FIXED_BYTES,
    };
    memcpy(fixed.text, message->text, (size_t)fixed.n_text);
    memcpy(out, &fixed, sizeof fixed);
    uint8_t *at = out + sizeof fixed;
    for (int32_t i = 0; i < message->n_zones; i++) {
        struct zone_head head = { zones[i].row, zones[i].estimate, zones[i].n_id, 0 };
        memcpy(at, &head, sizeof head);
        at += sizeof head;
        memset(at, 0, (size_t)padded(head.n_id));
        memcpy(at, zones[i].id, (size_t)head.n_id);
        at += padded(head.n_id);
    }
    return n_bytes;
}

/* Walk the zones of a UNIT once, so that message_next_zone can trust them. */
static int check_zones(const struct message *message)
{
    int64_t at = 0;
    for (int32_t i = 0; i < message->n_zones; i++) {
        struct zone_head head;
        if (message->n_zones_bytes - at < (int64_t)sizeof head)
            return -1;
        memcpy(&head, message->zones + at, sizeof head);
        at += (int64_t)sizeof head;
        if (head.n_id < 0 || padded(head.n_id) > message->n_zones_bytes - at)
            return -1;
        at += padded(head.n_id);
    }
    return at == message->n_zones_bytes ? 0 : -1;
}

int message_decode(struct message *message,
                   const uint8_t *bytes,
                   int64_t n_bytes,
                   struct error *err)
{
    struct fixed fixed;
    if (n_bytes < MESSAGE_FIXED_BYTES)
        return error_set(err,
                         ERROR_FORMAT,
                         "a message of %lld bytes",
                         (long long)n_bytes);
    memcpy(&fixed, bytes, sizeof fixed);
    if (fixed.magic != magic || fixed.kind < MESSAGE_READY
        || fixed.kind > MESSAGE_SIGNAL || fixed.n_text < 0
        || fixed.n_text >= (int32_t)sizeof fixed.text
        || fixed.n_zones_bytes != n_bytes - MESSAGE_FIXED_BYTES || fixed.n_zones < 0
        || (fixed.kind != MESSAGE_UNIT && fixed.n_zones > 0))
        return error_set(err, ERROR_FORMAT, "a message that is none of ours");
    struct message m = {
        .kind = (enum message_kind)fixed.kind,
        .unit = fixed.unit,
        .n_zones = fixed.n_zones,
        .row = fixed.row,
        .n_candidates = fixed.n_candidates,
        .n_selected = fixed.n_selected,
        .n_outside = fixed.n_outside,
        .n_filtered = fixed.n_filtered,
        .n_refined = fixed.n_refined,
        .n_rejected = fixed.n_rejected,
        .peak_rss_bytes = fixed.peak_rss_bytes,
        .code = fixed.code,
        .zones = bytes + MESSAGE_FIXED_BYTES,
        .n_zones_bytes = fixed.n_zones_bytes,
    };
    memcpy(m.text, fixed.text, (size_t)fixed.n_text);
    if (check_zones(&m) < 0)
        return error_set(err, ERROR_FORMAT, "a message whose zones do not fit in it");
    *message = m;
    return 0;
}

int message_next_zone(const struct message *message,
                      int64_t *at,
                      struct message_zone *zone)
{
    if (*at >= message->n_zones_bytes)
        return 0;
    struct zone_head head;
    memcpy(&head, message->zones + *at, sizeof head);
    *at += (int64_t)sizeof head;
    *zone = (struct message_zone){ .row = head.row,
                                   .estimate = head.estimate,
                                   .n_id = head.n_id,
                                   .id = (const char *)message->zones + *at };
    *at += padded(head.n_id);
    return 1;
}
