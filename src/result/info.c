#include "info.h"

#include <stdlib.h>
#include <string.h>

#include "rooftally/base/log.h"
#include "rooftally/base/memory.h"
#include "rooftally/result/cell.h"
#include "rooftally/result/open.h"
#include "rooftally/result/result.h"

struct printing {
    FILE *out;
    hid_t file;
};

static void first_text(void *context, const char *text, int n)
{
    char *example = context;
    if (!*example && n > 0)
        log_clean(example, INFO_TEXT_BYTES, text, n);
}

static void put_number(FILE *out, enum cell_kind kind, double value)
{
    struct cell cell = cell_of_real(kind, value);
    char text[CELL_TEXT_BYTES];
    if (cell.kind == CELL_REAL)
        snprintf(text, sizeof text, "%.10g", value);
    else
        cell_to_text(&cell, text);
    info_put(out, "%s", text);
}

static int print_values(const struct printing *p,
                        hid_t dataset,
                        const char *name,
                        struct error *err)
{
    char example[INFO_TEXT_BYTES] = "";
    struct info_range range;
    hid_t type = H5Dget_type(dataset);
    bool is_text = H5Tget_class(type) == H5T_STRING;
    h5_close(&type, H5Tclose);
    if (is_text) {
        if (info_texts(p->file, name, first_text, example, err) < 0)
            return -1;
        info_put(p->out, *example ? "  such as '%s'\n" : "  none\n", example);
        return 0;
    }
    if (info_range(p->file, name, &range, err) < 0)
        return -1;
    if (range.n == 0) {
        info_put(p->out, "  none\n");
        return 0;
    }
    enum cell_kind kind = cell_kind_of(dataset, CELL_REAL);
    info_put(p->out, "  ");
    put_number(p->out, kind, range.least);
    info_put(p->out, " to ");
    put_number(p->out, kind, range.greatest);
    info_put(p->out, "\n");
    return 0;
}

/* A line for a dataset along the zones: name, shape, units, values; its long name. */
static int
print_statistic(void *context, hid_t dataset, const char *name, struct error *err)
{
    const struct printing *p = context;
    char clean[INFO_TEXT_BYTES], text[INFO_TEXT_BYTES];
    hsize_t dims[2] = { 0, 0 };
    hid_t space = H5Dget_space(dataset);
    int n_axes = H5Sget_simple_extent_ndims(space);
    if (n_axes == 1 || n_axes == 2)
        H5Sget_simple_extent_dims(space, dims, NULL);
    h5_close(&space, H5Sclose);
    log_clean(clean, sizeof clean, name, (int)strlen(name));
    info_put(p->out, "  %-20s", clean);
    if (n_axes == 2)
        info_put(p->out, " x %-5lld", (long long)dims[1]);
    else
        info_put(p->out, "        ");
    info_put(p->out, " %-12s", info_text(dataset, "units", text));
    info_put(p->out, " %s\n", info_text(dataset, "long_name", text));
    info_put(p->out, "  %20s         %12s", "", "");
    return print_values(p, dataset, name, err);
}

static int print_statistics(FILE *out, hid_t file, struct error *err)
{
    struct printing p = { out, file };
    char crs[INFO_TEXT_BYTES] = "";
    hid_t zones = H5Gopen2(file, "/zones", H5P_DEFAULT);
    if (zones >= 0)
        info_text(zones, "crs", crs);
    h5_close(&zones, H5Gclose);
    info_put(out,
             "zones       %lld%s%s\n\nstatistics\n",
             (long long)info_length(file, "/zone"),
             *crs ? ", " : "",
             crs);
    return result_each_statistic(file, print_statistic, &p, err);
}

static int print_kept(void *context, hid_t dataset, const char *name, struct error *err)
{
    char clean[INFO_TEXT_BYTES];
    (void)dataset, (void)err;
    if (strcmp(name, "offset") != 0)
        info_put(context,
                 " %s",
                 log_clean(clean, sizeof clean, name, (int)strlen(name)));
    return 0;
}

static int print_selection(FILE *out, hid_t file, struct error *err)
{
    if (!h5_has(file, "/selection")) {
        info_put(out, "\nselection   not kept\n");
        return 0;
    }
    info_put(out,
             "\nselection   %lld buildings:",
             (long long)info_length(file, "/selection/building"));
    int status = h5_each_dataset(file, "/selection", print_kept, out, err);
    info_put(out, "\n");
    return status;
}

static int print_rejected(FILE *out, hid_t file, struct error *err)
{
    struct result_totals *totals = calloc(1, sizeof *totals);
    if (!totals)
        return error_set(err, ERROR_BUDGET, "no memory to count reasons");
    int status = info_reasons(file, totals, err);
    if (status == 0) {
        info_put(out, "rejected    %lld buildings\n", (long long)totals->n_rejected);
        result_print_reasons(totals, 10, out);
    }
    free(totals);
    return status;
}

/* Bytes as text; a damaged file may claim more than there are. */
static char *size_text(char text[24], double n_bytes)
{
    return memory_size_text(text,
                            n_bytes < 0        ? 0
                            : n_bytes < 0x1p62 ? (int64_t)n_bytes
                                               : INT64_C(1) << 62);
}

static int print_telemetry(FILE *out, hid_t file, struct error *err)
{
    struct info_range start, seconds, candidates, busy, rss, live;
    char text[24], live_text[24];
    if (info_range(file, "/telemetry/zone/start", &start, err) < 0
        || info_range(file, "/telemetry/zone/seconds", &seconds, err) < 0
        || info_range(file, "/telemetry/zone/candidates", &candidates, err) < 0
        || info_range(file, "/telemetry/rank/busy", &busy, err) < 0
        || info_range(file, "/telemetry/rank/peak_rss", &rss, err) < 0
        || info_range(file, "/telemetry/rank/peak_live", &live, err) < 0)
        return -1;
    info_put(out,
             "telemetry   %lld %s, %.0f candidates; %.1f s at work, all ranks "
             "together",
             (long long)busy.n,
             busy.n == 1 ? "rank" : "ranks",
             candidates.sum,
             busy.sum);
    if (busy.greatest > 0)
        info_put(out, "; %.0f candidates a second", candidates.sum / busy.greatest);
    info_put(out,
             "\n            slowest zone %.3g s; peak of a rank %s of the reservation, "
             "%s resident\n",
             seconds.greatest,
             size_text(live_text, live.greatest),
             size_text(text, rss.greatest));
    return 0;
}

static herr_t
print_attribute(hid_t group, const char *name, const H5A_info_t *info, void *context)
{
    (void)info;
    FILE *out = context;
    char text[INFO_TEXT_BYTES], clean[INFO_TEXT_BYTES];
    int64_t number;
    log_clean(clean, sizeof clean, name, (int)strlen(name));
    if (h5_get_integer(group, name, &number, NULL) == 0) {
        info_put(out, "  %-12s %lld\n", clean, (long long)number);
        return 0;
    }
    char *value = h5_get_text(group, name, NULL);
    if (!value || strlen(value) >= INFO_TEXT_BYTES || strpbrk(value, "\n\r")) {
        /* the job file has many lines: its length tells enough here */
        info_put(out,
                 "  %-12s %lld bytes of text\n",
                 clean,
                 value ? (long long)strlen(value) : 0LL);
    } else {
        info_put(out, "  %-12s %s\n", clean, info_text(group, name, text));
    }
    free(value);
    return 0;
}

static void print_provenance(FILE *out, hid_t file)
{
    hsize_t at = 0;
    hid_t group = H5Gopen2(file, "/provenance", H5P_DEFAULT);
    if (group >= 0) {
        info_put(out, "provenance\n");
        H5Aiterate2(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, &at, print_attribute, out);
    }
    h5_close(&group, H5Gclose);
}

int result_info(const char *path, FILE *out, struct error *err)
{
    char title[INFO_TEXT_BYTES];
    int64_t consistent = 0;
    hid_t file = result_open(path, &consistent, err);
    if (file < 0)
        return -1;
    info_put(out, "%s\n\n", info_text(file, "title", title));
    if (!consistent)
        info_put(out,
                 "not under one snapshot: its zones were read at different "
                 "times\n\n");
    int status = print_statistics(out, file, err);
    if (status == 0)
        status = print_selection(out, file, err);
    if (status == 0)
        status = print_rejected(out, file, err);
    if (status == 0)
        status = print_telemetry(out, file, err);
    if (status == 0)
        print_provenance(out, file);
    if (status < 0)
        error_prefix(err, "%s", path);
    h5_close(&file, H5Fclose);
    return status;
}
