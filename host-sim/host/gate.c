/* gate.c: the counting gate: a counter while it is open, one mutex and two conditions while it is not. */
#include "host/gate.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

bool gate_init(struct gate *gate) {
    memset(gate, 0, sizeof *gate);
    atomic_init(&gate->state, 0);
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
    assert(atomic_load(&gate->state) == 0 && gate->waiting == 0);
    (void)pthread_cond_destroy(&gate->drained);
    (void)pthread_cond_destroy(&gate->opened);
    (void)pthread_mutex_destroy(&gate->lock);
}

/* The gate is closed, and this thread was counted all the same. */
static void wait_outside(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    if (atomic_fetch_sub(&gate->state, 1) == GATE_CLOSED + 1) {
        (void)pthread_cond_signal(&gate->drained);
    }
    if (atomic_load(&gate->state) >= GATE_CLOSED) {
        uint64_t openings = gate->openings;
        gate->waiting++;
        while (gate->openings == openings) {
            (void)pthread_cond_wait(&gate->opened, &gate->lock);
        }
        /* gate_open counted this thread in. */
    } else {
        (void)atomic_fetch_add(&gate->state, 1);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

/* While it is open nobody takes the lock: callers come by the hundred thousand. */
void gate_enter(struct gate *gate) {
    if (atomic_fetch_add(&gate->state, 1) >= GATE_CLOSED) {
        wait_outside(gate);
    }
}

void gate_leave(struct gate *gate) {
    uint64_t state = atomic_load(&gate->state);
    while (state < GATE_CLOSED) {
        assert(state > 0);
        if (atomic_compare_exchange_weak(&gate->state, &state, state - 1)) {
            return;
        }
    }
    /* With the lock: who waits for the last one may free the gate as soon as it has left. */
    (void)pthread_mutex_lock(&gate->lock);
    if (atomic_fetch_sub(&gate->state, 1) == GATE_CLOSED + 1) {
        (void)pthread_cond_signal(&gate->drained);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_close(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    assert(atomic_load(&gate->state) < GATE_CLOSED);
    (void)atomic_fetch_add(&gate->state, GATE_CLOSED);
    (void)pthread_mutex_unlock(&gate->lock);
}

bool gate_drain(struct gate *gate, int64_t timeout_us) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
    until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;

    (void)pthread_mutex_lock(&gate->lock);
    assert(atomic_load(&gate->state) >= GATE_CLOSED);
    int result = 0;
    while (atomic_load(&gate->state) > GATE_CLOSED && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&gate->drained, &gate->lock, &until);
    }
    bool drained = atomic_load(&gate->state) == GATE_CLOSED;
    (void)pthread_mutex_unlock(&gate->lock);
    return drained;
}

uint64_t gate_open(struct gate *gate) {
    (void)pthread_mutex_lock(&gate->lock);
    assert(atomic_load(&gate->state) >= GATE_CLOSED);
    uint64_t waited = gate->waiting;
    gate->waiting = 0;
    gate->openings++;
    (void)atomic_fetch_sub(&gate->state, GATE_CLOSED - waited);
    (void)pthread_cond_broadcast(&gate->opened);
    (void)pthread_mutex_unlock(&gate->lock);
    return waited;
}
