#include "arguments.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/job/job.h"

struct secret {
    char *at; /* NULL: none */
    bool is_path;
};

/* getopt takes options shortened, and their values in the next word or behind '='. */
static char *find_value(char **argv, int i, const char *option)
{
    const char *before = i > 0 ? argv[i - 1] : "";
    size_t n = strlen(option);
    if (strncmp(before, option, n) == 0 && !strchr(before, '='))
        return argv[i];
    char *equals = strncmp(argv[i], option, n) == 0 ? strchr(argv[i], '=') : NULL;
    return equals ? equals + 1 : NULL;
}

/* A connection string, or a path that may be one to GDAL. */
static struct secret find_secret(char **argv, int i)
{
    struct secret secret = { find_value(argv, i, "--p"), false }; /* --postgres */
    char *set = find_value(argv, i, "--s");                       /* --set */
    if (secret.at || !set)
        return secret;
    char *equals = strchr(set, '='), *word = strstr(set, "connection");
    if (word) {
        equals = strchr(word, '=');
    } else {
        word = strstr(set, "path");
        secret.is_path = true;
    }
    if (word && equals && word < equals)
        secret.at = equals + 1;
    return secret;
}

/* In place: what does not fit is starred out whole. */
static void hide(char *secret, bool is_path)
{
    size_t n = strlen(secret);
    char *redacted = is_path ? job_redact_path(secret) : job_redact(secret);
    if (redacted && strlen(redacted) <= n) {
        memset(secret, 0, n);
        memcpy(secret, redacted, strlen(redacted));
    } else {
        memset(secret, '*', n);
    }
    free(redacted);
}

char **arguments_hide(int argc, char **argv)
{
    static char **copy; /* never given back */
    copy = calloc((size_t)argc + 1, sizeof *copy);
    if (!copy)
        return NULL;
    for (int i = 0; i < argc; i++)
        if (!(copy[i] = strdup(argv[i])))
            return NULL;
    for (int i = 1; i < argc; i++) {
        struct secret secret = find_secret(copy, i);
        if (secret.at)
            hide(argv[i] + (secret.at - copy[i]), secret.is_path);
    }
    return copy;
}
