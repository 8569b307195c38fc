/* system.h: what several parts ask of the system in the same way: a clock that never goes back, and threads of our own.
 */
#ifndef POLARIS_PLUGIN_SYSTEM_H
#define POLARIS_PLUGIN_SYSTEM_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds since some moment. */
static inline int64_t monotonic_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The host's signals are the host's: our threads take none. False: the system gives no more threads. */
__attribute__((warn_unused_result)) static inline bool thread_start(pthread_t *thread, void *(*main)(void *argument),
                                                                    void *argument) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(thread, NULL, main, argument) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

#endif
