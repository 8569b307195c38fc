/* progress.c: a progress bar on standard error, if that is a terminal. */
#include "cli/progress.h"
#include "monotonic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INTERVAL_US 100000
#define BAR_WIDTH 30

void progress_start(struct progress *progress, uint64_t total) {
    *progress = (struct progress){.shown = isatty(STDERR_FILENO) == 1, .started_us = monotonic_us(), .total = total};
}

static void draw_bar(char *text, size_t size, double part, double left_s) {
    char bar[BAR_WIDTH + 1];
    size_t filled = (size_t)(part * BAR_WIDTH);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', filled);
    bar[BAR_WIDTH] = '\0';
    int minutes = (int)(left_s / 60);
    int seconds = (int)left_s % 60;
    (void)snprintf(text, size, "[%s] %3.0f%%  %d:%02d left  ", bar, part * 100, minutes, seconds);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t events) {
    int64_t now_us = monotonic_us();
    if (!progress->shown || now_us - progress->drawn_us < INTERVAL_US) {
        return;
    }
    progress->drawn_us = now_us;
    char bar[128] = "";
    double elapsed_s = (double)(now_us - progress->started_us + 1) / 1e6;
    if (progress->total > 0 && done > 0) {
        done = done < progress->total ? done : progress->total; /* the file may have grown */
        double part = (double)done / (double)progress->total;
        draw_bar(bar, sizeof bar, part, elapsed_s * (1 - part) / part);
    }
    char line[256];
    int length = snprintf(line, sizeof line, "%s%" PRIu64 " events, %.0f/s", bar, events, (double)events / elapsed_s);
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && length >= size.ws_col) {
        length = size.ws_col - 1; /* a line that wraps cannot be drawn over */
    }
    (void)fprintf(stderr, "\r%.*s\033[K", length, line);
    (void)fflush(stderr);
}

void progress_clear(struct progress *progress) {
    if (progress->drawn_us != 0) {
        (void)fputs("\r\033[K", stderr);
        progress->drawn_us = 0;
    }
}
