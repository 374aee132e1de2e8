#include "options.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/base/nearest.h"

static const struct option long_options[] = {
    { "output", required_argument, NULL, 'o' }, { "set", required_argument, NULL, 's' },
    { "force", no_argument, NULL, 'f' },        { "resume", no_argument, NULL, 'r' },
    { "quiet", no_argument, NULL, 'q' },        { "values", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
};

/* --set and --help go with every command, the others with those that name them. */
static bool is_taken(int letter, const char *letters)
{
    return letter == 's' || letter == 'h' || strchr(letters, letter);
}

/* A value is not shown, as it may be a secret. */
static int unknown_option(const char *command,
                          const char *word,
                          const struct option *known,
                          struct error *err)
{
    enum { N_MOST = 16 };
    const char *words[N_MOST];
    char clean[64], names[N_MOST][16];
    int n = 0;
    for (; known[n].name && n < N_MOST; n++) {
        snprintf(names[n], sizeof names[n], "--%s", known[n].name);
        words[n] = names[n];
    }
    log_clean(clean, sizeof clean, word, (int)strcspn(word, "="));
    const char *nearest = nearest_word(clean, words, n);
    return error_set(err,
                     ERROR_USAGE,
                     "%s: unknown option %s%s%s; see rooftally %s --help",
                     command,
                     clean,
                     nearest ? ": did you mean " : "",
                     nearest ? nearest : "",
                     command);
}

/* What a word as "--force=1" means, of which getopt_long leaves the letter; or NULL. */
static const struct option *find_valued(const char *word, const struct option *known)
{
    size_t n = strcspn(word, "=");
    if (n <= 2 || word[n] != '=' || strncmp(word, "--", 2) != 0)
        return NULL;
    for (; known->name; known++)
        if (known->val == optopt && known->has_arg == no_argument
            && strncmp(word + 2, known->name, n - 2) == 0)
            return known;
    return NULL;
}

int options_refuse(const char *command,
                   int letter,
                   char **argv,
                   const struct option *known,
                   struct error *err)
{
    const char option[] = { '-', (char)optopt, '\0' }, *word = argv[optind - 1];
    if (letter == ':')
        return error_set(err,
                         ERROR_USAGE,
                         "%s: %.60s needs a value; see rooftally %s --help",
                         command,
                         word,
                         command);
    const struct option *valued = find_valued(word, known);
    if (valued)
        return error_set(err,
                         ERROR_USAGE,
                         "%s: --%s takes no value; see rooftally %s --help",
                         command,
                         valued->name,
                         command);
    /* where a letter stands among others, optind may be at a word before them */
    return unknown_option(command, optopt ? option : word, known, err);
}

/* -o FILE is an override too, so that it wins over the job file's own output. */
static int add_override(struct options *options, const char *prefix, const char *value)
{
    size_t n = strlen(prefix) + strlen(value) + 1;
    char *text = malloc(n);
    const char **more =
        realloc(options->overrides, (size_t)(options->n_overrides + 1) * sizeof *more);
    if (more)
        options->overrides = more;
    if (!text || !more) {
        free(text);
        return -1;
    }
    snprintf(text, n, "%s%s", prefix, value);
    options->overrides[options->n_overrides++] = text;
    return 0;
}

/* `at`: where a whole word is in long_options; -1: it was a letter. */
static int
refuse(int letter, int at, char **argv, const char *letters, struct error *err)
{
    struct option taken[sizeof long_options / sizeof *long_options];
    char word[32];
    int n = 0;
    for (const struct option *option = long_options; option->name; option++)
        if (is_taken(option->val, letters))
            taken[n++] = *option;
    taken[n] = (struct option){ NULL, 0, NULL, 0 };
    if (letter == '?') {
        const struct option *valued = find_valued(argv[optind - 1], long_options);
        if (!valued || is_taken(valued->val, letters))
            return options_refuse(argv[0], letter, argv, taken, err);
        at = (int)(valued - long_options);
    }
    snprintf(word, sizeof word, "-%c", letter);
    if (at >= 0)
        snprintf(word, sizeof word, "--%s", long_options[at].name);
    return unknown_option(argv[0], word, taken, err);
}

static int read_option(struct options *options,
                       int letter,
                       int at,
                       char **argv,
                       const char *letters,
                       struct error *err)
{
    int status = 0;
    if (letter == '?' || (letter != ':' && !is_taken(letter, letters)))
        return refuse(letter, at, argv, letters, err);
    switch (letter) {
    case 'o':
        options->output = optarg;
        status = add_override(options, "job.output=", optarg);
        break;
    case 's':
        status = add_override(options, "", optarg);
        break;
    case 'f':
        options->force = true;
        break;
    case 'r':
        options->resume = true;
        break;
    case 'q':
        options->quiet = true;
        break;
    case 'v':
        options->values = true;
        break;
    case 'h':
        options->help = true;
        break;
    default:
        return options_refuse(argv[0], letter, argv, long_options, err);
    }
    return status == 0 ? 0 : error_set(err, ERROR_INTERNAL, "no memory for options");
}

int options_read(struct options *options,
                 int argc,
                 char **argv,
                 const char *letters,
                 struct error *err)
{
    *options = (struct options){ 0 };
    optind = 0;
    opterr = 0;
    for (int letter, at = -1;
         (letter = getopt_long(argc, argv, ":o:fqh", long_options, &at)) != -1;
         at = -1)
        if (read_option(options, letter, at, argv, letters, err) < 0)
            return -1;
    if (options->help)
        return 0;
    if (optind >= argc || !*argv[optind])
        return error_set(err,
                         ERROR_USAGE,
                         "%s: no job file given; type rooftally %s JOB",
                         argv[0],
                         argv[0]);
    if (optind + 1 < argc)
        return error_set(err,
                         ERROR_USAGE,
                         "%s: takes one job file, and '%.60s' is one more; type "
                         "rooftally %s JOB",
                         argv[0],
                         argv[optind + 1],
                         argv[0]);
    options->job_path = argv[optind];
    return 0;
}

void options_release(struct options *options)
{
    for (int i = 0; i < options->n_overrides; i++)
        free((void *)(uintptr_t)options->overrides[i]);
    free(options->overrides);
    *options = (struct options){ 0 };
}
