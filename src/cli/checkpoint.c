#include "checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/crc32c.h"
#include "rooftally/base/log.h"
#include "rooftally/result/result.h"

#include "team.h"

/* What is left of a run that was killed is gone by then. */
static const double lock_wait_s = 15;

static bool is_there(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0;
}

/* Finished zones that nobody asked for are not thrown away, nor are those to go on from
 * once their manifest is gone. */
static int refuse_zones(const struct checkpoint *c,
                        const struct spool_contents *there,
                        bool resume,
                        struct error *err)
{
    char what[96];
    int n = snprintf(what, sizeof what, "%" PRId64 " finished zones", there->n_zones);
    if (there->n_damaged_bytes > 0)
        snprintf(what + n,
                 sizeof what - (size_t)n,
                 " and %" PRId64 " bytes that are damaged, or of another version",
                 there->n_damaged_bytes);
    if (resume)
        return error_set(err,
                         ERROR_USAGE,
                         "%s: its manifest is missing, and nothing tells whose its "
                         "%s are: start anew with --force alone",
                         c->folder,
                         what);
    return error_set(err,
                     ERROR_USAGE,
                     "%s holds %s: %sstart anew with --force",
                     c->folder,
                     what,
                     there->n_zones > 0 ? "go on from them with --resume, or " : "");
}

static int begin(struct checkpoint *c,
                 const struct options *options,
                 const char *output,
                 struct spool_manifest *manifest,
                 struct memory *memory,
                 struct error *err)
{
    struct spool_contents there;
    char utc[21], host[64] = "";
    if (!options->force || options->resume) {
        if (spool_count(c->folder, &there, memory, err) < 0)
            return -1;
        if (there.n_zones > 0 || there.n_damaged_bytes > 0)
            return refuse_zones(c, &there, options->resume, err);
    }
    c->attempt = 1; /* from here on the folder holds nothing that anybody misses */
    if (result_check(output, options->force, err) < 0)
        return -1; /* another run has made it, while this one waited for its lock */
    gethostname(host, sizeof host - 1);
    clock_utc(utc);
    snprintf(c->run, sizeof c->run, "%s %s %ld", utc, host, (long)getpid());
    manifest->run = c->run;
    return spool_create(c->folder, err) < 0
                   || spool_put_manifest(c->folder, manifest, err) < 0
               ? -1
               : 0;
}

/* The attempt before was to replace it: --force alone would throw its zones away. */
static int refuse_output(const struct checkpoint *c,
                         const char *output,
                         struct memory *memory,
                         struct error *err)
{
    struct spool_contents there;
    if (spool_count(c->folder, &there, memory, err) < 0)
        return -1;
    if (there.n_zones == 0)
        return result_check(output, 0, err);
    return error_set(err,
                     ERROR_USAGE,
                     "output %s is there already: --resume --force goes on from "
                     "%" PRId64 " finished zones and replaces it",
                     output,
                     there.n_zones);
}

/* The manifest is ours: take the zones over, or find that all has been done. */
static int take_over(struct checkpoint *c,
                     const struct options *options,
                     const char *output,
                     struct memory *memory,
                     struct error *err)
{
    struct spool_contents there;
    if (!options->force && is_there(output)) {
        c->is_complete = result_is_of(output, "run", c->run);
        if (c->is_complete || refuse_output(c, output, memory, err) < 0)
            return c->is_complete ? 0 : -1;
    } /* or it was there a moment ago */
    if (spool_count(c->folder, &there, memory, err) < 0)
        return -1;
    c->attempt = there.last_attempt + 1;
    return 0;
}

/* What a result says about whose it is, when its spool has gone. */
static void identify(struct checkpoint *c, const struct spool_manifest *manifest)
{
    snprintf(c->identity,
             sizeof c->identity,
             "%.128s; %" PRId64 " zones, crc32c %08" PRIx32 "; job, crc32c %08" PRIx32,
             manifest->source,
             manifest->n_zones,
             manifest->zones_crc,
             crc32c(0, manifest->job, strlen(manifest->job)));
}

/* --resume without a manifest: the job's end may have been reached, but for the last of
 * its spool; else it is a run like any other. */
static bool
find_result(struct checkpoint *c, const struct options *options, const char *output)
{
    c->is_complete = !options->force && is_there(output)
                     && result_is_of(output, "identity", c->identity);
    return c->is_complete;
}

/* The job, and what its words mean in this source: which tables, and columns of which types. NULL
 * where there is no memory. */
static char *whole_job(const struct job_session *session)
{
    const struct source_schema *schema = source_schema(session->source);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return NULL;
    fputs(session->job->identity, out);
    if (schema->zone_table)
        fprintf(out, "[zones] table that is read = %s\n", schema->zone_table);
    if (schema->building_table)
        fprintf(out, "[buildings] table that is read = %s\n", schema->building_table);
    binding_put_types(&session->binding, out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

static int claim_for(struct checkpoint *c,
                     struct comm *comm,
                     const struct options *options,
                     struct job_session *session,
                     struct spool_manifest *manifest,
                     struct error *err)
{
    const char *output = session->job->output;
    identify(c, manifest);
    if (!is_there(c->folder) && options->resume) {
        if (find_result(c, options, output))
            return 0;
        if (result_check(output, options->force, err) < 0)
            return -1;
    }
    if (spool_lock(c->folder, lock_wait_s, team_should_stop, comm, &c->lock, err) < 0)
        return -1;
    if (options->resume) {
        int ours = spool_check_manifest(c->folder, manifest, c->run, err);
        if (ours != 0)
            return ours < 0 ? -1 : take_over(c, options, output, &session->memory, err);
        if (find_result(c, options, output))
            return 0;
    }
    return begin(c, options, output, manifest, &session->memory, err);
}

/* Rank 0: whose the folder is, and what becomes of it. */
static int claim(struct checkpoint *c,
                 struct comm *comm,
                 const struct options *options,
                 struct job_session *session,
                 const struct zone_list *zones,
                 struct error *err)
{
    char *job = whole_job(session);
    if (!job)
        return error_set(err, ERROR_BUDGET, "no memory for the spool");
    struct spool_manifest manifest = {
        .source = source_schema(session->source)->identity,
        .job = job,
        .n_zones = zones->n,
        .zones_crc = crc32c(0, zones->ids, (size_t)(zones->n * zones->id_bytes)),
    };
    int status = claim_for(c, comm, options, session, &manifest, err);
    free(job);
    return status;
}

/* What rank 0 has decided. */
struct agreed {
    int attempt;
    int is_complete;
    char run[SPOOL_RUN_BYTES];
};

static int share(struct checkpoint *c, struct comm *comm, struct error *err)
{
    struct agreed decision = { .attempt = c->attempt, .is_complete = c->is_complete };
    memcpy(decision.run, c->run, sizeof decision.run);
    if (comm_broadcast(comm, &decision, sizeof decision, err) < 0)
        return -1;
    c->attempt = decision.attempt;
    c->is_complete = decision.is_complete;
    memcpy(c->run, decision.run, sizeof c->run);
    return 0;
}

static void tell_damage(const struct checkpoint *c)
{
    struct spool_damage damage;
    for (int file = 0; spool_next_damage(c->spool, &file, &damage);)
        log_warn("spool_damaged",
                 "file=%s/rank-%d.%d bytes=%" PRId64
                 " they are damaged, or of another run, and left out: their zones are "
                 "done again",
                 c->folder,
                 damage.rank,
                 damage.attempt,
                 damage.n_bytes);
}

/* Which zones the files of all ranks hold: *done on rank 0. */
static int find_done(struct checkpoint *c,
                     struct comm *comm,
                     struct memory *memory,
                     const int64_t **done,
                     struct error *err)
{
    struct memory_mark mark = memory_mark(memory);
    int64_t n_bytes = c->n_zones * (int64_t)sizeof(int64_t);
    int64_t *rows = memory_take(memory, MEMORY_GATHER, n_bytes, err);
    struct memory_mark scanned = memory_mark(memory);
    int status = rows ? spool_inherit(c->spool, comm_size(comm), err) : -1;
    if (status == 0)
        status = spool_scan(c->spool, memory, err);
    if (status == 0) {
        memset(rows, 0, (size_t)n_bytes);
        for (int64_t i = 0; i < spool_n_records(c->spool); i++) {
            int64_t row = spool_entry(c->spool, i)->row;
            if (row >= 0 && row < c->n_zones)
                rows[row] = 1;
        }
        memory_rewind(memory, &scanned);
        tell_damage(c);
    }
    if (comm_agree(comm, status, err) < 0 || comm_max(comm, rows, c->n_zones, err) < 0)
        return -1;
    for (int64_t row = 0; row < c->n_zones; row++)
        c->n_resumed += rows[row];
    if (comm_rank(comm) == 0)
        *done = rows;
    else
        memory_rewind(memory, &mark);
    return 0;
}

int checkpoint_open(struct checkpoint *checkpoint,
                    struct comm *comm,
                    const struct options *options,
                    struct job_session *session,
                    const struct zone_list *zones,
                    int64_t n_zones,
                    const int64_t **done,
                    struct error *err)
{
    struct checkpoint *c = checkpoint;
    *c = (struct checkpoint){ .lock = -1,
                              .n_zones = n_zones,
                              .interval_s = session->job->checkpoint_s,
                              .synced_s = clock_wall_s(),
                              .folder = spool_folder(session->job->output) };
    *done = NULL;
    int status = c->folder ? 0 : error_set(err, ERROR_BUDGET, "no memory for a name");
    if (status == 0 && comm_rank(comm) == 0)
        status = claim(c, comm, options, session, zones, err);
    if (comm_agree(comm, status, err) < 0 || share(c, comm, err) < 0)
        return -1;
    if (c->is_complete)
        return 0;
    status = spool_open(&c->spool, c->folder, c->run, c->attempt, comm_rank(comm), err);
    if (comm_agree(comm, status, err) < 0)
        return -1;
    return c->attempt > 1 ? find_done(c, comm, &session->memory, done, err) : 0;
}

int checkpoint_append(struct checkpoint *checkpoint,
                      const struct zone_record *record,
                      const struct statistics *statistics,
                      struct error *err)
{
    if (spool_append(checkpoint->spool, record, statistics, err) < 0)
        return -1;
    checkpoint->is_dirty = true;
    if (isfinite(checkpoint->interval_s))
        spool_start_sync(checkpoint->spool);
    return checkpoint_settle(checkpoint, err);
}

/* The system tells of a failure once, and takes the next try for a success. */
static void sync_spool(struct checkpoint *checkpoint)
{
    if (checkpoint->failure.code == ERROR_NONE)
        (void)spool_sync(checkpoint->spool, &checkpoint->failure);
    checkpoint->is_dirty = false;
    checkpoint->synced_s = clock_wall_s();
}

static int tell_failure(const struct checkpoint *checkpoint, struct error *err)
{
    if (checkpoint->failure.code == ERROR_NONE)
        return 0;
    *err = checkpoint->failure;
    return -1;
}

void checkpoint_tick(struct checkpoint *checkpoint)
{
    if (checkpoint->is_dirty
        && clock_wall_s() - checkpoint->synced_s >= checkpoint->interval_s)
        sync_spool(checkpoint);
}

int checkpoint_settle(struct checkpoint *checkpoint, struct error *err)
{
    checkpoint_tick(checkpoint);
    return tell_failure(checkpoint, err);
}

void checkpoint_leave(struct checkpoint *checkpoint)
{
    bool is_told = checkpoint->failure.code != ERROR_NONE;
    if (checkpoint->is_dirty && isfinite(checkpoint->interval_s))
        sync_spool(checkpoint);
    if (checkpoint->failure.code != ERROR_NONE && !is_told)
        log_warn("checkpoint_failed",
                 "zones that were finished last may not be on the disk, why=\"%s\"",
                 checkpoint->failure.text);
}

void checkpoint_close(struct checkpoint *checkpoint, bool keep)
{
    struct error ignored;
    spool_close(checkpoint->spool);
    if (checkpoint->lock >= 0) {
        if (!keep)
            (void)spool_remove(checkpoint->folder, &ignored);
        close(checkpoint->lock);
    }
    free(checkpoint->folder);
    *checkpoint = (struct checkpoint){ .lock = -1 };
}
