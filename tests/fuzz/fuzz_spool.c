/*
 * The spool that an earlier attempt left: its manifest and one file of records. Input: a
 * byte of options, the length of the manifest in two, its text, and the file. Checksums are
 * made right where an option says so, so that what lies behind them is reached. What is
 * found is read, and gathered into a result.
 */
#include <fcntl.h>
#include <unistd.h>

#include "rooftally/base/crc32c.h"

#include "fuzz.h"
#include "result/case.h"
#include "spool_file.h"

enum { N_ZONES = 3, MEMORY = 24 << 20, PATH_BYTES = SCRATCH_BYTES + 32 };
enum { FIX_SUMS = 1, WRITE_RESULT = 2, ONE_BY_ONE = 4 };

static char output[SCRATCH_BYTES], spool_path[SCRATCH_BYTES + 8];
static struct comm *alone;
static struct memory memory;
static struct binding binding;

static const struct spool_manifest manifest = {
    .run = "2026-11-22T10:38:40Z node7 4711",
    .source = "postgresql, database gis of system 7123456789",
    .job = "[zones] table = public.zipcode\n[buildings] where = height > 10\n"
           "[statistics] n = count\n",
    .n_zones = N_ZONES,
    .zones_crc = 0x1a2b3c4d,
};

static void write_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

static size_t read_file(const char *path, uint8_t *bytes, size_t most)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, most);
    must(n >= 0);
    close(fd);
    return (size_t)n;
}

/* The sum in a manifest's second line, of what follows it. */
static void fix_manifest(uint8_t *bytes, size_t n)
{
    enum { LINE = 18, SUM = 8 };
    const char *word = "crc32c ";
    size_t at = LINE + strlen(word), rest = at + SUM + 1;
    char sum[SUM + 1];
    if (n < rest)
        return;
    snprintf(sum, sizeof sum, "%08x", (unsigned)crc32c(0, bytes + rest, n - rest));
    memcpy(bytes + at, sum, SUM);
}

static void path_of(const char *name, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", spool_path, name);
}

static void make_seed(uint8_t options, enum case_kind kind, int64_t n_zones)
{
    static uint8_t bytes[1 << 20];
    char path[PATH_BYTES];
    struct spool *spool;
    must(spool_create(spool_path, NULL) == 0
         && spool_put_manifest(spool_path, &manifest, NULL) == 0
         && spool_open(&spool, spool_path, manifest.run, 1, 0, NULL) == 0);
    binding = case_binding(kind);
    must(case_fill(spool, kind, &binding, n_zones, alone, &memory, NULL) == 0);
    spool_close(spool);
    path_of("manifest", path);
    size_t n = read_file(path, bytes + 3, 60000);
    bytes[0] = options;
    bytes[1] = (uint8_t)n;
    bytes[2] = (uint8_t)(n >> 8);
    path_of("rank-0.1", path);
    n += 3 + read_file(path, bytes + 3 + n, sizeof bytes - 3 - n);
    seed(bytes, n);
}

static void seeds(void)
{
    scratch_path("out.h5", output);
    snprintf(spool_path, sizeof spool_path, "%s.spool", output);
    must(comm_open(&alone, NULL, NULL, NULL) == 0
         && memory_init(&memory, MEMORY, NULL) == 0);
    for (uint8_t options = 0; options < 8; options++)
        make_seed(options,
                  options & 4 ? CASE_EMPTY : CASE_FULL,
                  options & 1 ? 1 : N_ZONES);
    binding = case_binding(CASE_FULL);
}

/* Every whole head gets the checksum of what it is said to hold. */
static void fix_sums(uint8_t *bytes, size_t n)
{
    struct spool_head head;
    for (size_t at = 0; n - at >= sizeof head;) {
        memcpy(&head, bytes + at, sizeof head);
        size_t left = n - at - sizeof head;
        if (head.n_bytes < 0 || (size_t)head.n_bytes > left)
            return;
        head.magic = SPOOL_MAGIC;
        head.run = crc32c(0, manifest.run, strlen(manifest.run));
        head.crc = crc32c(spool_head_crc(&head),
                          bytes + at + sizeof head,
                          (size_t)head.n_bytes);
        memcpy(bytes + at, &head, sizeof head);
        size_t padded = ((size_t)head.n_bytes + 7) & ~(size_t)7;
        if (padded > left)
            return;
        at += sizeof head + padded;
    }
}

/* All that the files hold goes into a file of our own: writing it reads it. */
static void read_records(struct spool *spool, struct spool *copy)
{
    struct error err = { ERROR_NONE, "" };
    int64_t n = spool_n_records(spool), last = INT64_MIN;
    for (int64_t i = 0; i < n; i++) {
        struct memory_mark mark = memory_mark(&memory);
        struct zone_record record;
        const struct spool_entry *entry = spool_entry(spool, i);
        must(entry->row > last || i == 0);
        last = entry->row;
        if (spool_read(spool, i, &case_statistics, &record, &memory, &err) < 0)
            must_tell(&err);
        else if (record.n_outputs == CASE_N_OUTPUTS)
            must(spool_append(copy, &record, &case_statistics, &err) == 0);
        memory_rewind(&memory, &mark);
    }
}

static void write_result(struct spool *spool)
{
    struct case_input c;
    struct error err = { ERROR_NONE, "" };
    int64_t used = memory.used_bytes;
    case_input_init(&c, CASE_FULL, output, N_ZONES, alone);
    c.input.force = 1;
    if (result_write(alone, &c.input, spool, &memory, &err) < 0)
        must(err.code != ERROR_NONE && err.text[0]);
    must(memory.used_bytes == used);
    case_input_release(&c);
}

static void read_spool(uint8_t options)
{
    struct memory_mark mark = memory_mark(&memory);
    struct error err = { ERROR_NONE, "" };
    struct spool *spool = NULL, *copy = NULL;
    struct spool_contents there;
    must(spool_count(spool_path, &there, &memory, &err) == 0
         && there.last_attempt == 1);
    must(spool_open(&spool, spool_path, manifest.run, 2, 0, &err) == 0
         && spool_inherit(spool, 1, &err) == 0);
    must(spool_scan(spool, &memory, &err) == 0);
    must(spool_n_records(spool) <= there.n_zones);
    if (options & ONE_BY_ONE) {
        must(spool_open(&copy, spool_path, manifest.run, 3, 0, &err) == 0);
        read_records(spool, copy);
        spool_close(copy);
    }
    if (options & WRITE_RESULT) {
        memory_rewind(&memory, &mark);
        write_result(spool);
    }
    spool_close(spool);
    char path[PATH_BYTES];
    path_of("rank-0.2", path);
    unlink(path);
    path_of("rank-0.3", path);
    unlink(path);
    memory_rewind(&memory, &mark);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct taker taker = { bytes, n };
    struct error err = { ERROR_NONE, "" };
    char path[PATH_BYTES], run[SPOOL_RUN_BYTES];
    uint8_t options = take_byte(&taker);
    size_t n_manifest = take_short(&taker);
    n_manifest = n_manifest < taker.n ? n_manifest : taker.n;
    uint8_t *text = malloc(n_manifest + 1);
    memcpy(text, taker.bytes, n_manifest);
    if (options & FIX_SUMS)
        fix_manifest(text, n_manifest);
    path_of("manifest", path);
    write_file(path, text, n_manifest);
    free(text);
    uint8_t *file = malloc(taker.n - n_manifest + 1);
    memcpy(file, taker.bytes + n_manifest, taker.n - n_manifest);
    if (options & FIX_SUMS)
        fix_sums(file, taker.n - n_manifest);
    path_of("rank-0.1", path);
    write_file(path, file, taker.n - n_manifest);
    free(file);
    int known = spool_check_manifest(spool_path, &manifest, run, &err);
    if (known < 0)
        must_tell(&err);
    else
        must(known == 1 && memchr(run, '\0', sizeof run));
    read_spool(options);
    return 0;
}
