#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/log.h"
#include "rooftally/base/memory.h"
#include "rooftally/source/load.h"
#include "rooftally/source/store.h"

#include "cli.h"
#include "meter.h"
#include "options.h"
#include "stop.h"
#include "team.h"

static const char usage[] =
    "usage: rooftally generate STORE|--postgres CONNINFO --zones N --buildings N\n"
    "                          [option]...\n"
    "\n"
    "Make a synthetic state and write it into a store, or load it into PostgreSQL as\n"
    "the tables zipcode and building, with indexes. The same numbers and seed give\n"
    "the same rows, and the same store on any number of ranks (mpirun, srun), of\n"
    "which each makes a share.\n"
    "\n"
    "  --postgres CONNINFO  libpq connection string; '' means the PG* environment\n"
    "  --zones N            zones, 1 to 1000000\n"
    "  --buildings N        buildings in all\n"
    "  --seed N             0 to 18446744073709551615 (default 1)\n"
    "  --schema NAME        where the tables go, made if it is not there (public)\n"
    "  -f, --force          replace tables or a store that exist\n"
    "  -q, --quiet          no progress, no summary\n"
    "  --help               this text\n";

enum { MEMORY_BYTES = 64 * 1024 * 1024 };

struct generate {
    const char *conninfo, *schema, *store; /* conninfo or store */
    int64_t n_zones, n_buildings;          /* -1: not given */
    uint64_t seed;
    bool force, quiet, help;
};

/* Digits alone: no sign, no space, no fraction. */
static int read_number(const char *option,
                       const char *text,
                       uint64_t least,
                       uint64_t most,
                       uint64_t *number,
                       struct error *err)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno == ERANGE || value < least
        || value > most)
        return error_set(err,
                         ERROR_USAGE,
                         "generate: --%s %.40s: a whole number from %" PRIu64
                         " to %" PRIu64 " is due",
                         option,
                         text,
                         least,
                         most);
    *number = value;
    return 0;
}

static const struct option long_options[] = {
    { "postgres", required_argument, NULL, 'p' },
    { "zones", required_argument, NULL, 'z' },
    { "buildings", required_argument, NULL, 'b' },
    { "seed", required_argument, NULL, 's' },
    { "schema", required_argument, NULL, 'm' },
    { "force", no_argument, NULL, 'f' },
    { "quiet", no_argument, NULL, 'q' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int
read_option(struct generate *generate, int letter, char **argv, struct error *err)
{
    uint64_t number = 0;
    switch (letter) {
    case 'p':
        generate->conninfo = optarg;
        return 0;
    case 'z':
    case 'b':
        if (read_number(letter == 'z' ? "zones" : "buildings",
                        optarg,
                        letter == 'z' ? 1 : 0,
                        letter == 'z' ? SYNTHETIC_MOST_ZONES
                                      : (uint64_t)SYNTHETIC_MOST_BUILDINGS,
                        &number,
                        err)
            < 0)
            return -1;
        *(letter == 'z' ? &generate->n_zones : &generate->n_buildings) =
            (int64_t)number;
        return 0;
    case 's':
        return read_number("seed", optarg, 0, UINT64_MAX, &generate->seed, err);
    case 'm':
        generate->schema = optarg;
        return 0;
    case 'f':
        generate->force = true;
        return 0;
    case 'q':
        generate->quiet = true;
        return 0;
    case 'h':
        generate->help = true;
        return 0;
    default:
        return options_refuse("generate", letter, argv, long_options, err);
    }
}

static int
read_arguments(struct generate *generate, int argc, char **argv, struct error *err)
{
    *generate = (struct generate){ .n_zones = -1, .n_buildings = -1, .seed = 1 };
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (int letter;
         (letter = getopt_long(argc, argv, ":fqh", long_options, NULL)) != -1;)
        if (read_option(generate, letter, argv, err) < 0)
            return -1;
    if (generate->help)
        return 0;
    if (optind < argc && !generate->conninfo)
        generate->store = argv[optind++];
    const char *missing = !generate->conninfo && !generate->store
                              ? "STORE or --postgres CONNINFO"
                          : generate->n_zones < 0     ? "--zones N"
                          : generate->n_buildings < 0 ? "--buildings N"
                                                      : NULL;
    if (optind < argc)
        return error_set(err,
                         ERROR_USAGE,
                         "generate: takes one STORE, or --postgres CONNINFO, and "
                         "'%.40s' is one more; see rooftally generate --help",
                         argv[optind]);
    if (missing)
        return error_set(err,
                         ERROR_USAGE,
                         "generate: %s is missing; see rooftally generate --help",
                         missing);
    if (generate->store && generate->schema)
        return error_set(err, ERROR_USAGE, "generate: --schema goes with --postgres");
    if (generate->schema && !*generate->schema)
        return error_set(err, ERROR_USAGE, "generate: --schema needs a name");
    return 0;
}

static void print_summary(const struct load_counts *counts)
{
    double all_s = counts->copy_wall_s + counts->index_wall_s;
    double n_rows = (double)(counts->n_zones + counts->n_buildings);
    char size[24];
    printf("%" PRId64 " zones and %" PRId64 " buildings (%" PRId64
           " straddle a border), %s: loaded in %.1f s (%.0f rows/s), indexed and "
           "analysed in %.1f s, %.1f s in all\n",
           counts->n_zones,
           counts->n_buildings,
           counts->n_straddling,
           memory_size_text(size, counts->n_bytes),
           counts->copy_wall_s,
           counts->copy_wall_s > 0 ? n_rows / counts->copy_wall_s : 0,
           counts->index_wall_s,
           all_s);
}

static void print_store_summary(const struct store_counts *counts, double wall_s)
{
    char size[24];
    printf("%" PRId64 " zones and %" PRId64 " buildings, %s: written in %.1f s "
           "(%.0f rows/s)\n",
           counts->n_zones,
           counts->n_buildings,
           memory_size_text(size, counts->n_bytes),
           wall_s,
           (double)counts->n_buildings / wall_s);
}

/* Every rank a share of the state. */
static int write_store(const struct generate *generate,
                       const struct synthetic_state *state,
                       struct comm *comm,
                       struct memory *memory,
                       struct error *err)
{
    bool shows = comm_rank(comm) == 0 && !generate->quiet;
    struct meter meter;
    const struct team team = team_of(comm);
    struct store_options options = { .team = &team,
                                     .force = generate->force,
                                     .progress = meter_show,
                                     .context = &meter };
    struct store_counts counts;
    double start_s = clock_wall_s();
    meter_init(&meter, comm, "generate", !shows);
    int status = store_generate(state, generate->store, &options, &counts, memory, err);
    meter_end(&meter);
    if (status == 0 && shows)
        print_store_summary(&counts, clock_wall_s() - start_s);
    return status;
}

/* The first rank alone: one connection loads as fast as the server takes it. */
static int load_tables(const struct generate *generate,
                       const struct synthetic_state *state,
                       struct comm *comm,
                       struct memory *memory,
                       struct error *err)
{
    struct meter meter;
    struct load_options options = {
        .schema = generate->schema,
        .force = generate->force,
        .progress = meter_show,
        .context = &meter,
    };
    struct load_counts counts;
    int status = 0;
    if (comm_rank(comm) == 0) {
        meter_init(&meter, comm, "generate", generate->quiet);
        status =
            load_postgres(state, generate->conninfo, &options, &counts, memory, err);
        meter_end(&meter);
        if (status == 0 && !counts.is_vacuumed)
            log_warn("not_vacuumed", "all rows are loaded, VACUUM ANALYZE is not done");
        if (status == 0 && !generate->quiet)
            print_summary(&counts);
    }
    return comm_agree(comm, status, err);
}

static int make_state(const struct generate *generate,
                      struct comm *comm,
                      struct memory *memory,
                      struct error *err)
{
    struct synthetic_state state;
    int status = synthetic_init(&state,
                                generate->n_zones,
                                generate->n_buildings,
                                generate->seed,
                                memory,
                                err);
    if (comm_agree(comm, status, err) < 0)
        return -1;
    return generate->store ? write_store(generate, &state, comm, memory, err)
                           : load_tables(generate, &state, comm, memory, err);
}

int cli_generate(int argc, char **argv, struct comm *comm, struct error *err)
{
    struct generate generate;
    struct memory memory = { 0 };
    comm_bound(comm, stop_until_s);
    log_open(comm_rank(comm));
    if (comm_rank(comm) == 0)
        stop_speak();
    int status = read_arguments(&generate, argc, argv, err);
    if (status == 0 && !generate.help)
        status = memory_init(&memory, MEMORY_BYTES, err);
    status = comm_agree(comm, status, err);
    if (status == 0 && generate.help) {
        if (comm_rank(comm) == 0)
            fputs(usage, stdout);
    } else if (status == 0) {
        status = make_state(&generate, comm, &memory, err);
        if (status < 0)
            error_prefix(err, "generate");
        else
            stop_disarm();
    }
    memory_release(&memory);
    return status;
}
