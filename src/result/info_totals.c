/* What a result adds up to, for the summary. */
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/result/open.h"

#include "info.h"

/* Places in brackets, "Self-intersection[3 4]", make no reason of their own. */
static void count_reason(void *context, const char *text, int n)
{
    struct result_totals *totals = context;
    struct result_reason clean;
    const char *bracket = memchr(text, '[', (size_t)n);
    log_clean(clean.text, sizeof clean.text, text, bracket ? (int)(bracket - text) : n);
    totals->n_rejected++;
    for (int i = 0; i < totals->n_reasons; i++)
        if (strcmp(totals->reasons[i].text, clean.text) == 0) {
            totals->reasons[i].n++;
            return;
        }
    if (totals->n_reasons == RESULT_MOST_REASONS) {
        totals->n_others++;
        return;
    }
    clean.n = 1;
    totals->reasons[totals->n_reasons++] = clean;
}

static int by_count(const void *a, const void *b)
{
    const struct result_reason *left = a, *right = b;
    if (left->n != right->n)
        return left->n > right->n ? -1 : 1;
    return strcmp(left->text, right->text);
}

int info_reasons(hid_t file, struct result_totals *totals, struct error *err)
{
    totals->n_rejected = totals->n_others = totals->n_reasons = 0;
    if (info_texts(file, "/rejected/reason", count_reason, totals, err) < 0)
        return -1;
    qsort(totals->reasons,
          (size_t)totals->n_reasons,
          sizeof *totals->reasons,
          by_count);
    return 0;
}

void result_print_reasons(const struct result_totals *totals, int width, FILE *out)
{
    for (int i = 0; i < totals->n_reasons; i++)
        info_put(out,
                 "%*lld  %s\n",
                 width,
                 (long long)totals->reasons[i].n,
                 totals->reasons[i].text);
    if (totals->n_others > 0)
        info_put(out, "%*lld  for other reasons\n", width, (long long)totals->n_others);
}

static int sum_zones(hid_t file, struct result_totals *totals, struct error *err)
{
    const struct {
        const char *path;
        int64_t *n;
    } sums[] = {
        { "/telemetry/zone/candidates", &totals->n_candidates },
        { "/telemetry/zone/selected", &totals->n_selected },
        { "/telemetry/zone/outside", &totals->n_outside },
        { "/telemetry/zone/filtered", &totals->n_filtered },
        { "/telemetry/zone/refined", &totals->n_refined },
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        struct info_range range;
        if (info_range(file, sums[i].path, &range, err) < 0)
            return -1;
        if (!(range.sum >= 0 && range.sum < 0x1p62))
            return error_set(err,
                             ERROR_FORMAT,
                             "%s adds up to %g, which is no count",
                             sums[i].path,
                             range.sum);
        *sums[i].n = (int64_t)range.sum;
    }
    return 0;
}

int result_total(const char *path, struct result_totals *totals, struct error *err)
{
    int64_t consistent;
    *totals = (struct result_totals){ 0 };
    hid_t file = result_open(path, &consistent, err);
    if (file < 0)
        return -1;
    totals->consistent = consistent != 0;
    int status = sum_zones(file, totals, err);
    if (status == 0)
        status = info_reasons(file, totals, err);
    if (status < 0)
        error_prefix(err, "%s", path);
    h5_close(&file, H5Fclose);
    return status;
}
