/* What the ranks tell of themselves: collected on rank 0, written by it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "layout.h"

/* Samples of all ranks together, so that a wide run does not outgrow rank 0. */
enum { MOST_SAMPLES = 64 * 1024 };

#define RANK(name) offsetof(struct rank_telemetry, name)
#define SAMPLE(name) offsetof(struct memory_sample, name)

struct member {
    const char *name, *units, *long_name;
    enum value_type type; /* INTEGER or REAL */
    size_t offset;
};

static const struct member of_rank[] = {
    { "zones", "1", "zones analysed", TYPE_INTEGER, RANK(n_zones) },
    { "busy", "s", "wall time at work", TYPE_REAL, RANK(busy_s) },
    { "waiting", "s", "wall time without work", TYPE_REAL, RANK(waiting_s) },
    { "busy_cpu", "s", "processor time at work", TYPE_REAL, RANK(busy_cpu_s) },
    { "cpu", "s", "processor time in all", TYPE_REAL, RANK(cpu_s) },
    { "peak_rss", "byte", "most resident memory", TYPE_INTEGER, RANK(peak_rss_bytes) },
    { "peak_live",
      "byte",
      "most memory in use of the reservation",
      TYPE_INTEGER,
      RANK(peak_live_bytes) },
    { "messages", "1", "messages sent and received", TYPE_INTEGER, RANK(n_messages) },
    { "candidates", "1", "candidates read", TYPE_INTEGER, RANK(n_candidates) },
    { "bytes", "byte", "bytes read from the source", TYPE_INTEGER, RANK(n_bytes) },
};

static const struct member of_sample[] = {
    { "time", "s", "time since the start of the run", TYPE_REAL, SAMPLE(time_s) },
    { "rss", "byte", "resident memory", TYPE_INTEGER, SAMPLE(rss_bytes) },
    { "heap",
      "byte",
      "memory of the C library's heap",
      TYPE_INTEGER,
      SAMPLE(heap_bytes) },
    { "live",
      "byte",
      "memory in use of the reservation",
      TYPE_INTEGER,
      SAMPLE(live_bytes) },
};

/* This rank's telemetry and its samples behind it, thinned out evenly. */
static uint8_t *
pack(struct gather *g, int64_t n_most, int64_t *n_bytes, struct error *err)
{
    struct rank_telemetry own = *g->input->telemetry;
    int64_t step = n_most > 0 ? (own.n_samples + n_most - 1) / n_most : 0;
    step = step < 1 ? 1 : step;
    int64_t n = own.n_samples > 0 ? (own.n_samples + step - 1) / step : 0;
    *n_bytes = (int64_t)sizeof own + n * (int64_t)sizeof *own.samples;
    uint8_t *bytes = memory_take(g->memory, MEMORY_GATHER, *n_bytes, err);
    if (!bytes)
        return NULL;
    for (int64_t i = 0; i < n; i++)
        memcpy(bytes + sizeof own + (size_t)i * sizeof *own.samples,
               &own.samples[i * step],
               sizeof *own.samples);
    own.n_samples = (int)n;
    own.samples = NULL;
    memcpy(bytes, &own, sizeof own);
    return bytes;
}

int layout_collect(struct gather *gather, uint8_t **bytes, struct error *err)
{
    int size = comm_size(gather->comm);
    struct memory *memory = gather->memory;
    int64_t n_most = MOST_SAMPLES / size, n_own = 0;
    uint8_t *own = pack(gather, n_most, &n_own, err), *all = NULL;
    int64_t *counts =
        memory_take(memory, MEMORY_GATHER, size * (int64_t)sizeof *counts, err);
    int64_t n_all = own ? n_own : 0;
    if (comm_agree(gather->comm, own && counts ? 0 : -1, err) < 0
        || comm_sum(gather->comm, &n_all, 1, err) < 0)
        return -1;
    if (comm_rank(gather->comm) > 0)
        n_all = 0;
    all = memory_take(memory, MEMORY_GATHER, n_all, err);
    if (comm_agree(gather->comm, all ? 0 : -1, err) < 0)
        return -1;
    int status = comm_gather(gather->comm, own, n_own, all, n_all, counts, err);
    *bytes = all;
    return comm_agree(gather->comm, status, err);
}

/* The next rank's telemetry and samples. */
static const uint8_t *
next_rank(const uint8_t *at, struct rank_telemetry *rank, const uint8_t **samples)
{
    memcpy(rank, at, sizeof *rank);
    *samples = at + sizeof *rank;
    return *samples + (size_t)rank->n_samples * sizeof *rank->samples;
}

static int write_member(struct gather *g,
                        hid_t group,
                        const struct member *member,
                        const char *scale,
                        const uint8_t *telemetry,
                        bool is_of_sample,
                        int64_t n,
                        struct error *err)
{
    struct memory_mark mark = memory_mark(g->memory);
    uint8_t *values = memory_take(g->memory, MEMORY_GATHER, 8 * n, err), *to = values;
    const uint8_t *at = telemetry, *samples = NULL;
    if (!values)
        return -1;
    for (int i = 0; i < comm_size(g->comm); i++) {
        struct rank_telemetry rank;
        const uint8_t *from = at;
        at = next_rank(at, &rank, &samples);
        if (!is_of_sample) {
            memcpy(to, from + member->offset, 8);
            to += 8;
        }
        for (int k = 0; is_of_sample && k < rank.n_samples; k++, to += 8)
            memcpy(to, samples + (size_t)k * sizeof *rank.samples + member->offset, 8);
    }
    bool is_real = member->type == TYPE_REAL;
    struct layout_column column = { member->name,
                                    member->units,
                                    member->long_name,
                                    is_real ? H5T_IEEE_F64LE : H5T_STD_I64LE,
                                    n,
                                    scale };
    hid_t type = is_real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
    int status = layout_write(group, &column, type, values, err);
    memory_rewind(g->memory, &mark);
    return status;
}

/* The number of its rank, beside every rank or every sample. */
static int write_numbers(struct gather *g,
                         hid_t group,
                         const char *scale,
                         const uint8_t *telemetry,
                         int64_t n,
                         struct error *err)
{
    struct memory_mark mark = memory_mark(g->memory);
    int64_t *values =
        memory_take(g->memory, MEMORY_GATHER, n * (int64_t)sizeof *values, err);
    if (!values)
        return -1;
    int64_t at = 0;
    for (int i = 0; i < comm_size(g->comm); i++) {
        struct rank_telemetry rank;
        const uint8_t *samples;
        telemetry = next_rank(telemetry, &rank, &samples);
        for (int k = 0; k < (scale ? rank.n_samples : 1); k++)
            values[at++] = i;
    }
    struct layout_column column = { "rank", "1", "rank", H5T_STD_I64LE, n, scale };
    int status = layout_write(group, &column, H5T_NATIVE_INT64, values, err);
    memory_rewind(g->memory, &mark);
    return status;
}

static int
write_hosts(struct gather *g, hid_t group, const uint8_t *telemetry, struct error *err)
{
    enum { WIDTH = sizeof(((struct rank_telemetry *)0)->host) };
    struct memory_mark mark = memory_mark(g->memory);
    int n = comm_size(g->comm), status = -1;
    char *hosts = memory_take(g->memory, MEMORY_GATHER, (int64_t)n * WIDTH, err);
    hid_t type = h5_text_type(WIDTH);
    if (hosts) {
        memset(hosts, 0, (size_t)n * WIDTH);
        for (int i = 0; i < n; i++) {
            struct rank_telemetry rank;
            const uint8_t *samples;
            telemetry = next_rank(telemetry, &rank, &samples);
            memcpy(hosts + (size_t)i * WIDTH, rank.host, strnlen(rank.host, WIDTH));
        }
        struct layout_column column = { "host", "", "host that the rank ran on",
                                        type,   n,  "/telemetry/rank/rank" };
        status = layout_write(group, &column, type, hosts, err);
    }
    h5_close(&type, H5Tclose);
    memory_rewind(g->memory, &mark);
    return status;
}

static int
write_ranks(struct gather *g, hid_t group, const uint8_t *telemetry, struct error *err)
{
    const char *scale = "/telemetry/rank/rank";
    int64_t n = comm_size(g->comm);
    if (write_numbers(g, group, NULL, telemetry, n, err) < 0
        || write_hosts(g, group, telemetry, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof of_rank / sizeof *of_rank; i++)
        if (write_member(g, group, &of_rank[i], scale, telemetry, false, n, err) < 0)
            return -1;
    for (int owner = 0; owner < MEMORY_N_OWNERS; owner++) {
        char name[40], long_name[80];
        const char *word = memory_owner_name((enum memory_owner)owner);
        snprintf(name, sizeof name, "peak_%s", word);
        snprintf(long_name, sizeof long_name, "most memory in use by %s", word);
        struct member member = { name,
                                 "byte",
                                 long_name,
                                 TYPE_INTEGER,
                                 RANK(owner_peak_bytes)
                                     + (size_t)owner * sizeof(int64_t) };
        if (write_member(g, group, &member, scale, telemetry, false, n, err) < 0)
            return -1;
    }
    return 0;
}

static int write_samples(struct gather *g,
                         hid_t group,
                         const uint8_t *telemetry,
                         struct error *err)
{
    const char *scale = "/telemetry/memory/sample";
    const uint8_t *at = telemetry, *samples = NULL;
    int64_t n = 0;
    for (int i = 0; i < comm_size(g->comm); i++) {
        struct rank_telemetry rank;
        at = next_rank(at, &rank, &samples);
        n += rank.n_samples;
    }
    hid_t dimension = h5_create_dimension(group, "sample", n, err);
    if (dimension < 0)
        return -1;
    h5_close(&dimension, H5Dclose);
    if (write_numbers(g, group, scale, telemetry, n, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof of_sample / sizeof *of_sample; i++)
        if (write_member(g, group, &of_sample[i], scale, telemetry, true, n, err) < 0)
            return -1;
    return 0;
}

int layout_telemetry(struct gather *gather,
                     hid_t file,
                     const uint8_t *bytes,
                     struct error *err)
{
    hid_t ranks = h5_create_group(file, "/telemetry/rank", err);
    int status = ranks < 0 ? -1 : write_ranks(gather, ranks, bytes, err);
    h5_close(&ranks, H5Gclose);
    if (status < 0)
        return -1;
    hid_t samples = h5_create_group(file, "/telemetry/memory", err);
    status = samples < 0 ? -1 : write_samples(gather, samples, bytes, err);
    h5_close(&samples, H5Gclose);
    return status;
}
