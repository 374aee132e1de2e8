/* What ranks say to each other: decoded, walked through, and encoded again. */
#include "rooftally/schedule/message.h"

#include "fuzz.h"

static void seeds(void)
{
    static const struct message_zone zones[] = { { 4, 1e6, 5, "02139" },
                                                 { 7, 0, 0, "" },
                                                 { 9, 3, 2, "\xc3\xa9" } };
    for (int kind = MESSAGE_READY; kind <= MESSAGE_SIGNAL; kind++) {
        uint8_t bytes[MESSAGE_FIXED_BYTES + 256];
        struct message message = { .kind = (enum message_kind)kind,
                                   .unit = 3,
                                   .n_zones = kind == MESSAGE_UNIT ? 3 : 0,
                                   .row = 12,
                                   .code = kind >= MESSAGE_FAILED ? ERROR_SOURCE : 0 };
        strcpy(message.text, kind >= MESSAGE_FAILED ? "zone 02139: lost" : "");
        int64_t n = message_encode(&message, zones, bytes, sizeof bytes, NULL);
        must(n > 0);
        seed(bytes, (size_t)n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct message message, again;
    struct message_zone zones[64];
    struct error err = { ERROR_NONE, "" };
    if (message_decode(&message, bytes, (int64_t)n, &err) < 0) {
        must_tell(&err);
        return 0;
    }
    must(memchr(message.text, '\0', sizeof message.text));
    int64_t at = 0;
    int n_zones = 0;
    struct message_zone zone;
    uint64_t sum = 0;
    while (message_next_zone(&message, &at, &zone) == 1) {
        for (int32_t i = 0; i < zone.n_id; i++)
            sum += (uint8_t)zone.id[i];
        if (n_zones < 64)
            zones[n_zones] = zone;
        n_zones++;
    }
    static volatile uint64_t sink;
    sink = sum;
    must(n_zones == (message.kind == MESSAGE_UNIT ? message.n_zones : 0));
    if (n_zones > 64)
        return 0;
    uint8_t *encoded = malloc(n + MESSAGE_FIXED_BYTES);
    int64_t n_encoded = message_encode(&message,
                                       zones,
                                       encoded,
                                       (int64_t)n + MESSAGE_FIXED_BYTES,
                                       &err);
    must(n_encoded > 0);
    must(message_decode(&again, encoded, n_encoded, &err) == 0);
    must(again.kind == message.kind && again.row == message.row
         && strcmp(again.text, message.text) == 0);
    free(encoded);
    return 0;
}
