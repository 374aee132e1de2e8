#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/h5/h5.h"

#include "store_format.h"

enum { LINE = 400 };

bool store_is_one(const char *path)
{
    h5_silence();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
        H5Eclear2(H5E_DEFAULT);
        return false;
    }
    char *format = h5_get_text(file, "format", NULL);
    bool is_store = format && strcmp(format, "rooftally store") == 0;
    free(format);
    h5_close(&file, H5Fclose);
    return is_store;
}

/* What comes from the file never reaches a terminal raw. */
static void put_line(const char *line, FILE *out)
{
    char clean[LINE];
    log_clean(clean, LINE - 1, line, (int)strlen(line));
    fputs(clean, out);
    fputs("\n", out);
}

static void put_field(const struct store_column *column, FILE *out)
{
    char line[LINE], words[40] = "";
    if (column->layout == STORE_WORDS)
        snprintf(words, sizeof words, ", %" PRId64 " words", column->n_words);
    snprintf(line,
             sizeof line,
             "    %-20s %s%s%s",
             column->name,
             store_type_word(column->type),
             words,
             column->valid_at >= 0 ? ", some null" : "");
    put_line(line, out);
}

static void put_table(const struct store_table *table, FILE *out)
{
    char line[LINE], size[24];
    snprintf(line,
             sizeof line,
             "  %-11s %" PRId64 ", %s of geometry",
             table->name,
             table->n,
             memory_size_text(size, table->n_wkb));
    put_line(line, out);
    snprintf(line,
             sizeof line,
             "    %-20s %s, the id",
             table->id_name,
             store_type_word(table->id_type));
    put_line(line, out);
    for (int i = 0; i < table->n_columns; i++)
        put_field(&table->columns[i], out);
}

int store_info(const char *path, FILE *out, struct error *err)
{
    struct store *store;
    char line[LINE], size[24];
    if (store_open(&store, path, false, err))
        return -1;
    snprintf(line, sizeof line, "store of %.300s", store->origin);
    put_line(line, out);
    snprintf(line,
             sizeof line,
             "  size        %s, SRID %d",
             memory_size_text(size, store->n_bytes),
             (int)store->srid);
    put_line(line, out);
    snprintf(line,
             sizeof line,
             "  blocks      %" PRId64 " of %" PRId64 " rows",
             store->n_blocks,
             store->block_rows);
    put_line(line, out);
    put_table(&store->zones, out);
    put_table(&store->buildings, out);
    store_close(store);
    return 0;
}
