/* Where in the job file a key is, for errors that are found when the job meets its source. */
#include "places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/job/job.h"

char *places_text(const struct entries *entries)
{
    size_t n = 2, at = 1;
    for (int i = 0; i < entries->n; i++)
        n += strlen(entries->list[i].section) + strlen(entries->list[i].key) + 20;
    char *text = malloc(n);
    if (!text)
        return NULL;
    memcpy(text, "\n", 2);
    for (int i = 0; i < entries->n; i++) {
        const struct entry *entry = &entries->list[i];
        at += (size_t)snprintf(text + at,
                               n - at,
                               "[%s] %s %d\n",
                               entry->section,
                               entry->key,
                               entry->line);
    }
    return text;
}

int job_locate(const struct job *job, struct error *err)
{
    char section[24], key[64], line[128];
    int n = 0;
    if (sscanf(err->text, "[%20[a-z]] %60[a-z_]%n", section, key, &n) != 2 || n == 0)
        return -1;
    snprintf(line, sizeof line, "\n[%s] %s ", section, key);
    /* "fields.fgb" is a file */
    const char *place = strchr(": ", err->text[n]) ? strstr(job->places, line) : NULL;
    int number = place ? atoi(place + strlen(line)) : -1;
    if (number == 0)
        return error_set(err, err->code, "--set %s.%s%s", section, key, err->text + n);
    return number > 0 ? error_prefix(err, "%s:%d", job->path, number)
                      : error_prefix(err, "%s", job->path);
}
