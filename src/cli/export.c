#include "rooftally/report/export.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "rooftally/base/log.h"
#include "rooftally/base/nearest.h"

#include "cli.h"
#include "draft.h"
#include "options.h"

static const char usage[] =
    "usage: rooftally export RESULT [--format csv|geojson] [-o FILE] [--force]\n"
    "                        [--raw]\n"
    "\n"
    "A result as text: a row, or a feature, for every zone, with its statistics.\n"
    "Those of several values have a column for each: uses=house, heights=0..5,\n"
    "tallest=1.\n"
    "\n"
    "  --format csv      RFC 4180 (default, unless FILE ends in .geojson or .json):\n"
    "                    texts in quotes, nothing for what is missing\n"
    "  --format geojson  RFC 7946: with the zones' polygons; null for what is missing\n"
    "                    or infinite. Coordinates are written as they are: longitude\n"
    "                    and latitude on a geographic CRS, else with a note and a\n"
    "                    member \"crs\"\n"
    "  -o FILE           write there instead of standard output: all of it or nothing\n"
    "  --force           replace FILE\n"
    "  --raw             csv: leave texts as they are that a spreadsheet would take\n"
    "                    for a formula. Without it, a text that begins with = + - @\n"
    "                    tab or a line break, and is no number, gets a ' in front\n";

struct arguments {
    struct export_options options;
    const char *result, *output;
    bool has_format, force, help;
};

static int read_format(struct arguments *arguments, const char *word, struct error *err)
{
    static const char *const words[] = { "csv", "geojson" };
    for (int i = 0; i < 2; i++)
        if (strcmp(word, words[i]) == 0) {
            arguments->options.format = (enum export_format)i;
            arguments->has_format = true;
            return 0;
        }
    const char *nearest = nearest_word(word, words, 2);
    return error_set(err,
                     ERROR_USAGE,
                     "export: --format %.40s: %s%s%s",
                     word,
                     nearest ? "did you mean " : "write csv or geojson",
                     nearest ? nearest : "",
                     nearest ? "?" : "");
}

/* In either case. */
static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), n_end = strlen(end);
    return n >= n_end && strcasecmp(path + n - n_end, end) == 0;
}

static int read_arguments(struct arguments *a, int argc, char **argv, struct error *err)
{
    static const struct option options[] = {
        { "format", required_argument, NULL, 't' },
        { "output", required_argument, NULL, 'o' },
        { "force", no_argument, NULL, 'f' },
        { "raw", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    optind = 0;
    opterr = 0;
    for (int letter;
         (letter = getopt_long(argc, argv, ":o:fh", options, NULL)) != -1;) {
        if (letter == 't' && read_format(a, optarg, err) < 0)
            return -1;
        if (letter == '?' || letter == ':')
            return options_refuse("export", letter, argv, options, err);
        a->output = letter == 'o' ? optarg : a->output;
        a->force |= letter == 'f';
        a->options.raw |= letter == 'r';
        a->help |= letter == 'h';
    }
    if (a->help)
        return 0;
    if (optind + 1 != argc || !*argv[optind])
        return error_set(err,
                         ERROR_USAGE,
                         "export: takes one result; type rooftally export RESULT");
    a->result = argv[optind];
    if (!a->has_format && a->output
        && (ends_in(a->output, ".geojson") || ends_in(a->output, ".json")))
        a->options.format = EXPORT_GEOJSON;
    return 0;
}

/* Say what the coordinates are where they are not what a reader of GeoJSON expects. */
static void note_crs(enum export_crs crs, const char *name)
{
    if (crs == EXPORT_OTHER_DATUM)
        fprintf(stderr,
                "rooftally: note: longitude and latitude are on the datum of %s, not "
                "of WGS "
                "84: they may be metres apart\n",
                *name ? name : "an unnamed CRS");
    if (crs == EXPORT_PLANE)
        fprintf(stderr,
                "rooftally: note: coordinates are in %s, not in longitude and latitude "
                "as RFC 7946 wants: ogr2ogr %s-t_srs EPSG:4326 transforms them\n",
                *name ? name : "a CRS that the result has no number of",
                *name ? "" : "-s_srs CRS ");
}

static int write_export(void *context, FILE *out, struct error *err)
{
    const struct arguments *a = context;
    enum export_crs crs = EXPORT_WGS84;
    char name[128] = "", clean[128];
    if (export_result(a->result, &a->options, out, &crs, name, err) < 0)
        return -1;
    note_crs(crs, log_clean(clean, sizeof clean, name, (int)strlen(name)));
    return 0;
}

int cli_export(int argc, char **argv, struct error *err)
{
    struct arguments arguments = { .options = { .format = EXPORT_CSV } };
    if (read_arguments(&arguments, argc, argv, err) < 0)
        return -1;
    if (arguments.help) {
        fputs(usage, stdout);
        return 0;
    }
    arguments.options.clean = !arguments.output && isatty(STDOUT_FILENO);
    const struct draft draft = { .command = "export",
                                 .result = arguments.result,
                                 .output = arguments.output,
                                 .force = arguments.force,
                                 .write = write_export,
                                 .context = &arguments };
    return draft_write(&draft, err);
}
