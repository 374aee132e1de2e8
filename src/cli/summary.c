#include "summary.h"

#include <inttypes.h>

#include "rooftally/base/count.h"

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
            count_text(count, n),
            of > 0 ? 100.0 * (double)n / (double)of : 0.0,
            *what ? "  " : "",
            what);
}

static void print_counts(const struct result_totals *t, FILE *out)
{
    char count[32];
    fprintf(out, "  %-10s %14s\n", "candidates", count_text(count, t->n_candidates));
    print_share(out, "selected", t->n_selected, t->n_candidates, "");
    print_share(out,
                "outside",
                t->n_outside,
                t->n_candidates,
                "do not satisfy the predicate");
    print_share(out,
                "filtered",
                t->n_filtered,
                t->n_candidates,
                "do not satisfy the filter");
    print_share(out, "rejected", t->n_rejected, t->n_candidates, "listed in /rejected");
    result_print_reasons(t, 27, out);
    print_share(out, "refined", t->n_refined, t->n_candidates, "needed GEOS");
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
            count_text(count, c->units->zones->n));
    if (c->units->zones->n_no_geometry > 0)
        fprintf(out, " (%" PRId64 " without geometry)", c->units->zones->n_no_geometry);
    fprintf(out, "\n");
    if (summary->n_resumed > 0)
        fprintf(out,
                "  resumed    %14s  of them were finished by earlier attempts\n",
                count_text(count, summary->n_resumed));
    if (!summary->totals->consistent)
        fprintf(out, "  not under one snapshot: consistent = 0\n");
    print_counts(summary->totals, out);
    fprintf(out,
            "  %.2f s in all, %.2f s of it writing; %.2f million candidates/s with %d "
            "worker%s\n",
            all_s,
            summary->write_s,
            summary->work_s > 0 ? 1e-6 * (double)c->n_candidates / summary->work_s
                                : 0.0,
            n_workers,
            n_workers > 1 ? "s" : "");
    if (c->peak_rss_bytes > 0) /* a worker was at work */
        fprintf(out,
                "  peak memory of a worker %s resident; the limit of its buffers is "
                "%s\n",
                memory_size_text(text, c->peak_rss_bytes),
                memory_size_text(limit, summary->job->memory_bytes));
}
