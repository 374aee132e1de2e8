/*
 * What the fuzz targets share. A target defines
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
 *     static void seeds(void);     calls seed() with each input to start from
 *
 * and, once before all inputs, its own set-up in seeds() or on first use. With FUZZ_SEEDS
 * naming a folder, the seeds are written there before libFuzzer reads it.
 *
 * Origin   https://llvm.org/docs/LibFuzzer.html
 */
#ifndef ROOFTALLY_TESTS_FUZZ_H
#define ROOFTALLY_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/error.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void seeds(void);

/* A crash with its place, where a promise is broken. */
#define must(condition)                                                                \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
            abort();                                                                   \
        }                                                                              \
    } while (0)

/* A failure says what failed, on one line. */
static inline void must_tell(const struct error *err)
{
    must(err->code != ERROR_NONE && err->code != ERROR_INTERNAL);
    must(err->text[0] && memchr(err->text, '\0', sizeof err->text));
    must(!strpbrk(err->text, "\n\r"));
}

/* A file in the folder for files, FUZZ_SCRATCH, which is in memory and goes with the run. */
enum { SCRATCH_BYTES = 256 };

static inline void scratch_path(const char *name, char path[SCRATCH_BYTES])
{
    const char *folder = getenv("FUZZ_SCRATCH");
    snprintf(path, SCRATCH_BYTES, "%s/%s", folder ? folder : ".", name);
}

static inline void seed(const void *bytes, size_t n)
{
    static int number;
    const char *folder = getenv("FUZZ_SEEDS");
    char path[512];
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/seed-%03d", folder, number++);
    FILE *file = fopen(path, "wb");
    must(file && fwrite(bytes, 1, n, file) == n);
    fclose(file);
}

static inline void seed_text(const char *text)
{
    seed(text, strlen(text));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    seeds();
    return 0;
}

/* Values taken off the front of the input; zeros once it is used up. */
struct taker {
    const uint8_t *bytes;
    size_t n;
};

static inline void take_bytes(struct taker *taker, void *out, size_t n)
{
    size_t there = n < taker->n ? n : taker->n;
    memset(out, 0, n);
    memcpy(out, taker->bytes, there);
    taker->bytes += there;
    taker->n -= there;
}

static inline uint8_t take_byte(struct taker *taker)
{
    uint8_t value;
    take_bytes(taker, &value, sizeof value);
    return value;
}

static inline uint16_t take_short(struct taker *taker)
{
    uint16_t value;
    take_bytes(taker, &value, sizeof value);
    return value;
}

static inline int64_t take_integer(struct taker *taker)
{
    int64_t value;
    take_bytes(taker, &value, sizeof value);
    return value;
}

#endif
