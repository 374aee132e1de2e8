#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rooftally/report/html.h"

#include "cli.h"
#include "draft.h"
#include "options.h"

static const char usage[] =
    "usage: rooftally report RESULT -o report.html [--force]\n"
    "\n"
    "A result as a page to look at: a map of the zones coloured by a statistic, what\n"
    "the statistics come to, what was rejected and why, time and memory of the ranks,\n"
    "where it came from. One file of HTML, without scripts, that loads nothing else.\n"
    "\n"
    "  -o FILE   write there: all of it or nothing; without it, to standard output\n"
    "  --force   replace FILE\n";

struct arguments {
    const char *result, *output;
    bool force, help;
};

static int read_arguments(struct arguments *a, int argc, char **argv, struct error *err)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' },
        { "force", no_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    optind = 0;
    opterr = 0;
    for (int letter;
         (letter = getopt_long(argc, argv, ":o:fh", options, NULL)) != -1;) {
        if (letter == '?' || letter == ':')
            return options_refuse("report", letter, argv, options, err);
        a->output = letter == 'o' ? optarg : a->output;
        a->force |= letter == 'f';
        a->help |= letter == 'h';
    }
    if (a->help)
        return 0;
    if (optind + 1 != argc || !*argv[optind])
        return error_set(err,
                         ERROR_USAGE,
                         "report: takes one result; type rooftally report RESULT -o "
                         "report.html");
    a->result = argv[optind];
    if (!a->output && isatty(STDOUT_FILENO))
        return error_set(err,
                         ERROR_USAGE,
                         "report: a page of HTML is nothing for a terminal: type "
                         "-o report.html");
    return 0;
}

static int write_report(void *context, FILE *out, struct error *err)
{
    const struct arguments *a = context;
    return report_html(a->result, out, err);
}

int cli_report(int argc, char **argv, struct error *err)
{
    struct arguments arguments = { .force = false };
    if (read_arguments(&arguments, argc, argv, err) < 0)
        return -1;
    if (arguments.help) {
        fputs(usage, stdout);
        return 0;
    }
    const struct draft draft = { .command = "report",
                                 .result = arguments.result,
                                 .output = arguments.output,
                                 .force = arguments.force,
                                 .write = write_report,
                                 .context = &arguments };
    return draft_write(&draft, err);
}
