#include "entries.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "rooftally/base/file.h"
#include "rooftally/base/terms.h"
#include "rooftally/base/utf8.h"
#include "rooftally/job/job.h"

#include "keys.h"

/* Whether the value is in our expression language, or has quotes as it does. */
static bool has_quotes(const char *section, const char *key)
{
    return strcmp(key, "where") == 0 || strcmp(key, "fields") == 0
           || strcmp(key, "keep") == 0 || strcmp(section, "statistics") == 0;
}

/* A value of a connection string's pair, quoted or bare, is left open: only at its beginning
 * is ' a quote, and a backslash is before what is none. An address has no quotes. */
static bool is_open_conninfo(const char *text)
{
    if (strstr(text, "://") && strncmp(text, "postgres", 8) == 0)
        return false;
    while ((text = strchr(text, '='))) {
        text++;
        text += strspn(text, " \t");
        bool quoted = *text == '\'';
        for (text += quoted; *text; text++) {
            if (*text == '\\' && text[1])
                text++;
            else if (quoted ? *text == '\'' : isspace((unsigned char)*text) != 0)
                break;
        }
        if (quoted && !*text)
            return true;
    }
    return false;
}

static bool ends_in_quote(const char *value)
{
    char quote = '\0';
    for (; *value; value++) {
        if (quote && *value == quote)
            quote = '\0';
        else if (!quote && (*value == '\'' || *value == '"'))
            quote = *value;
    }
    return quote;
}

/* The comment of a line, as libinih finds one: a ';' after a space. */
static const char *find_comment(const char *line, const char *end)
{
    for (const char *at = line; at < end; at++)
        if (*at == ';' && at > line && isspace((unsigned char)at[-1]))
            return at;
    return NULL;
}

#define COMMENT_RULE                                                                   \
    "' ;' begins a comment even inside quotes: write like '..._;...' there"
#define CONNINFO_RULE                                                                  \
    "' ;' begins a comment even inside quotes: write \\; there, in an address %20%3B"

static const char *comment_rule(const char *section, const char *key)
{
    return has_quotes(section, key)         ? COMMENT_RULE
           : strcmp(key, "connection") == 0 ? CONNINFO_RULE
                                            : "' ;' begins a comment";
}

/* What libinih is given, line by line, and what came of it. */
struct reading {
    struct entries *entries;
    const char *at;                   /* the rest of the text */
    const char *line_text, *line_end; /* the line that libinih works on */
    int line;
    bool has_key; /* since the last section: what is indented goes on with its value */
    bool failed;
    struct error *err;
};

/* Put the place in front. Returns libinih's word for "go on": the reader then ends. */
static int fail(struct reading *reading, const char *section)
{
    struct error *err = reading->err;
    reading->failed = true;
    if (section)
        error_set(err,
                  err->code,
                  "%s:%d: [%s] %s",
                  reading->entries->path,
                  reading->line,
                  section,
                  err->text);
    else
        error_prefix(err, "%s:%d", reading->entries->path, reading->line);
    return 1;
}

/* libinih does not report sections without keys, so they are looked at here. */
static void look_at_section(struct reading *reading, const char *start)
{
    const char *end = memchr(start, ']', (size_t)(reading->line_end - start));
    char name[NAME_BYTES];
    if (!end)
        return; /* libinih refuses it */
    reading->has_key = false;
    const char *rest = end + 1 + strspn(end + 1, " \t\r\n");
    if (rest < reading->line_end && *rest != ';' && *rest != '#') {
        error_set(reading->err,
                  ERROR_USAGE,
                  "'%.*s' stands behind a section: keys begin at the start of a line",
                  (int)(rest + 40 < reading->line_end ? 40 : strcspn(rest, "\r\n")),
                  rest);
        fail(reading, NULL);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(end - start - 1), start + 1);
    if (keys_check_section(name, reading->err))
        fail(reading, NULL);
}

static char *read_line(char *out, int n_out, void *context)
{
    struct reading *reading = context;
    if (reading->failed || !*reading->at)
        return NULL;
    const char *end = strchr(reading->at, '\n');
    end = end ? end + 1 : reading->at + strlen(reading->at);
    size_t n = (size_t)(end - reading->at);
    if (n >= (size_t)n_out)
        return NULL; /* cannot be: the buffer is larger than the file may be */
    memcpy(out, reading->at, n);
    out[n] = '\0';
    reading->line_text = reading->at;
    reading->line_end = end;
    reading->at = end;
    reading->line++;
    const char *start = reading->line_text + strspn(reading->line_text, " \t");
    if (*start == '[' && (start == reading->line_text || !reading->has_key))
        look_at_section(reading, start);
    return out;
}

static struct entry *
find_entry(struct entries *entries, const char *section, const char *key)
{
    for (int i = 0; i < entries->n; i++)
        if (strcmp(entries->list[i].section, section) == 0
            && strcmp(entries->list[i].key, key) == 0)
            return &entries->list[i];
    return NULL;
}

const struct entry *
entries_find(const struct entries *entries, const char *section, const char *key)
{
    return find_entry((struct entries *)(uintptr_t)entries, section, key);
}

static int add_entry(struct entries *entries,
                     const char *section,
                     const char *key,
                     const char *value,
                     int line,
                     struct error *err)
{
    struct entry *list =
        realloc(entries->list, ((size_t)entries->n + 1) * sizeof *list);
    if (!list)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    entries->list = list;
    struct entry *entry = &list[entries->n++];
    *entry = (struct entry){
        .section = strdup(section),
        .key = strdup(key),
        .value = strdup(value),
        .line = line,
    };
    if (!entry->section || !entry->key || !entry->value)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    return 0;
}

static int check_quotes(const struct reading *reading,
                        const char *section,
                        const char *key,
                        const char *value)
{
    bool is_open = has_quotes(section, key)         ? ends_in_quote(value)
                   : strcmp(key, "connection") == 0 ? is_open_conninfo(value)
                                                    : false;
    if (!is_open)
        return 0;
    if (find_comment(reading->line_text, reading->line_end))
        return error_set(reading->err,
                         ERROR_USAGE,
                         "%s: a quote is not closed, for %s",
                         key,
                         comment_rule(section, key));
    return error_set(reading->err,
                     ERROR_USAGE,
                     "%s: a quote is not closed on this line",
                     key);
}

/* An indented line goes on with the value above it; one that looks like a key was
 * meant as one. */
static int continue_value(struct reading *reading,
                          const char *section,
                          const char *key,
                          const char *value)
{
    struct entry *last = &reading->entries->list[reading->entries->n - 1];
    const char *comment = find_comment(value, value + strlen(value));
    size_t n = comment ? (size_t)(comment - value) : strlen(value);
    char first[NAME_BYTES];
    size_t n_first = strcspn(value, "=: \t");
    size_t n_space = strspn(value + n_first, " \t");
    snprintf(first, sizeof first, "%.*s", (int)n_first, value);
    if (*value == '['
        || (value[n_first + n_space] == '=' && keys_known(section, first)))
        return error_set(reading->err,
                         ERROR_USAGE,
                         "an indented line continues '%s' above it: begin '%s' at the "
                         "start of its line",
                         key,
                         *value == '[' ? value : first);
    while (n > 0 && isspace((unsigned char)value[n - 1]))
        n--;
    size_t n_last = strlen(last->value);
    char *joined = malloc(n_last + n + 2);
    if (!joined)
        return error_set(reading->err, ERROR_BUDGET, "no memory for the job");
    memcpy(joined, last->value, n_last);
    joined[n_last] = ' ';
    memcpy(joined + n_last + 1, value, n);
    joined[n_last + 1 + n] = '\0';
    free(last->value);
    last->value = joined;
    return check_quotes(reading, section, key, joined);
}

/* libinih's handler: one "key = value", or a line that continues one. */
static int
take_entry(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;
    struct error *err = reading->err;
    if (reading->failed)
        return 1;
    struct entries *entries = reading->entries;
    reading->has_key = true;
    bool indented = isspace((unsigned char)*reading->line_text);
    /* libinih cuts the key that it repeats for a continued line at 49 bytes */
    if (indented && entries->n > 0
        && strncmp(entries->list[entries->n - 1].key, key, 49) == 0
        && strcmp(entries->list[entries->n - 1].section, section) == 0) {
        if (continue_value(reading, section, entries->list[entries->n - 1].key, value))
            return fail(reading, section);
        return 1;
    }
    const struct entry *earlier = find_entry(entries, section, key);
    if (keys_check(section, key, err))
        return fail(reading, keys_check_section(section, NULL) ? NULL : section);
    if (earlier) {
        error_set(err,
                  ERROR_USAGE,
                  "%s is given twice, first in line %d",
                  key,
                  earlier->line);
        return fail(reading, section);
    }
    if (check_quotes(reading, section, key, value)
        || add_entry(entries, section, key, value, reading->line, err))
        return fail(reading, section);
    return 1;
}

static int parse(struct entries *entries, const char *text, struct error *err)
{
    struct error own = { .code = ERROR_NONE };
    struct reading reading = { .entries = entries, .at = text, .err = &own };
    /* Debian's libinih is built to read lines of 200 bytes and to drop the rest */
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = ini_max_line = MOST_FILE_BYTES + 8;
    ini_allow_multiline = true;
    ini_allow_inline_comments = true;
    ini_allow_no_value = false;
    ini_stop_on_first_error = false;
    int bad_line = ini_parse_stream(read_line, &reading, take_entry, &reading);
    if (bad_line > 0 && (!reading.failed || bad_line < reading.line))
        return error_set(err,
                         ERROR_USAGE,
                         "%s:%d: neither '[section]' nor 'key = value'",
                         entries->path,
                         bad_line);
    if (bad_line < 0)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    if (reading.failed && err)
        *err = own;
    return reading.failed ? -1 : 0;
}

static int check_bytes(const char *path, const char *text, size_t n, struct error *err)
{
    int line = 1;
    for (size_t i = 0; i < n;) {
        int length = utf8_length(text + i, n - i);
        if (length == 0 || text[i] == '\0')
            return error_set(err, ERROR_USAGE, "%s:%d: not UTF-8 text", path, line);
        line += text[i] == '\n';
        i += (size_t)length;
    }
    return 0;
}

int entries_read(struct entries *entries, const char *path, struct error *err)
{
    int status = -1;
    *entries = (struct entries){ .path = path };
    static const char hdf5[] = "\x89HDF\r\n\x1a\n";
    char *text = malloc(MOST_FILE_BYTES + 2);
    FILE *file = fopen(path, "rb");
    if (!file || !text) {
        error_set(err, ERROR_IO, "%s: %s", path, file_reason(errno));
        goto out;
    }
    size_t n = fread(text, 1, MOST_FILE_BYTES + 1, file);
    if (ferror(file)) {
        error_set(err, ERROR_IO, "%s: %s", path, file_reason(errno));
        goto out;
    }
    if (n >= sizeof hdf5 - 1 && memcmp(text, hdf5, sizeof hdf5 - 1) == 0) {
        error_set(err,
                  ERROR_USAGE,
                  "%s: an HDF5 file, not a job file: rooftally info tells what it is",
                  path);
        goto out;
    }
    if (n == 0) {
        error_set(err,
                  ERROR_USAGE,
                  "%s: it is empty; out of a pipe one rank alone can read",
                  path);
        goto out;
    }
    if (n > MOST_FILE_BYTES) {
        error_set(err, ERROR_USAGE, "%s: longer than 1 MiB: not a job file", path);
        goto out;
    }
    text[n] = '\0';
    if (check_bytes(path, text, n, err))
        goto out;
    bool mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    status = parse(entries, text + (mark ? 3 : 0), err);
out:
    if (file)
        fclose(file);
    free(text);
    if (status)
        entries_release(entries);
    return status;
}

void entries_release(struct entries *entries)
{
    for (int i = 0; i < entries->n; i++) {
        free(entries->list[i].section);
        free(entries->list[i].key);
        free(entries->list[i].value);
    }
    free(entries->list);
    *entries = (struct entries){ 0 };
}

/* The text from `from` up to `to`, blanks around it dropped, on the heap. */
static char *trimmed(const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return strndup(from, (size_t)(to - from));
}

/* Put in front what was typed: -o FILE comes as an override, too. */
static int prefix_override(const char *section, const char *key, struct error *err)
{
    bool is_output = strcmp(section, "job") == 0 && strcmp(key, "output") == 0;
    return error_prefix(err, "%s--set %s.%s", is_output ? "-o or " : "", section, key);
}

int entries_override(struct entries *entries, const char *override, struct error *err)
{
    const char *equals = strchr(override, '=');
    const char *dot = memchr(override, '.', equals ? (size_t)(equals - override) : 0);
    if (!equals || !dot)
        return error_set(err,
                         ERROR_USAGE,
                         "--set %.*s: write --set section.key=value",
                         /* the value may be a secret */
                         equals ? (int)(equals - override) : 11,
                         equals ? override : "without '='");
    int status = -1;
    char *section = trimmed(override, dot), *key = trimmed(dot + 1, equals);
    char *value = trimmed(equals + 1, equals + 1 + strlen(equals + 1));
    if (!section || !key || !value) {
        error_set(err, ERROR_BUDGET, "no memory for the job");
        goto out;
    }
    struct entry *entry = find_entry(entries, section, key);
    if (keys_check(section, key, err)) {
        prefix_override(section, key, err);
        goto out;
    }
    size_t n_value = strlen(value);
    for (size_t i = 0; i < n_value; i++) {
        size_t n = (size_t)utf8_length(value + i, n_value - i);
        if (n == 0 || value[i] == '\n' || value[i] == '\r') {
            error_set(err, ERROR_USAGE, "not one line of UTF-8 text");
            prefix_override(section, key, err);
            goto out;
        }
        i += n - 1;
    }
    /* the job's text is to read back as the same */
    if (*value == ';' || find_comment(value, value + n_value)) {
        error_set(err, ERROR_USAGE, "%s", comment_rule(section, key));
        prefix_override(section, key, err);
        goto out;
    }
    if (!entry) {
        status = add_entry(entries, section, key, value, 0, err);
        goto out;
    }
    free(entry->value);
    entry->value = value;
    entry->line = 0;
    value = NULL;
    status = 0;
out:
    free(section);
    free(key);
    free(value);
    return status;
}

int entries_prefix(const struct entries *entries,
                   const struct entry *entry,
                   struct error *err)
{
    if (entry->line == 0)
        return prefix_override(entry->section, entry->key, err);
    return error_prefix(err,
                        "%s:%d: [%s] %s",
                        entries->path,
                        entry->line,
                        entry->section,
                        entry->key);
}

char *entries_text(const struct entries *entries)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    for (int s = 0; keys_section(s); s++) {
        bool open = false;
        for (int i = 0; i < entries->n; i++) {
            const struct entry *entry = &entries->list[i];
            if (strcmp(entry->section, keys_section(s)) != 0)
                continue;
            bool is_path = strcmp(entry->key, "path") == 0;
            bool secret = is_path || strcmp(entry->key, "connection") == 0;
            char *redacted = is_path  ? job_redact_path(entry->value)
                             : secret ? job_redact(entry->value)
                                      : NULL;
            const char *parts[] = { open             ? ""
                                    : ftell(out) > 0 ? "\n["
                                                     : "[",
                                    open ? "" : entry->section,
                                    open ? "" : "]\n",
                                    entry->key,
                                    " = ",
                                    secret ? redacted ? redacted : "***" : entry->value,
                                    "\n" };
            for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
                fwrite(parts[p], 1, strlen(parts[p]), out);
            free(redacted);
            open = true;
        }
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
