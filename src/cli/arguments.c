#include "arguments.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/job/job.h"

/* Where the connection string of an argument begins; NULL: it has none. */
static char *find_secret(char **argv, int i)
{
    const char *before = i > 0 ? argv[i - 1] : "";
    if (strcmp(before, "--postgres") == 0)
        return argv[i];
    if (strncmp(argv[i], "--postgres=", 11) == 0)
        return argv[i] + 11;
    if (strncmp(before, "--s", 3) != 0 && strncmp(argv[i], "--s", 3) != 0)
        return NULL; /* --set, which getopt takes shortened too */
    char *word = strstr(argv[i], "connection");
    return word ? strchr(word, '=') ? strchr(word, '=') + 1 : NULL : NULL;
}

/* In place: what does not fit is starred out whole. */
static void hide(char *secret)
{
    size_t n = strlen(secret);
    char *redacted = job_redact(secret);
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
        char *secret = find_secret(copy, i);
        if (secret)
            hide(argv[i] + (secret - copy[i]));
    }
    return copy;
}
