#include <stdio.h>

#include "rooftally/h5/h5.h"
#include "rooftally/result/result.h"
#include "rooftally/source/store.h"

#include "cli.h"
#include "options.h"

static const char usage[] =
    "usage: rooftally info FILE\n"
    "\n"
    "What a result holds: zones, statistics, selection, how it came about; or a\n"
    "store: zones, buildings, their fields, what it was made from.\n";

int cli_info(int argc, char **argv, struct error *err)
{
    static const struct option options[] = { { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    optind = 0;
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (letter == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        return options_refuse("info", letter, argv, options, err);
    }
    if (optind + 1 != argc || !*argv[optind])
        return error_set(err,
                         ERROR_USAGE,
                         "info: takes one file; type rooftally info FILE");
    h5_silence();
    bool is_store = store_is_one(argv[optind]);
    int status = is_store ? store_info(argv[optind], stdout, err)
                          : result_info(argv[optind], stdout, err);
    if (status < 0 && err->code == ERROR_FORMAT && !is_store
        && !result_is_one(argv[optind]))
        error_set(err,
                  ERROR_USAGE,
                  "%s is neither a result nor a store of rooftally, or it is "
                  "damaged",
                  argv[optind]);
    if (status < 0) {
        if (err->code == ERROR_FORMAT || err->code == ERROR_IO)
            err->code = ERROR_USAGE;
        return -1;
    }
    return 0;
}
