#include "rooftally/job/job.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/file.h"
#include "rooftally/base/nearest.h"
#include "rooftally/job/spelling.h"

#include "entries.h"
#include "fields.h"
#include "places.h"

static const int64_t LEAST_MEMORY = INT64_C(8) << 20;
static const int64_t DEFAULT_MEMORY = INT64_C(64) << 20;
static const double DEFAULT_CHECKPOINT_S = 10, LEAST_TIME_S = 1;

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_BUDGET, "no memory for the job");
}

/* The value of a key, or `otherwise` where the key is not given. */
static int read_string(char **out,
                       const struct entries *entries,
                       const char *section,
                       const char *key,
                       const char *otherwise,
                       struct error *err)
{
    const struct entry *entry = entries_find(entries, section, key);
    *out = strdup(entry ? entry->value : otherwise);
    return *out ? 0 : no_memory(err);
}

/* The index of the value among the words; untouched where the key is not given. */
static int read_word(int *out,
                     const struct entries *entries,
                     const char *section,
                     const char *key,
                     const char *const *words,
                     int n_words,
                     struct error *err)
{
    const struct entry *entry = entries_find(entries, section, key);
    if (!entry)
        return 0;
    for (int i = 0; i < n_words; i++)
        if (strcmp(entry->value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    const char *nearest = nearest_word(entry->value, words, n_words);
    char all[96] = "";
    for (int i = 0; i < n_words; i++) {
        strcat(all, i ? i == n_words - 1 ? " or " : ", " : "");
        strcat(all, words[i]);
    }
    error_set(err,
              ERROR_USAGE,
              nearest ? "'%s': did you mean '%s'?" : "'%s': write %s",
              entry->value,
              nearest ? nearest : all);
    return entries_prefix(entries, entry, err);
}

static int read_expression(struct expression **out,
                           const struct entries *entries,
                           const char *section,
                           const char *key,
                           struct error *err)
{
    const struct entry *entry = entries_find(entries, section, key);
    if (!entry || !*entry->value)
        return 0;
    if (expression_parse(out, entry->value, err))
        return entries_prefix(entries, entry, err);
    return 0;
}

static int read_where(struct expression **out,
                      char **text,
                      const struct entries *entries,
                      const char *section,
                      struct error *err)
{
    if (read_string(text, entries, section, "where", "", err))
        return -1;
    for (char *at = *text; *at; at++)
        *at = isspace((unsigned char)*at) ? ' ' : *at;
    return read_expression(out, entries, section, "where", err);
}

static int read_fields(struct job_field **out,
                       int *n_out,
                       const struct entries *entries,
                       const char *section,
                       struct error *err)
{
    const struct entry *entry = entries_find(entries, section, "fields");
    if (entry && fields_parse(out, n_out, entry->value, entry->line, err))
        return entries_prefix(entries, entry, err);
    return 0;
}

static int line_of(const struct entries *entries, const char *section, const char *key)
{
    const struct entry *entry = entries_find(entries, section, key);
    return entry ? entry->line : 0;
}

static int
read_source(struct job *job, const struct entries *entries, struct error *err)
{
    static const char *const kinds[] = { "postgres", "store", "vector" };
    static const char *const snapshots[] = { "shared", "none" };
    static const char *const fetches[] = { "auto", "index", "scan" };
    int kind = SOURCE_POSTGRES, snapshot = SNAPSHOT_SHARED, fetch = FETCH_AUTO;
    if (read_word(&kind, entries, "source", "kind", kinds, 3, err)
        || read_string(&job->connection, entries, "source", "connection", "", err)
        || read_string(&job->store_path, entries, "source", "path", "", err)
        || read_word(&snapshot, entries, "source", "snapshot", snapshots, 2, err)
        || read_word(&fetch, entries, "source", "fetch", fetches, 3, err))
        return -1;
    job->kind = (enum source_kind)kind;
    job->snapshot = (enum snapshot_rule)snapshot;
    job->fetch = (enum fetch_rule)fetch;
    return 0;
}

/* A table says which column its id is; the rows of a file can be numbered. */
static const char *default_id(const struct job *job)
{
    return job->kind == SOURCE_POSTGRES ? "" : JOB_ROW_NAME;
}

static int read_zones(struct job *job, const struct entries *entries, struct error *err)
{
    job->zones_line = line_of(entries, "zones", "table");
    job->zone_where_line = line_of(entries, "zones", "where");
    job->any_zone_id = !entries_find(entries, "zones", "id");
    return read_string(&job->zone_table, entries, "zones", "table", "", err)
                   || read_string(&job->zone_path, entries, "zones", "path", "", err)
                   || read_string(&job->zone_layer, entries, "zones", "layer", "", err)
                   || read_string(&job->zone_id,
                                  entries,
                                  "zones",
                                  "id",
                                  default_id(job),
                                  err)
                   || read_string(&job->zone_geometry,
                                  entries,
                                  "zones",
                                  "geometry",
                                  "",
                                  err)
                   || read_fields(&job->zone_fields,
                                  &job->n_zone_fields,
                                  entries,
                                  "zones",
                                  err)
                   || read_where(&job->zone_where,
                                 &job->zone_where_text,
                                 entries,
                                 "zones",
                                 err)
               ? -1
               : 0;
}

static int read_keep(struct job *job, const struct entries *entries, struct error *err)
{
    const struct entry *entry = entries_find(entries, "buildings", "keep");
    job->keep_line = entry ? entry->line : 0;
    if (entry) {
        if (names_parse(&job->keep, &job->n_keep, entry->value, err))
            return entries_prefix(entries, entry, err);
        return 0;
    }
    job->keep = calloc(1, sizeof *job->keep);
    if (!job->keep)
        return no_memory(err);
    strncpy(job->keep[0], job->building_id, SPELLING_BYTES - 1);
    job->n_keep = 1;
    job->any_keep = true;
    return 0;
}

static int
read_buildings(struct job *job, const struct entries *entries, struct error *err)
{
    static const char *const predicates[] = { "within", "intersects", "centroid" };
    static const char *const rules[] = { "trust", "fail", "skip", "repair" };
    static const char section[] = "buildings";
    int predicate = PREDICATE_WITHIN, invalid = INVALID_TRUST;
    job->buildings_line = line_of(entries, section, "table");
    job->where_line = line_of(entries, section, "where");
    job->any_building_id = !entries_find(entries, section, "id");
    if (read_string(&job->building_table, entries, section, "table", "", err)
        || read_string(&job->building_path, entries, section, "path", "", err)
        || read_string(&job->building_layer, entries, section, "layer", "", err)
        || read_string(&job->building_id, entries, section, "id", default_id(job), err)
        || read_string(&job->building_geometry, entries, section, "geometry", "", err)
        || read_fields(&job->fields, &job->n_fields, entries, section, err)
        || read_where(&job->where, &job->where_text, entries, section, err)
        || read_word(&predicate, entries, section, "predicate", predicates, 3, err)
        || read_word(&invalid, entries, section, "invalid", rules, 4, err)
        || read_keep(job, entries, err))
        return -1;
    job->predicate = (enum predicate)predicate;
    job->invalid = (enum invalid_rule)invalid;
    return 0;
}

static int
read_statistics(struct job *job, const struct entries *entries, struct error *err)
{
    job->statistics = calloc((size_t)entries->n + 1, sizeof *job->statistics);
    if (!job->statistics)
        return no_memory(err);
    for (int i = 0; i < entries->n; i++) {
        const struct entry *entry = &entries->list[i];
        if (strcmp(entry->section, "statistics") != 0)
            continue;
        struct job_statistic *statistic = &job->statistics[job->n_statistics];
        if (!*entry->value) {
            error_set(err, ERROR_USAGE, "is empty: write a statistic, as in 'count'");
            return entries_prefix(entries, entry, err);
        }
        statistic->text = strdup(entry->value);
        if (!statistic->text)
            return no_memory(err);
        strncpy(statistic->name, entry->key, NAME_BYTES - 1);
        statistic->line = entry->line;
        job->n_statistics++;
    }
    return 0;
}

static int
read_durations(struct job *job, const struct entries *entries, struct error *err)
{
    const struct entry *checkpoint = entries_find(entries, "limits", "checkpoint");
    const struct entry *time = entries_find(entries, "limits", "time");
    job->checkpoint_s = DEFAULT_CHECKPOINT_S;
    if (checkpoint && strcmp(checkpoint->value, "none") == 0)
        job->checkpoint_s = INFINITY;
    else if (checkpoint
             && job_parse_duration(checkpoint->value, &job->checkpoint_s, err))
        return entries_prefix(entries, checkpoint, err);
    if (time && job_parse_duration(time->value, &job->time_s, err))
        return entries_prefix(entries, time, err);
    if (time && job->time_s < LEAST_TIME_S) {
        error_set(err, ERROR_USAGE, "'%.60s': 1 s is the least", time->value);
        return entries_prefix(entries, time, err);
    }
    return 0;
}

static int
read_limits(struct job *job, const struct entries *entries, struct error *err)
{
    const struct entry *memory = entries_find(entries, "limits", "memory");
    const struct entry *retries = entries_find(entries, "limits", "retries");
    job->memory_bytes = DEFAULT_MEMORY;
    job->retries = 5;
    if (memory) {
        if (job_parse_size(memory->value, &job->memory_bytes, err))
            return entries_prefix(entries, memory, err);
        if (job->memory_bytes < LEAST_MEMORY) {
            error_set(err, ERROR_USAGE, "'%s': 8 MiB is the least", memory->value);
            return entries_prefix(entries, memory, err);
        }
    }
    if (retries) {
        char *end;
        long n = strtol(retries->value, &end, 10);
        if (!isdigit((unsigned char)*retries->value) || *end || n > 1000) {
            error_set(err, ERROR_USAGE, "'%s': write 0 to 1000", retries->value);
            return entries_prefix(entries, retries, err);
        }
        job->retries = (int)n;
    }
    return read_durations(job, entries, err);
}

struct wanted_key {
    const char *section, *key, *value;
    bool needed;
};

static int check_given(const struct job *job,
                       const struct wanted_key *keys,
                       size_t n,
                       struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (keys[i].needed && !*keys[i].value)
            return error_set(err,
                             ERROR_USAGE,
                             "%s: [%s] %s is missing",
                             job->path,
                             keys[i].section,
                             keys[i].key);
    return 0;
}

int job_check_files(const struct job *job, struct error *err)
{
    const struct wanted_key keys[] = {
        { "zones", "path", job->zone_path, job->kind == SOURCE_VECTOR },
        { "buildings", "path", job->building_path, job->kind == SOURCE_VECTOR },
    };
    return check_given(job, keys, sizeof keys / sizeof *keys, err);
}

/* A store knows its tables; a database has to be told. */
static int check_complete(const struct job *job, struct error *err)
{
    const struct wanted_key keys[] = {
        { "source", "path", job->store_path, job->kind == SOURCE_STORE },
        { "zones", "table", job->zone_table, job->kind == SOURCE_POSTGRES },
        { "zones", "id", job->zone_id, true },
        { "zones", "geometry", job->zone_geometry, job->kind == SOURCE_POSTGRES },
        { "buildings", "table", job->building_table, job->kind == SOURCE_POSTGRES },
        { "buildings", "id", job->building_id, true },
        { "buildings",
          "geometry",
          job->building_geometry,
          job->kind == SOURCE_POSTGRES },
    };
    if (check_given(job, keys, sizeof keys / sizeof *keys, err) < 0)
        return -1;
    const struct wanted_key *names[] = { &keys[2], &keys[3], &keys[5], &keys[6] };
    struct spelling spelling;
    for (int i = 0; i < 4; i++)
        if (spelling_read(&spelling, names[i]->value, err))
            return error_prefix(err,
                                "%s: [%s] %s",
                                job->path,
                                names[i]->section,
                                names[i]->key);
    return 0;
}

static int read_job(struct job *job, const struct entries *entries, struct error *err)
{
    job->text = entries_text(entries);
    job->identity = entries_identity(entries);
    job->places = places_text(entries);
    if (!job->text || !job->identity || !job->places)
        return no_memory(err);
    return read_string(&job->title, entries, "job", "title", file_name(job->path), err)
                   || read_string(&job->output, entries, "job", "output", "", err)
                   || read_source(job, entries, err) || read_zones(job, entries, err)
                   || read_buildings(job, entries, err)
                   || read_statistics(job, entries, err)
                   || read_limits(job, entries, err) || check_complete(job, err)
               ? -1
               : 0;
}

static int take_id(char **id, const char *name, struct error *err)
{
    char *copy = strdup(name);
    if (!copy)
        return no_memory(err);
    free(*id);
    *id = copy;
    return 0;
}

int job_take_ids(struct job *job,
                 const char *zone_id,
                 const char *building_id,
                 struct error *err)
{
    if ((job->any_zone_id && take_id(&job->zone_id, zone_id, err))
        || (job->any_building_id && take_id(&job->building_id, building_id, err)))
        return -1;
    if (job->any_building_id && job->any_keep)
        strncpy(job->keep[0], building_id, NAME_BYTES - 1);
    return 0;
}

int job_open(struct job **job,
             const char *path,
             const char *const *overrides,
             int n_overrides,
             struct error *err)
{
    int status = -1;
    struct entries entries = { 0 };
    struct job *read = calloc(1, sizeof *read);
    if (!read || !(read->path = strdup(path))) {
        no_memory(err);
        goto out;
    }
    if (entries_read(&entries, read->path, err))
        goto out;
    for (int i = 0; i < n_overrides; i++)
        if (entries_override(&entries, overrides[i], err))
            goto out;
    if (read_job(read, &entries, err))
        goto out;
    *job = read;
    read = NULL;
    status = 0;
out:
    job_close(read);
    entries_release(&entries);
    return status;
}

void job_close(struct job *job)
{
    if (!job)
        return;
    fields_free(job->zone_fields, job->n_zone_fields);
    fields_free(job->fields, job->n_fields);
    expression_free(job->zone_where);
    expression_free(job->where);
    for (int i = 0; i < job->n_statistics; i++)
        free(job->statistics[i].text);
    char *strings[] = { job->path,
                        job->title,
                        job->output,
                        job->connection,
                        job->store_path,
                        job->zone_table,
                        job->zone_path,
                        job->zone_layer,
                        job->zone_id,
                        job->zone_geometry,
                        job->building_table,
                        job->building_path,
                        job->building_layer,
                        job->building_id,
                        job->building_geometry,
                        job->text,
                        job->identity,
                        job->places,
                        job->zone_where_text,
                        job->where_text };
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        free(strings[i]);
    free(job->statistics);
    free(job->keep);
    free(job);
}

int job_parse_size(const char *text, int64_t *n_bytes, struct error *err)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = { { "", 1 },         { "B", 1 },        { "KiB", 0x1p10 },
                  { "MiB", 0x1p20 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 },
                  { "kB", 1e3 },     { "KB", 1e3 },     { "MB", 1e6 },
                  { "GB", 1e9 },     { "TB", 1e12 } };
    size_t n = strspn(text, "0123456789.");
    char *end;
    double size = strtod(text, &end);
    if (n > 0 && end == text + n) {
        end += strspn(end, " \t");
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(end, units[i].name) == 0 && size * units[i].bytes < 0x1p62) {
                *n_bytes = (int64_t)(size * units[i].bytes);
                return 0;
            }
    }
    return error_set(err,
                     ERROR_USAGE,
                     "'%.60s' is not a size: write it as in '64 MiB' or '1.5 GiB'",
                     text);
}
