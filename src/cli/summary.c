#include "summary.h"

#include <inttypes.h>

#include "progress.h"

static void
print_share(FILE *out, const char *name, int64_t n, int64_t of, const char *what)
{
    char count[32];
    if (n == 0)
        return;
    fprintf(out,
            "  %-10s %14s  %5.1f %%%s%s\n",
            name,
            progress_count(count, n),
            of > 0 ? 100.0 * (double)n / (double)of : 0.0,
            *what ? "  " : "",
            what);
}

void summary_print(const struct summary *summary, FILE *out)
{
    const struct coordinator *c = summary->coordinator;
    char count[32], text[24], limit[24];
    int n_workers = summary->n_ranks > 1 ? summary->n_ranks - 1 : 1;
    double all_s = summary->work_s + summary->write_s;
    fprintf(out,
            "%s: %s zones",
            summary->job->output,
            progress_count(count, c->units->zones->n));
    if (c->units->zones->n_no_geometry > 0)
        fprintf(out, " (%" PRId64 " without geometry)", c->units->zones->n_no_geometry);
    fprintf(out, "\n");
    if (summary->n_resumed > 0)
        fprintf(out,
                "  resumed    %14s  zones of earlier attempts, not in the counts "
                "below%s\n",
                progress_count(count, summary->n_resumed),
                c->n_zones > 0 ? "; not under one snapshot: consistent = 0" : "");
    fprintf(out,
            "  %-10s %14s\n",
            "candidates",
            progress_count(count, c->n_candidates));
    print_share(out, "selected", c->n_selected, c->n_candidates, "");
    print_share(out,
                "outside",
                c->n_outside,
                c->n_candidates,
                "do not satisfy the predicate");
    print_share(out,
                "filtered",
                c->n_filtered,
                c->n_candidates,
                "do not satisfy the filter");
    print_share(out, "rejected", c->n_rejected, c->n_candidates, "listed in /rejected");
    print_share(out, "refined", c->n_refined, c->n_candidates, "needed GEOS");
    fprintf(out,
            "  %.2f s in all, %.2f s of it writing; %.2f million candidates/s with %d "
            "worker%s\n",
            all_s,
            summary->write_s,
            summary->work_s > 0 ? 1e-6 * (double)c->n_candidates / summary->work_s
                                : 0.0,
            n_workers,
            n_workers > 1 ? "s" : "");
    fprintf(out,
            "  peak memory of a worker %s resident; the limit of its buffers is %s\n",
            memory_size_text(text, c->peak_rss_bytes),
            memory_size_text(limit, summary->job->memory_bytes));
}
