/*
 * COPY's binary stream into a batch. Input: a byte for the id's type, one for the number of
 * columns, one a column for its type; then messages, each after its length in two bytes.
 */
#include "copy.h"
#include "fuzz.h"

static struct memory memory;

static const uint8_t header[19] = "PGCOPY\n\xff\r\n";

/* A square at the origin, and two buildings of it: id, geometry, six columns. */
static void seeds(void)
{
    static const uint8_t square[] = {
        1, 3, 0, 0, 0x20, 0xe6, 0x10, 0,    0, /* SRID 4326 */
        1, 0, 0, 0, 4,    0,    0,    0,       /* one ring of four */
        0, 0, 0, 0, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0,    0,
        0, 0, 0, 0, 0,    0,    0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0,    0,
        0, 0, 0, 0, 0,    0,    0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
        0, 0, 0, 0, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0,    0
    };
    static const uint8_t types[] = { 6, 1, 2, 3, 4, 5, 6 };
    static const int widths[] = { 1, 8, 8, 5, 4, 8 };
    must(memory_init(&memory, 1 << 20, NULL) == 0);
    for (int text_id = 0; text_id < 2; text_id++) {
        uint8_t bytes[1024], *at = bytes, *length;
        *at++ = (uint8_t)text_id;
        memcpy(at, types, sizeof types);
        at += sizeof types;
        for (int row = 0; row < 3; row++) {
            length = at;
            at += 2;
            if (row == 0) {
                memcpy(at, header, sizeof header);
                at += sizeof header;
            }
            if (row == 2) {
                memcpy(at, "\xff\xff", 2);
                at += 2;
            } else {
                memcpy(at, "\0\x08\0\0\0\x08\0\0\0\0\0\0\0\7", 14);
                memcpy(at + 14, "\0\0\0", 3);
                at[17] = sizeof square;
                memcpy(at + 18, square, sizeof square);
                at += 18 + sizeof square;
                for (int c = 0; c < 6; c++) {
                    int null = row == 1 && c == 3, n = null ? 0 : widths[c];
                    memset(at, null ? 0xff : 0, 4);
                    if (!null)
                        at[3] = (uint8_t)n;
                    memset(at + 4, c == 0 ? 1 : '0' + c, (size_t)n);
                    at += 4 + n;
                }
            }
            length[0] = (uint8_t)(at - length - 2);
            length[1] = (uint8_t)((at - length - 2) >> 8);
        }
        seed(bytes, (size_t)(at - bytes));
    }
}

/* All that a row says lies in the batch. */
static void read_rows(const struct batch *batch)
{
    uint64_t sum = 0;
    for (int32_t row = 0; row < batch->n_rows; row++) {
        const struct text *geometry = &batch->geometry[row];
        uint8_t fault = batch->faults[row];
        must(fault <= EWKB_LAST);
        must(fault == EWKB_FINE || fault == EWKB_COLLECTED
             || batch->boxes[row].xmin > batch->boxes[row].xmax);
        for (int64_t i = 0; i < geometry->n; i++)
            sum += (uint8_t)geometry->bytes[i];
        for (int c = -1; c < batch->n_columns; c++) {
            const struct column *column = c < 0 ? &batch->id : &batch->columns[c];
            must(c >= 0 || column->valid[row] == (fault != EWKB_NO_ID));
            if (!column->valid[row])
                continue;
            if (column->type == TYPE_TEXT)
                for (int64_t i = 0; i < column->texts[row].n; i++)
                    sum += (uint8_t)column->texts[row].bytes[i];
            else
                sum += (uint64_t)column->integers[row];
            must(column->type != TYPE_BOOLEAN || column->integers[row] >> 1 == 0);
        }
    }
    must(batch->bytes_used >= 0 && batch->bytes_used <= batch->bytes_capacity);
    static volatile uint64_t sink;
    sink = sum;
}

static void add_message(const uint8_t *message,
                        int64_t n,
                        bool first,
                        const struct copy_shape *shape,
                        struct batch *batch)
{
    struct copy_field fields[COPY_MAX_FIELDS];
    struct error err = { ERROR_NONE, "" };
    int64_t at = first ? copy_header(message, n, &err) : 0;
    int found =
        at < 0 ? -1
               : copy_row(message + at, n - at, fields, shape->n_columns + 2, &err);
    if (found == 1) {
        found = copy_add(fields, shape, batch, &err);
        if (found == 0) {
            read_rows(batch);
            batch_reset(batch);
            found = copy_add(fields, shape, batch, &err);
            must(found != 0);
        }
    }
    if (found < 0)
        must_tell(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct taker taker = { bytes, n };
    struct memory_mark mark = memory_mark(&memory);
    static struct binding binding;
    struct copy_shape shape = { .srid = 4326 };
    struct batch batch;
    binding =
        (struct binding){ .id_type = take_byte(&taker) & 1 ? TYPE_TEXT : TYPE_INTEGER };
    shape.n_columns = take_byte(&taker) % 12;
    binding.n_slots = shape.n_columns + 1; /* one that the source does not fill */
    for (int c = 0; c < shape.n_columns; c++) {
        shape.slot[c] = c;
        binding.slots[c].type = (enum value_type)(
            TYPE_BOOLEAN + take_byte(&taker) % (TYPE_TIMESTAMP - TYPE_BOOLEAN + 1));
    }
    binding.slots[shape.n_columns].type = TYPE_INTEGER;
    binding.slots[shape.n_columns].origin = SLOT_MEASURE;
    must(batch_init(&batch, &binding, 3, 300, &memory, NULL) == 0);
    memset(batch.columns[shape.n_columns].valid, 0, 3);
    for (bool first = true; taker.n > 0; first = false) {
        size_t n_message = take_short(&taker);
        n_message = n_message < taker.n ? n_message : taker.n;
        uint8_t *message = malloc(n_message ? n_message : 1);
        take_bytes(&taker, message, n_message);
        add_message(message, (int64_t)n_message, first, &shape, &batch);
        free(message);
    }
    read_rows(&batch);
    memory_rewind(&memory, &mark);
    return 0;
}
