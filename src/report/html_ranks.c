/* How the ranks spent their time and memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rooftally/base/memory.h"

#include "html.h"

enum { WIDE = 360, HIGH = 150, MOST_POINTS = 400 };

static void put_bytes(double n_bytes, FILE *out)
{
    char text[24];
    if (n_bytes >= 0 && n_bytes < 0x1p62)
        fputs(memory_size_text(text, (int64_t)n_bytes), out);
}

/* ---- columns of one group, all of the same length ---- */

enum { MOST_MEMBERS = 10 };
struct group {
    struct table_column members[MOST_MEMBERS];
    int n_members;
    int64_t n;
};

static void close_group(struct group *group)
{
    for (int i = 0; i < group->n_members; i++)
        table_column_close(&group->members[i]);
}

static int open_group(struct group *group,
                      hid_t file,
                      const char *folder,
                      const char *const *names,
                      struct error *err)
{
    *group = (struct group){ .n = -1 };
    for (int i = 0; names[i]; i++) {
        char path[96];
        int64_t n = 0;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        int status =
            table_whole(&group->members[group->n_members++], file, path, &n, err);
        if (status == 0 && group->n >= 0 && n != group->n)
            status = error_set(err, ERROR_FORMAT, "/%s: its length does not fit", path);
        if (status < 0) {
            close_group(group);
            return -1;
        }
        group->n = n;
    }
    return 0;
}

static double number(const struct group *group, int member, int64_t row)
{
    return table_number(&group->members[member], row);
}

/* ---- time ---- */

static const char *const rank_names[] = { "rank",     "host",    "zones", "candidates",
                                          "busy",     "waiting", "cpu",   "peak_live",
                                          "peak_rss", NULL };
enum { RANK, HOST, ZONES, CANDIDATES, BUSY, WAITING, CPU, PEAK_LIVE, PEAK_RSS };

static void put_rank(const struct group *group, int64_t row, double most_s, FILE *out)
{
    struct cell rank = table_cell(&group->members[RANK], row, 0);
    struct cell host = table_cell(&group->members[HOST], row, 0);
    struct cell zones = table_cell(&group->members[ZONES], row, 0);
    struct cell candidates = table_cell(&group->members[CANDIDATES], row, 0);
    double busy_s = number(group, BUSY, row), waiting_s = number(group, WAITING, row);
    fputs("<tr><td class=n>", out);
    html_put_cell(&rank, out);
    fputs("<td>", out);
    html_put_cell(&host, out);
    fputs("<td class=n>", out);
    html_put_cell(&zones, out);
    fputs("<td class=n>", out);
    html_put_cell(&candidates, out);
    html_put(out,
             "<td class=time><i class=busy style=\"width:%.1f%%\"></i><i class=waiting "
             "style=\"width:%.1f%%\"></i><td class=n>%.2f<td class=n>%.2f<td "
             "class=n>%.2f",
             most_s > 0 && busy_s > 0 ? 100 * busy_s / most_s : 0,
             most_s > 0 && waiting_s > 0 ? 100 * waiting_s / most_s : 0,
             busy_s,
             waiting_s,
             number(group, CPU, row));
    fputs("<td class=n>", out);
    put_bytes(number(group, PEAK_LIVE, row), out);
    fputs("<td class=n>", out);
    put_bytes(number(group, PEAK_RSS, row), out);
    putc('\n', out);
}

int html_ranks(hid_t file, FILE *out, struct error *err)
{
    struct group group;
    double most_s = 0;
    if (open_group(&group, file, "telemetry/rank", rank_names, err) < 0)
        return -1;
    for (int64_t row = 0; row < group.n; row++)
        most_s = fmax(most_s, number(&group, BUSY, row) + number(&group, WAITING, row));
    fputs("<h2>Ranks</h2>\n<table><thead><tr><th class=n>rank<th>host<th "
          "class=n>zones<th "
          "class=n>candidates<th><i class=\"key busy\"></i>busy, <i class=\"key "
          "waiting\"></i>waiting<th class=n>busy s<th class=n>waiting s<th "
          "class=n>processor s<th "
          "class=n>peak live<th class=n>peak resident</thead><tbody>\n",
          out);
    for (int64_t row = 0; row < group.n && row < PAGE_RANKS; row++)
        put_rank(&group, row, most_s, out);
    fputs("</tbody></table>\n", out);
    if (group.n > PAGE_RANKS)
        html_put(out,
                 "<p class=note>and %lld ranks more</p>\n",
                 (long long)(group.n - PAGE_RANKS));
    close_group(&group);
    return 0;
}

/* ---- memory over time ---- */

static const char *const sample_names[] = {
    "rank", "time", "live", "heap", "rss", NULL
};
enum { SAMPLE_RANK, SAMPLE_TIME, SAMPLE_LIVE, SAMPLE_HEAP, SAMPLE_RSS };

/* A rank's samples lie together, in the order of time. */
struct line {
    int64_t first, n;
    double peak;
};

/* 1, 2 or 5 times a power of ten, at least as much. */
static double round_up(double value)
{
    double power = value > 0 ? pow(10, floor(log10(value))) : 1;
    static const double steps[] = { 1, 2, 5, 10 };
    for (int i = 0; i < 4; i++)
        if (steps[i] * power >= value)
            return steps[i] * power;
    return 10 * power;
}

/* The lines with the highest peaks, the first rank's among them; returns how many. */
static int
choose_lines(const struct group *samples, int member, struct line lines[PAGE_LINES])
{
    int n = 0;
    for (int64_t row = 0, end; row < samples->n; row = end) {
        struct line line = { .first = row };
        double rank = number(samples, SAMPLE_RANK, row);
        for (end = row; end < samples->n && number(samples, SAMPLE_RANK, end) == rank;
             end++)
            line.peak = fmax(line.peak, number(samples, member, end));
        end = end > row ? end : row + 1; /* no rank at all */
        line.n = end - row;
        if (n < PAGE_LINES) {
            lines[n++] = line;
            continue;
        }
        int least = 1;
        for (int i = 2; i < n; i++)
            least = lines[i].peak < lines[least].peak ? i : least;
        if (line.peak > lines[least].peak)
            lines[least] = line;
    }
    return n;
}

static void put_line(const struct group *samples,
                     int member,
                     const struct line *line,
                     double most_s,
                     double most_bytes,
                     FILE *out)
{
    double rank = number(samples, SAMPLE_RANK, line->first);
    int64_t step = line->n / MOST_POINTS + 1;
    html_put(out, "<polyline class=%s points=\"", rank == 0 ? "first" : "other");
    for (int64_t i = 0; i < line->n; i += step) {
        int64_t row = line->first + (i + step < line->n ? i : line->n - 1);
        double time_s = number(samples, SAMPLE_TIME, row),
               bytes = number(samples, member, row);
        if (time_s >= 0 && bytes >= 0)
            html_put(out,
                     "%.1f,%.1f ",
                     WIDE * fmin(time_s / most_s, 1),
                     HIGH - HIGH * fmin(bytes / most_bytes, 1));
    }
    html_put(out, "\"><title>rank %.0f: at most ", rank);
    put_bytes(line->peak, out);
    fputs("</title></polyline>\n", out);
}

static void
put_chart(const struct group *samples, int member, const char *what, FILE *out)
{
    struct line lines[PAGE_LINES];
    int n = choose_lines(samples, member, lines);
    double most_s = 0, peak = 0;
    for (int64_t row = 0; row < samples->n; row++)
        most_s = fmax(most_s, number(samples, SAMPLE_TIME, row));
    for (int i = 0; i < n; i++)
        peak = fmax(peak, lines[i].peak);
    double top = round_up(peak / (1 << 20)) * (1 << 20);
    most_s = most_s > 0 ? most_s : 1;
    html_put(out,
             "<figure><figcaption>%s</figcaption>\n<svg class=chart role=img "
             "viewBox=\"-2 -14 %d "
             "%d\"><path class=frame d=\"M0 0V%dH%d\"/><path class=grid d=\"M0 0H%dM0 "
             "%dH%d\"/><text x=2 y=-3>%g MiB</text><text x=%d y=%d "
             "text-anchor=end>%.3g "
             "s</text>\n",
             what,
             WIDE + 4,
             HIGH + 32,
             HIGH,
             WIDE,
             WIDE,
             HIGH / 2,
             WIDE,
             top / (1 << 20),
             WIDE,
             HIGH + 14,
             most_s);
    for (int i = n - 1; i >= 0; i--)
        put_line(samples, member, &lines[i], most_s, top, out);
    fputs("</svg></figure>\n", out);
}

int html_memory(hid_t file, FILE *out, struct error *err)
{
    struct group samples;
    if (open_group(&samples, file, "telemetry/memory", sample_names, err) < 0)
        return -1;
    fputs("<h2>Memory over time</h2>\n<p class=note>A line a rank, the first one's in "
          "another "
          "colour; of many ranks the ",
          out);
    html_put(out, "%d with the highest peaks.</p>\n<div class=figures>\n", PAGE_LINES);
    if (samples.n > 0) {
        put_chart(&samples, SAMPLE_LIVE, "live: in use of the reservation", out);
        put_chart(&samples, SAMPLE_HEAP, "heap of the C library", out);
        put_chart(&samples, SAMPLE_RSS, "resident", out);
    }
    fputs("</div>\n", out);
    close_group(&samples);
    return 0;
}

/* ---- zones that took the longest ---- */

static const char *const zone_names[] = { "seconds", "candidates", "decided",
                                          "refined", "selected",   "bytes",
                                          "retries", "rank",       NULL };
enum {
    ZONE_SECONDS,
    ZONE_CANDIDATES,
    ZONE_DECIDED,
    ZONE_REFINED,
    ZONE_SELECTED,
    ZONE_BYTES,
    ZONE_RETRIES,
    ZONE_RANK
};

/* Rows from the slowest on; returns how many. */
static int choose_slowest(const struct group *zones, int64_t rows[PAGE_SLOWEST])
{
    int n = 0;
    for (int64_t row = 0; row < zones->n; row++) {
        double seconds = number(zones, ZONE_SECONDS, row);
        int at = n;
        while (at > 0 && seconds > number(zones, ZONE_SECONDS, rows[at - 1]))
            at--;
        if (at == PAGE_SLOWEST)
            continue;
        n += n < PAGE_SLOWEST;
        memmove(rows + at + 1, rows + at, (size_t)(n - 1 - at) * sizeof *rows);
        rows[at] = row;
    }
    return n;
}

static void put_slow(const struct group *zones,
                     const struct table_column *ids,
                     int64_t row,
                     FILE *out)
{
    struct cell id = table_cell(ids, row, 0);
    fputs("<tr><td>", out);
    html_put_cell(&id, out);
    html_put(out, "<td class=n>%.4g", number(zones, ZONE_SECONDS, row));
    for (int member = ZONE_CANDIDATES; member < zones->n_members; member++) {
        struct cell cell = table_cell(&zones->members[member], row, 0);
        fputs("<td class=n>", out);
        if (member == ZONE_BYTES)
            put_bytes(number(zones, member, row), out);
        else
            html_put_cell(&cell, out);
    }
    putc('\n', out);
}

int html_slowest(const struct table *table, FILE *out, struct error *err)
{
    struct group zones;
    struct table_column ids;
    int64_t rows[PAGE_SLOWEST], n_ids = 0;
    if (open_group(&zones, table->file, "telemetry/zone", zone_names, err) < 0)
        return -1;
    int status = table_whole(&ids, table->file, "zone", &n_ids, err);
    if (status == 0 && n_ids != zones.n)
        status = error_set(err, ERROR_FORMAT, "/telemetry/zone is not of its zones");
    if (status == 0) {
        fputs("<h2>Slowest zones</h2>\n<table><thead><tr><th>zone<th "
              "class=n>seconds<th "
              "class=n>candidates<th class=n>decided<th class=n>refined<th "
              "class=n>selected<th "
              "class=n>read<th class=n>retries<th class=n>rank</thead><tbody>\n",
              out);
        int n = choose_slowest(&zones, rows);
        for (int i = 0; i < n; i++)
            put_slow(&zones, &ids, rows[i], out);
        fputs("</tbody></table>\n", out);
    }
    table_column_close(&ids);
    close_group(&zones);
    return status;
}
