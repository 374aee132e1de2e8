#include "html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/result/result.h"

#include "write.h"

static const char style[] =
    "<style>\n"
    "body{font:15px/1.45 "
    "system-ui,sans-serif;color:#1d2733;max-width:1200px;margin:2em "
    "auto;padding:0 1em}\n"
    "h1{font-size:1.6em;margin-bottom:0}h2{font-size:1.15em;margin:2em 0 .5em}\n"
    "table{border-collapse:collapse;font-size:.9em}td,th{padding:.15em "
    ".7em;text-align:left;"
    "border-bottom:1px solid #e3e8ee;vertical-align:top}th{font-weight:600}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums}.note{color:#5a6775}\n"
    ".warn{background:#fff3d6;padding:.5em 1em}.wide{overflow-x:auto}\n"
    ".map svg{display:block;width:100%;margin:.5em 0}.map "
    "path{fill:#dcdcd6;fill-rule:evenodd;"
    "stroke:#fff;stroke-width:.5;vector-effect:non-scaling-stroke}.map "
    "path:hover{stroke:#c2410c;stroke-width:2}\n"
    ".map label{margin-right:1em}.legend{display:none}.legend "
    "span{margin-right:1em;white-space:nowrap}\n"
    "i{display:inline-block;height:.8em;background:#4086b4}.legend "
    "i{width:1.2em;margin-right:"
    ".3em}i.none{background:#dcdcd6}i.key{width:.8em}\n"
    ".time{white-space:nowrap;min-width:160px}.time "
    "i.waiting,i.waiting{background:#d8dee5}\n"
    ".bars td:nth-child(2){width:16em}.figures{display:flex;flex-wrap:wrap;gap:1.5em}"
    "figure{margin:0;min-width:20em}figcaption{font-weight:600}\n"
    ".bins{width:24em;height:8em;background:#f4f6f8}.bins "
    "rect{fill:#4086b4}.axis{display:flex;"
    "justify-content:space-between;width:24em;margin:0}.axis span{font-size:.85em}\n"
    ".chart{width:24em}.chart "
    "text{font-size:11px;fill:#5a6775}.frame,.grid{fill:none;stroke:"
    "#9aa6b2}.grid{stroke:#e3e8ee}polyline{fill:none;stroke:#4086b4;stroke-opacity:.7}"
    "polyline.first{stroke:#c2410c}\n"
    "pre{background:#f4f6f8;padding:1em;overflow-x:auto;font-size:.85em}\n"
    "</style>\n";

static void put_head(hid_t file, FILE *out)
{
    fputs("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta "
          "http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
          "'unsafe-inline'\">\n<meta name=viewport "
          "content=\"width=device-width\">\n<title>",
          out);
    html_put_attribute(file, "title", out);
    fputs("</title>\n", out);
    fputs(style, out);
    fputs("</head>\n<body>\n<h1>", out);
    html_put_attribute(file, "title", out);
    fputs("</h1>\n", out);
}

/* ---- what became of the candidates ---- */

static void
put_share(const char *name, int64_t n, int64_t of, const char *what, FILE *out)
{
    html_put(out, "<tr><td>%s<td class=n>", name);
    html_put_count(n, out);
    html_put(out,
             "<td class=n>%.1f %%<td><i style=\"width:%.1fem\"></i> %s\n",
             of > 0 ? 100 * ((double)n / (double)of) : 0,
             of > 0 ? 12 * ((double)n / (double)of) : 0,
             what);
}

static void put_reasons(const struct result_totals *totals, FILE *out)
{
    if (totals->n_reasons == 0)
        return;
    fputs("<h2>Rejected</h2>\n<table><thead><tr><th>reason<th "
          "class=n>buildings</thead><tbody>\n",
          out);
    for (int i = 0; i < totals->n_reasons; i++) {
        const struct result_reason *reason = &totals->reasons[i];
        fputs("<tr><td>", out);
        html_put_text((struct text){ reason->text, (int64_t)strlen(reason->text) },
                      out);
        fputs("<td class=n>", out);
        html_put_count(reason->n, out);
        putc('\n', out);
    }
    if (totals->n_others > 0) {
        fputs("<tr><td>other reasons<td class=n>", out);
        html_put_count(totals->n_others, out);
        putc('\n', out);
    }
    fputs("</tbody></table>\n", out);
}

static int
put_totals(const char *path, const struct table *table, FILE *out, struct error *err)
{
    struct result_totals *t = malloc(sizeof *t);
    if (!t)
        return error_set(err, ERROR_BUDGET, "no memory to count candidates");
    int status = result_total(path, t, err);
    if (status == 0) {
        fputs("<p class=note>", out);
        html_put_count(table->n_rows, out);
        fputs(" zones</p>\n", out);
        if (!t->consistent)
            fputs("<p class=warn>Not under one snapshot: its zones were read at "
                  "different "
                  "times.</p>\n",
                  out);
        fputs("<table><tbody>\n", out);
        put_share("candidates", t->n_candidates, t->n_candidates, "", out);
        put_share("selected", t->n_selected, t->n_candidates, "", out);
        put_share("outside",
                  t->n_outside,
                  t->n_candidates,
                  "do not satisfy the predicate",
                  out);
        put_share("filtered",
                  t->n_filtered,
                  t->n_candidates,
                  "do not satisfy the filter",
                  out);
        put_share("rejected", t->n_rejected, t->n_candidates, "have no decision", out);
        put_share("refined", t->n_refined, t->n_candidates, "needed GEOS", out);
        fputs("</tbody></table>\n", out);
        put_reasons(t, out);
    }
    free(t);
    return status;
}

/* ---- provenance ---- */

static herr_t
put_row(hid_t group, const char *name, const H5A_info_t *info, void *context)
{
    FILE *out = context;
    int64_t number;
    (void)info;
    if (strcmp(name, "job") == 0)
        return 0;
    fputs("<tr><td>", out);
    html_put_text((struct text){ name, (int64_t)strlen(name) }, out);
    fputs("<td>", out);
    if (h5_get_integer(group, name, &number, NULL) == 0)
        html_put(out, "%" PRId64, number);
    else
        html_put_attribute(group, name, out);
    putc('\n', out);
    return 0;
}

static void put_provenance(hid_t file, FILE *out)
{
    hsize_t at = 0;
    hid_t group = H5Gopen2(file, "/provenance", H5P_DEFAULT);
    char *job = group < 0 ? NULL : h5_get_text(group, "job", NULL);
    if (group >= 0) {
        fputs("<h2>Provenance</h2>\n<table><tbody>\n", out);
        H5Aiterate2(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, &at, put_row, out);
        fputs("</tbody></table>\n", out);
    }
    if (job) {
        fputs("<h2>Job</h2>\n<pre>", out);
        html_put_lines((struct text){ job, (int64_t)strlen(job) }, out);
        fputs("</pre>\n", out);
    }
    free(job);
    h5_close(&group, H5Gclose);
    H5Eclear2(H5E_DEFAULT);
}

static int put_parts(struct table *table,
                     const struct spread *spreads,
                     FILE *out,
                     struct error *err)
{
    if (html_map(table, spreads, out, err) < 0)
        return -1;
    html_statistics(table, spreads, out);
    return html_distributions(table, out, err) < 0
                   || html_ranks(table->file, out, err) < 0
                   || html_memory(table->file, out, err) < 0
                   || html_slowest(table, out, err) < 0
                   || html_zones(table, out, err) < 0
               ? -1
               : 0;
}

static int put_page(const char *path, struct table *table, FILE *out, struct error *err)
{
    struct spread *spreads = calloc((size_t)table->n_columns, sizeof *spreads);
    if (!spreads)
        return error_set(err, ERROR_BUDGET, "no memory for a page");
    put_head(table->file, out);
    int status = put_totals(path, table, out, err);
    if (status == 0
        && (spreads_of(table, spreads, err) < 0
            || put_parts(table, spreads, out, err) < 0))
        status = error_prefix(err, "%s", path);
    free(spreads);
    if (status < 0)
        return -1;
    put_provenance(table->file, out);
    fputs("</body>\n</html>\n", out);
    return 0;
}

int report_html(const char *path, FILE *out, struct error *err)
{
    struct table *table;
    if (table_open(&table, path, err) < 0)
        return -1;
    int status = put_page(path, table, out, err);
    table_close(table);
    if (fflush(out) != 0 || ferror(out))
        status = write_failed(err);
    return status;
}
