/* tail.c: waiting for events. */
#include "storage/sqlite/tail.h"

#include <stddef.h>
#include <time.h>

enum { POLL_INTERVAL_US = 10000 };

static struct timespec deadline_after(int64_t us) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t nanoseconds = now.tv_nsec + us % 1000000 * 1000;
    now.tv_sec += us / 1000000 + nanoseconds / 1000000000;
    now.tv_nsec = nanoseconds % 1000000000;
    return now;
}

static bool is_before(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

bool tail_init(struct tail *tail, int64_t last_id) {
    *tail = (struct tail){.last_id = last_id};
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&tail->moved, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (ok && pthread_mutex_init(&tail->mutex, NULL) != 0) {
        (void)pthread_cond_destroy(&tail->moved);
        return false;
    }
    return ok;
}

void tail_done(struct tail *tail) {
    (void)pthread_cond_destroy(&tail->moved);
    (void)pthread_mutex_destroy(&tail->mutex);
}

void tail_advance(struct tail *tail, int64_t last_id) {
    (void)pthread_mutex_lock(&tail->mutex);
    if (last_id > tail->last_id) {
        tail->last_id = last_id;
        if (tail->waiting > 0) {
            (void)pthread_cond_broadcast(&tail->moved);
        }
    }
    (void)pthread_mutex_unlock(&tail->mutex);
}

/* Asks for the highest id with the mutex released: the poll reads the file. False: it failed. */
static bool ask(struct tail *tail, const struct tail_poll *poll) {
    (void)pthread_mutex_unlock(&tail->mutex);
    int64_t found = poll->last_id(poll->context);
    (void)pthread_mutex_lock(&tail->mutex);
    if (found > tail->last_id) {
        tail->last_id = found;
    }
    return found >= 0;
}

int64_t tail_interrupts(struct tail *tail) {
    (void)pthread_mutex_lock(&tail->mutex);
    int64_t interrupts = tail->interrupts;
    (void)pthread_mutex_unlock(&tail->mutex);
    return interrupts;
}

bool tail_wait(struct tail *tail, int64_t last_id, int64_t timeout_us, int64_t interrupts,
               const struct tail_poll *poll) {
    struct timespec deadline = deadline_after(timeout_us);
    (void)pthread_mutex_lock(&tail->mutex);
    tail->waiting++;
    for (;;) {
        if (poll != NULL && !ask(tail, poll)) {
            break;
        }
        struct timespec now = deadline_after(0);
        if (tail->last_id > last_id || tail->interrupts != interrupts || !is_before(&now, &deadline)) {
            break;
        }
        struct timespec until = poll != NULL ? deadline_after(POLL_INTERVAL_US) : deadline;
        (void)pthread_cond_timedwait(&tail->moved, &tail->mutex, is_before(&until, &deadline) ? &until : &deadline);
    }
    tail->waiting--;
    bool interrupted = tail->interrupts != interrupts;
    (void)pthread_mutex_unlock(&tail->mutex);
    return !interrupted;
}

int64_t tail_interrupt(struct tail *tail) {
    (void)pthread_mutex_lock(&tail->mutex);
    int64_t waiting = tail->waiting;
    tail->interrupts++;
    (void)pthread_cond_broadcast(&tail->moved);
    (void)pthread_mutex_unlock(&tail->mutex);
    return waiting;
}
