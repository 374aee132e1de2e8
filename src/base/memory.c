#include "rooftally/base/memory.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, LEAST_BYTES = 1 << 20 };

int memory_init(struct memory *memory, int64_t budget_bytes, struct error *err)
{
    char text[24];
    if (budget_bytes < LEAST_BYTES)
        return error_set(err,
                         ERROR_BUDGET,
                         "a memory of %s is too small: 1.0 MiB is the least",
                         memory_size_text(text, budget_bytes));
    void *base = mmap(NULL,
                      (size_t)budget_bytes,
                      PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1,
                      0);
    if (base == MAP_FAILED)
        return error_set(err,
                         ERROR_BUDGET,
                         "the system has no %s of address space: lower it",
                         memory_size_text(text, budget_bytes));
    *memory = (struct memory){ .base = base, .budget_bytes = budget_bytes };
    return 0;
}

void memory_release(struct memory *memory)
{
    if (memory->base)
        munmap(memory->base, (size_t)memory->budget_bytes);
    *memory = (struct memory){ 0 };
}

void memory_prefault(struct memory *memory, int64_t n_bytes)
{
    if (n_bytes > memory->budget_bytes)
        n_bytes = memory->budget_bytes;
    /* one call takes a quarter of the time of as many faults; Linux has it since 5.14 */
    if (madvise(memory->base, (size_t)n_bytes, MADV_POPULATE_WRITE) == 0)
        return;
    volatile uint8_t *bytes = memory->base;
    for (int64_t at = 0; at < n_bytes; at += 4096)
        bytes[at] = bytes[at]; /* a read alone would map the shared zero page */
}

void *memory_take(struct memory *memory,
                  enum memory_owner owner,
                  int64_t n_bytes,
                  struct error *err)
{
    int64_t n = 0;
    if (n_bytes >= 0 && n_bytes <= memory->budget_bytes)
        n = (n_bytes + ALIGNMENT - 1) & ~(int64_t)(ALIGNMENT - 1);
    if (n_bytes < 0 || n_bytes > memory->budget_bytes
        || n > memory_free_bytes(memory)) {
        char needs[24], left[24], budget[24];
        error_set(err,
                  ERROR_BUDGET,
                  "%s needs %s, %s of %s are free: raise [limits] memory",
                  memory_owner_name(owner),
                  memory_size_text(needs, n_bytes),
                  memory_size_text(left, memory_free_bytes(memory)),
                  memory_size_text(budget, memory->budget_bytes));
        return NULL;
    }
    void *bytes = memory->base + memory->used_bytes;
    memory->used_bytes += n;
    memory->live_bytes[owner] += n;
    if (memory->used_bytes > memory->peak_bytes)
        memory->peak_bytes = memory->used_bytes;
    if (memory->live_bytes[owner] > memory->owner_peak_bytes[owner])
        memory->owner_peak_bytes[owner] = memory->live_bytes[owner];
    return bytes;
}

int64_t memory_free_bytes(const struct memory *memory)
{
    return memory->budget_bytes - memory->used_bytes;
}

struct memory_mark memory_mark(const struct memory *memory)
{
    struct memory_mark mark = { .used_bytes = memory->used_bytes };
    memcpy(mark.live_bytes, memory->live_bytes, sizeof mark.live_bytes);
    return mark;
}

void memory_rewind(struct memory *memory, const struct memory_mark *mark)
{
    assert(mark->used_bytes <= memory->used_bytes);
    memory->used_bytes = mark->used_bytes;
    memcpy(memory->live_bytes, mark->live_bytes, sizeof memory->live_bytes);
}

const char *memory_owner_name(enum memory_owner owner)
{
    static const char *const names[MEMORY_N_OWNERS] = {
        "zones",      "schedule",  "batch",  "geometry", "grid",
        "statistics", "selection", "record", "gather"
    };
    return (unsigned)owner < MEMORY_N_OWNERS ? names[owner] : "nobody";
}

static int64_t read_status(const char *file, const char *fmt, int64_t scale)
{
    FILE *status = fopen(file, "r");
    long long value = 0;
    char line[256];
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, fmt, &value) == 1)
            break;
    if (status)
        fclose(status);
    return value * scale;
}

int64_t memory_rss_bytes(void)
{
    return read_status("/proc/self/statm", "%*d %lld", sysconf(_SC_PAGESIZE));
}

int64_t memory_peak_rss_bytes(void)
{
    return read_status("/proc/self/status", "VmHWM: %lld kB", 1024);
}

int64_t memory_heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}

char *memory_size_text(char text[24], int64_t n_bytes)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    double size = (double)n_bytes;
    int unit = 0;
    for (; unit < 4 && (size >= 1024 || size <= -1024); unit++)
        size /= 1024;
    snprintf(text, 24, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
    return text;
}
