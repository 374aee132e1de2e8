/*
 * Job files: read, bound to the columns of a source, their statistics bound too. Lines
 * before the first that begin with "--set " are given as overrides.
 */
#include <fcntl.h>
#include <unistd.h>

#include "rooftally/job/binding.h"
#include "rooftally/job/job.h"
#include "rooftally/statistics/statistics.h"

#include "fuzz.h"

enum { MOST_OVERRIDES = 4 };

static int file;
static char path[SCRATCH_BYTES];

static void seeds(void)
{
    static const char *const texts[] = {
        "[job]\ntitle = Tall ; of MA\noutput = x.h5\n[source]\nkind = postgres\n"
        "connection = service=gis password=SECRETSECRET\n[zones]\ntable = "
        "public.zipcode\n"
        "id = zip\ngeometry = boundary\nfields = state\nwhere = state = "
        "'MA'\n[buildings]\n"
        "table = public.building\nid = id\ngeometry = boundary\n"
        "fields = height, size, volume = height * size, use\n"
        "where = height > 10 and use <> 'shed'\npredicate = within\ninvalid = trust\n"
        "keep = id, height\n[statistics]\nbuildings = count\nm = mean(size)\n"
        "q = quantile(height, 0.9)\nh = histogram(height, 0, 100, 20)\n"
        "u = frequency(use)\nt = top(height, 5)\nc = coverage\nw = weighted_mean(size, "
        "height)\n[limits]\nmemory = 64 MiB\nretries = 5\ncheckpoint = 10 s\n"
        "time = 3h50m\n",
        "--set source.path=x\n--set limits.memory = 1.5 "
        "GiB\n[source]\nkind=store\n[zones]\n"
        "id=zip\n[buildings]\nid=id\nfields=height,\n  size = 2 *\n  "
        "height\n[statistics]\n"
        "n=count(size)\ns=stddev(area_m2)\n",
    };
    scratch_path("job.ini", path);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        seed_text(texts[i]);
}

static void bind(const struct job *job)
{
    static struct source_column known[] = {
        { "id", TYPE_INTEGER, "bigint", "b.\"id\"" },
        { "height", TYPE_REAL, "real", "b.\"height\"" },
        { "size", TYPE_REAL, "numeric", "b.\"size\"" },
        { "use", TYPE_TEXT, "text", "b.\"use\"" },
        { "built", TYPE_DATE, "date", "b.\"built\"" },
        { "raw", TYPE_NULL, "bytea", NULL },
        { "zip", TYPE_TEXT, "text", NULL },
        { "state", TYPE_TEXT, "text", "z.\"state\"" },
    };
    static const struct source_columns columns = { known,
                                                   sizeof known / sizeof *known,
                                                   0 };
    struct error err = { ERROR_NONE, "" };
    struct binding binding = { 0 };
    struct statistics *statistics = NULL;
    struct expression *local = NULL;
    char *source_filter = NULL;
    if (binding_zones(job, &columns, &source_filter, &local, &err) < 0)
        must_tell(&err);
    free(source_filter);
    expression_free(local);
    err = (struct error){ ERROR_NONE, "" };
    if (binding_init(&binding, job, &columns, &err) < 0
        || statistics_bind(&statistics, job, &binding, &err) < 0
        || binding_everything(&binding, &err) < 0) {
        must_tell(&err);
    } else {
        must(binding.n_slots <= BINDING_MAX_SLOTS);
        for (int i = 0; i < statistics_n_outputs(statistics); i++)
            must(statistics_output(statistics, i)->name[0]);
        must(statistics_size(statistics, 1000) >= 0);
    }
    statistics_free(statistics);
    binding_release(&binding);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *overrides[MOST_OVERRIDES];
    int n_overrides = 0;
    char *text = malloc(n + 1), *at = text, what[160];
    struct error err = { ERROR_NONE, "" };
    struct job *job = NULL;
    memcpy(text, bytes, n);
    text[n] = '\0';
    while (n_overrides < MOST_OVERRIDES && strncmp(at, "--set ", 6) == 0) {
        char *end = strchr(at, '\n');
        if (!end)
            break;
        *end = '\0';
        overrides[n_overrides++] = at + 6;
        at = end + 1;
    }
    size_t n_file = n - (size_t)(at - text);
    must(ftruncate(file, 0) == 0 && pwrite(file, at, n_file, 0) == (ssize_t)n_file);
    if (job_open(&job, path, overrides, n_overrides, &err) < 0) {
        must_tell(&err);
    } else {
        must(!job_identity_differs(job->identity, job->identity, what, sizeof what));
        bind(job);
    }
    job_close(job);
    free(text);
    return 0;
}
