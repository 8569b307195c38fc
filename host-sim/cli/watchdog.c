/* watchdog.c: a thread that looks whether calls into plugins come to an end. */
#include "cli/watchdog.h"
#include "monotonic.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 100 };

static void *watch(void *context) {
    struct watchdog *watchdog = context;
    struct pollfd stop = {.fd = watchdog->stop_fd, .events = POLLIN};
    struct calls_entry call;
    while (poll(&stop, 1, LOOK_MS) <= 0) {
        if (calls_oldest(watchdog->calls, &call) && monotonic_us() - call.began_us >= watchdog->limit_us) {
            watchdog->hangs(watchdog->context, &call);
            return NULL;
        }
    }
    return NULL;
}

bool watchdog_start(struct watchdog *watchdog, struct failure *failure) {
    watchdog->stop_fd = eventfd(0, EFD_CLOEXEC);
    int error = watchdog->stop_fd < 0 ? errno : pthread_create(&watchdog->thread, NULL, watch, watchdog);
    if (error != 0) {
        if (watchdog->stop_fd >= 0) {
            (void)close(watchdog->stop_fd);
        }
        watchdog->calls = NULL;
        return failure_set(failure, "cannot watch the calls: %s", strerror(error));
    }
    return true;
}

void watchdog_done(struct watchdog *watchdog) {
    if (watchdog->calls != NULL) {
        (void)eventfd_write(watchdog->stop_fd, 1);
        (void)pthread_join(watchdog->thread, NULL);
        (void)close(watchdog->stop_fd);
        watchdog->calls = NULL;
    }
}
