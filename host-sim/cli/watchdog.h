/* watchdog.h: a thread that looks whether calls into plugins come to an end. */
#ifndef POLARIS_HOST_WATCHDOG_H
#define POLARIS_HOST_WATCHDOG_H

#include "cleanup.h"
#include "failure.h"
#include "host/calls.h"

/* Zeroed is good for watchdog_done(). */
struct watchdog {
    struct calls_now *calls; /* NULL: does not run */
    int64_t limit_us;
    /* On the watchdog's thread, once, when a call has taken longer than the limit: it is not expected to return. */
    void (*hangs)(void *context, const struct calls_entry *call);
    void *context;
    int stop_fd;
    pthread_t thread;
};

/* Starts what the first four members say. */
bool watchdog_start(struct watchdog *watchdog, struct failure *failure) WARN_UNUSED;
void watchdog_done(struct watchdog *watchdog);

#endif
