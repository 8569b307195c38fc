/* gate.c: the counting gate, of one mutex and two conditions. */
#include "host/gate.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

bool gate_init(struct gate *gate) {
    *gate = (struct gate){0};
    if (pthread_mutex_init(&gate->lock, NULL) != 0) {
        return false;
    }
    /* The time limit of a drain must not move with the wall clock. */
    pthread_condattr_t monotonic;
    bool has_attributes = pthread_condattr_init(&monotonic) == 0;
    bool has_opened = has_attributes && pthread_cond_init(&gate->opened, NULL) == 0;
    bool has_drained = has_opened && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                       pthread_cond_init(&gate->drained, &monotonic) == 0;
    if (has_attributes) {
        (void)pthread_condattr_destroy(&monotonic);
    }
    if (has_drained) {
        return true;
    }
    if (has_opened) {
        (void)pthread_cond_destroy(&gate->opened);
    }
    (void)pthread_mutex_destroy(&gate->lock);
    return false;
}

void gate_done(struct gate *gate) {
    assert(gate->inside == 0 && gate->waiting == 0);
    (void)pthread_cond_destroy(&gate->drained);
    (void)pthread_cond_destroy(&gate->opened);
    (void)pthread_mutex_destroy(&gate->lock);
}

void gate_enter(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    if (gate->closed) {
        uint64_t openings = gate->openings;
        gate->waiting++;
        while (gate->openings == openings) {
            (void)pthread_cond_wait(&gate->opened, &gate->lock);
        }
        /* gate_open counted this thread in. */
    } else {
        gate->inside++;
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_leave(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    assert(gate->inside > 0);
    gate->inside--;
    if (gate->inside == 0 && gate->closed) {
        (void)pthread_cond_signal(&gate->drained);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_close(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    assert(!gate->closed);
    gate->closed = true;
    (void)pthread_mutex_unlock(&gate->lock);
}

bool gate_drain(struct gate *gate, int64_t timeout_us) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
    until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;

    (void)pthread_mutex_lock(&gate->lock);
    assert(gate->closed);
    int result = 0;
    while (gate->inside > 0 && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&gate->drained, &gate->lock, &until);
    }
    bool drained = gate->inside == 0;
    (void)pthread_mutex_unlock(&gate->lock);
    return drained;
}

uint64_t gate_open(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    assert(gate->closed);
    uint64_t waited = gate->waiting;
    gate->inside += gate->waiting;
    gate->waiting = 0;
    gate->openings++;
    gate->closed = false;
    (void)pthread_cond_broadcast(&gate->opened);
    (void)pthread_mutex_unlock(&gate->lock);
    return waited;
}
