/* progress.h: a progress bar on standard error, if that is a terminal. */
#ifndef POLARIS_HOST_PROGRESS_H
#define POLARIS_HOST_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;         /* standard error is a terminal */
    int64_t started_us; /* monotonic_us() */
    int64_t drawn_us;   /* 0: nothing stands on the line */
    uint64_t total;     /* bytes of the input; 0: nobody knows */
};
void progress_start(struct progress *progress, uint64_t total);

/* Draws the bar again, ten times a second at most. */
void progress_show(struct progress *progress, uint64_t done, uint64_t events);

/* Clears the line, so that a message can be written. */
void progress_clear(struct progress *progress);

#endif
