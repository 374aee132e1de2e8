#include "fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/job/spelling.h"

/* One item of a list: text[first .. end), blanks dropped. */
struct item {
    const char *text;
    int n;
};

/* Cut the next item off *at, which ends at the comma's successor or at the end. */
static struct item next_item(const char **at)
{
    const char *first = *at, *end = first;
    int depth = 0;
    for (char quote = '\0'; *end; end++) {
        if (quote) {
            if (*end == quote)
                quote = '\0';
        } else if (*end == '\'' || *end == '"') {
            quote = *end;
        } else if (*end == '(') {
            depth++;
        } else if (*end == ')') {
            depth--;
        } else if (*end == ',' && depth <= 0) {
            break;
        }
    }
    *at = *end ? end + 1 : end;
    while (first < end && isspace((unsigned char)*first))
        first++;
    while (end > first && isspace((unsigned char)end[-1]))
        end--;
    return (struct item){ first, (int)(end - first) };
}

/* As in an expression: every byte of a multibyte character is a letter. */
static bool is_letter(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* How many bytes at the front of an item are a name, quotes included; 0 when none. */
static int name_length(struct item item)
{
    int n = 0;
    if (item.n > 0 && *item.text == '"') {
        for (n = 1; n < item.n; n++)
            if (item.text[n] == '"' && (++n == item.n || item.text[n] != '"'))
                return n;
        return 0; /* not closed */
    }
    while (n < item.n
           && (is_letter(item.text[n])
               || (n > 0
                   && (isdigit((unsigned char)item.text[n]) || item.text[n] == '$'))))
        n++;
    return n;
}

static int bad_item(struct item item, struct error *err)
{
    if (item.n == 0)
        return error_set(err, ERROR_USAGE, "a comma with nothing beside it");
    if (*item.text != '"' && name_length(item) >= NAME_BYTES)
        return error_set(err,
                         ERROR_USAGE,
                         "'%.*s...': a name has at most 63 letters",
                         20,
                         item.text);
    int n_shown = item.n < 60 ? item.n : 60;
    return error_set(err,
                     ERROR_USAGE,
                     "'%.*s' is not a name: names have letters, digits and _",
                     n_shown,
                     item.text);
}

static int read_field(struct job_field *field, struct item item, struct error *err)
{
    int n_name = name_length(item), at = n_name;
    while (at < item.n && isspace((unsigned char)item.text[at]))
        at++;
    bool quoted = item.n > 0 && *item.text == '"';
    if (n_name == 0 || (!quoted && n_name >= NAME_BYTES) || n_name >= SPELLING_BYTES
        || (at < item.n && item.text[at] != '='))
        return bad_item(item, err);
    memcpy(field->written, item.text, (size_t)n_name);
    field->written[n_name] = '\0';
    struct spelling spelling;
    if (spelling_read(&spelling, field->written, err))
        return -1;
    memcpy(field->name, spelling.name, sizeof field->name);
    if (at == item.n)
        return 0;
    char *definition = strndup(item.text + at + 1, (size_t)(item.n - at - 1));
    if (!definition)
        return error_set(err, ERROR_BUDGET, "no memory for the job");
    int status = expression_parse(&field->definition, definition, err);
    free(definition);
    return status ? error_prefix(err, "'%s'", field->name) : 0;
}

int fields_parse(struct job_field **fields,
                 int *n_fields,
                 const char *text,
                 int line,
                 struct error *err)
{
    struct job_field *list = NULL;
    int n = 0;
    const char *at = text + strspn(text, " \t"), *end = text + strlen(text);
    bool more = at < end;
    while (more) {
        struct item item = next_item(&at);
        more = at < end || (at > text && at[-1] == ',' && item.n > 0);
        struct job_field *grown = realloc(list, ((size_t)n + 1) * sizeof *list);
        if (!grown) {
            error_set(err, ERROR_BUDGET, "no memory for the job");
            goto failed;
        }
        list = grown;
        list[n] = (struct job_field){ .line = line };
        if (read_field(&list[n++], item, err))
            goto failed;
        for (int i = 0; i < n - 1; i++)
            if (strcmp(list[i].written, list[n - 1].written) == 0) {
                error_set(err, ERROR_USAGE, "'%s' is listed twice", list[i].name);
                goto failed;
            }
    }
    *fields = list;
    *n_fields = n;
    return 0;
failed:
    fields_free(list, n);
    return -1;
}

void fields_free(struct job_field *fields, int n_fields)
{
    for (int i = 0; i < n_fields; i++)
        expression_free(fields[i].definition);
    free(fields);
}

int names_parse(char (**names)[SPELLING_BYTES],
                int *n_names,
                const char *text,
                struct error *err)
{
    struct job_field *fields;
    int n, status = -1;
    if (fields_parse(&fields, &n, text, 0, err))
        return -1;
    char(*list)[SPELLING_BYTES] = calloc((size_t)n + 1, sizeof *list);
    if (!list) {
        error_set(err, ERROR_BUDGET, "no memory for the job");
        goto out;
    }
    for (int i = 0; i < n; i++) {
        if (fields[i].definition) {
            error_set(err,
                      ERROR_USAGE,
                      "'%s' cannot be defined here: define it in [buildings] fields",
                      fields[i].name);
            free(list);
            goto out;
        }
        memcpy(list[i], fields[i].written, sizeof *list);
    }
    *names = list;
    *n_names = n;
    status = 0;
out:
    fields_free(fields, n);
    return status;
}
