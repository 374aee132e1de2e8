#include "store_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/file.h"
#include "rooftally/h5/h5.h"

#include "store_open.h"

enum value_type store_type_of(const char *word)
{
    for (int i = TYPE_BOOLEAN; i <= TYPE_TIMESTAMP; i++)
        if (strcmp(value_type_word((enum value_type)i), word) == 0)
            return (enum value_type)i;
    return TYPE_NULL;
}

bool store_is_reserved(const char *name)
{
    static const char *const words[] = { "id",       "xmin",    "ymin",   "xmax",
                                         "ymax",     "fault",   "offset", "wkb",
                                         "geometry", "vertices" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

int store_place(const struct store_opening *opening,
                const char *name,
                hid_t type,
                int64_t n,
                struct h5_extent *extent,
                struct error *err)
{
    if (h5_locate(opening->file, name, type, extent, err))
        return -1;
    if (n >= 0 && extent->n != n)
        return error_set(err,
                         ERROR_FORMAT,
                         "dataset %s has %lld values, not %lld",
                         name,
                         (long long)extent->n,
                         (long long)n);
    int64_t room = opening->store->n_bytes - extent->at;
    if (extent->at < 0 || room < 0 || extent->n > room / extent->n_bytes)
        return error_set(err,
                         ERROR_FORMAT,
                         "dataset %s reaches beyond the end of the file",
                         name);
    return 0;
}

static int place_at(const struct store_opening *opening,
                    const char *name,
                    hid_t type,
                    int64_t n,
                    int64_t *at,
                    struct error *err)
{
    struct h5_extent extent;
    if (store_place(opening, name, type, n, &extent, err))
        return -1;
    *at = extent.at;
    return 0;
}

static int place_boxes(const struct store_opening *opening,
                       const char *table,
                       hid_t type,
                       int64_t n,
                       int64_t at[4],
                       struct error *err)
{
    static const char *const sides[4] = { "xmin", "ymin", "xmax", "ymax" };
    char name[32];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "/%s/%s", table, sides[i]);
        if (place_at(opening, name, type, n, &at[i], err))
            return -1;
    }
    return 0;
}

static int place_id(const struct store_opening *opening,
                    struct store_table *table,
                    bool is_zone,
                    struct error *err)
{
    char path[32], *name = NULL, *type = NULL;
    struct h5_extent extent;
    int status = -1;
    snprintf(path, sizeof path, "/%s/id", table->name);
    hid_t id = H5Dopen2(opening->file, path, H5P_DEFAULT);
    if (id < 0)
        return h5_error(err, ERROR_FORMAT, "no dataset %s", path);
    name = h5_get_text(id, "name", err);
    type = name ? h5_get_text(id, "type", err) : NULL;
    if (!type)
        goto out;
    table->id_type = store_type_of(type);
    if (strlen(name) >= NAME_BYTES
        || (table->id_type != TYPE_INTEGER && table->id_type != TYPE_TEXT)) {
        error_set(err, ERROR_FORMAT, "dataset %s: its name or type", path);
        goto out;
    }
    strcpy(table->id_name, name);
    bool text = is_zone || table->id_type == TYPE_TEXT;
    if (store_place(opening, path, text ? H5T_C_S1 : H5T_STD_I64LE, -1, &extent, err))
        goto out;
    if (extent.n_bytes > STORE_ID_BYTES) {
        error_set(err, ERROR_FORMAT, "dataset %s: ids are too long", path);
        goto out;
    }
    table->n = extent.n;
    table->id_at = extent.at;
    table->id_bytes = (int32_t)extent.n_bytes;
    status = 0;
out:
    free(type);
    free(name);
    h5_close(&id, H5Dclose);
    return status;
}

static int place_geometry(const struct store_opening *opening,
                          struct store_table *table,
                          const char *group,
                          struct error *err)
{
    char name[40];
    struct h5_extent wkb;
    snprintf(name, sizeof name, "%s/offset", group);
    if (place_at(opening, name, H5T_STD_I64LE, table->n + 1, &table->offset_at, err))
        return -1;
    snprintf(name, sizeof name, "%s/wkb", group);
    if (store_place(opening, name, H5T_STD_U8LE, -1, &wkb, err))
        return -1;
    table->wkb_at = wkb.at;
    table->n_wkb = wkb.n;
    return 0;
}

static int place_table(const struct store_opening *opening,
                       struct store_table *table,
                       bool is_zone,
                       struct error *err)
{
    if (place_id(opening, table, is_zone, err)
        || place_boxes(opening,
                       table->name,
                       is_zone ? H5T_IEEE_F64LE : H5T_IEEE_F32LE,
                       table->n,
                       table->box_at,
                       err))
        return -1;
    if (is_zone)
        return place_geometry(opening, table, "/zones", err)
                       || place_at(opening,
                                   "/shapes/area_m2",
                                   H5T_IEEE_F64LE,
                                   table->n,
                                   &table->area_at,
                                   err)
                       || place_at(opening,
                                   "/shapes/valid",
                                   H5T_STD_U8LE,
                                   table->n,
                                   &table->valid_at,
                                   err)
                       || place_at(opening,
                                   "/zones/vertices",
                                   H5T_STD_I64LE,
                                   table->n,
                                   &table->vertices_at,
                                   err)
                   ? -1
                   : store_place_columns(opening, table, err);
    return place_geometry(opening, table, "/buildings/geometry", err)
                   || place_at(opening,
                               "/buildings/fault",
                               H5T_STD_U8LE,
                               table->n,
                               &table->fault_at,
                               err)
               ? -1
               : store_place_columns(opening, table, err);
}

static int place_blocks(const struct store_opening *opening, struct error *err)
{
    struct store *store = opening->store;
    int64_t n = (store->buildings.n + store->block_rows - 1) / store->block_rows;
    store->n_blocks = n;
    if (place_at(opening, "/blocks/first", H5T_STD_I64LE, n, &store->first_at, err)
        || place_at(opening, "/blocks/count", H5T_STD_I64LE, n, &store->count_at, err)
        || place_at(opening, "/blocks/faults", H5T_STD_I64LE, n, &store->faults_at, err)
        || place_boxes(opening, "blocks", H5T_IEEE_F64LE, n, store->block_box_at, err))
        return -1;
    return store_place_ranges(opening, err);
}

/* Stores that were made before there was one have none. */
static int place_content(const struct store_opening *opening, struct error *err)
{
    int64_t *at = &opening->store->content_at;
    *at = -1;
    if (!h5_has(opening->file, "content"))
        return 0;
    return place_at(opening, "/content", H5T_STD_I64LE, 2, at, err);
}

/* Blocks tile the rows, whatever the file says of itself elsewhere. */
static int check_blocks(const struct store *store, struct error *err)
{
    enum { CHUNK = 512 };
    int64_t first[CHUNK], count[CHUNK];
    for (int64_t i = 0; i < store->n_blocks; i += CHUNK) {
        int64_t n = store->n_blocks - i < CHUNK ? store->n_blocks - i : CHUNK;
        if (store_read(store, store->first_at + 8 * i, first, 8 * n, err)
            || store_read(store, store->count_at + 8 * i, count, 8 * n, err))
            return -1;
        for (int64_t j = 0; j < n; j++) {
            int64_t at = (i + j) * store->block_rows;
            int64_t left = store->buildings.n - at;
            if (first[j] != at
                || count[j] != (left < store->block_rows ? left : store->block_rows))
                return error_set(err,
                                 ERROR_FORMAT,
                                 "block %lld is said to hold rows %lld and %lld more",
                                 (long long)(i + j),
                                 (long long)first[j],
                                 (long long)count[j]);
        }
    }
    return 0;
}

/* Offsets lead from the first byte to the end of the last, so that no row is without its own. */
static int check_ends(const struct store *store,
                      const char *what,
                      int64_t offset_at,
                      int64_t n,
                      int64_t n_bytes,
                      struct error *err)
{
    int64_t first, last;
    if (store_read(store, offset_at, &first, 8, err)
        || store_read(store, offset_at + 8 * n, &last, 8, err))
        return -1;
    if (first == 0 && last == n_bytes)
        return 0;
    return error_set(err,
                     ERROR_FORMAT,
                     "offsets of %s lead from %lld to %lld, not from 0 to %lld: stage "
                     "it again",
                     what,
                     (long long)first,
                     (long long)last,
                     (long long)n_bytes);
}

static int check_offsets(const struct store *store,
                         const struct store_table *table,
                         struct error *err)
{
    if (check_ends(store, table->name, table->offset_at, table->n, table->n_wkb, err))
        return -1;
    for (int i = 0; i < table->n_columns; i++) {
        const struct store_column *column = &table->columns[i];
        bool words = column->layout == STORE_WORDS;
        if (column->layout != STORE_VALUES
            && check_ends(store,
                          column->name,
                          words ? column->words_at : column->at,
                          words ? column->n_words : table->n,
                          column->n_text,
                          err))
            return -1;
    }
    return 0;
}

/* What a reader relies on without a look at it. */
static int check_layout(const struct store *store, struct error *err)
{
    return check_blocks(store, err) || check_offsets(store, &store->zones, err)
                   || check_offsets(store, &store->buildings, err)
               ? -1
               : 0;
}

/* The filter that rows have passed; left NULL where there is none. */
static int read_where(hid_t file, const char *name, char **where, struct error *err)
{
    if (H5Aexists(file, name) == 0)
        return 0;
    *where = h5_get_text(file, name, err);
    if (!*where)
        return -1;
    if (!**where) {
        free(*where);
        *where = NULL;
    }
    return 0;
}

static int read_head(const struct store_opening *opening, struct error *err)
{
    struct store *store = opening->store;
    int64_t version, srid;
    if (H5Aexists(opening->file, "format") < 0)
        return h5_error(err, ERROR_FORMAT, "it is damaged: stage it again");
    char *format = h5_get_text(opening->file, "format", err);
    bool is_store = format && strcmp(format, "rooftally store") == 0;
    free(format);
    if (!is_store)
        return error_set(err,
                         ERROR_FORMAT,
                         "it is an HDF5 file of another kind: give the path of a "
                         "store");
    if (h5_get_integer(opening->file, "format_version", &version, err))
        return -1;
    if (version != STORE_VERSION)
        return error_set(err,
                         ERROR_FORMAT,
                         "it is of version %lld, this program reads version %d: stage "
                         "it again",
                         (long long)version,
                         STORE_VERSION);
    store->origin = h5_get_text(opening->file, "origin", err);
    store->crs = store->origin ? h5_get_text(opening->file, "crs", err) : NULL;
    if (!store->crs
        || read_where(opening->file, "zones_where", &store->zones_where, err)
        || read_where(opening->file, "buildings_where", &store->buildings_where, err)
        || h5_get_integer(opening->file, "srid", &srid, err)
        || h5_get_integer(opening->file, "block_rows", &store->block_rows, err))
        return -1;
    if (srid < 0 || srid > INT32_MAX || store->block_rows < 1
        || store->block_rows > 65536)
        return error_set(err, ERROR_FORMAT, "srid or block_rows makes no sense");
    store->srid = (int32_t)srid;
    return 0;
}

static int
open_file(struct store *store, const char *path, bool writable, struct error *err)
{
    struct stat about;
    /* nobody needs the time of the last of many reads; but only an owner may say so */
    int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK; /* a pipe */
    store->file = open(path, flags | O_NOATIME);
    if (store->file < 0 && errno == EPERM)
        store->file = open(path, flags);
    if (store->file < 0 || fstat(store->file, &about) != 0)
        return error_set(err, ERROR_USAGE, "%s", file_reason(errno));
    if (!S_ISREG(about.st_mode))
        return error_set(err, ERROR_USAGE, "it is not a file");
    store->n_bytes = about.st_size;
    return 0;
}

/* By its first bytes: stores have nothing in front of them. */
static bool is_hdf5(const struct store *store)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    char bytes[sizeof signature - 1];
    return file_read_at(store->file, 0, bytes, sizeof bytes)
           && memcmp(bytes, signature, sizeof bytes) == 0;
}

/* What to do where the system did not let HDF5 open or lock a file, which may be whole; NULL
 * where that is not why. */
static const char *remedy_of(int error)
{
    return error == EAGAIN ? ": another process has locked it"
           : error == ENOLCK || error == ENOSYS
               ? ": without locks there, set HDF5_USE_FILE_LOCKING=FALSE"
           : error == EACCES || error == EMFILE || error == ENFILE ? ""
                                                                   : NULL;
}

static int read_layout(struct store *store, const char *path, struct error *err)
{
    struct store_opening opening = { .store = store };
    h5_silence();
    if (!is_hdf5(store))
        return error_set(err, ERROR_FORMAT, "no HDF5 file: give the path of a store");
    errno = 0;
    opening.file = h5_read_file(path);
    int why = errno; /* 0 where it was opened and what is in it is wrong */
    if (opening.file < 0 && remedy_of(why))
        return error_set(err, ERROR_USAGE, "%s%s", file_reason(why), remedy_of(why));
    if (opening.file < 0)
        return h5_error(err, ERROR_FORMAT, "it is cut off or damaged: stage it again");
    int status = read_head(&opening, err)
                         || place_table(&opening, &store->zones, true, err)
                         || place_table(&opening, &store->buildings, false, err)
                         || place_blocks(&opening, err) || place_content(&opening, err)
                     ? -1
                     : 0;
    h5_close(&opening.file, H5Fclose);
    return status;
}

static bool advises(const struct error *err)
{
    return strstr(err->text, "stage it again") || strstr(err->text, "give the path");
}

int store_open(struct store **store, const char *path, bool writable, struct error *err)
{
    struct store *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, ERROR_BUDGET, "no memory for a store");
    made->file = -1;
    made->zones.name = "zones";
    made->buildings.name = "buildings";
    if (open_file(made, path, writable, err) || read_layout(made, path, err)
        || (!writable && check_layout(made, err))) {
        store_close(made);
        if (err && err->code == ERROR_FORMAT && !advises(err))
            error_set(err, ERROR_FORMAT, "%s: stage it again", err->text);
        return error_prefix(err, "store %s", path);
    }
    *store = made;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->file >= 0)
        close(store->file);
    free(store->origin);
    free(store->crs);
    free(store->zones_where);
    free(store->buildings_where);
    free(store->zones.columns);
    free(store->buildings.columns);
    free(store);
}

int store_read(const struct store *store,
               int64_t at,
               void *bytes,
               int64_t n_bytes,
               struct error *err)
{
    if (file_read_at(store->file, at, bytes, n_bytes))
        return 0;
    if (errno != 0)
        return error_set(err, ERROR_IO, "the store: %s", file_reason(errno));
    return error_set(err,
                     ERROR_FORMAT,
                     "the store ends before byte %lld: stage it again",
                     (long long)(at + n_bytes));
}

int store_damaged(struct error *err, const char *fmt, ...)
{
    char what[160];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(what, sizeof what, fmt, arguments);
    va_end(arguments);
    return error_set(err,
                     ERROR_FORMAT,
                     "the store is damaged: %s: stage it again",
                     what);
}

int store_check_offsets(const int64_t *offsets,
                        int64_t first,
                        int64_t n,
                        int64_t n_most,
                        struct error *err)
{
    int64_t least = 0;
    for (int64_t i = 0; i <= n; i++) {
        if (offsets[i] < least || offsets[i] > n_most)
            return store_damaged(err,
                                 "offset %lld of row %lld",
                                 (long long)offsets[i],
                                 (long long)(first + i));
        least = offsets[i];
    }
    return 0;
}

int store_read_offsets(const struct store *store,
                       int64_t at,
                       int64_t first,
                       int64_t n,
                       int64_t n_most,
                       int64_t *offsets,
                       struct error *err)
{
    if (store_read(store, at + 8 * first, offsets, 8 * (n + 1), err))
        return -1;
    return store_check_offsets(offsets, first, n, n_most, err);
}

int store_read_boxes(const struct store *store,
                     const int64_t box_at[4],
                     int64_t first,
                     int64_t n,
                     double *scratch,
                     struct box *boxes,
                     struct error *err)
{
    for (int side = 0; side < 4; side++)
        if (store_read(store, box_at[side] + 8 * first, scratch + side * n, 8 * n, err))
            return -1;
    for (int64_t i = 0; i < n; i++)
        boxes[i] = (struct box){
            scratch[i], scratch[n + i], scratch[2 * n + i], scratch[3 * n + i]
        };
    return 0;
}

int store_read_row_boxes(const struct store *store,
                         int64_t first,
                         int64_t n,
                         float *scratch,
                         struct box *boxes,
                         struct error *err)
{
    const int64_t *at = store->buildings.box_at;
    for (int side = 0; side < 4; side++)
        if (store_read(store, at[side] + 4 * first, scratch + side * n, 4 * n, err))
            return -1;
    for (int64_t i = 0; i < n; i++)
        boxes[i] = (struct box){
            scratch[i], scratch[n + i], scratch[2 * n + i], scratch[3 * n + i]
        };
    return 0;
}
