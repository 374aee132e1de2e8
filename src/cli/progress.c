#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
#include "rooftally/base/count.h"
#include "rooftally/base/log.h"

static const double live_interval_s = 0.2, log_interval_s = 10;
static const double write_bytes_per_s = 200e6, write_least_s = 0.1;

void progress_init(struct progress_line *line,
                   const struct coordinator *coordinator,
                   int64_t row_bytes,
                   bool quiet)
{
    double now_s = clock_wall_s();
    *line = (struct progress_line){ .coordinator = coordinator,
                                    .quiet = quiet,
                                    .terminal = isatty(STDERR_FILENO) == 1,
                                    .start_s = now_s,
                                    .row_bytes = row_bytes };
    line->next_s = now_s + (line->terminal ? live_interval_s : log_interval_s);
}

char *progress_duration(char text[24], double seconds)
{
    if (!(seconds >= 0 && seconds < 1e7))
        return strcpy(text, "?");
    long s = lround(seconds);
    if (s >= 3600)
        snprintf(text, 24, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 24, "%ld:%02ld", s / 60, s % 60);
    return text;
}

/* What the write will take once the zones are done, at a cautious rate. */
static double expected_write_s(const struct progress_line *line, double share)
{
    double n = share > 0 ? (double)line->coordinator->n_selected / share : 0;
    return write_least_s + n * (double)line->row_bytes / write_bytes_per_s;
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < PROGRESS_TEXT_BYTES ? size.ws_col : PROGRESS_TEXT_BYTES;
}

static void show_live(struct progress_line *line, const char *text)
{
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    line->shown = true;
}

/* "[####....] ", nothing for a width of 0. */
static char *bar_text(char text[40], int width, double share)
{
    char *to = text;
    if (width > 0) {
        *to++ = '[';
        for (int i = 0; i < width; i++)
            *to++ = i < (int)(share * width) ? '#' : '.';
        *to++ = ']';
        *to++ = ' ';
    }
    *to = '\0';
    return text;
}

double progress_percent(double share)
{
    return floor(100 * share + 1e-9);
}

struct layout {
    int bar;
    bool zones, buildings;
    const char *between, *peak;
};

/* Bytes that the line has, though text may hold less. */
static int lay_out(char text[PROGRESS_TEXT_BYTES],
                   const struct progress_facts *facts,
                   struct layout layout)
{
    char bar[40], zones[64] = "", buildings[64] = "", count[32], eta[24], peak[24];
    if (layout.zones)
        snprintf(zones,
                 sizeof zones,
                 "%" PRId64 "/%" PRId64 " zones%s",
                 facts->n_zones,
                 facts->n_all_zones,
                 layout.between);
    if (layout.buildings)
        snprintf(buildings,
                 sizeof buildings,
                 "%s buildings%s",
                 count_text(count, facts->n_candidates),
                 layout.between);
    return snprintf(text,
                    PROGRESS_TEXT_BYTES,
                    "%s%3.0f %% %s%s%.*f M/s%sETA %s%s%s%s",
                    bar_text(bar, layout.bar, facts->share),
                    progress_percent(facts->share),
                    zones,
                    buildings,
                    facts->rate < 9.995e6 ? 2 : 1,
                    1e-6 * facts->rate,
                    layout.between,
                    progress_duration(eta, facts->eta_s),
                    layout.between,
                    layout.peak,
                    memory_size_text(peak, facts->peak_rss_bytes));
}

char *progress_live_text(char text[PROGRESS_TEXT_BYTES],
                         const struct progress_facts *facts,
                         int n_most)
{
    static const struct layout layouts[] = {
        { 30, true, true, ", ", "peak " },  { 16, true, true, ", ", "peak " },
        { 16, true, false, ", ", "peak " }, { 0, true, false, ", ", "peak " },
        { 0, false, false, ", ", "peak " }, { 0, false, false, " ", "peak " },
        { 0, false, false, " ", "" },
    };
    int n = n_most + 1;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts && n > n_most; i++)
        n = lay_out(text, facts, layouts[i]);
    if (n > n_most)
        text[n_most > 0 ? n_most : 0] = '\0';
    return text;
}

static void show(struct progress_line *line)
{
    const struct coordinator *c = line->coordinator;
    char text[PROGRESS_TEXT_BYTES];
    double elapsed_s = clock_wall_s() - line->start_s;
    double share = c->units->cost > 0 ? c->cost / c->units->cost : 0;
    const struct progress_facts facts = {
        .share = share,
        .n_zones = c->n_zones,
        .n_all_zones = c->units->n_zones,
        .n_candidates = c->n_candidates,
        .rate = elapsed_s > 0 ? (double)c->n_candidates / elapsed_s : 0,
        .eta_s = share > 0
                     ? elapsed_s * (1 - share) / share + expected_write_s(line, share)
                     : NAN,
        .peak_rss_bytes = c->peak_rss_bytes,
    };
    if (line->terminal) {
        show_live(line, progress_live_text(text, &facts, terminal_columns() - 1));
    } else {
        lay_out(text, &facts, (struct layout){ 0, true, true, ", ", "peak " });
        fprintf(stderr, "progress: %s\n", text);
    }
}

void progress_tick(struct progress_line *line)
{
    double now_s = clock_wall_s();
    if (line->quiet || now_s < line->next_s)
        return;
    show(line);
    line->next_s = now_s + (line->terminal ? live_interval_s : log_interval_s);
}

void progress_write(void *context, double share)
{
    struct progress_line *line = context;
    double now_s = clock_wall_s();
    if (line->write_started_s == 0)
        line->write_started_s = now_s;
    if (line->quiet || now_s < line->next_s)
        return;
    double elapsed_s = now_s - line->write_started_s;
    char text[PROGRESS_TEXT_BYTES], eta[24];
    snprintf(text,
             sizeof text,
             "%3.0f %% written, ETA %s",
             progress_percent(share),
             progress_duration(eta, share > 0 ? elapsed_s * (1 - share) / share : NAN));
    if (line->terminal) {
        text[terminal_columns() - 1] = '\0';
        show_live(line, text);
    } else {
        fprintf(stderr, "progress: %s\n", text);
    }
    line->next_s = now_s + (line->terminal ? live_interval_s : log_interval_s);
}

void progress_end(struct progress_line *line)
{
    if (line->shown)
        fprintf(stderr, "\r\033[K");
    line->shown = false;
}
