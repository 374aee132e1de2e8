#include "hint.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/base/file.h"
#include "rooftally/job/job.h"

void hint_put_word(const char *word, FILE *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_-./:=,+@%";
    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}

static void put_index(char text[HINT_BYTES],
                      const char *table,
                      const char *column,
                      bool is_spatial,
                      bool is_view)
{
    snprintf(text,
             HINT_BYTES,
             is_view ? "%.160s is no table: create an index%s on what its %.160s is "
                       "read from"
                     : "create index on %.160s%s (\"%.160s\")",
             table,
             is_spatial ? " using gist" : "",
             column);
}

const char *hint_bare_table(const struct job *job, const struct source_schema *schema)
{
    return *schema->bare_part ? schema->bare_part : job->building_table;
}

bool hint_building_index(char text[HINT_BYTES],
                         const struct job *job,
                         const struct source_schema *schema)
{
    const char *column = schema->building_geometry_column;
    if (schema->spatial_index && !*schema->bare_part)
        return false;
    put_index(text, hint_bare_table(job, schema), column, true, schema->building_view);
    return true;
}

bool hint_zone_index(char text[HINT_BYTES],
                     const struct job *job,
                     const struct source_schema *schema,
                     int64_t n_zones)
{
    const char *column = schema->zone_id_column;
    if (schema->zone_id_index || n_zones <= 1000) /* so few are soon searched for */
        return false;
    put_index(text, job->zone_table, column, false, schema->zone_view);
    return true;
}

/* "section.key=value" as it may be shown. */
static char *shown(const char *override)
{
    const char *value = strchr(override, '=');
    char *text = NULL, *safe = NULL;
    if (!value)
        return strdup(override);
    int n_key = (int)(++value - override);
    const char *connection = strstr(override, "connection"),
               *path = strstr(override, "path");
    if (connection && connection < value)
        safe = job_redact(value);
    else if (path && path < value)
        safe = job_redact_path(value);
    else
        safe = strdup(value);
    if (!safe || asprintf(&text, "%.*s%s", n_key, override, safe) < 0)
        text = NULL;
    free(safe);
    return text;
}

/* Returns false without memory. */
static bool put_overrides(const struct options *options, bool with_output, FILE *out)
{
    static const char output[] = "job.output=";
    for (int i = 0; i < options->n_overrides; i++) {
        const char *override = options->overrides[i];
        bool is_output = strncmp(override, output, sizeof output - 1) == 0;
        if (is_output && !with_output)
            continue;
        char *text = shown(override);
        if (!text)
            return false;
        fputs(is_output ? " -o " : " --set ", out);
        hint_put_word(is_output ? text + sizeof output - 1 : text, out);
        free(text);
    }
    return true;
}

/* "jobs/state.ini": "state.store.h5", in the folder where one is. */
static char *store_name(const char *job_path)
{
    const char *base = file_name(job_path);
    const char *dot = strrchr(base, '.');
    int n = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    char *name = NULL;
    return asprintf(&name, "%.*s.store.h5", n, base) < 0 ? NULL : name;
}

char *hint_stage(const struct options *options, const char *command)
{
    char *text = NULL, *store = store_name(options->job_path);
    size_t n;
    FILE *out = store ? open_memstream(&text, &n) : NULL;
    bool whole = out != NULL;
    if (out) {
        fputs("rooftally stage ", out);
        hint_put_word(options->job_path, out);
        whole &= put_overrides(options, false, out);
        fputs(" -o ", out);
        hint_put_word(store, out);
        fprintf(out, " && rooftally %s ", command);
        hint_put_word(options->job_path, out);
        whole &= put_overrides(options, true, out);
        if (options->force)
            fputs(" --force", out);
        fputs(" --set source.kind=store --set source.path=", out);
        hint_put_word(store, out);
        whole &= fclose(out) == 0;
    }
    free(store);
    if (whole)
        return text;
    free(text);
    return NULL;
}
