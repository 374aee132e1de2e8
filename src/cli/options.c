#include "options.h"

#include <getopt.h>
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

static int unknown_option(const char *command,
                          const char *word,
                          const char *letters,
                          struct error *err)
{
    enum { N = sizeof long_options / sizeof *long_options - 1 };
    const char *known[N];
    char clean[64], names[N][16];
    int n = 0;
    for (int i = 0; i < N; i++)
        if (is_taken(long_options[i].val, letters)) {
            snprintf(names[n], sizeof names[n], "--%s", long_options[i].name);
            known[n] = names[n];
            n++;
        }
    log_clean(clean, sizeof clean, word, (int)strcspn(word, "=")); /* no value */
    const char *nearest = nearest_word(word, known, (size_t)n);
    return error_set(err,
                     ERROR_USAGE,
                     "%s: unknown option %s%s%s; see rooftally %s --help",
                     command,
                     clean,
                     nearest ? ": did you mean " : "",
                     nearest ? nearest : "",
                     command);
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

static int read_option(struct options *options,
                       int letter,
                       char **argv,
                       const char *letters,
                       struct error *err)
{
    int status = 0;
    if (letter != ':' && !is_taken(letter, letters))
        return unknown_option(argv[0], argv[optind - 1], letters, err);
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
    case ':':
        return error_set(err,
                         ERROR_USAGE,
                         "%s: %s needs a value",
                         argv[0],
                         argv[optind - 1]);
    default:
        return unknown_option(argv[0], argv[optind - 1], letters, err);
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
    for (int letter;
         (letter = getopt_long(argc, argv, ":o:fqh", long_options, NULL)) != -1;)
        if (letter != 0 && read_option(options, letter, argv, letters, err) < 0)
            return -1;
    if (options->help)
        return 0;
    if (optind >= argc)
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
