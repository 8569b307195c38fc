/* monotonic.h: the clock that never goes back. */
#ifndef POLARIS_HOST_MONOTONIC_H
#define POLARIS_HOST_MONOTONIC_H

#include <stdint.h>
#include <time.h>

static inline int64_t monotonic_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t monotonic_us(void) {
    return monotonic_ns() / 1000;
}

#endif
