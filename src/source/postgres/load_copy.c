#include "load_copy.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { BUFFER_BYTES = 256 * 1024 };

static void put(struct load_copy *copy, const void *bytes, int64_t n)
{
    assert(copy->n + n <= BUFFER_BYTES);
    memcpy(copy->buffer + copy->n, bytes, (size_t)n);
    copy->n += n;
    copy->n_bytes += n;
}

/* Big-endian, as the protocol has it. */
static void put_number(struct load_copy *copy, uint64_t value, int n)
{
    uint8_t bytes[8];
    for (int i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    put(copy, bytes, n);
}

static int flush(struct load_copy *copy, struct error *err)
{
    if (session_put(copy->session, copy->buffer, copy->n, err))
        return -1;
    copy->n = 0;
    return 0;
}

int load_copy_open(struct load_copy *copy,
                   struct session *session,
                   const char *statement,
                   struct memory *memory,
                   struct error *err)
{
    static const char signature[] = "PGCOPY\n\377\r\n"; /* and its zero */
    uint8_t *buffer = memory_take(memory, MEMORY_BATCH, BUFFER_BYTES, err);
    if (!buffer || session_copy_in(session, statement, err))
        return -1;
    *copy = (struct load_copy){ .session = session, .buffer = buffer };
    put(copy, signature, sizeof signature);
    put_number(copy, 0, 4); /* flags */
    put_number(copy, 0, 4); /* length of the header extension */
    return 0;
}

int load_copy_row(struct load_copy *copy,
                  int n_fields,
                  int64_t most_bytes,
                  struct error *err)
{
    assert(most_bytes + 64 <= BUFFER_BYTES); /* with the header, in front of row one */
    if (copy->n + 2 + most_bytes > BUFFER_BYTES && flush(copy, err) < 0)
        return -1;
    put_number(copy, (uint64_t)n_fields, 2);
    return 0;
}

void load_copy_null(struct load_copy *copy)
{
    put_number(copy, UINT32_MAX, 4);
}

void load_copy_int4(struct load_copy *copy, int32_t value)
{
    put_number(copy, 4, 4);
    put_number(copy, (uint32_t)value, 4);
}

void load_copy_int8(struct load_copy *copy, int64_t value)
{
    put_number(copy, 8, 4);
    put_number(copy, (uint64_t)value, 8);
}

void load_copy_float8(struct load_copy *copy, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(copy, 8, 4);
    put_number(copy, bits, 8);
}

void load_copy_bytes(struct load_copy *copy, const void *bytes, int64_t n)
{
    put_number(copy, (uint64_t)n, 4);
    put(copy, bytes, n);
}

int load_copy_commit(struct load_copy *copy, struct error *err)
{
    if (copy->n + 2 > BUFFER_BYTES && flush(copy, err) < 0)
        return -1;
    put_number(copy, 0xffff, 2); /* trailer: -1 fields */
    if (flush(copy, err) < 0)
        return -1;
    return session_put_end(copy->session, NULL, err);
}

void load_copy_cancel(struct load_copy *copy)
{
    (void)session_put_end(copy->session, "given up", NULL);
}
