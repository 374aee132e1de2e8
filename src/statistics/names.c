#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "set.h"

/* Groups and scales at the top of the result. */
static const char *const reserved[] = { "zone",     "selection", "zones",
                                        "rejected", "telemetry", "provenance" };
/* Room for a name, the longest suffix, and the end. */
enum { DATASET_BYTES = NAME_BYTES + 16 };

enum { N_RESERVED = sizeof reserved / sizeof *reserved };

/* What the result adds to a statistic's name, by the form of its first output. */
enum { MOST_SUFFIXES = 4 };

static const char *const suffixes[][MOST_SUFFIXES] = {
    [OUTPUT_SCALAR] = { "" },
    [OUTPUT_RANKED] = { "", "_id", "_rank" },
    [OUTPUT_BINS] = { "", "_bin", "_edge", "_edges" },
    [OUTPUT_CATEGORY] = { "", "_category" },
};

static int check_form(const char *name, struct error *err)
{
    size_t n = 0;
    while (name[n] == '_' || isalnum((unsigned char)name[n]))
        n++;
    if (n == 0 || name[n] || isdigit((unsigned char)name[0]))
        return error_set(err,
                         ERROR_USAGE,
                         "a statistic's name is made of letters, digits and '_', and "
                         "begins with no digit");
    return 0;
}

/* The k-th name that a statistic takes in the result; NULL after the last. */
static const char *
taken_name(const struct statistics *set, int index, int k, char name[DATASET_BYTES])
{
    const struct statistic *statistic = &set->statistics[index];
    enum output_form form = set->outputs[statistic->output].form;
    if (k == MOST_SUFFIXES || !suffixes[form][k])
        return NULL;
    snprintf(name, DATASET_BYTES, "%.63s%.15s", statistic->name, suffixes[form][k]);
    return name;
}

static int check_against(const struct statistics *set,
                         int index,
                         const char *name,
                         struct error *err)
{
    char other[DATASET_BYTES];
    for (int i = 0; i < N_RESERVED; i++)
        if (strcmp(name, reserved[i]) == 0)
            return error_set(err,
                             ERROR_USAGE,
                             "the result file uses the name '%s' itself: choose "
                             "another",
                             name);
    for (int i = 0; i < index; i++)
        for (int k = 0; taken_name(set, i, k, other); k++)
            if (strcmp(name, other) == 0)
                return error_set(err,
                                 ERROR_USAGE,
                                 "the result would have two datasets '%s', the other "
                                 "from '%s': choose another name",
                                 name,
                                 set->statistics[i].name);
    return 0;
}

int names_place(const struct job *job, int index, struct error *err)
{
    const struct job_statistic *given = &job->statistics[index];
    if (given->line == 0)
        return error_prefix(err, "--set statistics.%s", given->name);
    return error_prefix(err,
                        "%s:%d: [statistics] %s",
                        job->path,
                        given->line,
                        given->name);
}

int names_check(const struct statistics *set, const struct job *job, struct error *err)
{
    char name[DATASET_BYTES];
    for (int i = 0; i < set->n; i++) {
        int status = check_form(set->statistics[i].name, err);
        for (int k = 0; status == 0 && taken_name(set, i, k, name); k++)
            status = check_against(set, i, name, err);
        if (status < 0)
            return names_place(job, i, err);
    }
    return 0;
}
