#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rooftally/base/clock.h"
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

char *progress_count(char text[32], int64_t n)
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;
    for (int i = 0; i < n_digits; i++) {
        if (i > 0 && (n_digits - i) % 3 == 0 && digits[i - 1] != '-')
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
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
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 80;
}

static void show_live(struct progress_line *line, double share, const char *text)
{
    int columns = terminal_columns(), width = columns > 100 ? 30 : 16;
    char bar[40], whole[300];
    for (int i = 0; i < width; i++)
        bar[i] = i < (int)(share * width) ? '#' : '.';
    bar[width] = '\0';
    int n = snprintf(whole, sizeof whole, "[%s] %3.0f %% %s", bar, 100 * share, text);
    if (n > columns - 1)
        whole[columns - 1] = '\0';
    fprintf(stderr, "\r%s\033[K", whole);
    fflush(stderr);
    line->shown = true;
}

static void show(struct progress_line *line)
{
    const struct coordinator *c = line->coordinator;
    double elapsed_s = clock_wall_s() - line->start_s;
    double share = c->units->cost > 0 ? c->cost / c->units->cost : 0;
    double eta_s = share > 0
                       ? elapsed_s * (1 - share) / share + expected_write_s(line, share)
                       : NAN;
    char text[200], eta[24], count[32], rss[24];
    snprintf(text,
             sizeof text,
             "%" PRId64 "/%" PRId64 " zones, %s buildings, %.2f M/s, ETA %s, peak %s",
             c->n_zones,
             c->units->n_zones,
             progress_count(count, c->n_candidates),
             elapsed_s > 0 ? 1e-6 * (double)c->n_candidates / elapsed_s : 0.0,
             progress_duration(eta, eta_s),
             memory_size_text(rss, c->peak_rss_bytes));
    if (line->terminal)
        show_live(line, share, text);
    else
        fprintf(stderr, "progress: %3.0f %% %s\n", 100 * share, text);
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
    char text[120], eta[24];
    snprintf(text,
             sizeof text,
             "writing, ETA %s",
             progress_duration(eta, share > 0 ? elapsed_s * (1 - share) / share : NAN));
    if (line->terminal)
        show_live(line, share, text);
    else
        fprintf(stderr, "progress: %3.0f %% %s\n", 100 * share, text);
    line->next_s = now_s + (line->terminal ? live_interval_s : log_interval_s);
}

void progress_end(struct progress_line *line)
{
    if (line->shown)
        fprintf(stderr, "\r\033[K");
    line->shown = false;
}
