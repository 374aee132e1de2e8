/* RFC 4180. Every text is in quotes, so that no reader takes an id for a number. */
#include <string.h>

#include "rooftally/base/log.h"

#include "write.h"

/* "-12.5": it means itself in a spreadsheet too. */
static bool is_number(struct text text)
{
    int64_t i = text.n > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+'),
            n_digits = 0;
    bool point = false;
    for (; i < text.n; i++) {
        if (text.bytes[i] == '.' && !point)
            point = true;
        else if (text.bytes[i] >= '0' && text.bytes[i] <= '9')
            n_digits++;
        else
            return false;
    }
    return n_digits > 0;
}

/* What spreadsheets read as a formula: the first characters that OWASP's page on CSV
 * injection lists, those of full width among them. */
static bool is_formula(struct text text)
{
    static const char *const starts[] = { "=",
                                          "+",
                                          "-",
                                          "@",
                                          "\t",
                                          "\r",
                                          "\n",
                                          "\xef\xbc\x9d",
                                          "\xef\xbc\x8b",
                                          "\xef\xbc\x8d",
                                          "\xef\xbc\xa0" };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t n = strlen(starts[i]);
        if ((size_t)text.n >= n && memcmp(text.bytes, starts[i], n) == 0)
            return !is_number(text);
    }
    return false;
}

static void put_quoted(struct text text, FILE *out)
{
    for (int64_t i = 0; i < text.n; i++) {
        if (text.bytes[i] == '"')
            putc('"', out);
        putc(text.bytes[i], out);
    }
}

static void put_inside(struct text text, bool clean, FILE *out)
{
    char piece[512];
    if (!clean) {
        put_quoted(text, out);
        return;
    }
    for (int64_t at = 0, n; at < text.n; at += n) {
        n = text.n - at;
        /* pieces end between characters */
        n = n < 500 ? n : 500;
        for (int k = 0; k < 4 && at + n < text.n && (text.bytes[at + n] & 0xc0) == 0x80;
             k++)
            n--;
        log_clean(piece, sizeof piece, text.bytes + at, (int)n);
        put_quoted((struct text){ piece, (int64_t)strlen(piece) }, out);
    }
}

void csv_put_text(struct text text, const struct export_options *options, FILE *out)
{
    putc('"', out);
    if (!options->raw && is_formula(text))
        putc('\'', out);
    put_inside(text, options->clean, out);
    putc('"', out);
}

/* "uses=house": it begins with the statistic's name, so it is no formula. */
static void put_name(const struct table_column *column,
                     int64_t i,
                     const struct export_options *options,
                     FILE *out)
{
    putc('"', out);
    put_inside((struct text){ column->name, (int64_t)strlen(column->name) },
               options->clean,
               out);
    if (column->keys) {
        putc('=', out);
        put_inside((struct text){ column->keys[i], (int64_t)strlen(column->keys[i]) },
                   options->clean,
                   out);
    }
    putc('"', out);
}

static void
put_header(const struct table *table, const struct export_options *options, FILE *out)
{
    for (int c = 0; c < table->n_columns; c++)
        for (int64_t i = 0; i < table->columns[c].width; i++) {
            if (c > 0)
                putc(',', out);
            put_name(&table->columns[c], i, options, out);
        }
    fputs("\r\n", out);
}

static void put_row(const struct table *table,
                    int64_t row,
                    const struct export_options *options,
                    FILE *out)
{
    for (int c = 0; c < table->n_columns; c++)
        for (int64_t i = 0; i < table->columns[c].width; i++) {
            struct cell cell = table_cell(&table->columns[c], row, i);
            char text[CELL_TEXT_BYTES];
            if (c > 0)
                putc(',', out);
            if (cell.kind == CELL_TEXT) {
                csv_put_text(cell.text, options, out);
            } else if (cell.kind != CELL_MISSING) {
                cell_to_text(&cell, text);
                fputs(text, out);
            }
        }
    fputs("\r\n", out);
}

int csv_write(struct table *table,
              const struct export_options *options,
              FILE *out,
              struct error *err)
{
    put_header(table, options, out);
    for (int64_t first = 0; first < table->n_rows; first += table->block_rows) {
        if (table_load(table, first, err) < 0)
            return -1;
        for (int64_t row = 0; row < table->n_in_memory; row++)
            put_row(table, row, options, out);
        if (ferror(out))
            return write_failed(err);
    }
    return 0;
}
