/* The bytes of a finished zone, as a spool holds them. */
#include <math.h>

#include "rooftally/statistics/record.h"

#include "fuzz.h"
#include "statistics/fixture.h"

static struct fixture_batch batch;
static struct memory memory;
static struct statistics *set;

struct bytes {
    uint8_t bytes[1 << 16] __attribute__((aligned(8)));
    size_t n;
};

static int put(void *context, const void *bytes, size_t n, struct error *err)
{
    struct bytes *out = context;
    if (n > sizeof out->bytes - out->n)
        return error_set(err, ERROR_BUDGET, "too long to be put");
    memcpy(out->bytes + out->n, bytes, n);
    out->n += n;
    return 0;
}

static void seed_record(int n, int n_rejected)
{
    static struct bytes bytes;
    static struct column keep[4];
    static struct text reasons[] = { { "empty", 5 }, { "", 0 }, { "NaN", 3 } };
    static const struct zone_facts facts = { .area_m2 = 1e6 };
    struct memory_mark mark = memory_mark(&memory);
    struct fold *fold;
    struct zone_record record = { .row = 41,
                                  .n_candidates = 1000,
                                  .n_selected = n,
                                  .n_rejected = n_rejected,
                                  .snapshot = "00000003-0000001B-1",
                                  .wkb = { "not quite wkb", 13 },
                                  .n_outputs = statistics_n_outputs(set),
                                  .n_keep = 4,
                                  .keep = keep,
                                  .rejected_id = batch.text_id,
                                  .rejected_reason = reasons };
    record.outputs = memory_take(&memory,
                                 MEMORY_RECORD,
                                 record.n_outputs * (int64_t)sizeof *record.outputs,
                                 NULL);
    must(fold_begin(&fold, set, &memory, NULL) == 0);
    must(fold_add(fold, batch.columns, &batch.text_id, batch.rows, n, NULL) == 0);
    must(fold_end(fold, &facts, record.outputs, NULL) == 0);
    keep[0] = batch.text_id;
    keep[1] = batch.columns[HEIGHT];
    keep[2] = batch.columns[USE];
    keep[3] = batch.columns[LISTED];
    bytes.n = 0;
    must(record_encode(&record, set, put, &bytes, NULL) == 0);
    seed(bytes.bytes, bytes.n);
    memory_rewind(&memory, &mark);
}

static void seeds(void)
{
    static const char *const some[][2] = {
        { "n", "count" },
        { "mean", "mean(height)" },
        { "mode", "mode(use)" },
        { "uses", "frequency(use)" },
        { "heights", "frequency(height)" },
        { "storeys", "frequency(floors)" },
        { "bins", "histogram(height, 0, 10, 4)" },
        { "top", "top(height, 3)" },
        { NULL, NULL },
    };
    fixture_fill(&batch, 99);
    must(fixture_bind(&set, some, TYPE_TEXT, NULL) == 0
         && memory_init(&memory, 16 << 20, NULL) == 0);
    for (int n = 0; n < 4; n++)
        seed_record(3 * n, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct memory_mark mark = memory_mark(&memory);
    struct zone_record record = { .row = -7 }, again;
    struct error err = { ERROR_NONE, "" };
    static struct bytes out;
    if (record_decode(&record, set, bytes, (int64_t)n, &memory, &err) < 0) {
        must_tell(&err);
        must(record.row == -7 && !record.outputs);
    } else {
        /* reading all of it is the test: encoding does */
        out.n = 0;
        must(record_encode(&record, set, put, &out, &err) == 0);
        must((int64_t)out.n == record_size(&record, set));
        must(record_decode(&again, set, out.bytes, (int64_t)out.n, &memory, &err) == 0);
    }
    memory_rewind(&memory, &mark);
    return 0;
}
