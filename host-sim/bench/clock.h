/* clock.h: waiting by the clock that everything here is measured with. */
#ifndef POLARIS_BENCH_CLOCK_H
#define POLARIS_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "monotonic.h"

static inline void bench_sleep_ns(int64_t ns) {
    struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

#endif
