#include "keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "rooftally/base/nearest.h"
#include "rooftally/base/terms.h"

struct section {
    const char *name;
    const char *keys[12]; /* ends in NULL; none: any name */
};

static const struct section sections[] = {
    { "job", { "title", "output" } },
    { "source", { "kind", "connection", "path", "snapshot", "fetch" } },
    { "zones", { "table", "path", "layer", "id", "geometry", "fields", "where" } },
    { "buildings",
      { "table",
        "path",
        "layer",
        "id",
        "geometry",
        "fields",
        "where",
        "predicate",
        "invalid",
        "keep" } },
    { "statistics", { NULL } },
    { "limits", { "memory", "retries", "checkpoint", "time" } },
};

enum { N_SECTIONS = sizeof sections / sizeof *sections };

static const struct section *find_section(const char *name)
{
    for (int i = 0; i < N_SECTIONS; i++)
        if (strcmp(sections[i].name, name) == 0)
            return &sections[i];
    return NULL;
}

int keys_check_section(const char *name, struct error *err)
{
    if (find_section(name))
        return 0;
    const char *names[N_SECTIONS];
    for (int i = 0; i < N_SECTIONS; i++)
        names[i] = sections[i].name;
    const char *nearest = nearest_word(name, names, N_SECTIONS);
    return error_set(err,
                     ERROR_USAGE,
                     "unknown section '%s': %s%s%s",
                     name,
                     nearest ? "did you mean '" : "there are job, source, zones, ",
                     nearest ? nearest : "buildings, statistics, limits",
                     nearest ? "'?" : "");
}

static bool is_name(const char *name)
{
    size_t n = 0;
    for (; name[n]; n++)
        if (!isalpha((unsigned char)name[n]) && name[n] != '_'
            && (n == 0 || !isdigit((unsigned char)name[n])))
            return false;
    return n > 0 && n < NAME_BYTES;
}

static int n_keys(const struct section *section)
{
    int n = 0;
    while (section->keys[n])
        n++;
    return n;
}

static bool has_key(const struct section *section, const char *key)
{
    for (int i = 0; section->keys[i]; i++)
        if (strcmp(section->keys[i], key) == 0)
            return true;
    return !section->keys[0] && is_name(key);
}

int keys_check(const char *section, const char *key, struct error *err)
{
    const struct section *known = find_section(section);
    if (!*section)
        return error_set(err, ERROR_USAGE, "'%s' stands before any section", key);
    if (!known)
        return keys_check_section(section, err);
    if (has_key(known, key))
        return 0;
    if (!known->keys[0])
        return error_set(err,
                         ERROR_USAGE,
                         "'%s' is not a name: letters, digits and _, at most 63",
                         key);
    const char *nearest = nearest_word(key, known->keys, n_keys(known));
    if (nearest)
        return error_set(err,
                         ERROR_USAGE,
                         "unknown key '%s': did you mean '%s'?",
                         key,
                         nearest);
    char all[128] = "";
    for (int i = 0, at = 0; known->keys[i]; i++)
        at += snprintf(all + at,
                       sizeof all - (size_t)at,
                       "%s%s",
                       i ? ", " : "",
                       known->keys[i]);
    return error_set(err, ERROR_USAGE, "unknown key '%s': there are %s", key, all);
}

bool keys_known(const char *section, const char *key)
{
    const struct section *known = find_section(section);
    return known && has_key(known, key);
}

const char *keys_section(int index)
{
    return index < N_SECTIONS ? sections[index].name : NULL;
}

const char *keys_key(int section, int index)
{
    return sections[section].keys[index];
}
