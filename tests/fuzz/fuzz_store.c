/*
 * A store whose values are damaged, opened and analysed as `run` does. Input: a byte that
 * picks the job, then changes of 12 bytes: which column, which of its values in two, how,
 * and the new value. Whatever the file says, reading ends with an answer or an error.
 *
 * With FUZZ_ANYWHERE=1 every other change goes to any byte of the file, the metadata that
 * HDF5 itself reads among them: what breaks there may be HDF5's.
 */
#include <fcntl.h>
#include <unistd.h>

#include "rooftally/schedule/analyse.h"
#include "rooftally/schedule/units.h"
#include "rooftally/source/source.h"
#include "rooftally/source/store.h"

#include "fuzz.h"
#include "source_open.h"
#include "store_format.h"

enum {
    N_ZONES = 3,
    N_BUILDINGS = 1100,
    N_JOBS = 4,
    MOST_PLACES = 128,
    MEMORY = 16 << 20
};

/* A column of the file: n values of so many bytes. */
static struct place {
    int64_t at, n;
    int width;
} places[MOST_PLACES];
static int n_places;

static int file;
static int64_t n_bytes;
static uint8_t *whole;
static char path[SCRATCH_BYTES];
static struct job *jobs[N_JOBS];
static struct memory memory;
static struct geos *geos;
static bool anywhere;

/* ---- the store ---- */

static int64_t put_square(uint8_t *out, double x, double y, double side)
{
    const uint32_t head[] = { 3, 1, 5 };
    const double points[5][2] = {
        { x, y }, { x + side, y }, { x + side, y + side }, { x, y + side }, { x, y }
    };
    out[0] = 1;
    memcpy(out + 1, head, sizeof head);
    memcpy(out + 13, points, sizeof points);
    return 13 + (int64_t)sizeof points;
}

static void add_building(struct store_writer *writer, int i)
{
    static const char *const uses[] = { "", "shed", "house", "office \xc3\xa9" };
    uint8_t wkb[128], valid[7];
    int64_t integers[3] = { i % 9 - 2, i % 2, 10000 + i }, id_value = 7 * i;
    double height = (i * 37 % 400) / 7.0;
    char note[40];
    struct text words[2] = { { uses[i % 4], (int64_t)strlen(uses[i % 4]) },
                             { note, 0 } };
    struct column columns[6] = {
        { .type = TYPE_REAL, .valid = &valid[0], .reals = &height },
        { .type = TYPE_INTEGER, .valid = &valid[1], .integers = &integers[0] },
        { .type = TYPE_BOOLEAN, .valid = &valid[2], .integers = &integers[1] },
        { .type = TYPE_DATE, .valid = &valid[3], .integers = &integers[2] },
        { .type = TYPE_TEXT, .valid = &valid[4], .texts = &words[0] },
        { .type = TYPE_TEXT, .valid = &valid[5], .texts = &words[1] },
    };
    struct column id = { .type = TYPE_INTEGER,
                         .valid = &valid[6],
                         .integers = &id_value };
    words[1].n = snprintf(note, sizeof note, "note %d of a building", i);
    for (int f = 0; f < 6; f++)
        valid[f] = (i + f) % 10 != 0;
    valid[6] = 1;
    int64_t n = put_square(wkb, i % 33 * 31, i / 33 * 31, 1 + i % 7);
    if (i % 100 == 3)
        wkb[13 + 7] = 0x7f, wkb[13 + 6] = 0xf8; /* NaN */
    must(store_writer_building(writer,
                               &id,
                               (struct text){ (const char *)wkb, n },
                               NULL,
                               columns,
                               0,
                               NULL)
         == 0);
}

static void write_store(const char *store_path)
{
    static const char *const names[] = { "height", "floors", "flat",
                                         "built",  "use",    "notes" };
    static const enum value_type types[] = { TYPE_REAL, TYPE_INTEGER, TYPE_BOOLEAN,
                                             TYPE_DATE, TYPE_TEXT,    TYPE_TEXT };
    struct store_plan plan = { .origin = "a test", .crs = "", .srid = 0 };
    struct store_options options = { .force = true };
    struct store_counts counts;
    struct store_writer *writer;
    struct memory_mark mark = memory_mark(&memory);
    strcpy(plan.zones.id_name, "zip");
    plan.zones.id_type = TYPE_TEXT;
    plan.zones.n_fields = 2;
    strcpy(plan.zones.fields[0].name, "state");
    plan.zones.fields[0].type = TYPE_TEXT;
    strcpy(plan.zones.fields[1].name, "people");
    plan.zones.fields[1].type = TYPE_INTEGER;
    strcpy(plan.buildings.id_name, "id");
    plan.buildings.id_type = TYPE_INTEGER;
    plan.buildings.n_fields = 6;
    for (int f = 0; f < 6; f++) {
        strcpy(plan.buildings.fields[f].name, names[f]);
        plan.buildings.fields[f].type = types[f];
    }
    must(store_writer_open(&writer, store_path, &plan, &options, &memory, NULL) == 0);
    for (int i = 0; i < N_ZONES; i++) {
        uint8_t wkb[128], valid[2] = { 1, i > 0 };
        int64_t people = 1000 * i;
        char zip[8];
        struct text state = { "MA", 2 };
        struct column columns[2] = {
            { .type = TYPE_TEXT, .valid = &valid[0], .texts = &state },
            { .type = TYPE_INTEGER, .valid = &valid[1], .integers = &people },
        };
        int64_t n = put_square(wkb, 340.5 * i, -1, 341);
        snprintf(zip, sizeof zip, "%05d", 1000 + i);
        must(store_writer_zone(writer,
                               (struct text){ zip, 5 },
                               (struct text){ (const char *)wkb, n },
                               columns,
                               0,
                               NULL)
             == 0);
    }
    for (int i = 0; i < N_BUILDINGS; i++)
        add_building(writer, i);
    must(store_writer_commit(writer, 0, &counts, NULL) == 0);
    store_writer_close(writer);
    memory_rewind(&memory, &mark);
}

static void load_store(void)
{
    scratch_path("store.h5", path);
    write_store(path);
    file = open(path, O_RDWR | O_CLOEXEC);
    n_bytes = lseek(file, 0, SEEK_END);
    whole = malloc((size_t)n_bytes);
    must(file >= 0 && pread(file, whole, (size_t)n_bytes, 0) == n_bytes);
}

/* ---- its columns ---- */

static void add_place(int64_t at, int64_t n, int width)
{
    must(n_places < MOST_PLACES);
    if (at > 0 && n > 0)
        places[n_places++] = (struct place){ at, n, width };
}

static void add_table(const struct store_table *table, int64_t n_blocks)
{
    add_place(table->id_at, table->n, table->id_bytes);
    for (int i = 0; i < 4; i++)
        add_place(table->box_at[i], table->n, table->fault_at ? 4 : 8);
    add_place(table->fault_at, table->n, 1);
    add_place(table->vertices_at, table->n, 8);
    add_place(table->area_at, table->n, 8);
    add_place(table->valid_at, table->n, 1);
    add_place(table->offset_at, table->n + 1, 8);
    add_place(table->wkb_at, table->n_wkb, 1);
    for (int i = 0; i < table->n_columns; i++) {
        const struct store_column *c = &table->columns[i];
        add_place(c->at,
                  table->n + (c->layout == STORE_OFFSETS),
                  c->layout == STORE_WORDS ? 2 : 8);
        add_place(c->valid_at, table->n, 1);
        add_place(c->words_at, c->n_words + 1, 8);
        add_place(c->text_at, c->n_text, 1);
        add_place(c->min_at, n_blocks, 8);
        add_place(c->max_at, n_blocks, 8);
        add_place(c->nulls_at, n_blocks, 8);
    }
}

/* Values of attributes and the like, where they lie in the metadata. */
static void add_words_of_metadata(void)
{
    static const char *const words[] = { "a test",  "text", "integer",
                                         "boolean", "real", "rooftally store",
                                         "date" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const uint8_t *found =
            memmem(whole, (size_t)n_bytes, words[i], strlen(words[i]));
        if (found)
            add_place(found - whole, (int64_t)strlen(words[i]), 1);
    }
}

static void find_places(void)
{
    struct store *store;
    must(store_open(&store, path, false, NULL) == 0);
    add_place(store->first_at, store->n_blocks, 8);
    add_place(store->count_at, store->n_blocks, 8);
    add_place(store->faults_at, store->n_blocks, 8);
    for (int i = 0; i < 4; i++)
        add_place(store->block_box_at[i], store->n_blocks, 8);
    add_table(&store->zones, store->n_blocks);
    add_table(&store->buildings, store->n_blocks);
    add_words_of_metadata();
    store_close(store);
}

/* ---- jobs on it ---- */

static void open_jobs(void)
{
    static const char *const keys[N_JOBS] = {
        "",
        "predicate = intersects\nwhere = height > 10 and use <> 'shed'",
        "predicate = centroid\nwhere = floors % 3 = 1 or notes like '%7%'",
        "invalid = skip\nwhere = built > '1999-01-01' and area_m2 < 1000",
    };
    static const char *const wheres[N_JOBS] = {
        "state = 'MA' and people is not null", "", "area_m2 > 0 and zip < '01002'", ""
    };
    char job_path[SCRATCH_BYTES];
    scratch_path("job.ini", job_path);
    for (int i = 0; i < N_JOBS; i++) {
        FILE *out = fopen(job_path, "w");
        must(out);
        fprintf(out,
                "[job]\noutput = x.h5\n[source]\nkind = store\npath = %s\n[zones]\nid "
                "= zip\n"
                "where = %s\n[buildings]\nid = id\nfields = height, floors, flat, "
                "built, "
                "use, notes, volume = height * floors, size = area_m2\n"
                "keep = id, height, use, notes, volume\n%s\n[statistics]\nn = count\n"
                "total = sum(height)\np = median(height)\nmost = max(built)\n"
                "kinds = frequency(use)\nvol = sum(volume)\narea = sum(size)\n"
                "high = top(floors, 5)\nshare = coverage\n[limits]\nmemory = 16 MiB\n",
                path,
                wheres[i],
                keys[i]);
        fclose(out);
        must(job_open(&jobs[i], job_path, NULL, 0, NULL) == 0);
    }
}

static void seeds(void)
{
    anywhere = getenv("FUZZ_ANYWHERE") != NULL;
    must(memory_init(&memory, MEMORY, NULL) == 0 && geos_open(&geos, NULL) == 0);
    load_store();
    find_places();
    open_jobs();
    for (int i = 0; i < n_places + N_JOBS; i++) {
        uint8_t bytes[13] = { (uint8_t)i, (uint8_t)i, 3, 0, 1, 0xff, 0xff };
        seed(bytes, i < N_JOBS ? 1 : sizeof bytes);
    }
}

/* ---- damage ---- */

static void change(struct taker *taker)
{
    static const int64_t awkward[] = { 0,
                                       1,
                                       -1,
                                       INT64_MAX,
                                       INT64_MIN,
                                       1 << 20,
                                       1LL << 40,
                                       INT64_MAX / 8,
                                       512,
                                       65535,
                                       0x7ff8000000000000,
                                       0x7fefffffffffffff };
    uint8_t which = take_byte(taker), how;
    uint16_t index = take_short(taker);
    how = take_byte(taker);
    int64_t value = take_integer(taker), old = 0;
    const struct place *place = &places[which % n_places];
    int64_t at = place->at + index % place->n * place->width;
    int width = place->width < 8 ? place->width : 8;
    if (anywhere && how & 0x80) {
        at = (int64_t)((uint64_t)value % (uint64_t)n_bytes);
        width = 1;
    }
    must(pread(file, &old, (size_t)width, at) == width);
    switch (how % 4) {
    case 0:
        value = (int64_t)((uint64_t)old + (uint64_t)(int8_t)value);
        break;
    case 1:
        value = awkward[(uint64_t)value % (sizeof awkward / sizeof *awkward)];
        break;
    case 2:
        value = old ^ (int64_t)(1ull << (value & 63));
        break;
    default:
        break;
    }
    must(pwrite(file, &value, (size_t)width, at) == width);
}

/* ---- what `run` and `info` do with it ---- */

static int put(void *context, const void *bytes, size_t n, struct error *err)
{
    uint64_t *sum = context;
    (void)err;
    for (size_t i = 0; i < n; i++)
        *sum += ((const uint8_t *)bytes)[i];
    return 0;
}

static int keep(void *context, const struct zone_record *record, struct error *err)
{
    uint64_t sum = 0;
    must(record->n_candidates
         == record->n_selected + record->n_outside + record->n_filtered
                + record->n_rejected);
    return record_encode(record, context, put, &sum, err);
}

static int analyse(struct source *source,
                   const struct binding *binding,
                   struct statistics *statistics,
                   struct error *err)
{
    struct zone_list zones;
    struct units units;
    struct analysis analysis = { .source = source,
                                 .binding = binding,
                                 .statistics = statistics,
                                 .geos = geos,
                                 .memory = &memory,
                                 .sink = keep,
                                 .sink_context = statistics };
    if (source_zones(source, &zones, &memory, err) < 0
        || units_init(&units, &zones, NULL, 2, &memory, err) < 0
        || analyse_init(&analysis, err) < 0)
        return -1;
    for (int64_t row = 0; row < zones.n; row++) {
        struct message counts;
        const char *id = zones.ids + row * zones.id_bytes;
        struct message_zone zone = { .row = row,
                                     .estimate = zones.estimates[row],
                                     .n_id =
                                         (int32_t)strnlen(id, (size_t)zones.id_bytes),
                                     .id = id };
        struct error why = { ERROR_NONE, "" };
        if (analyse_zone(&analysis, &zone, &counts, &why) < 0)
            must_tell(&why);
    }
    return 0;
}

static void run(const struct job *job)
{
    struct source *source = NULL;
    struct binding binding = { 0 };
    struct statistics *statistics = NULL;
    struct memory_mark mark = memory_mark(&memory);
    struct error err = { ERROR_NONE, "" };
    if (source_open(&source, job, NULL, 0, NULL, NULL, &err) < 0
        || binding_init(&binding, job, &source_schema(source)->buildings, &err) < 0
        || statistics_bind(&statistics, job, &binding, &err) < 0
        || source_bind(source, &binding, &err) < 0
        || analyse(source, &binding, statistics, &err) < 0)
        must_tell(&err);
    source_close(source);
    statistics_free(statistics);
    binding_release(&binding);
    memory_rewind(&memory, &mark);
}

static void info(void)
{
    static char text[1 << 16];
    struct error err = { ERROR_NONE, "" };
    FILE *out = fmemopen(text, sizeof text, "w");
    must(out);
    if (store_info(path, out, &err) < 0)
        must_tell(&err);
    fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct taker taker = { bytes, n };
    uint8_t options = take_byte(&taker);
    must(pwrite(file, whole, (size_t)n_bytes, 0) == n_bytes);
    for (int i = 0; i < 16 && taker.n > 0; i++)
        change(&taker);
    if (options & 0x80)
        info();
    run(jobs[options % N_JOBS]);
    return 0;
}
